#include "kern/vmath.h"
#include "loss/loss_kit.h"

enum { SMOOTHING };
enum { KEEP, SHIFT }; /* target t becomes KEEP t + SHIFT */

static const double EPSILON = 1e-7; /* Keras's clip of probabilities */

/* From a logit n: log(1 + exp(-|n|)) + (n > 0 ? n (1 - t) : -n t), exact for a t of 0 or 1 however large n; slope p - t. */
static vec logit_term(vec *y, vec t, const vec *k, vec *slope)
{
    vec n = *y, z = vexp(vneg(vabs(n))), up = vgt(n, vzero());
    t = vmadd(k[KEEP], t, k[SHIFT]);
    *y = vdiv(vselect(vlt(n, vzero()), z, vset(1)), vadd(vset(1), z));
    *slope = vsub(*y, t);
    return vadd(vlog1p(z), vmul(n, vselect(up, vsub(vset(1), t), vneg(t))));
}

/* Slope 0 where p was clipped. */
static vec probability_term(vec *y, vec t, const vec *k, vec *slope)
{
    const vec low = vset((real)EPSILON), high = vset((real)(1 - EPSILON)), one = vset(1);
    vec p = vmin(vmax(*y, low), high), q = vsub(one, p);
    t = vmadd(k[KEEP], t, k[SHIFT]);
    vec d = vdiv(vsub(p, t), vmul(p, q));
    *slope = vselect(vor(vlt(*y, low), vgt(*y, high)), vzero(), d);
    return vneg(vadd(vmul(t, vlog(p)), vmul(vsub(one, t), vlog(q))));
}

static double block(const hd_loss_run *r, int begin, int end)
{
    double smoothing = r->opt->number[SMOOTHING];
    const vec k[] = { vset((real)(1 - smoothing)), vset((real)(smoothing / 2)) };
    if (r->logits) {
        return hd_loss_terms(r, begin, end, logit_term, k, 1.0 / r->size, true);
    }
    return hd_loss_mean(r, begin, end, probability_term, k);
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, block);
}

static const hd_option options[] = {
    { .name = "labelSmoothing", .type = HD_NUMBER, .min = 0, .max = 1,
      .doc = "targets t become (1 - s) t + s / 2, as in Keras" },
    { 0 },
};

static const hd_loss_example examples[] = {
    { { 1, { 1 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 1, { 0.1 } }, { { 0 }, 0, { 0 } }
};

const hd_loss_class hd_loss_binary_crossentropy = {
    .name = "binaryCrossentropy",
    .doc = "mean of -t log p - (1 - t) log(1 - p); targets 0..1",
    .options = options,
    .fuses = HD_SIGMOID,
    .target_max = 1,
    .run = run,
    .examples = examples,
};
