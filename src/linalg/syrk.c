#include "kern/gemm.h"
#include "linalg/linalg.h"

enum { LEAF = 64, UNIT = 32 };

/* The triangle of at most LEAF rows: the whole square is a product that vectors compute faster than half of it plainly. */
static void leaf(hd_pool *p, bool transposed, int n, int k, real alpha, const real *a, int lda, real beta, real *c, int ldc)
{
    real square[LEAF * LEAF];
    hd_gemm(p, transposed, !transposed, n, n, k, alpha, a, lda, a, lda, 0, square, n);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            real *out = c + (size_t)i * (size_t)ldc + j;
            *out = beta == 0 ? square[i * n + j] : square[i * n + j] + beta * *out;
        }
    }
}

/* [C11; C21 C22]: the square part is a general product, the triangles are smaller problems of the same kind. */
void hd_syrk(hd_pool *p, bool transposed, int n, int k, real alpha, const real *a, int lda, real beta, real *c, int ldc)
{
    if (n <= LEAF) {
        leaf(p, transposed, n, k, alpha, a, lda, beta, c, ldc);
        return;
    }
    const int half = (n / 2 + UNIT - 1) / UNIT * UNIT; /* whole vectors, lines and tiles */
    const real *low = a + (size_t)half * (transposed ? 1 : (size_t)lda);
    real *c2 = c + (size_t)half * (size_t)ldc;
    hd_syrk(p, transposed, half, k, alpha, a, lda, beta, c, ldc);
    hd_gemm(p, transposed, !transposed, n - half, half, k, alpha, low, lda, a, lda, beta, c2, ldc);
    hd_syrk(p, transposed, n - half, k, alpha, low, lda, beta, c2 + half, ldc);
}
