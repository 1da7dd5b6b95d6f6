/* Micro-kernels of the matrix product. Both keep a tile of sums in registers over the whole of k; natively and in
 * V8 before version 12 more than about 12 live vectors spill, so a tile has 8 vectors of sums. */
#ifndef HD_KERN_GEMM_KERNEL_H
#define HD_KERN_GEMM_KERNEL_H

#include "kern/vec.h"

#include <stdbool.h>

enum {
    HD_TILE_ROWS = 4,
    HD_TILE_COLS = 2 * HD_VL, /* 8 in float32 */
    HD_TILE_MOST = 9 * HD_VL, /* elements of the largest tile */
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
HD_INLINE void tile_4x2(size_t k, hd_strip a, const real *a_next, const real *b, size_t b_step, const hd_tile *o)
{
    (void)a_next;
    vec s00 = vzero(), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
#define HD_STEP(b, x0, x1, x2, x3)                                                                                \
    do {                                                                                                          \
        vec b0 = vload(b), b1 = vload((b) + HD_VL), x;                                                            \
        x = vset(x0);                                                                                             \
        s00 = vmadd(x, b0, s00);                                                                                  \
        s01 = vmadd(x, b1, s01);                                                                                  \
        x = vset(x1);                                                                                             \
        s10 = vmadd(x, b0, s10);                                                                                  \
        s11 = vmadd(x, b1, s11);                                                                                  \
        x = vset(x2);                                                                                             \
        s20 = vmadd(x, b0, s20);                                                                                  \
        s21 = vmadd(x, b1, s21);                                                                                  \
        x = vset(x3);                                                                                             \
        s30 = vmadd(x, b0, s30);                                                                                  \
        s31 = vmadd(x, b1, s31);                                                                                  \
    } while (0)
    const real *a0 = a.data;
    if (a.row == 1 && o->rows == HD_TILE_ROWS) {
        for (size_t p = 0; p < k; p++, a0 += a.step, b += b_step) {
            HD_STEP(b, a0[0], a0[1], a0[2], a0[3]);
        }
    } else {
        const size_t last = (size_t)o->rows - 1;
        const real *a1 = a0 + (last < 1 ? last : 1) * a.row, *a2 = a0 + (last < 2 ? last : 2) * a.row;
        const real *a3 = a0 + last * a.row;
        for (size_t p = 0; p < k; p++, b += b_step) {
            HD_STEP(b, *a0, *a1, *a2, *a3);
            a0 += a.step;
            a1 += a.step;
            a2 += a.step;
            a3 += a.step;
        }
    }
#undef HD_STEP
    if (o->rows == HD_TILE_ROWS && o->cols == 2 * HD_VL) {
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

/* 8 rows x 1 vector, for what is left of the columns: rows 0..3 from a, 4..7 from a_next (laid out as a). */
HD_INLINE void tile_8x1(size_t k, hd_strip a, const real *a_next, const real *b, size_t b_step, const hd_tile *o)
{
    const size_t rows = (size_t)o->rows, low = (rows < 4 ? rows : 4) - 1, high = rows > 4 ? rows - 5 : 0;
    const real *a0 = a.data, *a1 = a0 + (low < 1 ? low : 1) * a.row, *a2 = a0 + (low < 2 ? low : 2) * a.row;
    const real *a3 = a0 + low * a.row, *a4 = rows > 4 ? a_next : a0, *a5 = a4 + (high < 1 ? high : 1) * a.row;
    const real *a6 = a4 + (high < 2 ? high : 2) * a.row, *a7 = a4 + high * a.row;
    vec s0 = vzero(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (size_t p = 0, q = 0; p < k; p++, q += a.step, b += b_step) {
        vec x = vload(b);
        s0 = vmadd(vset(a0[q]), x, s0);
        s1 = vmadd(vset(a1[q]), x, s1);
        s2 = vmadd(vset(a2[q]), x, s2);
        s3 = vmadd(vset(a3[q]), x, s3);
        s4 = vmadd(vset(a4[q]), x, s4);
        s5 = vmadd(vset(a5[q]), x, s5);
        s6 = vmadd(vset(a6[q]), x, s6);
        s7 = vmadd(vset(a7[q]), x, s7);
    }
    const vec s[] = { s0, s1, s2, s3, s4, s5, s6, s7 };
    if (o->cols == HD_VL) {
        for (int i = 0; i < o->rows; i++) {
            real *c = o->c + (size_t)i * o->ldc;
            vstore(c, blend(s[i], o->alpha, o->beta, c));
        }
        return;
    }
    real t[8 * HD_VL];
    for (int i = 0; i < 8; i++) {
        vstore(t + i * HD_VL, s[i]);
    }
    store_border(o, t, HD_VL);
}

/* 3 rows x 3 vectors, for the last 9 to 12 columns (float32) where A is stored by rows: it reads 3 rows at once,
 * tile_8x1 would read 8. */
HD_INLINE void tile_3x3(size_t k, hd_strip a, const real *a_next, const real *b, size_t b_step, const hd_tile *o)
{
    (void)a_next;
    const size_t last = (size_t)o->rows - 1;
    const real *a0 = a.data, *a1 = a0 + (last < 1 ? last : 1) * a.row, *a2 = a0 + last * a.row;
    vec s00 = vzero(), s01 = s00, s02 = s00, s10 = s00, s11 = s00, s12 = s00, s20 = s00, s21 = s00, s22 = s00;
    for (size_t p = 0; p < k; p++, a0 += a.step, a1 += a.step, a2 += a.step, b += b_step) {
        vec b0 = vload(b), b1 = vload(b + HD_VL), b2 = vload(b + 2 * HD_VL), x;
        x = vset(*a0);
        s00 = vmadd(x, b0, s00);
        s01 = vmadd(x, b1, s01);
        s02 = vmadd(x, b2, s02);
        x = vset(*a1);
        s10 = vmadd(x, b0, s10);
        s11 = vmadd(x, b1, s11);
        s12 = vmadd(x, b2, s12);
        x = vset(*a2);
        s20 = vmadd(x, b0, s20);
        s21 = vmadd(x, b1, s21);
        s22 = vmadd(x, b2, s22);
    }
    const vec s[] = { s00, s01, s02, s10, s11, s12, s20, s21, s22 };
    if (o->rows == 3 && o->cols == 3 * HD_VL) {
        for (int i = 0; i < 9; i++) {
            real *c = o->c + (size_t)(i / 3) * o->ldc + i % 3 * HD_VL;
            vstore(c, blend(s[i], o->alpha, o->beta, c));
        }
        return;
    }
    real t[9 * HD_VL];
    for (int i = 0; i < 9; i++) {
        vstore(t + i * HD_VL, s[i]);
    }
    store_border(o, t, 3 * HD_VL);
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
#define HD_STEP(load)                                                                                             \
    do {                                                                                                          \
        vec v0 = load(b), v1 = load(b1), x;                                                                       \
        x = load(a);                                                                                              \
        s00 = vmadd(x, v0, s00);                                                                                  \
        s01 = vmadd(x, v1, s01);                                                                                  \
        x = load(a1);                                                                                             \
        s10 = vmadd(x, v0, s10);                                                                                  \
        s11 = vmadd(x, v1, s11);                                                                                  \
        x = load(a2);                                                                                             \
        s20 = vmadd(x, v0, s20);                                                                                  \
        s21 = vmadd(x, v1, s21);                                                                                  \
        x = load(a3);                                                                                             \
        s30 = vmadd(x, v0, s30);                                                                                  \
        s31 = vmadd(x, v1, s31);                                                                                  \
    } while (0)
#define HD_WHOLE(x) vload((x) + p)
#define HD_PART(x) vload_part((x) + p, k - p)
    for (; p + HD_VL <= k; p += HD_VL) {
        HD_STEP(HD_WHOLE);
    }
    if (p < k) {
        HD_STEP(HD_PART);
    }
#undef HD_STEP
#undef HD_WHOLE
#undef HD_PART
    const vec s[] = { s00, s01, s10, s11, s20, s21, s30, s31 };
    real t[8];
    for (int i = 0; i < 8; i += HD_VL) {
        vstore(t + i, vsum_each(s + i));
    }
    store_border(o, t, 2);
}

#endif
