/* Winograd's filtering against a plain float64 loop: random shapes, paddings, channel tails, both tiles; its error bound;
 * adjoint, epilogue, adding, threads. */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "kern/reference.h"
#include "kern/winograd_form.h"

#include <float.h>
#include <stdlib.h>

#ifdef HD_FLOAT64
static const double EPSILON = DBL_EPSILON;
#else
static const double EPSILON = FLT_EPSILON;
#endif

enum { POOLS = 4 };
static hd_context context = { .fail_at = -1 };
static hd_pool *pools[POOLS]; /* 1 to 4 threads */

static real *random_array(size_t n, uint64_t seed)
{
    real *x = malloc((n + 1) * sizeof *x);
    hd_rng r = hd_rng_stream(seed, 1, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = (real)(hd_rng_uniform(r, i) * 2 - 1);
    }
    return x;
}

static size_t x_size(const hd_conv_shape *s, int n)
{
    return (size_t)n * s->h * s->w * s->c;
}

static size_t y_size(const hd_conv_shape *s, int n)
{
    return (size_t)n * s->oh * s->ow * s->k;
}

static size_t w_size(const hd_conv_shape *s)
{
    return (size_t)s->k * 9 * s->c;
}

/* y[image,i,j,o]; its sum of absolute products. */
static double plain_sum(const hd_conv_shape *s, const real *x, const real *w, size_t index, double *absolute)
{
    const int o = (int)(index % s->k), j = (int)(index / s->k % s->ow), i = (int)(index / s->k / s->ow % s->oh);
    const real *image = x + index / s->k / s->ow / s->oh * s->h * s->w * s->c;
    double sum = 0;
    *absolute = 0;
    for (int tap = 0; tap < 9; tap++) {
        const int a = i + tap / 3 - s->top, b = j + tap % 3 - s->left;
        for (int c = 0; c < s->c && a >= 0 && a < s->h && b >= 0 && b < s->w; c++) {
            double product = (double)image[((size_t)a * s->w + b) * s->c + c] * w[((size_t)o * 9 + tap) * s->c + c];
            sum += product;
            *absolute += fabs(product);
        }
    }
    return sum;
}

/* dx[image,i,j,c] of the convolution s; its sum of absolute products. */
static double adjoint_sum(const hd_conv_shape *s, const real *dy, const real *w, size_t index, double *absolute)
{
    const int c = (int)(index % s->c), j = (int)(index / s->c % s->w), i = (int)(index / s->c / s->w % s->h);
    const real *image = dy + index / s->c / s->w / s->h * s->oh * s->ow * s->k;
    double sum = 0;
    *absolute = 0;
    for (int tap = 0; tap < 9; tap++) {
        const int p = i + s->top - tap / 3, q = j + s->left - tap % 3;
        for (int o = 0; o < s->k && p >= 0 && p < s->oh && q >= 0 && q < s->ow; o++) {
            double product = (double)image[((size_t)p * s->ow + q) * s->k + o] * w[((size_t)o * 9 + tap) * s->c + c];
            sum += product;
            *absolute += fabs(product);
        }
    }
    return sum;
}

/* Allowed error of one output of any shape: besides what error_bound tests, the errors of the other outputs of a tile, with
 * products of up to 1 in `largest` channels, reach it too. */
static double bound(hd_winograd form, double largest, double absolute)
{
    return EPSILON * ((form == HD_WINOGRAD_4 ? 30 : 8) * absolute + (form == HD_WINOGRAD_4 ? 12 : 4) * largest);
}

static void print_shape(const hd_conv_shape *s, int n, hd_winograd form)
{
    printf("  form %d n %d x %dx%dx%d y %dx%dx%d pad %d %d\n", form, n, s->h, s->w, s->c, s->oh, s->ow, s->k, s->top, s->left);
}

