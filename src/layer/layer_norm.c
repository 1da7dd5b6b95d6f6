/* Layer normalisation over the last axis (Ba, Kiros & Hinton 2016), as in Keras. */
#include "kern/row_norm.h"
#include "layer/layer.h"

enum { EPSILON, CENTER, SCALE };

static const hd_option options[] = {
    { .name = "epsilon", .type = HD_NUMBER, .min = 0, .max = 1, .open_min = true, .def = 1e-3,
      .doc = "added to the variance; PyTorch's default is 1e-5" },
    { .name = "center", .type = HD_BOOL, .def = 1, .doc = "adds beta to each element of the last axis" },
    { .name = "scale", .type = HD_BOOL, .def = 1, .doc = "multiplies each element of the last axis by gamma" },
    { 0 },
};

/* Number of the weight, or -1. */
static int gamma_of(const hd_values *opt)
{
    return opt->number[SCALE] ? 0 : -1;
}

static int beta_of(const hd_values *opt)
{
    return opt->number[CENTER] ? gamma_of(opt) + 1 : -1;
}

static hd_status shape(hd_build *b)
{
    int c = hd_shape_last(&b->in[0]);
    if (b->in[0].rank == 0) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: expected at least one axis, got a scalar", b->path);
    }
    b->out = b->in[0];
    b->saved = 2 * (hd_shape_size(&b->out) / (size_t)c);
    b->scratch_fixed = hd_row_norm_scratch((size_t)c);
    hd_shape last = { 1, { c } };
    hd_status status = HD_OK;
    if (b->opt->number[SCALE]) {
        status = hd_build_weight(b, "gamma", last, "ones", c, c);
    }
    if (!status && b->opt->number[CENTER]) {
        status = hd_build_weight(b, "beta", last, "zeros", c, c);
    }
    return status;
}

/* saved: mean and 1 / sqrt(variance + epsilon) of each row. */
static void forward(const hd_run *r)
{
    size_t c = (size_t)hd_shape_last(&r->out), rows = (size_t)r->n * (hd_shape_size(&r->out) / c);
    int gamma = gamma_of(r->opt), beta = beta_of(r->opt);
    hd_row_norm(r->pool, rows, c, r->x[0], r->opt->number[EPSILON], gamma < 0 ? NULL : r->w[gamma],
                beta < 0 ? NULL : r->w[beta], r->y, r->saved);
}

static void backward(const hd_run *r)
{
    size_t c = (size_t)hd_shape_last(&r->out), rows = (size_t)r->n * (hd_shape_size(&r->out) / c);
    int gamma = gamma_of(r->opt), beta = beta_of(r->opt);
    real *d_gamma = gamma < 0 ? NULL : r->dw[gamma], *d_beta = beta < 0 ? NULL : r->dw[beta];
    if (d_gamma || d_beta) {
        hd_row_norm_sums(r->pool, rows, c, r->x[0], r->saved, r->dy, d_gamma, d_beta, r->scratch);
    }
    if (r->dx[0]) {
        hd_row_norm_back(r->pool, rows, c, r->x[0], r->saved, gamma < 0 ? NULL : r->w[gamma], r->dy, r->dx[0],
                         r->add[0]);
    }
}

static const hd_example examples[] = {
    { 1, { { 1, { 7 } } }, 0, { 0 } },
    { 1, { { 2, { 3, 5 } } }, 1, { 0.1 } },
    { 1, { { 3, { 2, 3, 4 } } }, 3, { 1e-3, 0, 1 } },
    { 1, { { 2, { 2, 18 } } }, 3, { 1e-5, 1, 0 } },
    { 0 },
};

const hd_layer_class hd_layer_layer_norm = {
    .name = "layerNorm",
    .doc = "gamma (x - mean) / sqrt(variance + epsilon) + beta with the mean and variance of each row of the last axis; "
           "weights gamma, beta",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT, /* the last axis is contiguous in both */
    .out_layout = HD_ANY_LAYOUT,
    .flags = HD_NEEDS_X,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
