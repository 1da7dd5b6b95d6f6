#include "linalg/reflect.h"
#include "linalg/rotate.h"
#include "linalg/row.h"

#include <float.h>
#include <math.h>
#include <string.h>

#ifdef HD_FLOAT64
#define EPSILON DBL_EPSILON
#else
#define EPSILON ((double)FLT_EPSILON / 8)
#endif

enum { SWEEPS = 60, ROWS = 64 }; /* sweeps for each eigenvalue at most; rows of a task */

static double size_of(real x)
{
    return fabs((double)x);
}

/* --- to tridiagonal form (Golub & Van Loan, 8.3.1) --------------------------------------------------------- */

typedef struct step {
    int n; /* order of what is left */
    const real *v; /* [n] */
    real *w;       /* [n] */
    real *a;       /* its lower triangle counts, but it is kept whole: both triangles */
    size_t lda;
} step;

/* w = A v, rows shared. */
static void product_rows(void *arg, int task, int thread)
{
    (void)thread;
    const step *s = arg;
    for (int i = task * ROWS; i < s->n && i < (task + 1) * ROWS; i++) {
        s->w[i] = row_dot(s->n, s->a + (size_t)i * s->lda, s->v);
    }
}

/* A -= v w^T + w v^T. */
static void update_rows(void *arg, int task, int thread)
{
    (void)thread;
    const step *s = arg;
    for (int i = task * ROWS; i < s->n && i < (task + 1) * ROWS; i++) {
        real *row = s->a + (size_t)i * s->lda;
        const vec v = vset(-s->v[i]), w = vset(-s->w[i]);
        for (int j = 0; j < s->n; j += HD_VL) {
            const size_t left = (size_t)(s->n - j);
            vec x = vload_upto(row + j, left);
            x = vmadd(v, vload_upto(s->w + j, left), x);
            vstore_upto(row + j, vmadd(w, vload_upto(s->v + j, left), x), left);
        }
    }
}

/* d: diagonal, e: [n - 1] beside it; the reflectors stay below the diagonal, tau [n - 1]. v: work [2 n]. */
static void tridiagonalise(hd_pool *p, int n, real *a, int lda, real *d, real *e, real *tau, real *v)
{
    const size_t ld = (size_t)lda;
    for (int j = 0; j + 1 < n; j++) {
        const int left = n - j - 1, tasks = (left + ROWS - 1) / ROWS;
        real *below = a + ((size_t)j + 1) * ld + j, *w = v + left;
        d[j] = a[(size_t)j * ld + j];
        tau[j] = hd_reflector(left, below, below + ld, ld, &e[j]);
        v[0] = 1;
        for (int i = 1; i < left; i++) {
            v[i] = below[(size_t)i * ld];
        }
        if (tau[j] == 0) {
            continue;
        }
        step s = { left, v, w, below + 1, ld };
        hd_pool_run(p, tasks, product_rows, &s);
        const real half = tau[j] * tau[j] * row_dot(left, v, w) / 2;
        for (int i = 0; i < left; i++) {
            w[i] = tau[j] * w[i] - half * v[i];
        }
        hd_pool_run(p, tasks, update_rows, &s);
    }
    d[n - 1] = a[(size_t)(n - 1) * (ld + 1)];
}

/* --- eigenvalues of a tridiagonal matrix: implicit QL with Wilkinson's shift (8.3.3) ------------------------- */

