#include "optim/options.h"
#include "optim/update.h"

enum { RATE, MOMENTUM, NESTEROV, CLIP };

static void plain(const vec *k, vec g, vec *w, vec *slot)
{
    (void)slot;
    *w = vsub(*w, vmul(k[RATE], g));
}

/* m <- mu m - rate g;  w += m (Keras's form). */
static void momentum(const vec *k, vec g, vec *w, vec *slot)
{
    slot[0] = hd_flush(vsub(vmul(k[MOMENTUM], slot[0]), vmul(k[RATE], g)));
    *w = vadd(*w, slot[0]);
}

/* The same m;  w += mu m - rate g. */
static void nesterov(const vec *k, vec g, vec *w, vec *slot)
{
    vec down = vmul(k[RATE], g);
    slot[0] = hd_flush(vsub(vmul(k[MOMENTUM], slot[0]), down));
    *w = vadd(*w, vsub(vmul(k[MOMENTUM], slot[0]), down));
}

static void step(const hd_optimizer_run *r)
{
    const double *o = r->opt->number;
    const vec k[] = { [RATE] = vset((real)r->rate), [MOMENTUM] = vset((real)o[MOMENTUM]) };
    if (o[MOMENTUM] == 0) {
        hd_update_all(r, 0, k, plain); /* as both others are then */
    } else if (o[NESTEROV] != 0) {
        hd_update_all(r, 1, k, nesterov);
    } else {
        hd_update_all(r, 1, k, momentum);
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
