/* Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019). */
#include "base/scalar.h"
#include "optim/options.h"
#include "optim/update.h"

#include <math.h>

enum { RATE, BETA1, BETA2, EPSILON, ADAM_CLIP, DECAY = ADAM_CLIP, ADAMW_CLIP };

enum { K_BETA1, K_BETA2, K_REST1, K_REST2, K_RATE, K_EPSILON, K_KEEP, CONSTANTS };

/* m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;  w -= rate_t m / (sqrt(v) + epsilon). */
static void update(const vec *k, vec g, vec *w, vec *slot)
{
    vec m = hd_flush(vadd(vmul(k[K_BETA1], slot[0]), vmul(k[K_REST1], g)));
    vec v = hd_flush(vadd(vmul(k[K_BETA2], slot[1]), vmul(k[K_REST2], vmul(g, g))));
    *w = vsub(*w, vdiv(vmul(k[K_RATE], m), vadd(vsqrt(v), k[K_EPSILON])));
    slot[0] = m;
    slot[1] = v;
}

static void decayed_update(const vec *k, vec g, vec *w, vec *slot)
{
    *w = vmul(*w, k[K_KEEP]);
    update(k, g, w, slot);
}

/* rate_t = rate sqrt(1 - beta2^t) / (1 - beta1^t), as the paper's faster form and Keras have it. */
static void constants_of(const hd_optimizer_run *r, double decay, vec k[CONSTANTS])
{
    const double *o = r->opt->number;
    k[K_BETA1] = vset((real)o[BETA1]);
    k[K_BETA2] = vset((real)o[BETA2]);
    k[K_REST1] = vset((real)(1 - o[BETA1]));
    k[K_REST2] = vset((real)(1 - o[BETA2]));
    k[K_RATE] = vset((real)(r->rate * sqrt(1 - r->beta_power[1]) / (1 - r->beta_power[0])));
    k[K_EPSILON] = vset((real)o[EPSILON]);
    k[K_KEEP] = vset((real)(1 - r->rate * decay));
}

static void prepare(hd_optimizer_run *r)
{
    r->beta_power[0] = hd_power(r->opt->number[BETA1], r->step);
    r->beta_power[1] = hd_power(r->opt->number[BETA2], r->step);
}

static void adam(const hd_optimizer_run *r)
{
    vec k[CONSTANTS];
    constants_of(r, 0, k);
    hd_update_all(r, 2, k, update);
}

static void adamw(const hd_optimizer_run *r)
{
    vec k[CONSTANTS];
    constants_of(r, r->opt->number[DECAY], k);
    hd_update_all(r, 2, k, decayed_update);
}

#define MOMENT_OPTIONS                                                                                                 \
    HD_RATE_OPTION(0.001), HD_DECAY_OPTION("beta1", 0.9, "decay of the running mean of gradients"),                    \
        HD_DECAY_OPTION("beta2", 0.999, "decay of the running mean of squared gradients"), HD_EPSILON_OPTION

static const hd_option adam_options[] = { MOMENT_OPTIONS, HD_CLIP_OPTIONS, { 0 } };
static const hd_option adamw_options[] = {
    MOMENT_OPTIONS,
    { .name = "weightDecay", .type = HD_NUMBER, .min = 0, .max = 1, .def = 0.004,
      .doc = "part of each weight taken off a step, times the learning rate" },
    HD_CLIP_OPTIONS,
    { 0 },
};

const hd_optimizer_class hd_optimizer_adam = {
    .name = "adam",
    .doc = "adaptive moments (Kingma & Ba 2015)",
    .options = adam_options,
    .slots = 2,
    .clip_option = ADAM_CLIP,
    .prepare = prepare,
    .step = adam,
};

const hd_optimizer_class hd_optimizer_adamw = {
    .name = "adamw",
    .doc = "Adam with decoupled weight decay (Loshchilov & Hutter 2019)",
    .options = adamw_options,
    .slots = 2,
    .clip_option = ADAMW_CLIP,
    .prepare = prepare,
    .step = adamw,
};
