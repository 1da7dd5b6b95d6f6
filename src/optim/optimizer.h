/* What an optimiser is. First-order ones are a step on a piece of one weight; L-BFGS is driven by optim/lbfgs.h. */
#ifndef HD_OPTIM_OPTIMIZER_H
#define HD_OPTIM_OPTIMIZER_H

#include "base/option.h"
#include "base/real.h"

#include <stddef.h>
#include <stdint.h>

enum { HD_MAX_SLOTS = 2 };

typedef struct hd_optimizer_run {
    const hd_values *opt;
    uint64_t step;            /* 1 for the first */
    double rate;              /* learning rate, schedule and the weight's factor included */
    double beta_power[2];     /* beta1^step, beta2^step where the class has them (made by `prepare`) */
    size_t n;
    real *w;                  /* [n] */
    const real *g;            /* [n] */
    real *slot[HD_MAX_SLOTS]; /* [n] each, zero at first */
} hd_optimizer_run;

typedef struct hd_optimizer_class {
    const char *name, *doc;
    const hd_option *options;  /* option 0 is always learningRate */
    int slots;
    bool momentum;             /* slot 0 is a direction: constraints move it to the new tangent space */
    bool full_batch;           /* L-BFGS: `step` is NULL */
    int clip_option;           /* index of clipNorm in the table, clipValue follows; 0: has neither. The model clips */
    void (*prepare)(hd_optimizer_run *r); /* once a step, before the pieces; may be NULL */
    void (*step)(const hd_optimizer_run *r);
} hd_optimizer_class;

#endif
