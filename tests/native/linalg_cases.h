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

/* The lower triangle of A A^T + beta C against the whole product. */
static void N(check_syrk)(bool transposed, int n, int k, uint64_t seed)
{
    T *a = N(random_matrix)((size_t)n * k, seed), *c = N(random_matrix)((size_t)n * n, seed + 1), *wanted = malloc(sizeof(T) * n * n);
    memcpy(wanted, c, sizeof(T) * n * n);
    T upper = n > 1 ? c[1] : 0;
    int ld = transposed ? n : k;
    N(hd_gemm)(pools[0], transposed, !transposed, n, n, k, (T)0.5, a, ld, a, ld, (T)2, wanted, n);
    T *again = malloc(sizeof(T) * n * n);
    memcpy(again, c, sizeof(T) * n * n);
    N(hd_syrk)(pools[0], transposed, n, k, (T)0.5, a, ld, (T)2, c, n);
    N(hd_syrk)(pools[1], transposed, n, k, (T)0.5, a, ld, (T)2, again, n);
    CHECK(N(distance)(true, n, n, c, wanted) <= (k + 8) * EPS);
    CHECK(n == 1 || c[1] == upper);
    CHECK(!memcmp(c, again, sizeof(T) * n * n));
    free(a), free(c), free(wanted), free(again);
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
    static const int sizes[] = { 1, 2, 3, 15, 17, 33, 64, 100, 257 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int kind = 0; kind < 16; kind++) {
            N(check_trsm)(kind & 1, kind & 2, kind & 4, kind & 8, sizes[i], 1 + kind * 3, i * 100 + (size_t)kind);
        }
        N(check_syrk)(false, sizes[i], 70, i);
        N(check_syrk)(true, sizes[i], 5, i);
        N(check_cholesky)(sizes[i], i);
    }
}
