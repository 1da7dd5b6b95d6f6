/* Losses of a batch as a whole: Norm-in-Norm, PLCC, monotonicity. Values from plain formulas, gradients by differences (float64 build), the
 * laws of the paper, batches on which they are not defined, and what cannot be trained with them. */
#include "base/rng.h"
#include "check.h"
#include "heddle.h"
#include "loss/loss.h"
#include "model/registry.h"

enum { N = 9, MAX = 40 };

#ifdef HD_FLOAT64
static const double TOL = 1e-12;
#else
static const double TOL = 2e-6;
#endif

static hd_context *c;

typedef struct setting {
    const char *name;
    double p, q, alpha[2];
    int detach;
} setting;

/* Loss of n scores; the gradient to dy, if not NULL. */
static double run(const setting *s, int n, const hd_real *y, const hd_real *t, hd_real *dy)
{
    const hd_loss_class *class = hd_loss_class_find(s->name);
    const double options[] = { s->p, s->q, 2, s->alpha[0], s->alpha[1], s->detach };
    hd_values values;
    CHECK(class && class->batch);
    CHECK(hd_options_read(c, s->name, class->options, options, class->options && s->p ? 6 : 0, &values) == HD_OK);
    hd_real scores[MAX];
    memcpy(scores, y, (size_t)n * sizeof *y);
    hd_loss_run r = { .pool = c->pool, .opt = &values, .n = n, .size = 1, .row = 1, .y = scores, .target = t, .scale = 1.0 / n, .dy = dy };
    return class->run(&r) / n;
}

static setting norm_in_norm(double p, double q, double a, double b)
{
    return (setting){ "normInNorm", p, q, { a, b }, 0 };
}

static const setting plcc = { .name = "plcc" };
static const double exponents[] = { 1, 1.5, 2, 3, 4 };
static const double alphas[][2] = { { 1, 0 }, { 0, 1 }, { 1, 0.1 } };

static void fill(int n, uint32_t seed, hd_real *x)
{
    for (int i = 0; i < n; i++) {
        x[i] = (hd_real)(3 + 2 * hd_rng_normal(hd_rng_stream(4, seed, 0), (uint64_t)i));
    }
}

/* --- plainly ------------------------------------------------------------------------------------------- */

static void normalise(int n, double q, const hd_real *x, double *s)
{
    double mean = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        mean += (double)x[i] / n;
    }
    for (int i = 0; i < n; i++) {
        sum += pow(fabs((double)x[i] - mean), q);
    }
    for (int i = 0; i < n; i++) {
        s[i] = ((double)x[i] - mean) / pow(sum, 1 / q);
    }
}

static double plain(const setting *o, int n, const hd_real *y, const hd_real *t)
{
    double s[MAX], u[MAX], ss = 0, uu = 0, su = 0, sum[2] = { 0 };
    normalise(n, o->q, y, s);
    normalise(n, o->q, t, u);
    for (int i = 0; i < n; i++) {
        ss += s[i] * s[i];
        uu += u[i] * u[i];
        su += s[i] * u[i];
    }
    for (int i = 0; i < n; i++) {
        sum[0] += pow(fabs(s[i] - u[i]), o->p);
        sum[1] += pow(fabs(su / sqrt(ss * uu) * s[i] - u[i]), o->p);
    }
    const double by = pow(2, o->p) * (o->p < o->q ? pow(n, 1 - o->p / o->q) : 1);
    return (o->alpha[0] * sum[0] + o->alpha[1] * sum[1]) / by / (o->alpha[0] + o->alpha[1]);
}

static double rho_of(int n, const hd_real *y, const hd_real *t)
{
    double a[MAX], b[MAX], values[HD_STATISTICS];
    for (int i = 0; i < n; i++) {
        a[i] = (double)y[i];
        b[i] = (double)t[i];
    }
    CHECK(hd_statistics(c, n, a, b, NULL, values) == HD_OK);
    return values[HD_STATISTIC_PLCC];
}

/* --- all exponents, both losses ------------------------------------------------------------------------- */

