/* Kernels of the depthwise convolution: pixels of a row that see the same taps, their sums in registers, vectors along the
 * channels. */
#ifndef HD_KERN_DEPTHWISE_KERNEL_H
#define HD_KERN_DEPTHWISE_KERNEL_H

#include "kern/vec.h"

#include <stdbool.h>

enum { HD_PIXELS = 8 }; /* at most in a span */

/* Some pixels next to each other and the taps that all of them see. Steps in elements, from one to the next. */
typedef struct hd_span {
    const real *x, *w, *dy; /* of the first pixel and tap; dy: for dW */
    real *y;                /* dW: its sums, at the first tap */
    int rows, cols;
    ptrdiff_t x_row, x_col, w_row, w_col;
    size_t x_pixel, y_pixel;
    size_t from, end; /* channels of y, or of dY */
} hd_span;

/* How sums end. scale, shift NULL: 1, 0. */
typedef struct hd_finish {
    const real *scale, *shift;
    bool relu, relu6, add;
} hd_finish;

HD_INLINE void put(const hd_finish *f, size_t o, size_t n, vec s, real *y)
{
    const vec shift = f->shift ? vload_upto(f->shift + o, n) : vzero();
    s = f->scale ? vmadd(vload_upto(f->scale + o, n), s, shift) : vadd(s, shift);
    s = f->add ? vadd(vload_upto(y + o, n), s) : s;
    s = f->relu || f->relu6 ? vmax(s, vzero()) : s;
    vstore_upto(y + o, f->relu6 ? vmin(s, vset(6)) : s, n);
}

/* y[pixel][o] = sum over taps of x[pixel][o] w[o], for channels [o, o + n) with n <= HD_VL or whole vectors. */
HD_INLINE void sum_channels(const hd_span *s, const hd_finish *f, int pixels, size_t o, size_t n)
{
    vec sum[HD_PIXELS];
    for (int l = 0; l < pixels; l++) {
        sum[l] = vzero();
    }
    for (int a = 0; a < s->rows; a++) {
        const real *x = s->x + a * s->x_row + o, *w = s->w + a * s->w_row + o;
        for (int b = 0; b < s->cols; b++, x += s->x_col, w += s->w_col) {
            const vec v = vload_upto(w, n);
            for (int l = 0; l < pixels; l++) {
                sum[l] = vmadd(v, vload_upto(x + (size_t)l * s->x_pixel, n), sum[l]);
            }
        }
    }
    for (int l = 0; l < pixels; l++) {
        put(f, o, n, sum[l], s->y + (size_t)l * s->y_pixel);
    }
}

HD_INLINE void sum_pixels(const hd_span *s, const hd_finish *f, int pixels)
{
    size_t o = s->from;
    for (; o + HD_VL <= s->end; o += HD_VL) {
        sum_channels(s, f, pixels, o, HD_VL);
    }
    if (o < s->end) {
        sum_channels(s, f, pixels, o, s->end - o);
    }
}

/* Functions of their own: engines assign registers badly in one that holds them all. */
#define HD_NOINLINE static __attribute__((noinline))

HD_NOINLINE void sum_1(const hd_span *s, const hd_finish *f)
{
    sum_pixels(s, f, 1);
}

HD_NOINLINE void sum_4(const hd_span *s, const hd_finish *f)
{
    sum_pixels(s, f, 4);
}

HD_NOINLINE void sum_8(const hd_span *s, const hd_finish *f)
{
    sum_pixels(s, f, HD_PIXELS);
}

/* Elements that don't lie side by side. */
HD_INLINE vec gather(const real *x, const ptrdiff_t *at)
{
    real t[HD_VL];
    for (int l = 0; l < HD_VL; l++) {
        t[l] = x[at[l]];
    }
    return vload(t);
}

/* One pixel with m filters to a channel. Y from X: x at channel o / m, w at o. The adjoint, dX from dY: both at o m + i, i < m. */
HD_NOINLINE void sum_gathered(const hd_span *s, const hd_finish *f, size_t m, bool adjoint)
{
    for (size_t o = s->from; o < s->end; o += HD_VL) {
        const size_t n = s->end - o;
        vec sum = vzero();
        for (size_t i = 0; i < (adjoint ? m : 1); i++) {
            ptrdiff_t x_at[HD_VL], w_at[HD_VL];
            for (size_t l = 0; l < HD_VL; l++) {
                const size_t channel = o + (l < n ? l : n - 1);
                x_at[l] = (ptrdiff_t)(adjoint ? channel * m + i : channel / m);
                w_at[l] = (ptrdiff_t)(adjoint ? channel * m + i : channel);
            }
            for (int a = 0; a < s->rows; a++) {
                const real *x = s->x + a * s->x_row, *w = s->w + a * s->w_row;
                for (int b = 0; b < s->cols; b++, x += s->x_col, w += s->w_col) {
                    sum = vmadd(gather(w, w_at), gather(x, x_at), sum);
                }
            }
        }
        put(f, o, n, sum, s->y);
    }
}

/* dW sums of all taps: y[tap][o] += sum over pixels of dy[pixel][o] x[pixel][o]. The sum of some pixels is made first:
 * fewer roundings of the large sum. */
HD_INLINE void outer_channels(const hd_span *s, int pixels, size_t o, size_t n, size_t m)
{
    vec dy[HD_PIXELS];
    ptrdiff_t at[HD_VL];
    for (int l = 0; l < pixels; l++) {
        dy[l] = vload_upto(s->dy + (size_t)l * s->y_pixel + o, n);
    }
    for (size_t l = 0; l < HD_VL && m > 1; l++) {
        at[l] = (ptrdiff_t)((o + (l < n ? l : n - 1)) / m);
    }
    for (int a = 0; a < s->rows; a++) {
        const real *x = s->x + a * s->x_row;
        real *y = s->y + a * s->w_row + o;
        for (int b = 0; b < s->cols; b++, x += s->x_col, y += s->w_col) {
            vec sum = vmul(dy[0], m > 1 ? gather(x, at) : vload_upto(x + o, n));
            for (int l = 1; l < pixels; l++) {
                const real *next = x + (size_t)l * s->x_pixel;
                sum = vmadd(dy[l], m > 1 ? gather(next, at) : vload_upto(next + o, n), sum);
            }
            vstore_upto(y, vadd(vload_upto(y, n), sum), n);
        }
    }
}

HD_INLINE void outer_pixels(const hd_span *s, int pixels, size_t m)
{
    size_t o = s->from;
    for (; o + HD_VL <= s->end; o += HD_VL) {
        outer_channels(s, pixels, o, HD_VL, m);
    }
    if (o < s->end) {
        outer_channels(s, pixels, o, s->end - o, m);
    }
}

HD_NOINLINE void outer_1(const hd_span *s)
{
    outer_pixels(s, 1, 1);
}

HD_NOINLINE void outer_4(const hd_span *s)
{
    outer_pixels(s, 4, 1);
}

HD_NOINLINE void outer_8(const hd_span *s)
{
    outer_pixels(s, HD_PIXELS, 1);
}

/* One pixel with m filters to a channel. */
HD_NOINLINE void outer_gathered(const hd_span *s, size_t m)
{
    outer_pixels(s, 1, m);
}

#undef HD_NOINLINE

#endif
