#include "kern/conv.h"

#include "kern/conv_tile.h"
#include "kern/conv_weights.h"
#include "kern/depthwise.h"
#include "kern/elementwise.h"
#include "kern/vec.h"
#include "kern/winograd.h"

_Static_assert(sizeof(hd_conv) <= 128, "a planned convolution is small");

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* --- epilogue ---------------------------------------------------------------------------------------------- */

typedef struct epilogue_job {
    const hd_epilogue *e;
    size_t pixels, step, k;
    const real *x;
    real *y;
} epilogue_job;

static void epilogue_task(void *arg, int task, int thread)
{
    (void)thread;
    const epilogue_job *j = arg;
    const hd_epilogue *e = j->e;
    const size_t first = (size_t)task * j->step, end = j->pixels - first < j->step ? j->pixels : first + j->step;
    for (size_t m = first; m < end; m++) {
        const real *x = j->x + m * j->k;
        real *y = j->y + m * j->k;
        for (size_t o = 0; o < j->k; o += HD_VL) {
            const size_t n = j->k - o;
            const vec shift = e->shift ? vload_upto(e->shift + o, n) : vzero();
            vec v = vload_upto(x + o, n);
            v = e->scale ? vmadd(vload_upto(e->scale + o, n), v, shift) : vadd(v, shift);
            v = e->act == HD_RELU || e->act == HD_RELU6 ? vmax(v, vzero()) : v;
            vstore_upto(y + o, e->act == HD_RELU6 ? vmin(v, vset(6)) : v, n);
        }
    }
}

static bool is_simple(hd_activation act)
{
    return act == HD_LINEAR || act == HD_RELU || act == HD_RELU6;
}

void hd_epilogue_apply(hd_pool *p, const hd_epilogue *e, size_t pixels, int k, const real *x, real *y)
{
    epilogue_job j = { .e = e, .pixels = pixels, .step = HD_BLOCK / (size_t)k + 1, .k = (size_t)k, .x = x, .y = y };
    hd_pool_run(p, (int)((pixels + j.step - 1) / j.step), epilogue_task, &j);
    if (!is_simple(e->act)) {
        hd_activate(p, e->act, e->alpha, y, y, pixels, (size_t)k);
    }
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
            hd_conv_tiles t = hd_conv_tiles_phase(s, py, px);
            t.n = n;
            t.x = dy;
            t.y = dx + t.first;
            if (add && t.rows.count * t.cols.count == 0) {
                continue;
            }
            hd_conv_tiles_pack(p, &t, &f, packed);
            hd_conv_tiles_run(p, &t, packed, NULL, add);
        }
    }
}

/* --- plan -------------------------------------------------------------------------------------------------- */

static size_t packed_forward(const hd_conv_shape *s)
{
    return hd_conv_tiles_packed(s->kh * s->kw, s->c, s->k, s->groups);
}

static void plan_depthwise(const hd_conv_shape *s, hd_conv *out)
{
    *out = (hd_conv){ .s = *s, .forward = HD_CONV_DEPTHWISE, .back_data = HD_CONV_DEPTHWISE };
    out->prepared = hd_depthwise_prepared(s);
    out->scratch = most(hd_depthwise_scratch(s), out->prepared);
}

void hd_conv_plan(const hd_conv_shape *s, hd_conv *out)
{
    if (s->c > 1 && s->groups == s->c) {
        plan_depthwise(s, out);
        return;
    }
    *out = (hd_conv){ .s = *s, .forward = HD_CONV_TILES, .back_data = HD_CONV_TILES, .scratch = hd_conv_weights_scratch(s) };
    if (hd_winograd_wins(s)) {
        out->forward = HD_CONV_WINOGRAD;
        out->prepared = hd_winograd_prepared(s);
    } else if (s->kh * s->kw > 1) {
        out->prepared = packed_forward(s);
    } else { /* soon packed, and where there are many (ResNet-50) they would fill the memory twice */
        out->scratch = most(out->scratch, packed_forward(s));
    }
    const hd_conv_shape back = hd_winograd_adjoint(s);
    if (hd_winograd_wins(&back)) {
        out->back_data = HD_CONV_WINOGRAD;
        out->scratch = most(out->scratch, hd_winograd_prepared(&back));
    } else {
        out->scratch = most(out->scratch, hd_conv_tiles_packed(s->kh * s->kw, s->k, s->c, s->groups));
    }
}

