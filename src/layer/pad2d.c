/* Adds a border to images. */
#include "kern/elementwise.h"
#include "kern/image2d.h"
#include "layer/sides.h"

#include <string.h>

enum { PADDING, VALUE };

static const hd_option options[] = {
    { .name = "padding", .type = HD_INTS, .min = 0, .max = 65536, .required = true,
      .doc = "pixels to add: on all sides, or rows and columns, or top, bottom, left, right" },
    { .name = "value", .type = HD_NUMBER, .min = -1e30, .max = 1e30, .doc = "of the pixels added" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    hd_sides s;
    hd_status status = hd_sides_read(b, PADDING, "padding", &s);
    if (!status) {
        const int *in = b->in[0].dim;
        b->out = HD_SHAPE(in[0] + s.top + s.bottom, in[1] + s.left + s.right, in[2]);
        memcpy(b->state, &s, sizeof s);
    }
    return status;
}

/* The image inside its border; x: without, y: with. */
static hd_rectangle inside(const hd_run *r)
{
    const hd_sides *s = r->state;
    const int *in = r->in[0].dim, *out = r->out.dim;
    return (hd_rectangle){ .h = in[0], .w = in[1], .c = in[2], .xh = in[0], .xw = in[1], .yh = out[0], .yw = out[1],
                           .yi = s->top, .yj = s->left };
}

static void forward(const hd_run *r)
{
    const hd_rectangle to = inside(r);
    hd_fill(r->pool, (size_t)r->n * hd_shape_size(&r->out), (real)r->opt->number[VALUE], r->y);
    hd_copy_rectangle(r->pool, &to, r->n, r->x[0], r->y, false);
}

static void backward(const hd_run *r)
{
    const hd_rectangle to = inside(r), from = { to.h, to.w, to.c, to.yh, to.yw, to.yi, to.yj, to.xh, to.xw, 0, 0 };
    if (r->dx[0]) {
        hd_copy_rectangle(r->pool, &from, r->n, r->dy, r->dx[0], r->add[0]);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 3, 2, 2 } } }, 2, { 1, 1 } },
    { 1, { { 3, { 2, 3, 1 } } }, 6, { 4, 1, 0, 2, 3, 0.5 } },
    { 0 },
};

const hd_layer_class hd_layer_pad2d = {
    .name = "pad2d",
    .doc = "adds a border of one value to images [H, W, C]",
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
