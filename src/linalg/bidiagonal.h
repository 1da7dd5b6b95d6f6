/* Singular values of an upper bidiagonal matrix, and of a square one brought to that form (Golub & Van Loan, 5.4.8, 8.6.3). */
#ifndef HD_LINALG_BIDIAGONAL_H
#define HD_LINALG_BIDIAGONAL_H

#include "linalg/rotate.h"

#ifdef HD_AS_FLOAT64
#define hd_bidiagonalise hd_bidiagonalise_f64
#define hd_bidiagonal_svd hd_bidiagonal_svd_f64
#endif

/* A [n x n] = L B R^T, B with diagonal d [n] and e [n - 1] above it. L's reflectors are left below the diagonal, R's in the rows right of the
 * superdiagonal; tau: [2 n], L's then R's. w: work [n]. */
void hd_bidiagonalise(hd_pool *p, int n, real *a, int lda, real *d, real *e, real *tau, real *w);
/* d: the singular values, not negative, in no order; e: destroyed. u, v: rows are turned along, as of P^T and Q^T in B = P diag(d) Q^T. */
hd_status hd_bidiagonal_svd(hd_context *c, int n, double *d, double *e, hd_rotations *u, hd_rotations *v);

#endif