static void check_gradient(const setting *o, int n, const hd_real *y, const hd_real *t, const hd_real *dy)
{
#ifdef HD_FLOAT64
    for (int i = 0; i < n; i++) {
        hd_real up[MAX], down[MAX];
        memcpy(up, y, (size_t)n * sizeof *y);
        memcpy(down, y, (size_t)n * sizeof *y);
        up[i] += 1e-6;
        down[i] -= 1e-6;
        NEAR((run(o, n, up, t, NULL) - run(o, n, down, t, NULL)) / 2e-6, dy[i], 1e-8);
    }
#else /* along the gradient */
    double length = 0;
    hd_real up[MAX], down[MAX];
    for (int i = 0; i < n; i++) {
        length += (double)dy[i] * (double)dy[i];
    }
    for (int i = 0; i < n; i++) {
        const double step = 0.001 * (double)dy[i] / sqrt(length + 1e-30);
        up[i] = (hd_real)((double)y[i] + step);
        down[i] = (hd_real)((double)y[i] - step);
    }
    NEAR((run(o, n, up, t, NULL) - run(o, n, down, t, NULL)) / 0.002, sqrt(length), 1e-3);
#endif
}

/* A shift or a change of scale of all scores changes nothing. */
static void check_invariance(const setting *o, int n, const hd_real *y, const hd_real *t, const hd_real *dy)
{
    double sum = 0, along = 0, size = 0;
    hd_real moved[MAX];
    for (int i = 0; i < n; i++) {
        sum += (double)dy[i];
        along += (double)dy[i] * (double)y[i];
        size += fabs((double)dy[i] * (double)y[i]) + fabs((double)dy[i]);
        moved[i] = 2 * y[i] + 3;
    }
    NEAR(sum, 0, TOL * (size + 1));
    NEAR(along, 0, TOL * (size + 1));
    NEAR(run(o, n, moved, t, NULL), run(o, n, y, t, NULL), TOL);
}

static void check_order(const setting *o, int n, const hd_real *y, const hd_real *t, const hd_real *dy)
{
    hd_real y2[MAX], t2[MAX], dy2[MAX];
    for (int i = 0; i < n; i++) {
        y2[i] = y[n - 1 - i];
        t2[i] = t[n - 1 - i];
    }
    NEAR(run(o, n, y2, t2, dy2), run(o, n, y, t, NULL), TOL);
    for (int i = 0; i < n; i++) {
        NEAR(dy2[i], dy[n - 1 - i], TOL);
    }
}

static void check_grid(void)
{
    hd_real y[MAX], t[MAX], dy[MAX], negative[MAX];
    const int sizes[] = { 3, 8, N };
    for (int k = 0; k < 3 * 5 * 5 * 3; k++) {
        const int n = sizes[k % 3], which = k / 3;
        const setting o = norm_in_norm(exponents[which % 5], exponents[which / 5 % 5], alphas[which / 25][0], alphas[which / 25][1]);
        fill(n, (uint32_t)k, y);
        fill(n, 1000 + (uint32_t)k, t);
        const double loss = run(&o, n, y, t, dy);
        NEAR(loss, plain(&o, n, y, t), TOL);
        CHECK(loss >= 0 && loss <= 1);
        check_gradient(&o, n, y, t, dy);
        check_invariance(&o, n, y, t, dy);
        check_order(&o, n, y, t, dy);
        NEAR(run(&o, n, t, t, NULL), 0, TOL);
        for (int i = 0; i < n; i++) {
            negative[i] = -y[i];
        }
        if (o.alpha[0] == 0) { /* l' only: rho changes its sign with the scores */
            NEAR(run(&o, n, negative, t, NULL), loss, TOL);
        }
    }
}

/* p = q = 2: l = (1 - rho) / 2, l' = (1 - rho^2) / 4, and the slope of l is -(t - rho s) / (2 b). */
static void check_squares(void)
{
    const setting l = norm_in_norm(2, 2, 1, 0), lp = norm_in_norm(2, 2, 0, 1);
    hd_real y[N], t[N], dy[N], negative[N], mse[N];
    fill(N, 1, y);
    fill(N, 2, t);
    const double rho = rho_of(N, y, t);
    NEAR(run(&l, N, y, t, dy), (1 - rho) / 2, TOL);
    NEAR(run(&lp, N, y, t, NULL), (1 - rho * rho) / 4, TOL);
    CHECK(run(&plcc, N, y, t, mse) == run(&l, N, y, t, NULL) && !memcmp(mse, dy, sizeof dy));
    double s[N], u[N], b = 0, mean = 0, by_t = 0, mean_t = 0;
    normalise(N, 2, y, s);
    normalise(N, 2, t, u);
    for (int i = 0; i < N; i++) {
        mean += (double)y[i] / N;
        mean_t += (double)t[i] / N;
        negative[i] = -t[i];
    }
    for (int i = 0; i < N; i++) {
        b += pow((double)y[i] - mean, 2);
        by_t += pow((double)t[i] - mean_t, 2);
    }
    for (int i = 0; i < N; i++) {
        NEAR(dy[i], -(u[i] - rho * s[i]) / (2 * sqrt(b)), TOL);
    }
    NEAR(run(&l, N, negative, t, NULL), 1, TOL);
    NEAR(sqrt(by_t * (1 - rho * rho) / N), sqrt(4 * by_t * run(&lp, N, y, t, NULL) / N), 10 * TOL); /* RMSE after a least squares line */
    for (int i = 0; i < N; i++) {
        y[i] -= (hd_real)(0.05 * b) * dy[i];
    }
    CHECK(rho_of(N, y, t) > rho);
}

