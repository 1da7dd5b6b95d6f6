#include "loss/loss_kit.h"

enum { REDUCTION };
enum { MEAN, HALF_SUM };

static vec term(vec *y, vec t, const vec *k, vec *slope)
{
    (void)k;
    vec e = vsub(*y, t);
    *slope = vadd(e, e);
    return vmul(e, e);
}

static double block(const hd_loss_run *r, int begin, int end)
{
    bool half = r->opt->number[REDUCTION] == HALF_SUM;
    return hd_loss_terms(r, begin, end, term, NULL, half ? 0.5 : 1.0 / r->size, false);
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, block);
}

static const char *const reductions[] = { "mean", "halfSum", NULL };

static const hd_option options[] = {
    { .name = "reduction", .type = HD_ENUM, .def = MEAN, .names = reductions,
      .doc = "over a sample's elements: mean, or half the sum ||Y - T||_F^2 / 2 (MatNet Eq. 2.8)" },
    { 0 },
};

static const hd_loss_example examples[] = {
    { { 1, { 4 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 1, { HALF_SUM } }, { { 0 }, 0, { 0 } }
};

const hd_loss_class hd_loss_mean_squared_error = {
    .name = "meanSquaredError",
    .doc = "(y - t)^2",
    .options = options,
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
