#include "optim/options.h"
#include "optim/update.h"

enum { RATE, RHO, EPSILON, CLIP };
enum { K_RATE, K_RHO, K_REST, K_EPSILON };

/* v <- rho v + (1 - rho) g^2;  d = g sqrt(u + epsilon) / sqrt(v + epsilon);  u <- rho u + (1 - rho) d^2;  w -= rate d. */
static void update(const vec *k, vec g, vec *w, vec *slot)
{
    vec v = hd_flush(vadd(vmul(k[K_RHO], slot[0]), vmul(k[K_REST], vmul(g, g)))), u = slot[1];
    vec d = vdiv(vmul(g, vsqrt(vadd(u, k[K_EPSILON]))), vsqrt(vadd(v, k[K_EPSILON])));
    *w = vsub(*w, vmul(k[K_RATE], d));
    slot[0] = v;
    slot[1] = hd_flush(vadd(vmul(k[K_RHO], u), vmul(k[K_REST], vmul(d, d))));
}

static void step(const hd_optimizer_run *r)
{
    const double *o = r->opt->number;
    const vec k[] = { [K_RATE] = vset((real)r->rate), [K_RHO] = vset((real)o[RHO]), [K_REST] = vset((real)(1 - o[RHO])),
                      [K_EPSILON] = vset((real)o[EPSILON]) };
    hd_update_all(r, 2, k, update);
}

static const hd_option options[] = {
    HD_RATE_OPTION(0.001),
    HD_DECAY_OPTION("rho", 0.95, "decay of both running means"),
    HD_EPSILON_OPTION,
    HD_CLIP_OPTIONS,
    { 0 },
};

const hd_optimizer_class hd_optimizer_adadelta = {
    .name = "adadelta",
    .doc = "steps scaled by past steps (Zeiler 2012; the paper's learning rate is 1, Keras's 0.001)",
    .options = options,
    .slots = 2,
    .clip_option = CLIP,
    .step = step,
};
