/* Losses on what convolutional networks put out: softmax over the channels of each pixel, and every loss on scores of
 * classes. */
#include "kern/activation.h"
#include "layer_kit.h"

enum { N = 3, H = 3, W = 4, IN = 2, CLASSES = 5, PIXELS = N * H * W };

static hd_context *c;

/* Ways to have a softmax over the channels of (H, W, CLASSES), from scores by "k/kernel" and "k/bias"; twice those for IN_ADD. */
enum { IN_CONV, IN_DENSE, AS_LAYER, IN_ADD, WAYS };

static hd_model *softmax_net(int way)
{
    hd_model *m = hd_model_new(c);
    int x = hd_input(m, "x", (int[]){ H, W, IN }, 3), act = way == IN_CONV || way == IN_DENSE ? HD_SOFTMAX : HD_LINEAR;
    int k = way == IN_DENSE ? LAYER(m, "dense", "k", x, CLASSES, act) :
                              LAYER(m, "conv2d", "k", x, CLASSES, 1, 1, 0, 0, 0, 0, 1, act);
    if (way == AS_LAYER) {
        LAYER(m, "activation", "p", k, HD_SOFTMAX);
    }
    if (way == IN_ADD) {
        CHECK(hd_layer(m, "add", "p", (int[]){ k, k }, 2, (double[]){ HD_SOFTMAX }, 1) > 0);
    }
    kit_must(c, hd_model_build(m, 1));
    kit_fill(kit_weight(m, "k/kernel"), CLASSES * IN, 1);
    kit_fill(kit_weight(m, "k/bias"), CLASSES, 2);
    return m;
}

/* One-hot targets. */
static hd_data *pixel_data(const hd_real **input, const hd_real **target)
{
    hd_data *d = hd_data_new(c, N);
    hd_real *x = kit_column(c, d, HD_COLUMN_INPUT, 0, H * W * IN), *t = kit_column(c, d, HD_COLUMN_TARGET, 0, H * W * CLASSES);
    kit_fill(x, PIXELS * IN, 3);
    *input = x;
    *target = t;
    for (int p = 0; p < PIXELS; p++) {
        for (int k = 0; k < CLASSES; k++) {
            t[p * CLASSES + k] = p * 7 % CLASSES == k;
        }
    }
    return d;
}

/* p = softmax(factor (K x + b)) of one pixel. */
static void plain_softmax(hd_model *m, const hd_real *x, double factor, double p[CLASSES])
{
    const hd_real *kernel = kit_weight(m, "k/kernel"), *bias = kit_weight(m, "k/bias");
    double sum = 0;
    for (int k = 0; k < CLASSES; k++) {
        double z = (double)bias[k];
        for (int i = 0; i < IN; i++) {
            z += (double)kernel[k * IN + i] * (double)x[i];
        }
        sum += p[k] = exp(factor * z);
    }
    for (int k = 0; k < CLASSES; k++) {
        p[k] /= sum;
    }
}

/* Cross entropy, the mean over pixels: value, predictions and kernel gradient (p - t) x^T, from logits and (with a second
 * loss on the same output) from probabilities. */
static void test_softmax(int way, bool fused)
{
    hd_model *m = softmax_net(way);
    const hd_real *x, *t;
    hd_data *d = pixel_data(&x, &t);
    for (int i = 0; i < (fused ? 1 : 2); i++) {
        kit_must(c, hd_loss_add(m, 0, "categoricalCrossentropy", fused ? 1 : 0.5, NULL, 0));
    }
    const double factor = way == IN_ADD ? 2 : 1;
    double loss, expected = 0, slope[CLASSES][IN] = { { 0 } };
    hd_real *y = kit_predict(c, m, d, hd_output_node(m, 0), N, H * W * CLASSES);
    kit_must(c, hd_gradients(m, d, 0, N, 1, 0, &loss));
    for (int n = 0; n < PIXELS; n++) {
        double p[CLASSES];
        plain_softmax(m, x + n * IN, factor, p);
        for (int k = 0; k < CLASSES; k++) {
            const double target = (double)t[n * CLASSES + k];
            NEAR(y[n * CLASSES + k], p[k], TOL(5e-7));
            expected -= target * log(p[k]) / PIXELS;
            for (int i = 0; i < IN; i++) {
                slope[k][i] += factor * (p[k] - target) * (double)x[n * IN + i] / PIXELS;
            }
        }
    }
    NEAR(loss, expected, TOL(1e-6));
    for (int k = 0; k < CLASSES; k++) {
        for (int i = 0; i < IN; i++) {
            NEAR(kit_gradient(m, "k/kernel")[k * IN + i], slope[k][i], TOL(1e-6));
        }
    }
    free(y);
    hd_data_free(d);
    hd_model_free(m);
}

