#include "linalg/bidiagonal.h"

#include "linalg/reflect.h"
#include "linalg/row.h"

#include <float.h>

#ifdef HD_FLOAT64
#define EPSILON DBL_EPSILON
#else
#define EPSILON ((double)FLT_EPSILON / 8)
#endif

enum { SWEEPS = 60, ROWS = 64, COLUMNS = 256 }; /* rows and columns of a task */

typedef struct side {
    int rows, cols;
    const real *v; /* the reflector: of the columns with lda from one element to the next, or a row */
    real tau;
    real *a; /* [rows x cols] */
    size_t lda;
    real *w; /* [cols] */
} side;

/* COLUMNS columns of A -= tau v (v^T A), v_0 = 1. */
static void from_left(void *arg, int task, int thread)
{
    (void)thread;
    const side *s = arg;
    const int begin = task * COLUMNS, cols = s->cols - begin < COLUMNS ? s->cols - begin : COLUMNS;
    real *a = s->a + begin, *w = s->w + begin;
    for (int k = 0; k < cols; k++) {
        w[k] = 0;
    }
    for (int i = 0; i < s->rows; i++) {
        row_axpy(cols, i ? s->v[(size_t)i * s->lda] : 1, a + (size_t)i * s->lda, w);
    }
    for (int i = 0; i < s->rows; i++) {
        row_axpy(cols, -s->tau * (i ? s->v[(size_t)i * s->lda] : 1), w, a + (size_t)i * s->lda);
    }
}

/* ROWS rows of A -= tau (A v) v^T. */
static void from_right(void *arg, int task, int thread)
{
    (void)thread;
    const side *s = arg;
    for (int i = task * ROWS; i < s->rows && i < (task + 1) * ROWS; i++) {
        real *row = s->a + (size_t)i * s->lda;
        row_axpy(s->cols, -s->tau * row_dot(s->cols, row, s->v), s->v, row);
    }
}

void hd_bidiagonalise(hd_pool *p, int n, real *a, int lda, real *d, real *e, real *tau, real *w)
{
    const size_t ld = (size_t)lda;
    for (int j = 0; j < n; j++) {
        real *top = a + (size_t)j * (ld + 1);
        const int left = n - j - 1;
        tau[j] = hd_reflector(left + 1, top, top + ld, ld, &d[j]);
        if (tau[j] != 0) {
            side s = { left + 1, left, top, tau[j], top + 1, ld, w };
            hd_pool_run(p, (left + COLUMNS - 1) / COLUMNS, from_left, &s);
        }
        if (left == 0) {
            break;
        }
        real *row = top + 1, head, *t = &tau[n + j];
        *t = hd_reflector(left, row, row + 1, 1, &e[j]);
        head = *row;
        *row = 1;
        if (*t != 0) {
            side s = { left, left, row, *t, row + ld, ld, NULL };
            hd_pool_run(p, (left + ROWS - 1) / ROWS, from_right, &s);
        }
        *row = head;
    }
}

typedef struct turn {
    double c, s, r;
} turn;

/* (x, y) turned to (r, 0). */
static turn turn_of(double x, double y)
{
    const double r = hd_hypotenuse(x, y);
    return r > 0 ? (turn){ x / r, y / r, r } : (turn){ 1, 0, 0 };
}

/* A zero on the diagonal at k < last: row k is emptied, so that the block falls apart. */
static void empty_row(double *d, double *e, int k, int last, hd_rotations *u)
{
    double f = e[k];
    e[k] = 0;
    for (int j = k + 1; j <= last; j++) {
        const turn t = turn_of(d[j], f);
        d[j] = t.r;
        hd_rotate(u, j, k, t.c, t.s);
        if (j < last) {
            f = -t.s * e[j];
            e[j] *= t.c;
        }
    }
}

