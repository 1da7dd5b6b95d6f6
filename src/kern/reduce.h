/* Arrays to one number. Accumulated in float64 over blocks of HD_BLOCK elements, which are added in order: the
 * result does not depend on the number of threads. n = 0 gives 0 (true). */
#ifndef HD_KERN_REDUCE_H
#define HD_KERN_REDUCE_H

#include "base/pool.h"
#include "base/real.h"

#include <stdbool.h>

double hd_sum(hd_pool *p, size_t n, const real *x);
double hd_sum_abs(hd_pool *p, size_t n, const real *x);
double hd_sum_squares(hd_pool *p, size_t n, const real *x);
double hd_dot(hd_pool *p, size_t n, const real *x, const real *y);
/* NaN if any element is NaN. */
double hd_max_abs(hd_pool *p, size_t n, const real *x);
bool hd_all_finite(hd_pool *p, size_t n, const real *x);
/* Index of the largest element, the first of equals; NaN counts as smaller than all. n >= 1. */
size_t hd_argmax(size_t n, const real *x);

#endif
