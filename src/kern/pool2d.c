/* Channels are the lanes. Forward runs over the elements of the output, backward over those of the input, which gather
 * from the windows that hold them: no two tasks write the same element, overlapping windows or not. */
#include "kern/pool2d.h"

#include "kern/elementwise.h"
#include "kern/vec.h"

#include <math.h>

typedef enum what { MAXIMUM, INDEXED_MAXIMUM, MEAN } what;

typedef struct job {
    const hd_pool2d *s;
    what what;
    bool count_padding, add;
    size_t rows, block;    /* rows of all images that are written; in a task */
    const real *x, *index; /* backward: x is dY */
    real *y, *at;          /* backward: y is dX; at: index written */
} job;

static void run(hd_pool *p, job *j, size_t rows, size_t row, hd_task *fn)
{
    j->rows = rows;
    j->block = row < HD_BLOCK ? HD_BLOCK / row : 1;
    hd_pool_run(p, (int)((rows + j->block - 1) / j->block), fn, j);
}

static size_t end_of(const job *j, int task)
{
    size_t end = ((size_t)task + 1) * j->block;
    return end < j->rows ? end : j->rows;
}

/* The part of a window that lies in the image: rows (columns) from, ..., to - 1 of the window. */
typedef struct part {
    int first, from, to; /* first: where the window begins in the image; may be negative */
} part;

static part clip(int i, int stride, int pad, int window, int size)
{
    part r = { .first = i * stride - pad };
    r.from = r.first < 0 ? -r.first : 0;
    r.to = size - r.first < window ? size - r.first : window;
    return r;
}

static int count_of(const job *j, part rows, part cols)
{
    return j->count_padding ? j->s->kh * j->s->kw : (rows.to - rows.from) * (cols.to - cols.from);
}

/* --- forward --------------------------------------------------------------------------------------------- */

/* One output position, channels [c, c + u HD_VL): those that exist if `whole` is false (then u = 1). x: the image. */
HD_INLINE void pool_channels(const job *j, what what, const real *x, part rows, part cols, size_t c, size_t out,
                             const int u, const bool whole)
{
    const hd_pool2d *s = j->s;
    const size_t step = (size_t)s->c, left = step - c;
    vec best[4], at[4], nan[4], line[4]; /* MEAN: best is the sum, line by line, which rounds less */
    for (int i = 0; i < u; i++) {
        best[i] = what == MEAN ? vzero() : vset(-(real)INFINITY);
        line[i] = vzero();
        at[i] = vset((real)(rows.from * s->kw + cols.from));
        nan[i] = vzero();
    }
    for (int a = rows.from; a < rows.to; a++) {
        const real *v = x + ((size_t)(rows.first + a) * (size_t)s->w + (size_t)(cols.first + cols.from)) * step + c;
        for (int b = cols.from; b < cols.to; b++, v += step) {
            vec k = vset((real)(a * s->kw + b));
            for (int i = 0; i < u; i++) {
                vec e = whole ? vload(v + i * HD_VL) : vload_part(v, left);
                if (what == MEAN) {
                    line[i] = b == cols.from ? e : vadd(line[i], e);
                    continue;
                }
                if (what == INDEXED_MAXIMUM) { /* k grows: the larger one is the later one */
                    at[i] = vmax(at[i], vand(vgt(e, best[i]), k));
                }
                nan[i] = vor(nan[i], vne(e, e));
                best[i] = vmax(best[i], e);
            }
        }
        for (int i = 0; what == MEAN && i < u; i++) {
            best[i] = vadd(best[i], line[i]);
        }
    }
    vec count = vset((real)count_of(j, rows, cols));
    for (int i = 0; i < u; i++) {
        vec y = what == MEAN ? vdiv(best[i], count) : vselect(nan[i], vset((real)NAN), best[i]);
        vstore_upto(j->y + out + c + (size_t)i * HD_VL, y, whole ? HD_VL : left);
        if (what == INDEXED_MAXIMUM) {
            vstore_upto(j->at + out + c + (size_t)i * HD_VL, at[i], whole ? HD_VL : left);
        }
    }
}

