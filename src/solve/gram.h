/* Sums over samples that least squares is made of: G = sum y y^T, C = sum t y^T, sum |t|^2, J; y [n] features, t [q] targets.
 *
 * Rows are summed in float32 up to GRAM_ROWS of them (the samples under way), which then are added to float64 sums. */
#ifndef HD_SOLVE_GRAM_H
#define HD_SOLVE_GRAM_H

#include "base/context.h"
#include "base/real.h"

#include <stdbool.h>

enum { HD_GRAM_ROWS = 4096 };

struct hd_gram {
    hd_context *c;
    int n, q;
    double *g;        /* [n x n], the lower triangle counts */
    double *ct;       /* [q x n] C */
    double totals[2]; /* J, sum |t|^2 */
    real *part;       /* [n x n] and [q x n]: of the samples under way */
    int rows;         /* under way */
    double squares;
};

/* Adds samples to those under way, but to the sums of the first `known` features with each other: y [rows x n], t [rows x q], or with `labels` [rows] class numbers 0..q-1 in place of one-hot targets.
 * rows + those under way <= HD_GRAM_ROWS. */
void hd_gram_take(hd_gram *g, int known, int rows, const real *y, const real *t, bool labels);
/* The sums under way are finite, judged by those of squares: no feature or target is NaN or too large. */
bool hd_gram_sound(const hd_gram *g, int known);
/* Adds sign times what is under way to the sums; 0 drops it. With `known`, the samples are counted already. */
void hd_gram_flush(hd_gram *g, int known, int sign);

#endif
