#include "kern/conv.h"

#include "kern/conv_tile.h"
#include "kern/conv_weights.h"
#include "kern/depthwise.h"
#include "kern/winograd.h"

_Static_assert(sizeof(hd_conv) <= 128, "a planned convolution is small");

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* --- the adjoint ------------------------------------------------------------------------------------------- */

/* With strides 1 the adjoint is itself a convolution, of dY with the taps reversed and c and k exchanged. */
static hd_conv_shape adjoint(const hd_conv_shape *s)
{
    hd_conv_shape t = *s;
    t.h = s->oh;
    t.w = s->ow;
    t.c = s->k;
    t.oh = s->h;
    t.ow = s->w;
    t.k = s->c;
    t.top = (s->kh - 1) * s->dh - s->top;
    t.left = (s->kw - 1) * s->dw - s->left;
    return t;
}

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

/* Each phase of the inputs (modulo the strides) is a convolution of dY with a part of the taps. */
static void back_tiles(hd_pool *p, const hd_conv_shape *s, int n, const real *dy, const real *w, real *dx, bool add,
                       real *packed)
{
    const size_t cg = (size_t)(s->c / s->groups), terms = (size_t)(s->kh * s->kw) * cg;
    const hd_conv_filters f = { .w = w, .out = 1, .tap = cg, .in = terms, .group = (size_t)(s->k / s->groups) * terms,
                                .kw = s->kw };
    for (int py = 0; py < s->sh && py < s->h; py++) {
        for (int px = 0; px < s->sw && px < s->w; px++) {
            hd_conv_tiles t = {
                .n = n, .h = s->oh, .w = s->ow, .c = s->k, .k = s->c, .sh = 1, .sw = 1, .groups = s->groups,
                .oh = (s->h - py - 1) / s->sh + 1, .ow = (s->w - px - 1) / s->sw + 1,
                .rows = phase_taps(s->kh, py, s->sh, s->dh, s->top),
                .cols = phase_taps(s->kw, px, s->sw, s->dw, s->left),
                .x = dy, .y = dx + ((size_t)py * (size_t)s->w + (size_t)px) * (size_t)s->c,
                .y_image = (size_t)s->h * (size_t)s->w * (size_t)s->c,
                .y_row = (size_t)s->sh * (size_t)s->w * (size_t)s->c, .y_pixel = (size_t)s->sw * (size_t)s->c,
            };
            hd_conv_tiles_pack(p, &t, &f, packed);
            hd_conv_tiles_run(p, &t, packed, NULL, add);
        }
    }
}

/* --- plan -------------------------------------------------------------------------------------------------- */

static bool is_depthwise(const hd_conv_shape *s)
{
    return s->groups == s->c && s->groups > 1;
}

static bool unit_strides(const hd_conv_shape *s)
{
    return s->sh == 1 && s->sw == 1;
}

static size_t packed_forward(const hd_conv_shape *s)
{
    return hd_conv_tiles_packed(s->kh * s->kw, s->c, s->k, s->groups);
}

void hd_conv_plan(const hd_conv_shape *s, hd_conv *out)
{
    *out = (hd_conv){ .s = *s, .forward = HD_CONV_TILES, .back_data = HD_CONV_TILES };
    if (is_depthwise(s)) {
        out->forward = out->back_data = HD_CONV_DEPTHWISE;
        out->prepared = hd_depthwise_prepared(s);
        out->scratch = most(out->prepared, hd_depthwise_scratch(s));
        return;
    }
    const hd_conv_shape back = adjoint(s);
    /* A 1 x 1 kernel is soon packed, and where there are many (ResNet-50) they would fill the memory twice. */
    const bool keeps = s->kh * s->kw > 1;
    size_t scratch = hd_conv_weights_scratch(s);
    if (hd_winograd_wins(s)) {
        out->forward = HD_CONV_WINOGRAD;
        out->prepared = hd_winograd_prepared(s);
    } else if (keeps) {
        out->prepared = packed_forward(s);
    } else {
        scratch = most(scratch, packed_forward(s));
    }
    if (unit_strides(s) && hd_winograd_wins(&back)) {
        out->back_data = HD_CONV_WINOGRAD;
        scratch = most(scratch, hd_winograd_prepared(&back));
    } else {
        scratch = most(scratch, hd_conv_tiles_packed(s->kh * s->kw, s->k, s->c, s->groups));
    }
    out->scratch = scratch;
}

