/* batchNorm and layerNorm: kernels against float64 sums, running statistics against numbers worked out by hand, inference
 * bit by bit, what does and does not move the statistics, folding into a convolution. */
#include "base/context.h"
#include "kern/norm.h"
#include "kern/row_norm.h"
#include "kern/vec.h"

#include "layer_kit.h"

enum { MOST = 1 << 19, KERAS = 0, PYTORCH = 1 };

static hd_context *c;
static real x[MOST], dy[MOST], y[MOST], old[MOST], scratch[1 << 19];

/* --- kernels ----------------------------------------------------------------------------------------------- */

static void fill(size_t n, size_t channels, double offset)
{
    kit_fill(x, n, 1);
    kit_fill(dy, n, 2);
    for (size_t i = 0; i < n; i++) {
        x[i] = (real)(x[i] + offset * (double)(i % channels));
    }
}

/* Channel k has mean near k * offset. */
static void check_moments(size_t rows, size_t channels, double offset)
{
    double mean[300], variance[300], sum[300], dot[300];
    real center[2048] = { 0 };
    CHECK(rows * channels <= MOST && hd_channel_scratch(channels) <= sizeof scratch / sizeof *scratch &&
          hd_channel_period(channels) <= 2048);
    fill(rows * channels, channels, offset);
    hd_channel_moments(c->pool, rows, channels, x, mean, variance, scratch);
    for (size_t k = 0; k < channels; k++) {
        center[k] = (real)mean[k];
    }
    hd_channel_products(c->pool, rows, channels, x, center, dy, sum, dot, scratch);
    for (size_t k = 0; k < channels; k++) {
        double m = 0, v = 0, s = 0, p = 0;
        for (size_t r = 0; r < rows; r++) {
            m += ((double)x[r * channels + k] - x[k]) / (double)rows;
        }
        m += x[k]; /* differences add up with less rounding */
        for (size_t r = 0; r < rows; r++) {
            double e = x[r * channels + k] - m, g = dy[r * channels + k];
            v += e * e / (double)rows;
            s += g;
            p += g * ((double)x[r * channels + k] - center[k]);
        }
        NEAR(mean[k], m, TOL(1e-7) * (1 + fabs(m) / 100));
        NEAR(variance[k], v, TOL(2e-7) * (1 + v));
        NEAR(sum[k], s, TOL(1e-6) * sqrt((double)rows));
        NEAR(dot[k], p, TOL(1e-6) * sqrt((double)rows));
    }
}

/* v: center, a, b, d. */
static double expected(int form, real (*v)[2048], size_t i, size_t k, bool add)
{
    double e = (double)x[i] - (form == 0 ? 0 : (double)v[0][k]), before = add ? (double)old[i] : 0;
    if (form == 2) {
        return (double)v[1][k] * dy[i] + (double)v[2][k] * e + v[3][k] + before;
    }
    double linear = (double)v[1][k] * e + v[3][k];
    return add ? linear + before : tanh(linear);
}

static void check_element_wise(size_t rows, size_t channels)
{
    static real v[4][2048];
    fill(rows * channels, channels, 1);
    kit_fill(old, rows * channels, 3);
    for (int i = 0; i < 6; i++) {
        int form = i / 2; /* about 0, about a center, backward */
        bool add = i % 2;
        for (int k = 0; k < 4; k++) {
            kit_fill(v[k], channels, (unsigned)k + 9);
        }
        memcpy(y, old, rows * channels * sizeof *y);
        if (form == 2) {
            hd_channel_back(c->pool, rows, channels, x, v[0], dy, v[1], v[2], v[3], y, add);
        } else {
            hd_channel_scale(c->pool, rows, channels, x, form ? v[0] : NULL, v[1], v[3], add ? HD_LINEAR : HD_TANH, 0, y, add);
        }
        double worst = 0;
        for (size_t e = 0; e < rows * channels; e++) {
            double want = expected(form, v, e, e % channels, add);
            double error = fabs((double)y[e] - want) / (2 + (double)(e % channels) + fabs(want));
            worst = error <= worst ? worst : error;
        }
        CHECK(worst <= TOL(1e-6));
    }
}

static void test_kernels(void)
{
    static const size_t channels[] = { 1, 2, 3, 4, 7, 16, 17, 30, 64, 65, 100, 130, 256 };
    for (size_t i = 0; i < COUNT(channels); i++) {
        for (size_t rows = 1; rows * channels[i] < 60000; rows = rows * 7 + 3) {
            check_moments(rows, channels[i], 0);
            check_moments(rows, channels[i], 10);
            check_element_wise(rows, channels[i]);
        }
    }
    check_moments(100000, 4, 300); /* variance 1/3 around means up to 900 */
    check_moments(1, 5, 1);
}

