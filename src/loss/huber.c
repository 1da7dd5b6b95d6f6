#include "loss/loss_kit.h"

#include <math.h>

enum { DELTA };

static double sample(const hd_loss_run *r, int s, double scale)
{
    double delta = r->opt->number[DELTA], sum = 0;
    for (int k = 0; k < r->size; k++) {
        size_t i = (size_t)s * (size_t)r->size + (size_t)k;
        double e = (double)r->y[i] - (double)r->target[i], a = fabs(e);
        sum += a <= delta ? e * e / 2 : delta * (a - delta / 2);
        hd_loss_put(r, i, scale * (a <= delta ? e : e > 0 ? delta : -delta) / r->size);
    }
    return sum / r->size;
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, sample);
}

static const hd_option options[] = {
    { .name = "delta", .type = HD_NUMBER, .min = 0, .max = 1e30, .def = 1, .open_min = true,
      .doc = "error at which the square turns into a line" },
    { 0 },
};

static const hd_loss_example examples[] = { { { 1, { 4 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 1, { 0.3 } }, { { 0 }, 0, { 0 } } };

const hd_loss_class hd_loss_huber = {
    .name = "huber",
    .doc = "mean of e^2 / 2 for |e| <= delta, else delta (|e| - delta / 2)",
    .options = options,
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
