/* Batch normalisation over the last axis (Ioffe & Szegedy 2015): training with the statistics of the batch, inference
 * with running ones. */
#include "kern/norm.h"
#include "layer/activate.h"

#include <math.h>
#include <string.h>

enum { CONVENTION, MOMENTUM, EPSILON, CENTER, SCALE, FROZEN, ACTIVATION, ALPHA };
enum { KERAS, PYTORCH };
enum { MAX_CHANNELS = 1 << 20 };

static const char *const conventions[] = { "keras", "pytorch", NULL };

static const hd_option options[] = {
    { .name = "convention", .type = HD_ENUM, .names = conventions,
      .doc = "keras: running = momentum running + (1 - momentum) batch, variance of the batch divided by its size n; "
             "pytorch: running = (1 - momentum) running + momentum batch, variance divided by n - 1" },
    { .name = "momentum", .type = HD_NUMBER, .min = 0, .max = 1,
      .doc = "of the running mean and variance; 0: the convention's default, keras 0.99, pytorch 0.1" },
    { .name = "epsilon", .type = HD_NUMBER, .min = 0, .max = 1,
      .doc = "added to the variance; 0: the convention's default, keras 1e-3, pytorch 1e-5" },
    { .name = "center", .type = HD_BOOL, .def = 1, .doc = "adds beta to each channel" },
    { .name = "scale", .type = HD_BOOL, .def = 1, .doc = "multiplies each channel by gamma" },
    { .name = "frozen", .type = HD_BOOL,
      .doc = "training too normalises with the running statistics, which do not move; gamma and beta still learn" },
    HD_ACTIVATION_OPTIONS(HD_LINEAR),
    { 0 },
};

static double momentum_of(const hd_values *opt)
{
    double given = opt->number[MOMENTUM], keras = given > 0 ? given : 0.99, pytorch = given > 0 ? given : 0.1;
    return opt->number[CONVENTION] == KERAS ? keras : 1 - pytorch; /* what the old statistics weigh */
}

static double epsilon_of(const hd_values *opt)
{
    double given = opt->number[EPSILON];
    return given > 0 ? given : opt->number[CONVENTION] == KERAS ? 1e-3 : 1e-5;
}

static hd_activation output_activation(const hd_values *opt)
{
    return (hd_activation)opt->number[ACTIVATION];
}

static real output_alpha(const hd_values *opt)
{
    return hd_activator_alpha(opt, ACTIVATION);
}

/* Numbers of the weights; -1: none. */
typedef struct places {
    int gamma, beta, mean, variance;
} places;

static places places_of(const hd_values *opt)
{
    int scale = opt->number[SCALE] != 0, center = opt->number[CENTER] != 0;
    return (places){ scale - 1, center ? scale : -1, scale + center, scale + center + 1 };
}

static hd_status shape(hd_build *b)
{
    int c = hd_shape_last(&b->in[0]);
    if (b->in[0].rank == 0 || c > MAX_CHANNELS) {
        char text[96];
        hd_shape_text(&b->in[0], text, sizeof text);
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: the input is %s, expected a last axis of 1..%d channels", b->path, text,
                       MAX_CHANNELS);
    }
    b->out = b->in[0];
    b->saved_fixed = 2 * (size_t)c;
    b->kept = b->opt->number[FROZEN] ? 0 : 2 * (size_t)c;
    b->scratch_fixed = 4 * hd_channel_period((size_t)c) + 2 * (size_t)c * (sizeof(double) / sizeof(real)) +
                       hd_channel_scratch((size_t)c);
    hd_shape channels = { 1, { c } };
    hd_status status = hd_activator_check(b, ACTIVATION);
    if (!status && b->opt->number[SCALE]) {
        status = hd_build_weight(b, "gamma", channels, "ones", c, c);
    }
    if (!status && b->opt->number[CENTER]) {
        status = hd_build_weight(b, "beta", channels, "zeros", c, c);
    }
    if (!status) {
        status = hd_build_state(b, "runningMean", channels, "zeros");
    }
    return status ? status : hd_build_state(b, "runningVariance", channels, "ones");
}

