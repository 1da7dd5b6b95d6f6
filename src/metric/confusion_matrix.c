#include "kern/reduce.h"
#include "metric/metric.h"

enum { MAX_CLASSES = 4096 };

static int cells(const hd_values *opt, int row)
{
    (void)opt;
    return row >= 2 && row <= MAX_CLASSES ? row * row : 0;
}

static void update(const hd_metric_run *r)
{
    size_t row = (size_t)r->row, rows = (size_t)(r->size / r->row);
    for (size_t i = 0; i < (size_t)r->n * rows; i++) {
        size_t truth = r->labels ? (size_t)r->target[i] : hd_argmax(row, r->target + i * row);
        r->sums[truth * row + hd_argmax(row, r->y + i * row)] += r->weight ? (double)r->weight[i / rows] : 1;
    }
}

static double value(const double *s, int i)
{
    return s[i];
}

const hd_metric_class hd_metric_confusion_matrix = {
    "confusionMatrix", "[classes, classes] sums of sample weights: row = true class, column = largest output", NULL, cells,
    cells, update, value
};
