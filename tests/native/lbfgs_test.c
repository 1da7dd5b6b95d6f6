/* L-BFGS: every accepted step decreases the loss and meets the strong Wolfe conditions; quadratics, Rosenbrock's valley, wells,
 * a barrier with infinite loss behind it; the line that can't be searched; restarts; threads. */
#include "check.h"
#include "heddle.h"
#include "kern/reduce.h"
#include "model/registry.h"
#include "optim/lbfgs.h"
#include "optim/optimizer.h"

#include <stdbool.h>
#include <stdlib.h>

enum { MAX_N = 64 };

#ifdef HD_FLOAT64
static const bool EXACT = true;
#else
static const bool EXACT = false;
#endif

/* Loss at x, gradient to g; `call` counts from 1. */
typedef double problem(int n, const real *x, real *g, int call);

typedef struct outcome {
    hd_lbfgs_state state;
    int iterations, evaluations;
    double f;
} outcome;

static hd_context *context;

static hd_values options_of(int history, double max_iterations)
{
    hd_values opt;
    CHECK(hd_options_read(context, "lbfgs", hd_optimizer_class_find("lbfgs")->options,
                          (double[]){ 1, history, 20, EXACT ? 1e-9 : 1e-5, 1e-12, max_iterations }, 6, &opt) == HD_OK);
    return opt;
}

/* f1 <= f0 + c1 g0.s and |g1.s| <= c2 |g0.s|, s = x1 - x0, with room for the rounding of x1 to real. */
static void check_wolfe(int n, const real *x0, const real *g0, double f0, const real *x1, const real *g1, double f1)
{
    double before = 0, after = 0, room = 0, unit = EXACT ? 1e-15 : 1e-6;
    for (int i = 0; i < n; i++) {
        double s = (double)x1[i] - (double)x0[i];
        before += (double)g0[i] * s;
        after += (double)g1[i] * s;
        room += unit * fabs((double)x1[i]) * (fabs((double)g0[i]) + fabs((double)g1[i]));
    }
    CHECK(before < room);
    CHECK(f1 <= f0 + 1e-4 * before + room);
    CHECK(fabs(after) <= 0.9 * fabs(before) + room);
}

static outcome minimise(problem *f, int n, int history, double max_iterations, real *x)
{
    hd_values opt = options_of(history, max_iterations);
    hd_lbfgs *l = hd_lbfgs_new(context, (size_t)n, &opt);
    real g[MAX_N], best[MAX_N], best_g[MAX_N], at[MAX_N];
    double best_f = NAN;
    outcome o = { .state = HD_LBFGS_EVALUATE };
    while (o.evaluations < 5000 && o.state <= HD_LBFGS_ACCEPTED) {
        double loss = f(n, x, g, ++o.evaluations);
        memcpy(at, x, sizeof at);
        int before = hd_lbfgs_iterations(l);
        o.state = hd_lbfgs_next(l, context->pool, loss, g, x);
        o.iterations = hd_lbfgs_iterations(l);
        CHECK(o.iterations == before + (o.state == HD_LBFGS_ACCEPTED || (o.iterations > before && o.state == HD_LBFGS_CONVERGED)));
        if (o.iterations > before || o.evaluations == 1) {
            if (o.evaluations > 1) {
                CHECK(loss <= best_f); /* equal only where the decrease is below its last place */
                check_wolfe(n, best, best_g, best_f, at, g, loss);
            }
            best_f = loss;
            memcpy(best, at, sizeof at);
            memcpy(best_g, g, sizeof g);
        }
    }
    CHECK(hd_lbfgs_evaluations(l) == o.evaluations);
    if (o.state > HD_LBFGS_ACCEPTED) {
        CHECK(!memcmp(x, best, (size_t)n * sizeof *x)); /* the last accepted iterate, or the start */
    }
    real restored[MAX_N];
    o.f = hd_lbfgs_restore(l, restored);
    CHECK(o.f == best_f && !memcmp(restored, best, (size_t)n * sizeof *x));
    hd_lbfgs_free(context, l);
    return o;
}

