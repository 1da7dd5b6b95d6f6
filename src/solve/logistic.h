/* Curves from scores x to ratings y by least squares, in float64. */
#ifndef HD_SOLVE_LOGISTIC_H
#define HD_SOLVE_LOGISTIC_H

#include "base/pool.h"
#include "heddle.h"

/* b: intercept and slope of the line; 0 slope if x does not vary. Returns the sum of squared errors. */
double hd_line_fit(int n, const double *x, const double *y, double b[2]);
/* The curve of `kind` (HD_MAPPING_LOGISTIC4 or 5) to b, from several starts the best; the sum of its squared errors. work: [n]. */
double hd_logistic_fit(hd_pool *p, int kind, int n, const double *x, const double *y, double *work, double *b);

#endif
