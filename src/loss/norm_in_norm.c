/* Norm-in-Norm loss (Li, Jiang, Jiang, "Norm-in-Norm Loss with Faster Convergence and Better Performance for Image Quality Assessment", ACM MM
 * 2020): scores and labels of a batch are centred and divided by their norm before they are compared, so that the loss depends on neither
 * shift nor scale of the scores.
 *
 * s = (y - mean y) / ||y - mean y||_q, t the same of the labels;  l = 1/C sum |s_i - t_i|^p,  l' = 1/C sum |rho s_i - t_i|^p, rho the linear
 * correlation; C from Hoelder's inequality, so that both lie in [0, 1]. For p = q = 2: l = (1 - rho) / 2, l' = (1 - rho^2) / 4. */
#include "base/scalar.h"
#include "kern/vec.h"
#include "loss/loss.h"

#include <math.h>

enum { P, Q, ALPHA, DETACH };

#define FLAT 1e-8 /* a list whose norm is at most this part of its mean (at least of 1) does not vary */

/* One list of the batch. */
typedef struct side {
    const real *x;
    double mean, norm, by; /* by: 1 / norm */
    double squares;        /* sum of (x - mean)^2 */
} side;

typedef struct batch {
    int n;
    double p, q;
    double share[2]; /* weights of l and l', over C */
    side y, t;
    double rho;
} batch;

/* sign(x) |x|^e for e >= 0, and 0 at 0: |x|^e / x there is taken as 0, the slope of |x| too. */
HD_INLINE double signed_power(double x, double e)
{
    const double a = fabs(x);
    if (a == 0) {
        return 0;
    }
    if (e == 1) {
        return x;
    }
    const double power = e == 0 ? 1 : e == floor(e) ? hd_power(a, (uint64_t)e) : hd_exp(e * hd_log(a));
    return x < 0 ? -power : power;
}

HD_INLINE double centred(const side *s, int i)
{
    return (double)s->x[i] - s->mean;
}

/* Norm of the centred list in general; relative to its largest element, or powers would overflow. */
static double norm_of(const side *s, int n, double q)
{
    double largest = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        const double a = fabs(centred(s, i));
        largest = a > largest ? a : largest;
    }
    if (largest == 0) {
        return 0;
    }
    for (int i = 0; i < n; i++) {
        const double a = fabs(centred(s, i)) / largest;
        sum += a * signed_power(a, q - 1);
    }
    return largest * hd_exp(hd_log(sum) / q);
}

static side make_side(const real *x, int n, double q)
{
    side s = { .x = x };
    for (int i = 0; i < n; i++) {
        s.mean += (double)x[i];
    }
    s.mean /= n;
    for (int i = 0; i < n; i++) {
        const double c = centred(&s, i);
        s.squares += c * c;
    }
    s.norm = q == 2 ? sqrt(s.squares) : norm_of(&s, n, q);
    s.by = 1 / s.norm;
    return s;
}

static bool is_flat(const side *s)
{
    const double mean = fabs(s->mean);
    return s->norm <= FLAT * (mean > 1 ? mean : 1);
}

static double correlation(const side *y, const side *t, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += centred(y, i) * centred(t, i);
    }
    return sum / sqrt(y->squares * t->squares);
}

/* What element i is of: s and t, the losses and their slopes w by s and by rho s. Returns the loss. */
HD_INLINE double element(const batch *b, int i, double *s, double *t, double w[2])
{
    double loss = 0;
    *s = centred(&b->y, i) * b->y.by;
    *t = centred(&b->t, i) * b->t.by;
    for (int k = 0; k < 2; k++) {
        const double e = (k ? b->rho * *s : *s) - *t, power = b->share[k] != 0 ? b->share[k] * signed_power(e, b->p - 1) : 0;
        loss += power * e;
        w[k] = b->p * power;
    }
    return loss;
}

/* Gradient g by s: w_0 + rho w_1 + <w_1, s> (t / (|s| |t|) - rho s / |s|^2), the last being d rho / d s, which is orthogonal to s and sums to 0.
 * By y: (g - mean g - <g, s> (R - mean R)) / norm, R = |s|^q / s. `detach` takes mean and norm for constants: g / norm. */
