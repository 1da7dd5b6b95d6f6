/* Windows that slide over images [H, W, C]: the options `kernelSize` or `poolSize`, `strides`, `padding`, `pads` and
 * `dilation` that convolutions and poolings share. */
#ifndef HD_LAYER_WINDOW_H
#define HD_LAYER_WINDOW_H

#include "layer/layer.h"

enum { HD_PADDING_VALID, HD_PADDING_SAME, HD_PADDING_EXPLICIT };
extern const char *const hd_padding_names[]; /* "valid", "same", "explicit" */

/* Options in this order in the tables. Lists have one value for both directions or two (rows, columns); pads one, two,
 * or four (top, bottom, left, right). */
#define HD_PADDING_OPTIONS                                                                                             \
    { .name = "strides", .type = HD_INTS, .min = 1, .max = 1024, .doc = "step of the window, rows and columns" },      \
    { .name = "padding", .type = HD_ENUM, .names = hd_padding_names,                                                   \
      .doc = "valid: none; same: output ceil(H / stride), the odd row or column at the bottom or right, as in "        \
             "TensorFlow; explicit: as in pads" },                                                                     \
    { .name = "pads", .type = HD_INTS, .min = 0, .max = 1024,                                                          \
      .doc = "for explicit padding: one value for all sides, two for rows and columns, or top, bottom, left, right" }

typedef struct hd_window {
    int h, w, c;   /* input */
    int oh, ow;    /* output */
    int kh, kw;    /* window */
    int sh, sw;    /* stride */
    int dh, dw;    /* dilation */
    int top, left; /* padding; at the bottom and right as much as the output size needs */
} hd_window;

/* Positions in the option table; -1: the layer has no such option (strides default to 1, dilation to 1). */
typedef struct hd_window_options {
    int size;    /* list: kernelSize or poolSize */
    int strides; /* `padding` and `pads` follow it */
    int dilation;
    bool stride_is_size; /* default of strides: the window's size, as poolings have it */
} hd_window_options;

/* Refuses an input b->in[0] that is no image [H, W, C]. */
hd_status hd_image_check(hd_build *b);

/* Reads and checks the options for the input b->in[0], which must be [H, W, C]. Refuses with a sentence: another rank,
 * lists of a wrong length, pads without explicit padding, a window (dilated) larger than the padded input. */
hd_status hd_window_read(hd_build *b, hd_window_options at, hd_window *out);

/* The same for the adjoint of a convolution, which goes from b->in[0] = [oh, ow, c] to [h, w, ..]: valid and explicit give
 * h = (oh - 1) stride + span of the window - pads + extra rows, same gives oh stride. `extra`: position of the list option
 * outputPadding (PyTorch's output_padding), less than the strides. */
hd_status hd_window_read_adjoint(hd_build *b, hd_window_options at, int extra, hd_window *out);

#endif
