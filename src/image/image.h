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

/* y [to_h, to_w, x's channels], of x's type. scale: see hd_image_resize in heddle.h. HD_OK or HD_ERR_MEMORY. */
hd_status hd_resize(hd_context *c, hd_image size, const void *x, int method, double scale, int to_h, int to_w, void *y);

#endif
