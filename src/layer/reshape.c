/* The same elements, in row-major order, under another shape. */
#include "layer/layer.h"

enum { SHAPE };

static const hd_option options[] = {
    { .name = "shape", .type = HD_INTS, .min = -1, .max = 2147483647, .required = true,
      .doc = "shape of a sample; one dim may be -1 and is then inferred" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    int rank = (int)b->opt->number[SHAPE], inferred = -1;
    uint64_t size = hd_shape_size(&b->in[0]), known = 1;
    if (rank > HD_MAX_RANK) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: shape has %d dims, expected at most %d", b->path, rank, HD_MAX_RANK);
    }
    b->out.rank = rank;
    for (int i = 0; i < rank; i++) {
        int dim = (int)b->opt->list[b->opt->start[SHAPE] + i];
        if (dim == 0 || (dim < 0 && inferred >= 0)) {
            return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: shape[%d] = %d, expected dims >= 1, and at most one -1", b->path,
                           i, dim);
        }
        if (dim < 0) {
            inferred = i;
        } else {
            known = known <= size ? known * (uint64_t)dim : known; /* beyond size it can't fit any more */
        }
        b->out.dim[i] = dim;
    }
    if (inferred >= 0 && size % known == 0) {
        b->out.dim[inferred] = (int)(size / known);
        known = size;
    }
    if (known != size) {
        char from[96], to[96];
        hd_shape_text(&b->in[0], from, sizeof from);
        hd_shape_text(&b->out, to, sizeof to);
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: %s can't become %s: it has %z elements", b->path, from, to,
                       (size_t)size);
    }
    return HD_OK;
}

static const hd_example examples[] = {
    { 1, { { 2, { 3, 4 } } }, 3, { 2, 2, 6 } },
    { 1, { { 1, { 12 } } }, 4, { 3, 2, -1, 3 } },
    { 0 },
};

const hd_layer_class hd_layer_reshape = {
    .name = "reshape",
    .doc = "the elements of a sample, in row-major order, under another shape",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .flags = HD_ALIAS,
    .shape = shape,
    .examples = examples,
};
