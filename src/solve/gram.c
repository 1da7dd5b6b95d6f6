#include "solve/gram.h"

#include "kern/gemm.h"
#include "kern/reduce.h"
#include "linalg/linalg.h"

#include <string.h>

enum { ROWS = 32, COLUMNS = 256 };

typedef struct classes {
    hd_gram *g;
    int known, rows;
    const real *y, *labels;
    bool first;
} classes;

/* COLUMNS columns of C += T Y^T for one-hot T: each sample is added to the row of its class. */
static void add_classes(void *arg, int task, int thread)
{
    (void)thread;
    const classes *s = arg;
    const int n = s->g->n, begin = s->known + task * COLUMNS, end = n - begin < COLUMNS ? n : begin + COLUMNS;
    real *c = s->g->part + (size_t)n * (size_t)n;
    for (int k = 0; s->first && k < s->g->q; k++) {
        memset(c + (size_t)k * (size_t)n + begin, 0, (size_t)(end - begin) * sizeof *c);
    }
    for (int i = 0; i < s->rows; i++) {
        const real *y = s->y + (size_t)i * (size_t)n;
        real *sum = c + (size_t)s->labels[i] * (size_t)n;
        for (int j = begin; j < end; j++) {
            sum[j] += y[j];
        }
    }
}

void hd_gram_take(hd_gram *g, int known, int rows, const real *y, const real *t, bool labels)
{
    hd_pool *p = g->c->pool;
    const bool first = g->rows == 0;
    const size_t n = (size_t)g->n;
    const int more = g->n - known;
    real *corner = g->part + (size_t)known * n;
    if (known && first) {
        memset(g->part, 0, (n + (size_t)g->q) * n * sizeof *g->part);
    }
    hd_gemm(p, true, false, more, known, rows, 1, y + known, g->n, y, g->n, !first, corner, g->n);
    hd_syrk(p, true, more, rows, 1, y + known, g->n, !first, corner + known, g->n);
    if (labels) {
        classes s = { g, known, rows, y, t, first };
        hd_pool_run(p, (more - 1) / COLUMNS + 1, add_classes, &s);
    } else {
        hd_gemm(p, true, false, g->q, more, rows, 1, t, g->q, y + known, g->n, !first, g->part + n * n + known, g->n);
    }
    g->squares = (first ? 0 : g->squares) + (labels ? rows : hd_sum_squares(p, (size_t)rows * (size_t)g->q, t));
    g->rows += rows;
}

bool hd_gram_sound(const hd_gram *g, int known)
{
    const real *across = g->part + (size_t)known * (size_t)g->n; /* a known feature that is not finite spoils all its products */
    double sum = g->squares;
    for (int k = 0; k < known; k++) {
        sum += (double)across[k];
    }
    for (size_t i = 0; i < (size_t)g->n; i++) {
        sum += (double)g->part[i * ((size_t)g->n + 1)];
    }
    return sum - sum == 0;
}

typedef struct job {
    hd_gram *g;
    double sign;
} job;

/* ROWS rows of [G; C], of G the lower triangle. */
static void add_rows(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const int n = j->g->n, all = n + j->g->q, begin = task * ROWS, end = all - begin < ROWS ? all : begin + ROWS;
    for (int i = begin; i < end; i++) {
        const real *part = j->g->part + (size_t)i * (size_t)n;
        double *sum = i < n ? j->g->g + (size_t)i * (size_t)n : j->g->ct + (size_t)(i - n) * (size_t)n;
        for (int k = 0; k < (i < n ? i + 1 : n); k++) {
            sum[k] += j->sign * (double)part[k];
        }
    }
}

void hd_gram_flush(hd_gram *g, int known, int sign)
{
    if (g->rows && sign) {
        job j = { g, sign };
        hd_pool_run(g->c->pool, (g->n + g->q - 1) / ROWS + 1, add_rows, &j);
        g->totals[0] += known ? 0 : sign * (double)g->rows;
        g->totals[1] += known ? 0 : sign * g->squares;
    }
    g->rows = 0;
}
