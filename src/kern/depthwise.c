#include "kern/depthwise.h"

#include "kern/conv_tile.h"
#include "kern/depthwise_kernel.h"

#include <string.h>

enum {
    TASK_WORK = 1 << 17,    /* multiply-adds of a task, about */
    CHUNKS = 16,            /* most partial sums of dW */
    PARTIAL_SIZE = 1 << 19, /* elements of all of them */
    PART_CHANNELS = 256,    /* of a task for dW, whose sums stay in the first-level cache */
    ADD_FILTERS = 64,       /* of a task that adds partial sums */
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int ceil_div(int a, int b)
{
    return a / b + (a % b > 0);
}

/* The filters as (kh, kw, k): tap by tap, all channels side by side. */
size_t hd_depthwise_prepared(const hd_conv_shape *s)
{
    return (size_t)s->kh * (size_t)s->kw * (size_t)s->k;
}

void hd_depthwise_prepare(hd_pool *p, const hd_conv_shape *s, const real *w, real *prepared)
{
    (void)p; /* too little to share */
    const size_t taps = (size_t)s->kh * (size_t)s->kw, k = (size_t)s->k;
    for (size_t o = 0; o < k; o++) {
        for (size_t t = 0; t < taps; t++) {
            prepared[t * k + o] = w[o * taps + t];
        }
    }
}

/* --- rows of pixels ---------------------------------------------------------------------------------------- */

/* Of the taps at first, first + step, ...: those in [0, size), from *from on. */
static int inside(const hd_taps *t, int first, int size, int *from)
{
    *from = 0;
    if (t->count == 0) {
        return 0;
    }
    *from = most(0, ceil_div(-first, t->step));
    return most(0, least(t->count, ceil_div(size - first, t->step)) - *from);
}

/* Which pixels from (i, u) on see the same taps, and where. taps: k weights each, kw in a row. */
static int find_span(const hd_conv_tiles *t, int image, int i, int u, ptrdiff_t k, int kw, hd_span *s, ptrdiff_t *weight)
{
    const int y = i * t->sh + t->rows.first, x = u * t->sw + t->cols.first;
    int a, b, pixels = 1;
    *s = (hd_span){ .rows = inside(&t->rows, y, t->h, &a), .cols = inside(&t->cols, x, t->w, &b) };
    if (!s->rows || !s->cols) {
        s->rows = 0;
        return 1;
    }
    const ptrdiff_t pixel = t->c, row = pixel * t->w;
    s->x = t->x + ((ptrdiff_t)image * t->h + y + a * t->rows.step) * row + (x + b * t->cols.step) * pixel;
    s->x_row = t->rows.step * row;
    s->x_col = t->cols.step * pixel;
    s->x_pixel = (size_t)(t->sw * pixel);
    s->w_row = (ptrdiff_t)t->rows.weight_step * kw * k;
    s->w_col = t->cols.weight_step * k;
    *weight = ((ptrdiff_t)(t->rows.weight + a * t->rows.weight_step) * kw + t->cols.weight + b * t->cols.weight_step) * k;
    if (s->cols == t->cols.count) {
        const int last = x + (t->cols.count - 1) * t->cols.step; /* the next pixels' last taps must lie inside, too */
        pixels = least(t->ow - u, (t->w - 1 - last) / t->sw + 1);
    }
    return pixels >= HD_PIXELS ? HD_PIXELS : pixels >= 4 ? 4 : 1;
}

/* --- sums over taps ---------------------------------------------------------------------------------------- */

typedef struct sum_job {
    const hd_conv_tiles *t;
    const real *w;
    int k, kw, m, task_rows; /* filters, taps in a row, filters to a channel; rows of a task */
    bool adjoint;
    hd_finish finish;
} sum_job;

static void sum_row(const sum_job *j, int image, int i)
{
    const hd_conv_tiles *t = j->t;
    real *y = t->y + (size_t)image * t->y_image + (size_t)i * t->y_row;
    for (int u = 0, pixels; u < t->ow; u += pixels) {
        hd_span s;
        ptrdiff_t weight = 0;
        pixels = find_span(t, image, i, u, j->k, j->kw, &s, &weight);
        s.w = j->w + weight;
        s.y = y + (size_t)u * t->y_pixel;
        s.y_pixel = t->y_pixel;
        s.end = (size_t)t->k;
        if (j->m > 1) {
            pixels = 1;
            sum_gathered(&s, &j->finish, (size_t)j->m, j->adjoint);
        } else {
            (pixels == 1 ? sum_1 : pixels == 4 ? sum_4 : sum_8)(&s, &j->finish);
        }
    }
}

static void sum_task(void *arg, int task, int thread)
{
    (void)thread;
    const sum_job *j = arg;
    const int first = task * j->task_rows, end = least(first + j->task_rows, j->t->n * j->t->oh);
    for (int r = first; r < end; r++) {
        sum_row(j, r / j->t->oh, r % j->t->oh);
    }
}

static void run_sums(hd_pool *p, sum_job *j)
{
    const hd_conv_tiles *t = j->t;
    const double row = (double)t->ow * j->k * (t->rows.count * t->cols.count + 1);
    const int rows = t->n * t->oh;
    j->task_rows = row >= TASK_WORK ? 1 : (int)(TASK_WORK / row);
    hd_pool_run(p, ceil_div(rows, j->task_rows), sum_task, j);
}

void hd_depthwise_forward(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *prepared,
                          const hd_epilogue *e, real *y)
{
    hd_conv_tiles t = hd_conv_tiles_forward(s);
    t.n = n;
    t.x = x;
    t.y = y;
    sum_job j = { .t = &t, .w = prepared, .k = s->k, .kw = s->kw, .m = s->k / s->c };
    if (e) {
        j.finish = (hd_finish){ e->scale, e->shift, e->act == HD_RELU, e->act == HD_RELU6, false };
    }
    run_sums(p, &j);
    if (e && e->act != HD_LINEAR && e->act != HD_RELU && e->act != HD_RELU6) {
        hd_activate(p, e->act, e->alpha, y, y, (size_t)n * (size_t)s->oh * (size_t)s->ow, (size_t)s->k);
    }
}

void hd_depthwise_back_data(hd_pool *p, const hd_conv_shape *s, int n, const real *dy, const real *prepared, real *dx,
                            bool add)
{
    for (int py = 0; py < s->sh && py < s->h; py++) {
        for (int px = 0; px < s->sw && px < s->w; px++) {
            hd_conv_tiles t = hd_conv_tiles_phase(s, py, px);
            t.n = n;
            t.x = dy;
            t.y = dx + t.first;
            sum_job j = { .t = &t, .w = prepared, .k = s->k, .kw = s->kw, .m = s->k / s->c, .adjoint = true,
                          .finish.add = add };
            if (!add || t.rows.count * t.cols.count > 0) {
                run_sums(p, &j);
            }
        }
    }
}

/* --- dW ---------------------------------------------------------------------------------------------------- */

typedef struct weights_job {
    hd_conv_tiles t;
    const real *dy;
    real *dw, *partial; /* (chunks, kh, kw, k) */
    int n, k, kw, m, parts, chunks;
    size_t taps, size;
} weights_job;

static void outer_row(const weights_job *j, int image, int i, real *sums, size_t from, size_t end)
{
    const hd_conv_tiles *t = &j->t;
    const real *dy = j->dy + (size_t)image * t->y_image + (size_t)i * t->y_row;
    for (int u = 0, pixels; u < t->ow; u += pixels) {
        hd_span s;
        ptrdiff_t weight = 0;
        pixels = find_span(t, image, i, u, j->k, j->kw, &s, &weight);
        s.dy = dy + (size_t)u * t->y_pixel;
        s.y = sums + weight;
        s.y_pixel = t->y_pixel;
        s.from = from;
        s.end = end;
        if (j->m > 1) {
            pixels = 1;
            outer_gathered(&s, (size_t)j->m);
        } else {
            (pixels == 1 ? outer_1 : pixels == 4 ? outer_4 : outer_8)(&s);
        }
    }
}

static void outer_task(void *arg, int task, int thread)
{
    (void)thread;
    const weights_job *j = arg;
    const int chunk = task / j->parts, from = task % j->parts * PART_CHANNELS, end = least(from + PART_CHANNELS, j->k);
    const double rows = (double)j->n * j->t.oh;
    const int first = (int)(rows * chunk / j->chunks), last = (int)(rows * (chunk + 1) / j->chunks);
    real *sums = j->partial + (size_t)chunk * j->size;
    for (size_t t = 0; t < j->taps; t++) {
        memset(sums + t * (size_t)j->k + from, 0, (size_t)(end - from) * sizeof *sums);
    }
    for (int r = first; r < last; r++) {
        outer_row(j, r / j->t.oh, r % j->t.oh, sums, (size_t)from, (size_t)end);
    }
}

static void add_task(void *arg, int task, int thread)
{
    (void)thread;
    const weights_job *j = arg;
    const size_t k = (size_t)j->k, first = (size_t)task * ADD_FILTERS, end = k - first < ADD_FILTERS ? k : first + ADD_FILTERS;
    for (size_t o = first; o < end; o++) {
        for (size_t t = 0; t < j->taps; t++) {
            real sum = 0;
            for (int chunk = 0; chunk < j->chunks; chunk++) {
                sum += j->partial[(size_t)chunk * j->size + t * k + o];
            }
            j->dw[o * j->taps + t] = sum;
        }
    }
}

static int chunks(const hd_conv_shape *s)
{
    return most(1, least(CHUNKS, (int)(PARTIAL_SIZE / hd_depthwise_prepared(s))));
}

size_t hd_depthwise_scratch(const hd_conv_shape *s)
{
    return (size_t)chunks(s) * hd_depthwise_prepared(s);
}

void hd_depthwise_back_weights(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *dy, real *dw,
                               real *scratch)
{
    weights_job j = { .t = hd_conv_tiles_forward(s), .dy = dy, .dw = dw, .partial = scratch, .n = n, .k = s->k, .kw = s->kw,
                      .m = s->k / s->c, .parts = ceil_div(s->k, PART_CHANNELS), .chunks = chunks(s),
                      .taps = (size_t)s->kh * (size_t)s->kw, .size = hd_depthwise_prepared(s) };
    j.t.x = x;
    hd_pool_run(p, j.parts * j.chunks, outer_task, &j);
    hd_pool_run(p, ceil_div(s->k, ADD_FILTERS), add_task, &j);
}
