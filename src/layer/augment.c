#include "layer/augment.h"

#include "kern/elementwise.h"
#include "layer/window.h"

#include <string.h>

hd_status hd_augment_shape(hd_build *b)
{
    b->out = b->in[0];
    return hd_image_check(b);
}

typedef struct job {
    const hd_run *r;
    const hd_augmentation *a;
} job;

/* One sample. */
static void forward_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const int h = j->r->out.dim[0], w = j->r->out.dim[1], c = j->r->out.dim[2];
    const size_t size = (size_t)h * (size_t)w * (size_t)c;
    const real *x = j->r->x[0] + (size_t)task * size;
    real *y = j->r->y + (size_t)task * size;
    hd_draw d;
    j->a->draw(j->r->opt, j->r->rng, (uint64_t)task, &d);
    for (int i = 0; i < h; i++) {
        for (int k = 0; k < w; k++, y += c) {
            hd_pixel_source s;
            j->a->source(j->r->opt, &d, h, w, i, k, &s);
            memset(y, 0, (size_t)c * sizeof *y);
            for (int t = 0; t < s.count; t++) {
                const real *from = x + ((size_t)s.row[t] * (size_t)w + (size_t)s.col[t]) * (size_t)c;
                for (int e = 0; e < c; e++) {
                    y[e] += s.weight[t] * from[e];
                }
            }
        }
    }
}

static void backward_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const int h = j->r->out.dim[0], w = j->r->out.dim[1], c = j->r->out.dim[2];
    const size_t size = (size_t)h * (size_t)w * (size_t)c;
    const real *dy = j->r->dy + (size_t)task * size;
    real *dx = j->r->dx[0] + (size_t)task * size;
    hd_draw d;
    j->a->draw(j->r->opt, j->r->rng, (uint64_t)task, &d);
    if (!j->r->add[0]) {
        memset(dx, 0, size * sizeof *dx);
    }
    for (int i = 0; i < h; i++) {
        for (int k = 0; k < w; k++, dy += c) {
            hd_pixel_source s;
            j->a->source(j->r->opt, &d, h, w, i, k, &s);
            for (int t = 0; t < s.count; t++) {
                real *to = dx + ((size_t)s.row[t] * (size_t)w + (size_t)s.col[t]) * (size_t)c;
                for (int e = 0; e < c; e++) {
                    to[e] += s.weight[t] * dy[e];
                }
            }
        }
    }
}

void hd_augment_forward(const hd_run *r, const hd_augmentation *a)
{
    job j = { r, a };
    if (r->training) {
        hd_pool_run(r->pool, r->n, forward_task, &j);
    } else {
        hd_copy(r->pool, (size_t)r->n * hd_shape_size(&r->out), r->x[0], r->y);
    }
}

void hd_augment_backward(const hd_run *r, const hd_augmentation *a)
{
    const size_t size = (size_t)r->n * hd_shape_size(&r->out);
    job j = { r, a };
    if (r->dx[0] && r->training) {
        hd_pool_run(r->pool, r->n, backward_task, &j);
    } else if (r->dx[0] && r->add[0]) {
        hd_add(r->pool, size, r->dx[0], r->dy, r->dx[0]);
    } else if (r->dx[0]) {
        hd_copy(r->pool, size, r->dy, r->dx[0]);
    }
}