/* --- running ----------------------------------------------------------------------------------------------- */

static void pack_forward(hd_pool *p, const hd_conv_shape *s, const real *w, real *packed)
{
    const size_t cg = (size_t)(s->c / s->groups), terms = (size_t)(s->kh * s->kw) * cg;
    const hd_conv_tiles t = hd_conv_tiles_forward(s);
    const hd_conv_filters f = { .w = w, .out = terms, .tap = cg, .in = 1, .group = (size_t)(s->k / s->groups) * terms,
                                .kw = s->kw };
    hd_conv_tiles_pack(p, &t, &f, packed);
}

void hd_conv_prepare(hd_pool *p, const hd_conv *v, const real *w, real *prepared)
{
    if (v->forward == HD_CONV_WINOGRAD) {
        hd_winograd_prepare(p, &v->s, false, w, prepared);
    } else if (v->forward == HD_CONV_DEPTHWISE) {
        hd_depthwise_prepare(p, &v->s, w, prepared);
    } else if (v->prepared > 0) {
        pack_forward(p, &v->s, w, prepared);
    }
}

static void forward_in_tiles(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *packed,
                             const hd_epilogue *e, real *y)
{
    hd_conv_tiles t = hd_conv_tiles_forward(s);
    t.n = n;
    t.x = x;
    t.y = y;
    hd_conv_tiles_run(p, &t, packed, e, false);
    if (e && !is_simple(e->act)) {
        hd_activate(p, e->act, e->alpha, y, y, (size_t)n * (size_t)s->oh * (size_t)s->ow, (size_t)s->k);
    }
}

void hd_conv_forward(hd_pool *p, const hd_conv *v, int n, const real *x, const real *w, const real *prepared,
                     const hd_epilogue *e, real *y, real *scratch)
{
    if (v->forward == HD_CONV_WINOGRAD) {
        hd_winograd_run(p, &v->s, n, x, prepared, e, false, y);
    } else if (v->forward == HD_CONV_DEPTHWISE) {
        hd_depthwise_forward(p, &v->s, n, x, prepared, e, y);
    } else if (v->prepared > 0) {
        forward_in_tiles(p, &v->s, n, x, prepared, e, y);
    } else {
        pack_forward(p, &v->s, w, scratch);
        forward_in_tiles(p, &v->s, n, x, scratch, e, y);
    }
}

void hd_conv_back_data(hd_pool *p, const hd_conv *v, int n, const real *dy, const real *w, real *dx, bool add,
                       real *scratch)
{
    if (v->back_data == HD_CONV_WINOGRAD) {
        const hd_conv_shape back = hd_winograd_adjoint(&v->s);
        hd_winograd_prepare(p, &v->s, true, w, scratch);
        hd_winograd_run(p, &back, n, dy, scratch, NULL, add, dx);
    } else if (v->back_data == HD_CONV_DEPTHWISE) {
        hd_depthwise_prepare(p, &v->s, w, scratch);
        hd_depthwise_back_data(p, &v->s, n, dy, scratch, dx, add);
    } else {
        back_tiles(p, &v->s, n, dy, w, dx, add, scratch);
    }
}

void hd_conv_back_weights(hd_pool *p, const hd_conv *v, int n, const real *x, const real *dy, real *dw, real *scratch)
{
    if (v->forward == HD_CONV_DEPTHWISE) {
        hd_depthwise_back_weights(p, &v->s, n, x, dy, dw, scratch);
    } else {
        hd_conv_weights(p, &v->s, n, x, dy, dw, scratch);
    }
}
