#include "kern/row_norm.h"

#include "kern/elementwise.h"
#include "kern/vec.h"

#include <math.h>

typedef struct job {
    size_t rows, c, block; /* block: rows in a task */
    double epsilon;
    const real *x, *gamma, *beta, *dy, *stats;
    real *y, *kept; /* backward: y is dX */
    bool add;
} job;

static void run(hd_pool *p, job *j, hd_task *fn)
{
    j->block = j->c < HD_BLOCK ? HD_BLOCK / j->c : 1;
    hd_pool_run(p, (int)((j->rows + j->block - 1) / j->block), fn, j);
}

static size_t end_of(const job *j, int task)
{
    size_t end = ((size_t)task + 1) * j->block;
    return end < j->rows ? end : j->rows;
}

/* Sums over a row of e = x - shift and of e^2. */
static void sums_about(size_t n, const real *x, real shift, double *sum, double *squares)
{
    vec m = vset(shift), a[4], b[4];
    for (int k = 0; k < 4; k++) {
        a[k] = b[k] = vzero();
    }
    size_t i = 0;
    for (; i + 4 * HD_VL <= n; i += 4 * HD_VL) {
        for (int k = 0; k < 4; k++) {
            vec e = vsub(vload(x + i + k * HD_VL), m);
            a[k] = vadd(a[k], e);
            b[k] = vmadd(e, e, b[k]);
        }
    }
    for (; i + HD_VL <= n; i += HD_VL) {
        vec e = vsub(vload(x + i), m);
        a[0] = vadd(a[0], e);
        b[0] = vmadd(e, e, b[0]);
    }
    *sum = vsum(vadd(vadd(a[0], a[1]), vadd(a[2], a[3])));
    *squares = vsum(vadd(vadd(b[0], b[1]), vadd(b[2], b[3])));
    for (; i < n; i++) {
        double e = (double)x[i] - shift;
        *sum += e;
        *squares += e * e;
    }
}

static void normalise_row(const job *j, const real *x, real *y, real *kept)
{
    double sum, squares, n = (double)j->c;
    sums_about(j->c, x, 0, &sum, &squares);
    real rough = (real)(sum / n); /* its rounding is corrected */
    sums_about(j->c, x, rough, &sum, &squares);
    real mean = (real)(rough + sum / n), s = (real)(1 / sqrt((squares - sum * sum / n) / n + j->epsilon));
    for (size_t i = 0; i < j->c; i += HD_VL) {
        size_t left = j->c - i;
        vec h = vmul(vsub(vload_upto(x + i, left), vset(mean)), vset(s));
        h = j->gamma ? vmul(h, vload_upto(j->gamma + i, left)) : h;
        vstore_upto(y + i, j->beta ? vadd(h, vload_upto(j->beta + i, left)) : h, left);
    }
    if (kept) {
        kept[0] = mean;
        kept[1] = s;
    }
}

static void forward_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    for (size_t r = (size_t)task * j->block; r < end_of(j, task); r++) {
        normalise_row(j, j->x + r * j->c, j->y + r * j->c, j->kept ? j->kept + 2 * r : NULL);
    }
}

void hd_row_norm(hd_pool *p, size_t rows, size_t c, const real *x, double epsilon, const real *gamma, const real *beta,
                 real *y, real *stats)
{
    run(p, &(job){ .rows = rows, .c = c, .epsilon = epsilon, .x = x, .gamma = gamma, .beta = beta, .y = y,
                   .kept = stats }, forward_task);
}

static void back_row(const job *j, const real *x, const real *stats, const real *dy, real *dx)
{
    vec m = vset(stats[0]), s = vset(stats[1]), a = vzero(), b = vzero();
    for (size_t i = 0; i < j->c; i += HD_VL) {
        size_t left = j->c - i;
        vec g = vload_upto(dy + i, left), h = vmul(vsub(vload_upto(x + i, left), m), s);
        g = j->gamma ? vmul(g, vload_upto(j->gamma + i, left)) : g;
        a = vadd(a, g);
        b = vmadd(g, h, b); /* behind the end g is 0 */
    }
    vec mean = vset(vsum(a) / (real)j->c), slope = vset(vsum(b) / (real)j->c);
    for (size_t i = 0; i < j->c; i += HD_VL) {
        size_t left = j->c - i;
        vec g = vload_upto(dy + i, left), h = vmul(vsub(vload_upto(x + i, left), m), s);
        g = j->gamma ? vmul(g, vload_upto(j->gamma + i, left)) : g;
        vec d = vmul(s, vsub(vsub(g, mean), vmul(h, slope)));
        vstore_upto(dx + i, j->add ? vadd(vload_upto(dx + i, left), d) : d, left);
    }
}

