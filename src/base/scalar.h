/* float64 scalar functions that give the same bits on every platform (libm does not). */
#ifndef HD_BASE_SCALAR_H
#define HD_BASE_SCALAR_H

#include <stdint.h>

/* Largest error against the true value: 1 ulp for log and exp over their normal ranges, 2 ulp for cos in [-4, 4]. */
double hd_log(double x);
double hd_exp(double x);
double hd_cos(double x); /* x in [-1e5, 1e5] */
/* base^n by squaring. */
double hd_power(double base, uint64_t n);

#endif
