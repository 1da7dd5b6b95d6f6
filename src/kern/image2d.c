#include "kern/image2d.h"

#include <stddef.h>
#include <string.h>

typedef struct job {
    hd_rectangle r;
    size_t rows, block; /* in all, in a task */
    const real *x;
    real *y;
    bool add;
} job;

static void copy_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const hd_rectangle *r = &j->r;
    const size_t first = (size_t)task * j->block, last = first + j->block < j->rows ? first + j->block : j->rows;
    const size_t count = (size_t)r->w * (size_t)r->c;
    for (size_t row = first; row < last; row++) {
        const size_t image = row / (size_t)r->h, i = row % (size_t)r->h;
        const real *x = j->x + ((image * (size_t)r->xh + (size_t)r->xi + i) * (size_t)r->xw + (size_t)r->xj) * (size_t)r->c;
        real *y = j->y + ((image * (size_t)r->yh + (size_t)r->yi + i) * (size_t)r->yw + (size_t)r->yj) * (size_t)r->c;
        if (!j->add) {
            memcpy(y, x, count * sizeof *y);
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            y[k] += x[k];
        }
    }
}

void hd_copy_rectangle(hd_pool *p, const hd_rectangle *r, int n, const real *x, real *y, bool add)
{
    enum { BLOCK = 16384 }; /* elements in a task */
    job j = { .r = *r, .rows = (size_t)n * (size_t)r->h, .x = x, .y = y, .add = add };
    const size_t row = (size_t)r->w * (size_t)r->c;
    j.block = row < BLOCK ? BLOCK / row : 1;
    hd_pool_run(p, (int)((j.rows + j.block - 1) / j.block), copy_task, &j);
}
