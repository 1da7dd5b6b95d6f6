/* Problems for the tests of the closed-form solvers: features, targets and their sums, through the public API. */
#ifndef HD_TESTS_SOLVE_KIT_H
#define HD_TESTS_SOLVE_KIT_H

#include "base/rng.h"
#include "check.h"
#include "heddle.h"

#include <stdlib.h>

typedef struct problem {
    hd_context *c;
    hd_data *d;
    int rows, n, q;
    hd_real *y, *t; /* [rows x n] features, [rows x q] targets */
    hd_gram *g;
    double before; /* bytes of the context alone */
} problem;

static inline void must(const hd_context *c, int ok)
{
    if (!ok) {
        printf("%s\n", hd_error(c));
        exit(1);
    }
}

/* Features whose scales fall from 1 to 1 / spread, all of them mixed with their neighbour; targets that depend on them, and noise. */
static inline problem make_problem(int threads, int rows, int n, int q, double spread, uint64_t seed)
{
    problem p = { .c = hd_context_new(threads), .rows = rows, .n = n, .q = q };
    hd_rng r = hd_rng_stream(seed, 5, 0), noise = hd_rng_stream(seed, 6, 0);
    p.before = hd_context_memory(p.c, 0);
    p.d = hd_data_new(p.c, rows);
    p.y = hd_data_column(p.d, HD_COLUMN_INPUT, 0, HD_FLOAT, n, 1, 0);
    p.t = hd_data_column(p.d, HD_COLUMN_TARGET, 0, HD_FLOAT, q, 1, 0);
    p.g = hd_gram_new(p.c, n, q);
    must(p.c, p.y && p.t && p.g);
    for (int i = 0; i < rows; i++) {
        hd_real *y = p.y + (size_t)i * (size_t)n, *t = p.t + (size_t)i * (size_t)q;
        for (int k = 0; k < n; k++) {
            double scale = 1 / (1 + (spread - 1) * k / n);
            y[k] = (hd_real)(scale * hd_rng_normal(r, (uint64_t)i * (uint64_t)n + (uint64_t)k) + (k ? 0.5 * (double)y[k - 1] : 0.2));
        }
        for (int k = 0; k < q; k++) {
            t[k] = (hd_real)(0.7 * (double)y[k % n] - (double)y[(3 * k + 1) % n] + 0.3 * hd_rng_normal(noise, (uint64_t)(i * q + k)));
        }
    }
    must(p.c, hd_gram_add(p.g, NULL, 0, p.d, 0, rows, 64, 1, 0) == HD_OK);
    return p;
}

static inline void free_problem(problem *p)
{
    hd_gram_free(p->g);
    hd_data_free(p->d);
    CHECK(hd_context_memory(p->c, 0) == p->before);
    hd_context_free(p->c);
}

static inline size_t o_size(const problem *p)
{
    return (size_t)p->q * (size_t)p->n;
}

static inline double *new_o(const problem *p)
{
    return calloc(o_size(p), sizeof(double));
}

static inline double norm(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * x[i];
    }
    return sqrt(sum);
}

static inline double distance(size_t n, const double *x, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return sqrt(sum);
}

/* ||O (G + lambda I) - C|| / ||C||, by plain loops: what the derivative of the problem leaves. */
static inline double stationarity(const problem *p, const double *o, double lambda)
{
    const double *g = hd_gram_values(p->g, HD_GRAM_G), *c = hd_gram_values(p->g, HD_GRAM_C);
    const int n = p->n;
    double sum = 0;
    for (int k = 0; k < p->q; k++) {
        for (int i = 0; i < n; i++) {
            double r = lambda * o[k * n + i] - c[k * n + i];
            for (int j = 0; j < n; j++) {
                r += o[k * n + j] * g[(i > j ? i : j) * n + (i > j ? j : i)];
            }
            sum += r * r;
        }
    }
    return sqrt(sum) / norm(o_size(p), c);
}

/* sum |t - O y|^2 from the rows themselves. */
static inline double residual_cost(const problem *p, const double *o)
{
    double cost = 0;
    for (int i = 0; i < p->rows; i++) {
        for (int k = 0; k < p->q; k++) {
            double e = (double)p->t[i * p->q + k];
            for (int j = 0; j < p->n; j++) {
                e -= o[k * p->n + j] * (double)p->y[i * p->n + j];
            }
            cost += e * e;
        }
    }
    return cost;
}

#endif
