/* Pictures: the same bits on every platform and for every number of threads, against one digest (of this library's own; after a deliberate
 * change the failing test prints the new one); out of memory; refusals of the C functions. Values are tested in tests/api/images_*.test.js. */
#include "check.h"
#include "heddle.h"

#include <stdint.h>
#include <stdlib.h>

enum { H = 190, W = 233, C = 3, SIZE = H * W * C, MOST = 400 * 300 * C };

#define DIGEST 0x7bbf4d26u /* FNV-1a, 32 bits, of the results' bytes in order, little-endian */

static uint32_t add_bytes(uint32_t digest, const void *x, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        digest = (digest ^ ((const unsigned char *)x)[i]) * 0x01000193u;
    }
    return digest;
}

static uint8_t bytes[SIZE];
static hd_real reals[SIZE], result[MOST];

static void fill(void)
{
    for (uint32_t i = 0; i < SIZE; i++) {
        const uint32_t x = (i ^ i >> 16) * 0x7FEB352Du;
        bytes[i] = (uint8_t)(((x ^ x >> 15) >> 8) % 128 + i / 3 % W / 2);
        reals[i] = (hd_real)bytes[i] / 255;
    }
}

static uint32_t run(hd_context *c)
{
    static const int sizes[][2] = { { 100, 301 }, { 300, 400 }, { 95, 117 }, { H, W } };
    uint32_t digest = 0x811c9dc5u;
    for (int type = 0; type < 2; type++) {
        const void *x = type == HD_UINT8 ? (void *)bytes : (void *)reals;
        const size_t unit = type == HD_UINT8 ? 1 : sizeof(hd_real);
        for (int i = 0; i < 16; i++) {
            const int h = sizes[i % 4][0], w = sizes[i % 4][1];
            CHECK(!hd_image_resize(c, type, H, W, C, x, i / 4, 0, h, w, result));
            digest = add_bytes(digest, result, (size_t)h * (size_t)w * C * unit);
        }
        for (int i = 0; i < 8 * HD_DISTORT_LEVELS; i++) {
            CHECK(!hd_image_distort(c, type, H, W, C, x, i / HD_DISTORT_LEVELS, i % HD_DISTORT_LEVELS + 1, 5, result));
            digest = add_bytes(digest, result, SIZE * unit);
            for (int measure = 0; i % HD_DISTORT_LEVELS == 2 && measure < 3; measure++) {
                double value[2];
                CHECK(!hd_image_compare(c, type, H, W, C, x, result, measure, 1, type ? 255 : 1, value));
                CHECK(!hd_image_compare(c, type, H, W, C, x, result, measure, 0, type ? 255 : 1, value + 1));
                digest = add_bytes(digest, value, sizeof value);
            }
        }
    }
    return digest;
}

/* Colours, filters and patches. */
static uint32_t run_more(hd_context *c, uint32_t digest)
{
    static const double kernel[15] = { 1, 0, -2, 0, 1, 0.5, 3, 0.25, -1, 0, 0, 0, 0.1, 0, 1 };
    const double window[15] = { 1, 2, 1, 3, 4, 3, 1, 2, 1, 2, 2, 2, 1, 1, 1 };
    for (int i = 0; i < 8; i++) {
        CHECK(!hd_image_ycbcr(c, i / 4, H, W, C, i / 4 ? (void *)bytes : (void *)reals, i / 2 % 2, i % 2, result));
        digest = add_bytes(digest, result, SIZE * (i / 4 ? 1 : sizeof(hd_real)));
    }
    for (int border = 0; border < 3; border++) {
        CHECK(!hd_image_filter(c, H, W, C, reals, 3, 5, kernel, border, result));
        digest = add_bytes(digest, result, SIZE * sizeof(hd_real));
    }
    static int at[2 * (H / 4 + 1) * (W / 2)];
    static hd_real cut[(H / 4 + 1) * (W / 2) * 15 * C];
    int count = 0;
    for (int i = 0; i < (H / 4 + 1) * (W / 2); i++, count++) {
        at[2 * i] = i / (W / 2) * 4 < H - 5 ? i / (W / 2) * 4 : H - 5;
        at[2 * i + 1] = i % (W / 2) * 2;
    }
    CHECK(!hd_image_patches(c, HD_FLOAT, H, W, C, reals, 5, 3, count, at, cut));
    digest = add_bytes(digest, cut, sizeof cut);
    for (int i = 0; i < count * 15 * C; i++) {
        cut[i] += (hd_real)(i % 7) / 8;
    }
    CHECK(hd_image_blend(c, H, W, C, cut, 5, 3, count - W / 2, at, window, result) == HD_ERR_ARGUMENT);
    CHECK(strstr(hd_error(c), "blendPatches: no patch covers row"));
    CHECK(!hd_image_blend(c, H, W, C, cut, 5, 3, count, at, window, result));
    return add_bytes(digest, result, SIZE * sizeof(hd_real));
}

