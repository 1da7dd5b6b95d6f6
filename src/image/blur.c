#include "base/rng.h"
#include "base/scalar.h"
#include "image/axis.h"
#include "image/distort.h"

#include <math.h>

hd_status hd_gaussian_blur(hd_context *c, hd_distortion *d)
{
    const hd_image size = { HD_FLOAT, d->h, d->w, d->c };
    hd_axis rows = { 0 }, cols = { 0 };
    hd_status status = hd_axis_gaussian(c, &rows, d->h, d->strength);
    if (!status && !(status = hd_axis_gaussian(c, &cols, d->w, d->strength))) {
        hd_resample(d->pool, &cols, false, HD_PASS_REALS, size, d->x, d->other);
        hd_resample(d->pool, &rows, true, HD_PASS_REALS, size, d->other, d->x);
    }
    hd_axis_free(c, &cols);
    hd_axis_free(c, &rows);
    return status;
}

hd_status hd_downscale(hd_context *c, hd_distortion *d)
{
    const hd_image whole = { HD_FLOAT, d->h, d->w, d->c };
    const int h = (int)(d->h / d->strength + 0.5), w = (int)(d->w / d->strength + 0.5);
    const hd_image small = { HD_FLOAT, h > 1 ? h : 1, w > 1 ? w : 1, d->c };
    hd_status status = hd_resize(c, whole, d->x, HD_RESIZE_BICUBIC, 0, small.h, small.w, d->other);
    return status ? status : hd_resize(c, small, d->other, HD_RESIZE_BICUBIC, 0, d->h, d->w, d->x);
}

enum { RADIUS = 14, SIDE = 2 * RADIUS + 1 };

/* A line of `length` pixels through the middle: points half a pixel apart, each shared by the four pixels around it. */
static void line(double length, double angle, double kernel[SIDE][SIDE])
{
    const double dx = hd_cos(angle), dy = hd_cos(angle - 1.5707963267948966);
    const int points = 2 * (int)length - 1;
    for (int i = 0; i < points; i++) {
        const double t = 0.5 * (i - (points - 1) * 0.5), x = RADIUS + t * dx, y = RADIUS + t * dy, fx = x - floor(x), fy = y - floor(y);
        const int j = (int)x, k = (int)y;
        kernel[k][j] += (1 - fx) * (1 - fy) / points;
        kernel[k][j + 1] += fx * (1 - fy) / points;
        kernel[k + 1][j] += (1 - fx) * fy / points;
        kernel[k + 1][j + 1] += fx * fy / points;
    }
}

hd_status hd_motion_blur(hd_context *c, hd_distortion *d)
{
    double kernel[SIDE][SIDE] = { { 0 } };
    real *x = d->x;
    line(d->strength, 3.141592653589793 * hd_rng_uniform(hd_rng_stream(d->seed, HD_DISTORT_PURPOSE, 1), 0), kernel);
    d->x = d->other;
    d->other = x;
    return hd_filter(c, (hd_image){ HD_FLOAT, d->h, d->w, d->c }, x, SIDE, SIDE, kernel[0], HD_BORDER_MIRROR, d->x);
}
