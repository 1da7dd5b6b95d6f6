/* Products, triangular and definite systems in public: checks of sizes and numbers around linalg/, one precision a call. */
#include "api/matrix.h"

#include <string.h>

static hd_status check_factor(hd_context *c, const char *name, const char *factor, double value)
{
    return value - value == 0 ? HD_OK : hd_fail(c, HD_ERR_ARGUMENT, "%s: %s = %g, expected a finite number", name, factor, value);
}

hd_status hd_linalg_gemm(hd_context *c, int type, int ta, int tb, int m, int n, int k, double alpha, const void *a, const void *b, double beta,
                         void *out)
{
    const char *name = "gemm";
    if (hd_matrix_sizes(c, name, type, 3, (int[]){ m, n, k }) || check_factor(c, name, "alpha", alpha) || check_factor(c, name, "beta", beta) ||
        hd_matrix_finite(c, name, "a", HD_ERR_ARGUMENT, type, HD_WHOLE, ta ? k : m, ta ? m : k, a) ||
        hd_matrix_finite(c, name, "b", HD_ERR_ARGUMENT, type, HD_WHOLE, tb ? n : k, tb ? k : n, b) ||
        (beta != 0 && hd_matrix_finite(c, name, "out", HD_ERR_ARGUMENT, type, HD_WHOLE, m, n, out))) {
        return c->status;
    }
    const int lda = ta ? m : k, ldb = tb ? k : n;
    if (type == HD_F64) {
        hd_gemm_f64(c->pool, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, out, n);
    } else {
        hd_gemm(c->pool, ta, tb, m, n, k, (real)alpha, a, lda, b, ldb, (real)beta, out, n);
    }
    return hd_matrix_finite(c, name, "result", HD_ERR_DIVERGED, type, HD_WHOLE, m, n, out);
}

hd_status hd_linalg_syrk(hd_context *c, int type, int transposed, int n, int k, double alpha, const void *a, double beta, void *out)
{
    const char *name = "syrk";
    const int lda = transposed ? n : k;
    if (hd_matrix_sizes(c, name, type, 2, (int[]){ n, k }) || check_factor(c, name, "alpha", alpha) || check_factor(c, name, "beta", beta) ||
        hd_matrix_finite(c, name, "a", HD_ERR_ARGUMENT, type, HD_WHOLE, transposed ? k : n, lda, a) ||
        (beta != 0 && hd_matrix_finite(c, name, "out", HD_ERR_ARGUMENT, type, HD_LOWER, n, n, out))) {
        return c->status;
    }
    if (type == HD_F64) {
        hd_syrk_f64(c->pool, transposed, n, k, alpha, a, lda, beta, out, n);
    } else {
        hd_syrk(c->pool, transposed, n, k, (real)alpha, a, lda, (real)beta, out, n);
    }
    HD_CALL(type, hd_mirror, n, out, n);
    return hd_matrix_finite(c, name, "result", HD_ERR_DIVERGED, type, HD_LOWER, n, n, out);
}

/* A, checked, becomes L in its lower triangle. */
static hd_status factor(hd_context *c, const char *name, int type, int n, void *a)
{
    if (hd_matrix_finite(c, name, "a", HD_ERR_ARGUMENT, type, HD_LOWER, n, n, a)) {
        return c->status;
    }
    const int pivot = HD_CALL(type, hd_cholesky, c->pool, n, a, n);
    return pivot < 0 ? HD_OK : hd_fail(c, HD_ERR_DIVERGED, "%s: the matrix is not positive definite: pivot %d of %d is not positive", name, pivot, n);
}

hd_status hd_linalg_cholesky(hd_context *c, int type, int n, void *a)
{
    if (hd_matrix_sizes(c, "cholesky", type, 1, &n) || factor(c, "cholesky", type, n, a)) {
        return c->status;
    }
    const size_t size = hd_matrix_bytes(type);
    for (size_t i = 0; i < (size_t)n; i++) {
        memset((char *)a + (i * (size_t)n + i + 1) * size, 0, ((size_t)n - 1 - i) * size);
    }
    return HD_OK;
}

hd_status hd_linalg_triangular_solve(hd_context *c, int type, int upper, int transposed, int n, int m, const void *t, void *b)
{
    const char *name = "triangularSolve";
    if (hd_matrix_sizes(c, name, type, 2, (int[]){ n, m }) ||
        hd_matrix_finite(c, name, "t", HD_ERR_ARGUMENT, type, upper ? HD_UPPER : HD_LOWER, n, n, t) ||
        hd_matrix_finite(c, name, "b", HD_ERR_ARGUMENT, type, HD_WHOLE, n, m, b)) {
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
    return hd_matrix_finite(c, name, "result", HD_ERR_DIVERGED, type, HD_WHOLE, n, m, b);
}

hd_status hd_linalg_spd_solve(hd_context *c, int type, int n, int m, void *a, void *b)
{
    const char *name = "spdSolve";
    if (hd_matrix_sizes(c, name, type, 2, (int[]){ n, m }) || hd_matrix_finite(c, name, "b", HD_ERR_ARGUMENT, type, HD_WHOLE, n, m, b) ||
        factor(c, name, type, n, a)) {
        return c->status;
    }
    HD_CALL(type, hd_cholesky_solve, c->pool, false, n, m, a, n, b, m);
    return hd_matrix_finite(c, name, "result", HD_ERR_DIVERGED, type, HD_WHOLE, n, m, b);
}
