/* The SIMD vector: HD_VL lanes of real in 128 bits. Written once with the intrinsics of wasm_simd128.h; natively
 * SIMDe gives the same ones with the same results bit for bit (-ffp-contract=off).
 *
 * vmadd is fused only in the relaxed-SIMD build: the one exception to "same bits everywhere". */
#ifndef HD_KERN_VEC_H
#define HD_KERN_VEC_H

#include "base/real.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#endif

typedef v128_t vec;

#ifdef HD_FLOAT64
#define HD_VL 2
#define HD_LANES(op) wasm_f64x2_##op
#define HD_INTS(op) wasm_i64x2_##op
#else
#define HD_VL 4
#define HD_LANES(op) wasm_f32x4_##op
#define HD_INTS(op) wasm_i32x4_##op
#endif

#define HD_INLINE static inline __attribute__((always_inline))

HD_INLINE vec vload(const real *p) { return wasm_v128_load(p); }
HD_INLINE void vstore(real *p, vec a) { wasm_v128_store(p, a); }
HD_INLINE vec vset(real x) { return HD_LANES(splat)(x); }
HD_INLINE vec vzero(void) { return vset(0); }

HD_INLINE vec vadd(vec a, vec b) { return HD_LANES(add)(a, b); }
HD_INLINE vec vsub(vec a, vec b) { return HD_LANES(sub)(a, b); }
HD_INLINE vec vmul(vec a, vec b) { return HD_LANES(mul)(a, b); }
HD_INLINE vec vdiv(vec a, vec b) { return HD_LANES(div)(a, b); }
HD_INLINE vec vsqrt(vec a) { return HD_LANES(sqrt)(a); }
HD_INLINE vec vabs(vec a) { return HD_LANES(abs)(a); }
HD_INLINE vec vneg(vec a) { return HD_LANES(neg)(a); }

/* a * b + c */
HD_INLINE vec vmadd(vec a, vec b, vec c)
{
#ifdef __wasm_relaxed_simd__
    return HD_LANES(relaxed_madd)(a, b, c);
#else
    return vadd(vmul(a, b), c);
#endif
}

/* b < a ? b : a and a < b ? b : a: a where the comparison fails, so a NaN in a stays and one in b is dropped. */
HD_INLINE vec vmin(vec a, vec b) { return HD_LANES(pmin)(a, b); }
HD_INLINE vec vmax(vec a, vec b) { return HD_LANES(pmax)(a, b); }

/* Comparisons give a mask, all bits of a lane; false for NaN except vne. vselect: mask ? a : b. */
HD_INLINE vec vlt(vec a, vec b) { return HD_LANES(lt)(a, b); }
HD_INLINE vec vle(vec a, vec b) { return HD_LANES(le)(a, b); }
HD_INLINE vec vgt(vec a, vec b) { return HD_LANES(gt)(a, b); }
HD_INLINE vec vge(vec a, vec b) { return HD_LANES(ge)(a, b); }
HD_INLINE vec veq(vec a, vec b) { return HD_LANES(eq)(a, b); }
HD_INLINE vec vne(vec a, vec b) { return HD_LANES(ne)(a, b); }
HD_INLINE vec vselect(vec mask, vec a, vec b) { return wasm_v128_bitselect(a, b, mask); }
HD_INLINE vec vand(vec a, vec b) { return wasm_v128_and(a, b); }
HD_INLINE vec vor(vec a, vec b) { return wasm_v128_or(a, b); }
HD_INLINE vec vandnot(vec a, vec b) { return wasm_v128_andnot(a, b); } /* a & ~b */
HD_INLINE int vany(vec mask) { return wasm_v128_any_true(mask); }
/* The sign bit of `sign` on the magnitude of a. */
HD_INLINE vec vcopysign(vec a, vec sign) { return vselect(vset((real)-0.0), sign, a); }

