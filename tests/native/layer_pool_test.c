/* Poolings: the kernels against their references on random windows, ties, NaN and padding; output sizes by TensorFlow's and
 * PyTorch's rules; global ones against plain sums; and the sentences for windows that do not fit. */
#include "base/context.h"
#include "kern/pool2d.h"
#include "layer/window.h"

#include "base/rng.h"
#include "layer_kit.h"

enum { N = 3, MOST = 20000 };

static hd_context *c;
static real x[MOST], dy[MOST], y[MOST], expected[MOST], at[MOST], expected_at[MOST], dx[MOST], expected_dx[MOST];

static int draw(uint32_t stream, int i, int low, int high)
{
    return low + (int)(hd_rng_uniform(hd_rng_stream(8, stream, 0), (uint64_t)i) * (high - low + 1));
}

/* Case i: sizes, strides and padding so that each window holds a part of the image. */
static hd_pool2d random_shape(int i)
{
    static const int channels[] = { 1, 3, 4, 6, 16, 19, 36 };
    hd_pool2d s = { .h = draw(1, i, 1, 12), .w = draw(2, i, 1, 12), .c = channels[i % 7], .sh = draw(5, i, 1, 4),
                    .sw = draw(6, i, 1, 4) };
    s.kh = draw(3, i, 1, s.h < 5 ? s.h : 5);
    s.kw = draw(4, i, 1, s.w < 5 ? s.w : 5);
    s.top = draw(7, i, 0, s.kh - 1);
    s.left = draw(8, i, 0, s.kw - 1);
    s.oh = (s.h + s.top + draw(9, i, 0, s.kh - 1) - s.kh) / s.sh + 1;
    s.ow = (s.w + s.left + draw(10, i, 0, s.kw - 1) - s.kw) / s.sw + 1;
    return s;
}

/* dX of the definition: each window's gradient to the element with its index, or in shares to all. */
static void back_ref(const hd_pool2d *s, bool mean, bool count_padding)
{
    for (int e = 0; e < N * s->oh * s->ow * s->c; e++) {
        int k = e % s->c, j = e / s->c % s->ow, i = e / (s->c * s->ow) % s->oh, image = e / (s->c * s->ow * s->oh), count = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int a = 0; a < s->kh * s->kw; a++) {
                int row = i * s->sh - s->top + a / s->kw, col = j * s->sw - s->left + a % s->kw;
                bool in = row >= 0 && row < s->h && col >= 0 && col < s->w;
                count += in && !pass;
                if (in && pass && (mean || a == (int)expected_at[e])) {
                    expected_dx[((image * s->h + row) * s->w + col) * s->c + k] +=
                        mean ? dy[e] / (real)(count_padding ? s->kh * s->kw : count) : dy[e];
                }
            }
        }
    }
}

static void check_kernels(int i)
{
    hd_pool2d s = random_shape(i);
    size_t in = (size_t)(N * s.h * s.w * s.c), out = (size_t)(N * s.oh * s.ow * s.c);
    CHECK(in <= MOST && out <= MOST);
    kit_fill(dy, out, (unsigned)i + 50);
    kit_fill(x, in, (unsigned)i);
    for (size_t e = 0; e < in; e++) {
        x[e] = i % 3 ? x[e] - 3 : (real)floor(3 * (double)x[e]); /* all negative, or full of ties */
    }
    hd_max_pool2d_ref(&s, N, x, expected, expected_at);
    hd_max_pool2d(c->pool, &s, N, x, y, at);
    CHECK(!memcmp(y, expected, out * sizeof *y) && !memcmp(at, expected_at, out * sizeof *y));
    memset(y, 0, sizeof y);
    hd_max_pool2d(c->pool, &s, N, x, y, NULL);
    CHECK(!memcmp(y, expected, out * sizeof *y));
    for (int kind = 0; kind < 3; kind++) { /* maximum, mean, mean with padding */
        for (int add = 0; add < 2; add++) {
            for (size_t e = 0; e < in; e++) {
                dx[e] = (real)e;
                expected_dx[e] = add ? (real)e : 0;
            }
            back_ref(&s, kind > 0, kind == 2);
            if (kind == 0) {
                hd_max_pool2d_back(c->pool, &s, N, dy, at, dx, add);
            } else {
                hd_average_pool2d_ref(&s, N, kind == 2, x, expected);
                hd_average_pool2d(c->pool, &s, N, kind == 2, x, y);
                NEAR(kit_difference(out, y, expected), 0, TOL(1e-6));
                hd_average_pool2d_back(c->pool, &s, N, kind == 2, dy, dx, add);
            }
            for (size_t e = 0; e < in; e++) {
                NEAR(dx[e], expected_dx[e], TOL(1e-6) * (1 + fabs((double)expected_dx[e])));
            }
        }
    }
}

