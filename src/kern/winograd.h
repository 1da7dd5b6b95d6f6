/* Winograd's minimal filtering for 3x3 convolutions of stride 1 (Lavin & Gray 2016): F(4x4, 3x3) takes 36 products where
 * the direct sum takes 144, F(2x2, 3x3) 16 for 36.
 *
 * Errors in float32, relative to the sum of the absolute products of an output, for 8 to 512 channels: at most 1.2e-6 and
 * 0.7e-6 (tests/native/kern_winograd_test.c; 0.6e-6 and 0.34e-6 were seen). */
#ifndef HD_KERN_WINOGRAD_H
#define HD_KERN_WINOGRAD_H

#include "kern/conv.h"

/* kh = kw = 3, strides, dilations and groups 1, and the fixed table (winograd_costs.c) says that it wins. */
bool hd_winograd_wins(const hd_conv_shape *s);
/* The convolution whose forward pass is the input gradient of `s`, also 3x3 of stride 1. */
hd_conv_shape hd_winograd_adjoint(const hd_conv_shape *s);
/* What follows is for shapes for which it wins; the choice depends on the shape alone. */
size_t hd_winograd_prepared(const hd_conv_shape *s); /* elements */
/* flip: prepares the adjoint, to be run with hd_winograd_run on the shape of the adjoint convolution (c and k, h and oh ...
 * exchanged). w: always (k, 3, 3, c) of the forward convolution. `s`: the forward shape. */
void hd_winograd_prepare(hd_pool *p, const hd_conv_shape *s, bool flip, const real *w, real *prepared);
/* Y = epilogue(conv(X)), or added to Y with `add` (then without epilogue: e = NULL). Works in the threads' own scratch. */
void hd_winograd_run(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *prepared,
                     const hd_epilogue *e, bool add, real *y);

#endif
