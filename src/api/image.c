/* Pictures in public: checks of sizes and numbers around image/. */
#include "image/image.h"

#include "kern/activation.h"
#include "linalg/linalg.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>

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

/* Whether a scale, if there is one, takes a side to another, rounded up. Smaller ones than that of the longest side to one pixel say nothing more,
 * and their kernels would have more taps than an int. */
static bool fits(double scale, int from, int to)
{
    return scale == 0 || (scale >= 1.0 / (MOST_SIDE + 1) && scale * from > to - 1 && scale * from <= to);
}

static hd_status check_method(hd_context *c, const char *name, int method)
{
    return method >= HD_RESIZE_NEAREST && method <= HD_RESIZE_BICUBIC
               ? HD_OK : hd_fail(c, HD_ERR_ARGUMENT, "%s: method = %d, expected 0..%d", name, method, HD_RESIZE_BICUBIC);
}

/* For sentences about rows that may be any numbers: first + rows - 1, or as near as an int is. */
static int last(int first, int rows)
{
    const int64_t at = (int64_t)first + rows - 1;
    return at < INT_MIN ? INT_MIN : at > INT_MAX ? INT_MAX : (int)at;
}

static hd_status check_rows(hd_context *c, const char *name, int from, int to, int height)
{
    return from >= 0 && from < to && to <= height ? HD_OK
                                                  : hd_fail(c, HD_ERR_ARGUMENT, "%s: rows %d..%d, expected at least one of 0..%d", name, from, last(to, 0), height - 1);
}

/* imresize's scale counts for its method alone. */
static double own_scale(int method, double scale)
{
    return method == HD_RESIZE_BICUBIC ? scale : 0;
}

hd_status hd_image_resize(hd_context *c, int type, int height, int width, int channels, const void *x, int method, double scale, int to_height,
                          int to_width, void *y)
{
    const char *name = "resize";
    const hd_image from = { type, height, width, channels }, to = { type, to_height, to_width, channels };
    if (check_size(c, name, from) || check_size(c, name, to) || check_finite(c, name, from, x) || check_method(c, name, method)) {
        return c->status;
    }
    if (!fits(scale, height, to_height) || !fits(scale, width, to_width)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: scale = %g, expected 0 or a factor from 1/65536 that takes %d x %d pixels, rounded up, to %d x %d", name, scale, width,
                       height, to_width, to_height);
    }
    return hd_resize(c, from, x, method, own_scale(method, scale), to_height, to_width, y);
}

hd_status hd_image_resize_reach(hd_context *c, int height, int method, double scale, int to_height, int from, int to, int *reach)
{
    const char *name = "resizeRows";
    if (check_side(c, name, "height", height, MOST_SIDE) || check_side(c, name, "new height", to_height, MOST_SIDE) || check_method(c, name, method) ||
        check_rows(c, name, from, to, to_height)) {
        return c->status;
    }
    if (!fits(scale, height, to_height)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: scale = %g, expected 0 or a factor from 1/65536 that takes %d rows, rounded up, to %d", name, scale, height, to_height);
    }
    return hd_resize_reach(c, height, method, own_scale(method, scale), to_height, from, to, reach, reach + 1);
}

/* The whole pictures may be larger than memory: only what is given and what is wanted must fit. */
hd_status hd_image_resize_rows(hd_context *c, int type, int height, int width, int channels, int first, int rows, const void *x, int method, double scale,
                               int to_height, int to_width, int from, int to, void *y)
{
    const char *name = "resizeRows";
    const hd_image given = { type, rows, width, channels }, whole = { type, height, width, channels };
    int need[2];
    if (hd_image_resize_reach(c, height, method, scale, to_height, from, to, need) || check_size(c, name, given) ||
        check_size(c, name, (hd_image){ type, to - from, to_width, channels })) {
        return c->status;
    }
    if (!fits(scale, width, to_width)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: scale = %g, expected 0 or a factor that takes %d columns, rounded up, to %d", name, scale, width, to_width);
    }
    if (first < 0 || first > need[0] || first + rows < need[1] || first + rows > height) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: rows %d..%d of the picture are given, expected %d..%d at least, of %d", name, first, last(first, rows),
                       need[0], need[1] - 1, height);
    }
    return check_finite(c, name, given, x) ? c->status
                                           : hd_resize_rows(c, whole, first, x, method, own_scale(method, scale), to_height, to_width, from, to, y);
}

