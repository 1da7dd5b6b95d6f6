/* A constant feature, so that what multiplies the vector has a bias: [x; value]. */
#include "layer/rows.h"

#include <string.h>

static const hd_option options[] = {
    { .name = "value", .type = HD_NUMBER, .min = -1e6, .max = 1e6, .def = 1, .doc = "the element put at the end of the last axis" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    return hd_rows_shape(b, b->in[0].rank ? hd_shape_last(&b->in[0]) + 1 : 0);
}

static void append(const hd_row *row)
{
    memcpy(row->to, row->from, row->in * sizeof(real));
    row->to[row->in] = (real)row->option;
}

static void append_back(const hd_row *row)
{
    for (size_t i = 0; i < row->in; i++) {
        row->to[i] = row->add ? row->to[i] + row->from[i] : row->from[i];
    }
}

static void forward(const hd_run *r)
{
    hd_rows_forward(r, append);
}

static void backward(const hd_run *r)
{
    hd_rows_backward(r, append_back);
}

static const hd_example examples[] = {
    { 1, { { 1, { 5 } } }, 0, { 0 } },
    { 1, { { 2, { 3, 4 } } }, 1, { -2 } },
    { 0 },
};

const hd_layer_class hd_layer_append_constant = {
    .name = "appendConstant",
    .doc = "a constant at the end of the last axis: [.., n] to [.., n + 1]",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT,
    .out_layout = HD_ANY_LAYOUT,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
