#include "kern/vmath.h"
#include "loss/loss_kit.h"

static const real EPSILON = (real)1e-7; /* as in Keras */

static vec term(vec *y, vec t, const vec *k, vec *slope)
{
    (void)k;
    vec safe = vadd(*y, vset(EPSILON));
    *slope = vsub(vset(1), vdiv(t, safe));
    return vsub(*y, vmul(t, vlog(safe)));
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

const hd_loss_class hd_loss_poisson = {
    .name = "poisson",
    .doc = "mean of y - t log(y + 1e-7); outputs must be positive (softplus, sigmoid, softmax), targets >= 0",
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
