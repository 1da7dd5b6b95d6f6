/* Layers that move pixels, against numbers worked out by hand; augmentations. */
#include "base/context.h"
#include "base/option.h"
#include "model/model.h"
#include "model_kit.h"

/* Output for one input image. */
static void run(const char *kind, const double *options, int n_options, const int in[3], const hd_real *x, int expected,
                hd_real *y)
{
    hd_context *c = hd_context_new(2);
    hd_model *m = hd_model_new(c);
    int input = hd_input(m, "x", in, 3), node = hd_layer(m, kind, "y", &input, 1, options, n_options);
    CHECK(node == 1 && hd_model_build(m, 1) == HD_OK && kit_node_size(m, node) == (size_t)expected);
    const int size = in[0] * in[1] * in[2];
    hd_data *d = hd_data_new(c, 1);
    memcpy(hd_data_column(d, HD_COLUMN_INPUT, 0, HD_FLOAT, size, 1, 0), x, (size_t)size * sizeof *x);
    CHECK(hd_predict(m, d, node, 0, 1, 1, y) == HD_OK);
    hd_data_free(d);
    hd_model_free(m);
    hd_context_free(c);
}

static void check_run(const char *kind, const double *options, int n_options, const int in[3], const hd_real *x,
                      int expected, const hd_real *want)
{
    hd_real y[64];
    run(kind, options, n_options, in, x, expected, y);
    for (int i = 0; i < expected; i++) {
        NEAR(y[i], want[i], 1e-6);
    }
}