/* --- batchNorm --------------------------------------------------------------------------------------------- */

typedef struct net {
    hd_model *m;
    hd_data *d;
    int norm;
} net;

/* batchNorm of 2 channels on [rows of the data], then a dense layer: mean squared error, sgd. */
static net make(const double *options, int n, int rows, double rate)
{
    net t = { .m = hd_model_new(c), .d = hd_data_new(c, rows) };
    int input = hd_input(t.m, "x", (int[]){ 2 }, 1);
    t.norm = hd_layer(t.m, "batchNorm", "norm", &input, 1, options, n);
    int out = t.norm < 0 ? -1 : LAYER(t.m, "dense", "out", t.norm, 1);
    kit_must(c, t.norm < 0 ? HD_ERR_ARGUMENT : hd_output(t.m, out));
    kit_must(c, hd_model_build(t.m, 2));
    kit_must(c, hd_loss_add(t.m, 0, "meanSquaredError", 1, NULL, 0));
    kit_must(c, hd_optimizer_set(t.m, "sgd", &rate, 1));
    hd_real *in = kit_column(c, t.d, HD_COLUMN_INPUT, 0, 2), *target = kit_column(c, t.d, HD_COLUMN_TARGET, 0, 1);
    for (int i = 0; i < rows; i++) { /* 1 2 3 6: mean 3, squares about it 4 1 0 9, so variance 3.5, or 14/3 by n - 1 */
        in[2 * i] = (hd_real[]){ 1, 2, 3, 6 }[i % 4];
        in[2 * i + 1] = -10 * in[2 * i];
        target[i] = (hd_real)(i % 2);
    }
    return t;
}

static void drop(net *t)
{
    hd_data_free(t->d);
    hd_model_free(t->m);
}

static void train(net *t, int epochs)
{
    int rows = hd_data_rows(t->d);
    hd_fit *f = hd_fit_new(t->m, t->d, 0, rows, (double[]){ rows, epochs }, 2);
    while (!hd_fit_done(f)) {
        kit_must(c, hd_fit_step(f, 1));
    }
    hd_fit_free(f);
}

/* Running statistics of channel 0; those of channel 1, which is -10 times it, follow: of its variance, `initial` is left of
 * the 1 that both began with. */
static void check_statistics(const net *t, double mean, double variance, double initial)
{
    const hd_real *m = kit_weight(t->m, "norm/runningMean"), *v = kit_weight(t->m, "norm/runningVariance");
    NEAR(m[0], mean, TOL(1e-6) * (1 + fabs(mean)));
    NEAR(m[1], -10 * mean, TOL(1e-6) * (1 + fabs(10 * mean)));
    NEAR(v[0], variance, TOL(1e-6) * (1 + variance));
    NEAR(v[1], initial + 100 * (variance - initial), TOL(1e-6) * 100 * (1 + variance));
}

static void check_running(const double *options, int n, int rows, double old, double batch_variance)
{
    net t = make(options, n, rows, 0.01);
    double mean = rows == 1 ? 1 : 3, loss;
    check_statistics(&t, 0, 1, 1);
    kit_must(c, hd_gradients(t.m, t.d, 0, rows, 1, 1, &loss)); /* looks, but changes nothing */
    check_statistics(&t, 0, 1, 1);
    train(&t, 1);
    check_statistics(&t, (1 - old) * mean, old + (1 - old) * batch_variance, old);
    train(&t, 1);
    check_statistics(&t, (1 - old * old) * mean, old * old + (1 - old * old) * batch_variance, old * old);
    drop(&t);
}

#define OPTIONS(...) (double[]){ __VA_ARGS__ }, COUNT(((double[]){ __VA_ARGS__ }))

static void test_running(void)
{
    check_running(OPTIONS(KERAS), 4, 0.99, 3.5);
    check_running(OPTIONS(KERAS, 0.6), 4, 0.6, 3.5);
    check_running(OPTIONS(PYTORCH), 4, 0.9, 14.0 / 3);
    check_running(OPTIONS(PYTORCH, 0.25, 1e-5, 0, 0), 4, 0.75, 14.0 / 3);
    check_running(OPTIONS(PYTORCH, 1), 4, 0, 14.0 / 3);
    check_running(OPTIONS(KERAS), 1, 0.99, 0); /* one row: no variance, by either count */
    check_running(OPTIONS(PYTORCH), 1, 0.9, 0);
}

