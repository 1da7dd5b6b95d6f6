/* Convolution as an implicit matrix product on register tiles: no im2col, inputs are found through lists of pointers.
 * One description serves the convolution, its adjoint (one phase of output pixels at a time), dilation and groups. */
#ifndef HD_KERN_CONV_TILE_H
#define HD_KERN_CONV_TILE_H

#include "kern/conv.h"

/* The taps along one axis: the t-th reads the input at (output index * stride + first + t * step) and has the weight
 * at weight + t * weight_step. */
typedef struct hd_taps {
    int count, first, step, weight, weight_step;
} hd_taps;

/* Y[n,i,j,o] = sum over taps (a,b) and channels: the grid of outputs may be a part of a larger image. */
typedef struct hd_conv_tiles {
    int n, h, w, c;  /* input (n, h, w, c) */
    int oh, ow, k;   /* grid of outputs, channels of an output pixel */
    int sh, sw;      /* input steps from one output to the next */
    int groups;
    hd_taps rows, cols;
    const real *x;
    real *y;                        /* output (0, 0) of the grid in the first image */
    size_t y_image, y_row, y_pixel; /* steps, in elements */
    size_t first;                   /* elements of the image before output (0, 0) of the grid */
} hd_conv_tiles;

/* The convolution, and the part of its adjoint for inputs (py, px), (py + sh, px + sw)...: a convolution of dY with some
 * of the taps. n, x and y are left to fill in. */
hd_conv_tiles hd_conv_tiles_forward(const hd_conv_shape *s);
hd_conv_tiles hd_conv_tiles_phase(const hd_conv_shape *s, int py, int px);

/* Weights: (o, a, b, i) of one group at w[o * out + (a * kw + b) * tap + i * in]; the next group follows at `group`. */
typedef struct hd_conv_filters {
    const real *w;
    size_t out, tap, in, group;
    int kw;
} hd_conv_filters;

/* Elements of the packed weights: panels of filters, padded to whole vectors. Taps, channels in and out of all groups. */
size_t hd_conv_tiles_packed(int taps, int c, int k, int groups);
void hd_conv_tiles_pack(hd_pool *p, const hd_conv_tiles *t, const hd_conv_filters *f, real *packed);
/* Y = epilogue(sums), or added to Y with `add` (then e = NULL). Of the activations only linear, relu and relu6 are
 * applied. */
void hd_conv_tiles_run(hd_pool *p, const hd_conv_tiles *t, const real *packed, const hd_epilogue *e, bool add);

#endif
