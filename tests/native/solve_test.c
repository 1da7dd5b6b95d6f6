/* Closed-form solvers: ridge against its normal equations and its dual, the ball against its optimality conditions, ADMM against both. */
#include "linalg/linalg.h"
#include "bits_golden.h"
#include "solve_kit.h"

static double *ridge(const problem *p, double lambda)
{
    double *o = new_o(p), used;
    must(p->c, hd_gram_ridge(p->g, lambda, o, &used) == HD_OK);
    CHECK(used == lambda);
    return o;
}

static void test_ridge(void)
{
    problem p = make_problem(1, 300, 40, 3, 30, 1);
    static const double lambdas[] = { 0, 1e-3, 1, 1e3, 1e6 };
    double before = INFINITY, cost_before = 0;
    for (size_t i = 0; i < sizeof lambdas / sizeof *lambdas; i++) {
        double *o = ridge(&p, lambdas[i]), cost = hd_gram_cost(p.g, o);
        CHECK(stationarity(&p, o, lambdas[i]) <= 1e-10);
        NEAR(cost, residual_cost(&p, o), 1e-5 * cost);
        CHECK(norm(o_size(&p), o) < before && cost > cost_before); /* shrinks as lambda grows, and fits worse */
        before = norm(o_size(&p), o);
        cost_before = cost;
        free(o);
    }
    const double lambda = 1e12; /* to infinity: O = C / lambda */
    double *o = ridge(&p, lambda), *limit = new_o(&p);
    const double *c = hd_gram_values(p.g, HD_GRAM_C);
    for (size_t i = 0; i < o_size(&p); i++) {
        limit[i] = c[i] / lambda;
    }
    CHECK(distance(o_size(&p), o, limit) <= 1e-8 * norm(o_size(&p), limit));
    double *least = ridge(&p, 0), *small = ridge(&p, 1e-9); /* to zero: least squares */
    CHECK(distance(o_size(&p), least, small) <= 1e-8 * norm(o_size(&p), least));
    free(o), free(limit), free(least), free(small);
    free_problem(&p);
}

/* O = T (Y^T Y + lambda I)^-1 Y^T, of the rows in float64: the same as the primal solution. */
static void test_dual(int rows, int n, double lambda)
{
    problem p = make_problem(1, rows, n, 2, 5, 3);
    hd_context context = { .fail_at = -1 };
    hd_pool *pool = hd_pool_new(&context, 1);
    double *y = malloc(sizeof(double) * (size_t)(rows * n)), *k = calloc((size_t)(rows * rows), sizeof(double)), *b = malloc(sizeof(double) * (size_t)(rows * 2));
    for (int i = 0; i < rows * n; i++) {
        y[i] = (double)p.y[i];
    }
    for (int i = 0; i < rows; i++) {
        k[i * rows + i] = lambda;
        b[i * 2] = (double)p.t[i * 2];
        b[i * 2 + 1] = (double)p.t[i * 2 + 1];
    }
    hd_syrk_f64(pool, false, rows, n, 1, y, n, 1, k, rows);
    CHECK(hd_cholesky_f64(pool, rows, k, rows) == -1);
    hd_cholesky_solve_f64(pool, false, rows, 2, k, rows, b, 2);
    double *dual = new_o(&p), *primal = ridge(&p, lambda);
    hd_gemm_f64(pool, true, false, 2, n, rows, 1, b, 2, y, n, 0, dual, n);
    CHECK(distance(o_size(&p), dual, primal) <= 1e-4 * norm(o_size(&p), dual));
    free(y), free(k), free(b), free(dual), free(primal);
    hd_pool_free(&context, pool);
    free_problem(&p);
}

