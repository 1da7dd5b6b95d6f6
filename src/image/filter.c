#include "image/image.h"

#include <string.h>

enum { BLOCK = 64 };

typedef struct tap {
    size_t at; /* in `wide`, from where the window of the first element begins */
    double weight;
} tap;

/* The picture with half a kernel more on each side. */
typedef struct job {
    hd_image size;
    int down, across; /* half the kernel */
    int border;
    const real *x;
    real *wide, *y;
    tap *taps;
    int count;
} job;

/* Where a row or column outside of 0..n-1 is read; -1: zero. */
static int source(int i, int n, int border)
{
    return i >= 0 && i < n ? i : border == HD_BORDER_MIRROR ? hd_mirrored(i, n) : border == HD_BORDER_ZERO ? -1 : i < 0 ? 0 : n - 1;
}

static void widen_task(void *arg, int row, int thread)
{
    const job *j = arg;
    const size_t c = (size_t)j->size.c, bytes = c * sizeof(real);
    const int w = j->size.w, from = source(row - j->down, j->size.h, j->border);
    real *to = j->wide + (size_t)row * (size_t)(w + 2 * j->across) * c;
    (void)thread;
    if (from < 0) {
        memset(to, 0, (size_t)(w + 2 * j->across) * bytes);
        return;
    }
    const real *x = j->x + (size_t)from * (size_t)w * c;
    memcpy(to + (size_t)j->across * c, x, (size_t)w * bytes);
    for (int i = 0; i < 2 * j->across; i++) {
        const int place = i < j->across ? i : i + w, at = source(place - j->across, w, j->border);
        if (at < 0) {
            memset(to + (size_t)place * c, 0, bytes);
        } else {
            memcpy(to + (size_t)place * c, x + (size_t)at * c, bytes);
        }
    }
}

static void filter_task(void *arg, int row, int thread)
{
    const job *j = arg;
    const size_t n = (size_t)j->size.w * (size_t)j->size.c, wide = n + 2 * (size_t)j->across * (size_t)j->size.c;
    (void)thread;
    for (size_t e0 = 0; e0 < n; e0 += BLOCK) {
        const size_t count = n - e0 < BLOCK ? n - e0 : BLOCK;
        double sum[BLOCK] = { 0 };
        for (int k = 0; k < j->count; k++) {
            const real *x = j->wide + (size_t)row * wide + j->taps[k].at + e0;
            for (size_t e = 0; e < count; e++) {
                sum[e] += j->taps[k].weight * x[e];
            }
        }
        for (size_t e = 0; e < count; e++) {
            j->y[(size_t)row * n + e0 + e] = (real)sum[e];
        }
    }
}

hd_status hd_filter(hd_context *c, hd_image size, const real *x, int kh, int kw, const double *kernel, int border, real *y)
{
    job j = { .size = size, .down = kh / 2, .across = kw / 2, .border = border, .x = x, .y = y };
    const size_t wide = (size_t)(size.w + 2 * j.across) * (size_t)size.c, taps = (size_t)kh * (size_t)kw;
    j.taps = hd_reserve(c, taps * sizeof *j.taps + wide * (size_t)(size.h + 2 * j.down) * sizeof *j.wide, "filter");
    if (!j.taps) {
        return HD_ERR_MEMORY;
    }
    j.wide = (real *)(j.taps + taps);
    for (int i = 0; i < kh * kw; i++) {
        if (kernel[i] != 0) {
            j.taps[j.count++] = (tap){ (size_t)(i / kw) * wide + (size_t)(i % kw) * (size_t)size.c, kernel[i] };
        }
    }
    hd_pool_run(c->pool, size.h + 2 * j.down, widen_task, &j);
    hd_pool_run(c->pool, size.h, filter_task, &j);
    hd_release(c, j.taps);
    return HD_OK;
}