/* A zero at the end of the diagonal: the last column is emptied. */
static void empty_column(double *d, double *e, int first, int last, hd_rotations *v)
{
    double f = e[last - 1];
    e[last - 1] = 0;
    for (int j = last - 1; j >= first; j--) {
        const turn t = turn_of(d[j], f);
        d[j] = t.r;
        hd_rotate(v, j, last, t.c, t.s);
        if (j > first) {
            f = -t.s * e[j - 1];
            e[j - 1] *= t.c;
        }
    }
}

/* Wilkinson's shift: the eigenvalue of the last 2 x 2 block of B^T B that is nearer to its end. */
static double shift_of(const double *d, const double *e, int first, int last)
{
    const double before = last - 2 >= first ? e[last - 2] : 0;
    const double a = d[last - 1] * d[last - 1] + before * before, b = d[last - 1] * e[last - 1];
    const double end = d[last] * d[last] + e[last - 1] * e[last - 1], half = (a - end) / 2, root = hd_hypotenuse(half, b);
    const double below = half + (half >= 0 ? root : -root);
    return below != 0 ? end - b * b / below : end;
}

/* One implicit QR step on the unreduced block (Golub & Kahan). */
static void sweep(double *d, double *e, int first, int last, hd_rotations *u, hd_rotations *v)
{
    double y = d[first] * d[first] - shift_of(d, e, first, last), z = d[first] * e[first];
    for (int k = first; k < last; k++) {
        turn t = turn_of(y, z);
        if (k > first) {
            e[k - 1] = t.r;
        }
        y = t.c * d[k] + t.s * e[k];
        e[k] = t.c * e[k] - t.s * d[k];
        z = t.s * d[k + 1];
        d[k + 1] *= t.c;
        hd_rotate(v, k, k + 1, t.c, t.s);
        t = turn_of(y, z);
        d[k] = t.r;
        y = t.c * e[k] + t.s * d[k + 1];
        d[k + 1] = t.c * d[k + 1] - t.s * e[k];
        e[k] = y;
        if (k + 1 < last) {
            z = t.s * e[k + 1];
            e[k + 1] *= t.c;
        }
        hd_rotate(u, k, k + 1, t.c, t.s);
    }
}

/* Cuts what is negligible; the block that ends at *last: its first row, or -1 if a zero on the diagonal was dealt with. */
static int find_block(double *d, double *e, int last, double tiny, hd_rotations *u, hd_rotations *v)
{
    int first = last;
    while (first > 0) {
        double *beside = &e[first - 1];
        if (fabs(*beside) <= EPSILON * (fabs(d[first - 1]) + fabs(d[first])) || fabs(*beside) <= tiny) {
            *beside = 0;
            break;
        }
        first--;
    }
    for (int k = last; k >= first && first < last; k--) {
        if (fabs(d[k]) <= tiny) {
            d[k] = 0;
            if (k == last) {
                empty_column(d, e, first, last, v);
            } else {
                empty_row(d, e, k, last, u);
            }
            return -1;
        }
    }
    return first;
}

hd_status hd_bidiagonal_svd(hd_context *c, int n, double *d, double *e, hd_rotations *u, hd_rotations *v)
{
    double norm = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        const double size = fabs(d[i]) + (i + 1 < n ? fabs(e[i]) : 0);
        norm = size > norm ? size : norm;
        sum += size;
    }
    if (!(sum < INFINITY)) {
        return hd_fail(c, HD_ERR_DIVERGED, "singular values: the matrix is not finite");
    }
    int last = n - 1;
    for (int steps = 0; last > 0; steps++) {
        const int first = find_block(d, e, last, EPSILON * norm / 16, u, v);
        if (first == last) {
            last--;
            steps = 0;
        } else if (first >= 0) {
            sweep(d, e, first, last, u, v);
        }
        if (steps == SWEEPS) {
            return hd_fail(c, HD_ERR_DIVERGED, "singular values: no convergence at %d of %d", n - 1 - last, n);
        }
    }
    return HD_OK;
}
