/* Initialisers: the closed list. Element i of a weight draws from counter i of its stream. */
#include "kern/elementwise.h"
#include "linalg/gram_schmidt.h"
#include "weight/weight.h"

#include <math.h>

static size_t size_of(const hd_weight_view *v)
{
    return (size_t)v->rows * (size_t)v->cols;
}

static hd_status fill_all(const hd_weight_view *v, real value, real *w)
{
    hd_fill(v->pool, size_of(v), value, w);
    return HD_OK;
}

static hd_status zeros(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_in, (void)fan_out, (void)rng;
    return fill_all(v, 0, w);
}

static hd_status ones(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_in, (void)fan_out, (void)rng;
    return fill_all(v, 1, w);
}

static hd_status constant(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_in, (void)fan_out, (void)rng;
    return fill_all(v, (real)v->opt->number[0], w);
}

/* n values equally spaced from -limit to limit; a single one is 0. */
static hd_status spread(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_in, (void)fan_out, (void)rng;
    const size_t n = size_of(v);
    for (size_t i = 0; i < n; i++) {
        w[i] = (real)(n > 1 ? v->opt->number[0] * (2 * (double)i / (double)(n - 1) - 1) : 0);
    }
    return HD_OK;
}

typedef struct draw {
    double (*from_word)(uint32_t word);
    double offset, factor;
    hd_rng rng;
    size_t n;
    real *w;
} draw;

static void draw_block(void *arg, int task, int thread)
{
    (void)thread;
    const draw *d = arg;
    size_t first = (size_t)task * HD_BLOCK, end = d->n - first < HD_BLOCK ? d->n : first + HD_BLOCK;
    for (size_t i = first; i < end; i += 4) {
        uint32_t words[4];
        hd_rng_block(d->rng, i / 4, words);
        for (size_t k = i; k < end && k < i + 4; k++) {
            d->w[k] = (real)(d->offset + d->factor * d->from_word(words[k - i]));
        }
    }
}

static hd_status draw_all(const hd_weight_view *v, draw d, hd_rng rng, real *w)
{
    d.rng = rng;
    d.n = size_of(v);
    d.w = w;
    hd_pool_run(v->pool, (int)((d.n + HD_BLOCK - 1) / HD_BLOCK), draw_block, &d);
    return HD_OK;
}

static hd_status draw_uniform(const hd_weight_view *v, double low, double high, hd_rng rng, real *w)
{
    return draw_all(v, (draw){ .from_word = hd_rng_word_uniform, .offset = low, .factor = high - low }, rng, w);
}

static hd_status draw_normal(const hd_weight_view *v, double mean, double deviation, hd_rng rng, real *w)
{
    return draw_all(v, (draw){ .from_word = hd_rng_word_normal, .offset = mean, .factor = deviation }, rng, w);
}

static hd_status uniform(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_in, (void)fan_out;
    return draw_uniform(v, v->opt->number[0], v->opt->number[1], rng, w);
}

static hd_status normal(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_in, (void)fan_out;
    return draw_normal(v, v->opt->number[0], v->opt->number[1], rng, w);
}

/* Options of the scaled ones: distribution, gain. Variance gain^2 / fan. */
enum { UNIFORM, NORMAL };

static hd_status draw_scaled(const hd_weight_view *v, double fan, hd_rng rng, real *w)
{
    double deviation = v->opt->number[1] / sqrt(fan), limit = deviation * 1.7320508075688772; /* sqrt(3) */
    return v->opt->number[0] == UNIFORM ? draw_uniform(v, -limit, limit, rng, w) : draw_normal(v, 0, deviation, rng, w);
}

static hd_status glorot(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c;
    return draw_scaled(v, ((double)fan_in + fan_out) / 2, rng, w);
}

static hd_status he(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_out;
    return draw_scaled(v, fan_in / 2.0, rng, w);
}

static hd_status lecun(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)c, (void)fan_out;
    return draw_scaled(v, fan_in, rng, w);
}

/* Rows are orthonormal if there are fewer of them than columns, else columns are: uniform over all such matrices, as Q of the QR factorisation
 * whose R has a positive diagonal is. */
