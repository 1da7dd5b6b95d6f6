/* What the tests of convolutions share: pools of 1 to 4 threads, arrays with guards behind them, one call of each kind. */
#ifndef HD_TESTS_CONV_KIT_H
#define HD_TESTS_CONV_KIT_H

#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "kern/conv.h"

#include <stdlib.h>

#ifdef HD_FLOAT64
static const double TOLERANCE = 1e-13;
#else
static const double TOLERANCE = 1e-5; /* of sum |x| |w| */
#endif

enum { POOLS = 4, GUARD = 16 };
static hd_context context = { .fail_at = -1 };
static hd_pool *pools[POOLS]; /* 1 to 4 threads */

typedef struct sizes {
    size_t x, y, w;
} sizes;

static inline sizes sizes_of(const hd_conv_shape *s, int n)
{
    return (sizes){ (size_t)n * s->h * s->w * s->c, (size_t)n * s->oh * s->ow * s->k,
                    (size_t)s->k * s->kh * s->kw * (s->c / s->groups) };
}

/* Everything past the n elements is NaN, and checked by `guarded`. */
static inline real *new_array(size_t n)
{
    real *x = malloc((n + GUARD) * sizeof *x);
    for (size_t i = 0; i < n + GUARD; i++) {
        x[i] = (real)NAN;
    }
    return x;
}

static inline bool guarded(const real *x, size_t n)
{
    bool whole = true;
    for (size_t i = n; i < n + GUARD; i++) {
        whole = whole && isnan(x[i]);
    }
    return whole;
}

static inline real *random_array(size_t n, uint64_t seed)
{
    real *x = new_array(n);
    hd_rng r = hd_rng_stream(seed, 1, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = (real)(hd_rng_uniform(r, i) * 2 - 1);
    }
    return x;
}

static inline real *magnitudes(size_t n, const real *x)
{
    real *a = new_array(n);
    for (size_t i = 0; i < n; i++) {
        a[i] = x[i] < 0 ? -x[i] : x[i];
    }
    return a;
}

static inline bool output_size(hd_conv_shape *s, int bottom, int right)
{
    const int h = s->h + s->top + bottom - (s->kh - 1) * s->dh - 1, w = s->w + s->left + right - (s->kw - 1) * s->dw - 1;
    s->oh = h < 0 ? 0 : h / s->sh + 1;
    s->ow = w < 0 ? 0 : w / s->sw + 1;
    return s->oh > 0 && s->ow > 0;
}

/* --- one call of each kind, outputs fresh; the caller frees ------------------------------------------------ */

static inline real *forward(hd_pool *p, const hd_conv *v, int n, const real *x, const real *w, const hd_epilogue *e)
{
    const sizes z = sizes_of(&v->s, n);
    real *prepared = new_array(v->prepared), *scratch = new_array(v->scratch), *y = new_array(z.y);
    hd_conv_prepare(p, v, w, prepared);
    hd_conv_forward(p, v, n, x, w, prepared, e, y, scratch);
    CHECK(guarded(prepared, v->prepared) && guarded(scratch, v->scratch) && guarded(y, z.y));
    free(prepared);
    free(scratch);
    return y;
}

/* old: what dx holds already, to be added to; or NULL. */
static inline real *back_data(hd_pool *p, const hd_conv *v, int n, const real *dy, const real *w, const real *old)
{
    const sizes z = sizes_of(&v->s, n);
    real *scratch = new_array(v->scratch), *dx = new_array(z.x);
    if (old) {
        memcpy(dx, old, z.x * sizeof *dx);
    }
    hd_conv_back_data(p, v, n, dy, w, dx, old != NULL, scratch);
    CHECK(guarded(scratch, v->scratch) && guarded(dx, z.x));
    free(scratch);
    return dx;
}

static inline real *back_weights(hd_pool *p, const hd_conv *v, int n, const real *x, const real *dy)
{
    const sizes z = sizes_of(&v->s, n);
    real *scratch = new_array(v->scratch), *dw = new_array(z.w);
    hd_conv_back_weights(p, v, n, x, dy, dw, scratch);
    CHECK(guarded(scratch, v->scratch) && guarded(dw, z.w));
    free(scratch);
    return dw;
}

static inline void open_pools(void)
{
    for (int t = 0; t < POOLS; t++) {
        pools[t] = hd_pool_new(&context, t + 1);
        CHECK(pools[t] != NULL);
    }
}

static inline void close_pools(void)
{
    for (int t = 0; t < POOLS; t++) {
        hd_pool_free(&context, pools[t]);
    }
    CHECK(context.used == 0);
}

#endif