/* Frozen by the option, or the statistics by the user: they stay, gamma and beta learn. */
static void test_frozen(void)
{
    for (int by_option = 0; by_option < 2; by_option++) {
        net t = make(OPTIONS(KERAS, 0, 0, 1, 1, by_option), 4, 0.01);
        if (!by_option) {
            kit_must(c, hd_weight_set(t.m, "norm/runningMean", "frozen", (double[]){ 1 }, 1));
        }
        train(&t, 2);
        check_statistics(&t, 0, 1, 1);
        CHECK(kit_weight(t.m, "norm/gamma")[0] != 1 && kit_weight(t.m, "norm/beta")[0] != 0);
        drop(&t);
    }
}

/* Gradients as at inference are those of a frozen layer; as in training they differ. */
static void test_inference_gradient(void)
{
    hd_real g[3][4];
    for (int i = 0; i < 3; i++) { /* inference; frozen, training; training */
        net t = make(OPTIONS(PYTORCH, 0, 0, 1, 1, i == 1, HD_TANH), 4, 0.01);
        double loss;
        kit_fill(kit_weight(t.m, "norm/runningMean"), 2, 3);
        kit_must(c, hd_weights_check(t.m));
        kit_must(c, hd_gradients(t.m, t.d, 0, 4, i > 0, 1, &loss));
        memcpy(g[i], kit_gradient(t.m, "norm/gamma"), 2 * sizeof **g);
        memcpy(g[i] + 2, kit_gradient(t.m, "norm/beta"), 2 * sizeof **g);
        drop(&t);
    }
    CHECK(!memcmp(g[0], g[1], sizeof *g) && g[0][0] != 0);
    CHECK(memcmp(g[0], g[2], sizeof *g));
}

/* Inference is act(scale x + shift) to the last bit (in the relaxed build, fused). */
static void test_inference(void)
{
    net t = make(OPTIONS(KERAS, 0, 0, 1, 1, 0, HD_RELU), 4, 0.01);
    train(&t, 3);
    hd_real *p = kit_predict(c, t.m, t.d, t.norm, 4, 2);
    const hd_real *gamma = kit_weight(t.m, "norm/gamma"),
                  *beta = kit_weight(t.m, "norm/beta"), *m = kit_weight(t.m, "norm/runningMean"),
                  *v = kit_weight(t.m, "norm/runningVariance");
    for (int i = 0; i < 8; i++) {
        int k = i % 2;
        double factor = (double)gamma[k] / sqrt((double)v[k] + 1e-3);
        real scale = (real)factor, shift = (real)((double)beta[k] - (double)m[k] * factor),
             value = (real)((real[]){ 1, 2, 3, 6 }[i / 2] * (k ? -10 : 1)), lanes[HD_VL];
        vstore(lanes, vmadd(vset(scale), vset(value), vset(shift)));
        CHECK(p[i] == (lanes[0] > 0 ? lanes[0] : 0));
    }
    free(p);
    drop(&t);
}

/* conv2d and batchNorm as one step, or as two where the convolution's output is looked at: the same bits. */
static void check_folding(int filters, int kernel, int groups, hd_activation act)
{
    hd_real *p[2] = { NULL };
    for (int seen = 0; seen < 2; seen++) {
        hd_model *m = hd_model_new(c);
        int input = hd_input(m, "x", (int[]){ 9, 8, 8 }, 3), dims[6];
        int conv = LAYER(m, "conv2d", "conv", input, filters, 1, kernel, 0, 1, 0, 0, groups);
        int norm = LAYER(m, "batchNorm", "norm", conv, PYTORCH, 0, 0, 1, 1, 0, act);
        kit_must(c, hd_output(m, norm));
        kit_must(c, seen ? hd_output(m, conv) : HD_OK);
        kit_must(c, hd_model_build(m, 4));
        kit_fill(kit_weight(m, "norm/gamma"), (size_t)filters, 5);
        kit_fill(kit_weight(m, "norm/beta"), (size_t)filters, 6);
        kit_fill(kit_weight(m, "norm/runningMean"), (size_t)filters, 7);
        kit_fill(kit_weight(m, "conv/bias"), (size_t)filters, 8);
        for (int k = 0; k < filters; k++) {
            kit_weight(m, "norm/runningVariance")[k] = (hd_real)(0.1 + 0.3 * k);
        }
        kit_must(c, hd_weights_check(m));
        hd_data *d = hd_data_new(c, 3);
        kit_fill(kit_column(c, d, HD_COLUMN_INPUT, 0, 576), 3 * 576, 9);
        CHECK(hd_node_shape(m, norm, dims) == 3);
        p[seen] = kit_predict(c, m, d, norm, 3, (size_t)(dims[0] * dims[1] * filters));
        if (seen) {
            CHECK(!memcmp(p[0], p[1], (size_t)(3 * dims[0] * dims[1] * filters) * sizeof **p));
        }
        hd_data_free(d);
        hd_model_free(m);
    }
    free(p[0]);
    free(p[1]);
}

