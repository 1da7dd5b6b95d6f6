/* Elementary functions of arrays; x and y may be the same array. One lane is computed as the other is, so
 * the result for an element does not depend on its position. Infinity, NaN, signed zeros and denormal
 * numbers are handled as C's libm does. vmath.h has the same functions for one vector.
 *
 * Largest errors in ulp (units in the last place) of float32: see the table in vmath.h. */
#ifndef HD_KERN_MATH_H
#define HD_KERN_MATH_H

#include "base/real.h"

#include <stddef.h>

void hd_vexp(size_t n, const real *x, real *y);
void hd_vexpm1(size_t n, const real *x, real *y);
void hd_vlog(size_t n, const real *x, real *y);
void hd_vlog1p(size_t n, const real *x, real *y);
void hd_vtanh(size_t n, const real *x, real *y);
void hd_vsigmoid(size_t n, const real *x, real *y);  /* 1 / (1 + exp(-x)) */
void hd_vsoftplus(size_t n, const real *x, real *y); /* log(1 + exp(x)) */
void hd_vsqrt(size_t n, const real *x, real *y);     /* correctly rounded */
void hd_vrsqrt(size_t n, const real *x, real *y);    /* 1 / sqrt(x) */

/* y = log sum_i exp(x_i) of one row of n >= 1 elements, by subtracting the maximum. */
real hd_logsumexp(size_t n, const real *x);
/* y_i = exp(x_i - logsumexp(x)). */
void hd_softmax(size_t n, const real *x, real *y);

#endif
