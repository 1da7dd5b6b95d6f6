/* Ridge regression from the sums of a hd_gram. */
#ifndef HD_SOLVE_RIDGE_H
#define HD_SOLVE_RIDGE_H

#include "heddle.h"
#include "solve/gram.h"

/* L L^T = G + shift I, in float64, into l [n x n]. Returns -1, or the pivot that is not positive. */
int hd_gram_factor(const hd_gram *g, double shift, double *l);

#endif