HD_INLINE void pool_rows(const job *j, what what, int task)
{
    const hd_pool2d *s = j->s;
    const size_t channels = (size_t)s->c, image = (size_t)s->h * (size_t)s->w * channels, end = end_of(j, task);
    for (size_t r = (size_t)task * j->block; r < end; r++) {
        const real *x = j->x + r / (size_t)s->oh * image;
        part rows = clip((int)(r % (size_t)s->oh), s->sh, s->top, s->kh, s->h);
        for (int i = 0; i < s->ow; i++) {
            part cols = clip(i, s->sw, s->left, s->kw, s->w);
            size_t c = 0, out = (r * (size_t)s->ow + (size_t)i) * channels;
            for (; c + 4 * HD_VL <= channels; c += 4 * HD_VL) {
                pool_channels(j, what, x, rows, cols, c, out, 4, true);
            }
            for (; c + HD_VL <= channels; c += HD_VL) {
                pool_channels(j, what, x, rows, cols, c, out, 1, true);
            }
            if (c < channels) {
                pool_channels(j, what, x, rows, cols, c, out, 1, false);
            }
        }
    }
}

static void pool_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    switch (j->what) {
    case MAXIMUM: pool_rows(j, MAXIMUM, task); break;
    case INDEXED_MAXIMUM: pool_rows(j, INDEXED_MAXIMUM, task); break;
    case MEAN: pool_rows(j, MEAN, task); break;
    }
}

static void run_forward(hd_pool *p, job *j, int n)
{
    const hd_pool2d *s = j->s;
    run(p, j, (size_t)n * (size_t)s->oh, (size_t)s->kh * (size_t)s->w * (size_t)s->c, pool_task);
}

void hd_max_pool2d(hd_pool *p, const hd_pool2d *s, int n, const real *x, real *y, real *index)
{
    run_forward(p, &(job){ .s = s, .what = index ? INDEXED_MAXIMUM : MAXIMUM, .x = x, .y = y, .at = index }, n);
}

void hd_average_pool2d(hd_pool *p, const hd_pool2d *s, int n, bool count_padding, const real *x, real *y)
{
    run_forward(p, &(job){ .s = s, .what = MEAN, .count_padding = count_padding, .x = x, .y = y }, n);
}

/* --- backward -------------------------------------------------------------------------------------------- */

/* Windows that hold row (column) i: first, ..., last. */
static void holders(int i, int stride, int pad, int window, int out, int *first, int *last)
{
    int behind = i + pad - window + 1; /* where the first of them may begin, from the padding's edge */
    *first = behind > 0 ? (behind + stride - 1) / stride : 0;
    *last = (i + pad) / stride < out ? (i + pad) / stride : out - 1;
}

/* The same from what it was for i - 1, without divisions. */
HD_INLINE void advance(int i, int stride, int pad, int window, int out, int *first, int *last)
{
    *first += *first * stride + window <= i + pad;
    *last += *last + 1 < out && (*last + 1) * stride <= i + pad;
}

/* One element of the image and the windows that hold it: rows at[0], ..., at[1], columns at[2], ..., at[3]. */
typedef struct pixel {
    int row, col, at[4];
    const real *dy, *index; /* of the image */
    real *dx;               /* of the element */
} pixel;

/* Channels as in pool_channels. A window gives dY to the element that its index names, or dY / count to each. */
HD_INLINE void gather_channels(const job *j, what what, const pixel *e, size_t c, const int u, const bool whole)
{
    const hd_pool2d *s = j->s;
    const size_t step = (size_t)s->c, n = whole ? HD_VL : step - c;
    vec sum[4];
    for (int i = 0; i < u; i++) {
        sum[i] = j->add ? vload_upto(e->dx + c + (size_t)i * HD_VL, n) : vzero();
    }
    for (int a = e->at[0]; a <= e->at[1]; a++) {
        for (int b = e->at[2]; b <= e->at[3]; b++) {
            const size_t from = ((size_t)a * (size_t)s->ow + (size_t)b) * step + c;
            const int k = (e->row - a * s->sh + s->top) * s->kw + e->col - b * s->sw + s->left;
            vec same = vset((real)k), share = vzero();
            if (what == MEAN) {
                part rows = clip(a, s->sh, s->top, s->kh, s->h), cols = clip(b, s->sw, s->left, s->kw, s->w);
                share = vset(1 / (real)count_of(j, rows, cols));
            }
            for (int i = 0; i < u; i++) {
                vec d = vload_upto(e->dy + from + (size_t)i * HD_VL, n);
                if (what == MEAN) {
                    d = vmul(d, share);
                } else {
                    d = vand(d, veq(vload_upto(e->index + from + (size_t)i * HD_VL, n), same));
                }
                sum[i] = vadd(sum[i], d);
            }
        }
    }
    for (int i = 0; i < u; i++) {
        vstore_upto(e->dx + c + (size_t)i * HD_VL, sum[i], n);
    }
}