/* --- problems ----------------------------------------------------------------------------------------- */

/* sum a_i (x_i - i)^2 / 2 with a from 1 to 100, turned out of the axes by a reflection I - 2 v v^T. */
static double quadratic(int n, const real *x, real *g, int call)
{
    (void)call;
    double v = sqrt(1.0 / n), dot = 0, back = 0, loss = 0, z[MAX_N];
    for (int i = 0; i < n; i++) {
        dot += v * ((double)x[i] - i);
    }
    for (int i = 0; i < n; i++) {
        double a = pow(100, (double)i / (n > 1 ? n - 1 : 1)), r = (double)x[i] - i - 2 * dot * v;
        loss += a * r * r / 2;
        z[i] = a * r;
        back += v * z[i];
    }
    for (int i = 0; i < n; i++) {
        g[i] = (real)(z[i] - 2 * back * v);
    }
    return loss;
}

static double rosenbrock(int n, const real *x, real *g, int call)
{
    (void)call;
    double loss = 0, d[MAX_N] = { 0 };
    for (int i = 0; i + 1 < n; i++) {
        double a = 1 - (double)x[i], b = (double)x[i + 1] - (double)x[i] * (double)x[i];
        loss += a * a + 100 * b * b;
        d[i] += -2 * a - 400 * b * (double)x[i];
        d[i + 1] += 200 * b;
    }
    for (int i = 0; i < n; i++) {
        g[i] = (real)d[i];
    }
    return loss;
}

/* Wells at -1 and 1 of each axis, coupled: non-convex, with saddles. */
static double wells(int n, const real *x, real *g, int call)
{
    (void)call;
    double loss = 0;
    for (int i = 0; i < n; i++) {
        double a = (double)x[i], b = (double)x[(i + 1) % n], c = (double)x[(i + n - 1) % n];
        loss += pow(a * a - 1, 2) + 0.1 * a * b;
        g[i] = (real)(4 * a * (a * a - 1) + 0.1 * (b + c));
    }
    return loss;
}

/* c.x - sum log(1 - x^2): no finite loss outside the cube. */
static double barrier(int n, const real *x, real *g, int call)
{
    (void)call;
    double loss = 0;
    for (int i = 0; i < n; i++) {
        double a = (double)x[i];
        loss += (i + 1) * 3 * a - log(1 - a * a);
        g[i] = (real)((i + 1) * 3 + 2 * a / (1 - a * a));
    }
    return loss;
}

/* The gradient points downhill: no step decreases the loss. */
static double liar(int n, const real *x, real *g, int call)
{
    double loss = quadratic(n, x, g, call);
    for (int i = 0; i < n; i++) {
        g[i] = -g[i];
    }
    return loss;
}

/* Honest for 12 evaluations, then no finite loss is left. */
static double cut_off(int n, const real *x, real *g, int call)
{
    double loss = rosenbrock(n, x, g, call);
    return call > 12 ? NAN : loss;
}

/* No finite loss from evaluation 13 to 32: one whole line. */
static double outage(int n, const real *x, real *g, int call)
{
    double loss = rosenbrock(n, x, g, call);
    return call > 12 && call <= 32 ? INFINITY : loss;
}

/* --- checks ------------------------------------------------------------------------------------------- */

static void start(int n, real *x, double value)
{
    for (int i = 0; i < n; i++) {
        x[i] = (real)(value * (i % 2 ? 1 : 0.5));
    }
}

