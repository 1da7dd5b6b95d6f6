/* Weight gradient of a convolution against a plain float64 loop over random shapes; threads; the shapes of real networks by
 * the adjoint identity <dY, conv(X, V)> = <dW, V>. */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "kern/conv_weights.h"

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
    return (size_t)s->k * s->kh * s->kw * (s->c / s->groups);
}

/* X at image i of what tap (a, b) sees for output (p, q), or NULL in the padding. */
static const real *seen(const hd_conv_shape *s, const real *x, int i, int p, int q, int a, int b)
{
    int row = p * s->sh + a * s->dh - s->top, col = q * s->sw + b * s->dw - s->left;
    bool in = row >= 0 && row < s->h && col >= 0 && col < s->w;
    return in ? x + (((size_t)i * s->h + row) * s->w + col) * s->c : NULL;
}

/* dw[o,a,b,c]; terms: how many it sums. */
static double plain_sum(const hd_conv_shape *s, int n, const real *x, const real *dy, int o, int a, int b, int c, int *terms)
{
    double sum = 0;
    *terms = 0;
    for (int i = 0; i < n; i++) {
        for (int p = 0; p < s->oh; p++) {
            for (int q = 0; q < s->ow; q++) {
                const real *v = seen(s, x, i, p, q, a, b);
                if (v) {
                    const real d = dy[(((size_t)i * s->oh + p) * s->ow + q) * s->k + o];
                    sum += (double)d * v[o / (s->k / s->groups) * (s->c / s->groups) + c];
                    ++*terms;
                }
            }
        }
    }
    return sum;
}

static void print_shape(const hd_conv_shape *s, int n)
{
    printf("  n %d x %dx%dx%d y %dx%dx%d kernel %dx%d stride %d %d dilation %d %d pad %d %d groups %d\n", n, s->h, s->w, s->c,
           s->oh, s->ow, s->k, s->kh, s->kw, s->sh, s->sw, s->dh, s->dw, s->top, s->left, s->groups);
}

/* dW by 1 to 4 threads, the same bits; the caller frees it. */
static real *compute(const hd_conv_shape *s, int n, const real *x, const real *dy)
{
    const size_t size = w_size(s), scratch_size = hd_conv_weights_scratch(s);
    real *got[POOLS], *scratch = malloc((scratch_size + 1) * sizeof *scratch);
    for (int t = 0; t < POOLS; t++) {
        got[t] = malloc((size + 1) * sizeof(real));
        for (size_t i = 0; i <= size; i++) {
            got[t][i] = (real)NAN;
        }
        for (size_t i = 0; i <= scratch_size; i++) {
            scratch[i] = (real)NAN;
        }
        hd_conv_weights(pools[t], s, n, x, dy, got[t], scratch);
        CHECK(isnan(got[t][size]) && isnan(scratch[scratch_size]));
        CHECK(!memcmp(got[t], got[0], size * sizeof(real)));
    }
    for (int t = 1; t < POOLS; t++) {
        free(got[t]);
    }
    free(scratch);
    return got[0];
}

static void check_shape(const hd_conv_shape *s, int n, uint64_t seed)
{
    real *x = random_array(x_size(s, n), seed), *dy = random_array(y_size(s, n), seed + 1), *dw = compute(s, n, x, dy);
    const int cg = s->c / s->groups;
    const double factor = hd_conv_weights_winograd_wins(s, n) ? 4 : 1; /* its errors are those of all taps */
    int bad = 0;
    for (size_t i = 0; i < w_size(s); i++) {
        int terms, c = (int)(i % cg), tap = (int)(i / cg) % (s->kh * s->kw), o = (int)(i / cg) / (s->kh * s->kw);
        double sum = plain_sum(s, n, x, dy, o, tap / s->kw, tap % s->kw, c, &terms);
        bad += !(fabs(dw[i] - sum) <= factor * EPSILON * (4 + 0.5 * terms));
    }
    CHECK(!bad);
    if (bad) {
        print_shape(s, n);
    }
    free(x);
    free(dy);
    free(dw);
}

