/* Cases for linalg_solve_test.c, included once for each precision: T the element type, TYPE its number, EPS its epsilon, N(x) a name. */

static T *N(random)(int m, int n, double scale, uint64_t seed)
{
    T *x = malloc(((size_t)m * (size_t)n + 1) * sizeof *x);
    hd_rng r = hd_rng_stream(seed, 4, 0);
    for (int i = 0; i < m * n; i++) {
        x[i] = (T)(scale * (hd_rng_uniform(r, (uint64_t)i) * 2 - 1));
    }
    return x;
}

static T *N(copy)(int size, const T *a)
{
    return memcpy(malloc(((size_t)size + 1) * sizeof *a), a, (size_t)size * sizeof *a);
}

/* A [m x k] B [k x n] in float64, rounded to T at the end. */
static T *N(product)(int m, int n, int k, const T *a, const T *b)
{
    T *x = malloc(((size_t)m * (size_t)n + 1) * sizeof *x);
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int p = 0; p < k; p++) {
                sum += (double)a[i * k + p] * (double)b[p * n + j];
            }
            x[i * n + j] = (T)sum;
        }
    }
    return x;
}

/* ||A - B|| / ||B||, Frobenius; B is not zero. */
static double N(apart)(int size, const T *a, const T *b)
{
    double difference = 0, norm = 0;
    for (int i = 0; i < size; i++) {
        const double d = ((double)a[i] - (double)b[i]);
        difference += d * d;
        norm += (double)b[i] * (double)b[i];
    }
    return sqrt(difference) / sqrt(norm);
}

static double N(condition)(int m, int n, const T *a)
{
    T *x = N(copy)(m * n, a);
    double value = 0;
    CHECK(!hd_linalg_cond(c, TYPE, m, n, x, &value));
    free(x);
    return value;
}

/* A = Q R for every shape, R upper triangular with no negative diagonal. */
static void N(check_qr)(int m, int n, double scale)
{
    const int r = m < n ? m : n;
    T *a = N(random)(m, n, scale, 1), *kept = N(copy)(m * n, a), *q = N(random)(m, r, 1, 2), *right = N(random)(r, n, 1, 3);
    CHECK(!hd_linalg_qr(c, TYPE, m, n, a, q, right));
    T *back = N(product)(m, n, r, q, right);
    CHECK(N(apart)(m * n, back, kept) <= 20 * EPS);
    for (int i = 0; i < r; i++) {
        CHECK(right[i * n + i] >= 0);
        for (int j = 0; j < i; j++) {
            CHECK(right[i * n + j] == 0);
        }
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = 0; k < m; k++) {
                sum += (double)q[k * r + i] * (double)q[k * r + j];
            }
            NEAR(sum, i == j, 20 * EPS);
        }
    }
    free(a), free(kept), free(q), free(right), free(back);
}

/* x from z = A x [m], m >= n: by R^-1 Q^T and by least squares. The bound is of float32 (error 4e-7 for orthonormal A, times cond(A)). */
static void N(check_reconstruction)(int m, int n)
{
    T *a = N(random)(m, n, 1, 7), *x = N(random)(n, 1, 1, 8), *z = N(product)(m, 1, n, a, x);
    T *f = N(copy)(m * n, a), *q = malloc(sizeof(T) * m * n), *r = malloc(sizeof(T) * n * n), *got = malloc(sizeof(T) * n);
    const double bound = (1e-6 + 6e-7 * N(condition)(m, n, a)) * (EPS / FLT_EPSILON);
    CHECK(!hd_linalg_qr(c, TYPE, m, n, f, q, r));
    CHECK(!hd_linalg_gemm(c, TYPE, 1, 0, n, 1, m, 1, q, z, 0, got) && !hd_linalg_triangular_solve(c, TYPE, 1, 0, n, 1, r, got));
    CHECK(N(apart)(n, got, x) <= bound);
    double rank = 0;
    CHECK(!hd_linalg_least_squares(c, TYPE, m, n, 1, a, z, -1, got, &rank) && rank == n);
    CHECK(N(apart)(n, got, x) <= 2 * bound);
    free(a), free(x), free(z), free(f), free(q), free(r), free(got);
}

