/* Pictures as arrays [height, width, channels], rows from the top: bytes (0..255), or real. Every function cuts its work into rows, so
 * results do not depend on the number of threads; sums are in float64, in a fixed order. */
#ifndef HD_IMAGE_IMAGE_H
#define HD_IMAGE_IMAGE_H

#include "base/context.h"
#include "base/real.h"

#include <stdbool.h>

typedef struct hd_image {
    int type; /* HD_UINT8 or HD_FLOAT */
    int h, w, c;
} hd_image;

/* Number of elements. */
static inline size_t hd_image_size(hd_image i)
{
    return (size_t)i.h * (size_t)i.w * (size_t)i.c;
}

static inline size_t hd_image_bytes(hd_image i)
{
    return hd_image_size(i) * (i.type == HD_UINT8 ? 1 : sizeof(real));
}

/* To the nearest byte, halves up; saturates. */
static inline uint8_t hd_to_byte(double v)
{
    return v >= 254.5 ? 255 : v > 0 ? (uint8_t)(v + 0.5) : 0;
}

/* Index of a signal continued beyond its ends by mirror images, the end element twice. */
static inline int hd_mirrored(int i, int n)
{
    const int m = (i % (2 * n) + 2 * n) % (2 * n);
    return m < n ? m : 2 * n - 1 - m;
}

/* y [to_h, to_w, x's channels], of x's type. scale: see hd_image_resize in heddle.h. HD_OK or HD_ERR_MEMORY. */
hd_status hd_resize(hd_context *c, hd_image size, const void *x, int method, double scale, int to_h, int to_w, void *y);

/* Its rows [from, to) alone, with the same bits; x: rows `first` and on of a picture of `size`, among them those of hd_resize_reach: [low, high). */
hd_status hd_resize_rows(hd_context *c, hd_image size, int first, const void *x, int method, double scale, int to_h, int to_w, int from, int to, void *y);
hd_status hd_resize_reach(hd_context *c, int h, int method, double scale, int to_h, int from, int to, int *low, int *high);

enum { HD_SSIM_WINDOW = 11, HD_SSIM_SCALES = 5, HD_MS_SSIM_SIDE = HD_SSIM_WINDOW << (HD_SSIM_SCALES - 1) };

/* x, y of one size. luma: of luma alone, else the mean over the channels (for PSNR of the squared error). peak: the value of white. */
hd_status hd_compare(hd_context *c, hd_image size, const void *x, const void *y, int measure, bool luma, double peak, double *value);

/* y like x. which: HD_DISTORT_GAUSSIAN_BLUR ...; level 1..HD_DISTORT_LEVELS. Floats are 0..1. */
hd_status hd_distort(hd_context *c, hd_image size, const void *x, int which, int level, uint64_t seed, void *y);

/* x of 3 or more channels: the first three. `back`: from YCbCr to RGB; `full`: JFIF's range, else studio range. */
void hd_ycbcr(hd_pool *pool, hd_image size, const void *x, bool back, bool full, void *y);

/* y [h, w, c]: sums of kernel [kh, kw], odd, times the pixels around each (correlation). */
hd_status hd_filter(hd_context *c, hd_image size, const real *x, int kh, int kw, const double *kernel, int border, real *y);

/* y [count, ph, pw, c] from the places at [count, 2] (row, column), which are inside. */
void hd_patches(hd_pool *pool, hd_image size, const void *x, int ph, int pw, int count, const int *at, void *y);
/* The picture y from patches [count, ph, pw, c]: the mean of those over a pixel, weighted by window [ph, pw] > 0, or NULL. */
hd_status hd_blend(hd_context *c, hd_image size, const real *patches, int ph, int pw, int count, const int *at, const double *window, real *y);

/* A matrix network with one hidden matrix [rows, cols] on windows [patch_rows, patch_cols] of planes. weights: U_1 [rows, patch_rows] ... U_D,
 * V_1 [cols, patch_cols] ... V_D, B [rows, cols], R [patch_rows, rows], S [patch_cols, cols], C [patch_rows, patch_cols]. */
typedef struct hd_matnet {
    int planes, patch_rows, patch_cols, rows, cols;
    int activation, output_activation; /* hd_activation, not softmax */
    const real *weights;
} hd_matnet;

/* Output rows [from, to) of a picture h x w, whose rows [first, first + rows) are given. */
typedef struct hd_band {
    int h, w, first, rows, from, to;
} hd_band;

size_t hd_matnet_weights(const hd_matnet *net); /* their number */
enum { HD_MATNET_TILE = 4 };                         /* rows of windows that are computed together */
/* Rows [low, high) of the planes that the band's output rows depend on. */
void hd_matnet_reach(const hd_matnet *net, hd_band band, int *low, int *high);
/* y [to - from, w]: the mean of the network's outputs over the windows on each pixel. x: [planes, band.rows, w]; the band's rows include
 * hd_matnet_reach. HD_OK or HD_ERR_MEMORY. */
hd_status hd_matnet_windows(hd_context *c, const hd_matnet *net, hd_band band, const real *x, real *y);

#endif
