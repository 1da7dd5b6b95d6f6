/* y = scale * x + offset for each channel: how pictures become what a network was trained on. As a layer, it travels in
 * the model's file. */
#include "layer/layer.h"

enum { SCALE, OFFSET, REVERSE };

static const hd_option options[] = {
    { .name = "scale", .type = HD_NUMBERS, .min = -1e30, .max = 1e30,
      .doc = "factor, one for all channels (last axis) or one for each; 1 if left out" },
    { .name = "offset", .type = HD_NUMBERS, .min = -1e30, .max = 1e30,
      .doc = "what is added then, one for all channels or one for each; 0 if left out" },
    { .name = "reverse", .type = HD_BOOL, .doc = "first takes the channels in reversed order: RGB becomes BGR" },
    { 0 },
};

static hd_status check_list(hd_build *b, int option, int channels)
{
    int length = (int)b->opt->number[option];
    if (length > 1 && length != channels) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: %s has %d values, expected 1 or one for each of %d channels", b->path,
                       options[option].name, length, channels);
    }
    return HD_OK;
}

static hd_status shape(hd_build *b)
{
    int channels = hd_shape_last(&b->in[0]);
    b->out = b->in[0];
    hd_status status = check_list(b, SCALE, channels);
    return status ? status : check_list(b, OFFSET, channels);
}

static real value_of(const hd_values *opt, int option, int channel, real none)
{
    int length = (int)opt->number[option];
    return length ? (real)opt->list[opt->start[option] + (length > 1 ? channel : 0)] : none;
}

typedef struct job {
    const hd_values *opt;
    const real *x;
    real *y;
    size_t rows, block;
    int channels;
    bool back, add;
} job;

/* Forward: y[c] = scale[c] x[from] + offset[c]; backward: dx[from] = scale[c] dy[c]. */
static void rows_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const size_t first = (size_t)task * j->block, last = first + j->block < j->rows ? first + j->block : j->rows;
    const bool reverse = j->opt->number[REVERSE] != 0;
    for (int c = 0; c < j->channels; c++) {
        const size_t other = (size_t)(reverse ? j->channels - 1 - c : c), step = (size_t)j->channels;
        const real scale = value_of(j->opt, SCALE, c, 1), offset = j->back ? 0 : value_of(j->opt, OFFSET, c, 0);
        const real *x = j->x + first * step + (j->back ? (size_t)c : other);
        real *y = j->y + first * step + (j->back ? other : (size_t)c);
        for (size_t r = first; r < last; r++, x += step, y += step) {
            real value = scale * *x + offset;
            *y = j->add ? *y + value : value;
        }
    }
}

static void run(const hd_run *r, const real *x, real *y, bool back, bool add)
{
    enum { BLOCK = 16384 }; /* elements in a task */
    int channels = hd_shape_last(&r->out);
    job j = { .opt = r->opt, .x = x, .y = y, .rows = (size_t)r->n * hd_shape_size(&r->out) / (size_t)channels,
              .block = channels < BLOCK ? (size_t)(BLOCK / channels) : 1, .channels = channels, .back = back, .add = add };
    hd_pool_run(r->pool, (int)((j.rows + j.block - 1) / j.block), rows_task, &j);
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
    { 1, { { 3, { 2, 3, 3 } } }, 9, { 3, 0.5, -2, 3, 3, 1, 2, -1, 1 } },
    { 1, { { 2, { 4, 2 } } }, 4, { 1, 0.25, 1, -0.5 } },
    { 1, { { 1, { 5 } } }, 3, { 0, 0, 1 } },
    { 0 },
};

const hd_layer_class hd_layer_rescaling = {
    .name = "rescaling",
    .doc = "scale * x + offset for each channel (last axis): normalises pictures, and travels in the model's file",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT,
    .out_layout = HD_ANY_LAYOUT,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
