/* The part of elementwise.h that sums over or moves indices. */
#include "kern/elementwise.h"
#include "kern/vec.h"

#include <string.h>

/* --- sums over rows --------------------------------------------------------------------------------------- */

enum { SUM_COLUMNS = 64 };

typedef struct sum_job {
    size_t groups, rows, row, step, columns; /* groups a task, columns a task */
    const real *x;
    real *y;
    bool accumulate;
} sum_job;

/* y = sum over rows of n columns, y += with accumulate. x: (rows, row) */
static void add_rows(size_t rows, size_t row, size_t n, const real *x, real *y, bool accumulate)
{
    enum { WIDE = 4 * HD_VL };
    size_t c = 0;
    for (; c + WIDE <= n; c += WIDE) {
        vec s0 = vzero(), s1 = s0, s2 = s0, s3 = s0;
        for (const real *q = x + c, *end = q + rows * row; q != end; q += row) {
            s0 = vadd(s0, vload(q));
            s1 = vadd(s1, vload(q + HD_VL));
            s2 = vadd(s2, vload(q + 2 * HD_VL));
            s3 = vadd(s3, vload(q + 3 * HD_VL));
        }
        const vec s[] = { s0, s1, s2, s3 };
        for (size_t i = 0; i < 4; i++) {
            real *out = y + c + i * HD_VL;
            vstore(out, accumulate ? vadd(vload(out), s[i]) : s[i]);
        }
    }
    for (; c < n; c++) {
        real sum = 0;
        for (size_t r = 0; r < rows; r++) {
            sum += x[r * row + c];
        }
        y[c] = accumulate ? y[c] + sum : sum;
    }
}

/* Some groups times some columns: the blocks of HD_SUM_ROWS rows are added in order. */
static void sum_task(void *arg, int task, int thread)
{
    (void)thread;
    const sum_job *j = arg;
    size_t across = (j->row + j->columns - 1) / j->columns, c = (size_t)task % across * j->columns;
    size_t n = j->row - c < j->columns ? j->row - c : j->columns;
    size_t first = (size_t)task / across * j->step;
    size_t last = j->groups - first < j->step ? j->groups : first + j->step;
    for (size_t g = first; g < last; g++) {
        for (size_t r = 0; r < j->rows; r += HD_SUM_ROWS) {
            size_t rows = j->rows - r < HD_SUM_ROWS ? j->rows - r : HD_SUM_ROWS;
            const real *x = j->x + (g * j->rows + r) * j->row + c;
            add_rows(rows, j->row, n, x, j->y + g * j->row + c, j->accumulate || r > 0);
        }
    }
}

void hd_sum_rows(hd_pool *p, size_t groups, size_t rows, size_t row, const real *x, real *y, bool accumulate)
{
    if (!groups || !row) {
        return;
    }
    if (!rows) {
        if (!accumulate) {
            hd_fill(p, groups * row, 0, y);
        }
        return;
    }
    size_t each = rows * row;
    sum_job j = { groups, rows, row, each >= HD_BLOCK ? 1 : HD_BLOCK / each, row, x, y, accumulate };
    if (each > HD_BLOCK && row > SUM_COLUMNS) {
        j.columns = SUM_COLUMNS;
    }
    size_t across = (row + j.columns - 1) / j.columns;
    hd_pool_run(p, (int)((groups + j.step - 1) / j.step * across), sum_task, &j);
}

/* --- permutation of three indices ------------------------------------------------------------------------ */

typedef struct permute_job {
    int n[3];          /* dims of y */
    size_t stride[3];  /* in x, for each index of y */
    const real *x;
    real *y;
    bool accumulate;
    int slices; /* values of y's first index in a task */
} permute_job;

static void copy_run(size_t n, const real *x, size_t stride, real *y, bool accumulate)
{
    if (accumulate) {
        for (size_t i = 0; i < n; i++) {
            y[i] += x[i * stride];
        }
    } else if (stride == 1) {
        memcpy(y, x, n * sizeof(real));
    } else {
        for (size_t i = 0; i < n; i++) {
            y[i] = x[i * stride];
        }
    }
}

/* One value of y's first index. Where y's last index is not x's last, squares of 16 keep the lines
 * of x in the cache while y is written along its rows. */