/* --- scores of classes, (N, classes) -------------------------------------------------------------------- */

enum { SAMPLES = 64, SIDE = 8, QUARTERS = 4 };

/* Noise with a bright patch in one quarter of the image; labels one-hot, with `other` for the wrong classes. */
static hd_data *patches(double other)
{
    hd_data *d = hd_data_new(c, SAMPLES);
    hd_real *x = kit_column(c, d, HD_COLUMN_INPUT, 0, SIDE * SIDE), *t = kit_column(c, d, HD_COLUMN_TARGET, 0, QUARTERS);
    kit_fill(x, SAMPLES * SIDE * SIDE, 8);
    for (int n = 0; n < SAMPLES; n++) {
        const int label = n * 5 / 3 % QUARTERS;
        for (int p = 0; p < SIDE * SIDE; p++) {
            const int quarter = p / SIDE / (SIDE / 2) * 2 + p % SIDE / (SIDE / 2);
            x[n * SIDE * SIDE + p] += (hd_real)(quarter == label ? 1 : 0);
        }
        for (int k = 0; k < QUARTERS; k++) {
            t[n * QUARTERS + k] = (hd_real)(k == label ? 1 : other);
        }
    }
    return d;
}

/* A small convolutional network learns them with this loss on its output. */
static void test_loss(const char *loss, hd_activation act, double other)
{
    hd_model *m = hd_model_new(c);
    hd_data *d = patches(other);
    int node = hd_input(m, "x", (int[]){ SIDE, SIDE, 1 }, 3);
    node = LAYER(m, "conv2d", "conv", node, 6, 1, 3, 0, 1, 0, 0, 1, HD_RELU);
    node = LAYER(m, "maxPool2d", "pool", node, 1, 2);
    node = hd_layer(m, "flatten", "flat", &node, 1, NULL, 0);
    node = LAYER(m, "dense", "scores", node, QUARTERS, act);
    kit_must(c, hd_model_build(m, 5));
    kit_must(c, hd_loss_add(m, 0, loss, 1, NULL, 0));
    CHECK(hd_metric_add(m, 0, "accuracy", NULL, 0) == 0);
    kit_must(c, hd_optimizer_set(m, "adam", (double[]){ 0.01 }, 1));
    hd_fit *f = hd_fit_new(m, d, 0, SAMPLES, (double[]){ 16, 40 }, 2);
    CHECK(f != NULL);
    double first = NAN;
    while (f && !hd_fit_done(f)) {
        kit_must(c, hd_fit_step(f, 16));
        first = isnan(first) ? hd_fit_loss(f, 0) : first;
    }
    NEAR(hd_fit_metric(f, 0, 0), 1, 0.05); /* a quarter of them by chance */
    CHECK(hd_fit_loss(f, 0) < first);
    hd_fit_free(f);
    hd_data_free(d);
    hd_model_free(m);
}

int main(void)
{
    c = hd_context_new(2);
    for (int way = 0; way < WAYS; way++) {
        test_softmax(way, true);
        test_softmax(way, false);
    }
    test_loss("categoricalCrossentropy", HD_SOFTMAX, 0);
    test_loss("meanSquaredError", HD_SOFTMAX, 0);
    test_loss("meanSquaredError", HD_LINEAR, 0);
    test_loss("meanAbsoluteError", HD_SOFTMAX, 0);
    test_loss("huber", HD_SOFTMAX, 0);
    test_loss("poisson", HD_SOFTMAX, 0);
    test_loss("logisticMse", HD_LINEAR, -1);
    hd_context_free(c);
    return check_result("image_loss");
}
