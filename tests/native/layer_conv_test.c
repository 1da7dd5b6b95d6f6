/* conv2d and conv2dTranspose in models: output sizes, values against the plain definition, the transposed one as the adjoint,
 * activations that wait for a max pooling, and the sentences for what does not fit. */
#include "kern/conv.h"
#include "layer/window.h"
#include "layer_kit.h"

enum { N = 2 };

static hd_context *c;

typedef struct net {
    hd_model *m;
    hd_data *d;
    hd_real *x;
    int node, shape[6];
} net;

static net start(const int dims[3])
{
    net t = { .m = hd_model_new(c), .d = hd_data_new(c, N) };
    const int size = dims[0] * dims[1] * dims[2];
    t.node = hd_input(t.m, "x", dims, 3);
    t.x = kit_column(c, t.d, HD_COLUMN_INPUT, 0, size);
    kit_fill(t.x, (size_t)N * (size_t)size, 1);
    return t;
}

static void build(net *t)
{
    kit_must(c, t->node < 0 ? HD_ERR_ARGUMENT : hd_model_build(t->m, 5));
    CHECK(hd_node_shape(t->m, t->node, t->shape) == 3);
    for (int i = 0; i < hd_weight_count(t->m); i++) {
        kit_fill(hd_weight_data(t->m, i), kit_size(t->m, hd_weight_name(t->m, i)), (unsigned)i + 7);
    }
}

static size_t output_size(const net *t)
{
    return (size_t)t->shape[0] * (size_t)t->shape[1] * (size_t)t->shape[2];
}

static hd_real *output(net *t)
{
    return kit_predict(c, t->m, t->d, t->node, N, output_size(t));
}

static void drop(net *t)
{
    hd_data_free(t->d);
    hd_model_free(t->m);
}

/* --- conv2d ------------------------------------------------------------------------------------------------ */

/* One layer against the definition: w (k, kh, kw, c / groups) and bias, tanh. */
static void check_conv(const int dims[3], const double *options, int n_options, hd_conv_shape s)
{
    net t = start(dims);
    t.node = hd_layer(t.m, "conv2d", "conv", &t.node, 1, options, n_options);
    build(&t);
    s.h = dims[0];
    s.w = dims[1];
    s.c = dims[2];
    CHECK(t.shape[0] == s.oh && t.shape[1] == s.ow && t.shape[2] == s.k);
    hd_real *y = output(&t), *expected = malloc(N * output_size(&t) * sizeof *expected);
    const hd_real *bias = kit_weight(t.m, "conv/bias");
    hd_conv_forward_ref(&s, N, t.x, kit_weight(t.m, "conv/kernel"), expected);
    for (size_t i = 0; i < N * output_size(&t); i++) {
        expected[i] = (hd_real)tanh((double)(expected[i] + bias[i % (size_t)s.k]));
    }
    NEAR(kit_difference(N * output_size(&t), y, expected), 0, TOL(2e-6));
    free(y);
    free(expected);
    drop(&t);
}

#define CHECK_CONV(dims, s, ...)                                                                                       \
    check_conv((const int[3])dims, (double[]){ __VA_ARGS__ }, COUNT(((double[]){ __VA_ARGS__ })), (hd_conv_shape)s)
#define SET(...) { __VA_ARGS__ }

