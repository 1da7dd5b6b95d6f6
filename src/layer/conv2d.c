/* Convolution of images, as in Keras and PyTorch (cross-correlation). */
#include "kern/conv.h"
#include "kern/elementwise.h"
#include "layer/activate.h"
#include "layer/window.h"

#include <string.h>

enum { FILTERS, KERNEL_SIZE, STRIDES, PADDING, PADS, DILATION, GROUPS, ACTIVATION, ALPHA, USE_BIAS };
enum { KERNEL, BIAS };

static const hd_option options[] = {
    { .name = "filters", .type = HD_INT, .min = 1, .max = 65536, .required = true, .doc = "channels of the output" },
    { .name = "kernelSize", .type = HD_INTS, .min = 1, .max = 1024, .required = true, .doc = "rows and columns of the kernel" },
    HD_PADDING_OPTIONS,
    { .name = "dilation", .type = HD_INTS, .min = 1, .max = 1024, .doc = "distance of the kernel's taps, rows and columns" },
    { .name = "groups", .type = HD_INT, .min = 1, .max = 65536, .def = 1,
      .doc = "channels and filters are cut into so many groups, each convolved on its own; as many as channels: depthwise" },
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

/* Weights kernel (k, kh, kw, c / groups) and bias (k), with Keras's fans. */
static hd_status add_weights(hd_build *b, const hd_conv_shape *s)
{
    const hd_shape kernel = HD_SHAPE(s->k, s->kh, s->kw, s->c / s->groups);
    const bool fits = hd_shape_size(&kernel) > 0; /* else refused there */
    const int fan_in = fits ? s->kh * s->kw * (s->c / s->groups) : 1, fan_out = fits ? s->kh * s->kw * (s->k / s->groups) : 1;
    hd_status status = hd_build_weight(b, "kernel", kernel, "glorot", fan_in, fan_out);
    if (!status && b->opt->number[USE_BIAS]) {
        status = hd_build_weight(b, "bias", HD_SHAPE(s->k), "zeros", fan_in, fan_out);
    }
    return status;
}

static hd_status shape(hd_build *b)
{
    hd_window v;
    hd_status status = hd_window_read(b, (hd_window_options){ KERNEL_SIZE, STRIDES, DILATION, false }, &v);
    if (status) {
        return status;
    }
    const hd_conv_shape s = { .h = v.h, .w = v.w, .c = v.c, .oh = v.oh, .ow = v.ow, .k = (int)b->opt->number[FILTERS],
                              .kh = v.kh, .kw = v.kw, .sh = v.sh, .sw = v.sw, .dh = v.dh, .dw = v.dw, .top = v.top,
                              .left = v.left, .groups = (int)b->opt->number[GROUPS] };
    if (s.c % s.groups || s.k % s.groups) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: groups = %d, expected a divisor of %d channels and %d filters", b->path,
                       s.groups, s.c, s.k);
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
    b->out = HD_SHAPE(s.oh, s.ow, s.k);
    b->prepared = conv.prepared;
    b->scratch_fixed = conv.scratch;
    return HD_OK;
}

static void prepare(const hd_run *r)
{
    hd_conv_prepare(r->pool, r->state, r->w[KERNEL], r->prepared);
}

static size_t pixels_of(const hd_run *r)
{
    return (size_t)r->n * (size_t)r->out.dim[0] * (size_t)r->out.dim[1];
}

static const real *bias_of(const hd_run *r)
{
    return r->opt->number[USE_BIAS] ? r->w[BIAS] : NULL;
}

static void run(const hd_run *r, hd_epilogue e)
{
    const bool softmax = e.act == HD_SOFTMAX;
    if (softmax) {
        e.act = HD_LINEAR;
    }
    hd_conv_forward(r->pool, r->state, r->n, r->x[0], r->w[KERNEL], r->prepared, &e, r->y, r->scratch);
    if (softmax) {
        hd_activate(r->pool, HD_SOFTMAX, 0, r->y, r->y, pixels_of(r), (size_t)r->out.dim[2]);
    }
}

/* y = act(conv(x) + bias); with a batch normalisation that follows, after(scale (conv(x) + bias) + shift). */
static void forward(const hd_run *r)
{
    const hd_activator a = hd_activator_of(r, ACTIVATION);
    const hd_epilogue own = { .shift = bias_of(r), .act = a.kind, .alpha = a.alpha };
    const hd_epilogue folded = { .scale = r->scale, .shift = r->shift, .act = r->after, .alpha = r->after_alpha };
    if (!r->scale) {
        run(r, own);
    } else if (!own.shift) {
        run(r, folded);
    } else {
        run(r, own);
        hd_epilogue_apply(r->pool, &folded, pixels_of(r), r->out.dim[2], r->y, r->y);
    }
}

static void backward(const hd_run *r)
{
    const size_t k = (size_t)r->out.dim[2];
    hd_activator_back(r, hd_activator_of(r, ACTIVATION), pixels_of(r), k);
    if (bias_of(r) && r->dw[BIAS]) {
        hd_sum_rows(r->pool, 1, pixels_of(r), k, r->dy, r->dw[BIAS], false);
    }
    if (r->dw[KERNEL]) {
        hd_conv_back_weights(r->pool, r->state, r->n, r->x[0], r->dy, r->dw[KERNEL], r->scratch);
    }
    if (r->dx[0]) {
        hd_conv_back_data(r->pool, r->state, r->n, r->dy, r->w[KERNEL], r->dx[0], r->add[0], r->scratch);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 5, 6, 3 } } }, 3, { 4, 1, 3 } },
    { 1, { { 3, { 5, 4, 4 } } }, 9, { 9, 1, 3, 0, HD_PADDING_SAME, 0, 0, 1, HD_TANH } },
    { 1, { { 3, { 6, 5, 2 } } }, 13, { 3, 2, 2, 3, 2, 2, 1, HD_PADDING_SAME, 0, 0, 1, HD_ELU, 0.5 } },
    { 1, { { 3, { 4, 5, 3 } } }, 16, { 5, 1, 2, 1, 1, HD_PADDING_EXPLICIT, 2, 2, 0, 2, 2, 1, 1, HD_SOFTMAX, 0, 0 } },
    { 1, { { 3, { 3, 4, 2 } } }, 10, { 3, 1, 3, 0, HD_PADDING_EXPLICIT, 4, 2, 0, 1, 3 } },
    { 1, { { 3, { 4, 3, 6 } } }, 9, { 4, 1, 3, 0, HD_PADDING_SAME, 0, 0, 2, HD_SIGMOID } },
    { 1, { { 3, { 5, 4, 3 } } }, 8, { 6, 1, 3, 0, HD_PADDING_SAME, 0, 0, 3 } },
    { 1, { { 3, { 4, 4, 4 } } }, 3, { 10, 1, 1 } },
    { 0 },
};

const hd_layer_class hd_layer_conv2d = {
    .name = "conv2d",
    .doc = "activation(cross-correlation with each filter + bias): image [H, W, C] to [H', W', filters]; weights kernel "
           "[filters, rows, columns, C / groups], bias [filters]",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .flags = HD_NEEDS_X | HD_NEEDS_Y | HD_TAKES_SCALE,
    .output_activation = output_activation,
    .output_alpha = output_alpha,
    .shape = shape,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
