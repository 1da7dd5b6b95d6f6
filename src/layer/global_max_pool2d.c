/* Max pooling whose window is the whole image. */
#include "kern/pool2d.h"
#include "layer/window.h"

#include <string.h>

/* Positions are kept as real numbers, which are exact up to 2^24. */
enum { MAX_POSITIONS = 1 << 24 };

static hd_status shape(hd_build *b)
{
    hd_status status = hd_image_check(b);
    if (status) {
        return status;
    }
    int h = b->in[0].dim[0], w = b->in[0].dim[1], c = b->in[0].dim[2];
    if ((double)h * w > MAX_POSITIONS) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: the image is %d x %d, expected at most 2^24 positions", b->path, h, w);
    }
    hd_pool2d s = { .h = h, .w = w, .c = c, .oh = 1, .ow = 1, .kh = h, .kw = w, .sh = 1, .sw = 1 };
    memcpy(b->state, &s, sizeof s);
    b->out = HD_SHAPE(c);
    b->saved = (size_t)c;
    return HD_OK;
}

static void forward(const hd_run *r)
{
    hd_max_pool2d(r->pool, r->state, r->n, r->x[0], r->y, r->saved);
    if (r->after != HD_LINEAR) {
        hd_activate(r->pool, r->after, r->after_alpha, r->y, r->y, (size_t)r->n * hd_shape_size(&r->out), 1);
    }
}

static void backward(const hd_run *r)
{
    if (!r->dx[0]) {
        return;
    }
    if (r->after != HD_LINEAR) {
        hd_activate_back(r->pool, r->after, r->after_alpha, r->y, r->dy, r->dy,
                         (size_t)r->n * hd_shape_size(&r->out), 1, false);
    }
    hd_max_pool2d_back(r->pool, r->state, r->n, r->dy, r->saved, r->dx[0], r->add[0]);
}

static const hd_example examples[] = {
    { 1, { { 3, { 3, 4, 5 } } }, 0, { 0 } },
    { 1, { { 3, { 6, 1, 8 } } }, 0, { 0 } },
    { 0 },
};

const hd_layer_class hd_layer_global_max_pool2d = {
    .name = "globalMaxPool2d",
    .doc = "maximum of each channel of an image: [H, W, C] to [C]; as maxPool2d with one window",
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .flags = HD_NEEDS_Y | HD_TAKES_ACTIVATION,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
