/* Fully connected layer on the last axis, as in Keras. */
#include "kern/elementwise.h"
#include "kern/gemm.h"
#include "layer/activate.h"

enum { UNITS, ACTIVATION, ALPHA, USE_BIAS };
enum { KERNEL, BIAS };

static const hd_option options[] = {
    { .name = "units", .type = HD_INT, .min = 1, .max = 65536, .required = true, .doc = "outputs on the last axis" },
    HD_ACTIVATION_OPTIONS(HD_LINEAR),
    { .name = "useBias", .type = HD_BOOL, .def = 1, .doc = "adds a bias to each unit" },
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
    int units = (int)b->opt->number[UNITS], in = hd_shape_last(&b->in[0]);
    if (b->in[0].rank == 0) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: expected at least one axis, got a scalar", b->path);
    }
    b->out = b->in[0];
    b->out.dim[b->out.rank - 1] = units;
    hd_status status = hd_activator_check(b, ACTIVATION);
    if (!status) {
        status = hd_build_weight(b, "kernel", (hd_shape){ 2, { units, in } }, "glorot", in, units);
    }
    if (!status && b->opt->number[USE_BIAS]) {
        status = hd_build_weight(b, "bias", (hd_shape){ 1, { units } }, "zeros", in, units);
    }
    return status;
}

/* Rows of the last axis in a batch. */
static int rows_of(const hd_run *r)
{
    return (int)((size_t)r->n * (hd_shape_size(&r->out) / (size_t)hd_shape_last(&r->out)));
}

/* Y = act(X W^T + b). X: (rows, in), W: (units, in), Y: (rows, units). */
static void forward(const hd_run *r)
{
    int rows = rows_of(r), units = hd_shape_last(&r->out), in = hd_shape_last(&r->in[0]);
    hd_activator a = hd_activator_of(r, ACTIVATION);
    hd_gemm(r->pool, false, true, rows, units, in, 1, r->x[0], in, r->w[KERNEL], in, 0, r->y, units);
    hd_bias_activate(r->pool, a.kind, a.alpha, r->y, r->opt->number[USE_BIAS] ? r->w[BIAS] : NULL, 1, (size_t)rows,
                     (size_t)units);
}

/* With D the gradient of X W^T + b: dW = D^T X, db = column sums of D, dX = D W. */
static void backward(const hd_run *r)
{
    int rows = rows_of(r), units = hd_shape_last(&r->out), in = hd_shape_last(&r->in[0]);
    hd_activator_back(r, hd_activator_of(r, ACTIVATION), (size_t)rows, (size_t)units);
    if (r->dw[KERNEL]) {
        hd_gemm(r->pool, true, false, units, in, rows, 1, r->dy, units, r->x[0], in, 0, r->dw[KERNEL], in);
    }
    if (r->opt->number[USE_BIAS] && r->dw[BIAS]) {
        hd_sum_rows(r->pool, 1, (size_t)rows, (size_t)units, r->dy, r->dw[BIAS], false);
    }
    if (r->dx[0]) {
        hd_gemm(r->pool, false, false, rows, in, units, 1, r->dy, units, r->w[KERNEL], in, r->add[0], r->dx[0], in);
    }
}

static const hd_example examples[] = {
    { 1, { { 1, { 5 } } }, 1, { 3 } },
    { 1, { { 2, { 3, 4 } } }, 2, { 5, HD_TANH } },
    { 1, { { 1, { 7 } } }, 4, { 4, HD_SOFTMAX, 0, 0 } },
    { 1, { { 3, { 2, 3, 4 } } }, 3, { 3, HD_ELU, 0.5 } },
    { 0 },
};

const hd_layer_class hd_layer_dense = {
    .name = "dense",
    .doc = "activation(W x + b) on the last axis: [.., in] to [.., units]; weights kernel [units, in], bias [units]",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT, /* the last axis is contiguous in both */
    .out_layout = HD_ANY_LAYOUT,
    .flags = HD_NEEDS_X | HD_NEEDS_Y,
    .output_activation = output_activation,
    .output_alpha = output_alpha,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
