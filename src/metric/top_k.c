#include "metric/metric_kit.h"

enum { K };

static int sums(const hd_values *opt, int row)
{
    return row >= opt->number[K] && row > 1 ? HD_MEAN_SUMS : 0;
}

/* Fewer than k outputs stand before the true one: larger, or equal and earlier. */
static double is_right(const hd_metric_run *r, size_t i)
{
    size_t row = (size_t)r->row, wanted = hd_true_class(r, i), before = 0;
    const real *y = r->y + i * row;
    for (size_t c = 0; c < row; c++) {
        before += y[c] > y[wanted] || (y[c] == y[wanted] && c < wanted);
    }
    return hd_predicted_class(r, i) >= 0 && before < (size_t)r->opt->number[K];
}

static void update(const hd_metric_run *r)
{
    hd_mean_rows(r, is_right);
}

static const hd_option options[] = {
    { .name = "k", .type = HD_INT, .min = 1, .max = 65536, .def = 5, .doc = "how many of the largest outputs count" },
    { 0 },
};

const hd_metric_class hd_metric_top_k = {
    "topK", "part of the rows whose true class is among the k largest outputs", options, sums, hd_mean_values, update,
    hd_mean_value
};
