/* For weights that are positive functions W(v) of what is trained: where they begin, and a penalty that sees W. */
#include "kern/positive.h"
#include "kern/reduce.h"
#include "weight/weight.h"

enum { PARAMETRIZATION, MINIMUM, THIRD };

#define PARAMETRIZATION_OPTIONS                                                                                        \
    { .name = "parametrization", .type = HD_ENUM, .names = hd_positive_names, .doc = "of the layer: W as a function of v" }, \
    { .name = "minimum", .type = HD_NUMBER, .min = 0, .max = 1, .def = 1e-6, .doc = "of the layer: the floor of W" }

/* W = gain / fan in (1/2 + u), u uniform in [0, 1). Means, not variances, decide how sums with positive weights grow: rows
 * that add up to about 1 make each layer an average, whatever the depth. */
static hd_status fill(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_out;
    const double *opt = v->opt->number;
    for (size_t i = 0; i < (size_t)v->rows * (size_t)v->cols; i++) {
        double positive = opt[THIRD] / fan_in * (0.5 + hd_rng_uniform(rng, i));
        w[i] = (real)hd_positive_inverse((hd_positive)opt[PARAMETRIZATION], opt[MINIMUM], positive);
    }
    return HD_OK;
}

/* amount sum W^2 and, by the chain rule, 2 amount W dW/dv. */
static double penalise(const hd_weight_view *v, const real *w, real *dw)
{
    enum { RUN = 256 };
    const double *opt = v->opt->number;
    const hd_positive kind = (hd_positive)opt[PARAMETRIZATION];
    const size_t size = (size_t)v->rows * (size_t)v->cols;
    double sum = 0;
    for (size_t from = 0; from < size; from += RUN) {
        const size_t n = size - from < RUN ? size - from : RUN;
        real t[RUN];
        hd_positive_forward(v->pool, kind, (real)opt[MINIMUM], n, w + from, t);
        sum += hd_sum_squares(v->pool, n, t);
        if (dw) {
            hd_positive_backward(v->pool, kind, (real)opt[MINIMUM], n, w + from, t);
            for (size_t i = 0; i < n; i++) {
                dw[from + i] += (real)(2 * opt[THIRD]) * t[i];
            }
        }
    }
    return opt[THIRD] * sum;
}

static const hd_option fill_options[] = {
    PARAMETRIZATION_OPTIONS,
    { .name = "gain", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = 1, .open_min = true, .doc = "mean sum of a row of W" },
    { 0 },
};
static const hd_option penalty_options[] = {
    PARAMETRIZATION_OPTIONS,
    { .name = "amount", .type = HD_NUMBER, .min = 0, .max = 1e9, .def = 0.01, .doc = "lambda, the factor on the sum" },
    { 0 },
};

const hd_initializer_class hd_initializer_positive = {
    "positive", "positive weights W(v) of which each row adds up to about gain; for monotonicDense", fill_options, fill
};
const hd_regularizer_class hd_regularizer_positive_l2 = {
    "positiveL2", "amount * sum W^2 of the positive weights W(v) of monotonicDense, where l2 sees v", penalty_options, penalise
};
