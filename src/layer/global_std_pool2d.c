/* Standard deviation of each channel over the positions of an image. */
#include "kern/vec.h"
#include "layer/window.h"

#include <math.h>

enum { EPSILON };
enum { WIDE = 64 }; /* channels in a task */

static const hd_option options[] = {
    { .name = "epsilon", .type = HD_NUMBER, .min = 0, .max = 1, .doc = "added to the variance before the root" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    hd_status status = hd_image_check(b);
    if (!status) {
        b->out = HD_SHAPE(b->in[0].dim[2]);
        b->saved = (size_t)b->in[0].dim[2];
    }
    return status;
}

/* Sum over the positions of (x - m)^power, line by line; n channels, at most a vector. */
static vec sum_about(const hd_run *r, const real *x, vec m, int power, size_t n)
{
    vec sum = vzero();
    for (int i = 0; i < r->in[0].dim[0]; i++) {
        vec line = vzero();
        for (int j = 0; j < r->in[0].dim[1]; j++, x += r->in[0].dim[2]) {
            vec e = vsub(vload_upto(x, n), m);
            line = vadd(line, power == 2 ? vmul(e, e) : e);
        }
        sum = vadd(sum, line);
    }
    return sum;
}

/* One image, WIDE channels. In two passes about the mean, which is found from the differences to the first position:
 * the deviation of a constant is exactly 0. */
static void forward_task(void *arg, int task, int thread)
{
    (void)thread;
    const hd_run *r = arg;
    size_t c = (size_t)r->in[0].dim[2], blocks = (c + WIDE - 1) / WIDE, image = (size_t)task / blocks,
           begin = (size_t)task % blocks * WIDE, end = c - begin < WIDE ? c : begin + WIDE;
    vec positions = vset((real)r->in[0].dim[0] * (real)r->in[0].dim[1]), epsilon = vset((real)r->opt->number[EPSILON]);
    for (size_t k = begin; k < end; k += HD_VL) {
        const real *x = r->x[0] + image * hd_shape_size(&r->in[0]) + k;
        size_t n = end - k;
        vec first = vload_upto(x, n), mean = vadd(first, vdiv(sum_about(r, x, first, 1, n), positions));
        vec variance = vdiv(sum_about(r, x, mean, 2, n), positions);
        vstore_upto(r->y + image * c + k, vsqrt(vadd(variance, epsilon)), n);
        if (r->saved) {
            vstore_upto(r->saved + image * c + k, mean, n);
        }
    }
}

/* dX = dY (x - mean) / (positions y), 0 where y is. */
static void backward_task(void *arg, int task, int thread)
{
    (void)thread;
    const hd_run *r = arg;
    size_t c = (size_t)r->in[0].dim[2], blocks = (c + WIDE - 1) / WIDE, image = (size_t)task / blocks,
           begin = (size_t)task % blocks * WIDE, end = c - begin < WIDE ? c : begin + WIDE,
           positions = hd_shape_size(&r->in[0]) / c;
    for (size_t k = begin; k < end; k += HD_VL) {
        size_t n = end - k, at = image * c + k;
        vec y = vload_upto(r->y + at, n), mean = vload_upto(r->saved + at, n);
        vec factor = vdiv(vload_upto(r->dy + at, n), vmul(vset((real)positions), y));
        factor = vselect(veq(y, vzero()), vzero(), factor);
        for (size_t p = 0; p < positions; p++) {
            size_t e = (image * positions + p) * c + k;
            vec d = vmul(factor, vsub(vload_upto(r->x[0] + e, n), mean));
            vstore_upto(r->dx[0] + e, r->add[0] ? vadd(vload_upto(r->dx[0] + e, n), d) : d, n);
        }
    }
}

static void run(const hd_run *r, hd_task *fn)
{
    int blocks = (r->in[0].dim[2] + WIDE - 1) / WIDE;
    hd_pool_run(r->pool, r->n * blocks, fn, (void *)r);
}

static void forward(const hd_run *r)
{
    run(r, forward_task);
}

static void backward(const hd_run *r)
{
    if (r->dx[0]) {
        run(r, backward_task);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 3, 4, 5 } } }, 0, { 0 } },
    { 1, { { 3, { 2, 5, 4 } } }, 1, { 0.1 } },
    { 0 },
};

const hd_layer_class hd_layer_global_std_pool2d = {
    .name = "globalStdPool2d",
    .doc = "standard deviation (divided by H W) of each channel of an image: [H, W, C] to [C]; the gradient of 0 is 0",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .flags = HD_NEEDS_X | HD_NEEDS_Y,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
