/* Ridge regression for many lambdas from one eigendecomposition G = E diag(d) E^T. With c_k = ||C e_k||^2: ||O||^2 = sum c_k / (d_k + lambda)^2,
 * sum |t - O y|^2 = sum |t|^2 - sum c_k (d_k + 2 lambda) / (d_k + lambda)^2, and trace of G (G + lambda I)^-1 = sum d_k / (d_k + lambda). */
#include "solve/ridge.h"

#include "linalg/linalg.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MAX_FEATURES = 8192 };

/* d [n], shares [n] = ||C e_k||^2. */
static hd_status decompose(const hd_gram *g, double *work, double *d, double *shares)
{
    const size_t n = (size_t)g->n, q = (size_t)g->q;
    double *a = work, *e = a + n * n, *rotated = e + n * n;
    memcpy(a, g->g, n * n * sizeof *a);
    if (hd_eigh_f64(g->c, g->n, a, g->n, d, e, g->n)) {
        return g->c->status;
    }
    hd_gemm_f64(g->c->pool, false, false, g->q, g->n, g->n, 1, g->ct, g->n, e, g->n, 0, rotated, g->n);
    memset(shares, 0, n * sizeof *shares);
    for (size_t i = 0; i < q * n; i++) {
        shares[i % n] += rotated[i] * rotated[i];
    }
    return HD_OK;
}

/* At lambda = 0 the directions without samples are left out: the least of all solutions. */
static void at_lambda(int n, const double *d, const double *shares, double lambda, double *fitted, double *df, double *norm)
{
    const double noise = lambda > 0 ? 0 : n * DBL_EPSILON * d[n - 1];
    *fitted = *df = *norm = 0;
    for (int k = 0; k < n; k++) {
        const double dk = d[k] > 0 ? d[k] : 0, sum = dk + lambda;
        if (sum > noise) {
            *fitted += shares[k] / sum * ((dk + 2 * lambda) / sum);
            *df += dk / sum;
            *norm += shares[k] / sum / sum;
        }
    }
    *norm = sqrt(*norm);
}

hd_status hd_gram_path(hd_gram *g, int count, const double *lambda, double *cost, double *df, double *norm)
{
    for (int i = 0; i < count; i++) {
        if (!(lambda[i] >= 0 && lambda[i] <= 1e300)) {
            return hd_fail(g->c, HD_ERR_ARGUMENT, "path: lambda %d = %g, expected a finite number, at least 0", i, lambda[i]);
        }
    }
    if (count < 1 || g->n > MAX_FEATURES) {
        return hd_fail(g->c, HD_ERR_ARGUMENT, "path: %d lambdas, %d features, expected at least 1, and at most %d", count, g->n, MAX_FEATURES);
    }
    if (!(g->totals[0] > 0)) {
        return hd_fail(g->c, HD_ERR_STATE, "path: no samples yet");
    }
    const size_t n = (size_t)g->n;
    double *d = hd_reserve(g->c, (2 * n * n + ((size_t)g->q + 2) * n) * sizeof *d, "path");
    if (!d) {
        return HD_ERR_MEMORY;
    }
    hd_status status = decompose(g, d + 2 * n, d, d + n);
    for (int i = 0; !status && i < count; i++) {
        at_lambda(g->n, d, d + n, lambda[i], &cost[i], &df[i], &norm[i]);
        cost[i] = g->totals[1] - cost[i];
    }
    hd_release(g->c, d);
    return status;
}
