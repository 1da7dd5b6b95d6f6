/* Activation functions, element by element, and softmax over rows. */
#ifndef HD_KERN_ACTIVATION_H
#define HD_KERN_ACTIVATION_H

#include "base/pool.h"
#include "base/real.h"

#include <stdbool.h>

typedef enum hd_activation {
    HD_LINEAR,
    HD_SIGMOID,
    HD_TANH,
    HD_RELU,
    HD_LEAKY_RELU, /* x > 0 ? x : alpha x */
    HD_ELU,        /* x > 0 ? x : alpha (exp(x) - 1) */
    HD_SOFTPLUS,   /* log(1 + exp(x)) */
    HD_RELU6,      /* min(max(x, 0), 6) (MobileNetV2, Sandler et al. 2018) */
    HD_SOFTMAX     /* over each row */
} hd_activation;

/* Names for users, in the order of the enum, NULL at the end. */
extern const char *const hd_activation_names[];

/* Keras's alpha for an activation; 0 where it has none. alpha > 0 is required (see hd_activate_back). */
real hd_activation_alpha(hd_activation act);

/* y = act(x). x, y: (rows, row), may be the same array. */
void hd_activate(hd_pool *p, hd_activation act, real alpha, const real *x, real *y, size_t rows, size_t row);

/* The same for n elements on the calling thread, for use within a task. Not for softmax, which needs rows. */
void hd_activate_here(hd_activation act, real alpha, size_t n, const real *x, real *y);

/* y = act(a + b), in one pass. All (rows, row); y may be a or b. */
void hd_add_activate(hd_pool *p, hd_activation act, real alpha, const real *a, const real *b, real *y, size_t rows,
                     size_t row);

/* y[g][r][c] = act(y[g][r][c] + bias[g][c]). y: (groups, rows, row); bias: (groups, row), or NULL for none.
 * Dense layer: groups = 1. Bilinear layer in I-major layout (I, N, J) with bias (I, J): groups = I, rows = N. */
void hd_bias_activate(hd_pool *p, hd_activation act, real alpha, real *y, const real *bias, size_t groups,
                      size_t rows, size_t row);

/* dx = dy act'(x) with act' computed from the output y alone, or dx += with accumulate. dx may be dy.
 * Softmax: dx_i = y_i (dy_i - sum_j y_j dy_j) in each row. */
void hd_activate_back(hd_pool *p, hd_activation act, real alpha, const real *y, const real *dy, real *dx,
                      size_t rows, size_t row, bool accumulate);

#endif