/* Every lambda as ridge has it; degrees of freedom: the trace of G (G + lambda I)^-1, which is ridge with targets Y. */
static void test_path(void)
{
    enum { N = 35, COUNT = 6 };
    static const double lambdas[COUNT] = { 0, 1e-6, 0.1, 10, 1e3, 1e7 };
    double cost[COUNT], df[COUNT], norms[COUNT], used;
    problem p = make_problem(1, 300, N, 3, 50, 29);
    hd_gram *whole = hd_gram_new(p.c, N, N);
    double *g = hd_gram_values(p.g, HD_GRAM_G), *square = hd_gram_values(whole, HD_GRAM_G), *full = hd_gram_values(whole, HD_GRAM_C);
    for (int i = 0; i < N * N; i++) {
        square[i] = full[i] = i / N >= i % N ? g[i] : g[i % N * N + i / N];
    }
    hd_gram_values(whole, HD_GRAM_TOTALS)[0] = 1;
    CHECK(hd_gram_path(p.g, COUNT, lambdas, cost, df, norms) == HD_OK);
    for (int i = 0; i < COUNT; i++) {
        double *o = ridge(&p, lambdas[i]), hat[N * N], trace = 0;
        CHECK(hd_gram_ridge(whole, lambdas[i], hat, &used) == HD_OK);
        for (int k = 0; k < N; k++) {
            trace += hat[k * (N + 1)];
        }
        NEAR(cost[i], hd_gram_cost(p.g, o), 1e-9 * cost[i]);
        NEAR(norms[i], norm(o_size(&p), o), 1e-9 * norms[i]);
        NEAR(df[i], trace, 1e-8 * N);
        CHECK(i == 0 || (cost[i] > cost[i - 1] && df[i] < df[i - 1] && norms[i] < norms[i - 1]));
        free(o);
    }
    for (int i = 0; i < N; i++) { /* a feature that is always zero counts for nothing, at lambda 0 too */
        g[7 * N + i] = g[i * N + 7] = 0;
    }
    for (int k = 0; k < 3; k++) {
        hd_gram_values(p.g, HD_GRAM_C)[k * N + 7] = 0;
    }
    CHECK(hd_gram_path(p.g, 2, lambdas, cost, df, norms) == HD_OK && cost[0] > 0);
    NEAR(df[0], N - 1, 1e-6);
    NEAR(cost[0], cost[1], 1e-6 * cost[0]);
    CHECK(hd_gram_path(p.g, 1, (double[]){ -1 }, cost, df, norms) == HD_ERR_ARGUMENT && hd_gram_path(p.g, 0, lambdas, cost, df, norms) == HD_ERR_ARGUMENT);
    CHECK(hd_gram_reset(p.g) == HD_OK && hd_gram_path(p.g, 1, lambdas, cost, df, norms) == HD_ERR_STATE);
    hd_gram_free(whole);
    free_problem(&p);
}

/* Inside the ball: least squares. Outside: on the sphere, stationary for lambda, and no better point of the ball is near. */
static void test_secular(void)
{
    static const double shares[] = { 2, 1.000001, 0.999, 0.9, 0.5, 0.1, 1e-3, 1e-6 };
    for (int n = 1; n <= 81; n += 20) {
        problem p = make_problem(1, 400, n, 3, 100, 7);
        double *least = ridge(&p, 0), *o = new_o(&p), lambda;
        const double whole = norm(o_size(&p), least);
        for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
            const double radius = shares[i] * whole;
            CHECK(hd_gram_secular(p.g, radius, o, &lambda) == HD_OK);
            CHECK(stationarity(&p, o, lambda) <= 1e-6);
            if (shares[i] > 1) {
                CHECK(lambda == 0 && !memcmp(o, least, o_size(&p) * sizeof *o));
            } else {
                CHECK(lambda > 0 && norm(o_size(&p), o) <= radius * (1 + 1e-14));
                NEAR(norm(o_size(&p), o), radius, 1e-6 * radius);
            }
        }
        CHECK(hd_gram_secular(p.g, 0, o, &lambda) == HD_ERR_ARGUMENT && strstr(hd_error(p.c), "radius = 0"));
        CHECK(hd_gram_secular(p.g, NAN, o, &lambda) == HD_ERR_ARGUMENT);
        free(least), free(o);
        free_problem(&p);
    }
}

