/* The same bits on every platform and for every number of threads: three epochs of a matrix network with everything in it
 * that draws, sums or rounds, against one digest. The same run, in JavaScript: tests/browser/bits.js. */
#include "bits_golden.h"
#include "check.h"
#include "heddle.h"

#include <stdlib.h>

enum { ROWS = 1000, SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10, SIGMOID = 1, TANH = 2, SOFTMAX = 8, MAX_SIZE = 8192 };

typedef struct outcome {
    uint32_t digest;
    double loss;
    size_t size;
    hd_real weights[MAX_SIZE];
} outcome;

static void stop(const hd_context *c)
{
    printf("%s\n", hd_error(c));
    exit(1);
}

/* splitmix32 */
static uint32_t mixed(uint32_t *state)
{
    uint32_t z = *state += 0x9e3779b9u;
    z = (z ^ (z >> 16)) * 0x21f0aaadu;
    z = (z ^ (z >> 15)) * 0x735a2d97u;
    return z ^ (z >> 15);
}

/* Noise, brighter in the two rows of the label. Bytes x become (x - 128) / 64, exactly. */
static hd_data *make_data(hd_context *c)
{
    uint32_t state = 1;
    hd_data *d = hd_data_new(c, ROWS);
    uint8_t *x = d ? hd_data_column(d, HD_COLUMN_INPUT, 0, HD_UINT8, PIXELS, 1.0 / 64, -2) : NULL;
    uint8_t *y = x ? hd_data_column(d, HD_COLUMN_TARGET, 0, HD_UINT8, 1, 1, 0) : NULL;
    if (!y) {
        stop(c);
    }
    for (int row = 0; row < ROWS; row++) {
        y[row] = (uint8_t)(mixed(&state) % CLASSES);
        for (int i = 0; i < PIXELS; i++) {
            int bright = i / SIDE / 2 == y[row] ? 60 : 0;
            x[row * PIXELS + i] = (uint8_t)(bright + (int)(mixed(&state) % 190));
        }
    }
    return d;
}

static hd_model *make_model(hd_context *c)
{
    hd_model *m = hd_model_new(c);
    if (!m) {
        stop(c);
    }
    int x = hd_input(m, "x", (int[]){ SIDE, SIDE }, 2);
    int a = hd_layer(m, "bilinear", "a", &x, 1, (double[]){ 20, 20, SIGMOID }, 3);
    int b = hd_layer(m, "bilinear", "b", &a, 1, (double[]){ 16, 16, TANH }, 3);
    int flat = hd_layer(m, "flatten", "flat", &b, 1, NULL, 0);
    int drop = hd_layer(m, "dropout", "drop", &flat, 1, (double[]){ 0.2 }, 1);
    hd_layer(m, "dense", "y", &drop, 1, (double[]){ CLASSES, SOFTMAX }, 2);
    if (hd_weight_set(m, "a/U", "unitNorm", NULL, 0) || hd_weight_set(m, "a/V", "unitNorm", NULL, 0) ||
        hd_activity_set(m, "a", "klSparsity", (double[]){ 0.3, 0.001 }, 2) ||
        hd_weight_set(m, "y/kernel", "l2", (double[]){ 0.0001 }, 1) || hd_model_build(m, 7) ||
        hd_loss_add(m, 0, "sparseCategoricalCrossentropy", 1, NULL, 0) ||
        hd_optimizer_set(m, "adam", (double[]){ 0.02 }, 1) || hd_schedule_set(m, "cosine", NULL, 0)) {
        stop(c);
    }
    return m;
}

static void digest_weights(hd_model *m, outcome *out)
{
    out->digest = 0x811c9dc5u;
    for (int w = 0; w < hd_weight_count(m); w++) {
        int dims[6], rank = hd_weight_shape(m, w, dims);
        size_t n = 1;
        for (int i = 0; i < rank; i++) {
            n *= (size_t)dims[i];
        }
        const hd_real *values = hd_weight_data(m, w);
        const unsigned char *bytes = (const unsigned char *)values;
        for (size_t i = 0; i < n * sizeof *values; i++) {
            out->digest = (out->digest ^ bytes[i]) * 0x01000193u;
        }
        CHECK(out->size + n <= MAX_SIZE);
        memcpy(out->weights + out->size, values, n * sizeof *values);
        out->size += n;
    }
}

static outcome *train(int threads)
{
    outcome *out = calloc(1, sizeof *out);
    hd_context *c = hd_context_new(threads);
    hd_model *m = make_model(c);
    hd_data *d = make_data(c);
    hd_fit *f = hd_fit_new(m, d, 0, ROWS, (double[]){ 256, 3, 1, 5 }, 4);
    while (f && !hd_fit_done(f)) {
        if (hd_fit_step(f, 2)) {
            stop(c);
        }
    }
    CHECK(f && hd_fit_stat(f, HD_FIT_STEP) == 12);
    out->loss = f ? hd_fit_stat(f, HD_FIT_LOSS) : NAN;
    digest_weights(m, out);
    hd_fit_free(f);
    hd_data_free(d);
    hd_model_free(m);
    hd_context_free(c);
    return out;
}

int main(void)
{
    outcome *one = train(1);
    for (int threads = 2; threads <= 4; threads++) {
        outcome *more = train(threads);
        CHECK(more->loss == one->loss && more->size == one->size);
        CHECK(!memcmp(one->weights, more->weights, one->size * sizeof *one->weights));
        free(more);
    }
    printf("digest 0x%08xu, loss %.17g\n", (unsigned)one->digest, one->loss);
    CHECK(one->size == 4986);
#if defined(HD_FLOAT64) || defined(__wasm_relaxed_simd__)
    NEAR(one->loss, LOSS, 1e-5);
#else
    CHECK(one->digest == DIGEST);
    CHECK(one->loss == LOSS);
#endif
    CHECK(one->loss < 1.2); /* it has learnt: log 10 at the start */
    free(one);
    return check_result("bits");
}
