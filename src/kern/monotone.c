#include "kern/monotone.h"

#include "kern/vec.h"

enum { PAIR = 2 * HD_VL, BLOCK = 64 }; /* samples of a tile, and at most of a task */

typedef struct job {
    const hd_monotone *m;
    hd_pool *pool;
    size_t block; /* samples of a task, whole tiles */
    const real *y; /* backward */
    real *out;     /* y, or dy */
} job;

static void run(job j, hd_task *task)
{
    const size_t most = HD_THREAD_SCRATCH / sizeof(real) / (j.m->in + j.m->units) / PAIR * PAIR;
    j.block = most < BLOCK ? most : BLOCK;
    hd_pool_run(j.pool, (int)((j.m->rows + j.block - 1) / j.block), task, &j);
}

/* to[c][r] = from[r][c] for rows x cols elements; `stride` from one c to the next. Missing rows are 0. */
static void to_lanes(size_t rows, size_t cols, const real *from, size_t stride, real *to)
{
    for (size_t c = 0; c < cols; c += HD_VL) {
        const size_t width = cols - c < HD_VL ? cols - c : HD_VL;
        for (size_t r = 0; r < stride; r += HD_VL) {
            vec s[HD_VL];
            for (size_t i = 0; i < HD_VL; i++) {
                s[i] = r + i < rows ? vload_upto(from + (r + i) * cols + c, cols - c) : vzero();
            }
            vtranspose(s);
            for (size_t i = 0; i < width; i++) {
                vstore(to + (c + i) * stride + r, s[i]);
            }
        }
    }
}

/* The inverse. */
static void from_lanes(size_t rows, size_t cols, const real *from, size_t stride, real *to)
{
    for (size_t c = 0; c < cols; c += HD_VL) {
        for (size_t r = 0; r < rows; r += HD_VL) {
            vec s[HD_VL];
            for (size_t i = 0; i < HD_VL; i++) {
                s[i] = c + i < cols ? vload(from + (c + i) * stride + r) : vzero();
            }
            vtranspose(s);
            for (size_t i = 0; i < HD_VL && r + i < rows; i++) {
                vstore_upto(to + (r + i) * cols + c, s[i], cols - c);
            }
        }
    }
}

/* z[u][..] = b[u] + sum_k W[u][k] x[k][..] for `units` units from `first` on, 1, 2 or 4 of them, known to the compiler, and all
 * samples of the block. */
HD_INLINE void tile(const job *j, const size_t units, size_t first, const real *x, real *z)
{
    const size_t in = j->m->in, block = j->block;
    const real *w0 = j->m->w + first * in, *w1 = w0 + (units > 1 ? in : 0), *w2 = w0 + (units > 2 ? 2 * in : 0), *w3 = w0 + (units - 1) * in;
    const real *bias = j->m->bias ? j->m->bias + first : NULL;
    for (size_t s = 0; s < block; s += PAIR) {
        vec b0 = vset(bias ? bias[0] : 0), b1 = vset(bias && units > 1 ? bias[1] : 0), b2 = vset(bias && units > 2 ? bias[2] : 0);
        vec b3 = vset(bias && units > 2 ? bias[3] : 0), a0 = b0, a1 = b1, a2 = b2, a3 = b3;
        const real *at = x + s;
        for (size_t k = 0; k < in; k++, at += block) {
            const vec x0 = vload(at), x1 = vload(at + HD_VL);
            vec w = vset(w0[k]);
            a0 = vmadd(w, x0, a0);
            b0 = vmadd(w, x1, b0);
            if (units > 1) {
                w = vset(w1[k]);
                a1 = vmadd(w, x0, a1);
                b1 = vmadd(w, x1, b1);
            }
            if (units > 2) {
                w = vset(w2[k]);
                a2 = vmadd(w, x0, a2);
                b2 = vmadd(w, x1, b2);
                w = vset(w3[k]);
                a3 = vmadd(w, x0, a3);
                b3 = vmadd(w, x1, b3);
            }
        }
        real *out = z + first * block + s;
        const vec sums[4][2] = { { a0, b0 }, { a1, b1 }, { a2, b2 }, { a3, b3 } };
        for (size_t u = 0; u < units; u++) {
            vstore(out + u * block, sums[u][0]);
            vstore(out + u * block + HD_VL, sums[u][1]);
        }
    }
}

/* Rows 1, 3, ... of z [units][block]. */
static void mirror(const job *j, real *z)
{
    for (size_t u = 1; u < j->m->units; u += 2) {
        for (size_t s = 0; s < j->block; s += HD_VL) {
            vstore(z + u * j->block + s, vneg(vload(z + u * j->block + s)));
        }
    }
}

static void activate(const job *j, real *z)
{
    if (j->m->mixed) {
        mirror(j, z);
    }
    if (j->m->act != HD_LINEAR) {
        hd_activate_here(j->m->act, j->m->alpha, j->m->units * j->block, z, z);
    }
    if (j->m->mixed) {
        mirror(j, z);
    }
}

/* A block of samples, transposed, so that a vector holds one element of several samples. */
static void forward_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const hd_monotone *m = j->m;
    const size_t first = (size_t)task * j->block, rows = m->rows - first < j->block ? m->rows - first : j->block;
    real *x = hd_pool_scratch(j->pool, thread), *z = x + m->in * j->block;
    size_t u = 0;
    to_lanes(rows, m->in, m->x + first * m->in, j->block, x);
    for (; u + 4 <= m->units; u += 4) {
        tile(j, 4, u, x, z);
    }
    for (; u + 2 <= m->units; u += 2) {
        tile(j, 2, u, x, z);
    }
    if (u < m->units) {
        tile(j, 1, u, x, z);
    }
    activate(j, z);
    from_lanes(rows, m->units, z, j->block, j->out + first * m->units);
}

void hd_monotone_forward(hd_pool *p, const hd_monotone *m, real *y)
{
    run((job){ .m = m, .pool = p, .out = y }, forward_task);
}

/* With m = y, or -y for mirrored units, act' is 1 where m > 0, else m + alpha. */
static void mixed_back_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const size_t units = j->m->units, first = (size_t)task * j->block;
    const size_t end = j->m->rows - first < j->block ? j->m->rows : first + j->block;
    const real sign[4] = { 1, -1, 1, -1 };
    const vec signs = vload(sign), alpha = vset(j->m->alpha);
    for (size_t i = first * units; i < end * units; i += units) {
        for (size_t u = 0; u < units; u += HD_VL) {
            const vec m = vmul(signs, vload_upto(j->y + i + u, units - u));
            const vec slope = vselect(vgt(m, vzero()), vset(1), vadd(m, alpha));
            vstore_upto(j->out + i + u, vmul(slope, vload_upto(j->out + i + u, units - u)), units - u);
        }
    }
}

void hd_monotone_mixed_back(hd_pool *p, const hd_monotone *m, const real *y, real *dy)
{
    run((job){ .m = m, .pool = p, .y = y, .out = dy }, mixed_back_task);
}
