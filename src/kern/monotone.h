/* A dense layer with positive weights that is weakly monotone in float32: x1 <= x2 gives y(x1) <= y(x2), wherever in a batch the
 * two stand. Each output is summed by the same operations in the same order, one sample a lane, and a rounded product with a
 * positive weight, a rounded sum and the activations never decrease. Blocks of samples are padded; a matrix product would take
 * another path at its borders. */
#ifndef HD_KERN_MONOTONE_H
#define HD_KERN_MONOTONE_H

#include "kern/activation.h"

enum { HD_MONOTONE_MOST = 8192 }; /* inputs, and units */

typedef struct hd_monotone {
    size_t rows, in, units;
    const real *x, *w, *bias; /* [rows, in], [units, in], [units] or NULL */
    hd_activation act;        /* not softmax */
    real alpha;
    bool mixed; /* units 1, 3, ... have -act(-z) */
} hd_monotone;

/* y = act(x W^T + b), [rows, units]. */
void hd_monotone_forward(hd_pool *p, const hd_monotone *j, real *y);
/* For mixed ELU: dy *= act'(z), from y. */
void hd_monotone_mixed_back(hd_pool *p, const hd_monotone *j, const real *y, real *dy);

#endif