static int pick(hd_rng r, uint64_t *at, int from, int to)
{
    return from + (int)(hd_rng_uniform(r, (*at)++) * (to - from + 1));
}

static void random_shapes(void)
{
    static const int widths[] = { 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 20, 24, 33 };
    enum { COUNT = sizeof widths / sizeof *widths };
    hd_rng r = hd_rng_stream(12, 3, 0);
    uint64_t at = 0;
    for (int i = 0; i < 500; i++) {
        hd_conv_shape s = { .kh = pick(r, &at, 1, 5), .kw = pick(r, &at, 1, 5), .groups = 1 };
        s.sh = pick(r, &at, 1, 3);
        s.sw = pick(r, &at, 1, 3);
        s.dh = i % 3 ? 1 : pick(r, &at, 1, 3);
        s.dw = i % 3 ? 1 : pick(r, &at, 1, 3);
        s.top = pick(r, &at, -2, 4);
        s.left = pick(r, &at, -2, 4);
        s.h = pick(r, &at, 1, 14);
        s.w = pick(r, &at, 1, 14);
        s.oh = pick(r, &at, 1, 9); /* any: what lies outside of X is zero */
        s.ow = pick(r, &at, 1, 9);
        s.c = widths[pick(r, &at, 0, COUNT - 1)];
        s.k = widths[pick(r, &at, 0, COUNT - 1)];
        if (i % 4 == 0) {
            s.groups = pick(r, &at, 2, 6);
            s.c = s.groups * pick(r, &at, 1, 10);
            s.k = s.groups * pick(r, &at, 1, 10);
        }
        check_shape(&s, pick(r, &at, 0, 5), (uint64_t)i * 2);
    }
}

/* Blocks of rows, of parts of rows; X packed for all taps, for a kernel row, for a tap; parts of channels and filters. */
static void every_cut(void)
{
    static const hd_conv_shape shapes[] = {
        { 60, 61, 8, 60, 61, 4, 3, 4, 1, 1, 1, 1, 1, 1, 1 },
        { 60, 61, 9, 60, 61, 6, 3, 3, 1, 1, 24, 24, 24, 24, 1 },
        { 9, 700, 8, 9, 700, 4, 3, 3, 1, 1, 2, 2, 2, 2, 1 },
        { 3, 5000, 8, 3, 2500, 4, 3, 3, 1, 2, 1, 1, 1, 1, 1 },
        { 3, 5000, 2, 3, 5000, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1 },
        { 3, 5000, 8, 3, 2400, 4, 3, 2, 1, 1, 1, 2600, 1, 0, 1 },
        { 7, 7, 300, 7, 7, 70, 1, 1, 1, 1, 1, 1, 0, 0, 1 },
        { 14, 14, 136, 7, 7, 40, 3, 3, 2, 2, 1, 1, 1, 1, 1 },
        { 9, 9, 70, 9, 9, 140, 3, 3, 1, 1, 1, 1, 1, 1, 10 },
        { 20, 20, 1, 10, 10, 5, 11, 11, 2, 2, 1, 1, 5, 5, 1 },
        { 12, 12, 8, 12, 12, 8, 7, 7, 1, 1, 1, 1, 3, 3, 1 },
        { 30, 33, 3, 15, 17, 20, 7, 7, 2, 2, 1, 1, 3, 3, 1 },
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check_shape(&shapes[i], 1 + (int)i % 3, i);
    }
    check_shape(&(hd_conv_shape){ 6, 6, 8, 6, 6, 8, 3, 2, 1, 1, 1, 1, 1, 1, 1 }, 100, 1);
}