static void test_moves(void)
{
    static const hd_real four[] = { 1, 2, 3, 4 };
    static const int square[] = { 2, 2, 1 };
    check_run("pad2d", (double[]){ 4, 1, 0, 0, 2, 9 }, 6, square, four, 12,
              (hd_real[]){ 9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9, 9 });
    check_run("crop2d", (double[]){ 4, 1, 0, 0, 1 }, 5, square, four, 1, (hd_real[]){ 3 });
    check_run("upsample2d", NULL, 0, square, four, 16, (hd_real[]){ 1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4 });
    /* PyTorch: interpolate([[1, 2], [3, 4]], scale_factor=2, mode="bilinear", align_corners=False) */
    check_run("upsample2d", (double[]){ 1, 2, 1 }, 3, square, four, 16,
              (hd_real[]){ 1, 1.25f, 1.75f, 2, 1.5f, 1.75f, 2.25f, 2.5f, 2.5f, 2.75f, 3.25f, 3.5f, 3, 3.25f, 3.75f, 4 });
    /* TensorFlow's documentation of depth_to_space: [[[[1, 2, 3, 4]]]] with block 2 is [[1, 2], [3, 4]] */
    static const hd_real eight[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    check_run("depthToSpace", (double[]){ 2 }, 1, (const int[]){ 1, 1, 4 }, four, 4, four);
    check_run("depthToSpace", (double[]){ 2 }, 1, (const int[]){ 1, 2, 4 }, eight, 8, /* and [[1, 2, 5, 6], [3, 4, 7, 8]] */
              (hd_real[]){ 1, 2, 5, 6, 3, 4, 7, 8 });
    check_run("depthToSpace", (double[]){ 2 }, 1, (const int[]){ 1, 1, 8 }, eight, 8, eight); /* 2 channels stay together */
    check_run("rescaling", (double[]){ 3, 1, 10, 100, 1, 0.5, 1 }, 7, (const int[]){ 1, 1, 3 }, four, 3,
              (hd_real[]){ 3.5f, 20.5f, 100.5f });
}

static void refused(const char *kind, const double *options, int n, const int *in, int rank, const char *sentence)
{
    hd_context *c = hd_context_new(1);
    hd_model *m = hd_model_new(c);
    int input = hd_input(m, "x", in, rank);
    CHECK(hd_layer(m, kind, "y", &input, 1, options, n) == -1);
    CHECK_TEXT(hd_error(c), sentence);
    hd_model_free(m);
    hd_context_free(c);
}

static void test_refusals(void)
{
    static const int image[] = { 4, 4, 3 };
    refused("crop2d", (double[]){ 1, 2 }, 2, image, 3,
            "layer 1 \"y\" (crop2d): cropping of 4 rows and 4 columns, expected less than the image's 4 x 4");
    refused("pad2d", (double[]){ 3, 1, 1, 1 }, 4, image, 3,
            "layer 1 \"y\" (pad2d): padding has 3 values, expected 1 (all sides), 2 (rows, columns) or 4 (top, bottom, left, right)");
    refused("depthToSpace", (double[]){ 2 }, 1, image, 3,
            "layer 1 \"y\" (depthToSpace): 3 channels, expected a multiple of blockSize^2 = 4");
    refused("rescaling", (double[]){ 2, 1, 2 }, 3, image, 3,
            "layer 1 \"y\" (rescaling): scale has 2 values, expected 1 or one for each of 3 channels");
    refused("upsample2d", (double[]){ 3, 2, 2, 2 }, 4, image, 3,
            "layer 1 \"y\" (upsample2d): size has 3 values, expected 1 or 2 (rows, columns)");
    refused("randomFlip2d", NULL, 0, image, 2,
            "layer 1 \"y\" (randomFlip2d): expected an image [height, width, channels], got [4, 4]");
    refused("randomCrop2d", (double[]){ -1 }, 1, image, 3,
            "layer 1 \"y\" (randomCrop2d): padding = -1, expected an integer 0..1024");
    refused("randomRotation2d", NULL, 0, image, 3,
            "layer 1 \"y\" (randomRotation2d): degrees is required");
}

enum { IMAGES = 64, H = 5, W = 6, C = 2, PIXELS = H * W, SIZE = PIXELS * C };

/* Training-mode output for IMAGES copies of an image whose elements are 1, 2, 3, ... */
static void augment(const char *kind, const double *options, int n, uint32_t step, int threads, bool training, hd_real *y)
{
    hd_context *c = hd_context_new(threads);
    const hd_layer_class *class = hd_layer_class_find(kind);
    static hd_real x[IMAGES * SIZE];
    hd_values opt;
    CHECK(hd_options_read(c, kind, class->options, options, n, &opt) == HD_OK);
    for (int i = 0; i < IMAGES * SIZE; i++) {
        x[i] = (hd_real)(i % SIZE + 1);
    }
    hd_run r = { .pool = c->pool, .opt = &opt, .n = IMAGES, .outer = 1, .training = training,
                 .rng = hd_rng_stream(3, HD_DRAW_LAYER + 1, step), .n_in = 1, .in = &HD_SHAPE(H, W, C),
                 .out = HD_SHAPE(H, W, C), .x = { x }, .y = y };
    class->forward(&r);
    hd_context_free(c);
}

static void test_augmentation(void)
{
    static const char *const kinds[] = { "randomFlip2d", "randomCrop2d", "randomRotation2d" };
    static const double options[][2] = { { 2 }, { 2, 0 }, { 20, 1 } };
    static hd_real y[IMAGES * SIZE], again[IMAGES * SIZE];
    for (int k = 0; k < 3; k++) {
        augment(kinds[k], options[k], k ? 2 : 1, 7, 1, true, y);
        augment(kinds[k], options[k], k ? 2 : 1, 7, 3, true, again);
        CHECK(!memcmp(y, again, sizeof y)); /* threads */
        augment(kinds[k], options[k], k ? 2 : 1, 8, 3, true, again);
        CHECK(memcmp(y, again, sizeof y)); /* another step */
        augment(kinds[k], options[k], k ? 2 : 1, 7, 2, false, again);
        for (int i = 0; i < IMAGES * SIZE; i++) {
            CHECK(again[i] == (hd_real)(i % SIZE + 1)); /* inference */
        }
    }
}

/* All four mirror images occur, about equally often, and nothing else. */
static void test_flips(void)
{
    static hd_real y[IMAGES * SIZE];
    int seen[4] = { 0 };
    augment("randomFlip2d", (double[]){ 2 }, 1, 1, 1, true, y);
    for (int n = 0; n < IMAGES; n++) {
        for (int flip = 0; flip < 4; flip++) {
            int same = 0;
            for (int p = 0; p < PIXELS; p++) {
                int i = p / W, j = p % W, from = (flip & 1 ? H - 1 - i : i) * W + (flip & 2 ? W - 1 - j : j);
                same += y[n * SIZE + p * C] == (hd_real)(from * C + 1) && y[n * SIZE + p * C + 1] == (hd_real)(from * C + 2);
            }
            seen[flip] += same == PIXELS;
        }
    }
    CHECK(seen[0] + seen[1] + seen[2] + seen[3] == IMAGES);
    for (int flip = 0; flip < 4; flip++) {
        CHECK(seen[flip] > IMAGES / 16);
    }
}

/* Each image is the padded one at one of 5 x 5 places; several of them occur. */
static void test_crops(void)
{
    static hd_real y[IMAGES * SIZE];
    int seen[25] = { 0 }, found = 0, places = 0;
    augment("randomCrop2d", (double[]){ 2 }, 1, 1, 1, true, y);
    for (int n = 0; n < IMAGES; n++) {
        for (int place = 0; place < 25; place++) {
            int same = 0;
            for (int p = 0; p < PIXELS; p++) {
                int i = p / W + place / 5 - 2, j = p % W + place % 5 - 2;
                bool inside = i >= 0 && i < H && j >= 0 && j < W;
                same += y[n * SIZE + p * C] == (hd_real)(inside ? (i * W + j) * C + 1 : 0);
            }
            seen[place] += same == PIXELS;
        }
    }
    for (int place = 0; place < 25; place++) {
        found += seen[place];
        places += seen[place] > 0;
    }
    CHECK(found == IMAGES && places > 12);
}

/* Turning by small angles moves the centre of mass of a ramp's gradient, never its value at the centre. */
static void test_rotation(void)
{
    static hd_real y[IMAGES * SIZE];
    augment("randomRotation2d", (double[]){ 20, 1 }, 2, 1, 1, true, y);
    double least = 1e9, most = -1e9;
    for (int n = 0; n < IMAGES; n++) {
        /* rows step by W C, columns by C: on this ramp bilinear interpolation is exact where no border is met */
        const hd_real *image = y + n * SIZE, middle = (image[(2 * W + 2) * C] + image[(2 * W + 3) * C]) / 2;
        NEAR(middle, 2 * W * C + 2.5 * C + 1, 1e-4);
        double along_row = (double)(image[(2 * W + 3) * C] - image[(2 * W + 2) * C]), down = (double)(image[(3 * W + 2) * C] - image[(1 * W + 2) * C]) / 2;
        double angle = atan2(C * down - W * C * along_row, C * along_row + W * C * down); /* from (C, W C) turned by it */
        least = fmin(least, angle);
        most = fmax(most, angle);
        NEAR(hypot(along_row, down), hypot(C, W * C), 1e-3);
    }
    const double limit = 20 * 3.14159265358979 / 180;
    CHECK(least >= -limit - 1e-4 && most <= limit + 1e-4 && most - least > limit);
}

/* Weights before and behind a chain of these layers after a few steps: FNV-1a of their bytes. */
static uint32_t trained_digest(int threads)
{
    enum { ROWS = 24, STEPS = 6 };
    static const struct { const char *kind; double options[6]; int n; } chain[] = {
        { "rescaling", { 4, 2, 1, 0.5, 3 }, 5 }, { "dense", { 4 }, 1 }, { "randomFlip2d", { 2 }, 1 },
        { "randomCrop2d", { 2, 1 }, 2 }, { "randomRotation2d", { 25, 1 }, 2 }, { "randomRotation2d", { 90 }, 1 },
        { "depthToSpace", { 2 }, 1 }, { "upsample2d", { 2, 1, 2, 1 }, 4 }, { "pad2d", { 2, 1, 2, 0.5 }, 4 },
        { "crop2d", { 1, 3 }, 2 }, { "activation", { HD_RELU6 }, 1 }, { "flatten", { 0 }, 0 }, { "dense", { 2, HD_TANH }, 2 } };
    hd_context *c = hd_context_new(threads);
    hd_model *m = hd_model_new(c);
    hd_data *d = hd_data_new(c, ROWS);
    char name[] = "a";
    int node = hd_input(m, "x", (int[]){ H, W, 4 }, 3);
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++, name[0]++) {
        node = hd_layer(m, chain[i].kind, name, &node, 1, chain[i].options, chain[i].n);
        CHECK(node > 0);
    }
    CHECK(hd_model_build(m, 3) == HD_OK && hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0) == HD_OK);
    CHECK(hd_optimizer_set(m, "adam", (double[]){ 0.05 }, 1) == HD_OK);
    kit_fill(hd_data_column(d, HD_COLUMN_INPUT, 0, HD_FLOAT, PIXELS * 4, 1, 0), ROWS * PIXELS * 4, 4);
    kit_fill(hd_data_column(d, HD_COLUMN_TARGET, 0, HD_FLOAT, 2, 1, 0), ROWS * 2, 5);
    hd_fit *f = hd_fit_new(m, d, 0, ROWS, (double[]){ 8, STEPS / 3 }, 2);
    uint32_t digest = 0x811c9dc5u;
    while (f && !hd_fit_done(f)) {
        CHECK(hd_fit_step(f, 8) == HD_OK);
    }
    for (int w = 0; w < hd_weight_count(m); w++) {
        const unsigned char *bytes = (const unsigned char *)hd_weight_data(m, w);
        for (size_t i = 0; i < kit_weight_size(m, w) * sizeof(hd_real); i++) {
            digest = (digest ^ bytes[i]) * 0x01000193u;
        }
    }
    hd_fit_free(f);
    hd_data_free(d);
    hd_model_free(m);
    hd_context_free(c);
    return digest;
}

/* The same on every platform without fused multiply-add, and for any threads. As in bits_golden.h, the number is the
 * library's own, printed for a deliberate change. */
static void test_bits(void)
{
    const uint32_t one = trained_digest(1);
    printf("digest 0x%08xu\n", (unsigned)one);
    CHECK(trained_digest(2) == one && trained_digest(3) == one);
#if !defined(HD_FLOAT64) && !defined(__wasm_relaxed_simd__)
    CHECK(one == 0xc0e8120bu);
#endif
}

int main(void)
{
    test_bits();
    test_moves();
    test_augmentation();
    test_flips();
    test_crops();
    test_rotation();
    test_refusals();
    return check_result("layer_image");
}
