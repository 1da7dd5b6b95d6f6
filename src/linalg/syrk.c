#include "kern/gemm.h"
#include "linalg/linalg.h"

enum { LEAF = 32 };

/* The triangle of at most LEAF rows, plainly. */
static void leaf(bool transposed, int n, int k, real alpha, const real *a, int lda, real beta, real *c, int ldc)
{
    const size_t row = transposed ? 1 : (size_t)lda, step = transposed ? (size_t)lda : 1;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            const real *x = a + (size_t)i * row, *y = a + (size_t)j * row;
            real sum = 0, *out = c + (size_t)i * (size_t)ldc + j;
            for (int p = 0; p < k; p++, x += step, y += step) {
                sum += *x * *y;
            }
            *out = beta == 0 ? alpha * sum : alpha * sum + beta * *out;
        }
    }
}

/* [C11; C21 C22]: the square part is a general product, the triangles are smaller problems of the same kind. */
void hd_syrk(hd_pool *p, bool transposed, int n, int k, real alpha, const real *a, int lda, real beta, real *c, int ldc)
{
    if (n <= LEAF) {
        leaf(transposed, n, k, alpha, a, lda, beta, c, ldc);
        return;
    }
    const int half = n / 2;
    const real *low = a + (size_t)half * (transposed ? 1 : (size_t)lda);
    real *c2 = c + (size_t)half * (size_t)ldc;
    hd_syrk(p, transposed, half, k, alpha, a, lda, beta, c, ldc);
    hd_gemm(p, transposed, !transposed, n - half, half, k, alpha, low, lda, a, lda, beta, c2, ldc);
    hd_syrk(p, transposed, n - half, k, alpha, low, lda, beta, c2 + half, ldc);
}