static void check_quadratics(void)
{
    for (int n = 1; n <= 40; n += 3) {
        real x[MAX_N];
        start(n, x, -4);
        outcome o = minimise(quadratic, n, 60, 0, x);
        CHECK(o.state == HD_LBFGS_CONVERGED || !EXACT);
        CHECK(o.iterations <= 2 * n + 12); /* n with exact line searches (N&W th. 6.4); c2 = 0.9 costs up to twice that */
        CHECK(o.evaluations <= 2 * o.iterations + 10);
        for (int i = 0; i < n; i++) {
            NEAR(x[i], i, EXACT ? 1e-8 : 1e-3);
        }
    }
}

static void check_valleys(void)
{
    for (int n = 2; n <= 10; n += 4) {
        real x[MAX_N];
        for (int i = 0; i < n; i++) {
            x[i] = (real)(i % 2 ? 1 : -1.2);
        }
        outcome o = minimise(rosenbrock, n, 10, 0, x);
        CHECK(o.state == HD_LBFGS_CONVERGED || !EXACT);
        CHECK(o.iterations < 120);
        for (int i = 0; i < n; i++) {
            NEAR(x[i], n == 2 || x[0] > 0 ? 1 : (double)x[i], EXACT ? 1e-7 : 1e-2); /* from n = 4 on there is a second minimum */
        }
    }
    real x[MAX_N], g[MAX_N];
    start(9, x, 0.3);
    x[4] = -2;
    outcome o = minimise(wells, 9, 5, 0, x);
    CHECK(o.state == HD_LBFGS_CONVERGED || !EXACT);
    wells(9, x, g, 0);
    for (int i = 0; i < 9; i++) {
        NEAR(g[i], 0, EXACT ? 1e-8 : 1e-4);
        CHECK(fabs((double)x[i]) > 0.8); /* in a well, on no saddle */
    }
    start(5, x, 0);
    o = minimise(barrier, 5, 10, 0, x);
    CHECK(o.state == HD_LBFGS_CONVERGED || !EXACT);
    for (int i = 0; i < 5; i++) {
        double c = 3 * (i + 1);
        NEAR(x[i], (1 - sqrt(1 + c * c)) / c, EXACT ? 1e-9 : 1e-5);
    }
}

static void check_failures_of_the_line(void)
{
    real x[MAX_N], from[MAX_N];
    start(6, x, 2);
    memcpy(from, x, sizeof x);
    outcome o = minimise(liar, 6, 10, 0, x);
    CHECK(o.state == HD_LBFGS_STALLED && o.iterations == 0 && o.evaluations <= 21);
    CHECK(!memcmp(x, from, 6 * sizeof *x));

    start(2, x, -1);
    o = minimise(cut_off, 2, 10, 0, x);
    CHECK(o.state == HD_LBFGS_STALLED && o.iterations > 2 && o.evaluations == 12 + 40); /* both lines in vain */
    CHECK(isfinite(o.f));

    start(2, x, -1);
    o = minimise(outage, 2, 10, 0, x);
    CHECK(o.evaluations > 33 && o.f < 1e-6); /* steepest descent from there, and on */

    start(2, x, -1);
    o = minimise(rosenbrock, 2, 10, 3, x);
    CHECK(o.state == HD_LBFGS_CONVERGED && o.iterations == 3);

    for (int i = 0; i < 4; i++) {
        x[i] = (real)i; /* the minimum itself */
    }
    o = minimise(quadratic, 4, 10, 0, x);
    CHECK(o.state == HD_LBFGS_CONVERGED && o.evaluations == 1 && o.f == 0);
}

/* The first trial goes down the gradient, learningRate / ||g|| of it. */
static void check_first_step(void)
{
    hd_values opt = options_of(10, 0);
    opt.number[0] = 0.25;
    hd_lbfgs *l = hd_lbfgs_new(context, 3, &opt);
    real x[] = { 1, 2, 3 }, g[] = { 2, -3, 6 }; /* ||g|| = 7 */
    CHECK(hd_lbfgs_next(l, context->pool, 10, g, x) == HD_LBFGS_EVALUATE);
    for (int i = 0; i < 3; i++) {
        NEAR(x[i], i + 1 - 0.25 * (double)g[i] / 7, 1e-6);
    }
    hd_lbfgs_free(context, l);
}

