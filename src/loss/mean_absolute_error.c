#include "loss/loss_kit.h"

/* Slope 0 at e = 0; NaN stays. */
static vec term(vec *y, vec t, const vec *k, vec *slope)
{
    (void)k;
    vec e = vsub(*y, t);
    *slope = vselect(veq(e, vzero()), e, vcopysign(vadd(vsub(e, e), vset(1)), e));
    return vabs(e);
}

static double block(const hd_loss_run *r, int begin, int end)
{
    return hd_loss_mean(r, begin, end, term, NULL);
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, block);
}

static const hd_loss_example examples[] = {
    { { 1, { 4 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 0, { 0 } }, { { 0 }, 0, { 0 } }
};

const hd_loss_class hd_loss_mean_absolute_error = {
    .name = "meanAbsoluteError",
    .doc = "mean of |y - t|",
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
