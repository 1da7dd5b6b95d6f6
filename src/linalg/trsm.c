#include "kern/gemm.h"
#include "linalg/linalg.h"

enum { LEAF = 16 };

/* Element (i, j) of op(T). */
static real element(hd_triangle kind, const real *t, int ldt, int i, int j)
{
    return kind.transposed ? t[(size_t)j * (size_t)ldt + i] : t[(size_t)i * (size_t)ldt + j];
}

/* op(T) X = B by substitution, forwards if op(T) is lower triangular. B: n x m. */
static void leaf_left(hd_triangle kind, bool lower, int n, int m, const real *t, int ldt, real *b, int ldb)
{
    for (int step = 0; step < n; step++) {
        const int i = lower ? step : n - 1 - step, first = lower ? 0 : i + 1, end = lower ? i : n;
        real *row = b + (size_t)i * (size_t)ldb;
        for (int p = first; p < end; p++) {
            const real f = element(kind, t, ldt, i, p), *other = b + (size_t)p * (size_t)ldb;
            for (int j = 0; j < m; j++) {
                row[j] -= f * other[j];
            }
        }
        for (int j = 0; j < m && !kind.unit; j++) {
            row[j] /= t[(size_t)i * (size_t)ldt + i];
        }
    }
}

/* X op(T) = B, row by row of B. B: m x n. */
static void leaf_right(hd_triangle kind, bool lower, int n, int m, const real *t, int ldt, real *b, int ldb)
{
    for (int r = 0; r < m; r++) {
        real *row = b + (size_t)r * (size_t)ldb;
        for (int step = 0; step < n; step++) {
            const int j = lower ? n - 1 - step : step, first = lower ? j + 1 : 0, end = lower ? n : j;
            real sum = row[j];
            for (int p = first; p < end; p++) {
                sum -= row[p] * element(kind, t, ldt, p, j);
            }
            row[j] = kind.unit ? sum : sum / t[(size_t)j * (size_t)ldt + j];
        }
    }
}

/* With op(T) = [T11 0; T21 T22] or [T11 T12; 0 T22]: one half is solved, taken out of the other half by a product, then the other. */
void hd_trsm(hd_pool *p, hd_triangle kind, int n, int m, const real *t, int ldt, real *b, int ldb)
{
    const bool lower = kind.upper == kind.transposed;
    if (n <= LEAF) {
        (kind.right ? leaf_right : leaf_left)(kind, lower, n, m, t, ldt, b, ldb);
        return;
    }
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
