/* What JPEG at a low quality does to a picture (ITU-T T.81): the DCT of 8 x 8 blocks, quantised with the tables of Annex K scaled as libjpeg
 * scales them, and back. Chroma keeps its resolution; borders are continued by their last pixels. */
#include "base/scalar.h"
#include "image/distort.h"

#include <math.h>
#include <string.h>

enum { SIDE = 8, SIZE = SIDE * SIDE };

static const uint8_t luma_table[SIZE] = { 16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                                          14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                                          18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                                          49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99 };
static const uint8_t chroma_table[SIZE] = { 17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
                                            99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                                            99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99 };

typedef struct job {
    const hd_distortion *d;
    double basis[SIZE], transposed[SIZE]; /* [frequency, place], orthonormal; [place, frequency] */
    double step[2][SIZE];                 /* of luma, of chroma */
} job;

static void prepare(job *j, double quality)
{
    const double scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (int u = 0; u < SIDE; u++) {
        for (int i = 0; i < SIDE; i++) {
            j->basis[u * SIDE + i] = j->transposed[i * SIDE + u] = (u ? 0.5 : sqrt(0.125)) * hd_cos((2 * i + 1) * u * 3.141592653589793 / 16);
        }
    }
    for (int i = 0; i < SIZE; i++) {
        for (int k = 0; k < 2; k++) {
            const double step = floor(((k ? chroma_table : luma_table)[i] * floor(scale) + 50) / 100);
            j->step[k][i] = step < 1 ? 1 : step > 255 ? 255 : step;
        }
    }
}

/* out = a b, of SIDE x SIDE. */
static void product(const double *a, const double *b, double *out)
{
    for (int i = 0; i < SIDE; i++, a += SIDE, out += SIDE) {
        double sum[SIDE] = { 0 };
        for (int k = 0; k < SIDE; k++) {
            for (int j = 0; j < SIDE; j++) {
                sum[j] += a[k] * b[k * SIDE + j];
            }
        }
        memcpy(out, sum, sizeof sum);
    }
}

/* Samples are whole numbers, -128..127, before and after. */
static void quantise(const job *j, int table, double *x)
{
    double f[SIZE], half[SIZE];
    for (int i = 0; i < SIZE; i++) {
        x[i] = hd_to_byte(x[i] + 128) - 128;
    }
    product(j->basis, x, half);
    product(half, j->transposed, f);
    for (int i = 0; i < SIZE; i++) {
        const double step = j->step[table][i], times = f[i] / step;
        f[i] = step * (times < 0 ? ceil(times - 0.5) : floor(times + 0.5));
    }
    product(j->transposed, f, half);
    product(half, j->basis, x);
    for (int i = 0; i < SIZE; i++) {
        x[i] = hd_to_byte(x[i] + 128) - 128;
    }
}

/* JFIF: BT.601 over the full range, chroma around 0 and luma moved there too. */
static void to_ycc(double *r, double *g, double *b)
{
    const double y = 0.299 * *r + 0.587 * *g + 0.114 * *b;
    const double cb = (*b - y) / 1.772, cr = (*r - y) / 1.402;
    *r = y - 128;
    *g = cb;
    *b = cr;
}

static void from_ycc(double *y, double *cb, double *cr)
{
    const double luma = *y + 128, r = luma + 1.402 * *cr, b = luma + 1.772 * *cb;
    *cb = (luma - 0.299 * r - 0.114 * b) / 0.587;
    *y = r;
    *cr = b;
}

/* The block at (row, col); places outside of the picture are read from its border, and not written. */
static void block(const job *j, int row, int col)
{
    const hd_distortion *d = j->d;
    double p[3][SIZE];
    const int planes = d->colours == 3 ? 3 : 1;
    for (int first = 0; first < d->colours; first += planes) {
        for (int i = 0; i < SIZE; i++) {
            const int r = row + i / SIDE, s = col + i % SIDE;
            const size_t at = (size_t)(r < d->h ? r : d->h - 1) * (size_t)d->w + (size_t)(s < d->w ? s : d->w - 1);
            for (int k = 0; k < planes; k++) {
                p[k][i] = d->x[at * (size_t)d->c + (size_t)(first + k)];
            }
            planes == 3 ? to_ycc(&p[0][i], &p[1][i], &p[2][i]) : (void)(p[0][i] -= 128);
        }
        for (int k = 0; k < planes; k++) {
            quantise(j, k > 0, p[k]);
        }
        for (int i = 0; i < SIZE; i++) {
            const int r = row + i / SIDE, s = col + i % SIDE;
            planes == 3 ? from_ycc(&p[0][i], &p[1][i], &p[2][i]) : (void)(p[0][i] += 128);
            for (int k = 0; r < d->h && s < d->w && k < planes; k++) {
                d->x[((size_t)r * (size_t)d->w + (size_t)s) * (size_t)d->c + (size_t)(first + k)] = (real)p[k][i];
            }
        }
    }
}

static void blocks_task(void *arg, int task, int thread)
{
    const job *j = arg;
    (void)thread;
    for (int col = 0; col < j->d->w; col += SIDE) {
        block(j, task * SIDE, col);
    }
}

hd_status hd_jpeg_blocking(hd_context *c, hd_distortion *d)
{
    job j = { .d = d };
    (void)c;
    prepare(&j, d->strength);
    hd_pool_run(d->pool, (d->h + SIDE - 1) / SIDE, blocks_task, &j);
    return HD_OK;
}
