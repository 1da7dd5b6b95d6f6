/* Which tile, if any: by a fixed table of costs, so that the choice is the same on every machine. */
#include "kern/winograd_form.h"

/* Nanoseconds on one thread of the relaxed engine. */
typedef struct costs {
    int out, points;
    double input, output; /* of a tile, for each channel and for each filter */
} costs;

static const costs table[] = {
    [HD_WINOGRAD_2] = { 2, 16, 4, 4 },
    [HD_WINOGRAD_4] = { 4, 36, 12, 10 },
};

/* Of one multiply-add: in the products, and in direct sums over few channels and over more. */
static const double PRODUCT = 0.042, DIRECT_FEW = 0.067, DIRECT = 0.044;

/* Prepared weights larger than this cost more to fetch than they save, and fill the memory of a network. */
enum { MOST_WEIGHTS = 20 << 20, MOST_WEIGHTS_4 = 10 << 20 }; /* bytes of float32 */

static double round_up(int a, int unit)
{
    return (double)((a + unit - 1) / unit * unit);
}

static double winograd_cost(hd_winograd form, const hd_conv_shape *s)
{
    const costs *t = &table[form];
    const double tiles = round_up(s->oh, t->out) / t->out * (round_up(s->ow, t->out) / t->out);
    const double c = round_up(s->c, 4), k = round_up(s->k, 8);
    return tiles * (t->points * c * k * PRODUCT + c * t->input + k * t->output);
}

static double direct_cost(const hd_conv_shape *s)
{
    return 9.0 * s->oh * s->ow * s->c * round_up(s->k, 4) * (s->c < 16 ? DIRECT_FEW : DIRECT);
}

static double weights(hd_winograd form, const hd_conv_shape *s)
{
    return 4.0 * table[form].points * s->c * round_up(s->k, 8);
}

hd_winograd hd_winograd_choice(const hd_conv_shape *s)
{
    hd_winograd best = HD_WINOGRAD_NONE;
    double least = direct_cost(s);
    for (hd_winograd form = HD_WINOGRAD_2; form <= HD_WINOGRAD_4; form++) {
        const double most = form == HD_WINOGRAD_4 ? MOST_WEIGHTS_4 : MOST_WEIGHTS;
        if (hd_winograd_possible(form, s) && weights(form, s) <= most && winograd_cost(form, s) < least) {
            best = form;
            least = winograd_cost(form, s);
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
