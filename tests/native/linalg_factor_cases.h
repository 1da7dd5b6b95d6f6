/* Cases for linalg_factor_test.c, included once for each precision: T the element type, N(x) its function, EPS its epsilon. */

static T *N(matrix)(int m, int n, uint64_t seed)
{
    T *x = malloc(((size_t)m * (size_t)n + 1) * sizeof *x);
    hd_rng r = hd_rng_stream(seed, 3, 0);
    for (int i = 0; i < m * n; i++) {
        x[i] = (T)(hd_rng_uniform(r, (uint64_t)i) * 2 - 1);
    }
    return x;
}

static T *N(copy_of)(int size, const T *a)
{
    T *x = malloc(((size_t)size + 1) * sizeof *x);
    memcpy(x, a, (size_t)size * sizeof *x);
    return x;
}

/* max |A - B| / max |B|, 0 where both are 0. */
static double N(difference)(int size, const T *a, const T *b)
{
    double worst = 0, scale = 0;
    for (int i = 0; i < size; i++) {
        double e = fabs((double)a[i] - (double)b[i]);
        worst = e <= worst ? worst : e; /* NaN stays */
        scale = fmax(scale, fabs((double)b[i]));
    }
    return worst == 0 ? 0 : worst / scale;
}

/* max |Q^T Q - I| of m x n, in float64. */
static double N(defect)(int m, int n, const T *q)
{
    double worst = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = i == j ? -1 : 0;
            for (int k = 0; k < m; k++) {
                sum += (double)q[k * n + i] * (double)q[k * n + j];
            }
            worst = fabs(sum) <= worst ? worst : fabs(sum);
        }
    }
    return worst;
}

static void N(check_qr)(int m, int n, uint64_t seed)
{
    T *a = N(matrix)(m, n, seed), *f = N(copy_of)(m * n, a), *g = N(copy_of)(m * n, a), *tau = malloc(sizeof(T) * n), *tau2 = malloc(sizeof(T) * n);
    T *q = malloc(sizeof(T) * m * n), *r = calloc((size_t)n * n, sizeof(T)), *back = malloc(sizeof(T) * m * n);
    CHECK(!N(hd_qr)(&context, m, n, f, n, tau) && !N(hd_qr_q)(&context, m, n, f, n, tau, q, n));
    for (int i = 0; i < n; i++) {
        memcpy(r + i * n + i, f + i * n + i, sizeof(T) * (n - i));
    }
    N(hd_gemm)(context.pool, false, false, m, n, n, 1, q, n, r, n, 0, back, n);
    CHECK(N(difference)(m * n, back, a) <= 40 * EPS * sqrt(n));
    CHECK(N(defect)(m, n, q) <= 40 * EPS * sqrt(n));
    N(hd_qr_apply)(&context, true, m, n, n, f, n, tau, a, n); /* Q^T A = [R; 0] */
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
            NEAR(a[i * n + j], i <= j ? f[i * n + j] : 0, 100 * EPS * sqrt((double)m * n));
        }
    }
    context.pool = threads;
    CHECK(!N(hd_qr)(&context, m, n, g, n, tau2) && !memcmp(f, g, sizeof(T) * m * n) && !memcmp(tau, tau2, sizeof(T) * n));
    context.pool = alone;
    free(a), free(f), free(g), free(tau), free(tau2), free(q), free(r), free(back);
}

/* A symmetric matrix with the given spectrum: A E = E d, E orthogonal, d as given. */
static void N(check_eigh)(int n, const double *spectrum, uint64_t seed)
{
    T *q = malloc(sizeof(T) * n * n), *scaled = malloc(sizeof(T) * n * n), *a = malloc(sizeof(T) * n * n), *d = malloc(sizeof(T) * n);
    double largest = 0;
    CHECK(!N(hd_random_orthogonal)(&context, n, n, seed, q, n) && N(defect)(n, n, q) <= 40 * EPS * sqrt(n));
    for (int i = 0; i < n * n; i++) {
        scaled[i] = q[i] * (T)spectrum[i % n];
        largest = fmax(largest, fabs(spectrum[i % n]));
    }
    N(hd_gemm)(context.pool, false, true, n, n, n, 1, scaled, n, q, n, 0, a, n);
    T *kept = N(copy_of)(n * n, a), *e = malloc(sizeof(T) * n * n), *again = N(copy_of)(n * n, a), *only = malloc(sizeof(T) * n);
    CHECK(!N(hd_eigh)(&context, n, a, n, d, e, n));
    CHECK(N(defect)(n, n, e) <= 60 * EPS * sqrt(n));
    for (int k = 0; k < n; k++) { /* spectrum is ascending */
        NEAR(d[k], spectrum[k], 60 * EPS * sqrt(n) * largest);
        CHECK(k == 0 || d[k] >= d[k - 1]);
        for (int i = 0; i < n; i++) {
            double sum = -(double)d[k] * (double)e[i * n + k];
            for (int j = 0; j < n; j++) {
                sum += (double)(j <= i ? kept[i * n + j] : kept[j * n + i]) * (double)e[j * n + k];
            }
            CHECK(fabs(sum) <= 60 * EPS * sqrt(n) * largest);
        }
    }
    T *b = N(copy_of)(n * n, again);
    CHECK(!N(hd_eigh)(&context, n, again, n, only, NULL, 0) && !memcmp(only, d, sizeof(T) * n));
    context.pool = threads;
    T *other = malloc(sizeof(T) * n * n);
    CHECK(!N(hd_eigh)(&context, n, b, n, only, other, n) && !memcmp(other, e, sizeof(T) * n * n));
    context.pool = alone;
    free(q), free(scaled), free(a), free(d), free(kept), free(e), free(again), free(only), free(b), free(other);
}

