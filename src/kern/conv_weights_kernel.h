/* Micro-kernels of the weight gradient of a convolution: outer products of pixels, summed in registers. At most about 12
 * live vectors, as in gemm_kernel.h. */
#ifndef HD_KERN_CONV_WEIGHTS_KERNEL_H
#define HD_KERN_CONV_WEIGHTS_KERNEL_H

#include "kern/vec.h"

#include <stdbool.h>

enum {
    HD_QUAD = 4,           /* filters in a strip of packed dY */
    HD_PANEL = 2 * HD_VL,  /* channels in a panel of packed X */
};

/* The pixels one tap sees in a packed block: X at x + image * x_image + row * x_row + col * x_step, the HD_QUAD filters of
 * dY at dy + image * dy_image + row * dy_row + col * HD_QUAD; dy_next: the next HD_QUAD filters. */
typedef struct hd_walk {
    const real *x, *dy, *dy_next;
    size_t x_image, x_row, x_step, dy_image, dy_row;
    int images, rows, cols;
} hd_walk;

/* Where a tile goes: its sums are stored at, or added to, the first filters x channels of dw. */
typedef struct hd_weight_tile {
    real *dw;
    size_t filter; /* elements from one filter to the next */
    int filters, channels;
    bool add;
} hd_weight_tile;

static inline void put_sums(const hd_weight_tile *o, const vec *s, int vectors)
{
    real t[8 * HD_VL];
    for (int i = 0; i < 8; i++) {
        vstore(t + i * HD_VL, s[i]);
    }
    for (int i = 0; i < o->filters; i++) {
        real *dw = o->dw + (size_t)i * o->filter;
        for (int c = 0; c < o->channels; c++) {
            const real sum = t[i * vectors * HD_VL + c];
            dw[c] = o->add ? dw[c] + sum : sum;
        }
    }
}

/* 4 filters x 2 vectors of channels. */
static __attribute__((noinline)) void weights_4x2(const hd_walk *w, const hd_weight_tile *o)
{
    vec s00 = vzero(), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    const size_t step = w->x_step;
    for (int n = 0; n < w->images; n++) {
        for (int i = 0; i < w->rows; i++) {
            const real *x = w->x + (size_t)n * w->x_image + (size_t)i * w->x_row;
            const real *dy = w->dy + (size_t)n * w->dy_image + (size_t)i * w->dy_row;
            for (const real *end = dy + w->cols * HD_QUAD; dy < end; dy += HD_QUAD, x += step) {
                const vec x0 = vload(x), x1 = vload(x + HD_VL);
                vec d = vset(dy[0]);
                s00 = vmadd(d, x0, s00);
                s01 = vmadd(d, x1, s01);
                d = vset(dy[1]);
                s10 = vmadd(d, x0, s10);
                s11 = vmadd(d, x1, s11);
                d = vset(dy[2]);
                s20 = vmadd(d, x0, s20);
                s21 = vmadd(d, x1, s21);
                d = vset(dy[3]);
                s30 = vmadd(d, x0, s30);
                s31 = vmadd(d, x1, s31);
            }
        }
    }
    const vec s[] = { s00, s01, s10, s11, s20, s21, s30, s31 };
    if (o->filters == HD_QUAD && o->channels == HD_PANEL) {
        for (int i = 0; i < HD_QUAD; i++) {
            real *dw = o->dw + (size_t)i * o->filter;
            vstore(dw, o->add ? vadd(vload(dw), s[2 * i]) : s[2 * i]);
            vstore(dw + HD_VL, o->add ? vadd(vload(dw + HD_VL), s[2 * i + 1]) : s[2 * i + 1]);
        }
        return;
    }
    put_sums(o, s, 2);
}

/* 8 filters x 1 vector: where at most HD_VL channels are left. */
static __attribute__((noinline)) void weights_8x1(const hd_walk *w, const hd_weight_tile *o)
{
    vec s0 = vzero(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    const size_t step = w->x_step;
    for (int n = 0; n < w->images; n++) {
        for (int i = 0; i < w->rows; i++) {
            const size_t at = (size_t)n * w->dy_image + (size_t)i * w->dy_row;
            const real *x = w->x + (size_t)n * w->x_image + (size_t)i * w->x_row;
            const real *dy = w->dy + at, *next = w->dy_next + at;
            for (const real *end = dy + w->cols * HD_QUAD; dy < end; dy += HD_QUAD, next += HD_QUAD, x += step) {
                const vec v = vload(x);
                s0 = vmadd(vset(dy[0]), v, s0);
                s1 = vmadd(vset(dy[1]), v, s1);
                s2 = vmadd(vset(dy[2]), v, s2);
                s3 = vmadd(vset(dy[3]), v, s3);
                s4 = vmadd(vset(next[0]), v, s4);
                s5 = vmadd(vset(next[1]), v, s5);
                s6 = vmadd(vset(next[2]), v, s6);
                s7 = vmadd(vset(next[3]), v, s7);
            }
        }
    }
    put_sums(o, (const vec[]){ s0, s1, s2, s3, s4, s5, s6, s7 }, 1);
}

#endif
