#include "kern/reduce.h"
#include "metric/metric.h"

enum { WEIGHT, RIGHT };

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

/* A single element is right if it lies on the target's side of 0.5; a row if its largest is at the target's largest. NaN is
 * never right. */
static bool is_right(const hd_metric_run *r, size_t i)
{
    size_t row = (size_t)r->row;
    const real *y = r->y + i * row;
    if (row == 1) {
        return y[0] == y[0] && (y[0] > (real)0.5) == (r->target[i] > (real)0.5);
    }
    size_t best = hd_argmax(row, y);
    size_t wanted = r->labels ? (size_t)r->target[i] : hd_argmax(row, r->target + i * row);
    return best == wanted && y[best] == y[best];
}

static void update(const hd_metric_run *r)
{
    size_t rows = (size_t)(r->size / r->row);
    for (size_t i = 0; i < (size_t)r->n * rows; i++) {
        double weight = r->weight ? (double)r->weight[i / rows] : 1;
        r->sums[WEIGHT] += weight;
        r->sums[RIGHT] += is_right(r, i) ? weight : 0;
    }
}

static double value(const double *s, int i)
{
    (void)i;
    return s[WEIGHT] > 0 ? s[RIGHT] / s[WEIGHT] : 0;
}

const hd_metric_class hd_metric_accuracy = {
    "accuracy", "part of the samples whose largest output is the target's; with one output, on the right side of 0.5",
    NULL, sums, values, update, value
};
