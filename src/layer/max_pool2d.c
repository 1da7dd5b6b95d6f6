/* Max pooling, as in Keras. The padding counts as -infinity. */
#include "kern/pool2d.h"
#include "layer/window.h"

#include <string.h>

enum { POOL_SIZE, STRIDES };

static const hd_option options[] = {
    { .name = "poolSize", .type = HD_INTS, .min = 1, .max = 1024,
      .doc = "window, rows and columns; none given: 2 and 2" },
    HD_PADDING_OPTIONS,
    { 0 },
};

static hd_status shape(hd_build *b)
{
    hd_window v;
    hd_status status = hd_window_read(b, (hd_window_options){ POOL_SIZE, STRIDES, -1, true }, &v);
    if (status) {
        return status;
    }
    hd_pool2d s = { v.h, v.w, v.c, v.oh, v.ow, v.kh, v.kw, v.sh, v.sw, v.top, v.left };
    memcpy(b->state, &s, sizeof s);
    b->out = HD_SHAPE(v.oh, v.ow, v.c);
    b->saved = hd_shape_size(&b->out);
    return HD_OK;
}

/* saved: where each maximum was found. The activation follows on the maxima, which are fewer. */
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
    { 1, { { 3, { 4, 5, 3 } } }, 0, { 0 } },
    { 1, { { 3, { 5, 4, 2 } } }, 6, { 1, 3, 1, 2, HD_PADDING_SAME, 0 } },
    { 1, { { 3, { 4, 3, 5 } } }, 9, { 2, 2, 3, 2, 1, 2, HD_PADDING_EXPLICIT, 1, 1 } },
    { 1, { { 3, { 3, 4, 4 } } }, 10, { 1, 2, 1, 3, HD_PADDING_EXPLICIT, 4, 1, 0, 0, 1 } },
    { 0 },
};

const hd_layer_class hd_layer_max_pool2d = {
    .name = "maxPool2d",
    .doc = "maximum over windows of an image [H, W, C]: of several the first, in reading order, takes the gradient; "
           "padding is never a maximum; NaN if there is one",
    .options = options,
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
