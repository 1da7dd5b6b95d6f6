/* Convolution and its gradients against float64 loops over random shapes, on 1 to 4 threads; and what must hold whatever the
 * algorithm: adjoints, linearity, translations, kernels that are known operators. */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "kern/conv.h"

#include <stdlib.h>

#ifdef HD_FLOAT64
static const double TOLERANCE = 1e-13;
#else
static const double TOLERANCE = 1e-5; /* of sum |x| |w| */
#endif

enum { POOLS = 4, GUARD = 16 };
static hd_context context = { .fail_at = -1 };
static hd_pool *pools[POOLS]; /* 1 to 4 threads */

typedef struct sizes {
    size_t x, y, w;
} sizes;

static sizes sizes_of(const hd_conv_shape *s, int n)
{
    return (sizes){ (size_t)n * s->h * s->w * s->c, (size_t)n * s->oh * s->ow * s->k,
                    (size_t)s->k * s->kh * s->kw * (s->c / s->groups) };
}

/* Everything past the n elements is NaN, and checked by `guarded`. */
static real *new_array(size_t n)
{
    real *x = malloc((n + GUARD) * sizeof *x);
    for (size_t i = 0; i < n + GUARD; i++) {
        x[i] = (real)NAN;
    }
    return x;
}

static bool guarded(const real *x, size_t n)
{
    bool whole = true;
    for (size_t i = n; i < n + GUARD; i++) {
        whole = whole && isnan(x[i]);
    }
    return whole;
}

static real *random_array(size_t n, uint64_t seed)
{
    real *x = new_array(n);
    hd_rng r = hd_rng_stream(seed, 1, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = (real)(hd_rng_uniform(r, i) * 2 - 1);
    }
    return x;
}

static real *magnitudes(size_t n, const real *x)
{
    real *a = new_array(n);
    for (size_t i = 0; i < n; i++) {
        a[i] = x[i] < 0 ? -x[i] : x[i];
    }
    return a;
}

static bool output_size(hd_conv_shape *s, int bottom, int right)
{
    const int h = s->h + s->top + bottom - (s->kh - 1) * s->dh - 1, w = s->w + s->left + right - (s->kw - 1) * s->dw - 1;
    s->oh = h < 0 ? 0 : h / s->sh + 1;
    s->ow = w < 0 ? 0 : w / s->sw + 1;
    return s->oh > 0 && s->ow > 0;
}

/* --- one call of each kind, outputs fresh; the caller frees ------------------------------------------------ */

static real *forward(hd_pool *p, const hd_conv *v, int n, const real *x, const real *w, const hd_epilogue *e)
{
    const sizes z = sizes_of(&v->s, n);
    real *prepared = new_array(v->prepared), *scratch = new_array(v->scratch), *y = new_array(z.y);
    hd_conv_prepare(p, v, w, prepared);
    hd_conv_forward(p, v, n, x, w, prepared, e, y, scratch);
    CHECK(guarded(prepared, v->prepared) && guarded(scratch, v->scratch) && guarded(y, z.y));
    free(prepared);
    free(scratch);
    return y;
}

/* old: what dx holds already, to be added to; or NULL. */
static real *back_data(hd_pool *p, const hd_conv *v, int n, const real *dy, const real *w, const real *old)
{
    const sizes z = sizes_of(&v->s, n);
    real *scratch = new_array(v->scratch), *dx = new_array(z.x);
    if (old) {
        memcpy(dx, old, z.x * sizeof *dx);
    }
    hd_conv_back_data(p, v, n, dy, w, dx, old != NULL, scratch);
    CHECK(guarded(scratch, v->scratch) && guarded(dx, z.x));
    free(scratch);
    return dx;
}

static real *back_weights(hd_pool *p, const hd_conv *v, int n, const real *x, const real *dy)
{
    const sizes z = sizes_of(&v->s, n);
    real *scratch = new_array(v->scratch), *dw = new_array(z.w);
    hd_conv_back_weights(p, v, n, x, dy, dw, scratch);
    CHECK(guarded(scratch, v->scratch) && guarded(dw, z.w));
    free(scratch);
    return dw;
}

/* --- against the references -------------------------------------------------------------------------------- */

/* Largest error relative to the bound's element. */
static double worst_error(size_t n, const real *got, const real *expected, const real *bound)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)got[i] - expected[i]) / (1e-30 + (double)bound[i]);
        worst = !(e <= worst) ? e : worst;
    }
    return worst;
}

/* An output of Winograd's algorithm shares the rounding errors of its tile: the largest bound is that of all. */
static void share_bound(size_t n, real *bound)
{
    real most = 0;
    for (size_t i = 0; i < n; i++) {
        most = bound[i] > most ? bound[i] : most;
    }
    for (size_t i = 0; i < n; i++) {
        bound[i] = most;
    }
}

