/* How far a picture is from its reference: PSNR; SSIM (Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
 * structural similarity", 2004); MS-SSIM (Wang, Simoncelli, Bovik, "Multi-scale structural similarity for image quality assessment", 2003). */
#include "base/scalar.h"
#include "image/image.h"
#include "kern/vec.h"

#include <math.h>
#include <string.h>

enum { WINDOW = HD_SSIM_WINDOW, SCALES = HD_SSIM_SCALES, MOMENTS = 5 };

/* Planes of both pictures, in float64. */
typedef struct pair {
    hd_pool *pool;
    int h, w;
    double *x, *y;
    double c1, c2;
    double window[WINDOW];
    double *moments; /* [threads, MOMENTS, w + 1] of a row of windows: sums of x, y, xx, yy, xy down the window's columns */
    double *sums;    /* [h, 2]: sums of a row, of SSIM and of its contrast-structure part */
} pair;

/* Gaussian of deviation 1.5, its sum 1; in two dimensions the product of two. */
static void gaussian(double window[WINDOW])
{
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) {
        const double t = i - WINDOW / 2;
        sum += window[i] = hd_exp(-t * t / (2 * 1.5 * 1.5));
    }
    for (int i = 0; i < WINDOW; i++) {
        window[i] /= sum;
    }
}

static double element(hd_image i, const void *x, size_t at)
{
    return i.type == HD_UINT8 ? ((const uint8_t *)x)[at] : (double)((const real *)x)[at];
}

/* A channel, or with channel < 0 the luma of the first three, 0.299 R + 0.587 G + 0.114 B; of one channel itself. */
static void plane(hd_image size, const void *x, int channel, double *out)
{
    const size_t c = (size_t)size.c, n = (size_t)size.h * (size_t)size.w;
    for (size_t i = 0; i < n; i++) {
        out[i] = channel >= 0 || c == 1 ? element(size, x, i * c + (size_t)(channel > 0 ? channel : 0))
                                        : 0.299 * element(size, x, i * c) + 0.587 * element(size, x, i * c + 1) + 0.114 * element(size, x, i * c + 2);
    }
}

