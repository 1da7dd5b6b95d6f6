#include "linalg/linalg.h"

#include <math.h>

enum { LEAF = 32 };

static int leaf(int n, real *a, int lda)
{
    for (int j = 0; j < n; j++) {
        real *row = a + (size_t)j * (size_t)lda, sum = row[j];
        for (int p = 0; p < j; p++) {
            sum -= row[p] * row[p];
        }
        if (!(sum > 0)) {
            return j;
        }
        row[j] = (real)sqrt(sum);
        for (int i = j + 1; i < n; i++) {
            real *below = a + (size_t)i * (size_t)lda, s = below[j];
            for (int p = 0; p < j; p++) {
                s -= below[p] * row[p];
            }
            below[j] = s / row[j];
        }
    }
    return -1;
}

/* A11 = L11 L11^T; L21 = A21 L11^-T; A22 - L21 L21^T = L22 L22^T. */
int hd_cholesky(hd_pool *p, int n, real *a, int lda)
{
    if (n <= LEAF) {
        return leaf(n, a, lda);
    }
    const int half = n / 2;
    real *a21 = a + (size_t)half * (size_t)lda, *a22 = a21 + half;
    int pivot = hd_cholesky(p, half, a, lda);
    if (pivot >= 0) {
        return pivot;
    }
    hd_trsm(p, (hd_triangle){ .right = true, .transposed = true }, half, n - half, a, lda, a21, lda);
    hd_syrk(p, false, n - half, half, -1, a21, lda, 1, a22, lda);
    pivot = hd_cholesky(p, n - half, a22, lda);
    return pivot < 0 ? -1 : half + pivot;
}

void hd_cholesky_solve(hd_pool *p, bool right, int n, int m, const real *l, int ldl, real *b, int ldb)
{
    hd_trsm(p, (hd_triangle){ .right = right, .transposed = right }, n, m, l, ldl, b, ldb);
    hd_trsm(p, (hd_triangle){ .right = right, .transposed = !right }, n, m, l, ldl, b, ldb);
}
