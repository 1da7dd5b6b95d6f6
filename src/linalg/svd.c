#include "linalg/bidiagonal.h"

#include <string.h>

/* out [cols x rows] = A^T */
static void transpose(int rows, int cols, const real *a, int lda, real *out, int ldo)
{
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            out[(size_t)j * (size_t)ldo + i] = a[(size_t)i * (size_t)lda + j];
        }
    }
}

/* Work memory for order n: squares n x n and vectors. */
typedef struct memory {
    double *d, *e; /* [n] */
    real *small;   /* [2 n] */
    real *tau;     /* [2 n] */
    real *w;       /* [n] */
    int *order;
    real *pt, *qt; /* P^T and Q^T of B = P diag(d) Q^T, or NULL */
    real *square;
} memory;

static void unit(int n, real *a)
{
    memset(a, 0, (size_t)n * (size_t)n * sizeof *a);
    for (int i = 0; i < n; i++) {
        a[(size_t)i * ((size_t)n + 1)] = 1;
    }
}

/* Descending. */
static void sort(int n, const double *d, int *order)
{
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && fabs(d[order[at - 1]]) < fabs(d[i]); at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

/* Rows of Q^T in order, with the signs that make the values positive, back to the rows of V^T: each is R times its old self. */
static hd_status right_vectors(hd_context *c, int n, const real *a, int lda, const memory *m, real *vt, int ldvt)
{
    real *turned = m->square; /* [n x n] R's reflectors in columns */
    transpose(n, n, a, lda, turned, n);
    real *q = vt;             /* columns while R is applied */
    for (int k = 0; k < n; k++) {
        const real *row = m->qt + (size_t)m->order[k] * (size_t)n, sign = m->d[m->order[k]] < 0 ? -1 : 1;
        for (int i = 0; i < n; i++) {
            q[(size_t)i * (size_t)ldvt + k] = sign * row[i];
        }
    }
    hd_status status = n > 1 ? hd_qr_apply(c, false, n - 1, n - 1, n, turned + n, n, m->tau + n, q + ldvt, ldvt) : HD_OK;
    for (int i = 0; i < n && !status; i++) { /* in place to rows */
        for (int j = 0; j < i; j++) {
            real t = vt[(size_t)i * (size_t)ldvt + j];
            vt[(size_t)i * (size_t)ldvt + j] = vt[(size_t)j * (size_t)ldvt + i];
            vt[(size_t)j * (size_t)ldvt + i] = t;
        }
    }
    return status;
}

static hd_status left_vectors(hd_context *c, int n, const real *a, int lda, const memory *m, real *u, int ldu)
{
    for (int k = 0; k < n; k++) {
        const real *row = m->pt + (size_t)m->order[k] * (size_t)n;
        for (int i = 0; i < n; i++) {
            u[(size_t)i * (size_t)ldu + k] = row[i];
        }
    }
    return hd_qr_apply(c, false, n, n, n, a, lda, m->tau, u, ldu);
}

/* Of a square matrix, scaled to elements of at most 1 by `scale`. */
static hd_status square_svd(hd_context *c, int n, real *a, int lda, double scale, real *s, real *u, int ldu, real *vt, int ldvt, memory *m)
{
    hd_bidiagonalise(c->pool, n, a, lda, m->small, m->small + n, m->tau, m->w);
    for (int i = 0; i < n; i++) {
        m->d[i] = (double)m->small[i];
        m->e[i] = i + 1 < n ? (double)m->small[n + i] : 0;
    }
    hd_rotations left, right = { .c = c };
    hd_status status = hd_rotations_open(c, &left, n, n, u ? m->pt : NULL, n);
    status = status ? status : hd_rotations_open(c, &right, n, n, vt ? m->qt : NULL, n);
    if (!status) {
        if (u) {
            unit(n, m->pt);
        }
        if (vt) {
            unit(n, m->qt);
        }
        status = hd_bidiagonal_svd(c, n, m->d, m->e, &left, &right);
        hd_rotations_flush(&left);
        hd_rotations_flush(&right);
    }
    hd_rotations_close(&left);
    hd_rotations_close(&right);
    if (status) {
        return status;
    }
    sort(n, m->d, m->order);
    for (int k = 0; k < n; k++) {
        s[k] = (real)(fabs(m->d[m->order[k]]) * scale);
    }
    status = u ? left_vectors(c, n, a, lda, m, u, ldu) : HD_OK;
    return status || !vt ? status : right_vectors(c, n, a, lda, m, vt, ldvt);
}

static double scale_down(int m, int n, real *a, int lda)
{
    real largest = 0;
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
            const real size = (real)fabs((double)a[(size_t)i * (size_t)lda + j]);
            largest = size > largest ? size : largest;
        }
    }
    for (int i = 0; i < m && largest > 0; i++) {
        for (int j = 0; j < n; j++) {
            a[(size_t)i * (size_t)lda + j] /= largest;
        }
    }
    return (double)largest;
}

