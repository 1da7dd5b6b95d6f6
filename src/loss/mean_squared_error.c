#include "loss/loss_kit.h"

enum { REDUCTION };
enum { MEAN, HALF_SUM };

static double sample(const hd_loss_run *r, int s, double scale)
{
    bool half = r->opt->number[REDUCTION] == HALF_SUM;
    double factor = half ? 0.5 : 1.0 / r->size, sum = 0;
    for (int k = 0; k < r->size; k++) {
        size_t i = (size_t)s * (size_t)r->size + (size_t)k;
        double e = (double)r->y[i] - (double)r->target[i];
        sum += e * e;
        hd_loss_put(r, i, scale * 2 * factor * e);
    }
    return factor * sum;
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, sample);
}

static const char *const reductions[] = { "mean", "halfSum", NULL };

static const hd_option options[] = {
    { .name = "reduction", .type = HD_ENUM, .def = MEAN, .names = reductions,
      .doc = "over a sample's elements: mean, or half the sum ||Y - T||_F^2 / 2 (MatNet Eq. 2.8)" },
    { 0 },
};

static const hd_loss_example examples[] = { { { 1, { 4 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 1, { HALF_SUM } }, { { 0 }, 0, { 0 } } };

const hd_loss_class hd_loss_mean_squared_error = {
    .name = "meanSquaredError",
    .doc = "(y - t)^2",
    .options = options,
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
