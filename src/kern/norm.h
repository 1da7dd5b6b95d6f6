/* Statistics and normalisation of channels (the last axis) and of rows. x: (rows, c). */
#ifndef HD_KERN_NORM_H
#define HD_KERN_NORM_H

#include "base/pool.h"
#include "base/real.h"
#include "kern/activation.h"

#include <stdbool.h>

/* Vectors run over several rows where c is no multiple of theirs. So vectors of one number a channel ("per channel", below)
 * have room for hd_channel_period elements: the caller fills the first c, the kernels repeat them. */
size_t hd_channel_period(size_t c);
/* Elements of scratch for the sums below. */
size_t hd_channel_scratch(size_t c);

/* Mean and biased variance of each channel; (c) each. Sums over 128 rows in real, about their own mean and with its rounding
 * corrected (Chan, Golub & LeVeque 1983, two-pass algorithm), the rest in float64. rows >= 1. */
void hd_channel_moments(hd_pool *p, size_t rows, size_t c, const real *x, double *mean, double *variance,
                        real *scratch);
/* sum[c] = sum of dy, dot[c] = sum of dy (x - center). center: per channel. */
void hd_channel_products(hd_pool *p, size_t rows, size_t c, const real *x, real *center, const real *dy, double *sum,
                         double *dot, real *scratch);

/* y = act(scale (x - center) + shift), or y += with `add` (then act is linear). All per channel; center NULL: 0, and then
 * exactly scale * x + shift (fused in the relaxed build). */
void hd_channel_scale(hd_pool *p, size_t rows, size_t c, const real *x, real *center, real *scale, real *shift,
                      hd_activation act, real alpha, real *y, bool add);
/* dx = a dy + b (x - center) + d, or dx += with `add`. All per channel. */
void hd_channel_back(hd_pool *p, size_t rows, size_t c, const real *x, real *center, const real *dy, real *a, real *b,
                     real *d, real *dx, bool add);

#endif
