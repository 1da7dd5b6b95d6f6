/* Cross entropy over classes, for one-hot rows (or any distribution) and for integer labels. */
#include "base/scalar.h"
#include "kern/vmath.h"
#include "loss/loss_kit.h"

enum { SMOOTHING };

static const double EPSILON = 1e-7; /* Keras's clip of probabilities */

/* One row: y (n), its gradient (or NULL), and the target: t_k = keep * values[k] + share, or 1 at the label. */
typedef struct row {
    size_t n;
    real *y, *dy;
    bool add;
    const real *values; /* NULL: a label */
    real keep, share;
    size_t label;
} row;

static vec fill_up(const real *x, size_t left)
{
    real t[HD_VL];
    for (size_t i = 0; i < HD_VL; i++) {
        t[i] = i < left ? x[i] : -INFINITY;
    }
    return vload(t);
}

/* The logits at i; -inf beyond the end, which neither the maximum nor a sum of exp notices. */
HD_INLINE vec logits_at(const row *w, size_t i)
{
    return i + HD_VL <= w->n ? vload(w->y + i) : fill_up(w->y + i, w->n - i);
}

HD_INLINE vec targets_at(const row *w, size_t i)
{
    return vmadd(vset(w->keep), vload_upto(w->values + i, w->n - i), vset(w->share));
}

/* y = exp(y - max). Returns the sum of y, all in float64: with a float32 sum the loss of a row that is learnt, the log of
 * 1 + a little, would be noise. *dot = sum t (y - max), *mass = sum t. */
static double exp_row(const row *w, double *dot, double *mass)
{
    double sums[HD_VL] = { 0 }, dots[HD_VL] = { 0 }, masses[HD_VL] = { 0 };
    vec top = vset(-INFINITY);
    for (size_t i = 0; i < w->n; i += HD_VL) {
        top = vmax(top, logits_at(w, i));
    }
    const vec max = vset(vmax_lane(top));
    *dot = w->values ? 0 : (double)(w->y[w->label] - vmax_lane(top));
    for (size_t i = 0; i < w->n; i += HD_VL) {
        vec d = vsub(logits_at(w, i), max), e = vexp(d);
        if (w->values) {
            vec t = targets_at(w, i);
            hd_add_lanes(dots, vselect(veq(t, vzero()), t, vmul(t, d)), w->n - i);
            hd_add_lanes(masses, t, w->n - i);
        }
        hd_add_lanes(sums, e, HD_VL);
        vstore_upto(w->y + i, e, w->n - i);
    }
    if (w->values) {
        *dot = hd_sum_lanes(dots);
    }
    *mass = w->values ? hd_sum_lanes(masses) : 1;
    return hd_sum_lanes(sums);
}

/* From logits n: loss = sum_k t_k (log sum exp n - n_k), gradient (sum t) p - t. y becomes p = softmax(n). */
static double from_logits(const row *w, double scale)
{
    double dot, mass, sum = exp_row(w, &dot, &mass);
    const vec over = vset((real)sum), total = vset((real)(scale * mass)), factor = vset((real)scale);
    for (size_t i = 0; i < w->n; i += HD_VL) {
        size_t left = w->n - i;
        vec p = vdiv(vload_upto(w->y + i, left), over);
        vstore_upto(w->y + i, p, left);
        if (w->dy) {
            vec d = vmul(total, p);
            d = w->values ? vsub(d, vmul(factor, targets_at(w, i))) : d;
            vstore_upto(w->dy + i, w->add ? vadd(vload_upto(w->dy + i, left), d) : d, left);
        }
    }
    if (w->dy && !w->values) {
        w->dy[w->label] -= (real)scale;
    }
    return mass * hd_log(sum) - dot;
}

static double target_of(const row *w, size_t k)
{
    return w->values ? (double)w->keep * (double)w->values[k] + (double)w->share : (double)(k == w->label);
}

/* From values y >= 0, normalised by their sum and clipped as Keras does; a clipped one has no gradient. */
static double from_probabilities(const row *w, double scale)
{
    double sum = 0, loss = 0, inner = 0;
    for (size_t k = 0; k < w->n; k++) {
        sum += (double)w->y[k];
    }
    for (size_t k = 0; k < w->n; k++) {
        double t = target_of(w, k), p = (double)w->y[k] / sum;
        double safe = p < EPSILON ? EPSILON : p > 1 - EPSILON ? 1 - EPSILON : p;
        loss -= t != 0 ? t * hd_log(safe) : 0;
        inner += safe != p ? 0 : t;
    }
    for (size_t k = 0; k < w->n && w->dy; k++) {
        double p = (double)w->y[k] / sum, slope = p < EPSILON || p > 1 - EPSILON ? 0 : target_of(w, k) / p;
        double d = scale * (inner - slope) / sum;
        w->dy[k] = (real)(w->add ? (double)w->dy[k] + d : d);
    }
    return loss;
}

HD_INLINE double block(const hd_loss_run *r, int begin, int end, bool sparse)
{
    const int rows = r->size / r->row;
    const double smoothing = sparse ? 0 : r->opt->number[SMOOTHING];
    row w = { .n = (size_t)r->row, .add = r->add, .keep = (real)(1 - smoothing), .share = (real)(smoothing / r->row) };
    double total = 0;
    for (int s = begin; s < end; s++) {
        double weight = hd_loss_weight(r, s) / rows;
        for (int i = 0; i < rows; i++) {
            size_t index = (size_t)s * (size_t)rows + (size_t)i, at = index * w.n;
            w.y = r->y + at;
            w.dy = r->dy ? r->dy + at : NULL;
            w.values = sparse ? NULL : r->target + at;
            w.label = sparse ? (size_t)r->target[index] : 0;
            total += weight * (r->logits ? from_logits : from_probabilities)(&w, r->scale * weight);
        }
    }
    return total;
}

static double dense_block(const hd_loss_run *r, int begin, int end)
{
    return block(r, begin, end, false);
}

static double sparse_block(const hd_loss_run *r, int begin, int end)
{
    return block(r, begin, end, true);
}

static double dense(const hd_loss_run *r)
{
    return hd_loss_sum(r, dense_block);
}

static double sparse(const hd_loss_run *r)
{
    return hd_loss_sum(r, sparse_block);
}

static const hd_option options[] = {
    { .name = "labelSmoothing", .type = HD_NUMBER, .min = 0, .max = 1,
      .doc = "targets t become (1 - s) t + s / classes, as in Keras" },
    { 0 },
};

static const hd_loss_example dense_examples[] = {
    { { 1, { 4 } }, 0, { 0 } }, { { 2, { 3, 5 } }, 1, { 0.2 } }, { { 0 }, 0, { 0 } }
};
static const hd_loss_example sparse_examples[] = {
    { { 1, { 4 } }, 0, { 0 } }, { { 2, { 3, 5 } }, 0, { 0 } }, { { 0 }, 0, { 0 } }
};

const hd_loss_class hd_loss_categorical_crossentropy = {
    .name = "categoricalCrossentropy",
    .doc = "-sum t log p over classes (last axis), mean over the rest; targets one-hot or any distribution",
    .options = options,
    .fuses = HD_SOFTMAX,
    .target_max = 1,
    .run = dense,
    .examples = dense_examples,
};

const hd_loss_class hd_loss_sparse_categorical_crossentropy = {
    .name = "sparseCategoricalCrossentropy",
    .doc = "-log p of the class given by an integer label 0..classes-1 for each row of the last axis",
    .sparse = true,
    .fuses = HD_SOFTMAX,
    .run = sparse,
    .examples = sparse_examples,
};
