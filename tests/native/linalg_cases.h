/* Cases for linalg_test.c, included once for each precision: T the element type, N(x) its function, EPS its epsilon. */

static T *N(random_matrix)(size_t n, uint64_t seed)
{
    T *x = malloc((n + 1) * sizeof *x);
    hd_rng r = hd_rng_stream(seed, 2, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = (T)(hd_rng_uniform(r, i) * 2 - 1);
    }
    return x;
}

/* Largest difference of n x m matrices, of the lower triangle only if `lower`. */
static double N(distance)(bool lower, int n, int m, const T *a, const T *b)
{
    double most = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < (lower ? i + 1 : m); j++) {
            double d = fabs((double)a[i * m + j] - (double)b[i * m + j]);
            most = d <= most ? most : d; /* NaN stays */
        }
    }
    return most;
}

/* alpha op(A) op(B) + beta C, its lower triangle alone if `lower`, against sums in float64; C is wider than the product, and neither what is
 * beside it nor, with beta = 0, its old values matter. */
static void N(check_product)(bool lower, bool ta, bool tb, int m, int n, int k, double beta, uint64_t seed)
{
    const int ldc = n + 3, lda = ta ? m : k, ldb = tb ? k : n;
    T *a = N(random_matrix)((size_t)m * k, seed), *b = N(random_matrix)((size_t)k * n, seed + 1), *c = N(random_matrix)((size_t)m * ldc, seed + 2);
    T *got[2];
    for (int t = 0; t < 2; t++) {
        got[t] = malloc(sizeof(T) * m * ldc);
        for (int i = 0; i < m * ldc; i++) {
            got[t][i] = beta == 0 && i % ldc < (lower ? i / ldc + 1 : n) ? (T)NAN : c[i];
        }
        if (lower) {
            N(hd_gemm_lower)(pools[t], ta, tb, n, k, (T)0.5, a, lda, b, ldb, (T)beta, got[t], ldc);
        } else {
            N(hd_gemm)(pools[t], ta, tb, m, n, k, (T)0.5, a, lda, b, ldb, (T)beta, got[t], ldc);
        }
    }
    CHECK(!memcmp(got[0], got[1], sizeof(T) * m * ldc));
    double worst = 0;
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < ldc; j++) {
            double wanted = c[i * ldc + j], sum = 0;
            if (j < (lower ? i + 1 : n)) {
                for (int p = 0; p < k; p++) {
                    sum += (double)(ta ? a[p * lda + i] : a[i * lda + p]) * (double)(tb ? b[j * ldb + p] : b[p * ldb + j]);
                }
                wanted = 0.5 * sum + (beta == 0 ? 0 : beta * wanted);
            }
            double d = fabs(got[0][i * ldc + j] - wanted);
            worst = d <= worst ? worst : d; /* NaN stays */
        }
    }
    NEAR(worst, 0, (k + 8) * EPS);
    free(a), free(b), free(c), free(got[0]), free(got[1]);
}

/* Random sizes, and those where blocks and plans change. */
static void N(check_products)(void)
{
    static const int sizes[][2] = { { 1, 1 }, { 1, 3000 }, { 64, 1500 }, { 63, 2000 }, { 65, 1025 }, { 300, 1100 }, { 529, 9 }, { 17, 70 } };
    hd_rng r = hd_rng_stream(5, 3, 0);
    for (int i = 0; i < 40; i++) {
        int n = 1 + (int)(hd_rng_uniform(r, 4 * (uint64_t)i) * 90), k = 1 + (int)(hd_rng_uniform(r, 4 * (uint64_t)i + 1) * 300);
        int m = 1 + (int)(hd_rng_uniform(r, 4 * (uint64_t)i + 2) * 90);
        N(check_product)(false, i & 1, i & 2, m, n, k, i % 3, (uint64_t)i);
        N(check_product)(true, i & 1, i & 2, n, n, k, i % 3, (uint64_t)i);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int kind = 0; kind < 4; kind++) {
            N(check_product)(true, kind & 1, kind & 2, sizes[i][0], sizes[i][0], sizes[i][1], kind == 0, i);
        }
    }
    T a[4] = { 1, 2, 3, 4 }, c[4] = { 5, 6, 7, 8 }, twice[4] = { 10, 6, 14, 16 };
    N(hd_syrk)(pools[0], false, 2, 0, 1, a, 2, 2, c, 2); /* no terms: C = beta C */
    CHECK(!memcmp(c, twice, sizeof c));
    N(hd_syrk)(pools[0], true, 2, 2, 1, a, 2, 0, c, 2);
    CHECK(c[0] == 10 && c[1] == 6 && c[2] == 14 && c[3] == 20);
    N(hd_syrk)(pools[0], false, 2, 2, 1, a, 2, -1, c, 2);
    CHECK(c[0] == -5 && c[1] == 6 && c[2] == -3 && c[3] == 5);
}