static hd_status orthogonal(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)fan_in, (void)fan_out;
    bool wide = v->rows <= v->cols;
    size_t count = (size_t)(wide ? v->rows : v->cols), n = (size_t)(wide ? v->cols : v->rows);
    double *a = hd_alloc(c, count * n * sizeof *a, "orthogonal initialiser");
    if (!a) {
        return HD_ERR_MEMORY;
    }
    for (size_t i = 0; i < count * n; i++) {
        a[i] = hd_rng_normal(rng, i);
    }
    hd_orthonormalise(v->pool, count, n, a);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < n; j++) {
            w[wide ? i * n + j : j * count + i] = (real)(v->opt->number[0] * a[i * n + j]);
        }
    }
    hd_release(c, a);
    return HD_OK;
}

static const char *const distributions[] = { "uniform", "normal", NULL };

#define SCALED_OPTIONS(default_distribution)                                                                           \
    {                                                                                                                  \
        { .name = "distribution", .type = HD_ENUM, .def = default_distribution, .names = distributions,                \
          .doc = "shape of the distribution; the variance is the same" },                                              \
        { .name = "gain", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = 1, .open_min = true,                         \
          .doc = "factor on the standard deviation" },                                                                 \
        { 0 },                                                                                                         \
    }

static const hd_option constant_options[] = {
    { .name = "value", .type = HD_NUMBER, .min = -1e30, .max = 1e30, .doc = "of every element" },
    { 0 },
};
static const hd_option spread_options[] = {
    { .name = "limit", .type = HD_NUMBER, .min = 0, .max = 1e30, .def = 1, .doc = "the last value; minus this is the first" },
    { 0 },
};
static const hd_option uniform_options[] = {
    { .name = "min", .type = HD_NUMBER, .min = -1e30, .max = 1e30, .def = -0.05, .doc = "lower end" },
    { .name = "max", .type = HD_NUMBER, .min = -1e30, .max = 1e30, .def = 0.05, .doc = "upper end" },
    { 0 },
};
static const hd_option normal_options[] = {
    { .name = "mean", .type = HD_NUMBER, .min = -1e30, .max = 1e30, .doc = "mean" },
    { .name = "deviation", .type = HD_NUMBER, .min = 0, .max = 1e30, .def = 0.05, .doc = "standard deviation" },
    { 0 },
};
static const hd_option glorot_options[] = SCALED_OPTIONS(UNIFORM);
static const hd_option normal_scaled_options[] = SCALED_OPTIONS(NORMAL);
static const hd_option orthogonal_options[] = {
    { .name = "gain", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = 1, .open_min = true, .doc = "factor on the matrix" },
    { 0 },
};

const hd_initializer_class hd_initializer_zeros = { "zeros", "all 0", NULL, zeros };
const hd_initializer_class hd_initializer_ones = { "ones", "all 1", NULL, ones };
const hd_initializer_class hd_initializer_constant = { "constant", "all the same value", constant_options, constant };
const hd_initializer_class hd_initializer_spread = { "spread", "equally spaced from -limit to limit", spread_options, spread };
const hd_initializer_class hd_initializer_uniform = { "uniform", "uniform in [min, max)", uniform_options, uniform };
const hd_initializer_class hd_initializer_normal = { "normal", "normal", normal_options, normal };
const hd_initializer_class hd_initializer_glorot = { "glorot", "variance 2 / (fan in + fan out) (Glorot & Bengio 2010)",
                                                     glorot_options, glorot };
const hd_initializer_class hd_initializer_he = { "he", "variance 2 / fan in (He et al. 2015)", normal_scaled_options, he };
const hd_initializer_class hd_initializer_lecun = { "lecun", "variance 1 / fan in (LeCun et al. 1998)",
                                                    normal_scaled_options, lecun };
const hd_initializer_class hd_initializer_orthogonal = {
    "orthogonal", "orthonormal rows, or columns if there are fewer (Saxe et al. 2014)", orthogonal_options, orthogonal
};
