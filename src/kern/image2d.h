/* Moving pixels of images (N, H, W, C). */
#ifndef HD_KERN_IMAGE2D_H
#define HD_KERN_IMAGE2D_H

#include "base/pool.h"
#include "base/real.h"

#include <stdbool.h>

/* A rectangle of h x w pixels, at (xi, xj) in images of xh x xw and at (yi, yj) in images of yh x yw. */
typedef struct hd_rectangle {
    int h, w, c;
    int xh, xw, xi, xj;
    int yh, yw, yi, yj;
} hd_rectangle;

/* Copies it from n images x to n images y, or adds it. */
void hd_copy_rectangle(hd_pool *p, const hd_rectangle *r, int n, const real *x, real *y, bool add);

#endif
