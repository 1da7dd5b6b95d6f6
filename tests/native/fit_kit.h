/* A small network with two outputs and its data, for the tests of fits. */
#ifndef HD_TESTS_FIT_KIT_H
#define HD_TESTS_FIT_KIT_H

#include "layer_kit.h"

enum { ROWS = 30, SIZE = 12, CLASSES = 3, SIGMOID = 1, SOFTMAX = 7 };

static hd_context *c;

/* Two outputs: classes "a" and numbers "b", on one hidden matrix. */
static inline hd_model *make_graph(void)
{
    hd_model *m = hd_model_new(c);
    int x = hd_input(m, "x", (int[]){ 4, 3 }, 2);
    int h = LAYER(m, "bilinear", "h", x, 3, 2, SIGMOID);
    int f = hd_layer(m, "flatten", "f", &h, 1, NULL, 0);
    int a = LAYER(m, "dense", "a", f, CLASSES, SOFTMAX), b = LAYER(m, "dense", "b", f, 2);
    kit_must(c, hd_output(m, a));
    kit_must(c, hd_output(m, b));
    return m;
}

static inline void compile(hd_model *m, const char *optimizer, double rate, double weight_a, double weight_b)
{
    kit_must(c, hd_compile_reset(m));
    kit_must(c, hd_loss_add(m, 0, "sparseCategoricalCrossentropy", weight_a, NULL, 0));
    kit_must(c, hd_loss_add(m, 1, "meanSquaredError", weight_b, NULL, 0));
    CHECK(hd_metric_add(m, 0, "accuracy", NULL, 0) == 0);
    kit_must(c, hd_optimizer_set(m, optimizer, &rate, 1));
}

static inline hd_model *make_model(const char *optimizer, double rate)
{
    hd_model *m = make_graph();
    kit_must(c, hd_model_build(m, 4));
    compile(m, optimizer, rate, 1, 0.5);
    return m;
}

/* Rows [begin, end) of one data set. */
static inline hd_data *make_rows(int begin, int end)
{
    int n = end - begin;
    hd_real x[ROWS * SIZE], y[ROWS * 2];
    hd_data *d = hd_data_new(c, n);
    kit_fill(x, ROWS * SIZE, 1);
    kit_fill(y, ROWS * 2, 2);
    memcpy(kit_column(c, d, HD_COLUMN_INPUT, 0, SIZE), x + begin * SIZE, (size_t)(n * SIZE) * sizeof *x);
    hd_real *labels = kit_column(c, d, HD_COLUMN_TARGET, 0, 1);
    for (int i = 0; i < n; i++) {
        labels[i] = (hd_real)((begin + i) * 7 % CLASSES);
    }
    memcpy(kit_column(c, d, HD_COLUMN_TARGET, 1, 2), y + begin * 2, (size_t)(n * 2) * sizeof *y);
    return d;
}

#endif
