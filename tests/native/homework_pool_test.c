/* Identities of poolings, bit by bit where they are exact, and counterexamples where they do not hold: average pooling is
 * a convolution; max pooling commutes with non-decreasing functions; poolings of poolings; where the gradient goes. */
#include "base/context.h"
#include "kern/conv.h"
#include "kern/pool2d.h"

#include "base/rng.h"
#include "check.h"

enum { N = 3, H = 13, W = 16, C = 6, SIZE = N * H * W * C };

#ifdef HD_FLOAT64
#define ROUNDING 1e-14
#else
#define ROUNDING 1e-6
#endif

static hd_context *context;
static hd_pool *pool;
static real x[SIZE], dy[SIZE], a[SIZE], b[SIZE], index_a[SIZE], index_b[SIZE], d_a[SIZE], d_b[SIZE];

/* Normal numbers, or integers -2..2, which tie often. */
static void fill(real *to, uint32_t stream, bool integers)
{
    for (size_t i = 0; i < SIZE; i++) {
        double v = hd_rng_normal(hd_rng_stream(3, stream, 0), i);
        to[i] = (real)(integers ? v < -2 ? -2 : v > 2 ? 2 : floor(v + 0.5) : v);
    }
}

static hd_pool2d square(int h, int w, int k)
{
    return (hd_pool2d){ .h = h, .w = w, .c = C, .oh = h / k, .ow = w / k, .kh = k, .kw = k, .sh = k, .sw = k };
}

static size_t size_of(const hd_pool2d *s)
{
    return (size_t)N * (size_t)s->oh * (size_t)s->ow * C;
}

static bool same(size_t n, const real *p, const real *q)
{
    return !memcmp(p, q, n * sizeof *p);
}

/* Mean over k x k = convolution of each channel with k x k times 1 / k^2; rows that fill no window are dropped by both. */
static void average_is_convolution(int k)
{
    hd_pool2d s = square(H, W, k);
    hd_conv v;
    hd_conv_plan(&(hd_conv_shape){ .h = H, .w = W, .c = C, .oh = s.oh, .ow = s.ow, .k = C, .kh = k, .kw = k, .sh = k,
                                   .sw = k, .dh = 1, .dw = 1, .groups = C }, &v);
    static real w[C * 25], prepared[4096], scratch[65536];
    CHECK(v.prepared <= 4096 && v.scratch <= 65536 && k <= 5);
    for (int i = 0; i < C * k * k; i++) {
        w[i] = 1 / (real)(k * k);
    }
    hd_conv_prepare(pool, &v, w, prepared);
    hd_conv_forward(pool, &v, N, x, w, prepared, &(hd_epilogue){ .act = HD_LINEAR }, b, scratch);
    hd_average_pool2d(pool, &s, N, false, x, a);
    hd_conv_back_data(pool, &v, N, dy, w, d_b, false, scratch);
    hd_average_pool2d_back(pool, &s, N, false, dy, d_a, false);
    double differ = 0;
    for (size_t i = 0; i < size_of(&s); i++) {
        NEAR(a[i], b[i], ROUNDING);
        differ += a[i] != 0;
    }
    CHECK(differ > 0);
    for (size_t i = 0; i < SIZE; i++) {
        NEAR(d_a[i], d_b[i], ROUNDING);
    }
}

/* s(maxpool(X)) = maxpool(s(X)), the same bits; and the same gradient, as the windows do not overlap. */
static void commutes(hd_activation act, const hd_pool2d *s)
{
    real alpha = hd_activation_alpha(act);
    size_t n = size_of(s);
    hd_max_pool2d(pool, s, N, x, a, index_a);
    hd_activate(pool, act, alpha, a, a, n, 1);
    hd_activate(pool, act, alpha, x, d_b, SIZE, 1); /* d_b: s(X), then its gradient */
    hd_max_pool2d(pool, s, N, d_b, b, index_b);
    CHECK(same(n, a, b));
    if (s->sh < s->kh) {
        return;
    }
    static real back[SIZE];
    hd_activate_back(pool, act, alpha, a, dy, back, n, 1, false);
    hd_max_pool2d_back(pool, s, N, back, index_a, d_a, false);
    hd_max_pool2d_back(pool, s, N, dy, index_b, back, false);
    hd_activate_back(pool, act, alpha, d_b, back, d_b, SIZE, 1, false);
    bool equal = true;
    for (size_t i = 0; i < SIZE; i++) {
        equal &= d_a[i] == d_b[i]; /* -0 is 0 */
    }
    CHECK(equal);
}

