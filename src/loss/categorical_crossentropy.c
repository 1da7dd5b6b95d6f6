/* Cross entropy over classes, for one-hot rows (or any distribution) and for integer labels. */
#include "kern/math.h"
#include "loss/loss_kit.h"

#include "base/scalar.h"

static const double EPSILON = 1e-7; /* Keras's clip of probabilities */

/* Target of class k in row i of the batch. */
static double target_at(const hd_loss_run *r, bool sparse, size_t i, int k)
{
    return sparse ? (double)(k == (int)r->target[i]) : (double)r->target[i * (size_t)r->row + (size_t)k];
}

/* From logits n: loss = sum_k t_k (lse(n) - n_k), gradient (sum t) p - t. y becomes p = softmax(n). */
static double row_logits(const hd_loss_run *r, bool sparse, size_t i, double scale)
{
    real *y = r->y + i * (size_t)r->row;
    double lse = (double)hd_logsumexp((size_t)r->row, y), loss = 0, mass = 0;
    for (int k = 0; k < r->row; k++) {
        double t = target_at(r, sparse, i, k);
        loss += t ? t * (lse - (double)y[k]) : 0;
        mass += t;
    }
    hd_softmax((size_t)r->row, y, y);
    for (int k = 0; k < r->row && r->dy; k++) {
        hd_loss_put(r, i * (size_t)r->row + (size_t)k, scale * (mass * (double)y[k] - target_at(r, sparse, i, k)));
    }
    return loss;
}

/* From values y >= 0, normalised by their sum and clipped as Keras does. */
static double row_probabilities(const hd_loss_run *r, bool sparse, size_t i, double scale)
{
    const real *y = r->y + i * (size_t)r->row;
    double sum = 0, loss = 0, inner = 0;
    for (int k = 0; k < r->row; k++) {
        sum += (double)y[k];
    }
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < r->row; k++) {
            double t = target_at(r, sparse, i, k), p = (double)y[k] / sum;
            bool clipped = p < EPSILON || p > 1 - EPSILON;
            double safe = p < EPSILON ? EPSILON : p > 1 - EPSILON ? 1 - EPSILON : p;
            if (pass == 0) {
                loss -= t ? t * hd_log(safe) : 0;
                inner += clipped ? 0 : t;
            } else if (r->dy) {
                hd_loss_put(r, i * (size_t)r->row + (size_t)k, scale * (inner - (clipped ? 0 : t / p)) / sum);
            }
        }
    }
    return loss;
}

static double sample(const hd_loss_run *r, bool sparse, int s, double scale)
{
    int rows = r->size / r->row;
    double sum = 0;
    for (int i = 0; i < rows; i++) {
        size_t row = (size_t)s * (size_t)rows + (size_t)i;
        sum += (r->logits ? row_logits : row_probabilities)(r, sparse, row, scale / rows);
    }
    return sum / rows;
}

static double dense_sample(const hd_loss_run *r, int s, double scale)
{
    return sample(r, false, s, scale);
}

static double sparse_sample(const hd_loss_run *r, int s, double scale)
{
    return sample(r, true, s, scale);
}

static double dense(const hd_loss_run *r)
{
    return hd_loss_sum(r, dense_sample);
}

static double sparse(const hd_loss_run *r)
{
    return hd_loss_sum(r, sparse_sample);
}

static const hd_loss_example examples[] = { { { 1, { 4 } }, 0, { 0 } }, { { 2, { 3, 5 } }, 0, { 0 } }, { { 0 }, 0, { 0 } } };

const hd_loss_class hd_loss_categorical_crossentropy = {
    .name = "categoricalCrossentropy",
    .doc = "-sum t log p over classes (last axis), mean over the rest; targets one-hot or any distribution",
    .fuses = HD_SOFTMAX,
    .target_max = 1,
    .run = dense,
    .examples = examples,
};

const hd_loss_class hd_loss_sparse_categorical_crossentropy = {
    .name = "sparseCategoricalCrossentropy",
    .doc = "-log p of the class given by an integer label 0..classes-1 for each row of the last axis",
    .sparse = true,
    .fuses = HD_SOFTMAX,
    .run = sparse,
    .examples = examples,
};
