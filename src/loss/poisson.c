#include "base/scalar.h"
#include "loss/loss_kit.h"

static const double EPSILON = 1e-7; /* as in Keras */

static double sample(const hd_loss_run *r, int s, double scale)
{
    double sum = 0;
    for (int k = 0; k < r->size; k++) {
        size_t i = (size_t)s * (size_t)r->size + (size_t)k;
        double y = (double)r->y[i], t = (double)r->target[i];
        sum += y - t * hd_log(y + EPSILON);
        hd_loss_put(r, i, scale * (1 - t / (y + EPSILON)) / r->size);
    }
    return sum / r->size;
}

static double run(const hd_loss_run *r)
{
    return hd_loss_sum(r, sample);
}

static const hd_loss_example examples[] = { { { 1, { 4 } }, 0, { 0 } }, { { 2, { 2, 3 } }, 0, { 0 } }, { { 0 }, 0, { 0 } } };

const hd_loss_class hd_loss_poisson = {
    .name = "poisson",
    .doc = "mean of y - t log(y + 1e-7); outputs must be positive (exp, softplus, softmax), targets >= 0",
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
