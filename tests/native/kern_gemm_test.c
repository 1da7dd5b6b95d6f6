/* Matrix product against its reference, thread-count equality, residual of large products, NaN. */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "kern/gemm.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>

#ifdef HD_FLOAT64
static const double EPSILON = DBL_EPSILON;
#else
static const double EPSILON = FLT_EPSILON;
#endif

enum { POOLS = 3 };
static hd_context context = { .fail_at = -1 };
static hd_pool *pools[POOLS]; /* 1, 2 and 4 threads */

static real *random_array(size_t n, uint64_t seed)
{
    real *x = malloc((n + 1) * sizeof *x);
    hd_rng r = hd_rng_stream(seed, 1, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = (real)(hd_rng_uniform(r, i) * 2 - 1);
    }
    return x;
}

typedef struct problem {
    bool ta, tb;
    int m, n, k, lda, ldb, ldc;
    real alpha, beta;
} problem;

static int rows_of(bool t, int rows, int cols)
{
    return t ? cols : rows;
}

static void run(hd_pool *p, const problem *q, const real *a, const real *b, real *c)
{
    hd_gemm(p, q->ta, q->tb, q->m, q->n, q->k, q->alpha, a, q->lda, b, q->ldb, q->beta, c, q->ldc);
}

/* |error| <= (k + 4) eps |alpha| (sum |a| |b|) + ..., with |a|, |b| <= 1; the padding of C must not change. */
static void check_problem(const problem *q, uint64_t seed)
{
    size_t size_a = (size_t)rows_of(q->ta, q->m, q->k) * q->lda, size_b = (size_t)rows_of(q->tb, q->k, q->n) * q->ldb;
    size_t size_c = (size_t)q->m * q->ldc;
    real *a = random_array(size_a, seed), *b = random_array(size_b, seed + 1), *old = random_array(size_c, seed + 2);
    real *expected = malloc((size_c + 1) * sizeof *expected), *got[POOLS];
    memcpy(expected, old, size_c * sizeof *old);
    hd_gemm_ref(q->ta, q->tb, q->m, q->n, q->k, q->alpha, a, q->lda, b, q->ldb, q->beta, expected, q->ldc);
    for (int t = 0; t < POOLS; t++) {
        got[t] = malloc((size_c + 1) * sizeof *old);
        memcpy(got[t], old, size_c * sizeof *old);
        for (int i = 0; i < q->m && q->beta == 0; i++) {
            for (int j = 0; j < q->n; j++) {
                got[t][(size_t)i * q->ldc + j] = (real)NAN;
            }
        }
        run(pools[t], q, a, b, got[t]);
        CHECK(!memcmp(got[t], got[0], size_c * sizeof *old));
    }
    double tol = EPSILON * (fabs((double)q->alpha) * (4 + 0.5 * q->k) + 2 * fabs((double)q->beta) + 1), worst = 0;
    bool padding = true;
    for (size_t i = 0; i < size_c; i++) {
        if ((int)(i % q->ldc) < q->n) {
            double e = fabs((double)got[0][i] - expected[i]);
            worst = !(e <= worst) ? e : worst;
        } else {
            padding = padding && got[0][i] == old[i];
        }
    }
    CHECK(padding);
    NEAR(worst, 0, tol);
    if (!(worst <= tol)) {
        printf("  ta %d tb %d m %d n %d k %d alpha %g beta %g\n", q->ta, q->tb, q->m, q->n, q->k, (double)q->alpha,
               (double)q->beta);
    }
    free(a);
    free(b);
    free(old);
    free(expected);
    for (int t = 0; t < POOLS; t++) {
        free(got[t]);
    }
}

static void random_shapes(void)
{
    static const int sizes[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 15, 16, 17, 20, 28, 31, 33, 40, 63, 64, 65, 100, 130, 257 };
    static const real factors[] = { 1, 0, -1, (real)0.5, 2 };
    enum { COUNT = sizeof sizes / sizeof *sizes };
    hd_rng r = hd_rng_stream(11, 2, 0);
    for (uint64_t i = 0; i < 1500; i++) {
        uint32_t w[4], v[4];
        hd_rng_block(r, 2 * i, w);
        hd_rng_block(r, 2 * i + 1, v);
        problem q = { .ta = w[3] & 1, .tb = w[3] & 2, .m = sizes[w[0] % COUNT], .n = sizes[w[1] % COUNT],
                      .k = sizes[w[2] % COUNT], .alpha = factors[v[0] % 5], .beta = factors[v[1] % 5] };
        q.lda = (q.ta ? q.m : q.k) + (int)(v[2] % 3);
        q.ldb = (q.tb ? q.k : q.n) + (int)(v[3] % 4);
        q.ldc = q.n + (int)(w[3] >> 8) % 3;
        q.lda += !q.lda;
        q.ldb += !q.ldb;
        q.ldc += !q.ldc;
        check_problem(&q, i * 3);
    }
}

