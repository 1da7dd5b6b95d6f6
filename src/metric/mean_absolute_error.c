#include "metric/metric.h"

enum { WEIGHT, ERROR };

static int sums(const hd_values *opt, int row)
{
    (void)opt, (void)row;
    return 2;
}

static int values(const hd_values *opt, int row)
{
    (void)opt, (void)row;
    return 1;
}

/* Labels count as one-hot rows. */
static double target_at(const hd_metric_run *r, size_t i)
{
    size_t row = (size_t)r->row;
    return r->labels ? (double)((size_t)r->target[i / row] == i % row) : (double)r->target[i];
}

static void update(const hd_metric_run *r)
{
    size_t size = (size_t)r->size;
    for (size_t i = 0; i < (size_t)r->n * size; i++) {
        double weight = r->weight ? (double)r->weight[i / size] : 1, e = (double)r->y[i] - target_at(r, i);
        r->sums[WEIGHT] += weight;
        r->sums[ERROR] += weight * (e < 0 ? -e : e);
    }
}

static double value(const double *s, int i)
{
    (void)i;
    return s[WEIGHT] > 0 ? s[ERROR] / s[WEIGHT] : 0;
}

const hd_metric_class hd_metric_mean_absolute_error = {
    "meanAbsoluteError", "mean of |y - t| over all elements", NULL, sums, values, update, value
};
