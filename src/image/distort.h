/* Distortions of pictures of reals 0..255, [h, w, c], of whose c channels the first `colours` count. The result is where x points then: it may
 * have changed places with `other`, which is as large and holds nothing. */
#ifndef HD_IMAGE_DISTORT_H
#define HD_IMAGE_DISTORT_H

#include "image/image.h"

typedef struct hd_distortion {
    hd_pool *pool;
    int h, w, c, colours;
    real *x, *other;
    double strength; /* of the level: deviation, length, probability, quality, factor */
    uint64_t seed;
} hd_distortion;

enum { HD_DISTORT_PURPOSE = 0x696d6700 }; /* of random numbers */

/* Colours: all channels but the last of 2 or 4, which is alpha. */
static inline int hd_colours(int channels)
{
    return channels == 2 || channels == 4 ? channels - 1 : channels;
}

hd_status hd_gaussian_blur(hd_context *c, hd_distortion *d);
hd_status hd_motion_blur(hd_context *c, hd_distortion *d);
hd_status hd_downscale(hd_context *c, hd_distortion *d);
/* Three colours are Y, Cb, Cr with both standard tables; else each channel is a luma. */
hd_status hd_jpeg_blocking(hd_context *c, hd_distortion *d);

#endif
