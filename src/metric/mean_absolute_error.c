#include "metric/metric_kit.h"

static double error_of(const hd_metric_run *r, size_t i)
{
    size_t row = (size_t)r->row;
    double sum = 0;
    for (size_t k = i * row; k < (i + 1) * row; k++) {
        double e = (double)r->y[k] - hd_target_element(r, k);
        sum += e < 0 ? -e : e;
    }
    return sum / r->row;
}

static void update(const hd_metric_run *r)
{
    hd_mean_rows(r, error_of);
}

const hd_metric_class hd_metric_mean_absolute_error = {
    "meanAbsoluteError", "mean of |y - t| over all elements; labels count as one-hot rows", NULL, hd_mean_sums, hd_mean_values, update,
    hd_mean_value
};