hd_status hd_image_compare(hd_context *c, int type, int height, int width, int channels, const void *x, const void *y, int measure, int luma,
                           double peak, double *value)
{
    static const char *const names[] = { "psnr", "ssim", "msSsim" };
    static const int sides[] = { 1, HD_SSIM_WINDOW, HD_MS_SSIM_SIDE };
    if (measure < HD_COMPARE_PSNR || measure > HD_COMPARE_MS_SSIM) {
        return hd_fail(c, HD_ERR_ARGUMENT, "comparison of pictures: measure = %d, expected 0..%d", measure, HD_COMPARE_MS_SSIM);
    }
    const char *name = names[measure];
    const hd_image size = { type, height, width, channels };
    if (check_size(c, name, size) || check_finite(c, name, size, x) || check_finite(c, name, size, y)) {
        return c->status;
    }
    if (height < sides[measure] || width < sides[measure]) {
        return hd_fail(c, HD_ERR_SHAPE, "%s: %d x %d pixels, expected at least %d on each side", name, width, height, sides[measure]);
    }
    if (luma && channels != 1 && channels != 3 && channels != 4) {
        return hd_fail(c, HD_ERR_SHAPE, "%s: luma of %d channels, expected 1, 3 or 4", name, channels);
    }
    if (!(peak > 0 && peak <= 1e9)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: peak = %g, expected a number above 0, at most 1e9", name, peak);
    }
    return hd_compare(c, size, x, y, measure, luma, peak, value);
}

hd_status hd_image_distort(hd_context *c, int type, int height, int width, int channels, const void *x, int kind, int level, double seed, void *y)
{
    const char *name = "distort";
    const hd_image size = { type, height, width, channels };
    if (check_size(c, name, size) || check_finite(c, name, size, x)) {
        return c->status;
    }
    if (kind < 0 || kind > HD_DISTORT_DOWNSCALE) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: kind = %d, expected 0..%d", name, kind, HD_DISTORT_DOWNSCALE);
    }
    if (level < 1 || level > HD_DISTORT_LEVELS) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: level = %d, expected 1..%d", name, level, HD_DISTORT_LEVELS);
    }
    if (!(seed >= 0 && seed <= 9007199254740992.0) || seed != floor(seed)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: seed = %g, expected a whole number 0..2^53", name, seed);
    }
    return hd_distort(c, size, x, kind, level, (uint64_t)seed, y);
}

hd_status hd_image_ycbcr(hd_context *c, int type, int height, int width, int channels, const void *x, int back, int full, void *y)
{
    const char *name = back ? "ycbcrToRgb" : "rgbToYcbcr";
    const hd_image size = { type, height, width, channels };
    if (check_size(c, name, size) || check_finite(c, name, size, x)) {
        return c->status;
    }
    if (channels != 3 && channels != 4) {
        return hd_fail(c, HD_ERR_SHAPE, "%s: %d channels, expected 3 or 4", name, channels);
    }
    hd_ycbcr(c->pool, size, x, back, full != 0, y);
    return HD_OK;
}

static hd_status check_kernel(hd_context *c, const char *name, int kh, int kw, const double *kernel)
{
    if (kh < 1 || kw < 1 || kh > 255 || kw > 255 || kh % 2 == 0 || kw % 2 == 0) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: a kernel of %d x %d, expected odd sides 1..255", name, kh, kw);
    }
    const int bad = hd_find_not_finite_f64(kh * kw, kernel);
    return bad < 0 ? HD_OK : hd_fail(c, HD_ERR_ARGUMENT, "%s: kernel[%d][%d] = %g, expected a finite number", name, bad / kw, bad % kw, kernel[bad]);
}

hd_status hd_image_filter(hd_context *c, int height, int width, int channels, const hd_real *x, int kernel_height, int kernel_width,
                          const double *kernel, int border, hd_real *y)
{
    const char *name = "filter";
    const hd_image size = { HD_FLOAT, height, width, channels };
    if (check_size(c, name, size) || check_finite(c, name, size, x) || check_kernel(c, name, kernel_height, kernel_width, kernel)) {
        return c->status;
    }
    if (border < HD_BORDER_MIRROR || border > HD_BORDER_ZERO) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: border = %d, expected 0..%d", name, border, HD_BORDER_ZERO);
    }
    return hd_filter(c, size, x, kernel_height, kernel_width, kernel, border, y);
}