/* The first n < HD_VL elements, the rest zero; and their store. */
HD_INLINE vec vload_part(const real *p, size_t n)
{
#ifdef HD_FLOAT64
    return n ? wasm_v128_load64_zero(p) : vzero();
#else
    switch (n) {
    case 1: return wasm_v128_load32_zero(p);
    case 2: return wasm_v128_load64_zero(p);
    case 3: return wasm_v128_load32_lane(p + 2, wasm_v128_load64_zero(p), 2);
    default: return vzero();
    }
#endif
}

HD_INLINE void vstore_part(real *p, vec a, size_t n)
{
#ifdef HD_FLOAT64
    if (n) {
        wasm_v128_store64_lane(p, a, 0);
    }
#else
    switch (n) {
    case 1: wasm_v128_store32_lane(p, a, 0); break;
    case 2: wasm_v128_store64_lane(p, a, 0); break;
    case 3:
        wasm_v128_store64_lane(p, a, 0);
        wasm_v128_store32_lane(p + 2, a, 2);
        break;
    default: break;
    }
#endif
}

/* The next HD_VL elements, or the n that are left. */
HD_INLINE vec vload_upto(const real *p, size_t n) { return n >= HD_VL ? vload(p) : vload_part(p, n); }

HD_INLINE void vstore_upto(real *p, vec a, size_t n)
{
    if (n >= HD_VL) {
        vstore(p, a);
    } else {
        vstore_part(p, a, n);
    }
}

/* Sum of the lanes: pairs (0,2) (1,3) first. */
HD_INLINE real vsum(vec a)
{
    real t[HD_VL];
    vstore(t, a);
#ifdef HD_FLOAT64
    return t[0] + t[1];
#else
    return (t[0] + t[2]) + (t[1] + t[3]);
#endif
}

/* Rows become columns. */
HD_INLINE void vtranspose(vec s[HD_VL])
{
#ifdef HD_FLOAT64
    vec a = s[0];
    s[0] = wasm_i64x2_shuffle(a, s[1], 0, 2);
    s[1] = wasm_i64x2_shuffle(a, s[1], 1, 3);
#else
    vec a = wasm_i32x4_shuffle(s[0], s[1], 0, 4, 1, 5), b = wasm_i32x4_shuffle(s[0], s[1], 2, 6, 3, 7);
    vec c = wasm_i32x4_shuffle(s[2], s[3], 0, 4, 1, 5), d = wasm_i32x4_shuffle(s[2], s[3], 2, 6, 3, 7);
    s[0] = wasm_i64x2_shuffle(a, c, 0, 2);
    s[1] = wasm_i64x2_shuffle(a, c, 1, 3);
    s[2] = wasm_i64x2_shuffle(b, d, 0, 2);
    s[3] = wasm_i64x2_shuffle(b, d, 1, 3);
#endif
}

/* Lane i: the sum of s[i], added as vsum does. */
HD_INLINE vec vsum_each(const vec s[HD_VL])
{
#ifdef HD_FLOAT64
    return vadd(wasm_i64x2_shuffle(s[0], s[1], 0, 2), wasm_i64x2_shuffle(s[0], s[1], 1, 3));
#else
    vec a = vadd(wasm_i32x4_shuffle(s[0], s[1], 0, 4, 1, 5), wasm_i32x4_shuffle(s[0], s[1], 2, 6, 3, 7));
    vec b = vadd(wasm_i32x4_shuffle(s[2], s[3], 0, 4, 1, 5), wasm_i32x4_shuffle(s[2], s[3], 2, 6, 3, 7));
    return vadd(wasm_i32x4_shuffle(a, b, 0, 1, 4, 5), wasm_i32x4_shuffle(a, b, 2, 3, 6, 7));
#endif
}

HD_INLINE real vmax_lane(vec a)
{
    real t[HD_VL];
    vstore(t, a);
    real m = t[0];
    for (int i = 1; i < HD_VL; i++) {
        m = t[i] > m ? t[i] : m;
    }
    return m;
}

#endif
