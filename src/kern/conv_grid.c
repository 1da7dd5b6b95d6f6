#include "kern/conv_tile.h"

static int gcd(int a, int b)
{
    return b ? gcd(b, a % b) : a;
}

/* The taps that reach the inputs phase, phase + stride, ... of one axis: tap a adds dY at (x + pad - a dilation) / stride
 * where that divides, which every (stride / gcd)-th tap does if any. In the order of the positions in dY. */
static hd_taps phase_taps(int taps, int phase, int stride, int dilation, int pad)
{
    const int step = stride / gcd(stride, dilation);
    int first = 0; /* the least such tap */
    while (first < step && (phase + pad - first * dilation) % stride) {
        first++;
    }
    if (first == step || first >= taps) {
        return (hd_taps){ 0 };
    }
    const int count = (taps - first - 1) / step + 1, last = first + (count - 1) * step;
    return (hd_taps){ .count = count, .first = (phase + pad - last * dilation) / stride,
                      .step = step * dilation / stride, .weight = last, .weight_step = -step };
}

hd_conv_tiles hd_conv_tiles_forward(const hd_conv_shape *s)
{
    return (hd_conv_tiles){
        .h = s->h, .w = s->w, .c = s->c, .oh = s->oh, .ow = s->ow, .k = s->k, .sh = s->sh, .sw = s->sw,
        .groups = s->groups,
        .rows = { .count = s->kh, .first = -s->top, .step = s->dh, .weight_step = 1 },
        .cols = { .count = s->kw, .first = -s->left, .step = s->dw, .weight_step = 1 },
        .y_image = (size_t)s->oh * (size_t)s->ow * (size_t)s->k, .y_row = (size_t)s->ow * (size_t)s->k,
        .y_pixel = (size_t)s->k,
    };
}

hd_conv_tiles hd_conv_tiles_phase(const hd_conv_shape *s, int py, int px)
{
    return (hd_conv_tiles){
        .h = s->oh, .w = s->ow, .c = s->k, .k = s->c, .sh = 1, .sw = 1, .groups = s->groups,
        .oh = (s->h - py - 1) / s->sh + 1, .ow = (s->w - px - 1) / s->sw + 1,
        .rows = phase_taps(s->kh, py, s->sh, s->dh, s->top), .cols = phase_taps(s->kw, px, s->sw, s->dw, s->left),
        .first = ((size_t)py * (size_t)s->w + (size_t)px) * (size_t)s->c,
        .y_image = (size_t)s->h * (size_t)s->w * (size_t)s->c,
        .y_row = (size_t)s->sh * (size_t)s->w * (size_t)s->c, .y_pixel = (size_t)s->sw * (size_t)s->c,
    };
}
