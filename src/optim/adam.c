/* Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019). One pass over memory: it is what bounds them. */
#include "base/scalar.h"
#include "kern/vec.h"
#include "optim/options.h"

#include <math.h>

enum { RATE, BETA1, BETA2, EPSILON, ADAM_CLIP, DECAY = ADAM_CLIP, ADAMW_CLIP };

typedef struct constants {
    vec beta1, beta2, rest1, rest2, rate, epsilon, keep;
} constants;

/* rate_t = rate sqrt(1 - beta2^t) / (1 - beta1^t), as the paper's faster form and Keras have it. */
static constants constants_of(const hd_optimizer_run *r, double decay)
{
    const double *o = r->opt->number;
    double rate = r->rate * sqrt(1 - r->beta_power[1]) / (1 - r->beta_power[0]);
    return (constants){ vset((real)o[BETA1]),     vset((real)o[BETA2]), vset((real)(1 - o[BETA1])),
                        vset((real)(1 - o[BETA2])), vset((real)rate),     vset((real)o[EPSILON]),
                        vset((real)(1 - r->rate * decay)) };
}

HD_INLINE vec update(const constants *k, vec w, vec g, vec *m, vec *v)
{
    *m = vadd(vmul(k->beta1, *m), vmul(k->rest1, g));
    *v = vadd(vmul(k->beta2, *v), vmul(k->rest2, vmul(g, g)));
    return vsub(vmul(w, k->keep), vdiv(vmul(k->rate, *m), vadd(vsqrt(*v), k->epsilon)));
}

static void run(const hd_optimizer_run *r, double decay)
{
    constants k = constants_of(r, decay);
    size_t i = 0;
    for (; i + HD_VL <= r->n; i += HD_VL) {
        vec m = vload(r->slot[0] + i), v = vload(r->slot[1] + i);
        vstore(r->w + i, update(&k, vload(r->w + i), vload(r->g + i), &m, &v));
        vstore(r->slot[0] + i, m);
        vstore(r->slot[1] + i, v);
    }
    size_t left = r->n - i;
    if (left) {
        vec m = vload_part(r->slot[0] + i, left), v = vload_part(r->slot[1] + i, left);
        vstore_part(r->w + i, update(&k, vload_part(r->w + i, left), vload_part(r->g + i, left), &m, &v), left);
        vstore_part(r->slot[0] + i, m, left);
        vstore_part(r->slot[1] + i, v, left);
    }
}

static void prepare(hd_optimizer_run *r)
{
    r->beta_power[0] = hd_power(r->opt->number[BETA1], r->step);
    r->beta_power[1] = hd_power(r->opt->number[BETA2], r->step);
}

static void adam(const hd_optimizer_run *r)
{
    run(r, 0);
}

static void adamw(const hd_optimizer_run *r)
{
    run(r, r->opt->number[DECAY]);
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
