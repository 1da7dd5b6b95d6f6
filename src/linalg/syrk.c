#include "kern/gemm.h"
#include "linalg/linalg.h"

void hd_syrk(hd_pool *p, bool transposed, int n, int k, real alpha, const real *a, int lda, real beta, real *c, int ldc)
{
    hd_gemm_lower(p, transposed, !transposed, n, k, alpha, a, lda, a, lda, beta, c, ldc);
}

/* In squares, so that lines are read as often as they are in the cache. */
void hd_mirror(int n, real *x, int ldx)
{
    enum { SIDE = 32 };
    for (int i0 = 0; i0 < n; i0 += SIDE) {
        for (int j0 = i0; j0 < n; j0 += SIDE) {
            for (int i = i0; i < n && i < i0 + SIDE; i++) {
                for (int j = j0 > i ? j0 : i + 1; j < n && j < j0 + SIDE; j++) {
                    x[(size_t)i * (size_t)ldx + j] = x[(size_t)j * (size_t)ldx + i];
                }
            }
        }
    }
}
