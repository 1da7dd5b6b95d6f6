/* Shared by metrics: weighted means, and classes of rows. */
#ifndef HD_METRIC_METRIC_KIT_H
#define HD_METRIC_METRIC_KIT_H

#include "metric/metric.h"

#include <stddef.h>

/* A metric that is a weighted mean keeps two sums. */
enum { HD_MEAN_WEIGHT, HD_MEAN_TOTAL, HD_MEAN_SUMS };

int hd_mean_sums(const hd_values *opt, int row);
int hd_mean_values(const hd_values *opt, int row);
/* 0 if nothing was counted. */
double hd_mean_value(const double *sums, int i);

/* Counts `of(row i)` for each row of the batch. */
void hd_mean_rows(const hd_metric_run *r, double (*of)(const hd_metric_run *r, size_t i));

/* Class that row i's target names: its label, or the first of its largest elements. One element: on which side of 0.5. */
size_t hd_true_class(const hd_metric_run *r, size_t i);
/* Class that row i of the output names, or -1 if one of its elements is NaN. */
ptrdiff_t hd_predicted_class(const hd_metric_run *r, size_t i);

/* Element i of the target; labels count as one-hot rows. */
static inline double hd_target_element(const hd_metric_run *r, size_t i)
{
    size_t row = (size_t)r->row;
    return r->labels ? (double)((size_t)r->target[i / row] == i % row) : (double)r->target[i];
}

#endif
