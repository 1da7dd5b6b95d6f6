/* Least squares in a ball: with O(lambda) = C (G + lambda I)^-1, the lambda >= 0 at which phi(lambda) = ||O(lambda)||_F is the radius.
 *
 * Newton's method on 1 / phi - 1 / radius, a Cholesky factorisation each step (More & Sorensen, "Computing a trust region step", 1983).
 * 1 / phi is a power mean of the shifted eigenvalues, with exponent -2, and so concave: from a lambda that is too small no step goes
 * too far, and lambda only grows. */
#include "solve/ridge.h"

#include "linalg/linalg.h"

#include <math.h>
#include <string.h>

enum { STEPS = 100 };
#define CLOSE 1e-10 /* relative distance from the radius; a factor takes away the rest */

/* phi^2 = sum c_k / (d_k + lambda)^2, d_k the eigenvalues of G, c_k = ||C e_k||^2, is convex in d. So phi >= ||C|| / (m + lambda), m =
 * <C G, C> / ||C||^2 the mean of d: no lambda below this solves the problem. */
static double least_lambda(const hd_gram *g, double radius)
{
    const double norm2 = hd_dot_f64((size_t)g->q * (size_t)g->n, g->ct, g->ct);
    const double least = norm2 > 0 ? sqrt(norm2) / radius - hd_gram_quadratic(g, g->ct) / norm2 : 0;
    return least > 0 ? least : 0;
}

/* phi' = -||O L^-T||^2 / phi. w: [q x n] work. */
static double newton_step(const hd_gram *g, const double *l, const double *o, double phi, double radius, double *w)
{
    const size_t size = (size_t)g->q * (size_t)g->n;
    memcpy(w, o, size * sizeof *w);
    hd_trsm_f64(g->c->pool, (hd_triangle_f64){ .right = true, .transposed = true }, g->n, g->q, l, g->n, w, g->n);
    return phi * phi / hd_dot_f64(size, w, w) * (phi - radius) / radius;
}

static hd_status search(const hd_gram *g, double radius, double *l, double *w, double *o, double *lambda)
{
    const size_t size = (size_t)g->q * (size_t)g->n;
    double phi = INFINITY, before = INFINITY;
    *lambda = least_lambda(g, radius);
    for (int i = 0; i < STEPS; i++) {
        if (hd_gram_solve(g, "secular", lambda, l, o)) {
            return g->c->status;
        }
        phi = sqrt(hd_dot_f64(size, o, o));
        if (phi <= radius * (1 + CLOSE) || !(phi < before)) { /* there, or as near as rounding lets it */
            break;
        }
        before = phi;
        *lambda += newton_step(g, l, o, phi, radius, w);
    }
    for (size_t i = 0; phi > radius && i < size; i++) {
        o[i] *= radius / phi;
    }
    return HD_OK;
}

hd_status hd_gram_secular(hd_gram *g, double radius, double *o, double *lambda)
{
    if (!(radius > 0 && radius <= 1e150)) {
        return hd_fail(g->c, HD_ERR_ARGUMENT, "secular: radius = %g, expected a number above 0, at most 1e150", radius);
    }
    const size_t n = (size_t)g->n;
    double *work = hd_reserve(g->c, (n + (size_t)g->q) * n * sizeof *work, "secular");
    if (!work) {
        return HD_ERR_MEMORY;
    }
    hd_status status = search(g, radius, work, work + n * n, o, lambda);
    hd_release(g->c, work);
    return status;
}