/* --- running ----------------------------------------------------------------------------------------------- */

static hd_conv_tiles forward_tiles(const hd_conv_shape *s)
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

static void pack_forward(hd_pool *p, const hd_conv_shape *s, const real *w, real *packed)
{
    const size_t cg = (size_t)(s->c / s->groups), terms = (size_t)(s->kh * s->kw) * cg;
    const hd_conv_tiles t = forward_tiles(s);
    const hd_conv_filters f = { .w = w, .out = terms, .tap = cg, .in = 1, .group = (size_t)(s->k / s->groups) * terms,
                                .kw = s->kw };
    hd_conv_tiles_pack(p, &t, &f, packed);
}

void hd_conv_prepare(hd_pool *p, const hd_conv *v, const real *w, real *prepared)
{
    if (v->prepared == 0) {
        return;
    }
    switch ((hd_conv_algorithm)v->forward) {
    case HD_CONV_WINOGRAD: hd_winograd_prepare(p, &v->s, false, w, prepared); break;
    case HD_CONV_DEPTHWISE: hd_depthwise_prepare(p, &v->s, w, prepared); break;
    case HD_CONV_TILES: pack_forward(p, &v->s, w, prepared); break;
    }
}

void hd_conv_forward(hd_pool *p, const hd_conv *v, int n, const real *x, const real *w, const real *prepared,
                     const hd_epilogue *e, real *y, real *scratch)
{
    const hd_conv_shape *s = &v->s;
    if (v->forward == HD_CONV_WINOGRAD) {
        hd_winograd_run(p, s, n, x, prepared, e, false, y);
        return;
    }
    if (v->forward == HD_CONV_DEPTHWISE) {
        hd_depthwise_forward(p, s, n, x, prepared, e, y);
        return;
    }
    hd_conv_tiles t = forward_tiles(s);
    t.n = n;
    t.x = x;
    t.y = y;
    if (v->prepared == 0) {
        pack_forward(p, s, w, scratch);
        prepared = scratch;
    }
    const bool inlined = !e || e->act == HD_LINEAR || e->act == HD_RELU;
    hd_conv_tiles_run(p, &t, prepared, e, false);
    if (!inlined) {
        const size_t pixels = (size_t)n * (size_t)s->oh * (size_t)s->ow;
        hd_activate(p, e->act, e->alpha, y, y, pixels, (size_t)s->k);
    }
}

void hd_conv_back_data(hd_pool *p, const hd_conv *v, int n, const real *dy, const real *w, real *dx, bool add,
                       real *scratch)
{
    const hd_conv_shape *s = &v->s;
    switch ((hd_conv_algorithm)v->back_data) {
    case HD_CONV_WINOGRAD: {
        const hd_conv_shape back = adjoint(s);
        hd_winograd_prepare(p, s, true, w, scratch);
        hd_winograd_run(p, &back, n, dy, scratch, NULL, add, dx);
        break;
    }
    case HD_CONV_DEPTHWISE:
        hd_depthwise_prepare(p, s, w, scratch);
        hd_depthwise_back_data(p, s, n, dy, scratch, dx, add);
        break;
    case HD_CONV_TILES: back_tiles(p, s, n, dy, w, dx, add, scratch); break;
    }
}

void hd_conv_back_weights(hd_pool *p, const hd_conv *v, int n, const real *x, const real *dy, real *dw, real *scratch)
{
    if (is_depthwise(&v->s)) {
        hd_depthwise_back_weights(p, &v->s, n, x, dy, dw, scratch);
    } else {
        hd_conv_weights(p, &v->s, n, x, dy, dw, scratch);
    }
}
