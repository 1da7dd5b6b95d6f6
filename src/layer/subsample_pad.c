/* The shortcut without parameters of residual networks: option A of He, Zhang, Ren, Sun, "Deep residual learning for
 * image recognition" (2016), section 3.3. */
#include "layer/layer.h"

#include <string.h>

enum { STRIDES, CHANNELS };

static const hd_option options[] = {
    { .name = "strides", .type = HD_INT, .min = 1, .max = 1024, .def = 2,
      .doc = "takes every strides-th row and column, the first included" },
    { .name = "channels", .type = HD_INT, .min = 1, .max = 65536, .required = true,
      .doc = "channels of the output; those that the input lacks are zero, half of them before and half behind" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    int s = (int)b->opt->number[STRIDES], channels = (int)b->opt->number[CHANNELS];
    if (b->in[0].rank != 3) {
        char got[96];
        hd_shape_text(&b->in[0], got, sizeof got);
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: input is %s, expected height, width and channels", b->path, got);
    }
    const int *in = b->in[0].dim;
    if (channels < in[2]) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: channels = %d, expected at least the input's %d", b->path, channels, in[2]);
    }
    b->out = HD_SHAPE((in[0] - 1) / s + 1, (in[1] - 1) / s + 1, channels);
    return HD_OK;
}

/* One task handles the rows of one sample. */
typedef struct job {
    const hd_run *r;
    int s, h, w, c; /* input */
    int oh, ow, k, before; /* output, with c channels from `before` on */
} job;

static job job_of(const hd_run *r)
{
    const int *in = r->in[0].dim, *out = r->out.dim;
    return (job){ r, (int)r->opt->number[STRIDES], in[0], in[1], in[2], out[0], out[1], out[2], (out[2] - in[2]) / 2 };
}

/* y[i][j][before + c] = x[s i][s j][c]. */
static void sample_forward(void *arg, int n, int thread)
{
    (void)thread;
    const job *a = arg;
    const real *x = a->r->x[0] + (size_t)n * (size_t)(a->h * a->w) * (size_t)a->c;
    real *y = a->r->y + (size_t)n * (size_t)(a->oh * a->ow) * (size_t)a->k;
    memset(y, 0, (size_t)(a->oh * a->ow) * (size_t)a->k * sizeof *y);
    for (int i = 0; i < a->oh; i++) {
        for (int j = 0; j < a->ow; j++, y += a->k) {
            memcpy(y + a->before, x + ((size_t)(i * a->s) * (size_t)a->w + (size_t)(j * a->s)) * (size_t)a->c,
                   (size_t)a->c * sizeof *y);
        }
    }
}

/* dx[s i][s j][c] = dy[i][j][before + c], 0 elsewhere. */
static void sample_backward(void *arg, int n, int thread)
{
    (void)thread;
    const job *a = arg;
    const real *dy = a->r->dy + (size_t)n * (size_t)(a->oh * a->ow) * (size_t)a->k;
    real *dx = a->r->dx[0] + (size_t)n * (size_t)(a->h * a->w) * (size_t)a->c;
    if (!a->r->add[0]) {
        memset(dx, 0, (size_t)(a->h * a->w) * (size_t)a->c * sizeof *dx);
    }
    for (int i = 0; i < a->oh; i++) {
        for (int j = 0; j < a->ow; j++, dy += a->k) {
            real *to = dx + ((size_t)(i * a->s) * (size_t)a->w + (size_t)(j * a->s)) * (size_t)a->c;
            for (int c = 0; c < a->c; c++) {
                to[c] += dy[a->before + c];
            }
        }
    }
}

static void forward(const hd_run *r)
{
    job a = job_of(r);
    hd_pool_run(r->pool, r->n, sample_forward, &a);
}

static void backward(const hd_run *r)
{
    job a = job_of(r);
    if (r->dx[0]) {
        hd_pool_run(r->pool, r->n, sample_backward, &a);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 4, 4, 2 } } }, 2, { 2, 4 } },
    { 1, { { 3, { 5, 3, 3 } } }, 2, { 2, 6 } },
    { 1, { { 3, { 2, 7, 2 } } }, 2, { 3, 2 } },
    { 1, { { 3, { 3, 2, 1 } } }, 2, { 1, 4 } },
    { 0 },
};

const hd_layer_class hd_layer_subsample_pad = {
    .name = "subsamplePad",
    .doc = "every n-th pixel, with further channels of zeros: shortcuts of option A in residual networks",
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
