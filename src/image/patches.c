/* Patches of a picture, cut out, and put together again where they overlap. */
#include "image/image.h"

#include <string.h>

enum { BAND = 16 };

typedef struct job {
    hd_image size;  /* of the picture */
    int ph, pw, count;
    const int *at;  /* [count, 2]: row, column of the first pixel */
    const void *x;
    void *y;
    const double *window; /* [ph, pw], or NULL: all 1 */
    double *sum, *weight; /* [h, w, c], [h, w] */
    size_t unit;          /* bytes of a pixel */
} job;

static void cut_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const size_t row = (size_t)j->pw * j->unit;
    const int *at = j->at + 2 * task;
    (void)thread;
    for (int i = 0; i < j->ph; i++) {
        memcpy((char *)j->y + ((size_t)task * (size_t)j->ph + (size_t)i) * row,
               (const char *)j->x + ((size_t)(at[0] + i) * (size_t)j->size.w + (size_t)at[1]) * j->unit, row);
    }
}

void hd_patches(hd_pool *pool, hd_image size, const void *x, int ph, int pw, int count, const int *at, void *y)
{
    job j = { .size = size, .ph = ph, .pw = pw, .count = count, .at = at, .x = x, .y = y };
    j.unit = hd_image_bytes((hd_image){ size.type, 1, 1, size.c });
    hd_pool_run(pool, count, cut_task, &j);
}

/* Row i of patch k, on the picture's row. */
static void add_row(const job *j, int k, int i)
{
    const size_t c = (size_t)j->size.c, pw = (size_t)j->pw;
    const size_t place = (size_t)(j->at[2 * k] + i) * (size_t)j->size.w + (size_t)j->at[2 * k + 1];
    const real *x = (const real *)j->x + ((size_t)k * (size_t)j->ph + (size_t)i) * pw * c;
    for (size_t p = 0; p < pw; p++) {
        const double g = j->window ? j->window[(size_t)i * pw + p] : 1;
        j->weight[place + p] += g;
        for (size_t e = 0; e < c; e++) {
            j->sum[(place + p) * c + e] += g * x[p * c + e];
        }
    }
}

/* A band of the picture's rows: what of all patches falls on it, in their order. */
static void blend_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const int begin = task * BAND, end = begin + BAND < j->size.h ? begin + BAND : j->size.h;
    const size_t c = (size_t)j->size.c, w = (size_t)j->size.w;
    (void)thread;
    for (int k = 0; k < j->count; k++) {
        const int top = j->at[2 * k], low = top + j->ph;
        for (int row = top > begin ? top : begin; row < end && row < low; row++) {
            add_row(j, k, row - top);
        }
    }
    for (size_t i = (size_t)begin * w; i < (size_t)end * w; i++) {
        for (size_t e = 0; j->weight[i] > 0 && e < c; e++) {
            ((real *)j->y)[i * c + e] = (real)(j->sum[i * c + e] / j->weight[i]);
        }
    }
}

hd_status hd_blend(hd_context *c, hd_image size, const real *patches, int ph, int pw, int count, const int *at, const double *window, real *y)
{
    const size_t pixels = (size_t)size.h * (size_t)size.w;
    job j = { .size = size, .ph = ph, .pw = pw, .count = count, .at = at, .x = patches, .y = y, .window = window };
    j.sum = hd_alloc(c, (hd_image_size(size) + pixels) * sizeof *j.sum, "blending of patches");
    if (!j.sum) {
        return HD_ERR_MEMORY;
    }
    j.weight = j.sum + hd_image_size(size);
    hd_pool_run(c->pool, (size.h + BAND - 1) / BAND, blend_task, &j);
    hd_status status = HD_OK;
    for (size_t i = 0; i < pixels && !status; i++) {
        if (!(j.weight[i] > 0)) {
            status = hd_fail(c, HD_ERR_ARGUMENT, "blendPatches: no patch covers row %d, column %d", (int)(i / (size_t)size.w), (int)(i % (size_t)size.w));
        }
    }
    hd_release(c, j.sum);
    return status;
}
