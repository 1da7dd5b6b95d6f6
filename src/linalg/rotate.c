#include "linalg/rotate.h"

#include "kern/vec.h"

enum { STRIP = 32, PASSES = 24 }; /* columns of a strip, rotations kept for each row */

hd_status hd_rotations_open(hd_context *c, hd_rotations *r, int rows, int cols, real *a, int lda)
{
    *r = (hd_rotations){ .c = c, .rows = rows, .cols = cols, .room = PASSES * (rows + 1), .a = a, .lda = lda };
    if (a) {
        r->list = hd_reserve(c, (size_t)r->room * sizeof *r->list, "rotations");
    }
    return a && !r->list ? HD_ERR_MEMORY : HD_OK;
}

static void turn_strip(void *arg, int task, int thread)
{
    (void)thread;
    const hd_rotations *r = arg;
    const int first = task * STRIP, width = r->cols - first < STRIP ? r->cols - first : STRIP;
    for (int k = 0; k < r->count; k++) {
        const hd_rotation *g = &r->list[k];
        const vec c = vset(g->c), s = vset(g->s);
        real *x = r->a + (size_t)g->x * (size_t)r->lda + first, *y = r->a + (size_t)g->y * (size_t)r->lda + first;
        for (int i = 0; i < width; i += HD_VL) {
            const size_t left = (size_t)(width - i);
            const vec a = vload_upto(x + i, left), b = vload_upto(y + i, left);
            vstore_upto(x + i, vadd(vmul(c, a), vmul(s, b)), left);
            vstore_upto(y + i, vsub(vmul(c, b), vmul(s, a)), left);
        }
    }
}

void hd_rotations_flush(hd_rotations *r)
{
    if (r->count && r->cols) {
        hd_pool_run(r->c->pool, (r->cols + STRIP - 1) / STRIP, turn_strip, r);
    }
    r->count = 0;
}

void hd_rotate(hd_rotations *r, int x, int y, double c, double s)
{
    if (!r->a) {
        return;
    }
    if (r->count == r->room) {
        hd_rotations_flush(r);
    }
    r->list[r->count++] = (hd_rotation){ x, y, (real)c, (real)s };
}

void hd_rotations_close(hd_rotations *r)
{
    hd_release(r->c, r->list);
}
