#include "layer/window.h"

#include <stdint.h>

const char *const hd_padding_names[] = { "valid", "same", "explicit", NULL };

/* Reads a list of one or two values (rows, columns). */
static hd_status read_pair(hd_build *b, int option, const char *name, const int none[2], int out[2])
{
    const hd_values *opt = b->opt;
    int length = option < 0 ? 0 : (int)opt->number[option];
    if (length > 2) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: %s has %d values, expected one, or two (rows, columns)", b->path,
                       name, length);
    }
    for (int i = 0; i < 2; i++) {
        out[i] = length ? (int)opt->list[opt->start[option] + (length == 2 ? i : 0)] : none[i];
    }
    return HD_OK;
}

/* Reads explicit pads as top, bottom, left, right; poolings want each smaller than their window, for the maximum or
 * average of padding alone is no number. */
static hd_status read_pads(hd_build *b, int option, const hd_window *v, bool pooling, int out[4])
{
    static const int place[5][4] = { { 0 }, { 0, 0, 0, 0 }, { 0, 0, 1, 1 }, { 0 }, { 0, 1, 2, 3 } };
    const hd_values *opt = b->opt;
    int length = (int)opt->number[option];
    if (length == 0 || length == 3 || length > 4) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: pads has %d values, expected one, two (rows, columns) or four (top, "
                       "bottom, left, right) with padding explicit", b->path, length);
    }
    for (int i = 0; i < 4; i++) {
        int window = i < 2 ? v->kh : v->kw;
        out[i] = (int)opt->list[opt->start[option] + place[length][i]];
        if (pooling && out[i] >= window) {
            return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: pads = %d, expected less than poolSize = %d, or a window would "
                           "hold padding alone", b->path, out[i], window);
        }
    }
    return HD_OK;
}

/* Extent of k taps that lie d apart. */
static int64_t span(int k, int d)
{
    return (int64_t)(k - 1) * d + 1;
}

/* Pads of one direction by TensorFlow's rule: output ceil(size / stride), the odd one at the end. */
static void pad_same(int size, int64_t window, int stride, int64_t out[2])
{
    int64_t all = (int64_t)((size - 1) / stride) * stride + window - size;
    all = all > 0 ? all : 0;
    out[0] = all / 2;
    out[1] = all - out[0];
}

static hd_status refuse_large(hd_build *b, const char *name, const hd_window *v, int64_t h, int64_t w)
{
    if (v->dh == 1 && v->dw == 1) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: %s = [%d, %d] is larger than the padded input [%z, %z]", b->path, name,
                       v->kh, v->kw, (size_t)h, (size_t)w);
    }
    return hd_fail(b->c, HD_ERR_SHAPE, "%s: %s = [%d, %d] with dilation = [%d, %d] spans [%z, %z], larger than the "
                   "padded input [%z, %z]", b->path, name, v->kh, v->kw, v->dh, v->dw, (size_t)span(v->kh, v->dh),
                   (size_t)span(v->kw, v->dw), (size_t)h, (size_t)w);
}

/* Sets padding and output size from the rest. */
static hd_status place(hd_build *b, hd_window_options at, const char *name, hd_window *v)
{
    int padding = (int)b->opt->number[at.strides + 1], pads[4] = { 0 };
    int64_t kh = span(v->kh, v->dh), kw = span(v->kw, v->dw), rows[2] = { 0 }, cols[2] = { 0 };
    if (padding == HD_PADDING_EXPLICIT) {
        hd_status status = read_pads(b, at.strides + 2, v, at.stride_is_size, pads);
        if (status) {
            return status;
        }
    } else if (b->opt->number[at.strides + 2] > 0) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: pads with padding = %s, expected padding = explicit", b->path,
                       hd_padding_names[padding]);
    }
    if (padding == HD_PADDING_SAME) {
        pad_same(v->h, kh, v->sh, rows);
        pad_same(v->w, kw, v->sw, cols);
    } else {
        rows[0] = pads[0];
        rows[1] = pads[1];
        cols[0] = pads[2];
        cols[1] = pads[3];
    }
    int64_t h = v->h + rows[0] + rows[1], w = v->w + cols[0] + cols[1];
    if (kh > h || kw > w) {
        return refuse_large(b, name, v, h, w);
    }
    v->top = (int)rows[0];
    v->left = (int)cols[0];
    v->oh = (int)((h - kh) / v->sh) + 1;
    v->ow = (int)((w - kw) / v->sw) + 1;
    return HD_OK;
}

hd_status hd_image_check(hd_build *b)
{
    char text[96];
    hd_shape_text(&b->in[0], text, sizeof text);
    return b->in[0].rank == 3 ? HD_OK : hd_fail(b->c, HD_ERR_SHAPE, "%s: expected an image [height, width, channels], "
                                                "got %s", b->path, text);
}

hd_status hd_window_read(hd_build *b, hd_window_options at, hd_window *out)
{
    const char *name = at.stride_is_size ? "poolSize" : "kernelSize";
    const hd_shape *in = &b->in[0];
    int size[2] = { 0 }, strides[2] = { 0 }, dilation[2] = { 0 };
    hd_status status = hd_image_check(b);
    if (!status) {
        status = read_pair(b, at.size, name, (int[]){ 2, 2 }, size);
    }
    if (!status) {
        status = read_pair(b, at.strides, "strides", at.stride_is_size ? size : (int[]){ 1, 1 }, strides);
    }
    if (!status) {
        status = read_pair(b, at.dilation, "dilation", (int[]){ 1, 1 }, dilation);
    }
    if (status) {
        return status;
    }
    *out = (hd_window){ .h = in->dim[0], .w = in->dim[1], .c = in->dim[2], .kh = size[0], .kw = size[1],
                        .sh = strides[0], .sw = strides[1], .dh = dilation[0], .dw = dilation[1] };
    return place(b, at, name, out);
}
