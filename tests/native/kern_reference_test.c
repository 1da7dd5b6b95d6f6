/* The fast kernels against their naive references, and the references' elementary functions against libm. */
#include "base/context.h"
#include "kern/math.h"
#include "kern/reduce.h"
#include "kern/reference.h"

#include "check.h"
#include "base/rng.h"

enum { G = 6, R = 37, C = 21, N = G * R * C };

static real x[N], y[N], a[N], b[N], bias[G * C];
static uint8_t bytes[N];

static void fill(real *to, size_t n, uint32_t stream, double spread)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (real)(spread * hd_rng_normal(hd_rng_stream(1, stream, 0), i));
    }
}

static void same(size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++) {
        NEAR((double)a[i], (double)b[i], tolerance * (1 + fabs((double)b[i])));
    }
}

static void functions(void)
{
    for (double v = -30; v <= 30; v += 0.0137) {
        NEAR(hd_expm1_ref(v), expm1(v), 1e-14 * fabs(expm1(v)));
        NEAR(hd_tanh_ref(v), tanh(v), 1e-14 * fabs(tanh(v)));
        NEAR(hd_sigmoid_ref(v), 1 / (1 + exp(-v)), 1e-14);
        NEAR(hd_softplus_ref(v), v > 0 ? v + log1p(exp(-v)) : log1p(exp(v)), 1e-14 * (1 + fabs(v)));
        if (v > -1) {
            NEAR(hd_log1p_ref(v), log1p(v), 1e-14 * fabs(log1p(v)));
        }
    }
}

static void activations(hd_pool *p)
{
    for (hd_activation act = HD_LINEAR; act <= HD_SOFTMAX; act++) {
        real alpha = hd_activation_alpha(act);
        hd_activate(p, act, alpha, x, a, G * R, C);
        hd_activate_ref(act, alpha, x, b, G * R, C);
        same(N, 1e-6);
        hd_activate_back(p, act, alpha, b, y, a, G * R, C, false);
        real out[N];
        memcpy(out, b, sizeof out);
        hd_activate_back_ref(act, alpha, out, y, b, G * R, C);
        same(N, 2e-6);
        memcpy(a, x, sizeof a);
        memcpy(b, x, sizeof b);
        hd_bias_activate(p, act, alpha, a, bias, G, R, C);
        hd_bias_activate_ref(act, alpha, b, bias, G, R, C);
        same(N, 2e-6);
    }
}

static void layouts(hd_pool *p)
{
    hd_sum_rows(p, G, R, C, x, a, false);
    hd_sum_rows_ref(G, R, C, x, b);
    same(G * C, 1e-5);
    static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    for (int i = 0; i < 6; i++) {
        hd_permute(p, (int[]){ G, R, C }, orders[i], x, a, false);
        hd_permute_ref((int[]){ G, R, C }, orders[i], x, b);
        same(N, 0);
    }
    static const uint32_t index[] = { 3, 0, 2, 2 };
    hd_table tables[] = { { x, false, R * C, 1, 0 }, { bytes, true, R * C, (real)0.25, -1 } };
    for (int i = 0; i < 2; i++) {
        for (int rows = 1; rows <= R; rows += R - 1) {
            hd_gather(p, &tables[i], index, 4, rows, a);
            hd_gather_ref(&tables[i], index, 4, rows, b);
            same(4 * R * C, 0);
        }
    }
    hd_table numbers[] = { { x, false, 1, 1, 0 }, { x, false, 1, 2, 3 }, { bytes, true, 1, (real)0.25, -1 } };
    for (int i = 0; i < 6; i++) {
        hd_gather(p, &numbers[i / 2], i % 2 ? index : NULL, 4, 1, a);
        hd_gather_ref(&numbers[i / 2], i % 2 ? index : NULL, 4, 1, b);
        same(4, 0);
    }
}

int main(void)
{
    hd_context *c = hd_context_new(2);
    fill(x, N, 1, 2);
    fill(y, N, 2, 1);
    fill(bias, G * C, 3, 1);
    for (int i = 0; i < N; i++) {
        bytes[i] = (uint8_t)(i * 37);
    }
    functions();
    activations(c->pool);
    layouts(c->pool);
    NEAR(hd_dot(c->pool, N, x, y), hd_dot_ref(N, x, y), 1e-9);
    NEAR(hd_sum_squares(c->pool, N, x), hd_dot_ref(N, x, x), 1e-8);
    NEAR(hd_max_abs(c->pool, N, x), hd_max_abs_ref(N, x), 0);
    NEAR((double)hd_logsumexp(N, x), hd_logsumexp_ref(N, x), 1e-5);
    hd_context_free(c);
    return check_result("kern_reference");
}
