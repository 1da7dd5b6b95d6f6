/* What a metric is: sums over samples, and a value from them. */
#ifndef HD_METRIC_METRIC_H
#define HD_METRIC_METRIC_H

#include "base/option.h"
#include "base/real.h"

typedef struct hd_metric_run {
    const hd_values *opt;
    int n, size, row;   /* samples, elements a sample, length of the last dimension */
    bool labels;        /* target holds [n, size / row] integer labels instead of [n, size] values */
    const real *y;      /* [n, size] after the output's activation */
    const real *target;
    const real *weight; /* [n] or NULL */
    double *sums;       /* [sums(...)], to be added to */
} hd_metric_run;

typedef struct hd_metric_class {
    const char *name, *doc;
    const hd_option *options;
    /* Number of running sums, and of values, for an output whose last dimension is `row`; 0 sums: not possible. */
    int (*sums)(const hd_values *opt, int row);
    int (*values)(const hd_values *opt, int row);
    void (*update)(const hd_metric_run *r);
    double (*value)(const double *sums, int i);
} hd_metric_class;

#endif