/* Each allocation fails once: an error, and nothing is kept. */
static void out_of_memory(hd_context *c)
{
    const double before = hd_context_memory(c, 0);
    double value;
    for (int what = 0; what < 10; what++) {
        int failures = 0;
        for (int n = 1; n < 12; n++) {
            hd_context_fail_allocation(c, n);
            const hd_status status = what < 8   ? hd_image_distort(c, HD_UINT8, H, W, C, bytes, what, 2, 1, result)
                                     : what < 9 ? hd_image_resize(c, HD_UINT8, H, W, C, bytes, HD_RESIZE_BICUBIC, 0, 100, 100, result)
                                                : hd_image_compare(c, HD_UINT8, H, W, C, bytes, bytes, HD_COMPARE_SSIM, 1, 255, &value);
            failures += status == HD_ERR_MEMORY;
            CHECK(status == HD_OK || status == HD_ERR_MEMORY);
            CHECK(hd_context_memory(c, 0) == before);
        }
        hd_context_fail_allocation(c, 0);
        CHECK(failures > 0 && failures < 11);
    }
}

/* Bands of an enlarged or shrunk picture, each from the rows it needs alone, are the whole's bits. */
static void resized_bands(hd_context *c, int type, int method, double scale, int h, int w, int step)
{
    static uint8_t whole[MOST * sizeof(hd_real)], band[MOST * sizeof(hd_real)];
    const size_t row = (size_t)W * C * (type ? 1 : sizeof(hd_real)), out = (size_t)w * C * (type ? 1 : sizeof(hd_real));
    const uint8_t *x = type ? bytes : (const uint8_t *)reals;
    CHECK(!hd_image_resize(c, type, H, W, C, x, method, scale, h, w, whole));
    for (int from = 0; from < h; from += step) {
        const int to = from + step < h ? from + step : h;
        int need[2] = { -1, -1 };
        CHECK(!hd_image_resize_reach(c, H, method, scale, h, from, to, need));
        CHECK(need[0] >= 0 && need[0] < need[1] && need[1] <= H);
        CHECK(!hd_image_resize_rows(c, type, H, W, C, need[0], need[1] - need[0], x + (size_t)need[0] * row, method, scale, h, w, from, to, band));
        CHECK(!memcmp(band, whole + (size_t)from * out, (size_t)(to - from) * out));
    }
}

static void bands(hd_context *c)
{
    for (int i = 0; i < 2 * 4; i++) {
        resized_bands(c, i % 2, i / 2, 0, 300, 400, 64);
        resized_bands(c, i % 2, i / 2, 0, 61, 301, 7);
        resized_bands(c, i % 2, i / 2, 0, 301, 61, 1);
        resized_bands(c, i % 2, i / 2, 0.37, 71, 87, 10);
        resized_bands(c, i % 2, i / 2, 1, H, W, 100);
    }
    /* A filter's band: with half the kernel's rows around it, which are then left out. */
    static hd_real whole[SIZE];
    const double kernel[] = { 1, 0, -2, 0, 1 };
    for (int border = 0; border < 3; border++) {
        CHECK(!hd_image_filter(c, H, W, C, reals, 5, 1, kernel, border, whole));
        for (int from = 0; from < H; from += 37) {
            const int to = from + 37 < H ? from + 37 : H, low = from > 2 ? from - 2 : 0, high = to + 2 < H ? to + 2 : H;
            CHECK(!hd_image_filter(c, high - low, W, C, reals + low * W * C, 5, 1, kernel, border, result));
            CHECK(!memcmp(result + (from - low) * W * C, whole + from * W * C, (size_t)((to - from) * W * C) * sizeof *whole));
        }
    }
    int need[2];
    CHECK(hd_image_resize_rows(c, HD_UINT8, H, W, C, 3, 18, bytes, HD_RESIZE_BICUBIC, 0, 2 * H, W, 20, 40, result) == HD_ERR_ARGUMENT);
    CHECK_TEXT(hd_error(c), "resizeRows: rows 3..20 of the picture are given, expected 8..21 at least, of 190");
    CHECK(hd_image_resize_reach(c, H, HD_RESIZE_AREA, 0, 10, 3, 11, need) == HD_ERR_ARGUMENT);
    CHECK_TEXT(hd_error(c), "resizeRows: rows 3..10, expected at least one of 0..9");
    CHECK(hd_image_resize_reach(c, H, HD_RESIZE_BICUBIC, 2, H, 0, 1, need) == HD_ERR_ARGUMENT);
}