/* Patches and their places, all inside of the picture. */
static hd_status check_patches(hd_context *c, const char *name, hd_image size, int ph, int pw, int count, const int *at)
{
    const hd_image all = { size.type, ph, pw, size.c };
    if (check_size(c, name, size) || check_size(c, name, all)) {
        return c->status;
    }
    if (count < 1 || (double)count * (double)(hd_image_bytes(all) + 2 * sizeof *at) >= 2147483648.0) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: %d patches, expected at least one, and below 2^31 bytes in all with their places", name, count);
    }
    for (int i = 0; i < count; i++) {
        const int row = at[2 * i], col = at[2 * i + 1];
        if (row < 0 || col < 0 || row > size.h - ph || col > size.w - pw) {
            return hd_fail(c, HD_ERR_ARGUMENT, "%s: patch %d begins at row %d, column %d: %d x %d pixels of it do not fit the picture's %d x %d", name, i,
                           row, col, ph, pw, size.h, size.w);
        }
    }
    return HD_OK;
}

hd_status hd_image_patches(hd_context *c, int type, int height, int width, int channels, const void *x, int patch_height, int patch_width,
                           int count, const int *at, void *y)
{
    const hd_image size = { type, height, width, channels };
    if (check_patches(c, "patches", size, patch_height, patch_width, count, at)) {
        return c->status;
    }
    hd_patches(c->pool, size, x, patch_height, patch_width, count, at, y);
    return HD_OK;
}

hd_status hd_image_blend(hd_context *c, int height, int width, int channels, const hd_real *patches, int patch_height, int patch_width,
                         int count, const int *at, const double *window, hd_real *y)
{
    const char *name = "blendPatches";
    const hd_image size = { HD_FLOAT, height, width, channels };
    if (check_patches(c, name, size, patch_height, patch_width, count, at)) {
        return c->status;
    }
    const hd_image all = { HD_FLOAT, count, patch_height * patch_width, channels };
    if (check_finite(c, name, all, patches)) {
        return c->status;
    }
    for (int i = 0; window && i < patch_height * patch_width; i++) {
        if (!(window[i] > 0 && window[i] <= 1e30)) {
            return hd_fail(c, HD_ERR_ARGUMENT, "%s: window[%d][%d] = %g, expected a number above 0", name, i / patch_width, i % patch_width, window[i]);
        }
    }
    return hd_blend(c, size, patches, patch_height, patch_width, count, at, window, y);
}

static hd_status check_band(hd_context *c, const char *name, const hd_matnet *net, hd_band b)
{
    if (b.h < net->patch_rows || b.w < net->patch_cols) {
        return hd_fail(c, HD_ERR_SHAPE, "%s: the picture has %d x %d pixels, less than a window: %d x %d", name, b.w, b.h, net->patch_cols, net->patch_rows);
    }
    if (check_rows(c, name, b.from, b.to, b.h)) {
        return c->status;
    }
    int low, high;
    hd_matnet_reach(net, b, &low, &high);
    if (b.first < 0 || b.first > low || b.first + b.rows < high || b.first + b.rows > b.h) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: rows %d..%d of the planes are given, expected %d..%d at least, of %d", name, b.first, last(b.first, b.rows),
                       low, high - 1, b.h);
    }
    return HD_OK;
}

hd_status hd_image_matnet(hd_context *c, int planes, int height, int width, int first, int rows, const hd_real *x, int patch_height, int patch_width,
                          int hidden_rows, int hidden_cols, int activation, int output_activation, const hd_real *weights, int from, int to, hd_real *y)
{
    const char *name = "windows";
    const hd_matnet net = { planes, patch_height, patch_width, hidden_rows, hidden_cols, activation, output_activation, weights };
    const hd_band band = { height, width, first, rows, from, to };
    const hd_image given = { HD_FLOAT, rows, width, planes };
    if (check_side(c, name, "planes", planes, 16) || check_size(c, name, given) || check_side(c, name, "height", height, MOST_SIDE) ||
        check_side(c, name, "patch height", patch_height, 255) || check_side(c, name, "patch width", patch_width, 255) ||
        check_side(c, name, "hidden rows", hidden_rows, 255) || check_side(c, name, "hidden columns", hidden_cols, 255) || check_band(c, name, &net, band)) {
        return c->status;
    }
    if (activation < 0 || output_activation < 0 || activation >= HD_SOFTMAX || output_activation >= HD_SOFTMAX) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: activations %d and %d, expected 0..%d", name, activation, output_activation, HD_SOFTMAX - 1);
    }
    const int bad = hd_find_not_finite((int)hd_matnet_weights(&net), weights);
    if (bad >= 0) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: weight %d = %g, expected a finite number", name, bad, (double)weights[bad]);
    }
    const hd_image lines = { HD_FLOAT, planes * rows, width, 1 };
    return check_finite(c, name, lines, x) ? c->status : hd_matnet_windows(c, &net, band, x, y);
}
