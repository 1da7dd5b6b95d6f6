/* Work whose instructions are counted, on one thread: instructions WORK ROUNDS. Without arguments: names of the works, a line each. See ../instructions.mjs. */
#include "kit.h"

#include <string.h>

enum { ROWS = 32, SIDE = 128, SCORES = 4096 };

/* Numbers in [-1, 1) from their places alone. */
static void fill(hd_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = (hd_real)((uint32_t)(i + 1) * 2654435761u >> 8) / 8388608 - 1;
    }
}

static hd_real *numbers(size_t n)
{
    hd_real *x = malloc(n * sizeof *x);
    if (!x) {
        exit(1);
    }
    fill(x, n);
    return x;
}

#define ADD(m, kind, name, x, ...)                                                                                     \
    node(hd_layer(m, kind, name, (int[]){ x }, 1, (double[]){ __VA_ARGS__ }, (int)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double))))

/* Trains so many batches of `rows` rows by Adam. */
static void train(hd_model *m, int output, const char *loss, int in, int out, int rows, int rounds)
{
    must(hd_output(m, output));
    must(hd_model_build(m, 1));
    must(hd_loss_add(m, 0, loss, 1, NULL, 0));
    must(hd_optimizer_set(m, "adam", NULL, 0));
    hd_data *d = hd_data_new(context, rows);
    fill(hd_data_column(d, HD_COLUMN_INPUT, 0, HD_FLOAT, in, 1, 0), (size_t)rows * (size_t)in);
    fill(hd_data_column(d, HD_COLUMN_TARGET, 0, HD_FLOAT, out, 1, 0), (size_t)rows * (size_t)out);
    hd_fit *f = hd_fit_new(m, d, 0, rows, (double[]){ rows, rounds, 0 }, 3);
    while (!hd_fit_done(f)) {
        must(hd_fit_step(f, 1));
    }
    hd_fit_free(f);
    hd_data_free(d);
}

static void gemm(int type, int ta, int tb, int rounds)
{
    enum { N = 192 };
    double *wide = calloc(3 * N * N, sizeof *wide);
    for (int i = 0; i < rounds; i++) {
        must(hd_linalg_gemm(context, type, ta, tb, N, N, N, 1, wide, wide + N * N, 0, wide + 2 * N * N));
    }
    free(wide);
}

static void gemm_nn(int rounds)
{
    gemm(HD_F32, 0, 0, rounds);
}

static void gemm_nt(int rounds)
{
    gemm(HD_F32, 0, 1, rounds);
}

static void gemm_tn(int rounds)
{
    gemm(HD_F32, 1, 0, rounds);
}

static void gemm_f64(int rounds)
{
    gemm(HD_F64, 0, 1, rounds);
}

static void spd_solve(int rounds)
{
    enum { N = 128, M = 16 };
    double *a = malloc(N * N * sizeof *a), *b = malloc(N * M * sizeof *b);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < N * N; i++) {
            a[i] = i % (N + 1) == 0 ? 2 * N : 1;
        }
        memset(b, 0, N * M * sizeof *b);
        must(hd_linalg_spd_solve(context, HD_F64, N, M, a, b));
    }
    free(a);
    free(b);
}

static void matnet(int rounds)
{
    hd_model *m = hd_model_new(context);
    int x = node(hd_input(m, "x", (int[]){ 28, 28 }, 2));
    int h = ADD(m, "bilinear", "a", x, 20, 20, 1);
    h = ADD(m, "bilinear", "b", h, 16, 16, 1);
    h = node(hd_layer(m, "flatten", "f", &h, 1, NULL, 0));
    train(m, ADD(m, "dense", "y", h, 10), "meanSquaredError", 784, 10, ROWS, rounds);
    hd_model_free(m);
}

static void dense_adam(int rounds)
{
    hd_model *m = hd_model_new(context);
    int x = node(hd_input(m, "x", (int[]){ 512 }, 1));
    train(m, ADD(m, "dense", "y", x, 512), "meanSquaredError", 512, 512, 8, rounds);
    hd_model_free(m);
}

