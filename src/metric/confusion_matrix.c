#include "metric/metric_kit.h"

enum { MAX_CLASSES = 4096 };

/* One output tells two classes apart. */
static int classes_of(int row)
{
    return row == 1 ? 2 : row;
}

static int cells(const hd_values *opt, int row)
{
    (void)opt;
    return row <= MAX_CLASSES ? classes_of(row) * classes_of(row) : 0;
}

static void update(const hd_metric_run *r)
{
    size_t rows = (size_t)(r->size / r->row), classes = (size_t)classes_of(r->row);
    for (size_t i = 0; i < (size_t)r->n * rows; i++) {
        ptrdiff_t predicted = hd_predicted_class(r, i);
        if (predicted >= 0) {
            r->sums[hd_true_class(r, i) * classes + (size_t)predicted] += r->weight ? (double)r->weight[i / rows] : 1;
        }
    }
}

static double value(const double *s, int i)
{
    return s[i];
}

const hd_metric_class hd_metric_confusion_matrix = {
    "confusionMatrix",
    "[classes, classes] sums of sample weights: row = true class, column = largest output (one output: 0.5 splits two "
    "classes); outputs with NaN are left out",
    NULL, cells, cells, update, value
};