/* A run's sizes and its scratch: four vectors of one period, two of c numbers in float64, room for sums. */
typedef struct job {
    size_t rows, c;
    places at;
    double epsilon;
    real *center, *a, *b, *d, *sums;
    double *first, *second;
} job;

static job job_of(const hd_run *r)
{
    size_t c = (size_t)hd_shape_last(&r->out), period = hd_channel_period(c);
    job j = { .rows = (size_t)r->n * (hd_shape_size(&r->out) / c), .c = c, .at = places_of(r->opt),
              .epsilon = epsilon_of(r->opt), .center = r->scratch };
    j.a = j.center + period;
    j.b = j.a + period;
    j.d = j.b + period;
    j.first = (double *)(void *)(j.d + period);
    j.second = j.first + c;
    j.sums = (real *)(void *)(j.second + c);
    return j;
}

static bool uses_batch(const hd_run *r)
{
    return r->training && !r->opt->number[FROZEN];
}

/* Inference: y = act(scale x + shift), scale = gamma / sqrt(variance + epsilon), shift = beta - mean scale. */
static void fold(const hd_values *opt, int n, const real *const *w, real *scale, real *shift)
{
    places at = places_of(opt);
    double epsilon = epsilon_of(opt);
    for (int i = 0; i < n; i++) {
        double factor = (at.gamma < 0 ? 1 : (double)w[at.gamma][i]) / sqrt((double)w[at.variance][i] + epsilon);
        scale[i] = (real)factor;
        shift[i] = (real)((at.beta < 0 ? 0 : (double)w[at.beta][i]) - (double)w[at.mean][i] * factor);
    }
}

/* For `commit`: mean and variance of the batch as the running ones want them. One row alone has no variance divided by
 * n - 1: the biased one, 0, stands for it. */
static void keep(const hd_run *r, const job *j)
{
    bool unbiased = r->opt->number[CONVENTION] == PYTORCH && j->rows > 1;
    double correction = unbiased ? (double)j->rows / ((double)j->rows - 1) : 1;
    for (size_t i = 0; i < j->c; i++) {
        r->kept[i] = (real)j->first[i];
        r->kept[j->c + i] = (real)(j->second[i] * correction);
    }
}

static void commit(const hd_run *r)
{
    places at = places_of(r->opt);
    double old = momentum_of(r->opt);
    size_t c = (size_t)hd_shape_last(&r->out);
    for (size_t i = 0; i < c; i++) {
        real *mean = &r->state_w[at.mean][i], *variance = &r->state_w[at.variance][i];
        *mean = (real)(old * *mean + (1 - old) * r->kept[i]);
        *variance = (real)(old * *variance + (1 - old) * r->kept[c + i]);
    }
}

/* saved: the batch's mean and 1 / sqrt(variance + epsilon). */
static void forward(const hd_run *r)
{
    job j = job_of(r);
    hd_activator act = hd_activator_of(r, ACTIVATION);
    if (!uses_batch(r)) {
        fold(r->opt, (int)j.c, r->w, j.a, j.d);
        hd_channel_scale(r->pool, j.rows, j.c, r->x[0], NULL, j.a, j.d, act.kind, act.alpha, r->y, false);
        return;
    }
    hd_channel_moments(r->pool, j.rows, j.c, r->x[0], j.first, j.second, j.sums);
    for (size_t i = 0; i < j.c; i++) {
        double inverse = 1 / sqrt(j.second[i] + j.epsilon);
        j.center[i] = (real)j.first[i];
        j.a[i] = (real)(j.at.gamma < 0 ? inverse : r->w[j.at.gamma][i] * inverse);
        j.d[i] = j.at.beta < 0 ? 0 : r->w[j.at.beta][i];
        if (r->saved) {
            r->saved[i] = j.center[i];
            r->saved[j.c + i] = (real)inverse;
        }
    }
    if (r->kept) {
        keep(r, &j);
    }
    hd_channel_scale(r->pool, j.rows, j.c, r->x[0], j.center, j.a, j.d, act.kind, act.alpha, r->y, false);
}

