/* Average pooling whose window is the whole image. */
#include "kern/pool2d.h"
#include "layer/window.h"

#include <string.h>

static hd_status shape(hd_build *b)
{
    hd_status status = hd_image_check(b);
    if (!status) {
        int h = b->in[0].dim[0], w = b->in[0].dim[1], c = b->in[0].dim[2];
        hd_pool2d s = { .h = h, .w = w, .c = c, .oh = 1, .ow = 1, .kh = h, .kw = w, .sh = 1, .sw = 1 };
        memcpy(b->state, &s, sizeof s);
        b->out = HD_SHAPE(c);
    }
    return status;
}

static void forward(const hd_run *r)
{
    hd_average_pool2d(r->pool, r->state, r->n, false, r->x[0], r->y);
}

static void backward(const hd_run *r)
{
    if (r->dx[0]) {
        hd_average_pool2d_back(r->pool, r->state, r->n, false, r->dy, r->dx[0], r->add[0]);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 3, 4, 5 } } }, 0, { 0 } },
    { 1, { { 3, { 1, 7, 4 } } }, 0, { 0 } },
    { 0 },
};

const hd_layer_class hd_layer_global_average_pool2d = {
    .name = "globalAveragePool2d",
    .doc = "mean of each channel of an image: [H, W, C] to [C]",
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
