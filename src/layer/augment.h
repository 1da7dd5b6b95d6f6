/* Random changes of images, each sample its own, drawn anew at each step: identity at inference. The same seed, step and
 * layer give the same draws, in backward too, whatever the number of threads. */
#ifndef HD_LAYER_AUGMENT_H
#define HD_LAYER_AUGMENT_H

#include "layer/layer.h"

/* Where a pixel's value comes from: a weighted sum of at most four pixels of the sample's input. */
typedef struct hd_pixel_source {
    int count, row[4], col[4];
    real weight[4];
} hd_pixel_source;

/* What is drawn for one sample, by meaning of the layer. */
typedef struct hd_draw {
    double v[4];
} hd_draw;

typedef struct hd_augmentation {
    void (*draw)(const hd_values *opt, hd_rng rng, uint64_t sample, hd_draw *out);
    /* For pixel (i, j) of an image h x w. */
    void (*source)(const hd_values *opt, const hd_draw *d, int h, int w, int i, int j, hd_pixel_source *out);
} hd_augmentation;

hd_status hd_augment_shape(hd_build *b); /* images [H, W, C] as they are */
void hd_augment_forward(const hd_run *r, const hd_augmentation *a);
void hd_augment_backward(const hd_run *r, const hd_augmentation *a);

#endif
