/* Householder reflectors H_j = I - tau_j v_j v_j^T, v_j kept below the diagonal of column j with its leading 1 left out (as hd_qr leaves
 * them), applied in blocks: H_0 .. H_{b-1} = I - V T V^T (Schreiber & Van Loan 1989). */
#ifndef HD_LINALG_REFLECT_H
#define HD_LINALG_REFLECT_H

#include "linalg/linalg.h"

#ifdef HD_AS_FLOAT64
#define hd_reflector hd_reflector_f64
#endif

/* Elements of a vector x, `step` apart: x[0] = alpha and the n - 1 after it become the reflector that maps x to (beta, 0, ..): the tail v,
 * tau returned, *beta set. tau = 0 where the tail is zero. */
real hd_reflector(int n, real *alpha, real *tail, size_t step, real *beta);

#endif