/* Convolutions of images of 16 x 16 pixels: kernel size, groups, channels and filters. */
static void convolution(int size, int groups, int rounds)
{
    hd_model *m = hd_model_new(context);
    int x = node(hd_input(m, "x", (int[]){ 16, 16, 32 }, 3)), none = 0;
    int y = ADD(m, "conv2d", "c", x, 32, 1, size, none, 1, none, none, groups, 3); /* padding same, ReLU */
    y = node(hd_layer(m, "batchNorm", "n", &y, 1, NULL, 0));
    y = node(hd_layer(m, "maxPool2d", "p", &y, 1, NULL, 0));
    train(m, node(hd_layer(m, "globalAveragePool2d", "y", &y, 1, NULL, 0)), "meanSquaredError", 16 * 16 * 32, 32, 8, rounds);
    hd_model_free(m);
}

static void conv_3(int rounds)
{
    convolution(3, 1, rounds);
}

static void conv_5(int rounds)
{
    convolution(5, 1, rounds);
}

static void depthwise(int rounds)
{
    convolution(3, 32, rounds);
}

static void norm_in_norm(int rounds)
{
    hd_model *m = hd_model_new(context);
    int x = node(hd_input(m, "x", (int[]){ 1 }, 1));
    train(m, ADD(m, "dense", "y", x, 1), "normInNorm", 1, 1, SCORES, rounds);
    hd_model_free(m);
}

/* Halves a picture of bytes. */
static void resize(int method, int rounds)
{
    uint8_t *x = calloc(SIDE * SIDE * 3, 1), *y = malloc(SIDE * SIDE * 3);
    for (int i = 0; i < rounds; i++) {
        must(hd_image_resize(context, HD_UINT8, SIDE, SIDE, 3, x, method, 0, SIDE / 2, SIDE / 2, y));
    }
    free(x);
    free(y);
}

static void bilinear(int rounds)
{
    resize(HD_RESIZE_BILINEAR, rounds);
}

static void bicubic(int rounds)
{
    resize(HD_RESIZE_BICUBIC, rounds);
}

static void ssim(int rounds)
{
    hd_real *x = numbers(SIDE * SIDE), *y = numbers(SIDE * SIDE), value = 0;
    double found = value;
    for (int i = 0; i < rounds; i++) {
        must(hd_image_compare(context, HD_FLOAT, SIDE, SIDE, 1, x, y, HD_COMPARE_SSIM, 0, 1, &found));
    }
    free(x);
    free(y);
}

/* The super-resolution paper's network on all windows of a picture. */
static void windows(int rounds)
{
    enum { PLANES = 5, SMALL = 64, PATCH = 15, HIDDEN = 10, SIGMOID = 1 };
    hd_real *x = numbers(PLANES * SMALL * SMALL), *y = numbers(SMALL * SMALL);
    hd_real *w = numbers(PLANES * 2 * HIDDEN * PATCH + HIDDEN * HIDDEN + 2 * PATCH * HIDDEN + PATCH * PATCH);
    for (int i = 0; i < rounds; i++) {
        must(hd_image_matnet(context, PLANES, SMALL, SMALL, 0, SMALL, x, PATCH, PATCH, HIDDEN, HIDDEN, SIGMOID, 0, w, 0, SMALL, y));
    }
    free(x);
    free(y);
    free(w);
}

static const struct {
    const char *name;
    void (*run)(int rounds);
} works[] = {
    { "gemm NN 192", gemm_nn }, { "gemm NT 192", gemm_nt }, { "gemm TN 192", gemm_tn }, { "gemm float64 NT 192", gemm_f64 },
    { "spdSolve 128, 16 right sides", spd_solve }, { "MatNet step, batch 32", matnet }, { "dense 512 Adam step, batch 8", dense_adam },
    { "conv 3x3 step (Winograd)", conv_3 }, { "conv 5x5 step", conv_5 }, { "depthwise conv 3x3 step", depthwise },
    { "Norm-in-Norm step, 4,096 scores", norm_in_norm }, { "resize bilinear, bytes", bilinear }, { "resize bicubic, bytes", bicubic }, { "SSIM 128 x 128", ssim },
    { "MatNet on all windows of 64 x 64", windows },
};

int main(int argc, char **argv)
{
    context = hd_context_new(1);
    for (size_t i = 0; context && i < sizeof works / sizeof *works; i++) {
        if (argc < 3) {
            puts(works[i].name);
        } else if (!strcmp(argv[1], works[i].name)) {
            works[i].run(atoi(argv[2]));
        }
    }
    hd_context_free(context);
    return 0;
}
