/* The public functions of linear algebra: small results known exactly, in both types, and what they refuse, by its sentence. */
#include "check.h"
#include "heddle.h"

#include <stdlib.h>

static hd_context *c;

#define REFUSED(call, code, text)                                       \
    do {                                                                \
        CHECK((call) == (code));                                        \
        CHECK_TEXT(hd_error(c), (text));                                \
    } while (0)

static int same(int bytes, const void *x, int n, const double *wanted)
{
    int equal = 1;
    for (int i = 0; i < n; i++) {
        equal &= (bytes == sizeof(float) ? ((const float *)x)[i] : ((const double *)x)[i]) == wanted[i];
    }
    return equal;
}

/* SAME(x, 1, 2, ..): the elements are these. */
#define SAME(x, ...) CHECK(same(sizeof *(x), x, sizeof((double[]){ __VA_ARGS__ }) / sizeof(double), (double[]){ __VA_ARGS__ }))

#define RUN(T, type, run)                                                                              \
    static void run(void)                                                                              \
    {                                                                                                  \
        T a[6] = { 1, 2, 3, 4, 5, 6 }, b[4] = { 1, 1, 1, -1 }, out[9] = { 1, 1, 1, 1, 1, 1 };          \
        CHECK(!hd_linalg_gemm(c, type, 1, 0, 3, 2, 2, 1, a, b, 2, out));                               \
        SAME(out, 7, -1, 9, -1, 11, -1);                                                               \
        CHECK(!hd_linalg_gemm(c, type, 0, 1, 2, 2, 3, 1, a, a, 0, out));                               \
        SAME(out, 14, 32, 32, 77);                                                                     \
        CHECK(!hd_linalg_syrk(c, type, 0, 2, 3, -1, a, 1, out));                                       \
        SAME(out, 0, 0, 0, 0);                                                                         \
        CHECK(!hd_linalg_syrk(c, type, 1, 3, 2, 1, a, 0, out));                                        \
        SAME(out, 17, 22, 27, 22, 29, 36, 27, 36, 45);                                                 \
        T g[4] = { 4, (T)NAN, 2, 5 }, x[2] = { 8, 12 };                                                \
        CHECK(!hd_linalg_cholesky(c, type, 2, g));                                                     \
        SAME(g, 2, 0, 1, 2);                                                                           \
        CHECK(!hd_linalg_triangular_solve(c, type, 0, 0, 2, 1, g, x));                                 \
        SAME(x, 4, 4);                                                                                 \
        CHECK(!hd_linalg_triangular_solve(c, type, 0, 1, 2, 1, g, x));                                 \
        SAME(x, 1, 2);                                                                                 \
        T u[4] = { 2, 1, (T)NAN, 2 }, y[4] = { 4, 1, 4, -2 };                                          \
        CHECK(!hd_linalg_triangular_solve(c, type, 1, 0, 2, 2, u, y));                                 \
        SAME(y, 1, 1, 2, -1);                                                                          \
        T s[4] = { 4, 2, 2, 5 }, right[4] = { 8, 4, 12, 10 };                                          \
        CHECK(!hd_linalg_spd_solve(c, type, 2, 2, s, right));                                          \
        SAME(right, 1, 0, 2, 2);                                                                       \
        T bad[4] = { 1, 2, 2, 1 };                                                                     \
        REFUSED(hd_linalg_cholesky(c, type, 2, bad), HD_ERR_DIVERGED,                                  \
                "cholesky: the matrix is not positive definite: pivot 1 of 2 is not positive");        \
        T zero[4] = { 1, 0, 3, 0 };                                                                    \
        REFUSED(hd_linalg_triangular_solve(c, type, 0, 0, 2, 1, zero, x), HD_ERR_DIVERGED,             \
                "triangularSolve: the matrix is singular: t[1][1] = 0");                               \
        T nan[4] = { 1, 2, (T)NAN, 4 };                                                                \
        CHECK(hd_linalg_gemm(c, type, 0, 0, 2, 2, 2, 1, nan, b, 0, out) == HD_ERR_ARGUMENT);           \
        CHECK(strstr(hd_error(c), "gemm: a[1][0] = ") == hd_error(c));                                 \
        CHECK(hd_linalg_syrk(c, type, 0, 2, 2, 1, b, 1, nan) == HD_ERR_ARGUMENT);                      \
        CHECK(hd_linalg_spd_solve(c, type, 2, 1, nan, x) == HD_ERR_ARGUMENT);                          \
        T huge[1] = { sizeof(T) == 4 ? (T)1e30f : (T)1e200 };                                          \
        CHECK(hd_linalg_gemm(c, type, 0, 0, 1, 1, 1, 1, huge, huge, 0, out) == HD_ERR_DIVERGED);       \
        CHECK(strstr(hd_error(c), "gemm: result[0][0] = ") == hd_error(c));                            \
    }
RUN(hd_real, HD_F32, run_real)
RUN(double, HD_F64, run_double)

int main(void)
{
    c = hd_context_new(2);
    run_real();
    run_double();
    double x[4] = { 1, 0, 0, 1 };
    REFUSED(hd_linalg_gemm(c, 2, 0, 0, 1, 1, 1, 1, x, x, 0, x + 1), HD_ERR_ARGUMENT, "gemm: type = 2, expected 0 (float32) or 1 (float64)");
    REFUSED(hd_linalg_syrk(c, HD_F64, 0, 1, 0, 1, x, 0, x + 1), HD_ERR_ARGUMENT, "syrk: a matrix of 0 rows or columns, expected 1..65536");
    REFUSED(hd_linalg_cholesky(c, HD_F64, 65537, x), HD_ERR_ARGUMENT, "cholesky: a matrix of 65537 rows or columns, expected 1..65536");
    CHECK(hd_linalg_gemm(c, HD_F64, 0, 0, 1, 1, 1, INFINITY, x, x, 0, x + 1) == HD_ERR_ARGUMENT);
    CHECK(strstr(hd_error(c), "gemm: alpha = ") == hd_error(c));
    hd_context_free(c);
    return check_result("linalg_api");
}
