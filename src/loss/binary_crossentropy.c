#include "base/scalar.h"
#include "loss/loss_kit.h"

#include <math.h>

static const double EPSILON = 1e-7; /* Keras's clip of probabilities */

/* From a logit n: max(n, 0) - n t + log(1 + exp(-|n|)), gradient p - t. */
static double element_logit(const hd_loss_run *r, size_t i, double t, double scale)
{
    double n = (double)r->y[i], z = hd_exp(-fabs(n)), p = (n < 0 ? z : 1) / (1 + z);
    r->y[i] = (real)p;
    hd_loss_put(r, i, scale * (p - t));
    return (n > 0 ? n : 0) - n * t + hd_log(1 + z);
}

static double element_probability(const hd_loss_run *r, size_t i, double t, double scale)
{
    double p = (double)r->y[i], safe = p < EPSILON ? EPSILON : p > 1 - EPSILON ? 1 - EPSILON : p;
    hd_loss_put(r, i, safe != p ? 0 : scale * (p - t) / (p * (1 - p)));
    return -t * hd_log(safe) - (1 - t) * hd_log(1 - safe);
}

static double sample(const hd_loss_run *r, int s, double scale)
{
    double sum = 0;
    for (int k = 0; k < r->size; k++) {
        size_t i = (size_t)s * (size_t)r->size + (size_t)k;
        sum += (r->logits ? element_logit : element_probability)(r, i, (double)r->target[i], scale / r->size);
    }
    return sum / r->size;
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, sample);
}

static const hd_loss_example examples[] = { { { 1, { 1 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 0, { 0 } }, { { 0 }, 0, { 0 } } };

const hd_loss_class hd_loss_binary_crossentropy = {
    .name = "binaryCrossentropy",
    .doc = "mean of -t log p - (1 - t) log(1 - p); targets 0..1",
    .fuses = HD_SIGMOID,
    .target_max = 1,
    .run = run,
    .examples = examples,
};
