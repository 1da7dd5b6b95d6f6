/* Pooling of images, NHWC: windows that slide over each channel by itself. The padding holds nothing: it never is a
 * maximum. X: (N, h, w, c), Y: (N, oh, ow, c). Every window holds at least one element of the image. */
#ifndef HD_KERN_POOL2D_H
#define HD_KERN_POOL2D_H

#include "base/pool.h"
#include "base/real.h"

#include <stdbool.h>

typedef struct hd_pool2d {
    int h, w, c;               /* input */
    int oh, ow;                /* output */
    int kh, kw, sh, sw;        /* window, stride */
    int top, left;             /* padding */
} hd_pool2d;

/* Y = maximum of each window; NaN if it holds one. index (of Y's shape, or NULL): where in the window the first maximum
 * in row-major order lies, a kw + b for row a and column b. */
void hd_max_pool2d(hd_pool *p, const hd_pool2d *s, int n, const real *x, real *y, real *index);
/* dX: the sum of dY over the windows whose first maximum an element is; added with `add`, else overwritten. */
void hd_max_pool2d_back(hd_pool *p, const hd_pool2d *s, int n, const real *dy, const real *index, real *dx, bool add);

/* Y = mean over each window: over its elements in the image, or with count_padding over zeros in the padding too. */
void hd_average_pool2d(hd_pool *p, const hd_pool2d *s, int n, bool count_padding, const real *x, real *y);
void hd_average_pool2d_back(hd_pool *p, const hd_pool2d *s, int n, bool count_padding, const real *dy, real *dx,
                            bool add);

/* The same plainly, sums in float64. index as above. */
void hd_max_pool2d_ref(const hd_pool2d *s, int n, const real *x, real *y, real *index);
void hd_average_pool2d_ref(const hd_pool2d *s, int n, bool count_padding, const real *x, real *y);

#endif
