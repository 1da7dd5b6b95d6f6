/* Poolings and normalisations give the same bits on every platform and for every number of threads: ten steps of a network
 * made of them, against one digest (of this library's own; after a deliberate change the failing test prints the new one). */
#include "kern/activation.h"

#include "layer_kit.h"

enum { N = 64, H = 17, W = 14, C = 6 };

#define DIGEST 0x77c19410u /* FNV-1a, 32 bits, of the weights' bytes in order, running statistics included */
#define LOSS 1.3682977391445639 /* of the last step */

static hd_model *make_model(hd_context *c)
{
    hd_model *m = hd_model_new(c);
    int x = hd_input(m, "x", (int[]){ H, W, C }, 3);
    int a = LAYER(m, "batchNorm", "a", x, 0, 0.9, 0, 1, 1, 0, HD_ELU);
    int b = LAYER(m, "maxPool2d", "b", a, 1, 3, 1, 2, 1);                /* same */
    int d = LAYER(m, "layerNorm", "d", LAYER(m, "dense", "wide", b, 9), 1e-3);
    int e = LAYER(m, "avgPool2d", "e", d, 1, 2, 1, 1);
    int f = LAYER(m, "batchNorm", "f", e, 1, 0, 0, 1, 1, 0, HD_TANH);
    int g[3] = { hd_layer(m, "globalAveragePool2d", "mean", &f, 1, NULL, 0), hd_layer(m, "globalMaxPool2d", "max", &f, 1, NULL, 0),
                 hd_layer(m, "globalStdPool2d", "std", &f, 1, NULL, 0) };
    int all = hd_layer(m, "concat", "all", g, 3, NULL, 0);
    kit_must(c, all < 0 ? HD_ERR_ARGUMENT : hd_output(m, LAYER(m, "dense", "y", all, 4, HD_SOFTMAX)));
    kit_must(c, hd_model_build(m, 7));
    kit_must(c, hd_loss_add(m, 0, "sparseCategoricalCrossentropy", 1, NULL, 0));
    kit_must(c, hd_optimizer_set(m, "adam", (double[]){ 0.02 }, 1));
    return m;
}

static unsigned train(int threads, double *loss)
{
    hd_context *c = hd_context_new(threads);
    hd_model *m = make_model(c);
    hd_data *d = hd_data_new(c, N);
    kit_fill(kit_column(c, d, HD_COLUMN_INPUT, 0, H * W * C), (size_t)N * H * W * C, 1);
    hd_real *label = kit_column(c, d, HD_COLUMN_TARGET, 0, 1);
    for (int i = 0; i < N; i++) {
        label[i] = (hd_real)(i * 7 % 4);
    }
    hd_fit *f = hd_fit_new(m, d, 0, N, (double[]){ N / 2, 5, 1, 5 }, 4);
    while (f && !hd_fit_done(f)) {
        kit_must(c, hd_fit_step(f, 1));
    }
    CHECK(f && hd_fit_stat(f, HD_FIT_STEP) == 10);
    *loss = hd_fit_stat(f, HD_FIT_BATCH_LOSS);
    unsigned digest = 0x811c9dc5u;
    for (int w = 0; w < hd_weight_count(m); w++) {
        const unsigned char *bytes = (const unsigned char *)hd_weight_data(m, w);
        for (size_t i = 0; i < kit_size(m, hd_weight_name(m, w)) * sizeof(hd_real); i++) {
            digest = (digest ^ bytes[i]) * 0x01000193u;
        }
    }
    hd_fit_free(f);
    hd_data_free(d);
    hd_model_free(m);
    hd_context_free(c);
    return digest;
}

int main(void)
{
    double loss, again;
    unsigned digest = train(1, &loss);
    for (int threads = 2; threads <= 4; threads++) {
        CHECK(train(threads, &again) == digest && again == loss);
    }
    printf("digest 0x%08xu, loss %.17g\n", digest, loss);
#if defined(HD_FLOAT64) || defined(__wasm_relaxed_simd__)
    NEAR(loss, LOSS, 1e-3);
#else
    CHECK(digest == DIGEST && loss == LOSS);
#endif
    return check_result("bits_pool");
}