/* Minimal filtering: whole and partial tiles, channels and filters, several parts, blocks and chunks. */
static void winograd_shapes(void)
{
    static const struct {
        int n;
        hd_conv_shape s;
    } cases[] = {
        { 64, { 4, 4, 8, 4, 4, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1 } },
        { 9, { 16, 16, 8, 16, 16, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1 } },
        { 3, { 17, 21, 13, 15, 19, 9, 3, 3, 1, 1, 1, 1, 0, 0, 1 } },
        { 5, { 12, 24, 39, 15, 23, 37, 3, 3, 1, 1, 1, 1, 2, 2, 1 } },
        { 9, { 19, 19, 70, 16, 16, 41, 3, 3, 1, 1, 1, 1, -1, -1, 1 } },
        { 20, { 7, 7, 40, 7, 7, 72, 3, 3, 1, 1, 1, 1, 1, 1, 1 } },
        { 2, { 32, 32, 32, 32, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1 } },
        { 2, { 33, 30, 96, 33, 30, 100, 3, 3, 1, 1, 1, 1, 1, 1, 1 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(hd_conv_weights_winograd_wins(&cases[i].s, cases[i].n));
        check_shape(&cases[i].s, cases[i].n, i);
    }
}

/* <dY, conv(X, V)> = <dW, V>, with V not zero in a few elements only: O(1) in the size of dW. */
static void adjoint(const hd_conv_shape *s, int n)
{
    real *x = random_array(x_size(s, n), 3), *dy = random_array(y_size(s, n), 4), *dw = compute(s, n, x, dy);
    hd_rng r = hd_rng_stream(5, 5, 0);
    double direct = 0, product = 0, scale = 0;
    const int cg = s->c / s->groups;
    for (uint64_t l = 0; l < 60; l++) {
        size_t i = (size_t)(hd_rng_uniform(r, 2 * l) * (double)w_size(s));
        double v = hd_rng_uniform(r, 2 * l + 1) - 0.5;
        int terms, c = (int)(i % cg), tap = (int)(i / cg) % (s->kh * s->kw), o = (int)(i / cg) / (s->kh * s->kw);
        direct += v * plain_sum(s, n, x, dy, o, tap / s->kw, tap % s->kw, c, &terms);
        product += v * dw[i];
        scale += terms;
    }
    NEAR(direct, product, EPSILON * scale * 0.02 + 1e-14 * scale);
    free(x);
    free(dy);
    free(dw);
}

static void network_shapes(void)
{
    static const hd_conv_shape shapes[] = {
        { 32, 32, 3, 32, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1 },
        { 32, 32, 32, 32, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1 },
        { 10, 10, 32, 10, 10, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1 },
        { 28, 28, 1, 24, 24, 8, 5, 5, 1, 1, 1, 1, 0, 0, 1 },
        { 14, 14, 8, 14, 14, 16, 5, 5, 1, 1, 1, 1, 2, 2, 1 },
        { 56, 56, 64, 56, 56, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1 },
        { 28, 28, 128, 14, 14, 256, 3, 3, 2, 2, 1, 1, 1, 1, 1 },
        { 7, 7, 512, 7, 7, 512, 3, 3, 1, 1, 1, 1, 1, 1, 1 },
        { 112, 112, 3, 56, 56, 64, 7, 7, 2, 2, 1, 1, 3, 3, 1 },
        { 28, 28, 256, 28, 28, 256, 3, 3, 1, 1, 1, 1, 1, 1, 32 },
        { 14, 14, 256, 7, 7, 512, 1, 1, 2, 2, 1, 1, 0, 0, 1 },
        { 28, 28, 64, 28, 28, 256, 1, 1, 1, 1, 1, 1, 0, 0, 1 },
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        adjoint(&shapes[i], i < 5 ? 16 : 2);
    }
}

int main(void)
{
    for (int t = 0; t < POOLS; t++) {
        pools[t] = hd_pool_new(&context, t + 1);
        CHECK(pools[t] != NULL);
    }
    random_shapes();
    every_cut();
    winograd_shapes();
    network_shapes();
    for (int t = 0; t < POOLS; t++) {
        hd_pool_free(&context, pools[t]);
    }
    CHECK(context.used == 0);
    return check_result("kern_conv_weights");
}