/* Y by 1 to 4 threads, the same bits, beginning from y0; the caller frees it. */
static real *compute(hd_winograd form, const hd_conv_shape *s, int n, const real *x, const real *w, bool flip,
                     const hd_epilogue *e, const real *y0)
{
    const hd_conv_shape adjoint = hd_winograd_adjoint(s), *run = flip ? &adjoint : s;
    const size_t size = y_size(run, n), prepared_size = hd_winograd_prepared_as(form, run);
    real *got[POOLS], *prepared = malloc((prepared_size + 1) * sizeof *prepared);
    for (int t = 0; t < POOLS; t++) {
        got[t] = malloc((size + 1) * sizeof(real));
        for (size_t i = 0; i <= prepared_size; i++) {
            prepared[i] = (real)NAN;
        }
        for (size_t i = 0; i <= size; i++) {
            got[t][i] = y0 && i < size ? y0[i] : (real)NAN;
        }
        hd_winograd_prepare_as(form, pools[t], s, flip, w, prepared);
        hd_winograd_run_as(form, pools[t], run, n, x, prepared, e, y0 != NULL, got[t]);
        CHECK(isnan(got[t][size]) && isnan(prepared[prepared_size]));
        CHECK(!memcmp(got[t], got[0], size * sizeof(real)));
    }
    for (int t = 1; t < POOLS; t++) {
        free(got[t]);
    }
    free(prepared);
    return got[0];
}

/* Every `step`-th output of the convolution (flip: of its adjoint), also when added to. */
static void check_sums(hd_winograd form, const hd_conv_shape *s, int n, bool flip, uint64_t seed, size_t step)
{
    const hd_conv_shape adjoint = hd_winograd_adjoint(s), *run = flip ? &adjoint : s;
    real *x = random_array(x_size(run, n), seed), *w = random_array(w_size(s), seed + 1);
    real *y0 = seed % 3 == 0 ? random_array(y_size(run, n), seed + 2) : NULL;
    real *y = compute(form, s, n, x, w, flip, NULL, y0);
    int bad = 0;
    for (size_t i = 0; i < y_size(run, n); i += step) {
        double absolute, sum = (flip ? adjoint_sum : plain_sum)(s, x, w, i, &absolute) + (y0 ? (double)y0[i] : 0);
        bad += !(fabs(y[i] - sum) <= bound(form, run->c, absolute + (y0 ? fabs((double)y0[i]) : 0)));
    }
    CHECK(!bad);
    if (bad) {
        print_shape(s, n, form);
    }
    free(x);
    free(w);
    free(y0);
    free(y);
}

static int pick(hd_rng r, uint64_t *at, int from, int to)
{
    return from + (int)(hd_rng_uniform(r, (*at)++) * (to - from + 1));
}

static hd_conv_shape same_padding(int h, int w, int c, int k)
{
    return (hd_conv_shape){ h, w, c, h, w, k, 3, 3, 1, 1, 1, 1, 1, 1, 1 };
}

static void random_shapes(void)
{
    static const int widths[] = { 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 20, 24, 31, 33, 64, 70 };
    enum { COUNT = sizeof widths / sizeof *widths };
    hd_rng r = hd_rng_stream(12, 3, 0);
    uint64_t at = 0;
    for (int i = 0; i < 400; i++) {
        hd_conv_shape s = same_padding(pick(r, &at, 1, 19), pick(r, &at, 1, 19), widths[pick(r, &at, 0, COUNT - 1)],
                                       widths[pick(r, &at, 0, COUNT - 1)]);
        s.top = pick(r, &at, -2, 4);
        s.left = pick(r, &at, -2, 4);
        s.oh = pick(r, &at, 1, 20); /* any: what lies outside of X is zero */
        s.ow = pick(r, &at, 1, 20);
        const int n = pick(r, &at, 0, 5);
        const hd_winograd form = i % 2 ? HD_WINOGRAD_4 : HD_WINOGRAD_2;
        CHECK(hd_winograd_possible(form, &s));
        check_sums(form, &s, n, i / 2 % 2, (uint64_t)i * 3 + (uint64_t)i % 2, 1);
    }
}

