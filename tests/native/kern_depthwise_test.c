/* Depthwise convolution: forward and gradients against float64 loops over random shapes, epilogues, the adjoint identities
 * on MobileNetV2's shapes, average pooling; the same bits on 1 to 4 threads. */
#include "conv_kit.h"
#include "kern/depthwise.h"

/* got[0] within TOLERANCE of sum |x| |w|, which is `bound`; all threads the same. Frees got. */
static void check(const hd_conv_shape *s, const char *what, size_t n, real *got[POOLS], const real *expected, const real *bound)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        bad += !(fabs((double)got[0][i] - expected[i]) <= TOLERANCE * (double)bound[i]);
    }
    for (int t = 0; t < POOLS; t++) {
        bad += memcmp(got[t], got[0], n * sizeof **got) != 0;
        bad += !guarded(got[t], n);
    }
    for (int t = 0; t < POOLS; t++) {
        free(got[t]);
    }
    CHECK(!bad);
    if (bad) {
        printf("  %s: %dx%dx%d -> %dx%dx%d, kernel %dx%d, stride %d %d, dilation %d %d, pad %d %d\n", what, s->h, s->w, s->c,
               s->oh, s->ow, s->k, s->kh, s->kw, s->sh, s->sw, s->dh, s->dw, s->top, s->left);
    }
}

static real *prepare(const hd_conv_shape *s, const real *w)
{
    real *prepared = new_array(hd_depthwise_prepared(s));
    hd_depthwise_prepare(pools[0], s, w, prepared);
    CHECK(guarded(prepared, hd_depthwise_prepared(s)));
    return prepared;
}

static real *run_forward(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *prepared, const hd_epilogue *e)
{
    real *y = new_array(sizes_of(s, n).y);
    hd_depthwise_forward(p, s, n, x, prepared, e, y);
    return y;
}

static real *run_back_data(hd_pool *p, const hd_conv_shape *s, int n, const real *dy, const real *prepared, const real *old)
{
    const sizes z = sizes_of(s, n);
    real *dx = new_array(z.x);
    if (old) {
        memcpy(dx, old, z.x * sizeof *dx);
    }
    hd_depthwise_back_data(p, s, n, dy, prepared, dx, old != NULL);
    return dx;
}

static real *run_back_weights(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *dy)
{
    real *scratch = new_array(hd_depthwise_scratch(s)), *dw = new_array(sizes_of(s, n).w);
    hd_depthwise_back_weights(p, s, n, x, dy, dw, scratch);
    CHECK(guarded(scratch, hd_depthwise_scratch(s)));
    free(scratch);
    return dw;
}

/* What the epilogue makes of the plain sums y; all its cases, bit for bit. */
static void check_epilogues(const hd_conv_shape *s, int n, const real *x, const real *prepared)
{
    static const hd_activation acts[] = { HD_LINEAR, HD_RELU, HD_RELU6, HD_ELU };
    const size_t size = sizes_of(s, n).y;
    real *y = run_forward(pools[0], s, n, x, prepared, NULL), *expected = new_array(size);
    real *scale = random_array((size_t)s->k, 5), *shift = random_array((size_t)s->k, 6);
    for (int i = 0; i < 16; i++) {
        const hd_epilogue e = { i & 1 ? scale : NULL, i & 2 ? shift : NULL, acts[i / 4], 1 };
        hd_epilogue_apply(pools[0], &e, size / (size_t)s->k, s->k, y, expected);
        for (int t = 0; t < POOLS; t++) {
            real *got = run_forward(pools[t], s, n, x, prepared, &e);
            CHECK(!memcmp(got, expected, size * sizeof *got) && guarded(got, size));
            free(got);
        }
    }
    free(y);
    free(expected);
    free(scale);
    free(shift);
}

static void check_shape(const hd_conv_shape *s, int n, uint64_t seed)
{
    const sizes z = sizes_of(s, n);
    real *x = random_array(z.x, seed), *w = random_array(z.w, seed + 1), *dy = random_array(z.y, seed + 2);
    real *old = random_array(z.x, seed + 3), *ax = magnitudes(z.x, x), *aw = magnitudes(z.w, w), *ady = magnitudes(z.y, dy);
    real *prepared = prepare(s, w), *y = new_array(z.y), *by = new_array(z.y), *dw = new_array(z.w), *bw = new_array(z.w);
    real *dx = new_array(z.x), *bx = magnitudes(z.x, old), *got[POOLS];
    hd_conv_forward_ref(s, n, x, w, y);
    hd_conv_forward_ref(s, n, ax, aw, by);
    for (int t = 0; t < POOLS; t++) {
        got[t] = run_forward(pools[t], s, n, x, prepared, NULL);
    }
    check(s, "forward", z.y, got, y, by);
    hd_conv_back_weights_ref(s, n, x, dy, dw);
    hd_conv_back_weights_ref(s, n, ax, ady, bw);
    for (int t = 0; t < POOLS; t++) {
        got[t] = run_back_weights(pools[t], s, n, x, dy);
    }
    check(s, "back_weights", z.w, got, dw, bw);
    hd_conv_back_data_ref(s, n, ady, aw, bx, true);
    for (int add = 0; add < 2; add++) {
        memcpy(dx, old, z.x * sizeof *dx);
        hd_conv_back_data_ref(s, n, dy, w, dx, add);
        for (int t = 0; t < POOLS; t++) {
            got[t] = run_back_data(pools[t], s, n, dy, prepared, add ? old : NULL);
        }
        check(s, add ? "back_data, added" : "back_data", z.x, got, dx, bx);
    }
    if (seed % 64 == 0) {
        check_epilogues(s, n, x, prepared);
    }
    real *const all[] = { x, w, dy, old, ax, aw, ady, prepared, y, by, dw, bw, dx, bx };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]);
    }
}

