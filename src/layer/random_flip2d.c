/* Flips images at random: the cheapest augmentation, for everything that looks alike in a mirror. */
#include "layer/augment.h"

enum { MODE };
enum { HORIZONTAL, VERTICAL, BOTH };

static const char *const modes[] = { "horizontal", "vertical", "both", NULL };

static const hd_option options[] = {
    { .name = "mode", .type = HD_ENUM, .names = modes,
      .doc = "horizontal: left and right are exchanged in half of the images; vertical: top and bottom; both: each of the two" },
    { 0 },
};

/* v: rows flipped, columns flipped. */
static void draw(const hd_values *opt, hd_rng rng, uint64_t sample, hd_draw *out)
{
    const int mode = (int)opt->number[MODE];
    uint32_t word[4];
    hd_rng_block(rng, sample, word);
    out->v[0] = mode != HORIZONTAL && word[0] >> 31;
    out->v[1] = mode != VERTICAL && word[1] >> 31;
}

static void source(const hd_values *opt, const hd_draw *d, int h, int w, int i, int j, hd_pixel_source *out)
{
    (void)opt;
    *out = (hd_pixel_source){ 1, { d->v[0] != 0 ? h - 1 - i : i }, { d->v[1] != 0 ? w - 1 - j : j }, { 1 } };
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
    { 1, { { 3, { 3, 4, 2 } } }, 1, { HORIZONTAL } },
    { 1, { { 3, { 4, 3, 1 } } }, 1, { BOTH } },
    { 0 },
};

const hd_layer_class hd_layer_random_flip2d = {
    .name = "randomFlip2d",
    .doc = "flips images [H, W, C] at random in training; the identity at inference",
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
