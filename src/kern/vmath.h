/* Elementary functions of one vector. Every lane is right for every input: infinity, NaN, signed zeros,
 * denormal arguments and results.
 *
 * Largest error in ulp of float32 against float64 (tests/native/kern_math_test.c):
 *   vexp 1.0   vexpm1 1.6   vlog 0.8   vlog1p 0.9   vtanh 2.6   vsigmoid 2.4   vsoftplus 2.6
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
HD_INLINE vec vexp_negative(vec x) { return by_lane(x, exp); }
HD_INLINE vec vexpm1_negative(vec x) { return by_lane(x, expm1); }
HD_INLINE vec vexpm1(vec x) { return by_lane(x, expm1); }
HD_INLINE vec vlog(vec x) { return by_lane(x, log); }
HD_INLINE vec vlog1p(vec x) { return by_lane(x, log1p); }
HD_INLINE vec vtanh(vec x) { return by_lane(x, tanh); }
HD_INLINE vec vsigmoid(vec x) { return by_lane(x, sigmoid_double); }
HD_INLINE vec vsoftplus(vec x) { return by_lane(x, softplus_double); }

#else

/* A constant in every lane, loaded from memory: engines build a 128-bit constant from three instructions wherever it is
 * used, and compilers turn everything they can see through into one. */
HD_INLINE vec vconst_load(const float *p)
{
    __asm__("" : "+r"(p));
    return wasm_v128_load32_splat(p);
}
#define VCONST(x) __extension__({ static const float constant = (x); vconst_load(&constant); })

/* k = x / ln 2 rounded, as 2^(k + shift), as n = k, and r = x - k ln 2, |r| <= 0.35. Adding 1.5 * 2^23 + 127 + shift
 * leaves the biased exponent in the low bits. ln 2 is in two parts; k times the first is exact for |k| < 2^9. */
typedef struct exp_parts {
    vec power, n, r;
} exp_parts;

#define HD_EXP_MAGIC(shift) (12582912.0f + 127 + (shift))

HD_INLINE exp_parts split_exp(vec x, vec magic)
{
    vec shifted = vmadd(x, VCONST(1.44269504f), magic), n = vsub(shifted, magic);
    vec r = vmadd(n, VCONST(-1.42860682030941723212e-6f), vmadd(n, VCONST(-0.693145751953125f), x));
    return (exp_parts){ wasm_i32x4_shl(shifted, 23), n, r };
}

/* exp(r) - 1 for |r| <= 0.35: r + r^2 times the polynomial of Cephes' expf. */
HD_INLINE vec expm1_reduced(vec r)
{
    vec q = VCONST(1.9875691500e-4f);
    q = vmadd(q, r, VCONST(1.3981999507e-3f));
    q = vmadd(q, r, VCONST(8.3334519073e-3f));
    q = vmadd(q, r, VCONST(4.1665795894e-2f));
    q = vmadd(q, r, VCONST(1.6666665459e-1f));
    q = vmadd(q, r, VCONST(5.0000001201e-1f));
    return vmadd(vmul(r, r), q, r);
}

/* Scaled by 2^k in two steps, so that results overflow to infinity and underflow through the denormals. */
HD_INLINE vec vexp(vec x)
{
    x = vmin(vmax(x, VCONST(-104.0f)), VCONST(89.0f));
    const vec magic = VCONST(12582912.0f);
    vec shifted = vmadd(x, VCONST(1.44269504f), magic), n = vsub(shifted, magic);
    vec r = vmadd(n, VCONST(-1.42860682030941723212e-6f), vmadd(n, VCONST(-0.693145751953125f), x));
    vec k = wasm_i32x4_sub(shifted, magic), half = wasm_i32x4_shr(k, 1), one = VCONST(1);
    vec y = vmul(vadd(expm1_reduced(r), one), wasm_i32x4_add(wasm_i32x4_shl(half, 23), one));
    return vmul(y, wasm_i32x4_add(wasm_i32x4_shl(wasm_i32x4_sub(k, half), 23), one));
}

/* exp(x) for x <= 0: by 2^(k + 32), which is normal, and then 2^-32, which may leave a denormal. Here as below, functions are in steps for
 * loops that do one step on many vectors before the next. */
HD_INLINE exp_parts vexp_negative_split(vec x) { return split_exp(vmax(x, VCONST(-104.0f)), VCONST(HD_EXP_MAGIC(32))); }

HD_INLINE vec vexp_negative_join(exp_parts s)
{
    return vmul(vmul(vadd(expm1_reduced(s.r), VCONST(1)), s.power), VCONST(1 / 4294967296.0f));
}

HD_INLINE vec vexp_negative(vec x) { return vexp_negative_join(vexp_negative_split(x)); }

/* expm1(x) for x <= 0, without the sign of -0: 2^k expm1(r) + (2^k - 1). */
HD_INLINE exp_parts vexpm1_negative_split(vec x) { return split_exp(vmax(x, VCONST(-30.0f)), VCONST(HD_EXP_MAGIC(0))); }
HD_INLINE vec vexpm1_negative_join(exp_parts s) { return vmadd(s.power, expm1_reduced(s.r), vsub(s.power, VCONST(1))); }
HD_INLINE vec vexpm1_negative(vec x) { return vexpm1_negative_join(vexpm1_negative_split(x)); }