static void test_special_values(void)
{
    hd_pool2d s = { .h = 2, .w = 4, .c = 5, .oh = 1, .ow = 2, .kh = 2, .kw = 2, .sh = 2, .sw = 2 };
    for (int place = 0; place < 4; place++) { /* NaN anywhere in the first window; the second is all -infinity */
        for (int e = 0; e < 40; e++) {
            x[e] = e / 5 % 4 < 2 ? (real)(e % 7) : -(real)INFINITY;
        }
        x[(place / 2 * 4 + place % 2) * 5 + 4] = (real)NAN;
        hd_max_pool2d(c->pool, &s, 1, x, y, at);
        CHECK(isnan((double)y[4]));
        for (int e = 0; e < 4; e++) {
            CHECK(isfinite((double)y[e]) && y[5 + e] == -(real)INFINITY && at[5 + e] == 0);
        }
    }
    real zeros[2] = { (real)-0.0, 0 };
    hd_max_pool2d(c->pool, &(hd_pool2d){ 1, 2, 1, 1, 1, 1, 2, 1, 2, 0, 0 }, 1, zeros, y, at);
    CHECK(at[0] == 0 && signbit((double)y[0])); /* equal: the first */
}

/* --- layers ------------------------------------------------------------------------------------------------ */

static int add_layer(hd_model *m, const int dims[3], const char *kind, const double *options, int n)
{
    int input = hd_input(m, "x", dims, 3);
    return hd_layer(m, kind, "pool", &input, 1, options, n);
}

static void check_size(const int dims[3], int rows, int cols, const double *options, int n)
{
    hd_model *m = hd_model_new(c);
    int shape[6] = { 0 }, node = add_layer(m, dims, "maxPool2d", options, n);
    CHECK(node >= 0 && hd_node_shape(m, node, shape) == 3);
    CHECK(shape[0] == rows && shape[1] == cols && shape[2] == dims[2]);
    hd_model_free(m);
}

#define SIZE(h, w, rows, cols, ...)                                                                                    \
    check_size((int[]){ h, w, 2 }, rows, cols, (double[]){ __VA_ARGS__ }, COUNT(((double[]){ __VA_ARGS__ })))

static void test_sizes(void)
{
    SIZE(7, 8, 3, 4, 0);                                               /* 2 x 2: the odd row is dropped */
    SIZE(32, 32, 11, 11, 1, 3, 1, 3, HD_PADDING_SAME);                 /* ceil(32 / 3) */
    SIZE(7, 8, 4, 3, 2, 3, 2, 2, 2, 3, HD_PADDING_SAME);               /* ceil(7 / 2), ceil(8 / 3) */
    SIZE(112, 112, 56, 56, 1, 3, 1, 2, HD_PADDING_EXPLICIT, 1, 1);     /* the stem of ResNet */
    SIZE(5, 6, 5, 6, 1, 3, 1, 1, HD_PADDING_EXPLICIT, 4, 2, 0, 0, 2);
    SIZE(5, 6, 7, 4, 1, 3, 1, 1, HD_PADDING_EXPLICIT, 2, 2, 0);
    SIZE(3, 4, 2, 3, 2, 2, 2, 1, 1);
}

/* padding same puts the odd column at the right: windows [0 1 2] [2 3 -]. */
static void test_same(void)
{
    hd_model *m = hd_model_new(c);
    int node = add_layer(m, (int[]){ 1, 4, 1 }, "avgPool2d", (double[]){ 2, 1, 3, 1, 2, HD_PADDING_SAME }, 6);
    hd_data *d = hd_data_new(c, 1);
    memcpy(kit_column(c, d, HD_COLUMN_INPUT, 0, 4), (hd_real[]){ 3, 6, 9, 15 }, 4 * sizeof(hd_real));
    kit_must(c, hd_model_build(m, 1));
    hd_real *p = kit_predict(c, m, d, node, 1, 2);
    CHECK(p[0] == 6 && p[1] == 12);
    free(p);
    hd_data_free(d);
    hd_model_free(m);
}

