#include "optim/options.h"

#include <math.h>

enum { RATE, RHO, EPSILON, CLIP };

/* v <- rho v + (1 - rho) g^2;  d = g sqrt(u + epsilon) / sqrt(v + epsilon);  u <- rho u + (1 - rho) d^2;  w -= rate d. */
static void step(const hd_optimizer_run *r)
{
    real rho = (real)r->opt->number[RHO], epsilon = (real)r->opt->number[EPSILON], rate = (real)r->rate;
    real *v = r->slot[0], *u = r->slot[1];
    for (size_t i = 0; i < r->n; i++) {
        real g = r->g[i];
        v[i] = rho * v[i] + (1 - rho) * (g * g);
        real d = g * (real)sqrt((double)(u[i] + epsilon)) / (real)sqrt((double)(v[i] + epsilon));
        u[i] = rho * u[i] + (1 - rho) * (d * d);
        r->w[i] -= rate * d;
    }
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
