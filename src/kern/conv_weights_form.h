/* The weight gradient by minimal filtering; internal to conv_weights*.c. */
#ifndef HD_KERN_CONV_WEIGHTS_FORM_H
#define HD_KERN_CONV_WEIGHTS_FORM_H

#include "kern/conv_weights.h"

/* Chunks of pixels that dW of `size` elements is summed in: `wanted` if their sums don't need too much memory. */
int hd_weight_chunks(int wanted, size_t size);

/* At most. */
int hd_conv_weights_winograd_chunks(const hd_conv_shape *s);
/* For shapes for which it wins, n > 0. Returns the chunks: the first one's sum is in dw, the others' in partial. */
int hd_conv_weights_winograd(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *dy, real *dw,
                             real *partial);

#endif
