/* min sum |t - O y|^2 with ||O||_F <= radius by the alternating direction method of multipliers (Boyd et al., "Distributed optimization and
 * statistical learning", 2011, sections 4 and 7): scaled dual U, and s for their rho / 2, as the squares have no factor 1/2. */
#include "solve/ridge.h"

#include "linalg/linalg.h"

#include <math.h>
#include <string.h>

struct hd_admm {
    hd_context *c;
    int n, q;
    double penalty, radius, squares; /* s; 0: no bound; sum |t|^2 */
    double primal, dual;
    double *block;                   /* all of the following: */
    double *l;                       /* [n x n] Cholesky factor of G + s I */
    double *ct, *value[3];           /* [q x n]: C; O, Z, U */
    double *old;                     /* [q x n]: the Z that O was computed from */
    double *row;                     /* [n] work */
};

static size_t size_of(const hd_admm *a)
{
    return (size_t)a->q * (size_t)a->n;
}

static hd_status check(const hd_gram *g, double penalty, double radius)
{
    if (!(penalty >= 0 && penalty <= 1e300) || !(radius >= 0 && radius <= 1e150)) {
        return hd_fail(g->c, HD_ERR_ARGUMENT, "admm: penalty = %g, radius = %g, expected finite numbers, at least 0 (no bound: radius 0)",
                       penalty, radius);
    }
    return g->totals[0] > 0 ? HD_OK : hd_fail(g->c, HD_ERR_STATE, "admm: no samples yet");
}

hd_admm *hd_admm_new(hd_gram *g, double penalty, double radius)
{
    hd_admm *a = check(g, penalty, radius) ? NULL : hd_alloc(g->c, sizeof *a, "admm");
    if (!a) {
        return NULL;
    }
    const size_t n = (size_t)g->n, size = (size_t)g->q * n;
    *a = (hd_admm){ .c = g->c, .n = g->n, .q = g->q, .radius = radius, .squares = g->totals[1], .primal = NAN, .dual = NAN };
    a->penalty = penalty > 0 ? penalty : hd_gram_scale(g);
    a->block = hd_alloc(g->c, (n * n + 5 * size + n) * sizeof *a->block, "admm");
    if (!a->block) {
        hd_admm_free(a);
        return NULL;
    }
    a->l = a->block;
    a->ct = a->l + n * n;
    a->old = a->ct + size;
    for (size_t i = 0; i < 3; i++) {
        a->value[i] = a->old + (i + 1) * size;
    }
    a->row = a->value[2] + size;
    memcpy(a->ct, g->ct, size * sizeof *a->ct);
    const int pivot = hd_gram_factor(g, a->penalty, a->l);
    if (pivot >= 0) {
        hd_fail(g->c, HD_ERR_DIVERGED, "admm: G + %g I is not positive definite at feature %d: a larger penalty is needed, or features that "
                "are not all zero", a->penalty, pivot);
        hd_admm_free(a);
        return NULL;
    }
    return a;
}

void hd_admm_free(hd_admm *a)
{
    if (a) {
        hd_context *c = a->c;
        hd_release(c, a->block);
        hd_release(c, a);
    }
}

double *hd_admm_values(hd_admm *a, int which)
{
    return which >= HD_ADMM_O && which <= HD_ADMM_U ? a->value[which] : NULL;
}

/* They may have been written from outside. */
static hd_status check_values(const hd_admm *a, int which)
{
    static const char *const names[] = { "O", "Z", "U" };
    const double *x = a->value[which];
    const size_t n = (size_t)a->n;
    for (size_t i = 0; i < size_of(a); i++) {
        if (x[i] - x[i] != 0) {
            return hd_fail(a->c, HD_ERR_ARGUMENT, "admm: %s, row %z, column %z = %g, expected a finite number", names[which], i / n, i % n, x[i]);
        }
    }
    return HD_OK;
}

hd_status hd_admm_local(hd_admm *a)
{
    if (check_values(a, HD_ADMM_Z) || check_values(a, HD_ADMM_U)) {
        return a->c->status;
    }
    double *o = a->value[HD_ADMM_O];
    const double *z = a->value[HD_ADMM_Z], *u = a->value[HD_ADMM_U];
    memcpy(a->old, z, size_of(a) * sizeof *z);
    for (size_t i = 0; i < size_of(a); i++) {
        o[i] = a->ct[i] + a->penalty * (z[i] - u[i]);
    }
    hd_cholesky_solve_f64(a->c->pool, true, a->n, a->q, a->l, a->n, o, a->n);
    return HD_OK;
}

hd_status hd_admm_project(hd_admm *a)
{
    if (check_values(a, HD_ADMM_Z)) {
        return a->c->status;
    }
    double *z = a->value[HD_ADMM_Z];
    const double norm = sqrt(hd_dot_f64(size_of(a), z, z));
    for (size_t i = 0; a->radius > 0 && norm > a->radius && i < size_of(a); i++) {
        z[i] *= a->radius / norm;
    }
    return HD_OK;
}

hd_status hd_admm_dual(hd_admm *a)
{
    if (check_values(a, HD_ADMM_O) || check_values(a, HD_ADMM_Z)) {
        return a->c->status;
    }
    const double *o = a->value[HD_ADMM_O], *z = a->value[HD_ADMM_Z];
    double *u = a->value[HD_ADMM_U], primal = 0, dual = 0;
    for (size_t i = 0; i < size_of(a); i++) {
        const double r = o[i] - z[i], moved = z[i] - a->old[i];
        u[i] += r;
        primal += r * r;
        dual += moved * moved;
    }
    a->primal = sqrt(primal);
    a->dual = a->penalty * sqrt(dual);
    return HD_OK;
}

hd_status hd_admm_step(hd_admm *a, int iterations)
{
    if (iterations < 1) {
        return hd_fail(a->c, HD_ERR_ARGUMENT, "admm: %d iterations, expected at least 1", iterations);
    }
    for (int i = 0; i < iterations; i++) {
        if (hd_admm_local(a)) {
            return a->c->status;
        }
        for (size_t k = 0; k < size_of(a); k++) {
            a->value[HD_ADMM_Z][k] = a->value[HD_ADMM_O][k] + a->value[HD_ADMM_U][k];
        }
        if (hd_admm_project(a) || hd_admm_dual(a)) {
            return a->c->status;
        }
    }
    return HD_OK;
}

/* ||T||^2 - 2 <Z, C> + <Z G, Z>, the last as ||Z L||^2 - s ||Z||^2. */
static double cost(const hd_admm *a)
{
    const size_t n = (size_t)a->n;
    const double *z = a->value[HD_ADMM_Z];
    double sum = a->squares - 2 * hd_dot_f64(size_of(a), z, a->ct) - a->penalty * hd_dot_f64(size_of(a), z, z);
    for (size_t k = 0; k < (size_t)a->q; k++) {
        memset(a->row, 0, n * sizeof *a->row);
        for (size_t i = 0; i < n; i++) {
            const double zi = z[k * n + i], *line = a->l + i * n;
            for (size_t j = 0; j <= i; j++) {
                a->row[j] += zi * line[j];
            }
        }
        sum += hd_dot_f64(n, a->row, a->row);
    }
    return sum;
}

double hd_admm_stat(const hd_admm *a, int which)
{
    return which == HD_ADMM_PENALTY ? a->penalty : which == HD_ADMM_PRIMAL ? a->primal : which == HD_ADMM_DUAL ? a->dual
           : which == HD_ADMM_COST ? cost(a) : NAN;
}
