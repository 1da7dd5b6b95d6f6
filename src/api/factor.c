/* Factorisations in public: checks of sizes and numbers around linalg/, one precision a call. */
#include "api/matrix.h"

#include <float.h>
#include <math.h>

enum { MAX_ORDER = 8192 }; /* of eigenvalues and singular values */

/* Element i of a matrix of either type. */
static double at(int type, const void *x, size_t i)
{
    return type == HD_F64 ? ((const double *)x)[i] : (double)((const real *)x)[i];
}

static void put(int type, void *x, size_t i, double value)
{
    if (type == HD_F64) {
        ((double *)x)[i] = value;
    } else {
        ((real *)x)[i] = (real)value;
    }
}

/* Work memory is at most a few times the matrix: its size must not overflow where size_t has 32 bits. */
static hd_status check_sizes(hd_context *c, const char *name, int type, int m, int n, int most)
{
    if (hd_matrix_sizes(c, name, type, 2, (int[]){ m, n })) {
        return c->status;
    }
    if ((m < n ? m : n) > most) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: a matrix of %d x %d, expected at most %d in the smaller of them", name, m, n, most);
    }
    if ((uint64_t)m * (uint64_t)n * hd_matrix_bytes(type) > SIZE_MAX / 8) {
        return hd_fail(c, HD_ERR_MEMORY, "%s: a matrix of %d x %d is too large to be factored", name, m, n);
    }
    return HD_OK;
}

static hd_status check(hd_context *c, const char *name, int type, int m, int n, int most, const void *a, hd_part part)
{
    if (check_sizes(c, name, type, m, n, most)) {
        return c->status;
    }
    return hd_matrix_finite(c, name, "a", HD_ERR_ARGUMENT, type, part, m, n, a);
}

/* R to [r x n], with a diagonal that is not negative: the signs go to the columns of Q [m x r]. */
static void take_r(int type, int m, int n, int r, const void *a, void *q, void *out)
{
    for (size_t i = 0; i < (size_t)r; i++) {
        const double sign = at(type, a, i * ((size_t)n + 1)) < 0 ? -1 : 1;
        for (size_t j = 0; j < (size_t)n; j++) {
            put(type, out, i * (size_t)n + j, j < i ? 0 : sign * at(type, a, i * (size_t)n + j));
        }
        for (size_t k = 0; sign < 0 && k < (size_t)m; k++) {
            put(type, q, k * (size_t)r + i, -at(type, q, k * (size_t)r + i));
        }
    }
}

/* The columns right of a wide matrix's square follow: A = Q [R1, R2] with R2 = Q^T A2. */
static hd_status factor(hd_context *c, int type, int m, int n, int r, void *a, void *tau, void *q)
{
    hd_status status;
    if (type == HD_F64) {
        double *x = a;
        status = hd_qr_f64(c, m, r, x, n, tau);
        status = status || n == r ? status : hd_qr_apply_f64(c, true, m, r, n - r, x, n, tau, x + r, n);
        return status ? status : hd_qr_q_f64(c, m, r, x, n, tau, q, r);
    }
    real *x = a;
    status = hd_qr(c, m, r, x, n, tau);
    status = status || n == r ? status : hd_qr_apply(c, true, m, r, n - r, x, n, tau, x + r, n);
    return status ? status : hd_qr_q(c, m, r, x, n, tau, q, r);
}

hd_status hd_linalg_qr(hd_context *c, int type, int m, int n, void *a, void *q, void *r)
{
    if (check(c, "qr", type, m, n, HD_MATRIX_MOST, a, HD_WHOLE)) {
        return c->status;
    }
    const int least = m < n ? m : n;
    void *tau = hd_reserve(c, (size_t)least * sizeof(double), "qr");
    hd_status status = tau ? factor(c, type, m, n, least, a, tau, q) : HD_ERR_MEMORY;
    if (!status) {
        take_r(type, m, n, least, a, q, r);
        status = hd_matrix_finite(c, "qr", "r", HD_ERR_DIVERGED, type, HD_WHOLE, least, n, r);
    }
    hd_release(c, tau);
    return status;
}

hd_status hd_linalg_eigh(hd_context *c, int type, int n, void *a, void *values, void *vectors)
{
    if (check(c, "eigh", type, n, n, MAX_ORDER, a, HD_LOWER)) {
        return c->status;
    }
    hd_status status = HD_CALL(type, hd_eigh, c, n, a, n, values, vectors, n);
    return status ? status : hd_matrix_finite(c, "eigh", "values", HD_ERR_DIVERGED, type, HD_WHOLE, 1, n, values);
}

static hd_status singular(hd_context *c, const char *name, int type, int m, int n, void *a, void *s, void *u, void *vt)
{
    const int r = m < n ? m : n;
    hd_status status = HD_CALL(type, hd_svd, c, m, n, a, n, s, u, r, vt, n);
    return status ? status : hd_matrix_finite(c, name, "values", HD_ERR_DIVERGED, type, HD_WHOLE, 1, r, s);
}

hd_status hd_linalg_svd(hd_context *c, int type, int m, int n, void *a, void *s, void *u, void *vt)
{
    return check(c, "svd", type, m, n, MAX_ORDER, a, HD_WHOLE) ? c->status : singular(c, "svd", type, m, n, a, s, u, vt);
}

