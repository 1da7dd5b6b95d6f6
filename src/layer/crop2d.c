/* Cuts the border off images. */
#include "kern/elementwise.h"
#include "kern/image2d.h"
#include "layer/sides.h"

#include <string.h>

enum { CROPPING };

static const hd_option options[] = {
    { .name = "cropping", .type = HD_INTS, .min = 0, .max = 65536, .required = true,
      .doc = "pixels to cut off: on all sides, or rows and columns, or top, bottom, left, right" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    hd_sides s;
    hd_status status = hd_sides_read(b, CROPPING, "cropping", &s);
    if (status) {
        return status;
    }
    const int *in = b->in[0].dim;
    if (s.top + s.bottom >= in[0] || s.left + s.right >= in[1]) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: cropping of %d rows and %d columns, expected less than the image's %d x %d",
                       b->path, s.top + s.bottom, s.left + s.right, in[0], in[1]);
    }
    b->out = HD_SHAPE(in[0] - s.top - s.bottom, in[1] - s.left - s.right, in[2]);
    memcpy(b->state, &s, sizeof s);
    return HD_OK;
}

static void forward(const hd_run *r)
{
    const hd_sides *s = r->state;
    const int *in = r->in[0].dim, *out = r->out.dim;
    const hd_rectangle kept = { out[0], out[1], out[2], in[0], in[1], s->top, s->left, out[0], out[1], 0, 0 };
    hd_copy_rectangle(r->pool, &kept, r->n, r->x[0], r->y, false);
}

static void backward(const hd_run *r)
{
    const hd_sides *s = r->state;
    const int *in = r->in[0].dim, *out = r->out.dim;
    const hd_rectangle kept = { out[0], out[1], out[2], out[0], out[1], 0, 0, in[0], in[1], s->top, s->left };
    if (!r->dx[0]) {
        return;
    }
    if (!r->add[0]) {
        hd_fill(r->pool, (size_t)r->n * hd_shape_size(&r->in[0]), 0, r->dx[0]);
    }
    hd_copy_rectangle(r->pool, &kept, r->n, r->dy, r->dx[0], r->add[0]);
}

static const hd_example examples[] = {
    { 1, { { 3, { 4, 3, 2 } } }, 2, { 1, 1 } },
    { 1, { { 3, { 4, 5, 1 } } }, 5, { 4, 1, 0, 2, 1 } },
    { 0 },
};

const hd_layer_class hd_layer_crop2d = {
    .name = "crop2d",
    .doc = "cuts the border off images [H, W, C]",
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
