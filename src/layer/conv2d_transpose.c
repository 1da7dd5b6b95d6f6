/* Transposed convolution: the adjoint of conv2d, as Conv2DTranspose in Keras and ConvTranspose2d in PyTorch. Its forward
 * is conv2d's input gradient, its input gradient conv2d's forward. */
#include "kern/conv.h"
#include "kern/elementwise.h"
#include "layer/activate.h"
#include "layer/window.h"

#include <string.h>

enum { FILTERS, KERNEL_SIZE, STRIDES, PADDING, PADS, OUTPUT_PADDING, DILATION, GROUPS, ACTIVATION, ALPHA, USE_BIAS };
enum { KERNEL, BIAS };

static const hd_option options[] = {
    { .name = "filters", .type = HD_INT, .min = 1, .max = 65536, .required = true, .doc = "channels of the output" },
    { .name = "kernelSize", .type = HD_INTS, .min = 1, .max = 1024, .required = true, .doc = "rows and columns of the kernel" },
    HD_PADDING_OPTIONS,
    { .name = "outputPadding", .type = HD_INTS, .min = 0, .max = 1023,
      .doc = "rows and columns more at the bottom and right of the output, fewer than strides; not with padding same" },
    { .name = "dilation", .type = HD_INTS, .min = 1, .max = 1024, .doc = "distance of the kernel's taps, rows and columns" },
    { .name = "groups", .type = HD_INT, .min = 1, .max = 65536, .def = 1,
      .doc = "channels and filters are cut into so many groups, each convolved on its own" },
    HD_ACTIVATION_OPTIONS(HD_LINEAR),
    { .name = "useBias", .type = HD_BOOL, .def = 1, .doc = "adds a bias to each filter" },
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

/* Weights kernel (k, kh, kw, c / groups) of the convolution whose adjoint this is, k its outputs: the layer's inputs. */
static hd_status add_weights(hd_build *b, const hd_conv_shape *s)
{
    const hd_shape kernel = HD_SHAPE(s->k, s->kh, s->kw, s->c / s->groups);
    const bool fits = hd_shape_size(&kernel) > 0; /* else refused there */
    const int fan_in = fits ? s->kh * s->kw * (s->c / s->groups) : 1, fan_out = fits ? s->kh * s->kw * (s->k / s->groups) : 1;
    hd_status status = hd_build_weight(b, "kernel", kernel, "glorot", fan_in, fan_out);
    if (!status && b->opt->number[USE_BIAS]) {
        status = hd_build_weight(b, "bias", HD_SHAPE(s->c), "zeros", fan_in, fan_out);
    }
    return status;
}

static hd_status shape(hd_build *b)
{
    hd_window v;
    hd_status status = hd_window_read_adjoint(b, (hd_window_options){ KERNEL_SIZE, STRIDES, DILATION, false }, OUTPUT_PADDING, &v);
    if (status) {
        return status;
    }
    const hd_conv_shape s = { .h = v.h, .w = v.w, .c = (int)b->opt->number[FILTERS], .oh = v.oh, .ow = v.ow, .k = v.c,
                              .kh = v.kh, .kw = v.kw, .sh = v.sh, .sw = v.sw, .dh = v.dh, .dw = v.dw, .top = v.top,
                              .left = v.left, .groups = (int)b->opt->number[GROUPS] };
    if (s.c % s.groups || s.k % s.groups) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: groups = %d, expected a divisor of %d channels and %d filters", b->path,
                       s.groups, s.k, s.c);
    }
    status = hd_activator_check(b, ACTIVATION);
    if (!status) {
        status = add_weights(b, &s);
    }
    if (status) {
        return status;
    }
    hd_conv conv;
    hd_conv_plan(&s, &conv);
    memcpy(b->state, &conv, sizeof conv);
    b->out = HD_SHAPE(s.h, s.w, s.c);
    /* Backward: the prepared weights, what the kernels need, and the gradient of one image where it is to be added. */
    b->scratch_fixed = conv.prepared + conv.scratch + hd_shape_size(&b->in[0]);
    return HD_OK;
}

static size_t pixels_of(const hd_run *r)
{
    return (size_t)r->n * (size_t)r->out.dim[0] * (size_t)r->out.dim[1];
}

static void forward(const hd_run *r)
{
    const hd_activator a = hd_activator_of(r, ACTIVATION);
    const real *bias = r->opt->number[USE_BIAS] ? r->w[BIAS] : NULL;
    hd_conv_back_data(r->pool, r->state, r->n, r->x[0], r->w[KERNEL], r->y, false, r->scratch);
    hd_bias_activate(r->pool, a.kind, a.alpha, r->y, bias, 1, pixels_of(r), (size_t)r->out.dim[2]);
}

/* dX = convolution of dY. */
static void back_data(const hd_run *r)
{
    const hd_conv *v = r->state;
    const hd_epilogue plain = { .act = HD_LINEAR };
    const size_t in = hd_shape_size(&r->in[0]), out = hd_shape_size(&r->out);
    real *prepared = r->scratch, *scratch = prepared + v->prepared, *one = scratch + v->scratch;
    hd_conv_prepare(r->pool, v, r->w[KERNEL], prepared);
    if (!r->add[0]) {
        hd_conv_forward(r->pool, v, r->n, r->dy, r->w[KERNEL], prepared, &plain, r->dx[0], scratch);
        return;
    }
    for (size_t i = 0; i < (size_t)r->n; i++) {
        hd_conv_forward(r->pool, v, 1, r->dy + i * out, r->w[KERNEL], prepared, &plain, one, scratch);
        hd_axpy(r->pool, in, 1, one, r->dx[0] + i * in);
    }
}

static void backward(const hd_run *r)
{
    const size_t k = (size_t)r->out.dim[2];
    hd_activator_back(r, hd_activator_of(r, ACTIVATION), pixels_of(r), k);
    if (r->opt->number[USE_BIAS] && r->dw[BIAS]) {
        hd_sum_rows(r->pool, 1, pixels_of(r), k, r->dy, r->dw[BIAS], false);
    }
    if (r->dw[KERNEL]) {
        hd_conv_back_weights(r->pool, r->state, r->n, r->dy, r->x[0], r->dw[KERNEL], r->scratch);
    }
    if (r->dx[0]) {
        back_data(r);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 3, 4, 3 } } }, 3, { 4, 1, 3 } },
    { 1, { { 3, { 3, 2, 4 } } }, 12, { 3, 2, 3, 4, 2, 2, 2, HD_PADDING_SAME, 0, 0, 0, 1, HD_TANH } },
    { 1, { { 3, { 3, 4, 2 } } }, 16, { 6, 1, 3, 1, 2, HD_PADDING_EXPLICIT, 1, 1, 2, 1, 0, 0, 2, HD_ELU, 0.5, 0 } },
    { 1, { { 3, { 2, 3, 3 } } }, 13, { 3, 1, 2, 1, 3, HD_PADDING_VALID, 0, 0, 1, 2, 1, HD_SOFTMAX, 0 } },
    { 0 },
};

const hd_layer_class hd_layer_conv2d_transpose = {
    .name = "conv2dTranspose",
    .doc = "activation(adjoint of conv2d + bias): image [H, W, C] to [H', W', filters], H' = H stride with padding same, "
           "else (H - 1) stride + dilation (rows - 1) + 1 - pads + outputPadding; weights kernel [C, rows, columns, "
           "filters / groups], bias [filters]",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .flags = HD_NEEDS_X | HD_NEEDS_Y,
    .output_activation = output_activation,
    .output_alpha = output_alpha,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
