/* Average pooling. Rows and columns that fill no window are dropped, as in Keras and PyTorch. */
#include "kern/pool2d.h"
#include "layer/window.h"

#include <string.h>

enum { POOL_SIZE, STRIDES, PADDING, PADS, COUNT_INCLUDE_PAD };

static const hd_option options[] = {
    { .name = "poolSize", .type = HD_INTS, .min = 1, .max = 1024,
      .doc = "window, rows and columns; none given: 2 and 2" },
    HD_PADDING_OPTIONS,
    { .name = "countIncludePad", .type = HD_BOOL,
      .doc = "divides by the window's size at the border too, as PyTorch does; else by the number of elements of the "
             "image in the window, as Keras does" },
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
    return HD_OK;
}

static void forward(const hd_run *r)
{
    hd_average_pool2d(r->pool, r->state, r->n, r->opt->number[COUNT_INCLUDE_PAD] != 0, r->x[0], r->y);
}

static void backward(const hd_run *r)
{
    if (r->dx[0]) {
        hd_average_pool2d_back(r->pool, r->state, r->n, r->opt->number[COUNT_INCLUDE_PAD] != 0, r->dy, r->dx[0],
                               r->add[0]);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 5, 4, 3 } } }, 0, { 0 } },
    { 1, { { 3, { 5, 5, 2 } } }, 6, { 1, 3, 1, 2, HD_PADDING_SAME, 0 } },
    { 1, { { 3, { 4, 3, 5 } } }, 10, { 2, 2, 3, 2, 1, 2, HD_PADDING_EXPLICIT, 1, 1, 1 } },
    { 0 },
};

const hd_layer_class hd_layer_avg_pool2d = {
    .name = "avgPool2d",
    .doc = "mean over windows of an image [H, W, C]",
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
