/* Elementary functions of one vector. Every lane is right for every input: infinity, NaN, signed zeros,
 * denormal arguments and results.
 *
 * Largest error in ulp of float32 against float64 (tests/native/kern_math_test.c):
 *   vexp 1.0   vexpm1 1.6   vlog 0.8   vlog1p 0.9   vtanh 2.4   vsigmoid 2.4   vsoftplus 1.6
 * The float64 build calls libm lane by lane: there only precision counts. */
#ifndef HD_KERN_VMATH_H
#define HD_KERN_VMATH_H

#include "kern/vec.h"

#include <math.h>

#ifdef HD_FLOAT64

HD_INLINE vec by_lane(vec x, double (*f)(double))
{
    real t[HD_VL];
    vstore(t, x);
    for (int i = 0; i < HD_VL; i++) {
        t[i] = f(t[i]);
    }
    return vload(t);
}

static inline double sigmoid_double(double x)
{
    double z = exp(-fabs(x));
    return (x < 0 ? z : 1) / (1 + z);
}

static inline double softplus_double(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

HD_INLINE vec vexp(vec x) { return by_lane(x, exp); }
HD_INLINE vec vexpm1(vec x) { return by_lane(x, expm1); }
HD_INLINE vec vlog(vec x) { return by_lane(x, log); }
HD_INLINE vec vlog1p(vec x) { return by_lane(x, log1p); }
HD_INLINE vec vtanh(vec x) { return by_lane(x, tanh); }
HD_INLINE vec vsigmoid(vec x) { return by_lane(x, sigmoid_double); }
HD_INLINE vec vsoftplus(vec x) { return by_lane(x, softplus_double); }

#else

/* ln 2 in two parts: k times the first is exact for |k| < 2^9. */
#define HD_LN2_HI 0.693145751953125f
#define HD_LN2_LO 1.42860682030941723212e-6f

/* k = x / ln 2 rounded, both as float and as integer: adding 1.5 * 2^23 leaves it in the low bits. */
HD_INLINE vec split_exponent(vec x, vec *k)
{
    const vec magic = vset(12582912.0f);
    vec shifted = vmadd(x, vset(1.44269504f), magic);
    *k = wasm_i32x4_sub(shifted, magic);
    return vsub(shifted, magic);
}

/* x - n ln 2, |result| <= 0.35 */
HD_INLINE vec reduce_ln2(vec x, vec n)
{
    return vmadd(n, vset(-HD_LN2_LO), vmadd(n, vset(-HD_LN2_HI), x));
}

HD_INLINE vec power_of_2(vec k) /* -126 <= k <= 127 */
{
    return wasm_i32x4_shl(wasm_i32x4_add(k, wasm_i32x4_splat(127)), 23);
}

/* (exp(r) - 1 - r) / r^2, |r| <= 0.35: polynomial of Cephes' expf. */
HD_INLINE vec exp_tail(vec r)
{
    vec q = vset(1.9875691500e-4f);
    q = vmadd(q, r, vset(1.3981999507e-3f));
    q = vmadd(q, r, vset(8.3334519073e-3f));
    q = vmadd(q, r, vset(4.1665795894e-2f));
    q = vmadd(q, r, vset(1.6666665459e-1f));
    return vmadd(q, r, vset(5.0000001201e-1f));
}

/* Scaled by 2^k in two steps, so that results overflow to infinity and underflow through the denormals. */
HD_INLINE vec vexp(vec x)
{
    x = vmin(vmax(x, vset(-104.0f)), vset(89.0f));
    vec k, n = split_exponent(x, &k), r = reduce_ln2(x, n);
    vec e = vadd(vmadd(vmul(r, r), exp_tail(r), r), vset(1));
    vec half = wasm_i32x4_shr(k, 1);
    return vmul(vmul(e, power_of_2(half)), power_of_2(wasm_i32x4_sub(k, half)));
}

/* 2^k (expm1(r) + 1 - 2^-k), halved against overflow at k = 128. */
HD_INLINE vec vexpm1(vec x)
{
    vec c = vmin(vmax(x, vset(-30.0f)), vset(89.0f));
    vec k, n = split_exponent(c, &k), r = reduce_ln2(c, n);
    vec e = vmadd(vmul(r, r), exp_tail(r), r);
    vec half = power_of_2(wasm_i32x4_sub(k, wasm_i32x4_splat(1)));
    vec y = vmadd(half, e, vsub(half, vset(0.5f)));
    return vcopysign(vadd(y, y), x);
}

/* Splits a positive normal u into 2^n (1 + f), 1 + f in [sqrt(1/2), sqrt(2)). */
HD_INLINE vec split_mantissa(vec u, vec *f)
{
    const vec root = wasm_i32x4_splat(0x3f3504f3), one = wasm_i32x4_splat(0x3f800000);
    vec bits = wasm_i32x4_add(u, wasm_i32x4_sub(one, root));
    vec n = wasm_i32x4_sub(wasm_i32x4_shr(bits, 23), wasm_i32x4_splat(127));
    vec m = wasm_i32x4_add(vand(bits, wasm_i32x4_splat(0x007fffff)), root);
    *f = vsub(m, vset(1));
    return wasm_f32x4_convert_i32x4(n);
}

/* n ln 2 + log(1 + f) + c: fdlibm's logf, with R an approximation of log(1 + f) - 2s + s f^2 / (2 + f) ... */
HD_INLINE vec join_log(vec n, vec f, vec c)
{
    vec s = vdiv(f, vadd(vset(2), f)), z = vmul(s, s), w = vmul(z, z);
    vec odd = vmadd(w, vset(0.24279078841f), vset(0.40000972152f));
    vec even = vmadd(w, vset(0.28498786688f), vset(0.66666662693f));
    vec series = vmadd(w, odd, vmul(z, even));
    vec half = vmul(vset(0.5f), vmul(f, f));
    vec low = vmadd(n, vset(9.0580006145e-6f), c);
    vec rest = vsub(half, vmadd(s, vadd(half, series), low));
    return vsub(vmul(n, vset(0.69313812256f)), vsub(rest, f));
}

/* log(0) = -inf, of a negative number NaN, log(inf) = inf, given the result for positive finite x. */
HD_INLINE vec log_edges(vec zero, vec negative, vec infinite, vec x, vec y)
{
    y = vselect(zero, vset(-INFINITY), y);
    y = vselect(negative, vset(NAN), y);
    return vselect(vor(infinite, vne(x, x)), x, y);
}

HD_INLINE vec vlog(vec x)
{
    vec tiny = vlt(x, vset(1.17549435e-38f));
    vec u = vselect(tiny, vmul(x, vset(8388608.0f)), x), f;
    vec n = vsub(split_mantissa(u, &f), vand(tiny, vset(23)));
    vec y = join_log(n, f, vzero());
    return log_edges(veq(x, vzero()), vlt(x, vzero()), veq(x, vset(INFINITY)), x, y);
}

/* u = 1 + x rounded; what was lost goes into c. Where n = 0, f = x itself is exact. */
HD_INLINE vec vlog1p(vec x)
{
    const vec one = vset(1);
    vec u = vadd(one, x), f;
    vec n = split_mantissa(u, &f), near = veq(n, vzero());
    vec lost = vselect(vgt(x, one), vsub(one, vsub(u, x)), vsub(x, vsub(u, one)));
    vec c = vselect(near, vzero(), vdiv(lost, u));
    vec y = join_log(n, vselect(near, x, f), c);
    y = vselect(veq(x, vzero()), x, y);
    return log_edges(veq(x, vset(-1)), vlt(x, vset(-1)), veq(x, vset(INFINITY)), x, y);
}

/* t / (t + 2), t = expm1(2 |x|) */
HD_INLINE vec vtanh(vec x)
{
    vec a = vmin(vabs(x), vset(20));
    vec t = vexpm1(vadd(a, a));
    return vcopysign(vdiv(t, vadd(t, vset(2))), x);
}

HD_INLINE vec vsigmoid(vec x)
{
    vec z = vexp(vneg(vabs(x)));
    return vdiv(vselect(vlt(x, vzero()), z, vset(1)), vadd(vset(1), z));
}

HD_INLINE vec vsoftplus(vec x)
{
    return vadd(vmax(x, vzero()), vlog1p(vexp(vneg(vabs(x)))));
}

#endif
#endif