static void refuse(const int dims[3], const char *kind, const char *sentence, const double *options, int n)
{
    hd_model *m = hd_model_new(c);
    CHECK(add_layer(m, dims, kind, options, n) < 0);
    if (strcmp(hd_error(c), sentence)) {
        printf("%s\n", hd_error(c));
    }
    CHECK_TEXT(hd_error(c), sentence);
    hd_model_free(m);
}

#define REFUSE(h, w, kind, sentence, ...)                                                                              \
    refuse((int[]){ h, w, 2 }, kind, sentence, (double[]){ __VA_ARGS__ }, COUNT(((double[]){ __VA_ARGS__ })))

static void test_refusals(void)
{
    REFUSE(4, 4, "maxPool2d", "layer 1 \"pool\" (maxPool2d): poolSize = [5, 5] is larger than the padded input [4, 4]", 1, 5);
    REFUSE(4, 4, "avgPool2d", "layer 1 \"pool\" (avgPool2d): poolSize = [2, 7] is larger than the padded input [6, 6]", 2, 2, 7, 0,
           HD_PADDING_EXPLICIT, 1, 1);
    REFUSE(4, 4, "maxPool2d", "layer 1 \"pool\" (maxPool2d): poolSize has 3 values, expected one, or two (rows, columns)", 3, 2, 2, 2);
    REFUSE(4, 4, "maxPool2d", "layer 1 \"pool\" (maxPool2d): pads with padding = same, expected padding = explicit", 0, 0,
           HD_PADDING_SAME, 1, 1);
    REFUSE(4, 4, "maxPool2d", "layer 1 \"pool\" (maxPool2d): pads has 0 values, expected one, two (rows, columns) or four (top, "
           "bottom, left, right) with padding explicit", 0, 0, HD_PADDING_EXPLICIT);
    REFUSE(4, 4, "maxPool2d", "layer 1 \"pool\" (maxPool2d): pads has 3 values, expected one, two (rows, columns) or four (top, "
           "bottom, left, right) with padding explicit", 0, 0, HD_PADDING_EXPLICIT, 3, 1, 1, 1);
    REFUSE(4, 4, "maxPool2d", "layer 1 \"pool\" (maxPool2d): pads = 2, expected less than poolSize = 2, or a window would hold "
           "padding alone", 0, 0, HD_PADDING_EXPLICIT, 4, 0, 0, 0, 2);
    REFUSE(4, 4, "maxPool2d", "layer 1 \"pool\" (maxPool2d): strides = 0, expected an integer 1..1024", 0, 1, 0);
    hd_model *m = hd_model_new(c);
    int vector = hd_input(m, "x", (int[]){ 6 }, 1);
    static const char *const kinds[] = { "maxPool2d", "avgPool2d", "globalAveragePool2d", "globalMaxPool2d", "globalStdPool2d" };
    for (int i = 0; i < 5; i++) {
        CHECK(hd_layer(m, kinds[i], "pool", &vector, 1, NULL, 0) < 0 && hd_error_status(c) == HD_ERR_SHAPE);
        CHECK(strstr(hd_error(c), "expected an image [height, width, channels], got [6]"));
    }
    hd_model_free(m);
}