/* m >= n. A tall matrix is first A = Q R: then its U is Q times that of R. */
static hd_status tall_svd(hd_context *c, int m, int n, real *a, int lda, double scale, real *s, real *u, int ldu, real *vt, int ldvt, memory *w)
{
    if (m == n) {
        return square_svd(c, n, a, lda, scale, s, u, ldu, vt, ldvt, w);
    }
    real *tau = hd_reserve(c, ((size_t)n + (size_t)n * (size_t)n) * sizeof *tau, "singular values");
    if (!tau) {
        return HD_ERR_MEMORY;
    }
    real *r = tau + n;
    hd_status status = hd_qr(c, m, n, a, lda, tau);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            r[(size_t)i * (size_t)n + j] = j >= i ? a[(size_t)i * (size_t)lda + j] : 0;
        }
    }
    status = status ? status : square_svd(c, n, r, n, scale, s, u, ldu, vt, ldvt, w);
    if (!status && u) {
        for (int i = n; i < m; i++) {
            memset(u + (size_t)i * (size_t)ldu, 0, (size_t)n * sizeof *u);
        }
        status = hd_qr_apply(c, false, m, n, n, a, lda, tau, u, ldu);
    }
    hd_release(c, tau);
    return status;
}

/* A wide matrix through A^T = U' S V'^T: U = V', V^T = U'^T. */
static hd_status wide_svd(hd_context *c, int m, int n, const real *a, int lda, double scale, real *s, real *u, int ldu, real *vt, int ldvt, memory *w)
{
    const size_t size = (size_t)m * (size_t)n, square = (size_t)m * (size_t)m;
    real *turned = hd_reserve(c, (2 * size + square) * sizeof *turned, "singular values");
    if (!turned) {
        return HD_ERR_MEMORY;
    }
    real *left = turned + size, *right = left + size; /* [n x m], [m x m] */
    transpose(m, n, a, lda, turned, m);
    hd_status status = tall_svd(c, n, m, turned, m, scale, s, vt ? left : NULL, m, u ? right : NULL, m, w);
    if (!status && vt) {
        transpose(n, m, left, m, vt, ldvt);
    }
    if (!status && u) {
        transpose(m, m, right, m, u, ldu);
    }
    hd_release(c, turned);
    return status;
}

hd_status hd_svd(hd_context *c, int m, int n, real *a, int lda, real *s, real *u, int ldu, real *vt, int ldvt)
{
    const size_t r = (size_t)(m < n ? m : n);
    memory w = { .d = hd_reserve(c, 2 * r * sizeof(double) + 5 * r * sizeof(real) + r * sizeof(int), "singular values") };
    real *large = u || vt ? hd_reserve(c, 3 * r * r * sizeof *large, "singular vectors") : NULL;
    hd_status status = HD_ERR_MEMORY;
    if (w.d && (large || (!u && !vt))) {
        w.e = w.d + r;
        w.small = (real *)(w.e + r);
        w.tau = w.small + 2 * r;
        w.w = w.tau + 2 * r;
        w.order = (int *)(w.w + r);
        w.pt = large;
        w.qt = large ? large + r * r : NULL;
        w.square = large ? large + 2 * r * r : NULL;
        const double scale = scale_down(m, n, a, lda);
        status = m >= n ? tall_svd(c, m, n, a, lda, scale, s, u, ldu, vt, ldvt, &w) : wide_svd(c, m, n, a, lda, scale, s, u, ldu, vt, ldvt, &w);
    }
    hd_release(c, large);
    hd_release(c, w.d);
    return status;
}
