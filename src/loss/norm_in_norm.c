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

/* Two elements of a list in float64. Sums take even and odd elements apart. */
typedef v128_t pair;

HD_INLINE pair both(double x) { return wasm_f64x2_splat(x); }
HD_INLINE pair plus(pair a, pair b) { return wasm_f64x2_add(a, b); }
HD_INLINE pair minus(pair a, pair b) { return wasm_f64x2_sub(a, b); }
HD_INLINE pair times(pair a, pair b) { return wasm_f64x2_mul(a, b); }
HD_INLINE double lanes(pair a) { return wasm_f64x2_extract_lane(a, 0) + wasm_f64x2_extract_lane(a, 1); }

/* One list of the batch. */
typedef struct side {
    const real *x;
    int n;
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

HD_INLINE pair signed_powers(pair x, double e)
{
    if (e == 1) {
        return x;
    }
    if (e == 0) {
        return wasm_v128_and(wasm_v128_bitselect(x, both(1), both(-0.0)), wasm_f64x2_ne(x, both(0)));
    }
    return wasm_f64x2_make(signed_power(wasm_f64x2_extract_lane(x, 0), e), signed_power(wasm_f64x2_extract_lane(x, 1), e));
}

HD_INLINE double centred(const side *s, int i)
{
    return (double)s->x[i] - s->mean;
}

/* Elements i and i + 1; beyond the end 0. */
HD_INLINE pair centred_pair(const side *s, int i)
{
    if (i + 1 == s->n) {
        return wasm_f64x2_make(centred(s, i), 0);
    }
#ifdef HD_FLOAT64
    const pair x = wasm_v128_load(s->x + i);
#else
    const pair x = wasm_f64x2_promote_low_f32x4(wasm_v128_load64_zero(s->x + i));
#endif
    return minus(x, both(s->mean));
}

/* Norm of the centred list in general; relative to its largest element, or powers would overflow. */
static double norm_of(const side *s, double q)
{
    double largest = 0, sum = 0;
    for (int i = 0; i < s->n; i++) {
        const double a = fabs(centred(s, i));
        largest = a > largest ? a : largest;
    }
    if (largest == 0) {
        return 0;
    }
    for (int i = 0; i < s->n; i++) {
        const double a = fabs(centred(s, i)) / largest;
        sum += a * signed_power(a, q - 1);
    }
    return largest * hd_exp(hd_log(sum) / q);
}

/* Means, norms and correlation. */
static void measure(batch *b)
{
    side *y = &b->y, *t = &b->t;
    pair sum_y = both(0), sum_t = both(0), product = both(0);
    for (int i = 0; i < b->n; i += 2) {
        sum_y = plus(sum_y, centred_pair(y, i));
        sum_t = plus(sum_t, centred_pair(t, i));
    }
    y->mean = lanes(sum_y) / b->n;
    t->mean = lanes(sum_t) / b->n;
    sum_y = sum_t = both(0);
    for (int i = 0; i < b->n; i += 2) {
        const pair of_y = centred_pair(y, i), of_t = centred_pair(t, i);
        sum_y = plus(sum_y, times(of_y, of_y));
        sum_t = plus(sum_t, times(of_t, of_t));
        product = plus(product, times(of_y, of_t));
    }
    y->squares = lanes(sum_y);
    t->squares = lanes(sum_t);
    y->norm = b->q == 2 ? sqrt(y->squares) : norm_of(y, b->q);
    t->norm = b->q == 2 ? sqrt(t->squares) : norm_of(t, b->q);
    y->by = 1 / y->norm;
    t->by = 1 / t->norm;
    b->rho = lanes(product) / sqrt(y->squares * t->squares);
}

static bool is_flat(const side *s)
{
    const double mean = fabs(s->mean);
    return s->norm <= FLAT * (mean > 1 ? mean : 1);
}

/* What elements i and i + 1 are of: s and t, the losses and their slopes w by s and by rho s. Returns the losses. */
HD_INLINE pair elements(const batch *b, int i, pair *s, pair *t, pair w[2])
{
    pair loss = both(0);
    *s = times(centred_pair(&b->y, i), both(b->y.by));
    *t = times(centred_pair(&b->t, i), both(b->t.by));
    for (int k = 0; k < 2; k++) {
        w[k] = both(0);
        if (b->share[k] != 0) {
            const pair e = minus(k ? times(both(b->rho), *s) : *s, *t), power = times(both(b->share[k]), signed_powers(e, b->p - 1));
            loss = plus(loss, times(power, e));
            w[k] = times(both(b->p), power);
        }
    }
    return loss;
}

/* Gradient g by s: w_0 + rho w_1 + <w_1, s> (t / (|s| |t|) - rho s / |s|^2), the last being d rho / d s, which is orthogonal to s and sums to 0.
 * By y: (g - mean g - <g, s> (R - mean R)) / norm, R = |s|^q / s. `detach` takes mean and norm for constants: g / norm. */
static double run_batch(const batch *b, const hd_loss_run *r, bool detach)
{
    const pair rho = both(b->rho);
    pair loss = both(0), s, t, w[2], sum_w = both(0), sum_power = both(0), sum_along[2] = { both(0), both(0) };
    for (int i = 0; i < b->n; i += 2) {
        loss = plus(loss, elements(b, i, &s, &t, w));
        sum_w = plus(sum_w, plus(w[0], times(rho, w[1])));
        sum_along[0] = plus(sum_along[0], times(w[0], s));
        sum_along[1] = plus(sum_along[1], times(w[1], s));
        sum_power = plus(sum_power, signed_powers(s, b->q - 1));
    }
    const double norm_s = sqrt(b->y.squares) / b->y.norm, norm_t = sqrt(b->t.squares) / b->t.norm;
    const double along = lanes(sum_along[1]), inner = detach ? 0 : lanes(sum_along[0]) + b->rho * along;
    const pair by_t = both(along / (norm_s * norm_t)), by_s = both(along * b->rho / (norm_s * norm_s));
    const double mean_w = detach ? 0 : lanes(sum_w) / b->n, mean_power = lanes(sum_power) / b->n, scale = r->scale * b->n / b->y.norm;
    for (int i = 0; r->dy && i < b->n; i += 2) {
        elements(b, i, &s, &t, w);
        pair g = minus(plus(plus(w[0], times(rho, w[1])), times(by_t, t)), times(by_s, s));
        g = minus(g, plus(both(mean_w), times(both(inner), minus(signed_powers(s, b->q - 1), both(mean_power)))));
        double d[2];
        wasm_v128_store(d, times(both(scale), g));
        for (int k = 0; k < 2 && i + k < b->n; k++) {
            r->dy[i + k] = (real)(d[k] + (r->add ? (double)r->dy[i + k] : 0));
        }
    }
    return lanes(loss);
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
    batch b = { .n = r->n, .p = p, .q = q, .share = { alpha[0] / total, alpha[1] / total }, .y = { .x = r->y, .n = r->n },
                .t = { .x = r->target, .n = r->n } };
    measure(&b);
    if (!isfinite(b.y.mean)) {
        return NAN;
    }
    if (r->n < 2 || is_flat(&b.y) || is_flat(&b.t)) {
        return r->n * flat(&b, r);
    }
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