/* With D the gradient before the activation, e = x - mean, s = 1 / sqrt(variance + epsilon) and sums over the n rows:
 * dgamma = s sum D e, dbeta = sum D, dX = gamma s (D - sum D / n - e s^2 sum D e / n), where the statistics are those of
 * the batch; else dX = gamma s D. */
static void backward(const hd_run *r)
{
    job j = job_of(r);
    bool batch = uses_batch(r);
    real *d_gamma = j.at.gamma < 0 ? NULL : r->dw[j.at.gamma], *d_beta = j.at.beta < 0 ? NULL : r->dw[j.at.beta];
    hd_activator_back(r, hd_activator_of(r, ACTIVATION), j.rows, j.c);
    memcpy(j.center, batch ? r->saved : r->w[j.at.mean], j.c * sizeof(real));
    if (batch || d_gamma || d_beta) {
        hd_channel_products(r->pool, j.rows, j.c, r->x[0], j.center, r->dy, j.first, j.second, j.sums);
    }
    for (size_t i = 0; i < j.c; i++) {
        double s = batch ? (double)r->saved[j.c + i] : 1 / sqrt((double)r->w[j.at.variance][i] + j.epsilon);
        double factor = (j.at.gamma < 0 ? 1 : (double)r->w[j.at.gamma][i]) * s, n = (double)j.rows;
        if (d_gamma) {
            d_gamma[i] = (real)(s * j.second[i]);
        }
        if (d_beta) {
            d_beta[i] = (real)j.first[i];
        }
        j.a[i] = (real)factor;
        j.b[i] = batch ? (real)(-factor * s * s * j.second[i] / n) : 0;
        j.d[i] = batch ? (real)(-factor * j.first[i] / n) : 0;
    }
    if (r->dx[0] && batch) {
        hd_channel_back(r->pool, j.rows, j.c, r->x[0], j.center, r->dy, j.a, j.b, j.d, r->dx[0], r->add[0]);
    } else if (r->dx[0]) {
        hd_channel_scale(r->pool, j.rows, j.c, r->dy, NULL, j.a, j.d, HD_LINEAR, 0, r->dx[0], r->add[0]);
    }
}

static const hd_example examples[] = {
    { 1, { { 3, { 3, 4, 5 } } }, 0, { 0 } },
    { 1, { { 1, { 4 } } }, 7, { PYTORCH, 0.2, 0.01, 1, 1, 0, HD_RELU } },
    { 1, { { 2, { 5, 3 } } }, 6, { KERAS, 0.9, 0.1, 0, 1, 1 } },
    { 1, { { 3, { 2, 2, 16 } } }, 8, { PYTORCH, 0, 0, 1, 0, 0, HD_LEAKY_RELU, 0.2 } },
    { 1, { { 2, { 2, 6 } } }, 7, { KERAS, 0, 0, 0, 0, 0, HD_SOFTMAX } },
    { 0 },
};

const hd_layer_class hd_layer_batch_norm = {
    .name = "batchNorm",
    .doc = "activation(gamma (x - mean) / sqrt(variance + epsilon) + beta) for each channel (last axis), mean and variance "
           "over batch and other axes in training, running ones at inference; weights gamma, beta, and runningMean, "
           "runningVariance, which no optimiser moves",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ANY_LAYOUT,
    .out_layout = HD_ANY_LAYOUT,
    .flags = HD_NEEDS_X | HD_NEEDS_Y,
    .output_activation = output_activation,
    .output_alpha = output_alpha,
    .shape = shape,
    .commit = commit,
    .fold = fold,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
