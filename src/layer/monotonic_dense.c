/* Fully connected layer with positive weights, as in the constrained layers of monotonic quality networks: an increasing
 * function of each input, weakly so in float32 too. */
#include "kern/elementwise.h"
#include "kern/gemm.h"
#include "kern/monotone.h"
#include "kern/positive.h"
#include "layer/activate.h"

enum { UNITS, ACTIVATION, ALPHA, USE_BIAS, PARAMETRIZATION, MINIMUM, GAIN, SPREAD };
enum { KERNEL, BIAS };
enum { MIXED = HD_SOFTMAX, MAX_WIDTH = HD_MONOTONE_MOST }; /* softmax is no function of each element: its place is taken */

/* hd_activation's, each of which increases. */
static const char *const activations[] = { "linear", "sigmoid", "tanh", "relu", "leakyRelu", "elu", "softplus", "relu6", "mixed", NULL };

static const hd_option options[] = {
    { .name = "units", .type = HD_INT, .min = 1, .max = MAX_WIDTH, .required = true, .doc = "outputs on the last axis" },
    { .name = "activation", .type = HD_ENUM, .names = activations,
      .doc = "applied to each element; mixed: elu for units 0, 2, ..., mirrored, -elu(-x), for units 1, 3, ...: sums of both "
             "can be S-shaped, where elu alone makes convex functions only" },
    { .name = "alpha", .type = HD_NUMBER, .min = 0, .max = 1000,
      .doc = "slope of leakyRelu below zero, or factor of elu and mixed; 0: their defaults, 0.3 and 1" },
    { .name = "useBias", .type = HD_BOOL, .def = 1, .doc = "adds a bias, of any sign, to each unit" },
    { .name = "parametrization", .type = HD_ENUM, .names = hd_positive_names,
      .doc = "positive weights from the kernel v: log(1 + exp(v)), exp(v), v^2 or |v|, plus minimum; or v itself, set to "
             "minimum after each step where it is smaller" },
    { .name = "minimum", .type = HD_NUMBER, .min = 0, .max = 1, .def = 1e-6, .doc = "floor of the weights" },
    { .name = "gain", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = 1, .open_min = true,
      .doc = "mean sum of a unit's initial weights; not for abs, which begins as published: uniform, |v| <= 1 / sqrt(inputs)" },
    { .name = "biasSpread", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = 0.5,
      .doc = "initial biases are equally spaced from minus this to this: so are the kinks of the units' curves" },
    { 0 },
};

/* Of both halves of a mixed layer. */
static hd_activation base_activation(const hd_values *opt)
{
    return opt->number[ACTIVATION] == MIXED ? HD_ELU : (hd_activation)opt->number[ACTIVATION];
}

static hd_activation output_activation(const hd_values *opt)
{
    return opt->number[ACTIVATION] == MIXED ? HD_LINEAR : (hd_activation)opt->number[ACTIVATION];
}

static real output_alpha(const hd_values *opt)
{
    double alpha = opt->number[ALPHA];
    return alpha != 0 ? (real)alpha : hd_activation_alpha(base_activation(opt));
}

static hd_status add_kernel(hd_build *b, int units, int in)
{
    const double *opt = b->opt->number;
    hd_status status = hd_build_weight(b, "kernel", (hd_shape){ 2, { units, in } }, "positive", in, units);
    if (!status && opt[PARAMETRIZATION] == HD_POSITIVE_ABS) { /* Kaiming uniform, a = sqrt(5): gain 1 / sqrt(3) */
        status = hd_build_attach(b, "lecun", (double[]){ 0, 0.57735026918962573 }, 2);
    } else if (!status) {
        status = hd_build_attach(b, "positive", (double[]){ opt[PARAMETRIZATION], opt[MINIMUM], opt[GAIN] }, 3);
    }
    if (!status && opt[PARAMETRIZATION] == HD_POSITIVE_PROJECTION) {
        status = hd_build_attach(b, "range", (double[]){ opt[MINIMUM], 1e30 }, 2);
    }
    return status;
}