HD_INLINE void gather(const job *j, what what, const pixel *e)
{
    const size_t channels = (size_t)j->s->c;
    size_t c = 0;
    for (; c + 4 * HD_VL <= channels; c += 4 * HD_VL) {
        gather_channels(j, what, e, c, 4, true);
    }
    for (; c + HD_VL <= channels; c += HD_VL) {
        gather_channels(j, what, e, c, 1, true);
    }
    if (c < channels) {
        gather_channels(j, what, e, c, 1, false);
    }
}

HD_INLINE void back_rows(const job *j, what what, int task)
{
    const hd_pool2d *s = j->s;
    const size_t c = (size_t)s->c, out = (size_t)s->oh * (size_t)s->ow * c, end = end_of(j, task);
    for (size_t r = (size_t)task * j->block; r < end; r++) {
        const size_t image = r / (size_t)s->h * out;
        pixel e = { .row = (int)(r % (size_t)s->h), .dy = j->x + image,
                    .index = what == MEAN ? NULL : j->index + image, .dx = j->y + r * (size_t)s->w * c };
        holders(e.row, s->sh, s->top, s->kh, s->oh, &e.at[0], &e.at[1]);
        holders(0, s->sw, s->left, s->kw, s->ow, &e.at[2], &e.at[3]);
        while (e.col < s->w) {
            gather(j, what, &e);
            e.dx += c;
            e.col++;
            advance(e.col, s->sw, s->left, s->kw, s->ow, &e.at[2], &e.at[3]);
        }
    }
}

static void back_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    if (j->what == MEAN) {
        back_rows(j, MEAN, task);
    } else {
        back_rows(j, INDEXED_MAXIMUM, task);
    }
}

static void run_backward(hd_pool *p, job *j, int n)
{
    const hd_pool2d *s = j->s;
    run(p, j, (size_t)n * (size_t)s->h, (size_t)s->w * (size_t)s->c, back_task);
}

void hd_max_pool2d_back(hd_pool *p, const hd_pool2d *s, int n, const real *dy, const real *index, real *dx, bool add)
{
    run_backward(p, &(job){ .s = s, .what = INDEXED_MAXIMUM, .x = dy, .index = index, .y = dx, .add = add }, n);
}

void hd_average_pool2d_back(hd_pool *p, const hd_pool2d *s, int n, bool count_padding, const real *dy, real *dx,
                            bool add)
{
    run_backward(p, &(job){ .s = s, .what = MEAN, .count_padding = count_padding, .x = dy, .y = dx, .add = add }, n);
}

/* --- reference ------------------------------------------------------------------------------------------- */

/* One window of one channel: its maximum and where, and its sum. */
static void window_ref(const hd_pool2d *s, const real *x, int i, int j, real *max, int *index, double *sum, int *count)
{
    *index = -1;
    *sum = *count = 0;
    for (int a = 0; a < s->kh; a++) {
        for (int b = 0; b < s->kw; b++) {
            int row = i * s->sh - s->top + a, col = j * s->sw - s->left + b;
            if (row < 0 || row >= s->h || col < 0 || col >= s->w) {
                continue;
            }
            real e = x[(row * s->w + col) * s->c];
            if (*index < 0 || e > *max || (e != e && *max == *max)) {
                *max = e;
                *index = a * s->kw + b;
            }
            *sum += e;
            ++*count;
        }
    }
}

void hd_max_pool2d_ref(const hd_pool2d *s, int n, const real *x, real *y, real *index)
{
    for (int e = 0; e < n * s->oh * s->ow * s->c; e++) {
        int c = e % s->c, j = e / s->c % s->ow, i = e / (s->c * s->ow) % s->oh, image = e / (s->c * s->ow * s->oh);
        int at, count;
        double sum;
        window_ref(s, x + (size_t)image * s->h * s->w * s->c + c, i, j, &y[e], &at, &sum, &count);
        index[e] = (real)at;
    }
}

void hd_average_pool2d_ref(const hd_pool2d *s, int n, bool count_padding, const real *x, real *y)
{
    for (int e = 0; e < n * s->oh * s->ow * s->c; e++) {
        int c = e % s->c, j = e / s->c % s->ow, i = e / (s->c * s->ow) % s->oh, image = e / (s->c * s->ow * s->oh);
        int at, count;
        double sum;
        real max;
        window_ref(s, x + (size_t)image * s->h * s->w * s->c + c, i, j, &max, &at, &sum, &count);
        y[e] = (real)(sum / (count_padding ? s->kh * s->kw : count));
    }
}