/* Odd and symmetric: a score equal to the mean, s = 0, whose power of q - 1 = 0 must not be 0 / 0. */
static void check_zero(void)
{
    const hd_real y[] = { -1, 0, 1 }, t[] = { 2, 1, 4 };
    hd_real dy[3];
    for (int k = 0; k < 3; k++) {
        const setting o = norm_in_norm(1, 1, alphas[k][0], alphas[k][1]);
        NEAR(run(&o, 3, y, t, dy), plain(&o, 3, y, t), TOL);
        CHECK(isfinite(dy[0]) && isfinite(dy[1]) && isfinite(dy[2]));
        NEAR(dy[0] + dy[1] + dy[2], 0, TOL);
        NEAR(dy[2] - dy[0], 0, TOL);
    }
}

static void check_degenerate(void)
{
    const hd_real y[] = { 0.1f, 0.1f, 0.1f }, t[] = { 2, 1, 4 }, same[] = { 62.1f, 62.1f, 62.1f }, bad[] = { 1, (hd_real)NAN, 2 };
    for (int k = 0; k < 3 * 9; k++) {
        const setting o = norm_in_norm(exponents[k % 3], exponents[k / 3 % 3], alphas[k / 9][0], alphas[k / 9][1]);
        hd_real dy[3] = { 9, 9, 9 };
        double u[3], sum = 0;
        normalise(3, o.q, t, u);
        for (int i = 0; i < 3; i++) {
            sum += pow(fabs(u[i]), o.p) / pow(2, o.p) / (o.p < o.q ? pow(3, 1 - o.p / o.q) : 1);
        }
        NEAR(run(&o, 3, y, t, dy), sum, TOL); /* equal scores: s = 0 */
        CHECK(dy[0] == 0 && dy[1] == 0 && dy[2] == 0);
        dy[0] = 9;
        CHECK(run(&o, 3, t, same, dy) == 0 && dy[0] == 0); /* equal labels */
        dy[0] = 9;
        CHECK(run(&o, 1, t, t, dy) == 0 && dy[0] == 0);
        CHECK(isnan(run(&o, 3, bad, t, dy)) && isnan(run(&o, 3, bad, same, dy)) && isnan(run(&o, 1, bad + 1, t, dy)));
    }
    /* Far from zero: labels around 60 that differ in the third digit are not flat. */
    const hd_real far[] = { 60.1f, 60.2f, 60.4f };
    const setting o = norm_in_norm(2, 2, 1, 0);
    NEAR(run(&o, 3, t, far, NULL), (1 - rho_of(3, t, far)) / 2, TOL);
}

/* "detach": mean and norm are constants. */
static void check_detached(void)
{
    hd_real y[N], t[N], dy[N], detached[N];
    fill(N, 5, y);
    fill(N, 6, t);
    setting o = norm_in_norm(2, 2, 1, 0);
    run(&o, N, y, t, dy);
    o.detach = 1;
    CHECK(run(&o, N, y, t, detached) == run(&o, N, y, t, NULL));
    double s[N], u[N], mean = 0, square = 0;
    normalise(N, 2, y, s);
    normalise(N, 2, t, u);
    for (int i = 0; i < N; i++) {
        mean += (double)y[i] / N;
    }
    for (int i = 0; i < N; i++) {
        square += pow((double)y[i] - mean, 2);
    }
    for (int i = 0; i < N; i++) {
        NEAR(detached[i], (s[i] - u[i]) / (2 * sqrt(square)), TOL);
    }
    CHECK(fabs((double)dy[0] - (double)detached[0]) > 1e-4);
}