/* Equal features, or targets that are all zero. */
static void test_singular(void)
{
    problem p = make_problem(1, 50, 12, 2, 2, 9);
    double *g = hd_gram_values(p.g, HD_GRAM_G), *c = hd_gram_values(p.g, HD_GRAM_C), *o = new_o(&p), lambda;
    for (int i = 0; i < 12; i++) { /* feature 7 is feature 4 */
        g[7 * 12 + i] = g[4 * 12 + i];
        g[i * 12 + 7] = g[i * 12 + 4];
    }
    for (int i = 5; i < 7; i++) {
        g[7 * 12 + i] = g[i * 12 + 4];
    }
    g[7 * 12 + 7] = g[4 * 12 + 4];
    for (int k = 0; k < 2; k++) {
        c[k * 12 + 7] = c[k * 12 + 4];
    }
    CHECK(hd_gram_ridge(p.g, 0, o, &lambda) == HD_OK && lambda >= 0 && lambda < 1e-6);
    CHECK(stationarity(&p, o, lambda) <= 1e-8);
    CHECK(hd_gram_ridge(p.g, 1, o, &lambda) == HD_OK && lambda == 1);
    NEAR(o[4], o[7], 1e-8); /* equals share */
    CHECK(hd_gram_secular(p.g, 0.1, o, &lambda) == HD_OK && stationarity(&p, o, lambda) <= 1e-6);
    NEAR(norm(24, o), 0.1, 1e-7);
    memset(c, 0, sizeof(double) * 24);
    CHECK(hd_gram_secular(p.g, 0.1, o, &lambda) == HD_OK && norm(24, o) == 0);
    g[5 * 12 + 5] = NAN;
    CHECK(hd_gram_ridge(p.g, 1, o, &lambda) == HD_ERR_DIVERGED && strstr(hd_error(p.c), "feature 5"));
    CHECK(!hd_admm_new(p.g, 1, 1) && strstr(hd_error(p.c), "feature 5"));
    CHECK(hd_gram_reset(p.g) == HD_OK);
    CHECK(hd_gram_ridge(p.g, 1, o, &lambda) == HD_ERR_STATE && hd_gram_secular(p.g, 1, o, &lambda) == HD_ERR_STATE);
    CHECK(!hd_admm_new(p.g, 1, 1) && hd_error_status(p.c) == HD_ERR_STATE);
    free(o);
    free_problem(&p);
}

/* s = trace / n: after 200 iterations the cost is the least one to 1e-5; Z is in the ball at every one of them. */
static void test_admm(double share, double spread)
{
    problem p = make_problem(1, 500, 60, 4, spread, 11);
    double *o = ridge(&p, 0), lambda;
    const double radius = share * norm(o_size(&p), o);
    CHECK(hd_gram_secular(p.g, radius, o, &lambda) == HD_OK);
    const double least = hd_gram_cost(p.g, o);
    hd_admm *a = hd_admm_new(p.g, 0, radius);
    must(p.c, a != NULL);
    const double *g = hd_gram_values(p.g, HD_GRAM_G), *z = hd_admm_values(a, HD_ADMM_Z);
    double trace = 0;
    for (int i = 0; i < 60; i++) {
        trace += g[i * 61];
    }
    NEAR(hd_admm_stat(a, HD_ADMM_PENALTY), trace / 60, 1e-12 * trace);
    for (int i = 0; i < 200; i++) {
        CHECK(hd_admm_step(a, 1) == HD_OK);
        CHECK(norm(o_size(&p), z) <= radius * (1 + 1e-14));
        NEAR(hd_admm_stat(a, HD_ADMM_COST), hd_gram_cost(p.g, z), 1e-9 * least);
    }
    const double cost = hd_admm_stat(a, HD_ADMM_COST);
    CHECK(cost >= least * (1 - 1e-9) && cost <= least * (1 + 1e-5));
    CHECK(distance(o_size(&p), z, o) <= 1e-2 * radius);
    CHECK(hd_admm_stat(a, HD_ADMM_PRIMAL) <= 1e-2 * radius && hd_admm_stat(a, HD_ADMM_DUAL) <= 1e-2 * trace / 60 * radius);
    CHECK(hd_admm_step(a, 0) == HD_ERR_ARGUMENT && hd_admm_values(a, 3) == NULL && isnan(hd_admm_stat(a, 9)));
    CHECK(!hd_admm_new(p.g, -1, 1) && !hd_admm_new(p.g, 0, NAN) && hd_error_status(p.c) == HD_ERR_ARGUMENT);
    hd_admm_free(a);
    free(o);
    free_problem(&p);
}

static hd_admm *projector(const problem *p, double radius, const double *x)
{
    hd_admm *a = hd_admm_new(p->g, 1, radius);
    must(p->c, a != NULL);
    memcpy(hd_admm_values(a, HD_ADMM_Z), x, o_size(p) * sizeof *x);
    CHECK(hd_admm_project(a) == HD_OK);
    return a;
}

