/* Distortions of five levels for training and testing measures of quality. Which one hits where depends on the seed, not on the level: a
 * higher level is more of the same. */
#include "image/distort.h"

#include "base/rng.h"

#include <string.h>

/* Elements a task of the pointwise ones takes: a multiple of 4, the words of a block of random numbers. */
enum { ELEMENTS = 1 << 14 };

static hd_status each(hd_distortion *d, hd_task *task)
{
    const size_t n = (size_t)d->h * (size_t)d->w * (size_t)d->c;
    hd_pool_run(d->pool, (int)((n + ELEMENTS - 1) / ELEMENTS), task, d);
    return HD_OK;
}

static size_t end_of(const hd_distortion *d, int task)
{
    const size_t n = (size_t)d->h * (size_t)d->w * (size_t)d->c, end = ((size_t)task + 1) * ELEMENTS;
    return end < n ? end : n;
}

/* The random word of element i; `block` keeps the four that are drawn together, from the first of them on. */
static uint32_t draw(const hd_distortion *d, size_t i, uint32_t block[4])
{
    if (i % 4 == 0) {
        hd_rng_block(hd_rng_stream(d->seed, HD_DISTORT_PURPOSE, 0), i / 4, block);
    }
    return block[i % 4];
}

/* Normal with deviation `strength`. */
static void white_noise_task(void *arg, int task, int thread)
{
    hd_distortion *d = arg;
    uint32_t block[4] = { 0 };
    (void)thread;
    for (size_t i = (size_t)task * ELEMENTS; i < end_of(d, task); i++) {
        d->x[i] += (real)(d->strength * hd_rng_word_normal(draw(d, i, block)));
    }
}

/* Black or white with probability `strength`, each half of it. */
static void impulse_noise_task(void *arg, int task, int thread)
{
    hd_distortion *d = arg;
    uint32_t block[4] = { 0 };
    (void)thread;
    for (size_t i = (size_t)task * ELEMENTS; i < end_of(d, task); i++) {
        const uint32_t word = draw(d, i, block);
        if (hd_rng_word_uniform(word & ~0x100u) < d->strength) {
            d->x[i] = word & 0x100u ? 255 : 0;
        }
    }
}

static hd_status white_noise(hd_context *c, hd_distortion *d)
{
    (void)c;
    return each(d, white_noise_task);
}

static hd_status impulse_noise(hd_context *c, hd_distortion *d)
{
    (void)c;
    return each(d, impulse_noise_task);
}

/* BT.601, of a pixel with three colours; else its first channel. */
static double luma(const hd_distortion *d, const real *p)
{
    return d->colours == 3 ? 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2] : p[0];
}

/* Colours x become centre + strength (x - centre), a colour `centre` < 0: the pixel's own luma. */
static void towards(hd_distortion *d, double centre)
{
    const size_t n = (size_t)d->h * (size_t)d->w;
    for (size_t i = 0; i < n; i++) {
        real *p = d->x + i * (size_t)d->c;
        const double to = centre < 0 ? luma(d, p) : centre;
        for (int k = 0; k < d->colours; k++) {
            p[k] = (real)(to + d->strength * (p[k] - to));
        }
    }
}

/* Towards the mean luma of the picture. */
static hd_status contrast(hd_context *c, hd_distortion *d)
{
    const size_t n = (size_t)d->h * (size_t)d->w;
    double sum = 0;
    (void)c;
    for (size_t i = 0; i < n; i++) {
        sum += luma(d, d->x + i * (size_t)d->c);
    }
    towards(d, sum > 0 ? sum / (double)n : 0);
    return HD_OK;
}

/* Saturation: towards the pixel's grey. */
static hd_status colour(hd_context *c, hd_distortion *d)
{
    if (d->colours != 3) {
        return hd_fail(c, HD_ERR_SHAPE, "distort: colour of %d channels, expected 3 or 4", d->c);
    }
    towards(d, -1);
    return HD_OK;
}

typedef struct kind {
    hd_status (*run)(hd_context *c, hd_distortion *d);
    double strength[HD_DISTORT_LEVELS];
} kind;

static const kind kinds[] = {
    [HD_DISTORT_GAUSSIAN_BLUR] = { hd_gaussian_blur, { 0.7, 1.2, 2, 3.2, 5 } },      /* deviation, pixels */
    [HD_DISTORT_MOTION_BLUR] = { hd_motion_blur, { 3, 6, 10, 16, 25 } },             /* length, pixels */
    [HD_DISTORT_WHITE_NOISE] = { white_noise, { 5, 10, 20, 35, 55 } },               /* deviation, of 255 */
    [HD_DISTORT_IMPULSE_NOISE] = { impulse_noise, { 0.005, 0.02, 0.05, 0.1, 0.2 } }, /* probability */
    [HD_DISTORT_JPEG_BLOCKING] = { hd_jpeg_blocking, { 40, 22, 12, 7, 4 } },         /* quality 1..100 */
    [HD_DISTORT_CONTRAST] = { contrast, { 0.8, 0.6, 0.42, 0.27, 0.15 } },            /* factor */
    [HD_DISTORT_COLOUR] = { colour, { 0.75, 0.5, 0.3, 0.15, 0 } },                   /* factor */
    [HD_DISTORT_DOWNSCALE] = { hd_downscale, { 1.5, 2, 3, 4.5, 7 } },                /* factor, of both sides */
};

/* Puts the distorted colours into y, which gets x's other channels as they are. */
static void give_back(const hd_distortion *d, hd_image size, const void *x, void *y)
{
    const size_t n = (size_t)size.h * (size_t)size.w;
    memcpy(y, x, hd_image_bytes(size));
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < (size_t)d->colours; k++) {
            const size_t at = i * (size_t)d->c + k;
            const real v = d->x[at];
            if (size.type == HD_UINT8) {
                ((uint8_t *)y)[at] = hd_to_byte(v);
            } else {
                ((real *)y)[at] = (v < 0 ? 0 : v > 255 ? 255 : v) / 255;
            }
        }
    }
}

hd_status hd_distort(hd_context *c, hd_image size, const void *x, int which, int level, uint64_t seed, void *y)
{
    const size_t n = hd_image_size(size);
    hd_distortion d = { .pool = c->pool, .h = size.h, .w = size.w, .c = size.c, .colours = hd_colours(size.c), .seed = seed,
                        .strength = kinds[which].strength[level - 1] };
    real *work = hd_reserve(c, 2 * n * sizeof *work, "distort");
    if (!work) {
        return HD_ERR_MEMORY;
    }
    d.x = work;
    d.other = work + n;
    for (size_t i = 0; i < n; i++) {
        d.x[i] = size.type == HD_UINT8 ? ((const uint8_t *)x)[i] : ((const real *)x)[i] * 255;
    }
    const hd_status status = kinds[which].run(c, &d);
    if (!status) {
        give_back(&d, size, x, y);
    }
    hd_release(c, work);
    return status;
}
