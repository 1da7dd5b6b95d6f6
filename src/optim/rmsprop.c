#include "optim/options.h"

#include <math.h>

enum { RATE, RHO, MOMENTUM, EPSILON, CLIP };

/* v <- rho v + (1 - rho) g^2;  m <- mu m + rate g / sqrt(v + epsilon);  w -= m (Keras's form). */
static void step(const hd_optimizer_run *r)
{
    real rho = (real)r->opt->number[RHO], mu = (real)r->opt->number[MOMENTUM], epsilon = (real)r->opt->number[EPSILON];
    real rate = (real)r->rate, *v = r->slot[0], *m = r->slot[1];
    for (size_t i = 0; i < r->n; i++) {
        real g = r->g[i];
        v[i] = rho * v[i] + (1 - rho) * (g * g);
        m[i] = mu * m[i] + rate * g / (real)sqrt((double)(v[i] + epsilon));
        r->w[i] -= m[i];
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
