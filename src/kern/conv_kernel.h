/* Micro-kernels of the implicit matrix product: 4 output pixels x 2 vectors of filters, or 8 x 1. A pixel's inputs lie
 * in `runs` pieces of `length` contiguous elements, found through pointers; the weights of the panel follow each other
 * in the same order. 8 vectors of sums: more than about 12 live vectors spill natively and in V8 before version 12. */
#ifndef HD_KERN_CONV_KERNEL_H
#define HD_KERN_CONV_KERNEL_H

#include "kern/vec.h"

#include <stdbool.h>

enum {
    HD_PIXELS = 4,         /* of a tile */
    HD_PANEL = 2 * HD_VL,  /* filters side by side in a panel: 8 in float32 */
    HD_TILE_SIZE = HD_PIXELS * HD_PANEL
};

/* What becomes of a finished sum: y = act(scale y + shift), act linear, relu or relu6; or added to y. scale and shift of
 * the panel's first filter; NULL: 1 and 0. */
typedef struct hd_finish {
    const real *scale, *shift;
    bool relu, relu6, add;
} hd_finish;

/* One panel for all pixels of a task. */
typedef struct hd_panel_job {
    const real *const *at; /* (tile of 4 pixels, run, pixel) pointers to inputs; missing pixels read zeros */
    int runs;
    size_t length;
    const real *weights; /* (run, length, filters of the panel) */
    real *sums;          /* (tile, 4 x panel): the sums so far, and where to leave them if this is not the last part */
    bool first, last;
    real *const *y;      /* last: the pixels' outputs; `column` elements further is the panel's first filter */
    size_t column;
    int pixels, filters; /* that exist */
    hd_finish finish;
} hd_panel_job;

HD_INLINE vec finished(const hd_finish *f, vec s, vec scale, vec shift, vec old)
{
    s = f->scale ? vmadd(scale, s, shift) : vadd(s, shift);
    s = f->add ? vadd(old, s) : s;
    s = f->relu ? vmax(s, vzero()) : s;
    return f->relu6 ? vmin(s, vset(6)) : s;
}

/* Pixels from m on of a tile that lacks pixels or filters. */
static __attribute__((noinline)) void finish_border(const hd_panel_job *j, int m, int vectors, const real *sums)
{
    const hd_finish *f = &j->finish;
    for (int end = m + 8 / vectors; m < end && m < j->pixels; m++) {
        for (int o = 0; o < vectors * HD_VL; o += HD_VL, sums += HD_VL) {
            const size_t n = (size_t)(j->filters - o);
            const vec scale = f->scale ? vload_upto(f->scale + o, n) : vzero();
            const vec shift = f->shift ? vload_upto(f->shift + o, n) : vzero();
            real *y = j->y[m] + j->column + o;
            vstore_upto(y, finished(f, vload(sums), scale, shift, f->add ? vload_upto(y, n) : vzero()), n);
        }
    }
}

HD_INLINE void finish_whole(const hd_panel_job *j, int m, int vectors, const vec s[8])
{
    const hd_finish *f = &j->finish;
    vec t[8], scale[2], shift[2];
    for (int v = 0; v < vectors; v++) {
        scale[v] = f->scale ? vload(f->scale + v * HD_VL) : vzero();
        shift[v] = f->shift ? vload(f->shift + v * HD_VL) : vzero();
    }
    for (int i = 0; i < 8; i++) {
        t[i] = f->scale ? vmadd(scale[i % vectors], s[i], shift[i % vectors]) : vadd(s[i], shift[i % vectors]);
    }
    for (int i = 0; i < 8 && f->relu; i++) {
        t[i] = vmax(t[i], vzero());
    }
    for (int i = 0; i < 8 && f->relu6; i++) {
        t[i] = vmin(t[i], vset(6));
    }
    for (int i = 0; i < 8; i++) {
        real *y = j->y[m + i / vectors] + j->column + i % vectors * HD_VL;
        vstore(y, f->add ? vadd(vload(y), t[i]) : t[i]);
    }
}

HD_INLINE void leave_tile(const hd_panel_job *j, int m, int vectors, real *sums, const vec s[8])
{
    if (j->last && m + 8 / vectors <= j->pixels && j->filters >= vectors * HD_VL) {
        finish_whole(j, m, vectors, s);
        return;
    }
    for (int i = 0; i < 8; i++) {
        vstore(sums + i * HD_VL, s[i]);
    }
    if (j->last) {
        finish_border(j, m, vectors, sums);
    }
}

#define HD_START(i) (j->first ? vzero() : vload(sums + (i) * HD_VL))

static __attribute__((noinline)) void conv_panel_4x2(const hd_panel_job *j)
{
    const real *const *at = j->at;
    real *sums = j->sums;
    for (int m = 0; m < j->pixels; m += HD_PIXELS, sums += HD_TILE_SIZE) {
        vec s00 = HD_START(0), s01 = HD_START(1), s10 = HD_START(2), s11 = HD_START(3);
        vec s20 = HD_START(4), s21 = HD_START(5), s30 = HD_START(6), s31 = HD_START(7);
        const real *b = j->weights;
        for (int r = j->runs; r > 0; r--, at += HD_PIXELS) {
            const real *a0 = at[0], *a1 = at[1], *a2 = at[2], *a3 = at[3];
            for (size_t p = j->length; p > 0; p--, a0++, a1++, a2++, a3++, b += HD_PANEL) {
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
            }
        }
        leave_tile(j, m, 2, sums, (vec[]){ s00, s01, s10, s11, s20, s21, s30, s31 });
    }
}

/* For panels of up to one vector: two tiles at once, as single sums would wait for each other. */
static __attribute__((noinline)) void conv_panel_8x1(const hd_panel_job *j)
{
    const size_t tile = (size_t)j->runs * HD_PIXELS;
    const real *const *at = j->at;
    real *sums = j->sums;
    for (int m = 0; m < j->pixels; m += 2 * HD_PIXELS, sums += HD_TILE_SIZE, at += tile) {
        vec s0 = HD_START(0), s1 = HD_START(1), s2 = HD_START(2), s3 = HD_START(3);
        vec s4 = HD_START(4), s5 = HD_START(5), s6 = HD_START(6), s7 = HD_START(7);
        const real *const *next = m + HD_PIXELS < j->pixels ? at + tile : at;
        const real *b = j->weights;
        for (int r = j->runs; r > 0; r--, at += HD_PIXELS, next += HD_PIXELS) {
            const real *a0 = at[0], *a1 = at[1], *a2 = at[2], *a3 = at[3];
            const real *a4 = next[0], *a5 = next[1], *a6 = next[2], *a7 = next[3];
            for (size_t p = 0; p < j->length; p++, b += HD_VL) {
                vec x = vload(b);
                s0 = vmadd(vset(a0[p]), x, s0);
                s1 = vmadd(vset(a1[p]), x, s1);
                s2 = vmadd(vset(a2[p]), x, s2);
                s3 = vmadd(vset(a3[p]), x, s3);
                s4 = vmadd(vset(a4[p]), x, s4);
                s5 = vmadd(vset(a5[p]), x, s5);
                s6 = vmadd(vset(a6[p]), x, s6);
                s7 = vmadd(vset(a7[p]), x, s7);
            }
        }
        leave_tile(j, m, 1, sums, (vec[]){ s0, s1, s2, s3, s4, s5, s6, s7 });
    }
}

#undef HD_START

#endif
