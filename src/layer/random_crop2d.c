/* Pads images and crops them back to their size at a random place, as is usual for CIFAR (He et al. 2016, 4.2: padding 4). */
#include "layer/augment.h"

enum { PADDING, FILL };
enum { ZERO, REFLECT };

static const char *const fills[] = { "zero", "reflect", NULL };

static const hd_option options[] = {
    { .name = "padding", .type = HD_INT, .min = 0, .max = 1024, .def = 4, .doc = "pixels added on each side before the crop" },
    { .name = "fill", .type = HD_ENUM, .names = fills, .doc = "what is added: zero, or the image mirrored at its border pixels" },
    { 0 },
};

/* v: rows and columns by which the crop is shifted, -padding..padding. */
static void draw(const hd_values *opt, hd_rng rng, uint64_t sample, hd_draw *out)
{
    const double padding = opt->number[PADDING];
    uint32_t word[4];
    hd_rng_block(rng, sample, word);
    for (int k = 0; k < 2; k++) {
        out->v[k] = (double)(int)(hd_rng_word_uniform(word[k]) * (2 * padding + 1)) - padding;
    }
}

/* -1: outside. */
static int place(int i, int n, bool reflect)
{
    if (i >= 0 && i < n) {
        return i;
    }
    if (!reflect) {
        return -1;
    }
    const int period = n > 1 ? 2 * (n - 1) : 1, at = (i % period + period) % period;
    return at < n ? at : period - at;
}

static void source(const hd_values *opt, const hd_draw *d, int h, int w, int i, int j, hd_pixel_source *out)
{
    const bool reflect = opt->number[FILL] == REFLECT;
    const int row = place(i + (int)d->v[0], h, reflect), col = place(j + (int)d->v[1], w, reflect);
    *out = (hd_pixel_source){ row >= 0 && col >= 0, { row }, { col }, { 1 } };
}

static const hd_augmentation augmentation = { draw, source };

static void forward(const hd_run *r)
{
    hd_augment_forward(r, &augmentation);
}

static void backward(const hd_run *r)
{
    hd_augment_backward(r, &augmentation);
}

static const hd_example examples[] = {
    { 1, { { 3, { 4, 3, 2 } } }, 1, { 2 } },
    { 1, { { 3, { 3, 4, 1 } } }, 2, { 5, REFLECT } },
    { 0 },
};

const hd_layer_class hd_layer_random_crop2d = {
    .name = "randomCrop2d",
    .doc = "pads images [H, W, C] and crops them back at a random place in training; the identity at inference",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .shape = hd_augment_shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