static void permute_slice(const permute_job *j, int slice)
{
    enum { SQUARE = 16 };
    const real *x = j->x + (size_t)slice * j->stride[0];
    size_t n1 = (size_t)j->n[1], n2 = (size_t)j->n[2];
    real *y = j->y + (size_t)slice * n1 * n2;
    size_t width = j->stride[2] == 1 ? n2 : SQUARE;
    for (size_t c = 0; c < n2; c += width) {
        size_t n = n2 - c < width ? n2 - c : width;
        for (size_t r = 0; r < n1; r++) {
            copy_run(n, x + r * j->stride[1] + c * j->stride[2], j->stride[2], y + r * n2 + c, j->accumulate);
        }
    }
}

enum { PERMUTE_TASK = 4096 }; /* elements of a task, at least */

static void permute_task(void *arg, int task, int thread)
{
    (void)thread;
    const permute_job *j = arg;
    int first = task * j->slices, end = j->n[0] - first < j->slices ? j->n[0] : first + j->slices;
    for (int i = first; i < end; i++) {
        permute_slice(j, i);
    }
}

void hd_permute(hd_pool *p, const int dims[3], const int order[3], const real *x, real *y, bool accumulate)
{
    const size_t stride[3] = { (size_t)dims[1] * (size_t)dims[2], (size_t)dims[2], 1 };
    permute_job j = { .x = x, .y = y, .accumulate = accumulate };
    for (int i = 0; i < 3; i++) {
        j.n[i] = dims[order[i]];
        j.stride[i] = stride[order[i]];
    }
    size_t size = stride[0] * (size_t)dims[0];
    if (!size) {
        return;
    }
    if (size > HD_BLOCK) {
        size_t slice = size / (size_t)j.n[0];
        j.slices = slice < PERMUTE_TASK ? (int)(PERMUTE_TASK / slice) : 1;
        hd_pool_run(p, (j.n[0] + j.slices - 1) / j.slices, permute_task, &j);
        return;
    }
    for (int i = 0; i < j.n[0]; i++) {
        permute_slice(&j, i);
    }
}

/* --- gather ------------------------------------------------------------------------------------------------ */

enum { GATHER_SAMPLES = 16 }; /* a task */

typedef struct gather_job {
    const hd_table *table;
    const uint32_t *index;
    int n, rows;
    real *y;
} gather_job;

/* y = x * scale + offset; one product and one sum, never fused, so that uint8 data are the same everywhere. */
static void convert(const hd_table *t, size_t from, size_t n, real *y)
{
    const real scale = t->scale, offset = t->offset;
    if (t->is_uint8) {
        const uint8_t *x = (const uint8_t *)t->data + from;
        for (size_t i = 0; i < n; i++) {
            y[i] = (real)x[i] * scale + offset;
        }
        return;
    }
    const real *x = (const real *)t->data + from;
    if (scale == 1 && offset == 0) {
        memcpy(y, x, n * sizeof(real));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] * scale + offset;
    }
}

/* Samples of one float, such as scores and weights: copying them one by one costs more than all else. */
static void gather_numbers(const gather_job *j, int first, int last)
{
    const real *x = j->table->data, scale = j->table->scale, offset = j->table->offset;
    const bool plain = scale == 1 && offset == 0;
    for (int s = first; s < last; s++) {
        const real value = x[j->index ? j->index[s] : (size_t)s];
        j->y[s] = plain ? value : value * scale + offset;
    }
}

static void gather_task(void *arg, int task, int thread)
{
    (void)thread;
    const gather_job *j = arg;
    size_t size = (size_t)j->table->size, cols = size / (size_t)j->rows;
    int last = j->n - task * GATHER_SAMPLES < GATHER_SAMPLES ? j->n : (task + 1) * GATHER_SAMPLES;
    if (size == 1 && !j->table->is_uint8) {
        gather_numbers(j, task * GATHER_SAMPLES, last);
        return;
    }
    for (int s = task * GATHER_SAMPLES; s < last; s++) {
        size_t sample = j->index ? j->index[s] : (size_t)s;
        for (size_t i = 0; i < (size_t)j->rows; i++) {
            convert(j->table, sample * size + i * cols, cols, j->y + (i * (size_t)j->n + (size_t)s) * cols);
        }
    }
}

void hd_gather(hd_pool *p, const hd_table *t, const uint32_t *index, int n, int rows, real *y)
{
    gather_job j = { t, index, n, rows, y };
    int tasks = (n + GATHER_SAMPLES - 1) / GATHER_SAMPLES;
    if ((size_t)n * (size_t)t->size > HD_BLOCK) {
        hd_pool_run(p, tasks, gather_task, &j);
        return;
    }
    for (int i = 0; i < tasks; i++) {
        gather_task(&j, i, 0);
    }
}
