/* Ridge regression from the sums of a hd_gram. */
#ifndef HD_SOLVE_RIDGE_H
#define HD_SOLVE_RIDGE_H

#include "heddle.h"
#include "solve/gram.h"

/* Trace of G / n: the mean eigenvalue. */
double hd_gram_scale(const hd_gram *g);
/* L L^T = G + shift I, in float64, into l [n x n]; above its diagonal nothing is of use. Returns -1, or the pivot that is not positive. */
int hd_gram_factor(const hd_gram *g, double shift, double *l);
/* O [q x n] = C (G + lambda I)^-1, with L left in l. lambda is doubled until it works, at least 1e-12 of the mean eigenvalue. `what` begins
 * the sentence. */
hd_status hd_gram_solve(const hd_gram *g, const char *what, double *lambda, double *l, double *o);
/* <O G, O>. */
double hd_gram_quadratic(const hd_gram *g, const double *o);

/* Sum of x y over n elements. */
double hd_dot_f64(size_t n, const double *x, const double *y);

#endif