static hd_status shape(hd_build *b)
{
    const double *opt = b->opt->number;
    int units = (int)opt[UNITS], in = b->in[0].rank ? hd_shape_last(&b->in[0]) : 0;
    if (in < 1 || in > MAX_WIDTH) {
        char text[96];
        hd_shape_text(&b->in[0], text, sizeof text);
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: the input is %s, expected a last axis of 1..%d elements", b->path, text, MAX_WIDTH);
    }
    b->out = b->in[0];
    b->out.dim[b->out.rank - 1] = units;
    b->prepared = (size_t)units * (size_t)in;
    hd_status status = opt[ACTIVATION] == MIXED ? HD_OK : hd_activator_check(b, ACTIVATION);
    if (!status) {
        status = add_kernel(b, units, in);
    }
    if (!status && opt[USE_BIAS]) {
        status = hd_build_weight(b, "bias", (hd_shape){ 1, { units } }, "spread", in, units);
        status = status ? status : hd_build_attach(b, "spread", &opt[SPREAD], 1);
    }
    return status;
}

static void prepare(const hd_run *r)
{
    size_t size = (size_t)hd_shape_last(&r->out) * (size_t)hd_shape_last(&r->in[0]);
    hd_positive_forward(r->pool, (hd_positive)r->opt->number[PARAMETRIZATION], (real)r->opt->number[MINIMUM], size, r->w[KERNEL],
                        r->prepared);
}

static hd_monotone job_of(const hd_run *r)
{
    hd_monotone j = { .act = r->logits ? HD_LINEAR : base_activation(r->opt), .alpha = output_alpha(r->opt),
                      .mixed = r->opt->number[ACTIVATION] == MIXED, .in = (size_t)hd_shape_last(&r->in[0]),
                      .units = (size_t)hd_shape_last(&r->out), .x = r->x[0], .w = r->prepared,
                      .bias = r->opt->number[USE_BIAS] ? r->w[BIAS] : NULL };
    j.rows = (size_t)r->n * (hd_shape_size(&r->out) / j.units);
    return j;
}

static void forward(const hd_run *r)
{
    const hd_monotone j = job_of(r);
    hd_monotone_forward(r->pool, &j, r->y);
}

/* With D the gradient of X W^T + b: dW = D^T X, dv = dW dW/dv, db = column sums of D, dX = D W. */
static void backward(const hd_run *r)
{
    const hd_monotone j = job_of(r);
    const int rows = (int)j.rows, units = (int)j.units, in = (int)j.in;
    if (j.mixed) {
        hd_monotone_mixed_back(r->pool, &j, r->y, r->dy);
    } else {
        hd_activator_back(r, (hd_activator){ j.act, j.alpha }, j.rows, j.units);
    }
    if (r->dw[KERNEL]) {
        hd_gemm(r->pool, true, false, units, in, rows, 1, r->dy, units, r->x[0], in, 0, r->dw[KERNEL], in);
        hd_positive_backward(r->pool, (hd_positive)r->opt->number[PARAMETRIZATION], (real)r->opt->number[MINIMUM],
                             j.units * j.in, r->w[KERNEL], r->dw[KERNEL]);
    }
    if (r->opt->number[USE_BIAS] && r->dw[BIAS]) {
        hd_sum_rows(r->pool, 1, j.rows, j.units, r->dy, r->dw[BIAS], false);
    }
    if (r->dx[0]) {
        hd_gemm(r->pool, false, false, rows, in, units, 1, r->dy, units, r->prepared, in, r->add[0], r->dx[0], in);
    }
}

static const hd_example examples[] = {
    { 1, { { 1, { 5 } } }, 1, { 3 } },
    { 1, { { 1, { 1 } } }, 6, { 7, MIXED, 0, 1, HD_POSITIVE_EXP, 0 } },
    { 1, { { 2, { 3, 4 } } }, 4, { 6, MIXED, 0.5, 0 } },
    { 1, { { 1, { 6 } } }, 5, { 1, HD_ELU, 0, 1, HD_POSITIVE_SQUARE } },
    { 1, { { 3, { 2, 2, 5 } } }, 6, { 11, HD_TANH, 0, 0, HD_POSITIVE_ABS, 0 } },
    { 1, { { 1, { 9 } } }, 8, { 5, HD_ELU, 0.7, 1, HD_POSITIVE_PROJECTION, 1e-3, 2, 1 } },
    { 1, { { 1, { 2 } } }, 2, { 1, HD_SIGMOID } },
    { 0 },
};

const hd_layer_class hd_layer_monotonic_dense = {
    .name = "monotonicDense",
    .doc = "activation(W x + b) on the last axis with W > 0, an increasing function of each input: [.., in] to [.., units]; "
           "weights kernel [units, in], from which W is made, and bias [units]",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT, /* the last axis is contiguous in both */
    .out_layout = HD_ANY_LAYOUT,
    .flags = HD_NEEDS_X | HD_NEEDS_Y,
    .output_activation = output_activation,
    .output_alpha = output_alpha,
    .shape = shape,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
