/* Mean squared error of two-class probabilities (sigma(-z), sigma(z)) against a one-hot target, by the score z alone:
 * for labels t in {-1, 1} it is 2 sigma(-t z)^2. Written as (1 - t) sigma(z)^2 + (1 + t) sigma(-z)^2, which is the same
 * there and mixes both for t between. Bounded by 2; far on the wrong side the gradient vanishes, unlike cross-entropy's. */
#include "kern/vmath.h"
#include "loss/loss_kit.h"

static vec term(vec *y, vec t, const vec *k, vec *slope)
{
    (void)k;
    const vec yes = vsigmoid(*y), no = vsigmoid(vneg(*y)), wrong = vmul(vsub(vset(1), t), yes);
    const vec missed = vmul(vadd(vset(1), t), no), both = vmul(yes, no);
    *slope = vmul(vadd(both, both), vsub(wrong, missed));
    return vadd(vmul(wrong, yes), vmul(missed, no));
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
    { { 1, { 4 } }, 0, { 0 } }, { { 1, { 1 } }, 0, { 0 } }, { { 0 }, 0, { 0 } }
};

const hd_loss_class hd_loss_logistic_mse = {
    .name = "logisticMse",
    .doc = "2 sigmoid(-t y)^2 for scores y (a linear output) and labels t = -1 or 1: squared error of the two probabilities",
    .target_min = -1,
    .target_max = 1,
    .run = run,
    .examples = examples,
};
