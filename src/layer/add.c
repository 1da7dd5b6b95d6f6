/* Sum of tensors of the same shape. */
#include "kern/elementwise.h"
#include "layer/layer.h"

static hd_status shape(hd_build *b)
{
    for (int i = 1; i < b->n_in; i++) {
        if (!hd_shape_equal(&b->in[i], &b->in[0])) {
            char got[96], want[96];
            hd_shape_text(&b->in[i], got, sizeof got);
            hd_shape_text(&b->in[0], want, sizeof want);
            return hd_fail(b->c, HD_ERR_SHAPE, "%s: input %d is %s, expected %s like input 0", b->path, i, got, want);
        }
    }
    b->out = b->in[0];
    return HD_OK;
}

static void forward(const hd_run *r)
{
    size_t size = (size_t)r->n * hd_shape_size(&r->out);
    hd_add(r->pool, size, r->x[0], r->x[1], r->y);
    for (int i = 2; i < r->n_in; i++) {
        hd_add(r->pool, size, r->y, r->x[i], r->y);
    }
}

static void backward(const hd_run *r)
{
    size_t size = (size_t)r->n * hd_shape_size(&r->out);
    for (int i = 0; i < r->n_in; i++) {
        if (r->dx[i] && r->add[i]) {
            hd_add(r->pool, size, r->dx[i], r->dy, r->dx[i]);
        } else if (r->dx[i]) {
            hd_copy(r->pool, size, r->dy, r->dx[i]);
        }
    }
}

static const hd_example examples[] = {
    { 2, { { 1, { 5 } }, { 1, { 5 } } }, 0, { 0 } },
    { 3, { { 2, { 2, 3 } }, { 2, { 2, 3 } }, { 2, { 2, 3 } } }, 0, { 0 } },
    { 0 },
};

const hd_layer_class hd_layer_add = {
    .name = "add",
    .doc = "sum of inputs of the same shape",
    .min_inputs = 2,
    .max_inputs = HD_MAX_INPUTS,
    .layout = HD_ANY_LAYOUT,
    .out_layout = HD_ANY_LAYOUT,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