/* A line without any finite loss: the history is forgotten, and the next trial goes down the gradient. */
static void check_retry(void)
{
    hd_values opt = options_of(10, 0);
    hd_lbfgs *l = hd_lbfgs_new(context, 2, &opt);
    real x[] = { -1, 1.5 }, g[2], from[2];
    int call = 0;
    while (call < 50 && hd_lbfgs_iterations(l) < 4) {
        memcpy(from, x, sizeof from);
        double loss = rosenbrock(2, x, g, ++call);
        hd_lbfgs_next(l, context->pool, loss, g, x);
    }
    CHECK(hd_lbfgs_iterations(l) == 4);
    double size = sqrt((double)g[0] * (double)g[0] + (double)g[1] * (double)g[1]);
    real wrong[2] = { g[0], g[1] };
    for (int i = 0; i < 20; i++) {
        CHECK(hd_lbfgs_next(l, context->pool, NAN, wrong, x) == HD_LBFGS_EVALUATE);
    }
    for (int i = 0; i < 2; i++) {
        NEAR(x[i], (double)from[i] - (double)g[i] / size, EXACT ? 1e-12 : 1e-5);
    }
    hd_lbfgs_free(context, l);
}

/* The same bits on 1, 2 and 3 threads, with more elements than one block of the sums. */
static void check_threads(void)
{
    enum { LARGE = 70001, CALLS = 30 };
    real *x = malloc(LARGE * sizeof *x), *g = malloc(LARGE * sizeof *x), *first = malloc(LARGE * sizeof *x);
    for (int threads = 1; threads <= 3; threads++) {
        CHECK(hd_context_set_threads(context, threads) == HD_OK);
        hd_values opt = options_of(4, 0);
        hd_lbfgs *l = hd_lbfgs_new(context, LARGE, &opt);
        for (int i = 0; i < LARGE; i++) {
            x[i] = (real)(i % 17) / 17;
        }
        for (int call = 1; call <= CALLS; call++) {
            double loss = 0;
            for (int i = 0; i < LARGE; i++) {
                double a = 1 + i % 50, r = (double)x[i] - i % 3;
                loss += a * r * r / 2 + r * r * r * r;
                g[i] = (real)(a * r + 4 * r * r * r);
            }
            hd_lbfgs_next(l, context->pool, loss, g, x);
        }
        CHECK(hd_lbfgs_iterations(l) > 10);
        hd_lbfgs_free(context, l);
        if (threads == 1) {
            memcpy(first, x, LARGE * sizeof *x);
        }
        CHECK(!memcmp(first, x, LARGE * sizeof *x));
    }
    CHECK(hd_context_set_threads(context, 1) == HD_OK);
    free(x), free(g), free(first);
}

static void check_memory(void)
{
    hd_values opt = options_of(10, 0);
    double before = hd_context_memory(context, 0);
    hd_lbfgs *l = hd_lbfgs_new(context, 1000, &opt);
    double held = hd_context_memory(context, 0) - before;
    CHECK(held >= 23 * 1000 * sizeof(real) && held <= 23 * 1000 * sizeof(real) + 4096);
    hd_lbfgs_free(context, l);
    for (int n = 1; n <= 7; n++) {
        hd_context_fail_allocation(context, n);
        CHECK(!hd_lbfgs_new(context, 1000, &opt));
        CHECK(hd_error_status(context) == HD_ERR_MEMORY && hd_context_memory(context, 0) == before);
    }
    hd_context_fail_allocation(context, 0);
}

int main(void)
{
    context = hd_context_new(1);
    check_quadratics();
    check_valleys();
    check_failures_of_the_line();
    check_first_step();
    check_retry();
    check_threads();
    check_memory();
    hd_context_free(context);
    return check_result("lbfgs");
}