static void check(const hd_conv_shape *s, const char *what, size_t n, real *got[POOLS], const real *expected, const real *bound)
{
    const double worst = worst_error(n, got[0], expected, bound);
    NEAR(worst, 0, TOLERANCE);
    bool same = true;
    for (int t = 1; t < POOLS; t++) {
        same = same && !memcmp(got[t], got[0], n * sizeof **got);
    }
    CHECK(same);
    if (!(worst <= TOLERANCE) || !same) {
        printf("  %s: %dx%dx%d -> %dx%dx%d, kernel %dx%d, stride %d %d, dilation %d %d, pad %d %d, groups %d\n", what, s->h, s->w,
               s->c, s->oh, s->ow, s->k, s->kh, s->kw, s->sh, s->sw, s->dh, s->dw, s->top, s->left, s->groups);
    }
    for (int t = 0; t < POOLS; t++) {
        free(got[t]);
    }
}

static void check_forward(const hd_conv *v, int n, const real *x, const real *w)
{
    const hd_conv_shape *s = &v->s;
    const sizes z = sizes_of(s, n);
    real *expected = new_array(z.y), *bound = new_array(z.y), *got[POOLS];
    real *ax = magnitudes(z.x, x), *aw = magnitudes(z.w, w), *scale = random_array(s->k, 5), *shift = random_array(s->k, 6);
    hd_conv_forward_ref(s, n, x, w, expected);
    hd_conv_forward_ref(s, n, ax, aw, bound);
    if (v->forward == HD_CONV_WINOGRAD) {
        share_bound(z.y, bound);
    }
    for (int t = 0; t < POOLS; t++) {
        got[t] = forward(pools[t], v, n, x, w, NULL);
    }
    check(s, "forward", z.y, got, expected, bound);
    for (size_t i = 0; i < z.y; i++) {
        const size_t o = i % s->k;
        const real sum = scale[o] * expected[i] + shift[o];
        expected[i] = sum > 0 ? sum : 0;
        bound[i] = (real)fabs((double)(scale[o] * bound[i])) + (real)fabs((double)shift[o]);
    }
    for (int t = 0; t < POOLS; t++) {
        got[t] = forward(pools[t], v, n, x, w, &(hd_epilogue){ .scale = scale, .shift = shift, .act = HD_RELU });
    }
    check(s, "with epilogue", z.y, got, expected, bound);
    free(expected);
    free(bound);
    free(ax);
    free(aw);
    free(scale);
    free(shift);
}

static void check_back_data(const hd_conv *v, int n, const real *dy, const real *w, bool add)
{
    const hd_conv_shape *s = &v->s;
    const sizes z = sizes_of(s, n);
    real *expected = random_array(z.x, 9), *old = random_array(z.x, 9), *bound = magnitudes(z.x, old), *got[POOLS];
    real *ady = magnitudes(z.y, dy), *aw = magnitudes(z.w, w);
    hd_conv_back_data_ref(s, n, dy, w, expected, add);
    hd_conv_back_data_ref(s, n, ady, aw, bound, add);
    if (v->back_data == HD_CONV_WINOGRAD) {
        share_bound(z.x, bound);
    }
    for (int t = 0; t < POOLS; t++) {
        got[t] = back_data(pools[t], v, n, dy, w, add ? old : NULL);
    }
    check(s, add ? "back_data, added" : "back_data", z.x, got, expected, bound);
    free(expected);
    free(old);
    free(bound);
    free(ady);
    free(aw);
}

static void check_back_weights(const hd_conv *v, int n, const real *x, const real *dy)
{
    const hd_conv_shape *s = &v->s;
    const sizes z = sizes_of(s, n);
    real *expected = new_array(z.w), *bound = new_array(z.w), *got[POOLS];
    real *ax = magnitudes(z.x, x), *ady = magnitudes(z.y, dy);
    hd_conv_back_weights_ref(s, n, x, dy, expected);
    hd_conv_back_weights_ref(s, n, ax, ady, bound);
    for (int t = 0; t < POOLS; t++) {
        got[t] = back_weights(pools[t], v, n, x, dy);
    }
    check(s, "back_weights", z.w, got, expected, bound);
    free(expected);
    free(bound);
    free(ax);
    free(ady);
}

static void check_shape(const hd_conv_shape *s, int n, uint64_t seed)
{
    const sizes z = sizes_of(s, n);
    hd_conv v;
    hd_conv_plan(s, &v);
    real *x = random_array(z.x, seed), *y = random_array(z.y, seed + 1), *w = random_array(z.w, seed + 2);
    check_forward(&v, n, x, w);
    check_back_data(&v, n, y, w, false);
    check_back_data(&v, n, y, w, true);
    check_back_weights(&v, n, x, y);
    free(x);
    free(y);
    free(w);
}

