#include "loss/loss_kit.h"

enum { BETA };
enum { K_BETA, K_REST };

/* With c = e clipped to [-beta, beta]: c (e - c / 2) / beta, slope c / beta. */
static vec term(vec *y, vec t, const vec *k, vec *slope)
{
    vec e = vsub(*y, t), c = vmax(vmin(e, k[K_BETA]), vneg(k[K_BETA]));
    *slope = vmul(c, k[K_REST]);
    return vmul(*slope, vsub(e, vmul(vset((real)0.5), c)));
}

static double block(const hd_loss_run *r, int begin, int end)
{
    const double beta = r->opt->number[BETA];
    const vec k[] = { [K_BETA] = vset((real)beta), [K_REST] = vset((real)(1 / beta)) };
    return hd_loss_mean(r, begin, end, term, k);
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, block);
}

static const hd_option options[] = {
    { .name = "beta", .type = HD_NUMBER, .min = 1e-30, .max = 1e30, .def = 1, .doc = "error at which the square turns into a line" },
    { 0 },
};

static const hd_loss_example examples[] = {
    { { 1, { 4 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 1, { 0.3 } }, { { 0 }, 0, { 0 } }
};

const hd_loss_class hd_loss_smooth_l1 = {
    .name = "smoothL1",
    .doc = "mean of e^2 / (2 beta) for |e| <= beta, else |e| - beta / 2; huber over its delta",
    .options = options,
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