static void test_conv(void)
{
    /* valid */
    CHECK_CONV(SET(7, 9, 3), SET(.oh = 5, .ow = 6, .k = 4, .kh = 3, .kw = 4, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1), 4, 2,
               3, 4, 0, HD_PADDING_VALID, 0, 0, 1, HD_TANH);
    /* same: the odd column of padding at the right */
    CHECK_CONV(SET(7, 8, 3), SET(.oh = 4, .ow = 4, .k = 4, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .dh = 1, .dw = 1, .top = 1, .left = 0,
               .groups = 1), 4, 1, 3, 1, 2, HD_PADDING_SAME, 0, 0, 1, HD_TANH);
    /* explicit, dilated, grouped */
    CHECK_CONV(SET(8, 8, 4), SET(.oh = 7, .ow = 9, .k = 6, .kh = 3, .kw = 3, .sh = 1, .sw = 1, .dh = 2, .dw = 1, .top = 2, .left = 3,
               .groups = 2), 6, 1, 3, 0, HD_PADDING_EXPLICIT, 4, 2, 1, 3, 0, 2, 2, 1, 2, HD_TANH);
    /* depthwise with a multiplier */
    CHECK_CONV(SET(5, 6, 3), SET(.oh = 5, .ow = 6, .k = 6, .kh = 3, .kw = 3, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .top = 1, .left = 1,
               .groups = 3), 6, 1, 3, 0, HD_PADDING_SAME, 0, 0, 3, HD_TANH);
}

/* Softmax over the channels of each pixel. */
static void test_softmax(void)
{
    net t = start((int[]){ 3, 4, 5 });
    t.node = LAYER(t.m, "conv2d", "conv", t.node, 7, 1, 2, 0, HD_PADDING_VALID, 0, 0, 1, HD_SOFTMAX);
    build(&t);
    hd_real *y = output(&t);
    for (size_t p = 0; p < N * output_size(&t) / 7; p++) {
        double sum = 0;
        for (int o = 0; o < 7; o++) {
            sum += y[p * 7 + (size_t)o];
        }
        NEAR(sum, 1, TOL(1e-6));
    }
    free(y);
    drop(&t);
}

/* conv with activation, max pooling: the plan may pool first. The same bits as pooling the activation's output. */
static void test_before_pooling(hd_activation act)
{
    net a = start((int[]){ 6, 8, 3 }), b = start((int[]){ 6, 8, 3 });
    a.node = LAYER(a.m, "conv2d", "conv", a.node, 5, 1, 3, 0, HD_PADDING_SAME, 0, 0, 1, act);
    a.node = LAYER(a.m, "maxPool2d", "pool", a.node, 1, 2);
    b.node = LAYER(b.m, "conv2d", "conv", b.node, 5, 1, 3, 0, HD_PADDING_SAME);
    b.node = LAYER(b.m, "activation", "act", b.node, act);
    b.node = LAYER(b.m, "maxPool2d", "pool", b.node, 1, 2);
    build(&a);
    build(&b);
    hd_real *ya = output(&a), *yb = output(&b);
    CHECK(!memcmp(ya, yb, N * output_size(&a) * sizeof *ya));
    free(ya);
    free(yb);
    drop(&a);
    drop(&b);
}

/* conv2d and batchNorm run as one at inference, unless somebody else reads the convolution: the same bits. */
static void test_folding(hd_activation act, bool bias)
{
    hd_real *y[2];
    size_t size = 0;
    for (int apart = 0; apart < 2; apart++) {
        net t = start((int[]){ 6, 7, 3 });
        t.node = LAYER(t.m, "conv2d", "conv", t.node, 9, 1, 3, 0, HD_PADDING_SAME, 0, 0, 1, HD_LINEAR, 0, bias);
        if (apart) {
            CHECK(LAYER(t.m, "activation", "reader", t.node, HD_TANH) > 0);
        }
        t.node = hd_layer(t.m, "batchNorm", "norm", &t.node, 1, NULL, 0);
        if (act != HD_LINEAR) {
            t.node = LAYER(t.m, "activation", "act", t.node, act);
        }
        build(&t);
        hd_real *variance = kit_weight(t.m, "norm/runningVariance");
        for (int i = 0; i < 9; i++) {
            variance[i] = (hd_real)(0.5 + fabs((double)variance[i]));
        }
        size = N * output_size(&t);
        y[apart] = output(&t);
        drop(&t);
    }
    CHECK(!memcmp(y[0], y[1], size * sizeof *y[0]));
    CHECK(y[0][0] != y[0][1] && isfinite(y[0][0]));
    free(y[0]);
    free(y[1]);
}

