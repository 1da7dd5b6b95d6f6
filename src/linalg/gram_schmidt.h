/* Orthonormal rows whose bits are those of every engine. */
#ifndef HD_LINALG_GRAM_SCHMIDT_H
#define HD_LINALG_GRAM_SCHMIDT_H

#include "base/pool.h"

#include <stddef.h>

/* Rows of A [count x n], count <= n, become orthonormal by modified Gram-Schmidt: the QR factorisation of A^T whose R has a positive diagonal.
 * The loss of orthogonality is the condition number of A times 1e-16. Not hd_qr, whose products are fused in one of the engines. */
void hd_orthonormalise(hd_pool *p, size_t count, size_t n, double *a);

#endif
