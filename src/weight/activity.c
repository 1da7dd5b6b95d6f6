/* Penalties on mean activations. */
#include "base/scalar.h"
#include "weight/weight.h"

enum { RHO, BETA };

static const double CLAMP = 1e-6;

/* beta sum rho log(rho / m) + (1 - rho) log((1 - rho) / (1 - m)) (MatNet 3.2), m clamped to (0, 1). */
static double kl_sparsity(const hd_values *opt, int size, const real *mean, real *d_mean)
{
    double rho = opt->number[RHO], beta = opt->number[BETA], sum = 0;
    for (int i = 0; i < size; i++) {
        double m = (double)mean[i];
        m = m < CLAMP ? CLAMP : m > 1 - CLAMP ? 1 - CLAMP : m;
        sum += rho * hd_log(rho / m) + (1 - rho) * hd_log((1 - rho) / (1 - m));
        if (d_mean) {
            d_mean[i] = (real)(beta * (-rho / m + (1 - rho) / (1 - m)));
        }
    }
    return beta * sum;
}

static const hd_option options[] = {
    { .name = "rho", .type = HD_NUMBER, .min = 0, .max = 1, .def = 0.05, .open_min = true, .open_max = true,
      .doc = "wanted mean activation" },
    { .name = "beta", .type = HD_NUMBER, .min = 0, .max = 1e9, .def = 1, .doc = "factor on the penalty" },
    { .name = "smoothing", .type = HD_NUMBER, .min = 0, .max = 1, .def = 0.1, .open_min = true,
      .doc = "weight of a mini-batch in the running means; full-batch training takes exact means" },
    { 0 },
};

const hd_activity_class hd_activity_kl_sparsity = {
    "klSparsity", "Kullback-Leibler divergence of mean activations from rho; for sigmoid layers", options, true, kl_sparsity
};
