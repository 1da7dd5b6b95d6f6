#include "kern/vec.h"
#include "optim/options.h"

enum { RATE, MOMENTUM, NESTEROV, CLIP };

/* m <- mu m - rate g;  w += m, or with Nesterov w += mu m - rate g (Keras's form). */
static vec update(vec w, vec g, vec *m, vec mu, vec rate, bool nesterov)
{
    vec down = vmul(rate, g);
    *m = vsub(vmul(mu, *m), down);
    return vadd(w, nesterov ? vsub(vmul(mu, *m), down) : *m);
}

static void step(const hd_optimizer_run *r)
{
    vec rate = vset((real)r->rate), mu = vset((real)r->opt->number[MOMENTUM]);
    bool nesterov = r->opt->number[NESTEROV] != 0;
    size_t i = 0;
    for (; i + HD_VL <= r->n; i += HD_VL) {
        vec m = vload(r->slot[0] + i);
        vstore(r->w + i, update(vload(r->w + i), vload(r->g + i), &m, mu, rate, nesterov));
        vstore(r->slot[0] + i, m);
    }
    size_t left = r->n - i;
    if (left) {
        vec m = vload_part(r->slot[0] + i, left);
        vstore_part(r->w + i, update(vload_part(r->w + i, left), vload_part(r->g + i, left), &m, mu, rate, nesterov), left);
        vstore_part(r->slot[0] + i, m, left);
    }
}

static const hd_option options[] = {
    HD_RATE_OPTION(0.01),
    HD_DECAY_OPTION("momentum", 0, "part of the last step that is kept"),
    { .name = "nesterov", .type = HD_BOOL, .doc = "look-ahead momentum (Nesterov 1983)" },
    HD_CLIP_OPTIONS,
    { 0 },
};

const hd_optimizer_class hd_optimizer_sgd = {
    .name = "sgd",
    .doc = "stochastic gradient descent with momentum",
    .options = options,
    .slots = 1,
    .momentum = true,
    .clip_option = CLIP,
    .step = step,
};
