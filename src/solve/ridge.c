#include "solve/ridge.h"

#include "kern/gemm.h"
#include "linalg/linalg.h"

#include <string.h>

enum { DOUBLINGS = 30 };

static double trace(const hd_gram *g)
{
    double sum = 0;
    for (int i = 0; i < g->n; i++) {
        sum += g->g[(size_t)i * ((size_t)g->n + 1)];
    }
    return sum;
}

int hd_gram_factor(const hd_gram *g, double shift, double *l)
{
    const size_t n = (size_t)g->n;
    memcpy(l, g->g, n * n * sizeof *l);
    for (size_t i = 0; i < n; i++) {
        l[i * (n + 1)] += shift;
    }
    return hd_cholesky_f64(g->c->pool, g->n, l, g->n);
}

hd_status hd_gram_ridge(hd_gram *g, double lambda, double *o, double *used)
{
    if (!(lambda >= 0 && lambda <= 1e300)) {
        return hd_fail(g->c, HD_ERR_ARGUMENT, "ridge: lambda = %g, expected a finite number, at least 0", lambda);
    }
    if (!(g->totals[0] > 0)) {
        return hd_fail(g->c, HD_ERR_STATE, "ridge: no samples yet");
    }
    const size_t n = (size_t)g->n;
    double *l = hd_reserve(g->c, n * n * sizeof *l, "ridge");
    if (!l) {
        return HD_ERR_MEMORY;
    }
    const double least = 1e-12 * trace(g) / (double)n;
    int pivot = hd_gram_factor(g, lambda, l);
    for (int i = 0; pivot >= 0 && i < DOUBLINGS; i++) {
        lambda = 2 * lambda > least ? 2 * lambda : least;
        pivot = hd_gram_factor(g, lambda, l);
    }
    if (pivot < 0) {
        memcpy(o, g->ct, (size_t)g->q * n * sizeof *o);
        hd_cholesky_solve_f64(g->c->pool, true, g->n, g->q, l, g->n, o, g->n);
        *used = lambda;
    }
    hd_release(g->c, l);
    return pivot < 0 ? HD_OK : hd_fail(g->c, HD_ERR_DIVERGED, "ridge: not positive definite at feature %d, even with lambda = %g: are "
                                       "the features finite and not all zero?", pivot, lambda);
}

/* ||T||^2 - 2 <O, C> + <O G, O>, with G from its lower triangle, in float64. */
double hd_gram_cost(hd_gram *g, const double *o)
{
    const size_t n = (size_t)g->n;
    double cost = g->totals[1];
    for (size_t k = 0; k < (size_t)g->q; k++) {
        const double *row = o + k * n, *target = g->ct + k * n;
        for (size_t i = 0; i < n; i++) {
            const double *line = g->g + i * n;
            double sum = 0;
            for (size_t j = 0; j < i; j++) {
                sum += line[j] * row[j];
            }
            cost += row[i] * (2 * sum + line[i] * row[i] - 2 * target[i]);
        }
    }
    return cost;
}
