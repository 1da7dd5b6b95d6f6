/* Sum of tensors of the same shape, with an activation on it as residual networks have it (He et al. 2016). */
#include "kern/elementwise.h"
#include "layer/activate.h"

enum { ACTIVATION, ALPHA };

static const hd_option options[] = { HD_ACTIVATION_OPTIONS(HD_LINEAR), { 0 } };

static hd_activation output_activation(const hd_values *opt)
{
    return (hd_activation)opt->number[ACTIVATION];
}

static real output_alpha(const hd_values *opt)
{
    return hd_activator_alpha(opt, ACTIVATION);
}

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
    return hd_activator_check(b, ACTIVATION);
}

static void forward(const hd_run *r)
{
    size_t size = (size_t)r->n * hd_shape_size(&r->out), row = (size_t)hd_shape_last(&r->out);
    hd_activator a = hd_activator_of(r, ACTIVATION);
    const real *sum = r->x[0];
    for (int i = 1; i < r->n_in - 1; i++) {
        hd_add(r->pool, size, sum, r->x[i], r->y);
        sum = r->y;
    }
    hd_add_activate(r->pool, a.kind, a.alpha, sum, r->x[r->n_in - 1], r->y, size / row, row);
}

static void backward(const hd_run *r)
{
    size_t size = (size_t)r->n * hd_shape_size(&r->out), row = (size_t)hd_shape_last(&r->out);
    hd_activator_back(r, hd_activator_of(r, ACTIVATION), size / row, row);
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
    { 2, { { 2, { 2, 3 } }, { 2, { 2, 3 } } }, 1, { HD_TANH } },
    { 3, { { 3, { 3, 2, 3 } }, { 3, { 3, 2, 3 } }, { 3, { 3, 2, 3 } } }, 2, { HD_ELU, 0.5 } },
    { 2, { { 3, { 2, 2, 5 } }, { 3, { 2, 2, 5 } } }, 1, { HD_SOFTMAX } },
    { 0 },
};

const hd_layer_class hd_layer_add = {
    .name = "add",
    .doc = "activation of the sum of inputs of the same shape",
    .options = options,
    .min_inputs = 2,
    .max_inputs = HD_MAX_INPUTS,
    .layout = HD_ANY_LAYOUT,
    .out_layout = HD_ANY_LAYOUT,
    .flags = HD_NEEDS_Y,
    .output_activation = output_activation,
    .output_alpha = output_alpha,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
