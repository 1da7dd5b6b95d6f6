/* What hangs on a weight: initialisers, regularisers, constraints; and the activity regulariser of a layer. A weight is
 * seen as a matrix of dim[0] rows by the product of the rest. */
#ifndef HD_WEIGHT_WEIGHT_H
#define HD_WEIGHT_WEIGHT_H

#include "base/context.h"
#include "base/option.h"
#include "base/real.h"
#include "base/rng.h"

typedef struct hd_weight_view {
    hd_pool *pool;
    const hd_values *opt;
    int rows, cols;
} hd_weight_view;

typedef struct hd_initializer_class {
    const char *name, *doc;
    const hd_option *options;
    /* Fails for want of memory, or with HD_ERR_ARGUMENT for a matrix of a shape it is not for. */
    hd_status (*fill)(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w);
} hd_initializer_class;

typedef struct hd_regularizer_class {
    const char *name, *doc;
    const hd_option *options;
    /* Returns the penalty (float64 sum in fixed blocks) and adds its gradient to dw unless NULL. */
    double (*run)(const hd_weight_view *v, const real *w, real *dw);
} hd_regularizer_class;

typedef struct hd_constraint_class {
    const char *name, *doc;
    const hd_option *options;
    /* Puts w on the constraint set (retraction or projection). */
    void (*project)(const hd_weight_view *v, real *w);
    /* Removes from g its part normal to the set at w; NULL where the set is no manifold. */
    void (*tangent)(const hd_weight_view *v, const real *w, real *g);
    /* For L-BFGS: w = project(q) and dq from dw, in place in g; NULL: L-BFGS can't be used with it. */
    void (*pull_back)(const hd_weight_view *v, const real *q, real *g);
} hd_constraint_class;

/* Activity regulariser: a penalty on the mean activation of each element of a layer's output. */
typedef struct hd_activity_class {
    const char *name, *doc;
    const hd_option *options;
    bool unit_interval; /* needs activations in (0, 1): sigmoid only */
    /* mean: [size] means; d_mean: gradient of the penalty for each mean (overwritten), may be NULL. Returns the penalty. */
    double (*run)(const hd_values *opt, int size, const real *mean, real *d_mean);
} hd_activity_class;

#endif
