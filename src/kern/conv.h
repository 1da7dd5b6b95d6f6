/* Convolution of images, NHWC, zero padding: cross-correlation as everywhere in the field,
 *   Y[n,i,j,o] = sum_{a,b,c} W[o,a,b,c] X[n, i sh + a dh - top, j sw + b dw - left, c],  c in the group of o.
 * X: (N, h, w, c), W: (k, kh, kw, c / groups), Y: (N, oh, ow, k). `left`, `top` may be negative (crop).
 *
 * Several algorithms; hd_conv_plan chooses for each shape by fixed tables, so that the choice, and with it every bit, is
 * the same on all machines. Sums run in a fixed order that depends on shapes alone, never on the threads. */
#ifndef HD_KERN_CONV_H
#define HD_KERN_CONV_H

#include "base/pool.h"
#include "base/real.h"
#include "kern/activation.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct hd_conv_shape {
    int h, w, c;    /* input */
    int oh, ow, k;  /* output */
    int kh, kw, sh, sw, dh, dw;
    int top, left;  /* padding */
    int groups;     /* divides c and k */
} hd_conv_shape;

typedef enum hd_conv_algorithm {
    HD_CONV_TILES,     /* implicit GEMM on register tiles, no im2col; also 1x1 and grouped */
    HD_CONV_WINOGRAD,  /* 3x3 stride 1 (winograd.h) */
    HD_CONV_DEPTHWISE  /* groups = c (depthwise.h) */
} hd_conv_algorithm;

/* A planned convolution: plain data, at most 128 bytes. */
typedef struct hd_conv {
    hd_conv_shape s;
    unsigned char forward, back_data; /* hd_conv_algorithm */
    size_t prepared;                  /* elements of the weights as `forward` wants them */
    size_t scratch;                   /* elements of scratch that forward and both backward calls need, whatever N is */
} hd_conv;

/* What happens to each output right after it was summed: y = act(scale[o] y + shift[o]). scale NULL: 1; shift NULL: 0.
 * shift alone is a bias. act is not HD_SOFTMAX. */
typedef struct hd_epilogue {
    const real *scale, *shift; /* (k) */
    hd_activation act;
    real alpha;
} hd_epilogue;

/* The epilogue as a pass of its own, with the same bits: y = act(scale[o] x + shift[o]), fused where multiply-adds are.
 * x, y: (pixels, k), may be the same array. */
void hd_epilogue_apply(hd_pool *p, const hd_epilogue *e, size_t pixels, int k, const real *x, real *y);

void hd_conv_plan(const hd_conv_shape *s, hd_conv *out);
/* w: (k, kh, kw, c / groups) -> prepared. */
void hd_conv_prepare(hd_pool *p, const hd_conv *v, const real *w, real *prepared);
void hd_conv_forward(hd_pool *p, const hd_conv *v, int n, const real *x, const real *w, const real *prepared,
                     const hd_epilogue *e, real *y, real *scratch);
/* dX = adjoint of the convolution applied to dY; added to dx with `add`. Reorders w into scratch itself. */
void hd_conv_back_data(hd_pool *p, const hd_conv *v, int n, const real *dy, const real *w, real *dx, bool add,
                       real *scratch);
/* dW = sum over images and positions; overwritten. */
void hd_conv_back_weights(hd_pool *p, const hd_conv *v, int n, const real *x, const real *dy, real *dw, real *scratch);

/* The same plainly, accumulated in float64. */
void hd_conv_forward_ref(const hd_conv_shape *s, int n, const real *x, const real *w, real *y);
void hd_conv_back_data_ref(const hd_conv_shape *s, int n, const real *dy, const real *w, real *dx, bool add);
void hd_conv_back_weights_ref(const hd_conv_shape *s, int n, const real *x, const real *dy, real *dw);

#endif