static void test_folding(void)
{
    for (hd_activation act = HD_LINEAR; act < HD_SOFTMAX; act++) {
        check_folding(8, 3, 1, act);
        check_folding(7, 1, 1, act);
        check_folding(8, 3, 8, act);
        check_folding(6, 2, 2, act);
    }
}

/* --- layerNorm, refusals ----------------------------------------------------------------------------------- */

static void check_rows(size_t rows, size_t n)
{
    static real gamma[512], beta[512], stats[2048];
    CHECK(n <= 512 && 2 * rows <= 2048);
    fill(rows * n, rows * n, 0);
    kit_fill(gamma, n, 4);
    kit_fill(beta, n, 5);
    for (size_t i = 0; i < rows * n; i++) {
        x[i] += (real)(100 * (i / n % 3));
    }
    hd_row_norm(c->pool, rows, n, x, 1e-3, gamma, beta, y, stats);
    for (size_t r = 0; r < rows; r++) {
        double m = 0, v = 0;
        for (size_t i = 0; i < n; i++) {
            m += x[r * n + i] / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            v += (x[r * n + i] - m) * (x[r * n + i] - m) / (double)n;
        }
        double s = 1 / sqrt(v + 1e-3);
        NEAR(stats[2 * r], m, TOL(1e-5));
        NEAR(stats[2 * r + 1], s, TOL(1e-5) * s);
        for (size_t i = 0; i < n; i++) {
            NEAR(y[r * n + i], gamma[i] * (x[r * n + i] - m) * s + beta[i], TOL(1e-4) * (1 + s)); /* ulp of 200: 1.5e-5 */
        }
    }
}

static void test_layer_norm(void)
{
    for (size_t n = 1; n < 300; n = n * 2 + 1) {
        check_rows(1, n);
        check_rows(300, n);
    }
    check_rows(7, 512);
}

static void test_refusals(void)
{
    hd_model *m = hd_model_new(c);
    int scalar = hd_input(m, "s", NULL, 0), vector = hd_input(m, "v", (int[]){ 4 }, 1);
    CHECK(hd_layer(m, "batchNorm", "a", &scalar, 1, NULL, 0) < 0);
    CHECK_TEXT(hd_error(c), "layer 2 \"a\" (batchNorm): the input is [], expected a last axis of 1..1048576 channels");
    CHECK(hd_layer(m, "layerNorm", "a", &scalar, 1, NULL, 0) < 0);
    CHECK_TEXT(hd_error(c), "layer 2 \"a\" (layerNorm): expected at least one axis, got a scalar");
    CHECK(hd_layer(m, "batchNorm", "a", &vector, 1, OPTIONS(KERAS, 1.5)) < 0);
    CHECK_TEXT(hd_error(c), "layer 2 \"a\" (batchNorm): momentum = 1.5, expected a number >= 0 and <= 1");
    CHECK(hd_layer(m, "batchNorm", "a", &vector, 1, OPTIONS(KERAS, 0, 0, 1, 1, 0, HD_RELU, 0.5)) < 0);
    CHECK_TEXT(hd_error(c), "layer 2 \"a\" (batchNorm): alpha = 0.5 with activation relu, only leakyRelu and elu have one");
    CHECK(hd_layer(m, "layerNorm", "a", &vector, 1, OPTIONS(0)) < 0);
    CHECK_TEXT(hd_error(c), "layer 2 \"a\" (layerNorm): epsilon = 0, expected a number > 0 and <= 1");
    hd_model_free(m);
}

/* Sums are cut the same way for any number of threads. */
static void check_threads(void)
{
    static double first[2][4][70];
    static const size_t channels[] = { 3, 64, 70 };
    for (int i = 0; i < 3; i++) {
        for (int threads = 1; threads <= 3; threads += 2) {
            hd_context *t = hd_context_new(threads);
            double(*to)[70] = first[threads > 1];
            real center[1024] = { 0 };
            fill(channels[i] * 5000, channels[i], 1);
            hd_channel_moments(t->pool, 5000, channels[i], x, to[0], to[1], scratch);
            hd_channel_products(t->pool, 5000, channels[i], x, center, dy, to[2], to[3], scratch);
            hd_context_free(t);
        }
        CHECK(!memcmp(first[0], first[1], sizeof *first));
    }
}

int main(void)
{
    for (int threads = 1; threads <= 3; threads += 2) {
        c = hd_context_new(threads);
        test_kernels();
        test_running();
        test_frozen();
        test_inference_gradient();
        test_inference();
        test_folding();
        test_layer_norm();
        test_refusals();
        hd_context_free(c);
    }
    check_threads();
    return check_result("layer_norm");
}
