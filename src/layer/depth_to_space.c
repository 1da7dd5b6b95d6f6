/* Channels become pixels (sub-pixel convolution, Shi et al. 2016), in TensorFlow's order for NHWC. */
#include "layer/window.h"

enum { BLOCK_SIZE };

static const hd_option options[] = {
    { .name = "blockSize", .type = HD_INT, .min = 1, .max = 64, .required = true,
      .doc = "b: [H, W, b b C] becomes [b H, b W, C]; channel (i b + j) C + c goes to row i, column j of its block" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    const int block = (int)b->opt->number[BLOCK_SIZE], *in = b->in[0].dim;
    hd_status status = hd_image_check(b);
    if (!status && in[2] % (block * block)) {
        status = hd_fail(b->c, HD_ERR_SHAPE, "%s: %d channels, expected a multiple of blockSize^2 = %d", b->path, in[2],
                         block * block);
    }
    if (!status) {
        b->out = HD_SHAPE(in[0] * block, in[1] * block, in[2] / (block * block));
    }
    return status;
}

typedef struct job {
    int w, b, c; /* columns and channels of the blocks' pixels */
    size_t rows;
    const real *from;
    real *to;
    bool back, add;
} job;

/* One row of input pixels. */
static void row_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const size_t run = (size_t)j->b * (size_t)j->c, wide = run * (size_t)j->w; /* of an output row */
    const size_t begin = (size_t)task * (size_t)j->b * wide;
    for (size_t col = 0; col < (size_t)j->w; col++) {
        for (size_t i = 0; i < (size_t)j->b; i++) {
            const size_t deep = begin + (col * (size_t)j->b + i) * run, flat = begin + i * wide + col * run;
            const real *x = j->from + (j->back ? flat : deep);
            real *y = j->to + (j->back ? deep : flat);
            for (size_t k = 0; k < run; k++) {
                y[k] = j->add ? y[k] + x[k] : x[k];
            }
        }
    }
}

static void run(const hd_run *r, const real *from, real *to, bool back, bool add)
{
    job j = { .w = r->in[0].dim[1], .b = (int)r->opt->number[BLOCK_SIZE], .c = r->out.dim[2], .from = from, .to = to,
              .back = back, .add = add };
    hd_pool_run(r->pool, r->n * r->in[0].dim[0], row_task, &j);
}

static void forward(const hd_run *r)
{
    run(r, r->x[0], r->y, false, false);
}

static void backward(const hd_run *r)
{
    if (r->dx[0]) {
        run(r, r->dy, r->dx[0], true, r->add[0]);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 2, 3, 8 } } }, 1, { 2 } },
    { 1, { { 3, { 2, 1, 9 } } }, 1, { 3 } },
    { 0 },
};

const hd_layer_class hd_layer_depth_to_space = {
    .name = "depthToSpace",
    .doc = "blocks of channels become blocks of pixels: [H, W, b b C] to [b H, b W, C]",
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
