#include "kern/gemm.h"
#include "linalg/reflect.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 32 }; /* columns of a panel */

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Scaled, so that no square over- or underflows. */
real hd_reflector(int n, real *alpha, real *tail, size_t step, real *beta)
{
    real largest = 0, nan = 0; /* NaN if any element is NaN or infinite */
    for (int i = 0; i < n - 1; i++) {
        const real x = tail[(size_t)i * step], size = (real)fabs((double)x);
        largest = size > largest ? size : largest;
        nan += 0 * x;
    }
    *beta = *alpha + nan;
    if (!(largest > 0)) {
        return 0;
    }
    const real head = (real)fabs((double)*alpha);
    largest = head > largest ? head : largest;
    double sum = 0;
    for (int i = 0; i < n - 1; i++) {
        const double x = (double)(tail[(size_t)i * step] / largest);
        sum += x * x;
    }
    const double a = (double)(*alpha / largest), norm = sqrt(sum + a * a), b = a > 0 ? -norm : norm;
    const double scale = 1 / (a - b); /* of the tail over largest */
    for (int i = 0; i < n - 1; i++) {
        tail[(size_t)i * step] = (real)((double)(tail[(size_t)i * step] / largest) * scale);
    }
    *beta = (real)(b * (double)largest);
    return (real)((b - a) / b);
}

/* The panel of `cols` columns, m rows: column by column, applied to the columns after it in the panel. w: [cols]. */
static void factor_panel(int m, int cols, real *a, int lda, real *tau, real *w)
{
    const size_t ld = (size_t)lda;
    for (int j = 0; j < cols; j++) {
        real *top = a + (size_t)j * ld + j, beta;
        tau[j] = hd_reflector(m - j, top, top + ld, ld, &beta);
        const int left = cols - j - 1;
        memcpy(w, top + 1, (size_t)left * sizeof *w);
        for (int i = 1; i < m - j; i++) {
            const real v = top[(size_t)i * ld], *row = top + (size_t)i * ld + 1;
            for (int k = 0; k < left; k++) {
                w[k] += v * row[k];
            }
        }
        for (int i = 0; i < m - j; i++) {
            const real f = tau[j] * (i ? top[(size_t)i * ld] : 1);
            real *row = top + (size_t)i * ld + 1;
            for (int k = 0; k < left; k++) {
                row[k] -= f * w[k];
            }
        }
        *top = beta;
    }
}

/* A block of reflectors made ready: V [m x b] with its ones and zeros, T [b x b] upper triangular; w: work [b x k]. */
typedef struct block {
    int m, b;
    real *v, *t, *w;
} block;

/* T_jj = tau_j; T[0..j) of column j = -tau_j T (V^T v_j). */
static void prepare(hd_pool *p, block *x, const real *a, int lda, const real *tau)
{
    const int b = x->b;
    for (int i = 0; i < x->m; i++) {
        real *row = x->v + (size_t)i * (size_t)b;
        for (int j = 0; j < b; j++) {
            row[j] = i > j ? a[(size_t)i * (size_t)lda + j] : i == j;
        }
    }
    hd_gemm(p, true, false, b, b, x->m, 1, x->v, b, x->v, b, 0, x->w, b); /* V^T V */
    memset(x->t, 0, (size_t)b * (size_t)b * sizeof *x->t);
    for (int j = 0; j < b; j++) {
        for (int i = 0; i < j; i++) {
            real sum = 0;
            for (int k = i; k < j; k++) {
                sum += x->t[i * b + k] * x->w[k * b + j];
            }
            x->t[i * b + j] = -tau[j] * sum;
        }
        x->t[j * b + j] = tau[j];
    }
}

/* B = (I - V T V^T) B, or with T^T. B: m x k. w: room for 2 b k. */
static void apply(hd_pool *p, const block *x, bool transposed, int k, real *b, int ldb)
{
    real *w = x->w, *tw = w + (size_t)x->b * (size_t)k;
    hd_gemm(p, true, false, x->b, k, x->m, 1, x->v, x->b, b, ldb, 0, w, k);
    hd_gemm(p, transposed, false, x->b, k, x->b, 1, x->t, x->b, w, k, 0, tw, k);
    hd_gemm(p, false, false, x->m, k, x->b, -1, x->v, x->b, tw, k, 1, b, ldb);
}

/* Room for blocks of reflectors of m rows applied to k columns. */
static hd_status open_block(hd_context *c, block *x, int m, int k)
{
    const size_t wide = (size_t)(k > BLOCK ? k : BLOCK);
    x->v = hd_reserve(c, ((size_t)m * BLOCK + BLOCK * BLOCK + 2 * BLOCK * wide) * sizeof(real), "reflectors");
    if (!x->v) {
        return HD_ERR_MEMORY;
    }
    x->t = x->v + (size_t)m * BLOCK;
    x->w = x->t + BLOCK * BLOCK;
    return HD_OK;
}

hd_status hd_qr(hd_context *c, int m, int n, real *a, int lda, real *tau)
{
    block x;
    if (open_block(c, &x, m, n)) {
        return HD_ERR_MEMORY;
    }
    for (int j = 0; j < n; j += BLOCK) {
        real *panel = a + (size_t)j * (size_t)lda + j;
        x.b = least(BLOCK, n - j);
        x.m = m - j;
        factor_panel(x.m, x.b, panel, lda, tau + j, x.w);
        if (j + x.b < n) {
            prepare(c->pool, &x, panel, lda, tau + j);
            apply(c->pool, &x, true, n - j - x.b, panel + x.b, lda);
        }
    }
    hd_release(c, x.v);
    return HD_OK;
}

hd_status hd_qr_apply(hd_context *c, bool transposed, int m, int n, int k, const real *a, int lda, const real *tau, real *b, int ldb)
{
    block x;
    if (open_block(c, &x, m, k)) {
        return HD_ERR_MEMORY;
    }
    const int blocks = (n + BLOCK - 1) / BLOCK;
    for (int i = 0; i < blocks; i++) {
        const int j = (transposed ? i : blocks - 1 - i) * BLOCK; /* Q^T B: the first reflector first */
        x.b = least(BLOCK, n - j);
        x.m = m - j;
        prepare(c->pool, &x, a + (size_t)j * (size_t)lda + j, lda, tau + j);
        apply(c->pool, &x, transposed, k, b + (size_t)j * (size_t)ldb, ldb);
    }
    hd_release(c, x.v);
    return HD_OK;
}

hd_status hd_qr_q(hd_context *c, int m, int n, const real *a, int lda, const real *tau, real *q, int ldq)
{
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
            q[(size_t)i * (size_t)ldq + j] = i == j;
        }
    }
    return hd_qr_apply(c, false, m, n, n, a, lda, tau, q, ldq);
}