/* The four equations of Penrose for A of the given rank; least squares is the pseudo-inverse times B, at any scale. */
static void N(check_inverse)(int m, int n, int rank, double scale)
{
    T *left = N(random)(m, rank, scale, 11), *right = N(random)(rank, n, 1, 12), *a = N(product)(m, n, rank, left, right);
    T *f = N(copy)(m * n, a), *p = malloc(sizeof(T) * m * n), *b = N(random)(m, 3, 1, 13), *x = malloc(sizeof(T) * n * 3);
    double found = 0, again = 0;
    CHECK(!hd_linalg_pinv(c, TYPE, m, n, f, -1, p, &found) && found == rank);
    T *ap = N(product)(m, m, n, a, p), *pa = N(product)(n, n, m, p, a);
    T *apa = N(product)(m, n, m, ap, a), *pap = N(product)(n, m, n, pa, p);
    const double limit = 4e3 * EPS;
    CHECK(N(apart)(m * n, apa, a) <= limit && N(apart)(m * n, pap, p) <= limit);
    for (int i = 0; i < m * m; i++) {
        NEAR(ap[i], ap[i % m * m + i / m], limit);
    }
    for (int i = 0; i < n * n; i++) {
        NEAR(pa[i], pa[i % n * n + i / n], limit);
    }
    T *wanted = N(product)(n, 3, m, p, b);
    CHECK(!hd_linalg_least_squares(c, TYPE, m, n, 3, a, b, -1, x, &again) && again == rank);
    CHECK(N(apart)(n * 3, x, wanted) <= limit);
    free(left), free(right), free(a), free(f), free(p), free(b), free(x), free(ap), free(pa), free(apa), free(pap), free(wanted);
}

/* [a b; b a] has eigenvalues a - b, a + b; diag(3, -4) singular values 4, 3; both known exactly but for rounding. */
static void N(check_known)(double scale)
{
    T a[4] = { (T)(2 * scale), (T)NAN, (T)scale, (T)(2 * scale) }, d[2], e[4], u[4], vt[4]; /* the upper triangle is not read */
    CHECK(!hd_linalg_eigh(c, TYPE, 2, a, d, e));
    NEAR(d[0] / scale, 1, 8 * EPS);
    NEAR(d[1] / scale, 3, 8 * EPS);
    NEAR(fabs((double)e[0]), sqrt(0.5), 8 * EPS);
    NEAR(e[1], sqrt(0.5), 8 * EPS);
    T b[4] = { (T)(3 * scale), 0, 0, (T)(-4 * scale) }, s[2];
    CHECK(!hd_linalg_svd(c, TYPE, 2, 2, b, s, u, vt));
    NEAR(s[0] / scale, 4, 8 * EPS);
    NEAR(s[1] / scale, 3, 8 * EPS);
    NEAR(u[2] * vt[1], -1, 8 * EPS);
    NEAR(u[1] * vt[2], 1, 8 * EPS);
    NEAR(N(condition)(2, 2, (T[]){ (T)scale, 0, 0, (T)(8 * scale) }), 8, 64 * EPS);
}

static void N(check_edges)(void)
{
    T zero[6] = { 0 }, x[6], s[2], one[1] = { -5 }, q[1], r[1], row[3] = { 3, 0, 4 }, b[2] = { 1, 2 };
    double rank = -1;
    CHECK(!hd_linalg_pinv(c, TYPE, 3, 2, zero, -1, x, &rank) && rank == 0 && x[0] == 0 && x[5] == 0);
    CHECK(!hd_linalg_least_squares(c, TYPE, 2, 3, 1, zero, b, -1, x, &rank) && rank == 0 && x[0] == 0 && x[2] == 0);
    CHECK(!hd_linalg_svd(c, TYPE, 2, 3, zero, s, NULL, NULL) && s[0] == 0 && s[1] == 0);
    CHECK(isinf(N(condition)(2, 3, zero)));
    CHECK(!hd_linalg_qr(c, TYPE, 1, 1, one, q, r) && q[0] == -1 && r[0] == 5);
    CHECK(!hd_linalg_pinv(c, TYPE, 1, 3, row, -1, x, &rank) && rank == 1);
    NEAR(x[0], 0.12, 4 * EPS);
    NEAR(x[2], 0.16, 4 * EPS);
    T graded[4] = { 1, 0, 0, (T)1e-3 }; /* the second counts or not, by rcond */
    CHECK(!hd_linalg_pinv(c, TYPE, 2, 2, graded, 1e-2, x, &rank) && rank == 1 && x[3] == 0);
    T again[4] = { 1, 0, 0, (T)1e-3 };
    CHECK(!hd_linalg_pinv(c, TYPE, 2, 2, again, 0, x, &rank) && rank == 2);
    NEAR(x[3], 1e3, 1e3 * 8 * EPS);
    T nan[6] = { 1, 2, 3, 4, 5, (T)NAN }, out[6], more[9];
    REFUSED(hd_linalg_qr(c, TYPE, 2, 3, nan, out, more), "qr: a[1][2] = ");
    REFUSED(hd_linalg_svd(c, TYPE, 3, 2, nan, out, NULL, NULL), "svd: a[2][1] = ");
    REFUSED(hd_linalg_eigh(c, TYPE, 2, nan + 2, out, NULL), "eigh: a[1][1] = ");
    REFUSED(hd_linalg_cond(c, TYPE, 1, 6, nan, &rank), "cond: a[0][5] = ");
    REFUSED(hd_linalg_pinv(c, TYPE, 2, 3, nan, -1, out, &rank), "pinv: a[1][2] = ");
    REFUSED(hd_linalg_least_squares(c, TYPE, 2, 1, 3, b, nan, -1, out, &rank), "leastSquares: b[1][2] = ");
    REFUSED(hd_linalg_pinv(c, TYPE, 1, 2, b, NAN, out, &rank), "pinv: rcond = ");
    REFUSED(hd_linalg_pinv(c, TYPE, 1, 2, b, 1, out, &rank), "pinv: rcond = 1, expected a number below 1");
    REFUSED(hd_linalg_eigh(c, TYPE, 8193, b, out, NULL), "eigh: a matrix of 8193 x 8193, expected at most 8192");
    REFUSED(hd_linalg_random_orthogonal(c, TYPE, 2, 3, 0, out), "randomOrthogonal: 2 rows, 3 columns");
    REFUSED(hd_linalg_random_orthogonal(c, TYPE, 2, 1, 0.5, out), "seed 0.5");
    REFUSED(hd_linalg_random_orthogonal(c, TYPE, 2, 1, -1, out), "seed -1");
}

