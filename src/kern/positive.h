/* Positive weights W from unconstrained numbers v. A network whose weights are all positive and whose activations increase
 * is an increasing function of its input. */
#ifndef HD_KERN_POSITIVE_H
#define HD_KERN_POSITIVE_H

#include "base/pool.h"
#include "base/real.h"

typedef enum hd_positive {
    HD_POSITIVE_SOFTPLUS,  /* log(1 + exp(v)) + minimum */
    HD_POSITIVE_EXP,       /* exp(v) + minimum, v clamped to [-30, 10] */
    HD_POSITIVE_SQUARE,    /* v^2 + minimum; does not move from v = 0 */
    HD_POSITIVE_ABS,       /* |v| + minimum */
    HD_POSITIVE_PROJECTION /* max(v, minimum), for v that a constraint keeps there */
} hd_positive;

/* Names for users, in the order of the enum, NULL at the end. */
extern const char *const hd_positive_names[];

/* w = W(v), n elements. */
void hd_positive_forward(hd_pool *p, hd_positive kind, real minimum, size_t n, const real *v, real *w);
/* dw = dw dW/dv: gradients of W become gradients of v. */
void hd_positive_backward(hd_pool *p, hd_positive kind, real minimum, size_t n, const real *v, real *dw);
/* The v >= 0 side of W(v) = w. Where w is at the minimum or below, of a W just above it. */
double hd_positive_inverse(hd_positive kind, double minimum, double w);

#endif