static double run_batch(const batch *b, const hd_loss_run *r, bool detach)
{
    double loss = 0, s, t, w[2], sum_w = 0, sum_power = 0, along[2] = { 0 };
    for (int i = 0; i < b->n; i++) {
        loss += element(b, i, &s, &t, w);
        sum_w += w[0] + b->rho * w[1];
        along[0] += w[0] * s;
        along[1] += w[1] * s;
        sum_power += signed_power(s, b->q - 1);
    }
    const double norm_s = sqrt(b->y.squares) / b->y.norm, norm_t = sqrt(b->t.squares) / b->t.norm;
    const double by_t = along[1] / (norm_s * norm_t), by_s = along[1] * b->rho / (norm_s * norm_s), inner = along[0] + b->rho * along[1];
    const double scale = r->scale * b->n / b->y.norm, mean_w = sum_w / b->n, mean_power = sum_power / b->n;
    for (int i = 0; r->dy && i < b->n; i++) {
        element(b, i, &s, &t, w);
        double g = w[0] + b->rho * w[1] + by_t * t - by_s * s;
        g -= detach ? 0 : mean_w + inner * (signed_power(s, b->q - 1) - mean_power);
        r->dy[i] = (real)(scale * g + (r->add ? (double)r->dy[i] : 0));
    }
    return loss;
}

/* Nothing to compare: a constant loss. */
static double flat(const batch *b, const hd_loss_run *r)
{
    double loss = 0;
    for (int i = 0; i < b->n; i++) {
        if (r->dy && !r->add) {
            r->dy[i] = 0;
        }
        const double t = b->n < 2 || is_flat(&b->t) ? 0 : centred(&b->t, i) / b->t.norm;
        loss += (b->share[0] + b->share[1]) * t * signed_power(t, b->p - 1);
    }
    return loss;
}

static double run_with(const hd_loss_run *r, double p, double q, const double alpha[2], bool detach)
{
    const double holder = p < q ? hd_exp((1 - p / q) * hd_log(r->n)) : 1, total = (alpha[0] + alpha[1]) * hd_exp(p * hd_log(2)) * holder;
    batch b = { .n = r->n, .p = p, .q = q, .share = { alpha[0] / total, alpha[1] / total }, .y = make_side(r->y, r->n, q),
                .t = make_side(r->target, r->n, q) };
    if (!isfinite(b.y.mean)) {
        return NAN;
    }
    if (r->n < 2 || is_flat(&b.y) || is_flat(&b.t)) {
        return r->n * flat(&b, r);
    }
    b.rho = correlation(&b.y, &b.t, b.n);
    return r->n * run_batch(&b, r, detach);
}

static double run(const hd_loss_run *r)
{
    const hd_values *o = r->opt;
    const double *alpha = o->number[ALPHA] ? o->list + o->start[ALPHA] : (const double[]){ 1, 0 };
    return run_with(r, o->number[P], o->number[Q], alpha, o->number[DETACH] != 0);
}

static double run_plcc(const hd_loss_run *r)
{
    return run_with(r, 2, 2, (const double[]){ 1, 0 }, false);
}

static const char *refuses(const hd_values *o)
{
    const double *alpha = o->list + o->start[ALPHA];
    const bool fits = o->number[ALPHA] == 0 || (o->number[ALPHA] == 2 && alpha[0] + alpha[1] > 0);
    return fits ? NULL : "alpha: expected two numbers, not both 0";
}

static const hd_option options[] = {
    { .name = "p", .type = HD_NUMBER, .min = 1, .max = 64, .def = 1, .doc = "exponent of the errors" },
    { .name = "q", .type = HD_NUMBER, .min = 1, .max = 64, .def = 2, .doc = "exponent of the norm that divides scores and labels" },
    { .name = "alpha", .type = HD_NUMBERS, .min = 0, .max = 1e6,
      .doc = "weights of l and of l', whose scores are multiplied with the correlation; divided by their sum; [1, 0] unless told" },
    { .name = "detach", .type = HD_BOOL, .doc = "gradients as if mean and norm of the scores were constants" },
    { 0 },
};

static const hd_loss_example examples[] = {
    { { 1, { 1 } }, 0, { 0 } }, { { 1, { 1 } }, 5, { 2, 2, 2, 1, 0.1 } }, { { 1, { 1 } }, 5, { 1.5, 3, 2, 0, 1 } }, { { 0 }, 0, { 0 } }
};
static const hd_loss_example plcc_examples[] = { { { 1, { 1 } }, 0, { 0 } }, { { 0 }, 0, { 0 } } };

const hd_loss_class hd_loss_norm_in_norm = {
    .name = "normInNorm",
    .doc = "of a batch: mean of |s - t|^p, s and t its scores and labels centred and divided by their q-norm, from 0 to 1 (Li, Jiang, Jiang 2020)",
    .options = options,
    .batch = true,
    .target_min = -1e30,
    .target_max = 1e30,
    .refuses = refuses,
    .run = run,
    .examples = examples,
};

const hd_loss_class hd_loss_plcc = {
    .name = "plcc",
    .doc = "of a batch: (1 - r) / 2, r Pearson's linear correlation of scores and labels; normInNorm with p = q = 2",
    .batch = true,
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run_plcc,
    .examples = plcc_examples,
};