/* One sweep over the unreduced block first..last, from its end: d, e in float64. */
static void sweep(double *d, double *e, int first, int last, hd_rotations *turned)
{
    double g = (d[first + 1] - d[first]) / (2 * e[first]), r = hd_hypotenuse(g, 1), s = 1, c = 1, shift = 0;
    g = d[last] - d[first] + e[first] / (g + (g >= 0 ? r : -r));
    for (int i = last - 1; i >= first; i--) {
        double f = s * e[i], b = c * e[i];
        r = hd_hypotenuse(f, g);
        e[i + 1] = r;
        if (r == 0) { /* the block falls apart here */
            d[i + 1] -= shift;
            e[last] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - shift;
        r = (d[i] - g) * s + 2 * c * b;
        shift = s * r;
        d[i + 1] = g + shift;
        g = c * r - b;
        hd_rotate(turned, i, i + 1, c, -s);
    }
    d[first] -= shift;
    e[first] = g;
    e[last] = 0;
}

static hd_status diagonalise(hd_context *c, int n, double *d, double *e, hd_rotations *turned)
{
    e[n - 1] = 0;
    double norm = 0;
    for (int i = 0; i < n; i++) {
        const double size = fabs(d[i]) + fabs(e[i]);
        norm = size > norm ? size : norm;
    }
    const double tiny = EPSILON * norm / 16; /* what the reduction to this form has lost anyway */
    for (int first = 0; first < n; first++) {
        for (int count = 0;; count++) {
            int last = first;
            while (last < n - 1 && !(fabs(e[last]) <= EPSILON * (fabs(d[last]) + fabs(d[last + 1])) || fabs(e[last]) <= tiny)) {
                last++;
            }
            if (last == first) {
                break;
            }
            if (count == SWEEPS) {
                return hd_fail(c, HD_ERR_DIVERGED, "eigenvalues: no convergence at %d of %d: is the matrix finite?", first, n);
            }
            sweep(d, e, first, last, turned);
        }
    }
    return HD_OK;
}

/* --- together --------------------------------------------------------------------------------------------- */

/* Ascending, and each eigenvector with its largest component positive. z: [n x n] rows are the vectors; out: columns. */
static void put_in_order(int n, const double *from, real *d, const real *z, real *out, int ldo, int *order)
{
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && from[order[at - 1]] > from[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    for (int k = 0; k < n; k++) {
        d[k] = (real)from[order[k]];
        const real *row = z ? z + (size_t)order[k] * (size_t)n : NULL;
        int largest = 0;
        for (int i = 1; z && i < n; i++) {
            largest = size_of(row[i]) > size_of(row[largest]) ? i : largest;
        }
        for (int i = 0; z && i < n; i++) {
            out[(size_t)i * (size_t)ldo + k] = row[largest] < 0 ? -row[i] : row[i];
        }
    }
}

/* The vectors of the tridiagonal matrix, rows of z, become those of A: z row <- (H_0 .. z row), in columns meanwhile. */
static hd_status transform_back(hd_context *c, int n, const real *a, int lda, const real *tau, real *z, real *columns)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            columns[(size_t)j * (size_t)n + i] = z[(size_t)i * (size_t)n + j];
        }
    }
    hd_status status = n > 1 ? hd_qr_apply(c, false, n - 1, n - 1, n, a + lda, lda, tau, columns + n, n) : HD_OK;
    for (int i = 0; i < n && !status; i++) {
        for (int j = 0; j < n; j++) {
            z[(size_t)i * (size_t)n + j] = columns[(size_t)j * (size_t)n + i];
        }
    }
    return status;
}

typedef struct memory {
    double *d, *e;
    real *small, *tau, *v, *z, *columns;
    int *order;
} memory;

static hd_status run(hd_context *c, int n, real *a, int lda, real *values, real *vectors, int ldv, memory *m)
{
    const size_t size = (size_t)n * (size_t)n;
    for (int i = 0; i < n; i++) { /* both triangles */
        for (int j = 0; j < i; j++) {
            a[(size_t)j * (size_t)lda + i] = a[(size_t)i * (size_t)lda + j];
        }
    }
    tridiagonalise(c->pool, n, a, lda, m->small, m->small + n, m->tau, m->v);
    for (int i = 0; i < n; i++) {
        m->d[i] = (double)m->small[i];
        m->e[i] = i + 1 < n ? (double)m->small[n + i] : 0;
    }
    if (vectors) {
        memset(m->z, 0, size * sizeof *m->z);
        for (int i = 0; i < n; i++) {
            m->z[(size_t)i * ((size_t)n + 1)] = 1;
        }
    }
    hd_rotations turned;
    hd_status status = hd_rotations_open(c, &turned, n, n, vectors ? m->z : NULL, n);
    status = status ? status : diagonalise(c, n, m->d, m->e, &turned);
    hd_rotations_flush(&turned);
    hd_rotations_close(&turned);
    if (!status && vectors) {
        status = transform_back(c, n, a, lda, m->tau, m->z, m->columns);
    }
    if (!status) {
        put_in_order(n, m->d, values, vectors ? m->z : NULL, vectors, ldv, m->order);
    }
    return status;
}

hd_status hd_eigh(hd_context *c, int n, real *a, int lda, real *values, real *vectors, int ldv)
{
    const size_t size = (size_t)n;
    memory m = { .d = hd_reserve(c, 2 * size * sizeof(double) + 5 * size * sizeof(real) + size * sizeof(int), "eigenvalues") };
    real *large = vectors ? hd_reserve(c, 2 * size * size * sizeof *large, "eigenvectors") : NULL;
    hd_status status = HD_ERR_MEMORY;
    if (m.d && (large || !vectors)) {
        m.e = m.d + size;
        m.small = (real *)(m.e + size);
        m.tau = m.small + 2 * size;
        m.v = m.tau + size;
        m.order = (int *)(m.v + 2 * size);
        m.z = large;
        m.columns = large ? large + size * size : NULL;
        status = run(c, n, a, lda, values, vectors, ldv, &m);
    }
    hd_release(c, large);
    hd_release(c, m.d);
    return status;
}
