/* An activation function as a layer of its own. */
#include "kern/elementwise.h"
#include "layer/activate.h"

enum { ACTIVATION, ALPHA };

static const hd_option options[] = {
    { .name = "activation", .type = HD_ENUM, .required = true, .names = hd_activation_names,
      .doc = "applied to each element; softmax over the last axis" },
    HD_ALPHA_OPTION,
    { 0 },
};

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
    b->out = b->in[0];
    return hd_activator_check(b, ACTIVATION);
}

static void forward(const hd_run *r)
{
    size_t size = (size_t)r->n * hd_shape_size(&r->out), row = (size_t)hd_shape_last(&r->out);
    hd_activator a = hd_activator_of(r, ACTIVATION);
    if (a.kind == HD_LINEAR) {
        hd_copy(r->pool, size, r->x[0], r->y);
    } else {
        hd_activate(r->pool, a.kind, a.alpha, r->x[0], r->y, size / row, row);
    }
}

static void backward(const hd_run *r)
{
    size_t size = (size_t)r->n * hd_shape_size(&r->out), row = (size_t)hd_shape_last(&r->out);
    hd_activator a = hd_activator_of(r, ACTIVATION);
    if (r->dx[0]) {
        hd_activate_back(r->pool, a.kind, a.alpha, r->y, r->dy, r->dx[0], size / row, row, r->add[0]);
    }
}

static const hd_example examples[] = {
    { 1, { { 1, { 6 } } }, 1, { HD_SOFTPLUS } },
    { 1, { { 2, { 3, 4 } } }, 1, { HD_SOFTMAX } },
    { 1, { { 2, { 4, 3 } } }, 2, { HD_LEAKY_RELU, 0.1 } },
    { 1, { { 1, { 6 } } }, 1, { HD_RELU6 } },
    { 1, { { 3, { 2, 3, 4 } } }, 1, { HD_SOFTMAX } },
    { 1, { { 1, { 6 } } }, 1, { HD_LINEAR } },
    { 0 },
};

const hd_layer_class hd_layer_activation = {
    .name = "activation",
    .doc = "an activation function as a layer of its own",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
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
