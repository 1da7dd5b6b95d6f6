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

/* Padding before and after rows and columns, unless it is `same`. */
static hd_status read_padding(hd_build *b, hd_window_options at, const hd_window *v, int64_t rows[2], int64_t cols[2])
{
    int padding = (int)b->opt->number[at.strides + 1], pads[4] = { 0 };
    if (padding == HD_PADDING_EXPLICIT) {
        hd_status status = read_pads(b, at.strides + 2, v, at.stride_is_size, pads);
        if (status) {
            return status;
        }
    } else if (b->opt->number[at.strides + 2] > 0) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: pads with padding = %s, expected padding = explicit", b->path,
                       hd_padding_names[padding]);
    }
    rows[0] = pads[0];
    rows[1] = pads[1];
    cols[0] = pads[2];
    cols[1] = pads[3];
    return HD_OK;
}

/* Sets padding and output size from the rest. */
static hd_status place(hd_build *b, hd_window_options at, const char *name, hd_window *v)
{
    int64_t kh = span(v->kh, v->dh), kw = span(v->kw, v->dw), rows[2] = { 0 }, cols[2] = { 0 };
    hd_status status = read_padding(b, at, v, rows, cols);
    if (status) {
        return status;
    }
    if (b->opt->number[at.strides + 1] == HD_PADDING_SAME) {
        pad_same(v->h, kh, v->sh, rows);
        pad_same(v->w, kw, v->sw, cols);
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

static hd_status read_sizes(hd_build *b, hd_window_options at, const char *name, hd_window *out)
{
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
    *out = (hd_window){ .kh = size[0], .kw = size[1], .sh = strides[0], .sw = strides[1], .dh = dilation[0],
                        .dw = dilation[1] };
    return status;
}

hd_status hd_window_read(hd_build *b, hd_window_options at, hd_window *out)
{
    const char *name = at.stride_is_size ? "poolSize" : "kernelSize";
    hd_status status = read_sizes(b, at, name, out);
    if (status) {
        return status;
    }
    out->h = b->in[0].dim[0];
    out->w = b->in[0].dim[1];
    out->c = b->in[0].dim[2];
    return place(b, at, name, out);
}

/* One direction of the adjoint of a convolution with `size` outputs: its inputs and the padding before. pads NULL: same. */
static hd_status place_adjoint(hd_build *b, const char *name, int size, int64_t window, int stride, const int64_t pads[2],
                               int extra, int *inputs, int *before)
{
    const int64_t whole = (int64_t)(size - 1) * stride + window + extra;
    const int64_t all = pads ? whole - pads[0] - pads[1] : (int64_t)size * stride;
    if (all < 1) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: pads = [%d, %d] leave nothing of %d %s", b->path, (int)pads[0], (int)pads[1],
                       (int)whole, name);
    }
    if (all > HD_MOST_ELEMENTS) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: an output of 2^30 %s or more", b->path, name);
    }
    *inputs = (int)all;
    *before = pads ? (int)pads[0] : window > stride ? (int)((window - stride) / 2) : 0;
    return HD_OK;
}

hd_status hd_window_read_adjoint(hd_build *b, hd_window_options at, int extra, hd_window *out)
{
    int more[2] = { 0 };
    int64_t rows[2] = { 0 }, cols[2] = { 0 };
    hd_status status = read_sizes(b, at, "kernelSize", out);
    if (!status) {
        status = read_pair(b, extra, "outputPadding", (int[]){ 0, 0 }, more);
    }
    if (!status) {
        status = read_padding(b, at, out, rows, cols);
    }
    if (status) {
        return status;
    }
    const bool same = b->opt->number[at.strides + 1] == HD_PADDING_SAME;
    if (more[0] >= out->sh || more[1] >= out->sw || (same && b->opt->number[extra])) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: outputPadding = [%d, %d]%s, expected less than strides = [%d, %d]%s",
                       b->path, more[0], more[1], same ? " with padding = same" : "", out->sh, out->sw,
                       same ? " with padding valid or explicit" : "");
    }
    out->oh = b->in[0].dim[0];
    out->ow = b->in[0].dim[1];
    out->c = b->in[0].dim[2];
    status = place_adjoint(b, "rows", out->oh, span(out->kh, out->dh), out->sh, same ? NULL : rows, more[0], &out->h, &out->top);
    return status ? status : place_adjoint(b, "columns", out->ow, span(out->kw, out->dw), out->sw, same ? NULL : cols, more[1],
                                           &out->w, &out->left);
}
