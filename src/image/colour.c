/* RGB and YCbCr as ITU-R BT.601 has them: Y = 0.299 R + 0.587 G + 0.114 B, Cb and Cr the scaled differences B - Y and R - Y. Studio range (MATLAB's
 * rgb2ycbcr): Y 16..235, Cb and Cr 16..240; full range (JFIF): 0..255. */
#include "image/image.h"

enum { PIXELS = 1 << 14 };

/* out = a in + b, of three colours, white is 255. */
typedef struct job {
    hd_image size;
    const void *x;
    void *y;
    double a[3][3], b[3];
} job;

/* YCbCr = m RGB + offset, RGB of 0..1. */
static const double matrices[2][3][3] = {
    { { 65.481, 128.553, 24.966 }, { -37.797, -74.203, 112 }, { 112, -93.786, -18.214 } },
    { { 255 * 0.299, 255 * 0.587, 255 * 0.114 },
      { 255 * -0.299 / 1.772, 255 * -0.587 / 1.772, 127.5 },
      { 127.5, 255 * -0.587 / 1.402, 255 * -0.114 / 1.402 } },
};

/* By cofactors. */
static void inverse(const double m[3][3], double out[3][3])
{
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            const int i1 = (i + 1) % 3, i2 = (i + 2) % 3, k1 = (k + 1) % 3, k2 = (k + 2) % 3;
            out[k][i] = m[i1][k1] * m[i2][k2] - m[i1][k2] * m[i2][k1];
        }
    }
    const double determinant = m[0][0] * out[0][0] + m[0][1] * out[1][0] + m[0][2] * out[2][0];
    for (int i = 0; i < 9; i++) {
        out[i / 3][i % 3] /= determinant;
    }
}

static void prepare(job *j, bool back, bool full)
{
    const double offset[3] = { full ? 0 : 16, 128, 128 };
    double m[3][3];
    inverse(matrices[full], m);
    for (int i = 0; i < 3; i++) {
        double moved = 0;
        for (int k = 0; k < 3; k++) {
            j->a[i][k] = back ? 255 * m[i][k] : matrices[full][i][k] / 255;
            moved += j->a[i][k] * offset[k];
        }
        j->b[i] = back ? -moved : offset[i];
    }
}

/* y's pixel of three, from x's, and what more channels there are. */
#define PIXEL(T, READ, WRITE)                                                                                     \
    for (size_t i = begin; i < end; i++) {                                                                        \
        const T *x = (const T *)j->x + i * c;                                                                     \
        T *y = (T *)j->y + i * c;                                                                                 \
        for (size_t k = 0; k < c; k++) {                                                                          \
            y[k] = k < 3 ? WRITE(j->a[k][0] * READ(x[0]) + j->a[k][1] * READ(x[1]) + j->a[k][2] * READ(x[2]) + j->b[k]) : x[k]; \
        }                                                                                                         \
    }

static double of_real(real v)
{
    return (double)v * 255;
}

static real to_real(double v)
{
    return (real)(v / 255);
}

static void colour_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const size_t c = (size_t)j->size.c, n = (size_t)j->size.h * (size_t)j->size.w;
    const size_t begin = (size_t)task * PIXELS, end = n - begin < PIXELS ? n : begin + PIXELS;
    (void)thread;
    if (j->size.type == HD_UINT8) {
        PIXEL(uint8_t, (double), hd_to_byte)
    } else {
        PIXEL(real, of_real, to_real)
    }
}

void hd_ycbcr(hd_pool *pool, hd_image size, const void *x, bool back, bool full, void *y)
{
    job j = { .size = size, .x = x, .y = y };
    prepare(&j, back, full);
    hd_pool_run(pool, (int)(((size_t)size.h * (size_t)size.w + PIXELS - 1) / PIXELS), colour_task, &j);
}
