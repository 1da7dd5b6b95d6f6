#include "kern/reduce.h"
#include "metric/metric.h"

enum { K };
enum { WEIGHT, RIGHT };

static int sums(const hd_values *opt, int row)
{
    return row >= opt->number[K] ? 2 : 0;
}

static int values(const hd_values *opt, int row)
{
    (void)opt, (void)row;
    return 1;
}

/* Fewer than k outputs stand before the wanted one: larger, or equal and earlier. */
static bool is_right(const hd_metric_run *r, size_t i)
{
    size_t row = (size_t)r->row, wanted = r->labels ? (size_t)r->target[i] : hd_argmax(row, r->target + i * row);
    const real *y = r->y + i * row;
    int before = 0;
    for (size_t c = 0; c < row; c++) {
        before += y[c] > y[wanted] || (y[c] == y[wanted] && c < wanted);
    }
    return y[wanted] == y[wanted] && before < (int)r->opt->number[K];
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

static const hd_option options[] = {
    { .name = "k", .type = HD_INT, .min = 1, .max = 65536, .def = 5, .doc = "how many of the largest outputs count" },
    { 0 },
};

const hd_metric_class hd_metric_top_k = {
    "topK", "part of the samples whose target is among the k largest outputs", options, sums, values, update, value
};