static void back_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    for (size_t r = (size_t)task * j->block; r < end_of(j, task); r++) {
        back_row(j, j->x + r * j->c, j->stats + 2 * r, j->dy + r * j->c, j->y + r * j->c);
    }
}

void hd_row_norm_back(hd_pool *p, size_t rows, size_t c, const real *x, const real *stats, const real *gamma,
                      const real *dy, real *dx, bool add)
{
    run(p, &(job){ .rows = rows, .c = c, .x = x, .stats = stats, .gamma = gamma, .dy = dy, .y = dx, .add = add },
        back_task);
}

/* --- sums over rows --------------------------------------------------------------------------------------- */

enum { PARTS = 32, COLUMNS = 32768, WIDE = 64, SHORT = 128 }; /* parts of the rows; columns bounds parts * c */

typedef struct sums {
    size_t rows, c, parts, blocks; /* blocks of WIDE columns */
    const real *x, *stats, *dy;
    double *part; /* (parts, 2, c): sums of dy h, of dy */
} sums;

static size_t parts_of(size_t c)
{
    size_t parts = COLUMNS / c;
    return parts < 1 ? 1 : parts < PARTS ? parts : PARTS;
}

size_t hd_row_norm_scratch(size_t c)
{
    return 2 * parts_of(c) * c * (sizeof(double) / sizeof(real));
}

/* One part of the rows, one block of columns: SHORT rows are summed in real. */
static void sums_task(void *arg, int task, int thread)
{
    (void)thread;
    const sums *j = arg;
    size_t part = (size_t)task / j->blocks, column = (size_t)task % j->blocks * WIDE,
           width = j->c - column < WIDE ? j->c - column : WIDE, begin = j->rows * part / j->parts,
           end = j->rows * (part + 1) / j->parts;
    double *gamma = j->part + 2 * part * j->c + column, *beta = gamma + j->c;
    for (size_t i = 0; i < width; i++) {
        gamma[i] = beta[i] = 0;
    }
    for (size_t first = begin; first < end; first += SHORT) {
        real a[WIDE] = { 0 }, b[WIDE] = { 0 };
        for (size_t r = first; r < end && r < first + SHORT; r++) {
            const real *x = j->x + r * j->c + column, *dy = j->dy + r * j->c + column;
            vec m = vset(j->stats[2 * r]), s = vset(j->stats[2 * r + 1]);
            for (size_t i = 0; i < width; i += HD_VL) {
                vec g = vload_upto(dy + i, width - i), h = vmul(vsub(vload_upto(x + i, width - i), m), s);
                vstore(a + i, vmadd(g, h, vload(a + i)));
                vstore(b + i, vadd(vload(b + i), g));
            }
        }
        for (size_t i = 0; i < width; i++) {
            gamma[i] += a[i];
            beta[i] += b[i];
        }
    }
}

void hd_row_norm_sums(hd_pool *p, size_t rows, size_t c, const real *x, const real *stats, const real *dy,
                      real *d_gamma, real *d_beta, real *scratch)
{
    sums j = { .rows = rows, .c = c, .parts = parts_of(c), .blocks = (c + WIDE - 1) / WIDE, .x = x, .stats = stats,
               .dy = dy, .part = (double *)(void *)scratch };
    hd_pool_run(p, (int)(j.parts * j.blocks), sums_task, &j);
    for (int k = 0; k < 2; k++) {
        real *to = k ? d_beta : d_gamma;
        for (size_t i = 0; to && i < c; i++) {
            double sum = 0;
            for (size_t part = 0; part < j.parts; part++) {
                sum += j.part[(2 * part + (size_t)k) * c + i];
            }
            to[i] = (real)sum;
        }
    }
}
