/* Weight gradient of a convolution: dW[o,a,b,c] = sum over n, i, j of dY[n,i,j,o] X[n, i sh + a dh - top, j sw + b dw - left, c].
 * Not for depthwise ones. */
#ifndef HD_KERN_CONV_WEIGHTS_H
#define HD_KERN_CONV_WEIGHTS_H

#include "kern/conv.h"

/* By minimal filtering: 3x3, strides, dilations and groups 1, and enough of all. Its rounding errors are up to 32 times
 * those of one product, relative to the largest sum of |dY| |X| over the taps. */
bool hd_conv_weights_winograd_wins(const hd_conv_shape *s, int n);
size_t hd_conv_weights_scratch(const hd_conv_shape *s); /* elements, whatever N is */
void hd_conv_weights(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *dy, real *dw, real *scratch);

#endif
