/* Vectors of the last axis scaled to length 1, as by Keras's UnitNormalization. */
#include "kern/vec.h"
#include "layer/rows.h"

#include <math.h>

static const hd_option options[] = { { 0 } };

static hd_status shape(hd_build *b)
{
    return hd_rows_shape(b, b->in[0].rank ? hd_shape_last(&b->in[0]) : 0);
}

/* Sum of x y, in float64 beyond runs of RUN elements. */
static double product(size_t n, const real *x, const real *y)
{
    enum { RUN = 256 };
    double sum = 0;
    for (size_t from = 0; from < n; from += RUN) {
        const size_t end = n - from < RUN ? n : from + RUN;
        vec a = vzero();
        for (size_t i = from; i < end; i += HD_VL) {
            a = vmadd(vload_upto(x + i, end - i), vload_upto(y + i, end - i), a);
        }
        sum += vsum(a);
    }
    return sum;
}

/* 1 / ||x||; 0 for vectors without a direction worth keeping, shorter than 1e-12. */
static double inverse_norm(size_t n, const real *x)
{
    double squares = product(n, x, x);
    return squares < 1e-24 ? 0 : 1 / sqrt(squares);
}

static void normalise(const hd_row *row)
{
    const vec s = vset((real)inverse_norm(row->in, row->from));
    for (size_t i = 0; i < row->in; i += HD_VL) {
        vstore_upto(row->to + i, vmul(s, vload_upto(row->from + i, row->in - i)), row->in - i);
    }
}

/* dx = (dz - z (z.dz)) / ||x||, z = x / ||x||. */
static void normalise_back(const hd_row *row)
{
    const size_t n = row->in;
    const double s = inverse_norm(n, row->x), along = product(n, row->x, row->from) * s * s;
    const vec scale = vset((real)s), part = vset((real)(-s * along));
    for (size_t i = 0; i < n; i += HD_VL) {
        vec d = vadd(vmul(scale, vload_upto(row->from + i, n - i)), vmul(part, vload_upto(row->x + i, n - i)));
        if (row->add) {
            d = vadd(d, vload_upto(row->to + i, n - i));
        }
        vstore_upto(row->to + i, d, n - i);
    }
}

static void forward(const hd_run *r)
{
    hd_rows_forward(r, normalise);
}

static void backward(const hd_run *r)
{
    hd_rows_backward(r, normalise_back);
}

static const hd_example examples[] = {
    { 1, { { 1, { 7 } } }, 0, { 0 } },
    { 1, { { 2, { 3, 4 } } }, 0, { 0 } },
    { 1, { { 1, { 1 } } }, 0, { 0 } },
    { 0 },
};

const hd_layer_class hd_layer_unit_normalization = {
    .name = "unitNormalization",
    .doc = "x / ||x|| for each vector of the last axis (Euclidean length); 0 for one shorter than 1e-12",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT, /* the last axis is contiguous in both */
    .out_layout = HD_ANY_LAYOUT,
    .flags = HD_NEEDS_X,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
