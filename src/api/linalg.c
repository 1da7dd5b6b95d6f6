/* Linear algebra in public: checks of sizes and numbers around linalg/, one precision a call. */
#include "linalg/linalg.h"

#include "base/context.h"

#include <string.h>

enum { MAX_SIZE = 65536 };

/* What of a square matrix counts. */
typedef enum part { WHOLE, LOWER, UPPER } part;

/* hd_NAME on real or on double, with the same arguments: matrices as void pointers. */
#define CALL(type, name, ...) ((type) == HD_F64 ? name##_f64(__VA_ARGS__) : name(__VA_ARGS__))

static size_t bytes_of(int type)
{
    return type == HD_F64 ? sizeof(double) : sizeof(real);
}

static hd_status check_sizes(hd_context *c, const char *name, int type, int count, const int *sizes)
{
    if (type != HD_F32 && type != HD_F64) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: type = %d, expected 0 (float32) or 1 (float64)", name, type);
    }
    for (int i = 0; i < count; i++) {
        if (sizes[i] < 1 || sizes[i] > MAX_SIZE) {
            return hd_fail(c, HD_ERR_ARGUMENT, "%s: a matrix of %d rows or columns, expected 1..%d", name, sizes[i], MAX_SIZE);
        }
    }
    return HD_OK;
}

/* Refuses the first element of rows x cols at x that is not finite: an argument, or with `status` HD_ERR_DIVERGED a result. */
static hd_status check_finite(hd_context *c, const char *name, const char *matrix, hd_status status, int type, part p, int rows, int cols,
                              const void *x)
{
    for (int i = 0; i < rows; i++) {
        const int first = p == UPPER ? i : 0, end = p == LOWER ? i + 1 : cols;
        const char *row = (const char *)x + ((size_t)i * (size_t)cols + (size_t)first) * bytes_of(type);
        const int bad = CALL(type, hd_find_not_finite, end - first, (const void *)row);
        if (bad >= 0) {
            const double value = type == HD_F64 ? ((const double *)row)[bad] : (double)((const real *)row)[bad];
            return hd_fail(c, status, "%s: %s[%d][%d] = %g, expected a finite number%s", name, matrix, i, first + bad, value,
                           status == HD_ERR_DIVERGED ? ": too large for its type, or the matrix is close to singular" : "");
        }
    }
    return HD_OK;
}

static hd_status check_factor(hd_context *c, const char *name, const char *factor, double value)
{
    return value - value == 0 ? HD_OK : hd_fail(c, HD_ERR_ARGUMENT, "%s: %s = %g, expected a finite number", name, factor, value);
}

hd_status hd_linalg_gemm(hd_context *c, int type, int ta, int tb, int m, int n, int k, double alpha, const void *a, const void *b, double beta,
                         void *out)
{
    const char *name = "gemm";
    if (check_sizes(c, name, type, 3, (int[]){ m, n, k }) || check_factor(c, name, "alpha", alpha) || check_factor(c, name, "beta", beta) ||
        check_finite(c, name, "a", HD_ERR_ARGUMENT, type, WHOLE, ta ? k : m, ta ? m : k, a) ||
        check_finite(c, name, "b", HD_ERR_ARGUMENT, type, WHOLE, tb ? n : k, tb ? k : n, b) ||
        (beta != 0 && check_finite(c, name, "out", HD_ERR_ARGUMENT, type, WHOLE, m, n, out))) {
        return c->status;
    }
    const int lda = ta ? m : k, ldb = tb ? k : n;
    if (type == HD_F64) {
        hd_gemm_f64(c->pool, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, out, n);
    } else {
        hd_gemm(c->pool, ta, tb, m, n, k, (real)alpha, a, lda, b, ldb, (real)beta, out, n);
    }
    return check_finite(c, name, "result", HD_ERR_DIVERGED, type, WHOLE, m, n, out);
}