/* --- conv2dTranspose --------------------------------------------------------------------------------------- */

/* Against the adjoint of the convolution s, which goes from the layer's output to its input. */
static void check_transpose(const int dims[3], const double *options, int n_options, hd_conv_shape s)
{
    net t = start(dims);
    t.node = hd_layer(t.m, "conv2dTranspose", "up", &t.node, 1, options, n_options);
    build(&t);
    s.oh = dims[0];
    s.ow = dims[1];
    s.k = dims[2];
    CHECK(t.shape[0] == s.h && t.shape[1] == s.w && t.shape[2] == s.c);
    hd_real *y = output(&t), *expected = malloc(N * output_size(&t) * sizeof *expected);
    const hd_real *bias = kit_weight(t.m, "up/bias");
    for (size_t i = 0; i < N * output_size(&t); i++) {
        expected[i] = bias[i % (size_t)s.c];
    }
    hd_conv_back_data_ref(&s, N, t.x, kit_weight(t.m, "up/kernel"), expected, true);
    NEAR(kit_difference(N * output_size(&t), y, expected), 0, TOL(2e-6));
    free(y);
    free(expected);
    drop(&t);
}

#define CHECK_TRANSPOSE(dims, s, ...)                                                                                  \
    check_transpose((const int[3])dims, (double[]){ __VA_ARGS__ }, COUNT(((double[]){ __VA_ARGS__ })), (hd_conv_shape)s)

static void test_transpose(void)
{
    /* valid: (4 - 1) 2 + 3 = 9, (5 - 1) 2 + 3 = 11 */
    CHECK_TRANSPOSE(SET(4, 5, 3), SET(.h = 9, .w = 11, .c = 4, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .dh = 1, .dw = 1, .groups = 1), 4,
                    1, 3, 1, 2);
    /* same: 4 * 2, 5 * 3; padding 3 - 2 = 1 (0 before), 3 - 3 = 0 */
    CHECK_TRANSPOSE(SET(4, 5, 3), SET(.h = 8, .w = 15, .c = 4, .kh = 3, .kw = 3, .sh = 2, .sw = 3, .dh = 1, .dw = 1, .groups = 1), 4,
                    1, 3, 2, 2, 3, HD_PADDING_SAME);
    /* explicit with outputPadding, as PyTorch: (4 - 1) 2 - 2 + 3 + 1 = 8, (5 - 1) 2 - 2 + 3 + 0 = 9 */
    CHECK_TRANSPOSE(SET(4, 5, 4), SET(.h = 8, .w = 9, .c = 6, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .dh = 1, .dw = 1, .top = 1,
                    .left = 1, .groups = 2), 6, 1, 3, 1, 2, HD_PADDING_EXPLICIT, 1, 1, 2, 1, 0, 0, 2);
    /* dilated: (3 - 1) 1 + 2 + 1 = 5 rows, (3 - 1) 1 + 4 + 1 = 7 columns */
    CHECK_TRANSPOSE(SET(3, 3, 2), SET(.h = 5, .w = 7, .c = 3, .kh = 2, .kw = 3, .sh = 1, .sw = 1, .dh = 2, .dw = 2, .groups = 1), 3,
                    2, 2, 3, 0, HD_PADDING_VALID, 0, 0, 1, 2);
    /* stride beyond the kernel: (3 - 1) 3 + 2 = 8, gaps hold the bias */
    CHECK_TRANSPOSE(SET(3, 3, 2), SET(.h = 8, .w = 8, .c = 3, .kh = 2, .kw = 2, .sh = 3, .sw = 3, .dh = 1, .dw = 1, .groups = 1), 3,
                    1, 2, 1, 3);
}

/* --- refusals ---------------------------------------------------------------------------------------------- */

