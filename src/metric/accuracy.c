#include "metric/metric_kit.h"

static double is_right(const hd_metric_run *r, size_t i)
{
    return hd_predicted_class(r, i) == (ptrdiff_t)hd_true_class(r, i);
}

static void update(const hd_metric_run *r)
{
    hd_mean_rows(r, is_right);
}

const hd_metric_class hd_metric_accuracy = {
    "accuracy", "part of the rows whose largest output is the target's; with one output, on the right side of 0.5", NULL,
    hd_mean_sums, hd_mean_values, update, hd_mean_value
};
