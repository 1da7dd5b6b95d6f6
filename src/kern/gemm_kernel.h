/* Micro-kernels of the matrix product. Both keep a tile of sums in registers over the whole of k; natively and in
 * V8 before version 12 more than about 12 live vectors spill, so a tile has 8 vectors of sums. */
#ifndef HD_KERN_GEMM_KERNEL_H
#define HD_KERN_GEMM_KERNEL_H

#include "kern/vec.h"

#include <stdbool.h>

enum {
    HD_TILE_ROWS = 4,
    HD_TILE_COLS = 2 * HD_VL, /* 8 in float32 */
};

/* An operand as its kernel walks it: element (i, p) at data[i * row + p * step]. */
typedef struct hd_strip {
    const real *data;
    size_t row, step;
} hd_strip;

/* Where a tile goes: C = alpha * sum + beta * C for its first rows x cols. */
typedef struct hd_tile {
    real *c;
    size_t ldc;
    real alpha, beta;
    int rows, cols;
} hd_tile;

/* alpha * sum + beta * old, old unread if beta is 0. */
HD_INLINE vec blend(vec sum, real alpha, real beta, const real *old)
{
    sum = vmul(vset(alpha), sum);
    return beta == 0 ? sum : vadd(sum, beta == 1 ? vload(old) : vmul(vset(beta), vload(old)));
}

/* The border: the full tile in t, of which only the first rows x cols exist in C. */
static void store_border(const hd_tile *o, const real *t, int width)
{
    for (int i = 0; i < o->rows; i++) {
        real *c = o->c + (size_t)i * o->ldc;
        for (int j = 0; j < o->cols; j++) {
            real sum = o->alpha * t[i * width + j];
            c[j] = o->beta == 0 ? sum : sum + o->beta * c[j];
        }
    }
}

HD_INLINE void store_row2(const hd_tile *o, int i, vec s0, vec s1)
{
    real *c = o->c + (size_t)i * o->ldc;
    vec r0 = blend(s0, o->alpha, o->beta, c), r1 = blend(s1, o->alpha, o->beta, c + HD_VL);
    vstore(c, r0);
    vstore(c + HD_VL, r1);
}

/* 4 rows x 2 vectors: sum over p < k of A(i, p) B(p, j), with A(i, p) = a.data[i * a.row + p * a.step] and B(p, j) =
 * b[p * b_step + j]. Rows beyond o->rows repeat the last one. */
HD_INLINE void tile_4x2(size_t k, hd_strip a, const real *b, size_t b_step, const hd_tile *o)
{
    const size_t last = (size_t)o->rows - 1;
    const real *a0 = a.data, *a1 = a0 + (last < 1 ? last : 1) * a.row;
    const real *a2 = a0 + (last < 2 ? last : 2) * a.row, *a3 = a0 + last * a.row;
    vec s00 = vzero(), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    for (size_t p = 0; p < k; p++) {
        vec b0 = vload(b), b1 = vload(b + HD_VL), x;
        x = vset(*a0);
        s00 = vmadd(x, b0, s00);
        s01 = vmadd(x, b1, s01);
        x = vset(*a1);
        s10 = vmadd(x, b0, s10);
        s11 = vmadd(x, b1, s11);
        x = vset(*a2);
        s20 = vmadd(x, b0, s20);
        s21 = vmadd(x, b1, s21);
        x = vset(*a3);
        s30 = vmadd(x, b0, s30);
        s31 = vmadd(x, b1, s31);
        a0 += a.step;
        a1 += a.step;
        a2 += a.step;
        a3 += a.step;
        b += b_step;
    }
    if (o->rows == 4 && o->cols == 2 * HD_VL) {
        store_row2(o, 0, s00, s01);
        store_row2(o, 1, s10, s11);
        store_row2(o, 2, s20, s21);
        store_row2(o, 3, s30, s31);
        return;
    }
    const vec s[] = { s00, s01, s10, s11, s20, s21, s30, s31 };
    real t[8 * HD_VL];
    for (int i = 0; i < 8; i++) {
        vstore(t + i * HD_VL, s[i]);
    }
    store_border(o, t, 2 * HD_VL);
}

/* 4 rows x 2 columns, both operands contiguous in k, which is what is vectorised: A(i, p) = a[i * lda + p], B(p, j) =
 * b[j * ldb + p]. */
HD_INLINE void tile_dot(size_t k, const real *a, size_t lda, const real *b, size_t ldb, const hd_tile *o)
{
    const size_t last = (size_t)o->rows - 1;
    const real *a1 = a + (last < 1 ? last : 1) * lda, *a2 = a + (last < 2 ? last : 2) * lda, *a3 = a + last * lda;
    const real *b1 = b + (o->cols > 1 ? ldb : 0);
    vec s00 = vzero(), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    size_t p = 0;
    for (; p < k; p += HD_VL) {
        const size_t left = k - p;
        const bool whole = left >= HD_VL;
#define HD_TAKE(x) (whole ? vload((x) + p) : vload_part((x) + p, left))
        vec v0 = HD_TAKE(b), v1 = HD_TAKE(b1), x;
        x = HD_TAKE(a);
        s00 = vmadd(x, v0, s00);
        s01 = vmadd(x, v1, s01);
        x = HD_TAKE(a1);
        s10 = vmadd(x, v0, s10);
        s11 = vmadd(x, v1, s11);
        x = HD_TAKE(a2);
        s20 = vmadd(x, v0, s20);
        s21 = vmadd(x, v1, s21);
        x = HD_TAKE(a3);
        s30 = vmadd(x, v0, s30);
        s31 = vmadd(x, v1, s31);
#undef HD_TAKE
    }
    const real t[] = { vsum(s00), vsum(s01), vsum(s10), vsum(s11), vsum(s20), vsum(s21), vsum(s30), vsum(s31) };
    store_border(o, t, 2);
}

#endif
