#include "kern/math.h"

#include "kern/vmath.h"

HD_INLINE void map(size_t n, const real *x, real *y, vec (*f)(vec))
{
    size_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) {
        vstore(y + i, f(vload(x + i)));
    }
    if (i < n) {
        vstore_part(y + i, f(vload_part(x + i, n - i)), n - i);
    }
}

static inline vec rsqrt(vec x)
{
    return vdiv(vset(1), vsqrt(x));
}

void hd_vexp(size_t n, const real *x, real *y) { map(n, x, y, vexp); }
void hd_vexpm1(size_t n, const real *x, real *y) { map(n, x, y, vexpm1); }
void hd_vlog(size_t n, const real *x, real *y) { map(n, x, y, vlog); }
void hd_vlog1p(size_t n, const real *x, real *y) { map(n, x, y, vlog1p); }
void hd_vtanh(size_t n, const real *x, real *y) { map(n, x, y, vtanh); }
void hd_vsigmoid(size_t n, const real *x, real *y) { map(n, x, y, vsigmoid); }
void hd_vsoftplus(size_t n, const real *x, real *y) { map(n, x, y, vsoftplus); }
void hd_vsqrt(size_t n, const real *x, real *y) { map(n, x, y, vsqrt); }
void hd_vrsqrt(size_t n, const real *x, real *y) { map(n, x, y, rsqrt); }

/* The vector at i, filled up with -inf, which neither the maximum nor the sum of exp notices. */
HD_INLINE vec load_row(const real *x, size_t n, size_t i)
{
    if (i + HD_VL <= n) {
        return vload(x + i);
    }
    real t[HD_VL];
    for (size_t j = 0; j < HD_VL; j++) {
        t[j] = i + j < n ? x[i + j] : -INFINITY;
    }
    return vload(t);
}

/* Stores exp(x - max) in y, if there is a y; returns the maximum and the sum. */
HD_INLINE real exp_row(size_t n, const real *x, real *y, real *max)
{
    vec m = vset(-INFINITY), sum = vzero();
    for (size_t i = 0; i < n; i += HD_VL) {
        m = vmax(m, load_row(x, n, i));
    }
    *max = vmax_lane(m);
    for (size_t i = 0; i < n; i += HD_VL) {
        vec e = vexp_negative(vsub(load_row(x, n, i), vset(*max)));
        sum = vadd(sum, e);
        if (y && i + HD_VL <= n) {
            vstore(y + i, e);
        } else if (y) {
            vstore_part(y + i, e, n - i);
        }
    }
    return vsum(sum);
}

real hd_logsumexp(size_t n, const real *x)
{
    real max, sum = exp_row(n, x, NULL, &max), log_sum[HD_VL];
    vstore(log_sum, vlog(vset(sum)));
    return max + log_sum[0];
}

void hd_softmax(size_t n, const real *x, real *y)
{
    real max, sum = exp_row(n, x, y, &max);
    size_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) {
        vstore(y + i, vdiv(vload(y + i), vset(sum)));
    }
    for (; i < n; i++) {
        y[i] /= sum;
    }
}