static void test_projection(void)
{
    problem p = make_problem(1, 20, 9, 2, 1, 13);
    const double radius = 1.5;
    double x[18], y[18];
    for (uint64_t round = 0; round < 40; round++) {
        hd_rng r = hd_rng_stream(round, 7, 0);
        for (size_t i = 0; i < 18; i++) {
            x[i] = hd_rng_normal(r, i) * (double)(round % 4) * 0.3;
            y[i] = hd_rng_normal(r, 50 + i) * 0.5;
        }
        hd_admm *a = projector(&p, radius, x), *b = projector(&p, radius, y), *again;
        const double *px = hd_admm_values(a, HD_ADMM_Z), *py = hd_admm_values(b, HD_ADMM_Z);
        CHECK(norm(18, px) <= radius * (1 + 1e-14));
        CHECK(norm(18, x) > radius || !memcmp(px, x, sizeof x)); /* the identity inside */
        CHECK(distance(18, px, py) <= distance(18, x, y) * (1 + 1e-12));
        again = projector(&p, radius, px);
        CHECK(distance(18, hd_admm_values(again, HD_ADMM_Z), px) <= 1e-15);
        hd_admm_free(a), hd_admm_free(b), hd_admm_free(again);
    }
    x[7] = NAN;
    hd_admm *a = hd_admm_new(p.g, 1, radius);
    memcpy(hd_admm_values(a, HD_ADMM_Z), x, sizeof x);
    CHECK(hd_admm_project(a) == HD_ERR_ARGUMENT && strstr(hd_error(p.c), "Z, row 0, column 7"));
    CHECK(hd_admm_local(a) == HD_ERR_ARGUMENT && hd_admm_step(a, 1) == HD_ERR_ARGUMENT);
    hd_admm_free(a);
    free_problem(&p);
}

/* The parts are a step; workers with parts of the rows, whose Z is the mean of O + U, find the solution of all rows (Boyd et al., 7.1). */
static void test_workers(void)
{
    enum { M = 3, ROUNDS = 150 };
    static const int ends[M + 1] = { 0, 90, 150, 240 };
    problem p = make_problem(1, 240, 15, 2, 4, 17);
    double *least = ridge(&p, 0), lambda;
    const size_t size = o_size(&p);
    const double radius = 0.6 * norm(size, least);
    CHECK(hd_gram_secular(p.g, radius, least, &lambda) == HD_OK);
    hd_admm *whole = hd_admm_new(p.g, 0, radius), *parts = hd_admm_new(p.g, 0, radius), *worker[M];
    for (int i = 0; i < 3; i++) {
        double *o = hd_admm_values(parts, HD_ADMM_O), *z = hd_admm_values(parts, HD_ADMM_Z), *u = hd_admm_values(parts, HD_ADMM_U);
        CHECK(hd_admm_step(whole, 1) == HD_OK && hd_admm_local(parts) == HD_OK);
        for (size_t k = 0; k < size; k++) {
            z[k] = o[k] + u[k];
        }
        CHECK(hd_admm_project(parts) == HD_OK && hd_admm_dual(parts) == HD_OK);
        for (int which = HD_ADMM_O; which <= HD_ADMM_U; which++) {
            CHECK(!memcmp(hd_admm_values(parts, which), hd_admm_values(whole, which), size * sizeof(double)));
        }
        CHECK(hd_admm_stat(parts, HD_ADMM_PRIMAL) == hd_admm_stat(whole, HD_ADMM_PRIMAL));
        CHECK(hd_admm_stat(parts, HD_ADMM_DUAL) == hd_admm_stat(whole, HD_ADMM_DUAL));
    }
    hd_gram *g = hd_gram_new(p.c, p.n, p.q);
    for (int m = 0; m < M; m++) {
        CHECK(hd_gram_reset(g) == HD_OK && hd_gram_add(g, NULL, 0, p.d, ends[m], ends[m + 1], 32, 1, 0) == HD_OK);
        worker[m] = hd_admm_new(g, hd_admm_stat(whole, HD_ADMM_PENALTY) / M, radius);
        must(p.c, worker[m] != NULL);
    }
    hd_gram_free(g); /* they have copies */
    for (int round = 0; round < ROUNDS; round++) {
        double *mean = new_o(&p);
        for (int m = 0; m < M; m++) {
            CHECK(hd_admm_local(worker[m]) == HD_OK);
            for (size_t k = 0; k < size; k++) {
                mean[k] += (hd_admm_values(worker[m], HD_ADMM_O)[k] + hd_admm_values(worker[m], HD_ADMM_U)[k]) / M;
            }
        }
        for (int m = 0; m < M; m++) {
            memcpy(hd_admm_values(worker[m], HD_ADMM_Z), mean, size * sizeof *mean);
            CHECK(hd_admm_project(worker[m]) == HD_OK && hd_admm_dual(worker[m]) == HD_OK);
        }
        free(mean);
    }
    const double *z = hd_admm_values(worker[0], HD_ADMM_Z), best = hd_gram_cost(p.g, least);
    CHECK(distance(size, z, least) <= 1e-3 * radius && fabs(hd_gram_cost(p.g, z) - best) <= 1e-5 * best);
    for (int m = M - 1; m >= 0; m--) { /* z is the first one's */
        CHECK(!memcmp(hd_admm_values(worker[m], HD_ADMM_Z), z, size * sizeof *z));
        hd_admm_free(worker[m]);
    }
    hd_admm_free(whole), hd_admm_free(parts), free(least);
    free_problem(&p);
}

