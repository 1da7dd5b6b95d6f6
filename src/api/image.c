/* Pictures in public: checks of sizes and numbers around image/. */
#include "image/image.h"

#include "linalg/linalg.h"

enum { MOST_SIDE = 65535, MOST_CHANNELS = 64 };

static hd_status check_side(hd_context *c, const char *name, const char *what, int value, int most)
{
    return value >= 1 && value <= most ? HD_OK : hd_fail(c, HD_ERR_ARGUMENT, "%s: %s = %d, expected 1..%d", name, what, value, most);
}

/* Refuses sizes that are out of range or, in bytes, do not fit 31 bits. */
static hd_status check_size(hd_context *c, const char *name, hd_image i)
{
    if (i.type != HD_FLOAT && i.type != HD_UINT8) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: type = %d, expected 0 (float) or 1 (bytes)", name, i.type);
    }
    if (check_side(c, name, "height", i.h, MOST_SIDE) || check_side(c, name, "width", i.w, MOST_SIDE) ||
        check_side(c, name, "channels", i.c, MOST_CHANNELS)) {
        return c->status;
    }
    const double bytes = (double)i.h * i.w * i.c * (i.type == HD_UINT8 ? 1 : sizeof(real));
    return bytes < 2147483648.0 ? HD_OK
                                : hd_fail(c, HD_ERR_ARGUMENT, "%s: %d x %d pixels of %d channels take 2^31 bytes or more", name, i.w, i.h, i.c);
}

/* Refuses the first element of x that is not finite. */
static hd_status check_finite(hd_context *c, const char *name, hd_image i, const void *x)
{
    for (int row = 0; i.type == HD_FLOAT && row < i.h; row++) {
        const real *p = (const real *)x + (size_t)row * (size_t)i.w * (size_t)i.c;
        const int bad = hd_find_not_finite(i.w * i.c, p);
        if (bad >= 0) {
            return hd_fail(c, HD_ERR_ARGUMENT, "%s: row %d, column %d, channel %d = %g, expected a finite number", name, row, bad / i.c, bad % i.c,
                           (double)p[bad]);
        }
    }
    return HD_OK;
}

hd_status hd_image_resize(hd_context *c, int type, int height, int width, int channels, const void *x, int method, double scale, int to_height,
                          int to_width, void *y)
{
    const char *name = "resize";
    const hd_image from = { type, height, width, channels }, to = { type, to_height, to_width, channels };
    if (check_size(c, name, from) || check_size(c, name, to) || check_finite(c, name, from, x)) {
        return c->status;
    }
    if (method < HD_RESIZE_NEAREST || method > HD_RESIZE_BICUBIC) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: method = %d, expected 0..%d", name, method, HD_RESIZE_BICUBIC);
    }
    const double h = scale * height, w = scale * width;
    if (!(scale == 0 || (h > to_height - 1 && h <= to_height && w > to_width - 1 && w <= to_width))) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: scale = %g, expected 0 or a factor that takes %d x %d pixels, rounded up, to %d x %d", name, scale, width,
                       height, to_width, to_height);
    }
    return hd_resize(c, from, x, method, method == HD_RESIZE_BICUBIC ? scale : 0, to_height, to_width, y);
}
