/* What a loss is. */
#ifndef HD_LOSS_LOSS_H
#define HD_LOSS_LOSS_H

#include "base/context.h"
#include "base/option.h"
#include "base/real.h"
#include "base/shape.h"
#include "kern/activation.h"

typedef struct hd_loss_run {
    hd_pool *pool;
    const hd_values *opt;
    int n;               /* samples here */
    int size;            /* F: elements a sample */
    int row;             /* length of the last dimension: classes */
    bool logits;         /* y holds pre-activations (of class->fuses): apply that activation to y in place */
    real *y;             /* [n, F], batch first */
    const real *target;  /* [n, F], or [n, F / row] integer labels if class->sparse */
    const real *weight;  /* [n] sample weights, or NULL for ones */
    double scale;        /* gradients are multiplied with it: loss weight / samples of the whole batch */
    real *dy;            /* gradient of scale * sum, [n, F]: of the logits if `logits`; NULL: not wanted */
    bool add;            /* add to dy */
} hd_loss_run;

typedef struct hd_loss_example {
    hd_shape shape;      /* of the output */
    int n_options;
    double options[6];
} hd_loss_example;

typedef struct hd_loss_class {
    const char *name, *doc;
    const hd_option *options;
    bool sparse;              /* targets are integer labels, one for each row of the output */
    bool batch;               /* of a batch as a whole: run() returns n times its loss; one element a sample, no sample weights */
    hd_activation fuses;      /* HD_SOFTMAX, HD_SIGMOID: computed from logits when the output ends with it; else HD_LINEAR */
    double target_min, target_max; /* allowed targets; labels: 0..row-1 is checked instead */
    const char *(*refuses)(const hd_values *opt); /* what is wrong with options beyond their ranges, or NULL; may be missing */
    /* Returns the sum over samples of weight * loss (each loss the mean over its elements, as in Keras), summed in float64
     * in fixed blocks. */
    double (*run)(const hd_loss_run *r);
    const hd_loss_example *examples;
} hd_loss_class;

#endif
