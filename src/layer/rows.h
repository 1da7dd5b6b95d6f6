/* Layers that work on each vector of the last axis alone: their rows, shared among tasks. */
#ifndef HD_LAYER_ROWS_H
#define HD_LAYER_ROWS_H

#include "layer/layer.h"

/* One vector: x [in] to y [out], or backward: the gradient `from` of y to that of x, added to `to` if `add`. */
typedef struct hd_row {
    size_t in, out;
    const real *from;
    real *to;
    const real *x, *y; /* backward: input and output, if HD_NEEDS_X, HD_NEEDS_Y */
    bool add;
    double option; /* the layer's first, if it has one */
} hd_row;
typedef void hd_row_rule(const hd_row *row);

/* Checks that there is a last axis; the output's has `out` elements. */
hd_status hd_rows_shape(hd_build *b, int out);
void hd_rows_forward(const hd_run *r, hd_row_rule *rule);
void hd_rows_backward(const hd_run *r, hd_row_rule *rule);

#endif
