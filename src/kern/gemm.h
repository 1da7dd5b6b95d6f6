/* Matrix product of row-major matrices. */
#ifndef HD_KERN_GEMM_H
#define HD_KERN_GEMM_H

#include "base/pool.h"
#include "base/real.h"

#include <stdbool.h>

/* C = alpha op(A) op(B) + beta C, op(X) = X or, with ta / tb, its transpose.
 * op(A): m x k, op(B): k x n, C: m x n; lda, ldb, ldc: elements from one stored row to the next, at least its
 * length. Any size may be 0; with k = 0, C = beta C. beta = 0 does not read C; alpha = 0 does not read A and B.
 * C must not overlap A or B. NaN and infinity spread as IEEE says. Uses all scratch of the pool.
 *
 * Each element is summed in float32 over at most HD_GEMM_CHUNK terms of k, and the chunks are added in order;
 * which path computes a tile depends on the sizes alone, never on the number of threads. */
void hd_gemm(hd_pool *p, bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b,
             int ldb, real beta, real *c, int ldc);

/* The lower triangle of C alone (n x n), at half the work: nothing above the diagonal is read or written. */
void hd_gemm_lower(hd_pool *p, bool ta, bool tb, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta,
                   real *c, int ldc);

/* hd_gemm plainly, accumulated in float64. */
void hd_gemm_ref(bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb,
                 real beta, real *c, int ldc);

enum { HD_GEMM_CHUNK = 4096 };

#endif