static void max_commutes(void)
{
    hd_pool2d shapes[] = { square(H, W, 2), square(H, W, 3),
                           { .h = H, .w = W, .c = C, .oh = 7, .ow = 8, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .top = 1, .left = 1 } };
    for (hd_activation act = HD_LINEAR; act < HD_SOFTMAX; act++) {
        for (int k = 0; k < 3; k++) {
            for (int integers = 0; integers < 2; integers++) {
                fill(x, 1, integers);
                commutes(act, &shapes[k]);
            }
        }
    }
}

/* A decreasing function turns the maximum into the minimum; the mean commutes with no bend; zeros as padding would win
 * over negative numbers. */
static void counterexamples(void)
{
    hd_pool2d s = square(H, W, 2);
    size_t n = size_of(&s);
    fill(x, 1, false);
    for (size_t i = 0; i < SIZE; i++) {
        d_b[i] = -x[i];
    }
    hd_max_pool2d(pool, &s, N, x, a, NULL);
    hd_max_pool2d(pool, &s, N, d_b, b, NULL);
    size_t equal = 0;
    for (size_t i = 0; i < n; i++) {
        equal += -a[i] == b[i];
    }
    CHECK(equal == 0);
    hd_average_pool2d(pool, &s, N, false, x, a);
    hd_activate(pool, HD_RELU, 0, a, a, n, 1);
    hd_activate(pool, HD_RELU, 0, x, d_b, SIZE, 1);
    hd_average_pool2d(pool, &s, N, false, d_b, b);
    CHECK(!same(n, a, b));
    hd_pool2d padded = { .h = H, .w = W, .c = C, .oh = 7, .ow = 8, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .top = 1, .left = 1 };
    for (size_t i = 0; i < SIZE; i++) {
        x[i] = -1 - (real)fabs((double)x[i]);
    }
    hd_max_pool2d(pool, &padded, N, x, a, NULL);
    for (size_t i = 0; i < size_of(&padded); i++) {
        CHECK(a[i] <= -1 && isfinite((double)a[i]));
    }
}

static void pools_of_pools(void)
{
    hd_pool2d two = square(12, W, 2), half = square(6, W / 2, 2), four = square(12, W, 4);
    fill(x, 2, false);
    hd_max_pool2d(pool, &two, N, x, a, NULL);
    hd_max_pool2d(pool, &half, N, a, b, NULL);
    hd_max_pool2d(pool, &four, N, x, a, NULL);
    CHECK(same(size_of(&four), a, b));
    hd_average_pool2d(pool, &two, N, false, x, a);
    hd_average_pool2d(pool, &half, N, false, a, b);
    hd_average_pool2d(pool, &four, N, false, x, a);
    for (size_t i = 0; i < size_of(&four); i++) {
        NEAR(a[i], b[i], ROUNDING);
    }
}

/* Every window gives all of its gradient away: to one element, ties or not, or in equal shares. */
static void gradient_mass(void)
{
    hd_pool2d shapes[] = { square(H, W, 2),
                           { .h = H, .w = W, .c = C, .oh = 7, .ow = 8, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .top = 1, .left = 1 },
                           { .h = H, .w = W, .c = C, .oh = 13, .ow = 16, .kh = 3, .kw = 3, .sh = 1, .sw = 1, .top = 1, .left = 1 } };
    for (int k = 0; k < 3; k++) {
        fill(x, 4, true);
        fill(dy, 5, true); /* integers: sums are exact */
        hd_max_pool2d(pool, &shapes[k], N, x, a, index_a);
        hd_max_pool2d_back(pool, &shapes[k], N, dy, index_a, d_a, false);
        hd_average_pool2d_back(pool, &shapes[k], N, false, dy, d_b, false);
        double given = 0, maxima = 0, means = 0;
        for (size_t i = 0; i < size_of(&shapes[k]); i++) {
            given += dy[i];
        }
        for (size_t i = 0; i < SIZE; i++) {
            maxima += d_a[i];
            means += d_b[i];
        }
        CHECK(given == maxima && given != 0);
        NEAR(given, means, 1000 * ROUNDING);
    }
}

int main(void)
{
    context = hd_context_new(2);
    pool = context->pool;
    real four[4] = { 1, 2, 3, 4 }, mean;
    hd_average_pool2d(pool, &(hd_pool2d){ 2, 2, 1, 1, 1, 2, 2, 2, 2, 0, 0 }, 1, false, four, &mean);
    CHECK(mean == (real)2.5);
    fill(x, 1, false);
    fill(dy, 6, false);
    for (int k = 2; k <= 5; k++) {
        average_is_convolution(k);
    }
    max_commutes();
    counterexamples();
    pools_of_pools();
    gradient_mass();
    hd_context_free(context);
    return check_result("homework_pool");
}
