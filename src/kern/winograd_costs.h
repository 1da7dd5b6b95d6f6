/* The cost of a 3x3 convolution of stride 1 as a sum of terms; for its table's tool (tools/bench/native/conv_costs.c). */
#ifndef HD_KERN_WINOGRAD_COSTS_H
#define HD_KERN_WINOGRAD_COSTS_H

#include "kern/winograd_form.h"

enum { HD_WINOGRAD_TERMS = 5 };

/* What an image takes, as the table prices it.
 *   direct: multiply-adds by whole panels of filters, by a narrow one, pixels times filters, -, pixels;
 *   F(2x2), F(4x4): multiply-adds, tiles times channels, tiles times filters, register tiles, tiles. */
void hd_winograd_terms(hd_winograd form, const hd_conv_shape *s, double terms[HD_WINOGRAD_TERMS]);

#endif
