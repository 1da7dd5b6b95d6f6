#include "optim/options.h"
#include "optim/update.h"

enum { RATE, RHO, MOMENTUM, EPSILON, CLIP };
enum { K_RATE, K_RHO, K_REST, K_EPSILON, K_MOMENTUM };

/* v <- rho v + (1 - rho) g^2; the step is rate g / sqrt(v + epsilon) (Keras's form). */
static vec scaled(const vec *k, vec g, vec *v)
{
    *v = hd_flush(vadd(vmul(k[K_RHO], *v), vmul(k[K_REST], vmul(g, g))));
    return vdiv(vmul(k[K_RATE], g), vsqrt(vadd(*v, k[K_EPSILON])));
}

static void plain(const vec *k, vec g, vec *w, vec *slot)
{
    *w = vsub(*w, scaled(k, g, &slot[0]));
}

/* m <- mu m + step;  w -= m. */
static void momentum(const vec *k, vec g, vec *w, vec *slot)
{
    slot[1] = hd_flush(vadd(vmul(k[K_MOMENTUM], slot[1]), scaled(k, g, &slot[0])));
    *w = vsub(*w, slot[1]);
}

static void step(const hd_optimizer_run *r)
{
    const double *o = r->opt->number;
    const vec k[] = { [K_RATE] = vset((real)r->rate), [K_RHO] = vset((real)o[RHO]), [K_REST] = vset((real)(1 - o[RHO])),
                      [K_EPSILON] = vset((real)o[EPSILON]), [K_MOMENTUM] = vset((real)o[MOMENTUM]) };
    if (o[MOMENTUM] == 0) {
        hd_update_all(r, 1, k, plain);
    } else {
        hd_update_all(r, 2, k, momentum);
    }
}

static const hd_option options[] = {
    HD_RATE_OPTION(0.001),
    HD_DECAY_OPTION("rho", 0.9, "decay of the running mean of squared gradients"),
    HD_DECAY_OPTION("momentum", 0, "part of the last step that is kept"),
    HD_EPSILON_OPTION,
    HD_CLIP_OPTIONS,
    { 0 },
};

const hd_optimizer_class hd_optimizer_rmsprop = {
    .name = "rmsprop",
    .doc = "gradients divided by their running root mean square (Tieleman & Hinton 2012)",
    .options = options,
    .slots = 2,
    .clip_option = CLIP,
    .step = step,
};
