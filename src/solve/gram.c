#include "solve/gram.h"

#include "kern/gemm.h"
#include "kern/reduce.h"
#include "linalg/linalg.h"

enum { BLOCK = 1 << 15 };

void hd_gram_take(hd_gram *g, int rows, const real *y, const real *t)
{
    hd_pool *p = g->c->pool;
    const real beta = g->rows > 0;
    const size_t n = (size_t)g->n;
    hd_syrk(p, true, g->n, rows, 1, y, g->n, beta, g->part, g->n);
    hd_gemm(p, true, false, g->q, g->n, rows, 1, t, g->q, y, g->n, beta, g->part + n * n, g->n);
    g->squares = (g->rows ? g->squares : 0) + hd_sum_squares(p, (size_t)rows * (size_t)g->q, t);
    g->rows += rows;
}

typedef struct job {
    hd_gram *g;
    double sign;
} job;

static void add_block(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const size_t n = (size_t)j->g->n, size = (n + (size_t)j->g->q) * n, first = (size_t)task * BLOCK;
    const size_t end = size - first < BLOCK ? size : first + BLOCK;
    for (size_t i = first; i < end; i++) {
        double *sum = i < n * n ? j->g->g + i : j->g->ct + (i - n * n);
        *sum += j->sign * (double)j->g->part[i];
    }
}

void hd_gram_flush(hd_gram *g, int sign)
{
    const size_t n = (size_t)g->n, size = (n + (size_t)g->q) * n;
    if (g->rows && sign) {
        job j = { g, sign };
        hd_pool_run(g->c->pool, (int)((size - 1) / BLOCK + 1), add_block, &j);
        g->totals[0] += sign * (double)g->rows;
        g->totals[1] += sign * g->squares;
    }
    g->rows = 0;
}
