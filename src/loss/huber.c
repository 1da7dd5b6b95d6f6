#include "loss/loss_kit.h"

enum { DELTA };

/* With c = e clipped to [-delta, delta]: c (e - c / 2), slope c. */
static vec term(vec *y, vec t, const vec *k, vec *slope)
{
    vec e = vsub(*y, t), c = vmax(vmin(e, k[DELTA]), vneg(k[DELTA]));
    *slope = c;
    return vmul(c, vsub(e, vmul(vset((real)0.5), c)));
}

static double block(const hd_loss_run *r, int begin, int end)
{
    vec delta = vset((real)r->opt->number[DELTA]);
    return hd_loss_mean(r, begin, end, term, &delta);
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, block);
}

static const hd_option options[] = {
    { .name = "delta", .type = HD_NUMBER, .min = 0, .max = 1e30, .def = 1, .open_min = true,
      .doc = "error at which the square turns into a line" },
    { 0 },
};

static const hd_loss_example examples[] = {
    { { 1, { 4 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 1, { 0.3 } }, { { 0 }, 0, { 0 } }
};

const hd_loss_class hd_loss_huber = {
    .name = "huber",
    .doc = "mean of e^2 / 2 for |e| <= delta, else delta (|e| - delta / 2)",
    .options = options,
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
