/* One side of a picture resampled: every output is a weighted sum of neighbouring inputs. */
#ifndef HD_IMAGE_AXIS_H
#define HD_IMAGE_AXIS_H

#include "image/image.h"

enum { HD_FIXED_BITS = 22 }; /* behind the binary point of `fixed`: 255 and a sum of weights near 1 fit 31 bits */

typedef struct hd_axis {
    int in, out;
    int most;         /* weights of an output at most */
    bool same;        /* nothing changes */
    int *first;       /* [out]: first input of each output */
    int *count;       /* [out]: how many inputs */
    double *weight;   /* [out x most] */
    int32_t *fixed;   /* the same, rounded to HD_FIXED_BITS bits; bilinear only */
    void *memory;
} hd_axis;

/* scale: out / in, or what imresize was given. */
hd_status hd_axis_new(hd_context *c, hd_axis *a, int method, int in, int out, double scale);
/* A Gaussian, cut off at 3 deviations, its sum 1; the border mirrored. */
hd_status hd_axis_gaussian(hd_context *c, hd_axis *a, int n, double deviation);
void hd_axis_free(hd_context *c, hd_axis *a);

enum { HD_PASS_BYTES, HD_PASS_REALS, HD_PASS_FIXED };
/* Resamples the height (`down`) or the width of x [from] into y, of the same type, and returns y's size. */
hd_image hd_resample(hd_pool *pool, const hd_axis *a, bool down, int pass, hd_image from, const void *x, void *y);

#endif