/* 12 megapixels, twice as large: what is held does not depend on the picture's height. */
static void large(void)
{
    enum { TALL = 3000, WIDE = 4000, BAND = 64 };
    hd_context *c = hd_context_new(1);
    static uint8_t x[BAND * WIDE], y[BAND * 2 * WIDE];
    const double before = hd_context_memory(c, 1);
    int need[2];
    memset(x, 77, sizeof x);
    for (int from = 0; from < 2 * TALL; from += 1970) {
        CHECK(!hd_image_resize_reach(c, TALL, HD_RESIZE_BICUBIC, 2, 2 * TALL, from, from + BAND, need) && need[1] - need[0] <= BAND);
        CHECK(!hd_image_resize_rows(c, HD_UINT8, TALL, WIDE, 1, need[0], need[1] - need[0], x, HD_RESIZE_BICUBIC, 2, 2 * TALL, 2 * WIDE, from, from + BAND, y));
        CHECK(y[0] == 77 && y[sizeof y / 2] == 77 && y[sizeof y - 1] == 77);
    }
    CHECK(hd_context_memory(c, 1) - before < 3e6);
    hd_context_free(c);
}

static void refusals(hd_context *c)
{
    double value;
    CHECK(hd_image_resize(c, 2, H, W, C, bytes, 0, 0, 5, 5, result) == HD_ERR_ARGUMENT);
    CHECK_TEXT(hd_error(c), "resize: type = 2, expected 0 (float) or 1 (bytes)");
    CHECK(hd_image_resize(c, HD_UINT8, 0, W, C, bytes, 0, 0, 5, 5, result) == HD_ERR_ARGUMENT);
    CHECK(hd_image_resize(c, HD_UINT8, H, W, C, bytes, 4, 0, 5, 5, result) == HD_ERR_ARGUMENT);
    CHECK(hd_image_resize(c, HD_UINT8, H, W, C, bytes, 0, 2, 2 * H, 2 * W + 1, result) == HD_ERR_ARGUMENT);
    CHECK(hd_image_resize(c, HD_UINT8, H, W, C, bytes, 0, NAN, H, W, result) == HD_ERR_ARGUMENT);
    CHECK(hd_image_resize(c, HD_UINT8, H, W, C, bytes, 0, 0, 60000, 60000, result) == HD_ERR_ARGUMENT);
    CHECK(hd_image_compare(c, HD_UINT8, H, W, C, bytes, bytes, 3, 1, 255, &value) == HD_ERR_ARGUMENT);
    CHECK(hd_image_compare(c, HD_UINT8, H, W, C, bytes, bytes, 0, 1, NAN, &value) == HD_ERR_ARGUMENT);
    CHECK(hd_image_distort(c, HD_UINT8, H, W, C, bytes, 8, 1, 0, result) == HD_ERR_ARGUMENT);
    CHECK(hd_image_distort(c, HD_UINT8, H, W, C, bytes, 0, 0, 0, result) == HD_ERR_ARGUMENT);
    CHECK(hd_image_distort(c, HD_UINT8, H, W, C, bytes, 0, 1, 1e17, result) == HD_ERR_ARGUMENT);
    reals[7] = NAN;
    CHECK(hd_image_distort(c, HD_FLOAT, H, W, C, reals, 0, 1, 0, result) == HD_ERR_ARGUMENT);
    CHECK(strstr(hd_error(c), "distort: row 0, column 2, channel 1 = "));
}

int main(void)
{
    uint32_t digest[2];
    fill();
    for (int i = 0; i < 2; i++) {
        hd_context *c = hd_context_new(1 + 3 * i);
        digest[i] = run_more(c, run(c));
        hd_context_free(c);
    }
    CHECK(digest[0] == digest[1]);
    printf("digest 0x%08xu\n", (unsigned)digest[0]);
#if !defined(HD_FLOAT64) && !defined(__wasm_relaxed_simd__)
    CHECK(digest[0] == DIGEST);
#endif
    hd_context *c = hd_context_new(1);
    out_of_memory(c);
    bands(c);
    large();
    refusals(c);
    hd_context_free(c);
    return check_result("image");
}
