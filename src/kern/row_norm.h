/* Normalisation of rows (Ba, Kiros & Hinton 2016). x: (rows, c). */
#ifndef HD_KERN_ROW_NORM_H
#define HD_KERN_ROW_NORM_H

#include "base/pool.h"
#include "base/real.h"

#include <stdbool.h>
#include <stddef.h>

/* y = gamma (x - m) s + beta with the mean m of each row and s = 1 / sqrt(biased variance + epsilon). gamma, beta: (c),
 * NULL: 1, 0. stats: (rows, 2), m and s of each row, or NULL. */
void hd_row_norm(hd_pool *p, size_t rows, size_t c, const real *x, double epsilon, const real *gamma, const real *beta,
                 real *y, real *stats);
/* With g = gamma dy and h = (x - m) s: dx = s (g - mean of g - h mean of g h), added with `add`. */
void hd_row_norm_back(hd_pool *p, size_t rows, size_t c, const real *x, const real *stats, const real *gamma,
                      const real *dy, real *dx, bool add);
/* d_gamma = sum over rows of dy h, d_beta = sum of dy; NULL: not wanted. scratch: hd_row_norm_scratch(c) elements. */
void hd_row_norm_sums(hd_pool *p, size_t rows, size_t c, const real *x, const real *stats, const real *dy,
                      real *d_gamma, real *d_beta, real *scratch);
size_t hd_row_norm_scratch(size_t c);

#endif