static int pick(hd_rng r, uint64_t *at, int from, int to)
{
    return from + (int)(hd_rng_uniform(r, (*at)++) * (to - from + 1));
}

static void random_shapes(void)
{
    hd_rng r = hd_rng_stream(31, 3, 0);
    uint64_t at = 0;
    for (uint64_t i = 0; i < 600; i++) {
        hd_conv_shape s = { .kh = pick(r, &at, 1, 5), .kw = pick(r, &at, 1, 5) };
        s.sh = pick(r, &at, 1, 3);
        s.sw = pick(r, &at, 1, 3);
        s.dh = i % 3 ? 1 : pick(r, &at, 1, 3);
        s.dw = i % 3 ? 1 : pick(r, &at, 1, 3);
        s.top = pick(r, &at, -2, 4);
        s.left = pick(r, &at, -2, 4);
        s.h = pick(r, &at, 1, 12);
        s.w = pick(r, &at, 1, 30);
        s.oh = pick(r, &at, 1, 9); /* any: what lies outside of X is zero */
        s.ow = pick(r, &at, 1, 20);
        s.c = s.groups = pick(r, &at, 1, 19);
        s.k = s.c * (i % 4 ? 1 : pick(r, &at, 2, 5));
        check_shape(&s, pick(r, &at, 1, 3), 4 * i);
    }
    check_shape(&(hd_conv_shape){ 5, 5, 523, 5, 5, 523, 3, 3, 1, 1, 1, 1, 1, 1, 523 }, 5, 1); /* several parts */
    check_shape(&(hd_conv_shape){ 9, 9, 300, 9, 9, 600, 3, 3, 1, 1, 1, 1, 1, 1, 300 }, 1, 2);
    check_shape(&(hd_conv_shape){ 30, 30, 260, 2, 2, 260, 27, 27, 2, 2, 1, 1, 0, 0, 260 }, 1, 3); /* few chunks */
}

static double dot(size_t n, const real *a, const real *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * b[i];
    }
    return sum;
}

/* <dY, W * X> = <dX, X> = <dW, W>: errors of float32 average out over these many elements. */
static void adjoint(const hd_conv_shape *s, int n)
{
    const sizes z = sizes_of(s, n);
    real *x = random_array(z.x, 1), *w = random_array(z.w, 2), *dy = random_array(z.y, 3), *prepared = prepare(s, w);
    real *y = run_forward(pools[1], s, n, x, prepared, NULL), *dx = run_back_data(pools[1], s, n, dy, prepared, NULL);
    real *dw = run_back_weights(pools[1], s, n, x, dy);
    const double size = (double)z.y * s->kh * s->kw, forward = dot(z.y, dy, y);
    NEAR(forward, dot(z.x, dx, x), 1e-2 * TOLERANCE * size);
    NEAR(forward, dot(z.w, dw, w), 1e-2 * TOLERANCE * size);
    CHECK(fabs(forward) > 100 * TOLERANCE * size / sqrt((double)z.y)); /* not by chance: neither side is zero */
    real *const all[] = { x, w, dy, prepared, y, dx, dw };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]);
    }
}

static void mobile_net(void)
{
    adjoint(&(hd_conv_shape){ 112, 112, 32, 112, 112, 32, 3, 3, 1, 1, 1, 1, 1, 1, 32 }, 1);
    adjoint(&(hd_conv_shape){ 112, 112, 96, 56, 56, 96, 3, 3, 2, 2, 1, 1, 0, 0, 96 }, 1);
    adjoint(&(hd_conv_shape){ 56, 56, 144, 56, 56, 144, 3, 3, 1, 1, 1, 1, 1, 1, 144 }, 1);
    adjoint(&(hd_conv_shape){ 14, 14, 576, 14, 14, 576, 3, 3, 1, 1, 1, 1, 1, 1, 576 }, 2);
    adjoint(&(hd_conv_shape){ 7, 7, 960, 7, 7, 960, 3, 3, 1, 1, 1, 1, 1, 1, 960 }, 3);
}

/* Means of 2 x 2 are a depthwise convolution with weights 1/4: exact for small integers. */
static void average_pooling(void)
{
    enum { H = 10, W = 14, C = 6 };
    const hd_conv_shape s = { H, W, C, H / 2, W / 2, C, 2, 2, 2, 2, 1, 1, 0, 0, C };
    real x[H * W * C], w[4 * C];
    for (int i = 0; i < H * W * C; i++) {
        x[i] = (real)(i * 37 % 101);
    }
    for (int i = 0; i < 4 * C; i++) {
        w[i] = (real)0.25;
    }
    real *prepared = prepare(&s, w), *y = run_forward(pools[2], &s, 1, x, prepared, NULL);
    for (int i = 0; i < H / 2; i++) {
        for (int j = 0; j < W / 2; j++) {
            for (int c = 0; c < C; c++) {
                const real *at = x + (2 * i * W + 2 * j) * C + c;
                CHECK(y[(i * (W / 2) + j) * C + c] == (at[0] + at[C] + at[W * C] + at[(W + 1) * C]) / 4);
            }
        }
    }
    free(prepared);
    free(y);
}

int main(void)
{
    open_pools();
    random_shapes();
    mobile_net();
    average_pooling();
    close_pools();
    return check_result("kern_depthwise");
}
