/* Which tile, if any: by a fixed table of costs, so that the choice is the same on every machine. */
#include "kern/winograd_costs.h"

/* Nanoseconds of each term (winograd_costs.h) on one thread of the relaxed engine: fitted by tools/bench/native/conv_costs.c (Node 24, AMD
 * EPYC of the fourth generation). */
static const double table[][HD_WINOGRAD_TERMS] = {
    [HD_WINOGRAD_NONE] = { 0.0383, 0.0532, 0.190, 0, 12.8 },
    [HD_WINOGRAD_2] = { 0.0380, 1.95, 1.46, 0.0910, 36.1 },
    [HD_WINOGRAD_4] = { 0.0397, 6.50, 3.86, 0.107, 64.9 },
};

static double round_up(int a, int unit)
{
    return (double)((a + unit - 1) / unit * unit);
}

void hd_winograd_terms(hd_winograd form, const hd_conv_shape *s, double terms[HD_WINOGRAD_TERMS])
{
    const double pixels = (double)s->oh * s->ow, k = round_up(s->k, 8);
    if (form == HD_WINOGRAD_NONE) {
        const bool narrow = (s->k - 1) % 8 < 4; /* a last panel of 4 filters */
        terms[0] = pixels * 9 * s->c * (narrow ? k - 8 : k);
        terms[1] = pixels * 9 * s->c * (narrow ? 4 : 0);
        terms[2] = pixels * k;
        terms[3] = 0;
        terms[4] = pixels;
        return;
    }
    const int side = form == HD_WINOGRAD_2 ? 2 : 4;
    const double tiles = round_up(s->oh, side) / side * (round_up(s->ow, side) / side);
    const double points = (side + 2) * (side + 2);
    terms[0] = tiles * points * s->c * k;
    terms[1] = tiles * round_up(s->c, 4);
    terms[2] = tiles * k;
    terms[3] = tiles * points * k;
    terms[4] = tiles;
}

static double bytes(hd_winograd form, const hd_conv_shape *s)
{
    return 4.0 * (form == HD_WINOGRAD_4 ? 36 : form == HD_WINOGRAD_2 ? 16 : 9) * s->c * round_up(s->k, 8);
}

/* Memory counts too: weights of 4 MB are free, each megabyte beyond counts as 0.3 ms, for its place and since it comes from
 * far. So the last layers of a ResNet (7x7x512) stay direct and its 14x14x256 take F(2x2), at half the memory of F(4x4). */
static double cost(hd_winograd form, const hd_conv_shape *s)
{
    const double free = 4 << 20, excess = bytes(form, s) > free ? bytes(form, s) - free : 0;
    double terms[HD_WINOGRAD_TERMS], sum = 0.3 * excess;
    hd_winograd_terms(form, s, terms);
    for (int i = 0; i < HD_WINOGRAD_TERMS; i++) {
        sum += table[form][i] * terms[i];
    }
    return sum;
}

/* Below FEW channels the errors of the transforms, otherwise lost among many terms, would show: on an image of one channel
 * the kernels that take differences or means stay exact on integers. */
hd_winograd hd_winograd_choice(const hd_conv_shape *s)
{
    enum { FEW = 8 };
    const double most = 20 << 20; /* bytes */
    hd_winograd best = HD_WINOGRAD_NONE;
    for (hd_winograd form = HD_WINOGRAD_2; form <= HD_WINOGRAD_4 && s->c >= FEW; form++) {
        if (hd_winograd_possible(form, s) && bytes(form, s) <= most && cost(form, s) < cost(best, s)) {
            best = form;
        }
    }
    return best;
}

bool hd_winograd_wins(const hd_conv_shape *s)
{
    return hd_winograd_choice(s) != HD_WINOGRAD_NONE;
}

size_t hd_winograd_prepared(const hd_conv_shape *s)
{
    return hd_winograd_prepared_as(hd_winograd_choice(s), s);
}

void hd_winograd_prepare(hd_pool *p, const hd_conv_shape *s, bool flip, const real *w, real *prepared)
{
    const hd_conv_shape adjoint = hd_winograd_adjoint(s);
    hd_winograd_prepare_as(hd_winograd_choice(flip ? &adjoint : s), p, s, flip, w, prepared);
}

void hd_winograd_run(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *prepared,
                     const hd_epilogue *e, bool add, real *y)
{
    hd_winograd_run_as(hd_winograd_choice(s), p, s, n, x, prepared, e, add, y);
}
