#include "kern/gemm.h"
#include "linalg/linalg.h"

enum { LEAF = 16, SHARE = 128 }; /* rows of T solved plainly; right sides a task */

typedef struct leaf {
    hd_pool *pool;
    hd_triangle kind;
    int n, m;
    const real *t;
    int ldt;
    real *b;
    int ldb;
} leaf;

/* Element (i, j) of op(T). */
static real element(const leaf *x, int i, int j)
{
    return x->kind.transposed ? x->t[(size_t)j * (size_t)x->ldt + i] : x->t[(size_t)i * (size_t)x->ldt + j];
}

/* op(T) X = B by substitution, forwards if op(T) is lower triangular. B: n x m. */
static void substitute(const leaf *x, int m, real *b, int ldb)
{
    const bool lower = x->kind.upper == x->kind.transposed;
    for (int step = 0; step < x->n; step++) {
        const int i = lower ? step : x->n - 1 - step, first = lower ? 0 : i + 1, end = lower ? i : x->n;
        real *row = b + (size_t)i * (size_t)ldb;
        for (int p = first; p < end; p++) {
            const real f = element(x, i, p), *other = b + (size_t)p * (size_t)ldb;
            for (int j = 0; j < m; j++) {
                row[j] -= f * other[j];
            }
        }
        const real pivot = x->kind.unit ? 1 : element(x, i, i);
        for (int j = 0; j < m && !x->kind.unit; j++) {
            row[j] /= pivot;
        }
    }
}

static void leaf_task(void *arg, int task, int thread)
{
    const leaf *x = arg;
    const int first = task * SHARE, m = x->m - first < SHARE ? x->m - first : SHARE;
    if (!x->kind.right) {
        substitute(x, m, x->b + first, x->ldb);
        return;
    }
    leaf flipped = *x; /* X op(T) = B is op(T)^T X^T = B^T */
    flipped.kind.transposed = !x->kind.transposed;
    real *columns = hd_pool_scratch(x->pool, thread), *b = x->b + (size_t)first * (size_t)x->ldb;
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < x->n; j++) {
            columns[j * m + i] = b[(size_t)i * (size_t)x->ldb + j];
        }
    }
    substitute(&flipped, m, columns, m);
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < x->n; j++) {
            b[(size_t)i * (size_t)x->ldb + j] = columns[j * m + i];
        }
    }
}

/* With op(T) = [T11 0; T21 T22] or [T11 T12; 0 T22]: one half is solved, taken out of the other half by a product, then the other. */
void hd_trsm(hd_pool *p, hd_triangle kind, int n, int m, const real *t, int ldt, real *b, int ldb)
{
    if (n <= LEAF) {
        hd_pool_run(p, (m + SHARE - 1) / SHARE, leaf_task, &(leaf){ p, kind, n, m, t, ldt, b, ldb });
        return;
    }
    const bool lower = kind.upper == kind.transposed;
    const int half = n / 2, rest = n - half;
    const real *t22 = t + (size_t)half * (size_t)ldt + half;
    const real *off = kind.upper ? t + half : t + (size_t)half * (size_t)ldt; /* as stored */
    real *b2 = b + (kind.right ? (size_t)half : (size_t)half * (size_t)ldb);
    const bool first = lower != kind.right; /* the first half is free of the second */
    hd_trsm(p, kind, first ? half : rest, m, first ? t : t22, ldt, first ? b : b2, ldb);
    const int done = first ? half : rest, left = n - done;
    real *from = first ? b : b2, *to = first ? b2 : b;
    if (kind.right) {
        hd_gemm(p, false, kind.transposed, m, left, done, -1, from, ldb, off, ldt, 1, to, ldb);
    } else {
        hd_gemm(p, kind.transposed, false, left, m, done, -1, off, ldt, from, ldb, 1, to, ldb);
    }
    hd_trsm(p, kind, left, m, first ? t22 : t, ldt, to, ldb);
}
