/* All elements of a sample as one vector, in row-major order. */
#include "layer/layer.h"

static hd_status shape(hd_build *b)
{
    b->out = (hd_shape){ 1, { (int)hd_shape_size(&b->in[0]) } };
    return HD_OK;
}

static const hd_example examples[] = {
    { 1, { { 2, { 3, 4 } } }, 0, { 0 } },
    { 1, { { 3, { 2, 3, 2 } } }, 0, { 0 } },
    { 0 },
};

const hd_layer_class hd_layer_flatten = {
    .name = "flatten",
    .doc = "the elements of a sample as a vector, in row-major order",
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .flags = HD_ALIAS,
    .shape = shape,
    .examples = examples,
};