static void N(check_svd)(int m, int n, int rank, double scale, uint64_t seed)
{
    int r = m < n ? m : n;
    T *left = N(matrix)(m, rank, seed), *right = N(matrix)(rank, n, seed + 1), *a = malloc(sizeof(T) * m * n);
    N(hd_gemm)(context.pool, false, false, m, n, rank, (T)scale, left, rank, right, n, 0, a, n);
    T *kept = N(copy_of)(m * n, a), *b = N(copy_of)(m * n, a), *s = malloc(sizeof(T) * r), *only = malloc(sizeof(T) * r);
    T *u = malloc(sizeof(T) * m * r), *vt = malloc(sizeof(T) * r * n), *back = malloc(sizeof(T) * m * n), *v = malloc(sizeof(T) * r * n);
    CHECK(!N(hd_svd)(&context, m, n, a, n, s, u, r, vt, n));
    for (int i = 0; i < r; i++) {
        CHECK(s[i] >= 0 && (i == 0 || s[i] <= s[i - 1]) && (i < rank || s[i] <= 60 * EPS * sqrt(r) * s[0]));
        for (int j = 0; j < n; j++) {
            v[j * r + i] = vt[i * n + j];
            vt[i * n + j] *= s[i];
        }
    }
    N(hd_gemm)(context.pool, false, false, m, n, r, 1, u, r, vt, n, 0, back, n);
    CHECK(N(difference)(m * n, back, kept) <= 60 * EPS * sqrt(m + n));
    CHECK(N(defect)(m, r, u) <= 60 * EPS * sqrt(r) && N(defect)(n, r, v) <= 60 * EPS * sqrt(r));
    CHECK(!N(hd_svd)(&context, m, n, b, n, only, NULL, 0, NULL, 0));
    CHECK(N(difference)(r, only, s) <= 4 * EPS);
    free(left), free(right), free(a), free(kept), free(b), free(s), free(only), free(u), free(vt), free(back), free(v);
}

static void N(check_all)(void)
{
    static const int sizes[] = { 1, 2, 3, 5, 31, 32, 33, 70, 130 };
    for (int i = 0; i < (int)(sizeof sizes / sizeof *sizes); i++) {
        int n = sizes[i];
        double *spread = malloc(sizeof(double) * n), *equal = malloc(sizeof(double) * n), *graded = malloc(sizeof(double) * n);
        for (int k = 0; k < n; k++) {
            spread[k] = k - n / 3;
            equal[k] = k < n / 2 ? 0 : 2; /* clusters */
            graded[k] = ldexp(1, 2 * (k - n) < -60 ? -60 : 2 * (k - n));
        }
        N(check_eigh)(n, spread, (uint64_t)i);
        N(check_eigh)(n, equal, (uint64_t)i);
        N(check_eigh)(n, graded, (uint64_t)i);
        free(spread), free(equal), free(graded);
        N(check_qr)(n, n, (uint64_t)i);
        N(check_qr)(n + 9, n, (uint64_t)i);
        N(check_svd)(n, n, n, 1, (uint64_t)i);
        N(check_svd)(n + 7, n, n, 1e-12, (uint64_t)i);
        N(check_svd)(n, n + 20, n, 1e12, (uint64_t)i);
        N(check_svd)(n + 3, n, (n + 1) / 2, 1, (uint64_t)i); /* rank-deficient */
    }
    T zero[12] = { 0 }, s[3], u[12], vt[9], d[3];
    CHECK(!N(hd_svd)(&context, 4, 3, zero, 3, s, u, 3, vt, 3) && s[0] == 0 && s[2] == 0 && N(defect)(4, 3, u) <= EPS * 8);
    CHECK(!N(hd_eigh)(&context, 3, zero, 3, d, vt, 3) && d[0] == 0 && d[2] == 0 && N(defect)(3, 3, vt) <= EPS * 8);
    T nan[4] = { 1, (T)NAN, (T)NAN, 1 };
    CHECK(N(hd_svd)(&context, 2, 2, nan, 2, s, NULL, 0, NULL, 0) == HD_ERR_DIVERGED);
    T bad[4] = { 1, (T)NAN, (T)NAN, 1 };
    CHECK(N(hd_eigh)(&context, 2, bad, 2, d, NULL, 0) == HD_ERR_DIVERGED);
}