/* Own and shared V, several passes, parts of quads and of panels. */
static void every_cut(void)
{
    const hd_conv_shape shapes[] = {
        same_padding(32, 32, 32, 32), same_padding(56, 56, 64, 64),  same_padding(14, 14, 256, 256),
        same_padding(7, 7, 512, 512), same_padding(28, 28, 128, 96), same_padding(6, 5, 1800, 3),
        same_padding(3, 3, 4, 1100),  same_padding(40, 40, 3, 300),
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (hd_winograd form = HD_WINOGRAD_2; form <= HD_WINOGRAD_4; form++) {
            check_sums(form, &shapes[i], i == 0 ? 9 : 1 + (int)i % 2, false, i + 1, 997);
            check_sums(form, &shapes[i], 1, true, i, 997);
        }
    }
}

/* act(scale y + shift) of what comes out without an epilogue, any part of it absent. */
static void epilogues(void)
{
    static const hd_activation acts[8] = { HD_LINEAR, HD_RELU,       HD_RELU6, HD_SIGMOID,
                                           HD_TANH,   HD_LEAKY_RELU, HD_ELU,   HD_SOFTPLUS };
    for (int i = 0; i < 64; i++) {
        const hd_conv_shape s = same_padding(7, 9, 6, (int[]){ 5, 8, 18 }[i % 3]);
        const size_t size = y_size(&s, 2), k = (size_t)s.k;
        real *x = random_array(x_size(&s, 2), 1), *w = random_array(w_size(&s), 2);
        real *scale = random_array(k, 3), *shift = random_array(k, 4);
        const hd_epilogue e = { .scale = i & 1 ? scale : NULL, .shift = i & 2 ? shift : NULL,
                                .act = acts[i / 4 % 8], .alpha = hd_activation_alpha(acts[i / 4 % 8]) };
        const hd_winograd form = i < 32 ? HD_WINOGRAD_2 : HD_WINOGRAD_4;
        real *plain = compute(form, &s, 2, x, w, false, NULL, NULL), *y = compute(form, &s, 2, x, w, false, &e, NULL);
        for (size_t l = 0; l < size; l++) {
            plain[l] = plain[l] * (e.scale ? scale[l % k] : 1) + (e.shift ? shift[l % k] : 0);
        }
        hd_activate_ref(e.act, e.alpha, plain, plain, size / k, k);
        for (size_t l = 0; l < size; l++) {
            NEAR(y[l], plain[l], 16 * EPSILON * (1 + fabs((double)plain[l])));
        }
        free(x);
        free(w);
        free(scale);
        free(shift);
        free(plain);
        free(y);
    }
}

/* The error bound: relative to the sum of absolute products of an output, for 8 to 512 channels, at the borders of the
 * image too; the worst seen is about half. Inputs of both signs, and positive as after a rectifier. */
static void error_bound(hd_winograd form, double allowed)
{
    double worst = 0;
    for (int i = 0; i < 16; i++) {
        const hd_conv_shape s = same_padding(14, 14, (int[]){ 8, 32, 128, 512 }[i / 4], 8);
        real *x = random_array(x_size(&s, 1), (uint64_t)i + 50), *w = random_array(w_size(&s), (uint64_t)i + 80);
        for (size_t l = 0; l < x_size(&s, 1); l++) {
            x[l] = i % 2 && x[l] < 0 ? 0 : x[l];
        }
        real *y = compute(form, &s, 1, x, w, false, NULL, NULL);
        for (size_t l = 0; l < y_size(&s, 1); l++) {
            double absolute, error = fabs(y[l] - plain_sum(&s, x, w, l, &absolute)) / absolute;
            worst = error <= worst ? worst : error;
        }
        free(x);
        free(w);
        free(y);
    }
    printf("F(%d): worst error %.3g of the sum of absolute products, allowed %.3g\n", form == HD_WINOGRAD_4 ? 4 : 2, worst,
           allowed);
    CHECK(worst <= allowed);
}

static bool is_choice(hd_conv_shape s, hd_winograd choice)
{
    const bool wins = hd_winograd_wins(&s);
    return hd_winograd_choice(&s) == choice && wins == (choice != HD_WINOGRAD_NONE) &&
           (!wins || hd_winograd_prepared(&s) == hd_winograd_prepared_as(choice, &s));
}