static void error_task(void *arg, int row, int thread)
{
    const pair *p = arg;
    const double *x = p->x + (size_t)row * (size_t)p->w, *y = p->y + (size_t)row * (size_t)p->w;
    double sum = 0;
    (void)thread;
    for (int i = 0; i < p->w; i++) {
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
    p->sums[2 * row] = sum;
}

typedef v128_t pair64; /* two columns */

/* m [MOMENTS, w + 1]: weighted sums down the columns of the rows that begin at x and y. All three products are made alike, so that equal pictures
 * give exactly 1. The last two columns are done again if w is odd. */
static void moments_of(const pair *p, const double *x, const double *y, double *m)
{
    const size_t w = (size_t)p->w;
    for (size_t i = 0; i < w; i += 2) {
        const size_t at = i + 2 <= w ? i : w - 2;
        pair64 s[MOMENTS] = { wasm_f64x2_splat(0), wasm_f64x2_splat(0), wasm_f64x2_splat(0), wasm_f64x2_splat(0), wasm_f64x2_splat(0) };
        for (size_t k = 0; k < WINDOW; k++) {
            const pair64 g = wasm_f64x2_splat(p->window[k]), a = wasm_v128_load(x + k * w + at), b = wasm_v128_load(y + k * w + at);
            s[0] = wasm_f64x2_add(s[0], wasm_f64x2_mul(g, a));
            s[1] = wasm_f64x2_add(s[1], wasm_f64x2_mul(g, b));
            s[2] = wasm_f64x2_add(s[2], wasm_f64x2_mul(g, wasm_f64x2_mul(a, a)));
            s[3] = wasm_f64x2_add(s[3], wasm_f64x2_mul(g, wasm_f64x2_mul(b, b)));
            s[4] = wasm_f64x2_add(s[4], wasm_f64x2_mul(g, wasm_f64x2_mul(a, b)));
        }
        for (size_t j = 0; j < MOMENTS; j++) {
            wasm_v128_store(m + j * (w + 1) + at, s[j]);
        }
    }
}

/* A row of windows, those that lie inside the picture. Eq. 13 of SSIM with C3 = C2 / 2. */
static void similarity_task(void *arg, int row, int thread)
{
    const pair *p = arg;
    const size_t w = (size_t)p->w, at = (size_t)row * w, windows = w - WINDOW + 1, next = w + 1;
    double *m = p->moments + (size_t)thread * MOMENTS * next, whole = 0, structure = 0;
    moments_of(p, p->x + at, p->y + at, m);
    for (size_t j = 0; j < MOMENTS; j++) { /* in place: a sum reads nothing before its own column, but one behind the last */
        double *s = m + j * next;
        for (size_t i = 0; i < windows; i += 2) {
            pair64 sum = wasm_f64x2_splat(0);
            for (size_t k = 0; k < WINDOW; k++) {
                sum = wasm_f64x2_add(sum, wasm_f64x2_mul(wasm_f64x2_splat(p->window[k]), wasm_v128_load(s + i + k)));
            }
            wasm_v128_store(s + i, sum);
        }
    }
    for (size_t i = 0; i < windows; i++) {
        const double *s = m + i, mx = s[0], my = s[next], xx = mx * mx, yy = my * my, xy = mx * my;
        const double cs = (2 * (s[4 * next] - xy) + p->c2) / ((s[2 * next] - xx) + (s[3 * next] - yy) + p->c2);
        structure += cs;
        whole += cs * ((2 * xy + p->c1) / (xx + yy + p->c1));
    }
    p->sums[2 * row] = whole;
    p->sums[2 * row + 1] = structure;
}

/* Mean over all windows: SSIM, or its contrast-structure part. */
static void similarity(pair *p, double *ssim, double *structure)
{
    const int rows = p->h - WINDOW + 1;
    const double n = (double)rows * (p->w - WINDOW + 1);
    hd_pool_run(p->pool, rows, similarity_task, p);
    *ssim = *structure = 0;
    for (int i = 0; i < rows; i++) {
        *ssim += p->sums[2 * i];
        *structure += p->sums[2 * i + 1];
    }
    *ssim /= n;
    *structure /= n;
}

/* Means of 2 x 2 pixels, in place; the last row or column of an odd side is taken twice. */
static void halve(int h, int w, double *x)
{
    double *to = x;
    for (int i = 0; i < h; i += 2) {
        const double *a = x + (size_t)i * (size_t)w, *b = i + 1 < h ? a + w : a;
        for (int j = 0; j < w; j += 2) {
            const int next = j + 1 < w ? j + 1 : j;
            *to++ = ((a[j] + a[next]) + (b[j] + b[next])) / 4;
        }
    }
}

/* Eq. 7 of MS-SSIM with its weights. Means below 0 count as 0: their powers are not real. */
static double multiscale(pair *p)
{
    static const double weight[SCALES] = { 0.0448, 0.2856, 0.3001, 0.2363, 0.1333 };
    double product = 1, ssim, structure;
    for (int scale = 0; scale < SCALES; scale++) {
        similarity(p, &ssim, &structure);
        const double value = scale == SCALES - 1 ? ssim : structure;
        product = value > 0 && product > 0 ? product * hd_exp(weight[scale] * hd_log(value)) : 0;
        halve(p->h, p->w, p->x);
        halve(p->h, p->w, p->y);
        p->h = (p->h + 1) / 2;
        p->w = (p->w + 1) / 2;
    }
    return product;
}

static double squared_error(pair *p)
{
    double sum = 0;
    hd_pool_run(p->pool, p->h, error_task, p);
    for (int i = 0; i < p->h; i++) {
        sum += p->sums[2 * i];
    }
    return sum / ((double)p->h * p->w);
}

hd_status hd_compare(hd_context *c, hd_image size, const void *x, const void *y, int measure, bool luma, double peak, double *value)
{
    const size_t n = (size_t)size.h * (size_t)size.w, threads = (size_t)hd_pool_threads(c->pool);
    pair p = { .pool = c->pool, .c1 = 0.01 * peak * (0.01 * peak), .c2 = 0.03 * peak * (0.03 * peak) };
    p.x = hd_reserve(c, (2 * n + threads * MOMENTS * ((size_t)size.w + 1) + 2 * (size_t)size.h) * sizeof *p.x, "comparison of pictures");
    if (!p.x) {
        return HD_ERR_MEMORY;
    }
    p.y = p.x + n;
    p.moments = p.y + n;
    p.sums = p.moments + threads * MOMENTS * ((size_t)size.w + 1);
    gaussian(p.window);
    const int channels = luma ? 1 : size.c;
    double sum = 0;
    for (int i = 0; i < channels; i++) {
        double ssim, structure;
        p.h = size.h;
        p.w = size.w;
        plane(size, x, luma ? -1 : i, p.x);
        plane(size, y, luma ? -1 : i, p.y);
        if (measure == HD_COMPARE_SSIM) {
            similarity(&p, &ssim, &structure);
            sum += ssim;
        } else {
            sum += measure == HD_COMPARE_PSNR ? squared_error(&p) : multiscale(&p);
        }
    }
    sum /= channels;
    *value = measure != HD_COMPARE_PSNR ? sum : sum > 0 ? 10 / 2.302585092994046 * hd_log(peak * peak / sum) : INFINITY;
    hd_release(c, p.x);
    return HD_OK;
}
