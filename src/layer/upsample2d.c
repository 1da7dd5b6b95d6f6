/* Enlarges images by whole factors. Bilinear: pixels are areas with their centres at (i + 1/2), as in Keras and, with
 * align_corners = False, PyTorch; beyond the outermost centres the border's value. */
#include "kern/vec.h"
#include "layer/window.h"

#include <string.h>

enum { SIZE, INTERPOLATION };
enum { NEAREST, BILINEAR };

static const char *const interpolations[] = { "nearest", "bilinear", NULL };

static const hd_option options[] = {
    { .name = "size", .type = HD_INTS, .min = 1, .max = 1024, .doc = "factors, rows and columns; none given: 2 and 2" },
    { .name = "interpolation", .type = HD_ENUM, .names = interpolations, .doc = "nearest: repeats pixels; bilinear" },
    { 0 },
};

static int factor(const hd_values *opt, int axis)
{
    int length = (int)opt->number[SIZE];
    return length ? (int)opt->list[opt->start[SIZE] + (length > 1 ? axis : 0)] : 2;
}

static hd_status shape(hd_build *b)
{
    hd_status status = hd_image_check(b);
    if (!status && b->opt->number[SIZE] > 2) {
        status = hd_fail(b->c, HD_ERR_ARGUMENT, "%s: size has %d values, expected 1 or 2 (rows, columns)", b->path,
                         (int)b->opt->number[SIZE]);
    }
    if (!status) {
        const int *in = b->in[0].dim;
        b->out = HD_SHAPE(in[0] * factor(b->opt, 0), in[1] * factor(b->opt, 1), in[2]);
    }
    return status;
}

/* The two inputs of output position i along an axis of n inputs: near (low) with weight 1 - part, and low + 1. */
typedef struct mix {
    int low;
    real part;
} mix;

static mix mix_of(int i, int n, int size, bool nearest)
{
    const double at = (i + 0.5) / size - 0.5;
    if (nearest || at <= 0 || at >= n - 1) {
        return (mix){ i / size, 0 };
    }
    return (mix){ (int)at, (real)(at - (int)at) };
}

static real weight_of(mix m, int input)
{
    return m.low == input ? 1 - m.part : m.low + 1 == input ? m.part : 0;
}

typedef struct job {
    int h, w, c, sh, sw;
    bool nearest, add;
    const real *from;
    real *to;
} job;

/* One row of the output. */
static void forward_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const int wide = j->w * j->sw;
    const mix row = mix_of(task % (j->h * j->sh), j->h, j->sh, j->nearest);
    const size_t c = (size_t)j->c, next_row = row.part > 0 ? (size_t)j->w * c : 0;
    const real *image = j->from + (size_t)(task / (j->h * j->sh)) * (size_t)(j->h * j->w) * c;
    real *y = j->to + (size_t)task * (size_t)wide * c;
    for (int k = 0; k < wide; k++, y += c) {
        const mix col = mix_of(k, j->w, j->sw, j->nearest);
        const real *a = image + (size_t)(row.low * j->w + col.low) * c, *b = a + (col.part > 0 ? c : 0);
        for (size_t i = 0; i < c; i++) {
            const real top = a[i] + col.part * (b[i] - a[i]);
            const real below = a[i + next_row] + col.part * (b[i + next_row] - a[i + next_row]);
            y[i] = top + row.part * (below - top);
        }
    }
}

HD_INLINE void add_scaled(size_t n, real weight, const real *x, real *y)
{
    size_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) {
        vstore(y + i, vadd(vload(y + i), vmul(vset(weight), vload(x + i))));
    }
    for (; i < n; i++) {
        y[i] += weight * x[i];
    }
}

/* One row of the input's gradient: from all outputs that read it. */
static void backward_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const int tall = j->h * j->sh, wide = j->w * j->sw, row = task % j->h;
    const size_t c = (size_t)j->c;
    const real *image = j->from + (size_t)(task / j->h) * (size_t)(tall * wide) * c;
    real *dx = j->to + (size_t)task * (size_t)j->w * c;
    if (!j->add) {
        memset(dx, 0, (size_t)j->w * c * sizeof *dx);
    }
    for (int y = row ? (row - 1) * j->sh : 0; y < (row + 2) * j->sh && y < tall; y++) {
        const real by_row = weight_of(mix_of(y, j->h, j->sh, j->nearest), row);
        const real *dy = image + (size_t)y * (size_t)wide * c;
        for (int x = 0; by_row != 0 && x < wide; x++, dy += c) {
            const mix col = mix_of(x, j->w, j->sw, j->nearest);
            add_scaled(c, by_row * (1 - col.part), dy, dx + (size_t)col.low * c);
            if (col.part > 0) {
                add_scaled(c, by_row * col.part, dy, dx + ((size_t)col.low + 1) * c);
            }
        }
    }
}

static job job_of(const hd_run *r)
{
    const int *in = r->in[0].dim;
    return (job){ .h = in[0], .w = in[1], .c = in[2], .sh = factor(r->opt, 0), .sw = factor(r->opt, 1),
                  .nearest = r->opt->number[INTERPOLATION] == NEAREST };
}

static void forward(const hd_run *r)
{
    job j = job_of(r);
    j.from = r->x[0];
    j.to = r->y;
    hd_pool_run(r->pool, r->n * r->out.dim[0], forward_task, &j);
}

static void backward(const hd_run *r)
{
    job j = job_of(r);
    if (r->dx[0]) {
        j.from = r->dy;
        j.to = r->dx[0];
        j.add = r->add[0];
        hd_pool_run(r->pool, r->n * j.h, backward_task, &j);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 2, 3, 2 } } }, 0, { 0 } },
    { 1, { { 3, { 3, 2, 2 } } }, 3, { 1, 2, BILINEAR } },
    { 1, { { 3, { 2, 4, 1 } } }, 4, { 2, 3, 1, BILINEAR } },
    { 0 },
};

const hd_layer_class hd_layer_upsample2d = {
    .name = "upsample2d",
    .doc = "enlarges images [H, W, C] by whole factors",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
