/* What convolutions obey whatever the algorithm: adjoints, linearity, translations, kernels that are known operators, the
 * epilogue in any of its forms, NaN. */
#include "conv_kit.h"

static double dot(size_t n, const real *a, const real *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

/* <conv_W(X), Y> = <X, back_data(Y)> = <W, back_weights(X, Y)>. */
static void adjoints(void)
{
    for (int stride = 1; stride <= 3; stride++) {
        for (int groups = 1; groups <= 2; groups++) {
            hd_conv_shape s = { .h = 14, .w = 11, .c = 12, .k = 20, .kh = 3, .kw = 3, .sh = stride, .sw = stride, .dh = 1, .dw = 1,
                                .top = 1, .left = 2, .groups = groups };
            CHECK(output_size(&s, 1, 0));
            const sizes z = sizes_of(&s, 2);
            hd_conv v;
            hd_conv_plan(&s, &v);
            real *x = random_array(z.x, 1), *y = random_array(z.y, 2), *w = random_array(z.w, 3);
            real *cx = forward(pools[1], &v, 2, x, w, NULL), *cy = back_data(pools[1], &v, 2, y, w, NULL);
            real *cw = back_weights(pools[1], &v, 2, x, y);
            const double tol = TOLERANCE * sqrt((double)z.y) * s.c;
            NEAR(dot(z.y, cx, y), dot(z.x, x, cy), tol);
            NEAR(dot(z.y, cx, y), dot(z.w, w, cw), tol);
            CHECK(fabs(dot(z.y, cx, y)) > 100 * tol);
            free(x);
            free(y);
            free(w);
            free(cx);
            free(cy);
            free(cw);
        }
    }
}

static hd_conv same_conv(int h, int w, int c, int k, int kernel, int groups)
{
    hd_conv_shape s = { .h = h, .w = w, .c = c, .k = k, .kh = kernel, .kw = kernel, .sh = 1, .sw = 1, .dh = 1, .dw = 1,
                        .top = kernel / 2, .left = kernel / 2, .groups = groups };
    hd_conv v;
    CHECK(output_size(&s, kernel - 1 - kernel / 2, kernel - 1 - kernel / 2));
    hd_conv_plan(&s, &v);
    return v;
}

/* A kernel that is 1 at its centre for equal channels changes nothing. */
static void delta_kernel(void)
{
    enum { C = 5 };
    const hd_conv v = same_conv(9, 7, C, C, 5, 1);
    const sizes z = sizes_of(&v.s, 2);
    real *x = random_array(z.x, 4), *w = calloc(z.w, sizeof *w);
    for (int c = 0; c < C; c++) {
        w[((size_t)c * 25 + 12) * C + c] = 1;
    }
    real *y = forward(pools[2], &v, 2, x, w, NULL);
    CHECK(!memcmp(x, y, z.x * sizeof *x));
    free(x);
    free(y);
    free(w);
}

/* conv(a + 2 b) = conv(a) + 2 conv(b); and an image moved by a row and two columns gives the moved output, away from the border. */
static void linear_and_equivariant(void)
{
    enum { H = 12, W = 14, C = 6, K = 16 };
    const hd_conv v = same_conv(H, W, C, K, 3, 1);
    const sizes z = sizes_of(&v.s, 1);
    real *a = random_array(z.x, 5), *b = random_array(z.x, 6), *mix = new_array(z.x), *moved = new_array(z.x), *w = random_array(z.w, 7);
    for (size_t i = 0; i < z.x; i++) {
        mix[i] = a[i] + 2 * b[i];
        moved[i] = i >= (W + 2) * C ? a[i - (W + 2) * C] : 0;
    }
    real *ya = forward(pools[0], &v, 1, a, w, NULL), *yb = forward(pools[0], &v, 1, b, w, NULL);
    real *y_mix = forward(pools[0], &v, 1, mix, w, NULL), *y_moved = forward(pools[0], &v, 1, moved, w, NULL);
    for (size_t i = 0; i < z.y; i++) {
        NEAR(y_mix[i], (double)ya[i] + 2 * (double)yb[i], 50 * TOLERANCE);
        const int row = (int)(i / K / W), col = (int)(i / K % W);
        if (row >= 2 && row < H - 1 && col >= 3 && col < W - 1) {
            NEAR(y_moved[i], ya[i - (W + 2) * K], 50 * TOLERANCE);
        }
    }
    real *all[] = { a, b, mix, moved, w, ya, yb, y_mix, y_moved };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]);
    }
}