/* The shapes of training: tall, wide, long k, in every case of transposition. */
static void training_shapes(void)
{
    static const int shapes[][3] = { { 3584, 20, 28 }, { 20, 2560, 28 }, { 20, 28, 3584 }, { 10, 256, 128 }, { 128, 10, 512 },
                                     { 128, 256, 10 }, { 20, 28, 5000 }, { 128, 512, 784 }, { 1, 512, 784 }, { 512, 1, 784 },
                                     { 3, 300, 5000 }, { 70, 300, 5000 }, { 600, 40, 1030 }, { 10, 1003, 1100 }, { 16, 2070, 1030 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        for (int t = 0; t < 4; t++) {
            problem q = { .ta = t & 1, .tb = t & 2, .m = s[0], .n = s[1], .k = s[2], .alpha = 1, .beta = t == 3 };
            q.lda = q.ta ? q.m : q.k;
            q.ldb = q.tb ? q.k : q.n;
            q.ldc = q.n;
            check_problem(&q, i);
        }
    }
}

/* (A B) x against A (B x) in float64, in O(n^2), where the reference would take too long. */
static void residual(bool ta, bool tb, int m, int n, int k)
{
    problem q = { .ta = ta, .tb = tb, .m = m, .n = n, .k = k, .lda = ta ? m : k, .ldb = tb ? k : n, .ldc = n, .alpha = 1 };
    real *a = random_array((size_t)m * k, 5), *b = random_array((size_t)k * n, 6), *x = random_array((size_t)n, 7);
    real *c = malloc((size_t)m * n * sizeof *c);
    double *bx = calloc((size_t)k, sizeof *bx), worst = 0;
    run(pools[1], &q, a, b, c);
    for (int p = 0; p < k; p++) {
        for (int j = 0; j < n; j++) {
            bx[p] += (double)(tb ? b[(size_t)j * k + p] : b[(size_t)p * n + j]) * x[j];
        }
    }
    for (int i = 0; i < m; i++) {
        double direct = 0, product = 0;
        for (int j = 0; j < n; j++) {
            product += (double)c[(size_t)i * n + j] * x[j];
        }
        for (int p = 0; p < k; p++) {
            direct += (double)(ta ? a[(size_t)p * m + i] : a[(size_t)i * k + p]) * bx[p];
        }
        double e = fabs(product - direct);
        worst = !(e <= worst) ? e : worst;
    }
    /* Errors of the n elements are independent, each about eps sqrt(k) * its size sqrt(k) / 3. */
    NEAR(worst, 0, EPSILON * k * sqrt((double)n));
    free(a);
    free(b);
    free(x);
    free(c);
    free(bx);
}

static void not_a_number(void)
{
    enum { M = 37, N = 29, K = 70 };
    for (int t = 0; t < 4; t++) {
        problem q = { .ta = t & 1, .tb = t & 2, .m = M, .n = N, .k = K, .ldc = N, .alpha = 1 };
        q.lda = q.ta ? M : K;
        q.ldb = q.tb ? K : N;
        real *a = random_array(M * K, 1), *b = random_array(K * N, 2), c[M * N];
        a[q.ta ? 6 * M + 5 : 5 * K + 6] = (real)NAN;       /* row 5 of C */
        b[q.tb ? 7 * K + 3 : 3 * N + 7] = (real)INFINITY;  /* column 7 */
        run(pools[0], &q, a, b, c);
        for (int i = 0; i < M; i++) {
            for (int j = 0; j < N; j++) {
                CHECK(i == 5 ? isnan(c[i * N + j]) : j == 7 ? isinf(c[i * N + j]) : isfinite(c[i * N + j]));
            }
        }
        free(a);
        free(b);
    }
}

int main(void)
{
    static const int threads[POOLS] = { 1, 2, 4 };
    for (int t = 0; t < POOLS; t++) {
        pools[t] = hd_pool_new(&context, threads[t]);
        CHECK(pools[t] != NULL);
    }
    random_shapes();
    training_shapes();
    for (int t = 0; t < 4; t++) {
        residual(t & 1, t & 2, 301, 513, 777);
    }
    residual(false, false, 1024, 1024, 1024);
    residual(true, false, 20, 28, 150000);
    residual(false, true, 20, 28, 100352);
    not_a_number();
    for (int t = 0; t < POOLS; t++) {
        hd_pool_free(&context, pools[t]);
    }
    CHECK(context.used == 0);
    return check_result("kern_gemm");
}