/* --- monotonicity --------------------------------------------------------------------------------------- */

static void check_monotonicity(void)
{
    const setting o = { .name = "monotonicity" };
    const hd_real y[] = { 1, 2, 3, 2.5f }, t[] = { 1, 3, 2, 2 }, risen[] = { 1, 9, 3, 5 }, tied[] = { 7, 7, 7, 7 };
    hd_real dy[N], scores[N], labels[N];
    /* wrong: (1, 2) by 1, (1, 3) by 0.5; each pair twice */
    NEAR(run(&o, 4, y, t, dy), 2 * 1.5 / 12 / 2, TOL);
    check_gradient(&o, 4, y, t, dy);
    CHECK(run(&o, 4, risen, t, dy) == 0 && dy[0] == 0 && dy[1] == 0);
    CHECK(run(&o, 4, y, tied, dy) == 0 && run(&o, 1, y, t, dy) == 0);
    CHECK(isnan(run(&o, 2, (hd_real[]){ (hd_real)NAN, 1 }, t, dy)));
    CHECK(isnan(run(&o, 4, (hd_real[]){ 1, 2, (hd_real)INFINITY, 3 }, tied, dy)) && isnan(run(&o, 1, (hd_real[]){ (hd_real)NAN }, t, dy)));
    fill(N, 7, scores);
    fill(N, 8, labels);
    CHECK(run(&o, N, scores, labels, dy) > 0);
    check_gradient(&o, N, scores, labels, dy);
}

/* --- in a model ----------------------------------------------------------------------------------------- */

static hd_model *make_model(int units)
{
    hd_model *m = hd_model_new(c);
    const int x = hd_input(m, "x", (int[]){ 2 }, 1), y = hd_layer(m, "dense", "score", &x, 1, (double[]){ units }, 1);
    CHECK(y >= 0 && hd_model_build(m, 1) == HD_OK);
    return m;
}

static void check_refusals(void)
{
    hd_model *two = make_model(2), *one = make_model(1);
    CHECK(hd_loss_add(two, 0, "normInNorm", 1, NULL, 0) == HD_ERR_SHAPE && strstr(hd_error(c), "2 elements a sample, expected 1"));
    CHECK(hd_loss_add(one, 0, "normInNorm", 1, (double[]){ 1, 2, 1, 1 }, 4) == HD_ERR_ARGUMENT && strstr(hd_error(c), "alpha"));
    CHECK(hd_loss_add(one, 0, "normInNorm", 1, (double[]){ 1, 2, 2, 0, 0 }, 5) == HD_ERR_ARGUMENT);
    CHECK(hd_loss_add(one, 0, "normInNorm", 1, (double[]){ 0.5 }, 1) == HD_ERR_ARGUMENT);
    CHECK(hd_loss_add(one, 0, "normInNorm", 1, NULL, 0) == HD_OK && hd_optimizer_set(one, "adam", NULL, 0) == HD_OK);
    hd_data *d = hd_data_new(c, 4);
    hd_real *x = hd_data_column(d, HD_COLUMN_INPUT, 0, HD_FLOAT, 2, 1, 0), *t = hd_data_column(d, HD_COLUMN_TARGET, 0, HD_FLOAT, 1, 1, 0);
    fill(8, 1, x);
    fill(4, 2, t);
    double loss;
    CHECK(hd_gradients(one, d, 0, 4, 1, 0, &loss) == HD_OK && loss > 0 && loss < 1);
    hd_real *w = hd_data_column(d, HD_COLUMN_WEIGHT, 0, HD_FLOAT, 1, 1, 0);
    for (int i = 0; i < 4; i++) {
        w[i] = 1;
    }
    CHECK(hd_gradients(one, d, 0, 4, 1, 0, &loss) == HD_ERR_UNSUPPORTED && strstr(hd_error(c), "sample weights"));
    hd_data_free(d);
    hd_model_free(one);
    hd_model_free(two);
}

int main(void)
{
    c = hd_context_new(1);
    check_grid();
    check_squares();
    check_zero();
    check_degenerate();
    check_detached();
    check_monotonicity();
    check_refusals();
    hd_context_free(c);
    return check_result("norm_in_norm");
}