#define REFUSES(kind, sentence, ...)                                                                                   \
    do {                                                                                                               \
        net t = start((int[]){ 6, 5, 8 });                                                                             \
        CHECK(hd_layer(t.m, kind, "conv", &t.node, 1, (double[]){ __VA_ARGS__ }, COUNT(((double[]){ __VA_ARGS__ }))) < 0); \
        CHECK_TEXT(hd_error(c), sentence);                                                                             \
        drop(&t);                                                                                                      \
    } while (0)

static void test_refusals(void)
{
    REFUSES("conv2d", "layer 1 \"conv\" (conv2d): groups = 3, expected a divisor of 8 channels and 16 filters", 16, 1, 3, 0, 0, 0, 0, 3);
    REFUSES("conv2d", "layer 1 \"conv\" (conv2d): groups = 4, expected a divisor of 8 channels and 6 filters", 6, 1, 3, 0, 0, 0, 0, 4);
    REFUSES("conv2d", "layer 1 \"conv\" (conv2d): filters = 0, expected an integer 1..65536", 0, 1, 3);
    REFUSES("conv2d", "layer 1 \"conv\" (conv2d): kernelSize is required", 4, 0);
    REFUSES("conv2d", "layer 1 \"conv\" (conv2d): kernelSize = [7, 3] is larger than the padded input [6, 5]", 4, 2, 7, 3);
    REFUSES("conv2d", "layer 1 \"conv\" (conv2d): kernelSize = [3, 3] with dilation = [3, 1] spans [7, 3], larger than the padded "
            "input [6, 5]", 4, 1, 3, 0, 0, 0, 2, 3, 1);
    REFUSES("conv2d", "layer 1 \"conv\" (conv2d): alpha = 0.5 with activation relu, only leakyRelu and elu have one", 4, 1, 3, 0, 0, 0, 0,
            1, HD_RELU, 0.5);
    REFUSES("conv2d", "layer 1 \"conv\" (conv2d): weight kernel has 2^30 elements or more", 65536, 1, 1024, 0, HD_PADDING_SAME);
    REFUSES("conv2dTranspose", "layer 1 \"conv\" (conv2dTranspose): groups = 3, expected a divisor of 8 channels and 6 filters", 6, 1, 3,
            0, 0, 0, 0, 0, 3);
    REFUSES("conv2dTranspose", "layer 1 \"conv\" (conv2dTranspose): outputPadding = [2, 2], expected less than strides = [2, 2]", 4, 1,
            3, 1, 2, 0, 0, 1, 2);
    REFUSES("conv2dTranspose", "layer 1 \"conv\" (conv2dTranspose): outputPadding = [1, 1] with padding = same, expected less than "
            "strides = [2, 2] with padding valid or explicit", 4, 1, 3, 1, 2, HD_PADDING_SAME, 0, 1, 1);
    REFUSES("conv2dTranspose", "layer 1 \"conv\" (conv2dTranspose): pads = [4, 4] leave nothing of 8 rows", 4, 1, 3, 0,
            HD_PADDING_EXPLICIT, 1, 4);
    net t = { .m = hd_model_new(c), .d = NULL };
    t.node = hd_input(t.m, "x", (int[]){ 6, 5 }, 2);
    CHECK(hd_layer(t.m, "conv2d", "conv", &t.node, 1, (double[]){ 4, 1, 3 }, 3) < 0);
    CHECK_TEXT(hd_error(c), "layer 1 \"conv\" (conv2d): expected an image [height, width, channels], got [6, 5]");
    drop(&t);
}

int main(void)
{
    c = hd_context_new(2);
    test_conv();
    test_softmax();
    test_before_pooling(HD_RELU);
    test_before_pooling(HD_TANH);
    test_before_pooling(HD_LEAKY_RELU);
    test_folding(HD_LINEAR, true);
    test_folding(HD_LINEAR, false);
    test_folding(HD_RELU, false);
    test_transpose();
    test_refusals();
    hd_context_free(c);
    return check_result("layer_conv");
}
