#include "kern/gemm.h"
#include "linalg/linalg.h"

void hd_syrk(hd_pool *p, bool transposed, int n, int k, real alpha, const real *a, int lda, real beta, real *c, int ldc)
{
    hd_gemm_lower(p, transposed, !transposed, n, k, alpha, a, lda, a, lda, beta, c, ldc);
}