/* Differences to the next row and column, the image ending in zeros: exact on integers. */
static void finite_differences(void)
{
    enum { H = 9, W = 8 };
    const real w[18] = { [4] = -1, [7] = 1, [9 + 4] = -1, [9 + 5] = 1 };
    const hd_conv v = same_conv(H, W, 1, 2, 3, 1), two = same_conv(2, 2, 1, 2, 3, 1);
    real x[H * W];
    for (int i = 0; i < H * W; i++) {
        x[i] = (real)(i * 37 % 101 - 50);
    }
    real *y = forward(pools[1], &v, 1, x, w, NULL);
    for (int i = 0; i < H * W; i++) {
        CHECK(y[2 * i] == (i / W < H - 1 ? x[i + W] : 0) - x[i]);
        CHECK(y[2 * i + 1] == (i % W < W - 1 ? x[i + 1] : 0) - x[i]);
    }
    free(y);
    static const real small[] = { 1, 2, 3, 4 }, down[] = { 2, 2, -3, -4 }, right[] = { 1, -2, 1, -4 };
    y = forward(pools[0], &two, 1, small, w, NULL);
    for (int i = 0; i < 4; i++) {
        CHECK(y[2 * i] == down[i] && y[2 * i + 1] == right[i]);
    }
    free(y);
}

/* Average pooling is a depthwise convolution with 1 / k^2, RGB to gray a 1 x 1 convolution. */
static void known_operators(void)
{
    enum { H = 7, W = 9, C = 3, K = 2 };
    hd_conv_shape s = { .h = H, .w = W, .c = C, .k = C, .kh = K, .kw = K, .sh = K, .sw = K, .dh = 1, .dw = 1, .groups = C };
    CHECK(output_size(&s, 0, 0) && s.oh == H / K && s.ow == W / K);
    hd_conv v;
    hd_conv_plan(&s, &v);
    real *x = random_array(H * W * C, 8), w[C * K * K];
    for (int i = 0; i < C * K * K; i++) {
        w[i] = (real)1 / (K * K);
    }
    real *y = forward(pools[0], &v, 1, x, w, NULL);
    for (int i = 0; i < s.oh * s.ow * C; i++) {
        const real *p = x + ((i / C / s.ow * K) * W + i / C % s.ow * K) * C + i % C;
        NEAR(y[i], ((double)p[0] + p[C] + p[W * C] + p[W * C + C]) / 4, 4 * TOLERANCE);
    }
    free(y);
    free(x);
    const real luma[] = { (real)0.299, (real)0.587, (real)0.114 }, red[] = { 255, 0, 0 };
    const hd_conv gray = same_conv(1, 1, 3, 1, 1, 1);
    y = forward(pools[0], &gray, 1, red, luma, NULL);
    NEAR(y[0], 76.245, 255 * TOLERANCE);
    free(y);
}

/* Activations that are not part of the tiles, and the epilogue as a pass of its own: the same bits. */
static void epilogues(void)
{
    const hd_conv v = same_conv(6, 7, 5, 11, 3, 1);
    const sizes z = sizes_of(&v.s, 2);
    real *x = random_array(z.x, 1), *w = random_array(z.w, 2), *scale = random_array(11, 3), *shift = random_array(11, 4);
    real *plain = forward(pools[1], &v, 2, x, w, NULL), *y = new_array(z.y);
    for (hd_activation act = HD_LINEAR; act < HD_SOFTMAX; act++) {
        for (int with = 0; with < 4; with++) {
            const hd_epilogue e = { with & 1 ? scale : NULL, with & 2 ? shift : NULL, act, (real)0.5 };
            real *fused = forward(pools[1], &v, 2, x, w, &e);
            hd_epilogue_apply(pools[2], &e, z.y / 11, 11, plain, y);
            CHECK(!memcmp(fused, y, z.y * sizeof *y) && guarded(y, z.y));
            const real sum = (with & 1 ? scale[3] : 1) * plain[3] + (with & 2 ? shift[3] : 0);
            real expected;
            hd_activate(pools[0], act, e.alpha, &sum, &expected, 1, 1);
            NEAR(y[3], expected, 10 * TOLERANCE);
            free(fused);
        }
    }
    free(x);
    free(w);
    free(scale);
    free(shift);
    free(plain);
    free(y);
}

/* A NaN in the input reaches all that depends on it, and no other image. */
static void not_a_number(void)
{
    enum { H = 10, W = 10, C = 8, K = 9, ROW = 4, COL = 5 };
    const hd_conv v = same_conv(H, W, C, K, 3, 1);
    const sizes z = sizes_of(&v.s, 2);
    real *x = random_array(z.x, 1), *w = random_array(z.w, 2);
    x[(ROW * W + COL) * C + 3] = (real)NAN;
    real *y = forward(pools[1], &v, 2, x, w, &(hd_epilogue){ .act = HD_RELU });
    for (size_t i = 0; i < z.y; i++) {
        const int row = (int)(i / K / W), col = (int)(i / K % W);
        CHECK(row < H || !isnan(y[i]));
        CHECK(abs(row - ROW) > 1 || abs(col - COL) > 1 || isnan(y[i]));
    }
    free(x);
    free(w);
    free(y);
}

int main(void)
{
    open_pools();
    adjoints();
    delta_kernel();
    linear_and_equivariant();
    finite_differences();
    known_operators();
    epilogues();
    not_a_number();
    close_pools();
    return check_result("kern_conv_laws");
}
