/* Concatenated ReLU (Shang et al., "Understanding and Improving Convolutional Neural Networks via Concatenated Rectified Linear
 * Units", 2016): y = [f(z); f(-z)] keeps all of z: f(z) - f(-z) = (1 + a) z, which for a = 0 is z bit for bit. It is relu(V z) with
 * V = [I; -I], the lossless flow of Javid et al. (SSFN, HNF, ReDense), V never formed. */
#include "kern/vec.h"
#include "layer/rows.h"

static const hd_option options[] = {
    { .name = "negativeSlope", .type = HD_NUMBER, .min = 0, .max = 1, .open_max = true, .def = 0, .doc = "a: f(z) = z for z > 0, else a z" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    if (b->in[0].rank && hd_shape_last(&b->in[0]) > 1 << 30) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: %d elements on the last axis, expected at most %d", b->path, hd_shape_last(&b->in[0]), 1 << 30);
    }
    return hd_rows_shape(b, b->in[0].rank ? 2 * hd_shape_last(&b->in[0]) : 0);
}

static void both(const hd_row *row)
{
    const size_t n = row->in;
    const vec slope = vset((real)row->option), zero = vzero();
    for (size_t i = 0; i < n; i += HD_VL) {
        const vec z = vload_upto(row->from + i, n - i), minus = vneg(z), sign = vgt(z, zero);
        vstore_upto(row->to + i, vselect(sign, z, vmul(slope, z)), n - i);
        vstore_upto(row->to + n + i, vselect(vlt(z, zero), minus, vmul(slope, minus)), n - i);
    }
}

/* The sign of z is that of y's first half minus its second; at 0, where both are 0, f' = a. */
static void both_back(const hd_row *row)
{
    const size_t n = row->in;
    const vec slope = vset((real)row->option), one = vset(1);
    for (size_t i = 0; i < n; i += HD_VL) {
        const size_t left = n - i;
        const vec up = vload_upto(row->y + i, left), down = vload_upto(row->y + n + i, left);
        const vec f = vselect(vgt(up, down), one, slope), g = vselect(vgt(down, up), one, slope);
        vec d = vsub(vmul(f, vload_upto(row->from + i, left)), vmul(g, vload_upto(row->from + n + i, left)));
        if (row->add) {
            d = vadd(d, vload_upto(row->to + i, left));
        }
        vstore_upto(row->to + i, d, left);
    }
}

static void forward(const hd_run *r)
{
    hd_rows_forward(r, both);
}

static void backward(const hd_run *r)
{
    hd_rows_backward(r, both_back);
}

static const hd_example examples[] = {
    { 1, { { 1, { 7 } } }, 0, { 0 } },
    { 1, { { 2, { 3, 4 } } }, 1, { 0.25 } },
    { 1, { { 3, { 2, 3, 5 } } }, 1, { 0 } },
    { 0 },
};

const hd_layer_class hd_layer_crelu = {
    .name = "crelu",
    .doc = "concatenated ReLU: [f(z); f(-z)] on the last axis, [.., n] to [.., 2 n]",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT, /* the last axis is contiguous in both */
    .out_layout = HD_ANY_LAYOUT,
    .flags = HD_NEEDS_Y,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