/* [H, W, C] to [C], around a large offset; the deviation of a constant channel is exactly 0 and has no gradient. */
static void test_global(void)
{
    enum { H = 37, W = 23, C = 5, P = H * W };
    hd_model *m = hd_model_new(c);
    int input = hd_input(m, "x", (int[]){ H, W, C }, 3);
    int gain = LAYER(m, "dense", "gain", input, C, 0, 0, 0); /* passes on channels 0..3, and the constant channel */
    int mean = hd_layer(m, "globalAveragePool2d", "mean", &gain, 1, NULL, 0), max = hd_layer(m, "globalMaxPool2d", "max", &gain, 1, NULL, 0),
        std = hd_layer(m, "globalStdPool2d", "std", &gain, 1, NULL, 0);
    kit_must(c, hd_output(m, mean) || hd_output(m, max) || hd_output(m, std) ? HD_ERR_ARGUMENT : hd_model_build(m, 1));
    for (int i = 0; i < 3; i++) {
        kit_must(c, hd_loss_add(m, i, "meanSquaredError", i == 2, NULL, 0));
    }
    hd_real *w = kit_weight(m, "gain/kernel");
    for (int i = 0; i < C * C; i++) {
        w[i] = i % (C + 1) == 0;
    }
    hd_data *d = hd_data_new(c, N);
    hd_real *in = kit_column(c, d, HD_COLUMN_INPUT, 0, P * C);
    kit_fill(in, (size_t)N * P * C, 4);
    for (int i = 0; i < 3; i++) {
        kit_fill(kit_column(c, d, HD_COLUMN_TARGET, i, C), (size_t)N * C, 9);
    }
    for (int i = 0; i < N * P * C; i++) {
        in[i] = i % C == 4 ? (hd_real)0.1 : i % C == 3 ? in[i] + 1000 : in[i];
    }
    hd_real *a = kit_predict(c, m, d, mean, 2, C), *b = kit_predict(c, m, d, max, 2, C), *s = kit_predict(c, m, d, std, 2, C);
    for (int i = 0; i < N * C; i++) {
        double sum = 0, squares = 0, most = -INFINITY;
        for (int pass = 0; pass < 2; pass++) {
            for (int p = 0; p < P; p++) {
                double e = in[(i / C * P + p) * C + i % C];
                sum += pass ? 0 : e;
                squares += pass ? (e - sum / P) * (e - sum / P) : 0;
                most = fmax(most, e);
            }
        }
        NEAR(a[i], sum / P, TOL(1e-6) * (1 + fabs(sum / P)));
        CHECK(b[i] == (hd_real)most);
        NEAR(s[i], sqrt(squares / P), TOL(1e-6));
        CHECK(i % C != 4 || s[i] == 0);
    }
    double loss;
    kit_must(c, hd_gradients(m, d, 0, N, 0, 0, &loss));
    const hd_real *g = kit_gradient(m, "gain/kernel");
    for (int i = 0; i < C; i++) {
        CHECK(g[4 * C + i] == 0 && (i == 4 || g[i * C + i] != 0));
    }
    free(a);
    free(b);
    free(s);
    hd_data_free(d);
    hd_model_free(m);
}

/* An activation before a max pooling may wait for it: the same bits as where its output is looked at, forward and back. */
static void test_activation_waits(const char *kind, hd_activation act)
{
    hd_real *p[2], g[2][9];
    for (int seen = 0; seen < 2; seen++) {
        hd_model *m = hd_model_new(c);
        int input = hd_input(m, "x", (int[]){ 6, 4, 3 }, 3);
        int before = LAYER(m, "dense", "before", input, 3, act, 0, 0), pool = hd_layer(m, kind, "pool", &before, 1, NULL, 0);
        kit_must(c, hd_output(m, pool));
        kit_must(c, seen ? hd_output(m, before) : HD_OK);
        kit_must(c, hd_model_build(m, 3));
        kit_must(c, hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0));
        int dims[6], rank = hd_node_shape(m, pool, dims), size = rank == 1 ? dims[0] : dims[0] * dims[1] * dims[2];
        hd_data *d = hd_data_new(c, N);
        kit_fill(kit_column(c, d, HD_COLUMN_INPUT, 0, 72), N * 72, 5);
        kit_fill(kit_column(c, d, HD_COLUMN_TARGET, 0, size), (size_t)(N * size), 6);
        p[seen] = kit_predict(c, m, d, pool, N, (size_t)size);
        double loss;
        kit_must(c, hd_gradients(m, d, 0, N, 1, 1, &loss));
        memcpy(g[seen], kit_gradient(m, "before/kernel"), sizeof g[seen]);
        if (seen) {
            CHECK(!memcmp(p[0], p[1], (size_t)(N * size) * sizeof **p));
            CHECK(kit_difference(9, g[0], g[1]) == 0 && g[0][0] != 0);
        }
        hd_data_free(d);
        hd_model_free(m);
    }
    free(p[0]);
    free(p[1]);
}

int main(void)
{
    for (int threads = 1; threads <= 3; threads += 2) {
        c = hd_context_new(threads);
        for (int i = 0; i < 150; i++) {
            check_kernels(i);
        }
        test_special_values();
        test_sizes();
        test_same();
        test_refusals();
        test_global();
        for (hd_activation act = HD_SIGMOID; act < HD_SOFTMAX; act++) {
            test_activation_waits("maxPool2d", act);
            test_activation_waits("globalMaxPool2d", act);
        }
        hd_context_free(c);
    }
    return check_result("layer_pool");
}