/* op(T) X = B or X op(T) = B: the product gives B again. */
static void N(check_trsm)(bool upper, bool transposed, bool right, bool unit, int n, int m, uint64_t seed)
{
    T *t = N(random_matrix)((size_t)n * n, seed), *b = N(random_matrix)((size_t)n * m, seed + 1), *x = malloc(sizeof(T) * n * m);
    memcpy(x, b, sizeof(T) * n * m);
    int ldb = right ? n : m;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            t[i * n + j] = i == j ? (T)(unit ? 7 : 2 + t[i * n + i]) : t[i * n + j] / (T)n;
        }
    }
    N(hd_trsm)(pools[1], (N(hd_triangle)){ upper, transposed, right, unit }, n, m, t, n, x, ldb);
    for (int i = 0; i < n; i++) { /* the triangle alone, for the product */
        for (int j = 0; j < n; j++) {
            t[i * n + j] = i == j ? (unit ? 1 : t[i * n + j]) : (j > i) == upper ? t[i * n + j] : 0;
        }
    }
    T *back = malloc(sizeof(T) * n * m);
    if (right) {
        N(hd_gemm)(pools[0], false, transposed, m, n, n, 1, x, n, t, n, 0, back, n);
    } else {
        N(hd_gemm)(pools[0], transposed, false, n, m, n, 1, t, n, x, m, 0, back, m);
    }
    CHECK(N(distance)(false, n, m, back, b) <= 8 * n * EPS);
    free(t), free(b), free(x), free(back);
}

/* G = A A^T + I: L L^T gives it again, and the solution its right sides. */
static void N(check_cholesky)(int n, uint64_t seed)
{
    enum { M = 3 };
    T *a = N(random_matrix)((size_t)n * n, seed), *g = calloc((size_t)n * n, sizeof(T)), *l = malloc(sizeof(T) * n * n);
    for (int i = 0; i < n; i++) {
        g[i * n + i] = 1;
    }
    N(hd_gemm)(pools[0], false, true, n, n, n, 1, a, n, a, n, 1, g, n);
    memcpy(l, g, sizeof(T) * n * n);
    CHECK(N(hd_cholesky)(pools[0], n, l, n) == -1);
    T *again = malloc(sizeof(T) * n * n);
    memcpy(again, g, sizeof(T) * n * n);
    CHECK(N(hd_cholesky)(pools[1], n, again, n) == -1 && !memcmp(l, again, sizeof(T) * n * n));
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            again[i * n + j] = 0;
        }
    }
    T *back = malloc(sizeof(T) * n * n), *x = N(random_matrix)((size_t)n * M, seed + 1), *b = malloc(sizeof(T) * n * M);
    N(hd_gemm)(pools[0], false, true, n, n, n, 1, again, n, again, n, 0, back, n);
    CHECK(N(distance)(true, n, n, back, g) <= 4 * n * EPS * n);
    N(hd_gemm)(pools[0], false, false, n, M, n, 1, g, n, x, M, 0, b, M);
    N(hd_cholesky_solve)(pools[0], false, n, M, l, n, b, M);
    CHECK(N(distance)(false, n, M, b, x) <= 40.0 * n * n * EPS);
    N(hd_gemm)(pools[0], true, false, M, n, n, 1, x, M, g, n, 0, b, n);
    N(hd_cholesky_solve)(pools[0], true, n, M, l, n, b, n);
    for (int i = 0; i < n * M; i++) {
        NEAR(b[i % M * n + i / M], x[i], 40.0 * n * n * EPS);
    }
    int bad = n / 2; /* a pivot that is not positive, and NaN, are named */
    memcpy(l, g, sizeof(T) * n * n);
    l[bad * n + bad] = -1;
    CHECK(N(hd_cholesky)(pools[0], n, l, n) == bad);
    memcpy(l, g, sizeof(T) * n * n);
    l[bad * n + bad] = (T)NAN;
    CHECK(N(hd_cholesky)(pools[0], n, l, n) == bad);
    free(a), free(g), free(l), free(again), free(back), free(x), free(b);
}

static void N(check_all)(void)
{
    N(check_products)();
    static const int sizes[] = { 1, 2, 3, 15, 17, 33, 64, 100, 257 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int kind = 0; kind < 16; kind++) {
            N(check_trsm)(kind & 1, kind & 2, kind & 4, kind & 8, sizes[i], 1 + kind * 3, i * 100 + (size_t)kind);
        }
        N(check_cholesky)(sizes[i], i);
    }
}
