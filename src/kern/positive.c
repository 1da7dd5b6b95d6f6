#include "kern/positive.h"

#include "base/scalar.h"
#include "kern/elementwise.h"
#include "kern/vmath.h"

const char *const hd_positive_names[] = { "softplus", "exp", "square", "abs", "projection", NULL };

typedef struct job {
    hd_positive kind;
    real minimum;
    size_t n;
    const real *v;
    real *w; /* or dw */
} job;

HD_INLINE vec exp_clamped(vec v)
{
    return vexp(vmin(vmax(v, vset(-30)), vset(10)));
}

HD_INLINE vec weight_of(hd_positive kind, vec v, vec minimum)
{
    switch (kind) {
    case HD_POSITIVE_SOFTPLUS: return vadd(vsoftplus(v), minimum);
    case HD_POSITIVE_EXP: return vadd(exp_clamped(v), minimum);
    case HD_POSITIVE_SQUARE: return vadd(vmul(v, v), minimum);
    case HD_POSITIVE_ABS: return vadd(vabs(v), minimum);
    case HD_POSITIVE_PROJECTION: return vmax(v, minimum);
    }
    return v;
}

/* Beyond its clamp, exp has the slope of the clamp's end: v finds back. */
HD_INLINE vec slope_of(hd_positive kind, vec v, vec minimum)
{
    switch (kind) {
    case HD_POSITIVE_SOFTPLUS: return vsigmoid(v);
    case HD_POSITIVE_EXP: return exp_clamped(v);
    case HD_POSITIVE_SQUARE: return vadd(v, v);
    case HD_POSITIVE_ABS: return vselect(vlt(v, vzero()), vset(-1), vset(1));
    case HD_POSITIVE_PROJECTION: return vand(vge(v, minimum), vset(1));
    }
    return v;
}

static void run(hd_pool *p, job j, hd_task *task)
{
    hd_pool_run(p, (int)((j.n + HD_BLOCK - 1) / HD_BLOCK), task, &j);
}

static void forward_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    size_t first = (size_t)task * HD_BLOCK, end = j->n - first < HD_BLOCK ? j->n : first + HD_BLOCK;
    for (size_t i = first; i < end; i += HD_VL) {
        vstore_upto(j->w + i, weight_of(j->kind, vload_upto(j->v + i, end - i), vset(j->minimum)), end - i);
    }
}

static void backward_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    size_t first = (size_t)task * HD_BLOCK, end = j->n - first < HD_BLOCK ? j->n : first + HD_BLOCK;
    for (size_t i = first; i < end; i += HD_VL) {
        vec d = vmul(vload_upto(j->w + i, end - i), slope_of(j->kind, vload_upto(j->v + i, end - i), vset(j->minimum)));
        vstore_upto(j->w + i, d, end - i);
    }
}

void hd_positive_forward(hd_pool *p, hd_positive kind, real minimum, size_t n, const real *v, real *w)
{
    run(p, (job){ kind, minimum, n, v, w }, forward_task);
}

void hd_positive_backward(hd_pool *p, hd_positive kind, real minimum, size_t n, const real *v, real *dw)
{
    run(p, (job){ kind, minimum, n, v, dw }, backward_task);
}

double hd_positive_inverse(hd_positive kind, double minimum, double w)
{
    double u = w - minimum > 1e-12 ? w - minimum : 1e-12;
    switch (kind) {
    case HD_POSITIVE_SOFTPLUS: /* log(exp(u) - 1) = u + log(1 - exp(-u)) */
        return u + hd_log(u < 1e-4 ? u * (1 - u * (0.5 - u / 6)) : 1 - hd_exp(-u));
    case HD_POSITIVE_EXP: return hd_log(u);
    case HD_POSITIVE_SQUARE: return sqrt(u);
    case HD_POSITIVE_ABS: return u;
    case HD_POSITIVE_PROJECTION: return w > minimum ? w : minimum;
    }
    return w;
}
