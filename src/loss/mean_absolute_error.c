#include "loss/loss_kit.h"

#include <math.h>

static double sample(const hd_loss_run *r, int s, double scale)
{
    double sum = 0;
    for (int k = 0; k < r->size; k++) {
        size_t i = (size_t)s * (size_t)r->size + (size_t)k;
        double e = (double)r->y[i] - (double)r->target[i];
        sum += fabs(e);
        hd_loss_put(r, i, scale * ((e > 0) - (e < 0)) / r->size);
    }
    return sum / r->size;
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, sample);
}

static const hd_loss_example examples[] = { { { 1, { 4 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 0, { 0 } }, { { 0 }, 0, { 0 } } };

const hd_loss_class hd_loss_mean_absolute_error = {
    .name = "meanAbsoluteError",
    .doc = "mean of |y - t|",
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