/* The same with half of 2^k, against overflow at k = 128. */
HD_INLINE vec vexpm1(vec x)
{
    exp_parts s = split_exp(vmin(vmax(x, VCONST(-30.0f)), VCONST(89.0f)), VCONST(HD_EXP_MAGIC(-1)));
    vec y = vmadd(s.power, expm1_reduced(s.r), vsub(s.power, VCONST(0.5f)));
    return vcopysign(vadd(y, y), x);
}

/* Splits a positive normal u into 2^n (1 + f), 1 + f in [sqrt(1/2), sqrt(2)). */
HD_INLINE vec split_mantissa(vec u, vec *f)
{
    const vec root = wasm_i32x4_splat(0x3f3504f3), one = wasm_i32x4_splat(0x3f800000);
    vec bits = wasm_i32x4_add(u, wasm_i32x4_sub(one, root));
    vec n = wasm_i32x4_sub(wasm_i32x4_shr(bits, 23), wasm_i32x4_splat(127));
    vec m = wasm_i32x4_add(vand(bits, wasm_i32x4_splat(0x007fffff)), root);
    *f = vsub(m, VCONST(1));
    return wasm_f32x4_convert_i32x4(n);
}

/* n ln 2 + log(1 + f) + c as fdlibm's logf: with s = f / (2 + f), log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)). */
HD_INLINE vec join_log(vec n, vec f, vec c)
{
    vec s = vdiv(f, vadd(VCONST(2), f)), z = vmul(s, s), w = vmul(z, z);
    vec odd = vmadd(w, VCONST(0.24279078841f), VCONST(0.40000972152f));
    vec even = vmadd(w, VCONST(0.28498786688f), VCONST(0.66666662693f));
    vec series = vmadd(w, odd, vmul(z, even));
    vec half = vmul(VCONST(0.5f), vmul(f, f));
    vec low = vmadd(n, VCONST(9.0580006145e-6f), c);
    vec rest = vsub(half, vmadd(s, vadd(half, series), low));
    return vsub(vmul(n, VCONST(0.69313812256f)), vsub(rest, f));
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
    vec tiny = vlt(x, VCONST(1.17549435e-38f));
    vec u = vselect(tiny, vmul(x, VCONST(8388608.0f)), x), f;
    vec n = vsub(split_mantissa(u, &f), vand(tiny, VCONST(23)));
    vec y = join_log(n, f, vzero());
    return log_edges(veq(x, vzero()), vlt(x, vzero()), veq(x, vset(INFINITY)), x, y);
}

/* u = 1 + x rounded; what was lost goes into c. Where n = 0, f = x itself is exact. */
HD_INLINE vec vlog1p(vec x)
{
    const vec one = VCONST(1);
    vec u = vadd(one, x), f;
    vec n = split_mantissa(u, &f), near = veq(n, vzero());
    vec lost = vselect(vgt(x, one), vsub(one, vsub(u, x)), vsub(x, vsub(u, one)));
    vec c = vselect(near, vzero(), vdiv(lost, u));
    vec y = join_log(n, vselect(near, x, f), c);
    y = vselect(veq(x, vzero()), x, y);
    return log_edges(veq(x, vset(-1)), vlt(x, vset(-1)), veq(x, vset(INFINITY)), x, y);
}

/* -t / (t + 2), t = expm1(-2 |x|) */
HD_INLINE exp_parts vtanh_split(vec x)
{
    vec a = vor(x, VCONST(-0.0f));
    return vexpm1_negative_split(vadd(a, a));
}

HD_INLINE vec vtanh_last(vec x, vec t) { return vcopysign(vdiv(t, vadd(t, VCONST(2))), x); }
HD_INLINE vec vtanh(vec x) { return vtanh_last(x, vexpm1_negative_join(vtanh_split(x))); }

/* z / (1 + z) or 1 / (1 + z), z = exp(-|x|) */
HD_INLINE exp_parts vsigmoid_split(vec x) { return vexp_negative_split(vor(x, VCONST(-0.0f))); }

HD_INLINE vec vsigmoid_last(vec x, vec z)
{
    const vec one = VCONST(1);
    return vdiv(vselect(vlt(x, vzero()), z, one), vadd(one, z));
}

HD_INLINE vec vsigmoid(vec x) { return vsigmoid_last(x, vexp_negative_join(vsigmoid_split(x))); }

/* max(x, 0) + log(1 + z), z = exp(-|x|); log(1 + z) = 2 atanh(s) by its series, s = z / (2 + z) <= 1/3. */
HD_INLINE vec vsoftplus_last(vec x, vec z)
{
    vec s = vdiv(z, vadd(z, VCONST(2))), w = vmul(s, s);
    vec q = VCONST(2.0f / 13);
    q = vmadd(q, w, VCONST(2.0f / 11));
    q = vmadd(q, w, VCONST(2.0f / 9));
    q = vmadd(q, w, VCONST(2.0f / 7));
    q = vmadd(q, w, VCONST(2.0f / 5));
    q = vmadd(q, w, VCONST(2.0f / 3));
    vec y = vmadd(vmul(s, w), q, vadd(s, s));
    return vadd(vmax(x, vzero()), y);
}

HD_INLINE vec vsoftplus(vec x) { return vsoftplus_last(x, vexp_negative_join(vsigmoid_split(x))); }

#endif
#endif
