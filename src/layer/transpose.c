/* Axes of a sample in another order. */
#include "kern/elementwise.h"
#include "layer/layer.h"

enum { AXES };

static const hd_option options[] = {
    { .name = "axes", .type = HD_INTS, .min = 0, .max = HD_MAX_RANK - 1,
      .doc = "axis of the input for each axis of the output, 0 = first of the sample; empty: reversed" },
    { 0 },
};

/* Axis of the input that becomes axis i of the output. */
static int axis_of(const hd_values *opt, int rank, int i)
{
    return opt->number[AXES] ? (int)opt->list[opt->start[AXES] + i] : rank - 1 - i;
}

static hd_status shape(hd_build *b)
{
    int rank = b->in[0].rank, given = (int)b->opt->number[AXES];
    bool used[HD_MAX_RANK] = { false };
    if (given && given != rank) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: axes has %d values, expected %d, the rank of the input", b->path, given,
                       rank);
    }
    b->out.rank = rank;
    for (int i = 0; i < rank; i++) {
        int axis = axis_of(b->opt, rank, i);
        if (axis >= rank || used[axis]) {
            return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: axes[%d] = %d, expected each of 0..%d once", b->path, i, axis,
                           rank - 1);
        }
        used[axis] = true;
        b->out.dim[i] = b->in[0].dim[axis];
    }
    return HD_OK;
}

/* The permutation of a batch, with neighbours that stay together merged into one axis. */
typedef struct plan {
    int rank;
    int dim[HD_MAX_RANK + 1];       /* of the output; [0] is the batch */
    size_t stride[HD_MAX_RANK + 1]; /* in the input, for each axis of the output */
    size_t size;
    const real *x; /* batch of inputs, or of output gradients in backward */
    real *y;
    bool back, add;
} plan;

static plan plan_of(const hd_run *r)
{
    const hd_shape *in = &r->in[0];
    plan p = { .rank = 1, .dim = { r->n }, .size = hd_shape_size(in) };
    p.stride[0] = p.size;
    for (int i = 0; i < in->rank; i++) {
        size_t stride = 1;
        int axis = axis_of(r->opt, in->rank, i), last = p.rank - 1;
        if (in->dim[axis] == 1) {
            continue;
        }
        for (int k = axis + 1; k < in->rank; k++) {
            stride *= (size_t)in->dim[k];
        }
        if (p.stride[last] == stride * (size_t)in->dim[axis]) {
            p.dim[last] *= in->dim[axis];
            p.stride[last] = stride;
        } else {
            p.dim[p.rank] = in->dim[axis];
            p.stride[p.rank++] = stride;
        }
    }
    return p;
}

/* One block: the elements under index `task` of the first axis. */
static void move(void *arg, int task, int thread)
{
    (void)thread;
    const plan *p = arg;
    int last = p->rank - 1, index[HD_MAX_RANK + 1] = { 0 };
    size_t block = 1, step = p->stride[last], strided = (size_t)task * p->stride[0];
    for (int i = 1; i <= last; i++) {
        block *= (size_t)p->dim[i];
    }
    size_t plain = (size_t)task * block, end = plain + block;
    while (plain < end) {
        for (int k = 0; k < p->dim[last]; k++, plain++) {
            size_t from = p->back ? plain : strided + (size_t)k * step;
            size_t to = p->back ? strided + (size_t)k * step : plain;
            p->y[to] = p->add ? p->y[to] + p->x[from] : p->x[from];
        }
        for (int i = last - 1; i >= 1; i--) {
            strided += p->stride[i];
            if (++index[i] < p->dim[i]) {
                break;
            }
            strided -= (size_t)index[i] * p->stride[i];
            index[i] = 0;
        }
    }
}

/* The batch stays in front, so that two axes would have merged into one, and three mean: swap the last two. */
static void run(const hd_run *r, plan *p)
{
    if (p->rank == 1) {
        const int dims[3] = { 1, 1, p->dim[0] }, order[3] = { 0, 1, 2 };
        hd_permute(r->pool, dims, order, p->x, p->y, p->add);
    } else if (p->rank == 3) {
        const int dims[3] = { p->dim[0], p->dim[p->back ? 1 : 2], p->dim[p->back ? 2 : 1] }, order[3] = { 0, 2, 1 };
        hd_permute(r->pool, dims, order, p->x, p->y, p->add);
    } else {
        hd_pool_run(r->pool, p->dim[0], move, p);
    }
}

static void forward(const hd_run *r)
{
    plan p = plan_of(r);
    p.x = r->x[0];
    p.y = r->y;
    run(r, &p);
}

static void backward(const hd_run *r)
{
    if (r->dx[0]) {
        plan p = plan_of(r);
        p.x = r->dy;
        p.y = r->dx[0];
        p.back = true;
        p.add = r->add[0];
        run(r, &p);
    }
}

static const hd_example examples[] = {
    { 1, { { 2, { 3, 4 } } }, 0, { 0 } },
    { 1, { { 3, { 2, 3, 4 } } }, 4, { 3, 2, 0, 1 } },
    { 1, { { 3, { 2, 3, 4 } } }, 0, { 0 } },
    { 1, { { 4, { 2, 3, 2, 3 } } }, 5, { 4, 1, 0, 3, 2 } },
    { 0 },
};

const hd_layer_class hd_layer_transpose = {
    .name = "transpose",
    .doc = "the axes of a sample in another order",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
