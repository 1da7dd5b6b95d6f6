#include "solve/ridge.h"

#include "linalg/linalg.h"

#include <string.h>

enum { DOUBLINGS = 30 };

double hd_dot_f64(size_t n, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

double hd_gram_scale(const hd_gram *g)
{
    double sum = 0;
    for (int i = 0; i < g->n; i++) {
        sum += g->g[(size_t)i * ((size_t)g->n + 1)];
    }
    return sum / g->n;
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

hd_status hd_gram_solve(const hd_gram *g, const char *what, double *lambda, double *l, double *o)
{
    const size_t size = (size_t)g->q * (size_t)g->n;
    if (!(g->totals[0] > 0)) {
        return hd_fail(g->c, HD_ERR_STATE, "%s: no samples yet", what);
    }
    const double least = 1e-12 * hd_gram_scale(g);
    int pivot = hd_gram_factor(g, *lambda, l);
    for (int i = 0; pivot >= 0 && i < DOUBLINGS; i++) {
        *lambda = least > 2 * *lambda ? least : 2 * *lambda;
        pivot = hd_gram_factor(g, *lambda, l);
    }
    if (pivot >= 0) {
        return hd_fail(g->c, HD_ERR_DIVERGED, "%s: not positive definite at feature %d, even with lambda = %g: are the features finite and "
                       "not all zero?", what, pivot, *lambda);
    }
    memcpy(o, g->ct, size * sizeof *o);
    hd_cholesky_solve_f64(g->c->pool, true, g->n, g->q, l, g->n, o, g->n);
    const double squares = hd_dot_f64(size, o, o);
    return squares - squares == 0 ? HD_OK : hd_fail(g->c, HD_ERR_DIVERGED, "%s: the solution is not finite: are the sums too large?", what);
}

hd_status hd_gram_ridge(hd_gram *g, double lambda, double *o, double *used)
{
    if (!(lambda >= 0 && lambda <= 1e300)) {
        return hd_fail(g->c, HD_ERR_ARGUMENT, "ridge: lambda = %g, expected a finite number, at least 0", lambda);
    }
    const size_t n = (size_t)g->n;
    double *l = hd_reserve(g->c, n * n * sizeof *l, "ridge");
    if (!l) {
        return HD_ERR_MEMORY;
    }
    *used = lambda;
    hd_status status = hd_gram_solve(g, "ridge", used, l, o);
    hd_release(g->c, l);
    return status;
}

double hd_gram_quadratic(const hd_gram *g, const double *o)
{
    const size_t n = (size_t)g->n;
    double sum = 0;
    for (size_t k = 0; k < (size_t)g->q; k++) {
        const double *row = o + k * n;
        for (size_t i = 0; i < n; i++) { /* G from its lower triangle */
            const double *line = g->g + i * n;
            sum += row[i] * (2 * hd_dot_f64(i, line, row) + line[i] * row[i]);
        }
    }
    return sum;
}

double hd_gram_cost(hd_gram *g, const double *o)
{
    return g->totals[1] - 2 * hd_dot_f64((size_t)g->q * (size_t)g->n, o, g->ct) + hd_gram_quadratic(g, o);
}
