#include "metric/metric_kit.h"

#include "kern/reduce.h"

int hd_mean_sums(const hd_values *opt, int row)
{
    (void)opt, (void)row;
    return HD_MEAN_SUMS;
}

int hd_mean_values(const hd_values *opt, int row)
{
    (void)opt, (void)row;
    return 1;
}

double hd_mean_value(const double *sums, int i)
{
    (void)i;
    return sums[HD_MEAN_WEIGHT] > 0 ? sums[HD_MEAN_TOTAL] / sums[HD_MEAN_WEIGHT] : 0;
}

void hd_mean_rows(const hd_metric_run *r, double (*of)(const hd_metric_run *r, size_t i))
{
    size_t rows = (size_t)(r->size / r->row);
    for (size_t i = 0; i < (size_t)r->n * rows; i++) {
        double weight = r->weight ? (double)r->weight[i / rows] : 1;
        r->sums[HD_MEAN_WEIGHT] += weight;
        r->sums[HD_MEAN_TOTAL] += weight * of(r, i);
    }
}

static size_t class_of(size_t row, const real *x)
{
    return row == 1 ? x[0] > (real)0.5 : hd_argmax(row, x);
}

size_t hd_true_class(const hd_metric_run *r, size_t i)
{
    size_t row = (size_t)r->row;
    return r->labels ? (size_t)r->target[i] : class_of(row, r->target + i * row);
}

ptrdiff_t hd_predicted_class(const hd_metric_run *r, size_t i)
{
    size_t row = (size_t)r->row;
    const real *y = r->y + i * row;
    for (size_t k = 0; k < row; k++) {
        if (y[k] != y[k]) {
            return -1;
        }
    }
    return r->labels && row == 1 ? 0 : (ptrdiff_t)class_of(row, y);
}