static uint32_t digest(uint32_t state, size_t n, const double *x)
{
    for (size_t i = 0; i < n * sizeof *x; i++) {
        state = (state ^ ((const unsigned char *)x)[i]) * 0x01000193u;
    }
    return state;
}

/* All solvers on a problem whose products are shared among threads. */
static uint32_t solve_all(int threads)
{
    problem p = make_problem(threads, 600, 140, 5, 20, 19);
    double *o = new_o(&p), lambda;
    uint32_t state = digest(0x811c9dc5u, 140 * 140, hd_gram_values(p.g, HD_GRAM_G));
    CHECK(hd_gram_ridge(p.g, 0.5, o, &lambda) == HD_OK);
    state = digest(state, o_size(&p), o);
    CHECK(hd_gram_secular(p.g, 0.7 * norm(o_size(&p), o), o, &lambda) == HD_OK);
    state = digest(state, o_size(&p), o);
    hd_admm *a = hd_admm_new(p.g, 0, 1);
    CHECK(a && hd_admm_step(a, 20) == HD_OK);
    state = digest(state, o_size(&p), hd_admm_values(a, HD_ADMM_Z));
    hd_admm_free(a), free(o);
    free_problem(&p);
    return state;
}

static void test_bits(void)
{
    const uint32_t one = solve_all(1);
    printf("digest 0x%08xu\n", (unsigned)one);
    for (int threads = 2; threads <= 4; threads++) {
        CHECK(solve_all(threads) == one);
    }
#if !defined(HD_FLOAT64) && !defined(__wasm_relaxed_simd__)
    CHECK(one == SOLVE_DIGEST);
#endif
}

/* Each allocation fails once: an error, nothing lost, and the sums as before. */
static void test_memory(void)
{
    problem p = make_problem(1, 30, 8, 2, 2, 23);
    double *o = new_o(&p), lambda;
    const double used = hd_context_memory(p.c, 0);
    for (int kind = 0; kind < 4; kind++) {
        int failures = 0;
        for (hd_status status = HD_ERR_MEMORY; status == HD_ERR_MEMORY; failures++) {
            hd_context_fail_allocation(p.c, failures + 1);
            hd_gram *g = kind == 2 ? hd_gram_new(p.c, 8, 2) : NULL;
            hd_admm *a = kind == 3 ? hd_admm_new(p.g, 0, 1) : NULL;
            status = kind == 0 ? hd_gram_ridge(p.g, 1, o, &lambda) : kind == 1 ? hd_gram_secular(p.g, 0.1, o, &lambda)
                     : g || a ? HD_OK : hd_error_status(p.c);
            hd_gram_free(g), hd_admm_free(a);
            CHECK(hd_context_memory(p.c, 0) == used);
        }
        CHECK(failures >= 2 && failures < 9);
    }
    hd_context_fail_allocation(p.c, 0);
    free(o);
    free_problem(&p);
}

int main(void)
{
    test_ridge();
    test_dual(120, 30, 0.5);
    test_dual(40, 90, 2);
    test_path();
    test_secular();
    test_singular();
    test_admm(0.3, 100);
    test_admm(0.8, 8);
    test_admm(2, 8);
    test_projection();
    test_workers();
    test_bits();
    test_memory();
    return check_result("solve");
}