typedef struct draw {
    hd_rng r;
    uint64_t next;
} draw;

static int pick(draw *d, const int *list, int count)
{
    return list[(int)(hd_rng_uniform(d->r, d->next++) * count)];
}

#define PICK(...) pick(&d, (const int[]){ __VA_ARGS__ }, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)))

/* Padding may be negative (a crop) or larger than the kernel. */
static void random_shapes(void)
{
    draw d = { hd_rng_stream(3, 2, 0), 0 };
    int done = 0;
    for (int i = 0; i < 1500; i++) {
        hd_conv_shape s = { 0 }; /* one by one: an initialiser may draw in any order */
        s.h = PICK(1, 2, 3, 5, 7, 8, 11);
        s.w = PICK(1, 2, 4, 5, 6, 9, 13);
        s.kh = PICK(1, 1, 2, 3, 3, 4, 5);
        s.kw = PICK(1, 1, 2, 3, 3, 4, 5);
        s.sh = PICK(1, 1, 1, 2, 3);
        s.sw = PICK(1, 1, 1, 2, 4);
        s.dh = PICK(1, 1, 1, 2, 3);
        s.dw = PICK(1, 1, 1, 2, 4);
        s.top = PICK(-1, 0, 0, 1, 2, 4);
        s.left = PICK(-1, 0, 0, 1, 2, 5);
        s.groups = PICK(1, 1, 1, 1, 2, 3, 4);
        s.c = s.groups * PICK(1, 2, 3, 4, 5, 8, 9, 13);
        s.k = s.groups * PICK(1, 2, 3, 4, 5, 8, 10, 12, 17);
        if (PICK(0, 0, 0, 1)) { /* depthwise */
            s.groups = s.c;
            s.k = s.c * PICK(1, 1, 2, 3);
        }
        const int bottom = PICK(-1, 0, 1, 2), right = PICK(0, 1, 3), n = PICK(1, 2, 3);
        if (output_size(&s, bottom, right)) {
            check_shape(&s, n, (uint64_t)i * 3);
            done++;
        }
    }
    CHECK(done > 700);
}

/* Long sums in several parts, many pixels, many filters, batches; as in real networks but smaller. */
static void larger_shapes(void)
{
    static const struct { int n, h, w, c, k, kernel, stride, dilation, pad, groups; } list[] = {
        { 2, 16, 16, 3, 32, 3, 1, 1, 1, 1 },   { 2, 12, 12, 32, 33, 3, 1, 1, 1, 1 }, { 1, 28, 28, 1, 6, 5, 1, 1, 2, 1 },
        { 3, 6, 6, 64, 20, 3, 1, 1, 1, 1 },    { 1, 7, 7, 130, 150, 3, 1, 1, 1, 1 }, { 1, 9, 8, 410, 12, 1, 1, 1, 0, 1 },
        { 2, 9, 9, 70, 24, 3, 2, 1, 1, 1 },    { 1, 30, 31, 3, 16, 7, 2, 1, 3, 1 },  { 1, 13, 13, 65, 9, 3, 1, 2, 2, 1 },
        { 1, 40, 40, 3, 8, 11, 4, 1, 2, 1 },   { 2, 10, 10, 32, 64, 3, 1, 1, 1, 8 }, { 1, 12, 12, 24, 24, 3, 2, 1, 1, 24 },
        { 1, 5, 6, 500, 8, 2, 1, 1, 0, 1 },    { 1, 8, 8, 16, 300, 1, 2, 1, 0, 1 },  { 1, 24, 24, 16, 16, 3, 1, 1, 1, 1 },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        hd_conv_shape s = { .h = list[i].h, .w = list[i].w, .c = list[i].c, .k = list[i].k, .kh = list[i].kernel,
                            .kw = list[i].kernel, .sh = list[i].stride, .sw = list[i].stride, .dh = list[i].dilation,
                            .dw = list[i].dilation, .top = list[i].pad, .left = list[i].pad, .groups = list[i].groups };
        CHECK(output_size(&s, s.top, s.left));
        check_shape(&s, list[i].n, 1000 + i);
    }
}

/* --- identities -------------------------------------------------------------------------------------------- */

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
    for (int t = 0; t < POOLS; t++) {
        pools[t] = hd_pool_new(&context, t + 1);
        CHECK(pools[t] != NULL);
    }
    random_shapes();
    larger_shapes();
    adjoints();
    delta_kernel();
    linear_and_equivariant();
    finite_differences();
    known_operators();
    epilogues();
    not_a_number();
    for (int t = 0; t < POOLS; t++) {
        hd_pool_free(&context, pools[t]);
    }
    CHECK(context.used == 0);
    return check_result("kern_conv");
}