hd_status hd_linalg_cond(hd_context *c, int type, int m, int n, void *a, double *condition)
{
    const size_t r = (size_t)(m < n ? m : n);
    if (check(c, "cond", type, m, n, MAX_ORDER, a, HD_WHOLE)) {
        return c->status;
    }
    void *s = hd_reserve(c, r * hd_matrix_bytes(type), "cond");
    hd_status status = s ? singular(c, "cond", type, m, n, a, s, NULL, NULL) : HD_ERR_MEMORY;
    if (!status) {
        const double least = at(type, s, r - 1);
        *condition = least > 0 ? at(type, s, 0) / least : INFINITY;
    }
    hd_release(c, s);
    return status;
}

/* The pseudo-inverse as factors: V diag(1 / s), for the singular values that count. */
typedef struct inverse {
    void *s, *u, *vt; /* [r], [m x r], [r x n]: rows of V^T divided by s, or 0 */
    int rank;
} inverse;

static hd_status invert(hd_context *c, const char *name, int type, int m, int n, void *a, double rcond, inverse *x)
{
    const size_t size = hd_matrix_bytes(type), r = (size_t)(m < n ? m : n);
    if (!(rcond < 1)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: rcond = %g, expected a number below 1", name, rcond);
    }
    x->s = hd_reserve(c, r * (1 + (size_t)m + (size_t)n) * size, name);
    if (!x->s) {
        return HD_ERR_MEMORY;
    }
    x->u = (char *)x->s + r * size;
    x->vt = (char *)x->u + r * (size_t)m * size;
    hd_status status = singular(c, name, type, m, n, a, x->s, x->u, x->vt);
    if (status) {
        return status;
    }
    const double epsilon = type == HD_F64 || sizeof(real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;
    const double limit = (rcond < 0 ? (m > n ? m : n) * epsilon : rcond) * at(type, x->s, 0);
    x->rank = 0;
    for (size_t i = 0; i < r; i++) {
        const double value = at(type, x->s, i), inverse = value > limit ? 1 / value : 0;
        x->rank += value > limit;
        for (size_t j = 0; j < (size_t)n; j++) {
            put(type, x->vt, i * (size_t)n + j, inverse * at(type, x->vt, i * (size_t)n + j));
        }
    }
    return HD_OK;
}

/* C = op(A) op(B), k terms. */
static void product(hd_context *c, int type, bool ta, bool tb, int m, int n, int k, const void *a, int lda, const void *b, int ldb, void *out)
{
    if (type == HD_F64) {
        hd_gemm_f64(c->pool, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, out, n);
    } else {
        hd_gemm(c->pool, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, out, n);
    }
}

/* X = V diag(1 / s) U^T B */
hd_status hd_linalg_least_squares(hd_context *c, int type, int m, int n, int k, void *a, const void *b, double rcond, void *x,
                                  double *rank)
{
    const char *name = "leastSquares";
    const int r = m < n ? m : n;
    if (check(c, name, type, m, n, MAX_ORDER, a, HD_WHOLE) || hd_matrix_sizes(c, name, type, 1, &k) ||
        hd_matrix_finite(c, name, "b", HD_ERR_ARGUMENT, type, HD_WHOLE, m, k, b)) {
        return c->status;
    }
    inverse inv = { 0 };
    hd_status status = invert(c, name, type, m, n, a, rcond, &inv);
    void *turned = status ? NULL : hd_reserve(c, (size_t)r * (size_t)k * hd_matrix_bytes(type), name);
    status = status ? status : turned ? HD_OK : HD_ERR_MEMORY;
    if (!status) {
        product(c, type, true, false, r, k, m, inv.u, r, b, k, turned);
        product(c, type, true, false, n, k, r, inv.vt, n, turned, k, x);
        *rank = inv.rank;
        status = hd_matrix_finite(c, name, "result", HD_ERR_DIVERGED, type, HD_WHOLE, n, k, x);
    }
    hd_release(c, turned);
    hd_release(c, inv.s);
    return status;
}

hd_status hd_linalg_pinv(hd_context *c, int type, int m, int n, void *a, double rcond, void *out, double *rank)
{
    const int r = m < n ? m : n;
    if (check(c, "pinv", type, m, n, MAX_ORDER, a, HD_WHOLE)) {
        return c->status;
    }
    inverse inv = { 0 };
    hd_status status = invert(c, "pinv", type, m, n, a, rcond, &inv);
    if (!status) {
        product(c, type, true, true, n, m, r, inv.vt, n, inv.u, r, out);
        *rank = inv.rank;
        status = hd_matrix_finite(c, "pinv", "result", HD_ERR_DIVERGED, type, HD_WHOLE, n, m, out);
    }
    hd_release(c, inv.s);
    return status;
}

hd_status hd_linalg_random_orthogonal(hd_context *c, int type, int m, int n, double seed, void *out)
{
    const char *name = "randomOrthogonal";
    if (check_sizes(c, name, type, m, n, HD_MATRIX_MOST)) {
        return c->status;
    }
    if (m < n || !(seed >= 0 && seed <= 9007199254740992.0 && seed == (double)(uint64_t)seed)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: %d rows, %d columns, seed %g: expected no more columns than rows, and a whole number 0..2^53",
                       name, m, n, seed);
    }
    return HD_CALL(type, hd_random_orthogonal, c, m, n, (uint64_t)seed, out, n);
}
