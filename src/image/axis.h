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
void hd_axis_free(hd_context *c, hd_axis *a);

#endif