/* Where it must be chosen and where it must not; the chosen one forward and backward through the plain interface. */
static void choices(void)
{
    hd_conv_shape s = same_padding(32, 32, 32, 32);
    CHECK(is_choice(s, HD_WINOGRAD_4));
    CHECK(is_choice(same_padding(56, 56, 64, 64), HD_WINOGRAD_4));
    CHECK(is_choice(same_padding(28, 28, 128, 128), HD_WINOGRAD_4));
    CHECK(is_choice(same_padding(14, 14, 256, 256), HD_WINOGRAD_2));
    CHECK(is_choice(same_padding(7, 7, 512, 512), HD_WINOGRAD_NONE)); /* 17 or 38 MB of weights */
    CHECK(is_choice(same_padding(32, 32, 3, 32), HD_WINOGRAD_NONE)); /* few channels: exact */
    CHECK(is_choice(same_padding(1, 1, 64, 64), HD_WINOGRAD_NONE));
    CHECK(is_choice((hd_conv_shape){ 32, 32, 32, 16, 16, 32, 3, 3, 2, 2, 1, 1, 1, 1, 1 }, HD_WINOGRAD_NONE));
    CHECK(is_choice((hd_conv_shape){ 32, 32, 32, 32, 32, 32, 3, 3, 1, 1, 2, 2, 2, 2, 1 }, HD_WINOGRAD_NONE));
    CHECK(is_choice((hd_conv_shape){ 32, 32, 32, 32, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 2 }, HD_WINOGRAD_NONE));
    CHECK(is_choice((hd_conv_shape){ 32, 32, 32, 30, 32, 32, 5, 3, 1, 1, 1, 1, 1, 1, 1 }, HD_WINOGRAD_NONE));
    s = (hd_conv_shape){ 12, 12, 24, 11, 12, 40, 3, 3, 1, 1, 1, 1, 0, 1, 1 };
    for (int flip = 0; flip < 2; flip++) {
        const hd_conv_shape adjoint = hd_winograd_adjoint(&s), *run = flip ? &adjoint : &s;
        CHECK(hd_winograd_wins(run));
        real *x = random_array(x_size(run, 1), 1), *w = random_array(w_size(&s), 2), *y = random_array(y_size(run, 1), 3);
        real *prepared = random_array(hd_winograd_prepared(run), 3);
        real *expected = compute(hd_winograd_choice(run), &s, 1, x, w, flip, NULL, NULL);
        hd_winograd_prepare(pools[1], &s, flip, w, prepared);
        hd_winograd_run(pools[1], run, 1, x, prepared, NULL, false, y);
        CHECK(!memcmp(y, expected, y_size(run, 1) * sizeof(real)));
        free(x);
        free(w);
        free(y);
        free(prepared);
        free(expected);
    }
}

/* The same bits on every platform: FNV-1a, 32 bits, of outputs of this library's own; after a deliberate change the failing
 * test prints the new one. */
static void platform_bits(hd_winograd form, unsigned expected)
{
    const hd_conv_shape s = same_padding(15, 13, 22, 19);
    real *x = random_array(x_size(&s, 2), 5), *w = random_array(w_size(&s), 6);
    real *y = compute(form, &s, 2, x, w, false, NULL, NULL);
    unsigned digest = 0x811c9dc5u;
    for (size_t i = 0; i < y_size(&s, 2) * sizeof *y; i++) {
        digest = (digest ^ ((const unsigned char *)y)[i]) * 0x01000193u;
    }
#if !defined(HD_FLOAT64) && !defined(__wasm_relaxed_simd__)
    CHECK(digest == expected);
    if (digest != expected)
#endif
    {
        printf("form %d: digest 0x%08xu, elsewhere 0x%08xu\n", form, digest, expected);
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
    every_cut();
    epilogues();
    error_bound(HD_WINOGRAD_2, 6 * EPSILON);
    error_bound(HD_WINOGRAD_4, 10 * EPSILON);
    choices();
    platform_bits(HD_WINOGRAD_2, 0x2c1fdc89u);
    platform_bits(HD_WINOGRAD_4, 0xa284634du);
    for (int t = 0; t < POOLS; t++) {
        hd_pool_free(&context, pools[t]);
    }
    CHECK(context.used == 0);
    return check_result("kern_winograd");
}
