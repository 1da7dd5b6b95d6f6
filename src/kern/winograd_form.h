/* Winograd's filtering with the size of the tile given: what winograd.h chooses from. For its tests and measurements. */
#ifndef HD_KERN_WINOGRAD_FORM_H
#define HD_KERN_WINOGRAD_FORM_H

#include "kern/winograd.h"

typedef enum hd_winograd {
    HD_WINOGRAD_NONE, /* the direct sum costs less */
    HD_WINOGRAD_2,    /* F(2x2, 3x3) */
    HD_WINOGRAD_4,    /* F(4x4, 3x3) */
} hd_winograd;

/* The cheapest by the fixed table. */
hd_winograd hd_winograd_choice(const hd_conv_shape *s);

/* 3x3, strides, dilations and groups 1, and few enough channels for the scratch (3,600 in float32 with 4x4 tiles). */
bool hd_winograd_possible(hd_winograd form, const hd_conv_shape *s);
size_t hd_winograd_prepared_as(hd_winograd form, const hd_conv_shape *s);
void hd_winograd_prepare_as(hd_winograd form, hd_pool *p, const hd_conv_shape *s, bool flip, const real *w, real *prepared);
void hd_winograd_run_as(hd_winograd form, hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *prepared,
                        const hd_epilogue *e, bool add, real *y);

#endif
