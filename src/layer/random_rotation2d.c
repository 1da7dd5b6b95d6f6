/* Turns images about their centre by a small random angle, with bilinear interpolation. */
#include "base/scalar.h"
#include "layer/augment.h"

#include <math.h>

enum { DEGREES, FILL };
enum { ZERO, NEAREST };

static const char *const fills[] = { "zero", "nearest", NULL };

static const hd_option options[] = {
    { .name = "degrees", .type = HD_NUMBER, .min = 0, .max = 180, .required = true,
      .doc = "angles are uniform in -degrees..degrees; counter-clockwise for positive ones" },
    { .name = "fill", .type = HD_ENUM, .names = fills, .doc = "what comes in from outside: zero, or the nearest pixel of the border" },
    { 0 },
};

static const double PI = 3.141592653589793;

/* v: cosine and sine of the angle. */
static void draw(const hd_values *opt, hd_rng rng, uint64_t sample, hd_draw *out)
{
    uint32_t word[4];
    hd_rng_block(rng, sample, word);
    const double angle = (2 * hd_rng_word_uniform(word[0]) - 1) * opt->number[DEGREES] * (PI / 180);
    out->v[0] = hd_cos(angle);
    out->v[1] = hd_cos(angle - PI / 2);
}

static double clamp(double v, double most)
{
    return v < 0 ? 0 : v > most ? most : v;
}

static void source(const hd_values *opt, const hd_draw *d, int h, int w, int i, int j, hd_pixel_source *out)
{
    const double y = i - (h - 1) / 2.0, x = j - (w - 1) / 2.0;
    double row = d->v[0] * y + d->v[1] * x + (h - 1) / 2.0, col = d->v[0] * x - d->v[1] * y + (w - 1) / 2.0;
    if (opt->number[FILL] == NEAREST) {
        row = clamp(row, h - 1);
        col = clamp(col, w - 1);
    }
    const int top = (int)floor(row), left = (int)floor(col);
    const double down = row - top, right = col - left;
    out->count = 0;
    for (int k = 0; k < 4; k++) {
        const int r = top + (k >> 1), c = left + (k & 1);
        const double weight = (k >> 1 ? down : 1 - down) * (k & 1 ? right : 1 - right);
        if (r >= 0 && r < h && c >= 0 && c < w && weight > 0) {
            out->row[out->count] = r;
            out->col[out->count] = c;
            out->weight[out->count++] = (real)weight;
        }
    }
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
    { 1, { { 3, { 5, 4, 2 } } }, 1, { 30 } },
    { 1, { { 3, { 4, 6, 1 } } }, 2, { 170, NEAREST } },
    { 0 },
};

const hd_layer_class hd_layer_random_rotation2d = {
    .name = "randomRotation2d",
    .doc = "turns images [H, W, C] by a small random angle in training; the identity at inference",
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