hd_status hd_linalg_syrk(hd_context *c, int type, int transposed, int n, int k, double alpha, const void *a, double beta, void *out)
{
    const char *name = "syrk";
    const int lda = transposed ? n : k;
    if (check_sizes(c, name, type, 2, (int[]){ n, k }) || check_factor(c, name, "alpha", alpha) || check_factor(c, name, "beta", beta) ||
        check_finite(c, name, "a", HD_ERR_ARGUMENT, type, WHOLE, transposed ? k : n, lda, a) ||
        (beta != 0 && check_finite(c, name, "out", HD_ERR_ARGUMENT, type, LOWER, n, n, out))) {
        return c->status;
    }
    if (type == HD_F64) {
        hd_syrk_f64(c->pool, transposed, n, k, alpha, a, lda, beta, out, n);
    } else {
        hd_syrk(c->pool, transposed, n, k, (real)alpha, a, lda, (real)beta, out, n);
    }
    CALL(type, hd_mirror, n, out, n);
    return check_finite(c, name, "result", HD_ERR_DIVERGED, type, LOWER, n, n, out);
}

/* A, checked, becomes L in its lower triangle. */
static hd_status factor(hd_context *c, const char *name, int type, int n, void *a)
{
    if (check_finite(c, name, "a", HD_ERR_ARGUMENT, type, LOWER, n, n, a)) {
        return c->status;
    }
    const int pivot = CALL(type, hd_cholesky, c->pool, n, a, n);
    return pivot < 0 ? HD_OK : hd_fail(c, HD_ERR_DIVERGED, "%s: the matrix is not positive definite: pivot %d of %d is not positive", name, pivot, n);
}

hd_status hd_linalg_cholesky(hd_context *c, int type, int n, void *a)
{
    if (check_sizes(c, "cholesky", type, 1, &n) || factor(c, "cholesky", type, n, a)) {
        return c->status;
    }
    const size_t size = bytes_of(type);
    for (size_t i = 0; i < (size_t)n; i++) {
        memset((char *)a + (i * (size_t)n + i + 1) * size, 0, ((size_t)n - 1 - i) * size);
    }
    return HD_OK;
}

hd_status hd_linalg_triangular_solve(hd_context *c, int type, int upper, int transposed, int n, int m, const void *t, void *b)
{
    const char *name = "triangularSolve";
    if (check_sizes(c, name, type, 2, (int[]){ n, m }) ||
        check_finite(c, name, "t", HD_ERR_ARGUMENT, type, upper ? UPPER : LOWER, n, n, t) ||
        check_finite(c, name, "b", HD_ERR_ARGUMENT, type, WHOLE, n, m, b)) {
        return c->status;
    }
    for (int i = 0; i < n; i++) {
        const size_t at = (size_t)i * ((size_t)n + 1);
        if ((type == HD_F64 ? ((const double *)t)[at] : (double)((const real *)t)[at]) == 0) {
            return hd_fail(c, HD_ERR_DIVERGED, "%s: the matrix is singular: t[%d][%d] = 0", name, i, i);
        }
    }
    if (type == HD_F64) {
        hd_trsm_f64(c->pool, (hd_triangle_f64){ .upper = upper, .transposed = transposed }, n, m, t, n, b, m);
    } else {
        hd_trsm(c->pool, (hd_triangle){ .upper = upper, .transposed = transposed }, n, m, t, n, b, m);
    }
    return check_finite(c, name, "result", HD_ERR_DIVERGED, type, WHOLE, n, m, b);
}

hd_status hd_linalg_spd_solve(hd_context *c, int type, int n, int m, void *a, void *b)
{
    const char *name = "spdSolve";
    if (check_sizes(c, name, type, 2, (int[]){ n, m }) || check_finite(c, name, "b", HD_ERR_ARGUMENT, type, WHOLE, n, m, b) ||
        factor(c, name, type, n, a)) {
        return c->status;
    }
    CALL(type, hd_cholesky_solve, c->pool, false, n, m, a, n, b, m);
    return check_finite(c, name, "result", HD_ERR_DIVERGED, type, WHOLE, n, m, b);
}
