/* L-BFGS with strong Wolfe line search by reverse communication (Nocedal & Wright, alg. 7.5, 3.5, 3.6): the caller evaluates,
 * this decides. Loss and all dot products in float64. */
#ifndef HD_OPTIM_LBFGS_H
#define HD_OPTIM_LBFGS_H

#include "base/option.h"
#include "base/real.h"
#include "base/walk.h"

enum { HD_MAX_HISTORY = 64 };

typedef struct hd_lbfgs hd_lbfgs;

typedef enum hd_lbfgs_state {
    HD_LBFGS_EVALUATE,  /* x has moved along the line: evaluate there */
    HD_LBFGS_ACCEPTED,  /* the x just evaluated is the new iterate; x already holds the next trial point: evaluate */
    HD_LBFGS_CONVERGED, /* x is the best iterate; nothing more to do */
    HD_LBFGS_STALLED    /* the same, but no line search succeeded, twice */
} hd_lbfgs_state;

/* x and g have n elements. Holds (2 history + 3) n reals. */
hd_lbfgs *hd_lbfgs_new(hd_context *c, size_t n, const hd_values *opt);
void hd_lbfgs_free(hd_context *c, hd_lbfgs *l);
/* f, g: loss and gradient at x. Writes the next point to evaluate to x. */
hd_lbfgs_state hd_lbfgs_next(hd_lbfgs *l, hd_pool *pool, double f, const real *g, real *x);
/* Puts the last accepted iterate back into x; its loss. */
double hd_lbfgs_restore(hd_lbfgs *l, real *x);
/* For checkpoints and tests: accepted iterations, evaluations so far. */
int hd_lbfgs_iterations(const hd_lbfgs *l);
int hd_lbfgs_evaluations(const hd_lbfgs *l);
/* All that it keeps between two calls of hd_lbfgs_next. */
void hd_lbfgs_walk(hd_lbfgs *l, hd_walk *w);

#endif
