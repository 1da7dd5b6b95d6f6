/* Joins tensors along one axis. */
#include "kern/elementwise.h"
#include "layer/layer.h"

#include <string.h>

enum { AXIS };

static const hd_option options[] = {
    { .name = "axis", .type = HD_INT, .min = -HD_MAX_RANK, .max = HD_MAX_RANK - 1, .def = -1,
      .doc = "axis of the sample to join along; 0 = first, -1 = last" },
    { 0 },
};

static int axis_of(const hd_values *opt, int rank)
{
    int axis = (int)opt->number[AXIS];
    return axis < 0 ? axis + rank : axis;
}

static hd_status shape(hd_build *b)
{
    const hd_shape *first = &b->in[0];
    int axis = axis_of(b->opt, first->rank);
    char want[96], got[96];
    hd_shape_text(first, want, sizeof want);
    if (axis < 0 || axis >= first->rank) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: axis = %d, expected an axis of input 0, which is %s", b->path,
                       (int)b->opt->number[AXIS], want);
    }
    double length = 0;
    for (int i = 0; i < b->n_in; i++) {
        hd_shape s = b->in[i];
        length += axis < s.rank ? s.dim[axis] : 0;
        if (axis < s.rank) {
            s.dim[axis] = first->dim[axis];
        }
        if (!hd_shape_equal(&s, first)) {
            hd_shape_text(&b->in[i], got, sizeof got);
            return hd_fail(b->c, HD_ERR_SHAPE, "%s: input %d is %s, expected %s but for axis %d", b->path, i, got, want,
                           axis);
        }
    }
    if (length > HD_MOST_ELEMENTS) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: axis %d of the output has %g elements, expected less than 2^30",
                       b->path, axis, length);
    }
    b->out = *first;
    b->out.dim[axis] = (int)length;
    return HD_OK;
}

/* Copies or adds rows of `row` elements between arrays whose rows begin ldx and ldy elements apart. */
typedef struct rows {
    size_t count, block, row, ldx, ldy;
    const real *x;
    real *y;
    bool add;
} rows;

static void copy_rows(void *arg, int task, int thread)
{
    (void)thread;
    const rows *c = arg;
    size_t begin = (size_t)task * c->block, end = begin + c->block < c->count ? begin + c->block : c->count;
    for (size_t i = begin; i < end; i++) {
        const real *restrict x = c->x + i * c->ldx;
        real *restrict y = c->y + i * c->ldy;
        if (!c->add) {
            memcpy(y, x, c->row * sizeof *y);
            continue;
        }
        for (size_t k = 0; k < c->row; k++) {
            y[k] += x[k];
        }
    }
}

static void run_rows(hd_pool *p, rows c)
{
    c.block = c.row < HD_BLOCK ? HD_BLOCK / c.row : 1;
    hd_pool_run(p, (int)((c.count + c.block - 1) / c.block), copy_rows, &c);
}

/* Elements of one row: those from the axis on. */
static size_t row_of(const hd_shape *s, int axis)
{
    size_t row = 1;
    for (int i = axis; i < s->rank; i++) {
        row *= (size_t)s->dim[i];
    }
    return row;
}

static void forward(const hd_run *r)
{
    int axis = axis_of(r->opt, r->out.rank);
    size_t whole = row_of(&r->out, axis), count = (size_t)r->n * (hd_shape_size(&r->out) / whole), at = 0;
    for (int i = 0; i < r->n_in; i++) {
        size_t row = row_of(&r->in[i], axis);
        run_rows(r->pool, (rows){ .count = count, .row = row, .ldx = row, .ldy = whole, .x = r->x[i], .y = r->y + at });
        at += row;
    }
}

static void backward(const hd_run *r)
{
    int axis = axis_of(r->opt, r->out.rank);
    size_t whole = row_of(&r->out, axis), count = (size_t)r->n * (hd_shape_size(&r->out) / whole), at = 0;
    for (int i = 0; i < r->n_in; i++) {
        size_t row = row_of(&r->in[i], axis);
        if (r->dx[i]) {
            run_rows(r->pool, (rows){ .count = count, .row = row, .ldx = whole, .ldy = row, .x = r->dy + at,
                                      .y = r->dx[i], .add = r->add[i] });
        }
        at += row;
    }
}

static const hd_example examples[] = {
    { 2, { { 1, { 3 } }, { 1, { 4 } } }, 0, { 0 } },
    { 3, { { 2, { 2, 3 } }, { 2, { 1, 3 } }, { 2, { 3, 3 } } }, 1, { 0 } },
    { 2, { { 3, { 2, 2, 3 } }, { 3, { 2, 4, 3 } } }, 1, { -2 } },
    { 0 },
};

const hd_layer_class hd_layer_concat = {
    .name = "concat",
    .doc = "joins inputs of equal shapes but for one axis along that axis",
    .options = options,
    .min_inputs = 2,
    .max_inputs = HD_MAX_INPUTS,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
