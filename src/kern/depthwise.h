/* Depthwise convolution: groups = c, k = c * multiplier. Vectorised over channels. */
#ifndef HD_KERN_DEPTHWISE_H
#define HD_KERN_DEPTHWISE_H

#include "kern/conv.h"

size_t hd_depthwise_prepared(const hd_conv_shape *s);
void hd_depthwise_prepare(hd_pool *p, const hd_conv_shape *s, const real *w, real *prepared);
void hd_depthwise_forward(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *prepared,
                          const hd_epilogue *e, real *y);
/* prepared: of the same w. */
void hd_depthwise_back_data(hd_pool *p, const hd_conv_shape *s, int n, const real *dy, const real *prepared, real *dx,
                            bool add);
/* scratch: hd_depthwise_scratch elements. */
size_t hd_depthwise_scratch(const hd_conv_shape *s);
void hd_depthwise_back_weights(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *dy, real *dw,
                               real *scratch);

#endif
