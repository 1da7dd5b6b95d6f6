/* Penalties on weights. */
#include "kern/elementwise.h"
#include "kern/reduce.h"
#include "weight/weight.h"

static size_t size_of(const hd_weight_view *v)
{
    return (size_t)v->rows * (size_t)v->cols;
}

static void add_sign(const hd_weight_view *v, double amount, const real *w, real *dw)
{
    for (size_t i = 0; i < size_of(v); i++) {
        dw[i] += (real)amount * (real)((w[i] > 0) - (w[i] < 0));
    }
}

static double penalise(const hd_weight_view *v, double l1, double l2, const real *w, real *dw)
{
    double sum = 0;
    if (l1 > 0) {
        sum += l1 * hd_sum_abs(v->pool, size_of(v), w);
        if (dw) {
            add_sign(v, l1, w, dw);
        }
    }
    if (l2 > 0) {
        sum += l2 * hd_sum_squares(v->pool, size_of(v), w);
        if (dw) {
            hd_axpy(v->pool, size_of(v), (real)(2 * l2), w, dw);
        }
    }
    return sum;
}

static double l1(const hd_weight_view *v, const real *w, real *dw)
{
    return penalise(v, v->opt->number[0], 0, w, dw);
}

static double l2(const hd_weight_view *v, const real *w, real *dw)
{
    return penalise(v, 0, v->opt->number[0], w, dw);
}

static double l1_l2(const hd_weight_view *v, const real *w, real *dw)
{
    return penalise(v, v->opt->number[0], v->opt->number[1], w, dw);
}

static const hd_option options[] = {
    { .name = "amount", .type = HD_NUMBER, .min = 0, .max = 1e9, .def = 0.01, .doc = "lambda, the factor on the sum" },
    { 0 },
};

static const hd_option both_options[] = {
    { .name = "l1", .type = HD_NUMBER, .min = 0, .max = 1e9, .def = 0.01, .doc = "factor on sum |w|" },
    { .name = "l2", .type = HD_NUMBER, .min = 0, .max = 1e9, .def = 0.01, .doc = "factor on sum w^2" },
    { 0 },
};

const hd_regularizer_class hd_regularizer_l1 = { "l1", "amount * sum |w|", options, l1 };
const hd_regularizer_class hd_regularizer_l2 = { "l2", "amount * sum w^2 (weight decay of MatNet Eq. 3.1, no 1/2)", options,
                                                 l2 };
const hd_regularizer_class hd_regularizer_l1l2 = { "l1l2", "l1 * sum |w| + l2 * sum w^2", both_options, l1_l2 };
