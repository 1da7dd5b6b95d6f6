#include "kern/elementwise.h"

#include "kern/vec.h"

#include <string.h>

typedef enum op { FILL, SCALE, AXPY, ADD, MUL, MUL_ADD } op;

typedef struct job {
    op op;
    size_t n;
    real alpha;
    const real *a, *b;
    real *y;
} job;

HD_INLINE vec apply(op op, vec alpha, vec a, vec b, vec y)
{
    switch (op) {
    case FILL: return alpha;
    case SCALE: return vmul(alpha, y);
    case AXPY: return vmadd(alpha, a, y);
    case ADD: return vadd(a, b);
    case MUL: return vmul(a, b);
    case MUL_ADD: return vmadd(a, b, y);
    }
    return y;
}

HD_INLINE void loop(op op, size_t n, real alpha, const real *a, const real *b, real *y)
{
    vec v = vset(alpha), zero = vzero();
    const int old = op == SCALE || op == AXPY || op == MUL_ADD;
    size_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) {
        vstore(y + i, apply(op, v, a ? vload(a + i) : zero, b ? vload(b + i) : zero, old ? vload(y + i) : zero));
    }
    if (i < n) {
        vec ai = a ? vload_part(a + i, n - i) : zero, bi = b ? vload_part(b + i, n - i) : zero;
        vstore_part(y + i, apply(op, v, ai, bi, old ? vload_part(y + i, n - i) : zero), n - i);
    }
}

static void block(op op, size_t n, real alpha, const real *a, const real *b, real *y)
{
    switch (op) {
    case FILL: loop(FILL, n, alpha, NULL, NULL, y); break;
    case SCALE: loop(SCALE, n, alpha, NULL, NULL, y); break;
    case AXPY: loop(AXPY, n, alpha, a, NULL, y); break;
    case ADD: loop(ADD, n, alpha, a, b, y); break;
    case MUL: loop(MUL, n, alpha, a, b, y); break;
    case MUL_ADD: loop(MUL_ADD, n, alpha, a, b, y); break;
    }
}

static size_t block_count(size_t n)
{
    return (n + HD_BLOCK - 1) / HD_BLOCK;
}

static size_t block_size(size_t n, size_t first)
{
    return n - first < HD_BLOCK ? n - first : HD_BLOCK;
}

static void elementwise_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    size_t i = (size_t)task * HD_BLOCK;
    block(j->op, block_size(j->n, i), j->alpha, j->a ? j->a + i : NULL, j->b ? j->b + i : NULL, j->y + i);
}

static void run(hd_pool *p, op op, size_t n, real alpha, const real *a, const real *b, real *y)
{
    job j = { op, n, alpha, a, b, y };
    hd_pool_run(p, (int)block_count(n), elementwise_task, &j);
}

static void copy_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    size_t i = (size_t)task * HD_BLOCK;
    memcpy(j->y + i, j->a + i, block_size(j->n, i) * sizeof(real));
}

void hd_copy(hd_pool *p, size_t n, const real *x, real *y)
{
    job j = { .n = n, .a = x, .y = y };
    hd_pool_run(p, (int)block_count(n), copy_task, &j);
}

void hd_fill(hd_pool *p, size_t n, real value, real *y)
{
    run(p, FILL, n, value, NULL, NULL, y);
}

void hd_scale(hd_pool *p, size_t n, real alpha, real *y)
{
    run(p, SCALE, n, alpha, NULL, NULL, y);
}

void hd_axpy(hd_pool *p, size_t n, real alpha, const real *x, real *y)
{
    run(p, AXPY, n, alpha, x, NULL, y);
}

void hd_add(hd_pool *p, size_t n, const real *a, const real *b, real *y)
{
    run(p, ADD, n, 0, a, b, y);
}

void hd_mul(hd_pool *p, size_t n, const real *a, const real *b, real *y)
{
    run(p, MUL, n, 0, a, b, y);
}

void hd_mul_add(hd_pool *p, size_t n, const real *a, const real *b, real *y)
{
    run(p, MUL_ADD, n, 0, a, b, y);
}