/* Means of the elements' squares and of Q_00, over seeds: 1 / m and 0 in the Haar distribution. */
static void N(check_haar)(void)
{
    enum { M = 4, SEEDS = 2000 };
    T q[M * 2], first[M * 2];
    double squares[M * 2] = { 0 }, mean = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
        CHECK(!hd_linalg_random_orthogonal(c, TYPE, M, 2, seed, q));
        for (int i = 0; i < M * 2; i++) {
            squares[i] += (double)q[i] * (double)q[i] / SEEDS;
        }
        mean += (double)q[0] / SEEDS;
        if (seed == 0) {
            memcpy(first, q, sizeof q);
        }
    }
    for (int i = 0; i < M * 2; i++) {
        NEAR(squares[i], 1.0 / M, 0.03); /* deviation of a mean: 0.005 */
    }
    NEAR(mean, 0, 0.06); /* 0.011 */
    CHECK(memcmp(first, q, sizeof q));
    CHECK(!hd_linalg_random_orthogonal(c, TYPE, M, 2, 0, q) && !memcmp(first, q, sizeof q));
}

/* Every allocation fails once: refused, nothing leaks. */
static void N(check_memory)(void)
{
    const size_t used = c->used;
    T a[12], b[4] = { 1, 2, 3, 4 }, u[16], x[16], s[3];
    double rank;
    for (int which = 0; which < 6; which++) {
        hd_status status = HD_ERR_MEMORY;
        for (int fail = 1; status == HD_ERR_MEMORY && fail < 30; fail++) {
            for (int i = 0; i < 12; i++) {
                a[i] = (T)(i * i % 7);
            }
            c->fail_at = fail;
            status = which == 0   ? hd_linalg_qr(c, TYPE, 4, 3, a, u, x)
                     : which == 1 ? hd_linalg_eigh(c, TYPE, 3, a, s, x)
                     : which == 2 ? hd_linalg_svd(c, TYPE, 3, 4, a, s, u, x)
                     : which == 3 ? hd_linalg_least_squares(c, TYPE, 4, 3, 1, a, b, -1, x, &rank)
                     : which == 4 ? hd_linalg_pinv(c, TYPE, 3, 4, a, -1, x, &rank)
                                  : hd_linalg_random_orthogonal(c, TYPE, 4, 3, 0, x);
            CHECK(c->used == used && (fail > 1 || status == HD_ERR_MEMORY));
        }
        CHECK(status == HD_OK);
    }
    c->fail_at = -1;
}

static void N(check_all)(void)
{
    const double large = sizeof(T) == sizeof(double) ? 1e30 : 1e15;
    static const int shapes[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 40, 40 }, { 75, 40 }, { 40, 75 }, { 33, 32 } };
    for (int i = 0; i < (int)(sizeof shapes / sizeof *shapes); i++) {
        const int m = shapes[i][0], n = shapes[i][1], r = m < n ? m : n;
        for (int k = -1; k <= 1; k++) {
            const double scale = k < 0 ? 1 / large : k ? large : 1;
            N(check_qr)(m, n, scale);
            N(check_inverse)(m, n, r > 10 && m == n ? r / 2 : r, scale);
        }
    }
    N(check_inverse)(30, 20, 7, 1);
    N(check_reconstruction)(96, 96);
    N(check_reconstruction)(106, 96);
    N(check_reconstruction)(192, 96);
    N(check_known)(1);
    N(check_known)(large);
    N(check_known)(1 / large);
    N(check_edges)();
    N(check_haar)();
    N(check_memory)();
}
