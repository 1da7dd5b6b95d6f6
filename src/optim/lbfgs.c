#include "optim/lbfgs.h"

#include "kern/elementwise.h"
#include "kern/reduce.h"
#include "optim/line_search.h"
#include "optim/optimizer.h"

#include <limits.h>
#include <math.h>

enum { RATE, HISTORY, MAX_EVALUATIONS, GRADIENT_TOLERANCE, LOSS_TOLERANCE, MAX_ITERATIONS };
enum { PATIENCE = 5 }; /* iterations of too small a decrease */

struct hd_lbfgs {
    size_t n;
    int history, max_evaluations, max_iterations;
    double rate, gradient_tolerance, loss_tolerance;
    real *x, *g, *d;  /* [n] iterate, its gradient, direction */
    real *s, *y;      /* [history][n] steps and changes of the gradient, in a ring */
    double *curvature; /* [history] s.y */
    int pairs, newest; /* kept; index of the last */
    double f;
    bool begun, retried;
    int iterations, evaluations, small_decreases;
    hd_line_search line;
};

hd_lbfgs *hd_lbfgs_new(hd_context *c, size_t n, const hd_values *opt)
{
    hd_lbfgs *l = hd_alloc(c, sizeof *l, "lbfgs");
    if (!l) {
        return NULL;
    }
    l->n = n;
    l->rate = opt->number[RATE];
    l->history = (int)opt->number[HISTORY];
    l->max_evaluations = (int)opt->number[MAX_EVALUATIONS];
    l->gradient_tolerance = opt->number[GRADIENT_TOLERANCE];
    l->loss_tolerance = opt->number[LOSS_TOLERANCE];
    l->max_iterations = (int)opt->number[MAX_ITERATIONS];
    size_t pairs = (size_t)l->history * n * sizeof(real);
    l->x = hd_alloc(c, n * sizeof(real), "lbfgs");
    l->g = hd_alloc(c, n * sizeof(real), "lbfgs");
    l->d = hd_alloc(c, n * sizeof(real), "lbfgs");
    l->s = hd_alloc(c, pairs, "lbfgs history");
    l->y = hd_alloc(c, pairs, "lbfgs history");
    l->curvature = hd_alloc(c, (size_t)l->history * sizeof(double), "lbfgs history");
    if (!l->x || !l->g || !l->d || !l->s || !l->y || !l->curvature) {
        hd_lbfgs_free(c, l);
        return NULL;
    }
    return l;
}

void hd_lbfgs_free(hd_context *c, hd_lbfgs *l)
{
    if (l) {
        hd_release(c, l->x);
        hd_release(c, l->g);
        hd_release(c, l->d);
        hd_release(c, l->s);
        hd_release(c, l->y);
        hd_release(c, l->curvature);
        hd_release(c, l);
    }
}

static real *pair(const hd_lbfgs *l, real *ring, int age)
{
    return ring + (size_t)((l->newest - age + l->history) % l->history) * l->n;
}

/* d = -H g by the two-loop recursion (N&W alg. 7.4), H0 = s.y / y.y of the newest pair. */
static void find_direction(hd_lbfgs *l, hd_pool *pool)
{
    double alpha[HD_MAX_HISTORY];
    hd_copy(pool, l->n, l->g, l->d);
    for (int age = 0; age < l->pairs; age++) {
        int at = (l->newest - age + l->history) % l->history;
        alpha[age] = hd_dot(pool, l->n, pair(l, l->s, age), l->d) / l->curvature[at];
        hd_axpy(pool, l->n, (real)-alpha[age], pair(l, l->y, age), l->d);
    }
    if (l->pairs) {
        const real *y = pair(l, l->y, 0);
        hd_scale(pool, l->n, (real)(l->curvature[l->newest] / hd_sum_squares(pool, l->n, y)), l->d);
    }
    for (int age = l->pairs - 1; age >= 0; age--) {
        int at = (l->newest - age + l->history) % l->history;
        double beta = hd_dot(pool, l->n, pair(l, l->y, age), l->d) / l->curvature[at];
        hd_axpy(pool, l->n, (real)(alpha[age] - beta), pair(l, l->s, age), l->d);
    }
    hd_scale(pool, l->n, -1, l->d);
}

static void trial_point(const hd_lbfgs *l, hd_pool *pool, real *x)
{
    hd_copy(pool, l->n, l->x, x);
    hd_axpy(pool, l->n, (real)l->line.trial, l->d, x);
}

/* A new line from the iterate; steepest descent if the direction does not descend. */
static void begin_line(hd_lbfgs *l, hd_pool *pool, real *x)
{
    find_direction(l, pool);
    double slope = hd_dot(pool, l->n, l->g, l->d);
    if (!(slope < 0) && l->pairs) {
        l->pairs = 0;
        find_direction(l, pool);
        slope = hd_dot(pool, l->n, l->g, l->d);
    }
    double first = l->pairs ? 1 : l->rate / sqrt(-slope); /* without pairs the slope is -g.g */
    hd_line_begin(&l->line, l->f, slope, first, l->max_evaluations);
    trial_point(l, pool, x);
}

static void remember_pair(hd_lbfgs *l, hd_pool *pool, const real *x, const real *g)
{
    int next = (l->newest + 1) % l->history;
    real *s = l->s + (size_t)next * l->n, *y = l->y + (size_t)next * l->n;
    hd_copy(pool, l->n, x, s);
    hd_axpy(pool, l->n, -1, l->x, s);
    hd_copy(pool, l->n, g, y);
    hd_axpy(pool, l->n, -1, l->g, y);
    double curvature = hd_dot(pool, l->n, s, y);
    double size = sqrt(hd_sum_squares(pool, l->n, s) * hd_sum_squares(pool, l->n, y));
    if (curvature > 1e-10 * size) {
        l->curvature[next] = curvature;
        l->newest = next;
        l->pairs = l->pairs < l->history ? l->pairs + 1 : l->history;
    } else if (l->pairs == l->history) {
        l->pairs--; /* its place was the oldest's */
    }
}

/* Takes over the point; whether that ends it. */
static bool accept(hd_lbfgs *l, hd_pool *pool, double f, const real *g, const real *x)
{
    bool small = l->begun && l->f - f <= l->loss_tolerance * (fabs(l->f) > 1e-300 ? fabs(l->f) : 1e-300);
    l->small_decreases = small ? l->small_decreases + 1 : 0;
    l->f = f;
    hd_copy(pool, l->n, x, l->x);
    hd_copy(pool, l->n, g, l->g);
    return l->small_decreases >= PATIENCE || (l->max_iterations && l->iterations >= l->max_iterations) ||
           !(hd_max_abs(pool, l->n, g) > l->gradient_tolerance);
}

hd_lbfgs_state hd_lbfgs_next(hd_lbfgs *l, hd_pool *pool, double f, const real *g, real *x)
{
    l->evaluations++;
    hd_line_state state = HD_LINE_ACCEPTED;
    if (l->begun) {
        state = hd_line_next(&l->line, f, hd_dot(pool, l->n, g, l->d));
    }
    if (state == HD_LINE_EVALUATE) {
        trial_point(l, pool, x);
        return HD_LBFGS_EVALUATE;
    }
    if (state == HD_LINE_FAILED) {
        if (l->retried || !l->pairs) {
            hd_copy(pool, l->n, l->x, x);
            return HD_LBFGS_STALLED;
        }
        l->retried = true;
        l->pairs = 0;
        begin_line(l, pool, x);
        return HD_LBFGS_EVALUATE;
    }
    if (l->begun) {
        remember_pair(l, pool, x, g);
        l->iterations++;
        l->retried = false;
    }
    if (accept(l, pool, f, g, x)) {
        return HD_LBFGS_CONVERGED;
    }
    bool first = !l->begun;
    l->begun = true;
    begin_line(l, pool, x);
    return first ? HD_LBFGS_EVALUATE : HD_LBFGS_ACCEPTED;
}

double hd_lbfgs_restore(hd_lbfgs *l, real *x)
{
    for (size_t i = 0; l->evaluations && i < l->n; i++) {
        x[i] = l->x[i];
    }
    return l->f;
}

int hd_lbfgs_iterations(const hd_lbfgs *l)
{
    return l->iterations;
}

int hd_lbfgs_evaluations(const hd_lbfgs *l)
{
    return l->evaluations;
}

static void walk_line(hd_line_search *line, hd_walk *w)
{
    hd_line_point *points[] = { &line->start, &line->low, &line->high };
    for (int i = 0; i < 3; i++) {
        hd_walk_numbers(w, 1, &points[i]->at);
        hd_walk_numbers(w, 1, &points[i]->f);
        hd_walk_numbers(w, 1, &points[i]->slope);
    }
    hd_walk_bool(w, "zooming", &line->zooming);
    hd_walk_int(w, "evaluations of the line", &line->evaluations, 0, INT_MAX / 2);
    hd_walk_int(w, "most evaluations of a line", &line->max_evaluations, 0, INT_MAX / 2);
    hd_walk_numbers(w, 1, &line->trial);
}

void hd_lbfgs_walk(hd_lbfgs *l, hd_walk *w)
{
    int evaluations = hd_walk_int(w, "evaluations", &l->evaluations, 0, INT_MAX / 2);
    hd_walk_int(w, "iterations", &l->iterations, 0, INT_MAX / 2);
    hd_walk_int(w, "small decreases", &l->small_decreases, 0, PATIENCE);
    hd_walk_bool(w, "begun", &l->begun);
    hd_walk_bool(w, "retried", &l->retried);
    hd_walk_numbers(w, 1, &l->f);
    hd_walk_int(w, "newest pair", &l->newest, 0, l->history - 1);
    int pairs = hd_walk_int(w, "pairs", &l->pairs, 0, l->history);
    hd_walk_numbers(w, (size_t)l->history, l->curvature);
    walk_line(&l->line, w);
    if (evaluations) {
        hd_walk_values(w, l->n, l->x);
        hd_walk_values(w, l->n, l->g);
        hd_walk_values(w, l->n, l->d);
    }
    for (int age = 0; age < pairs; age++) {
        hd_walk_values(w, l->n, pair(l, l->s, age));
        hd_walk_values(w, l->n, pair(l, l->y, age));
    }
}

static const hd_option options[] = {
    { .name = "learningRate", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = 1, .open_min = true,
      .doc = "length of the first trial step along a gradient without history" },
    { .name = "history", .type = HD_INT, .min = 1, .max = HD_MAX_HISTORY, .def = 10, .doc = "pairs kept" },
    { .name = "maxEvaluations", .type = HD_INT, .min = 2, .max = 1000, .def = 20, .doc = "of a line search" },
    { .name = "gradientTolerance", .type = HD_NUMBER, .min = 0, .max = 1e30, .def = 1e-5,
      .doc = "converged when no gradient element is larger" },
    { .name = "lossTolerance", .type = HD_NUMBER, .min = 0, .max = 1, .def = 1e-9,
      .doc = "converged after 5 iterations of a smaller relative decrease" },
    { .name = "maxIterations", .type = HD_INT, .min = 0, .max = 1e9, .doc = "ends after so many; 0: no limit but the fit's epochs" },
    { 0 },
};

const hd_optimizer_class hd_optimizer_lbfgs = {
    .name = "lbfgs",
    .doc = "limited-memory BFGS on the whole data, strong Wolfe line search; an epoch is an iteration",
    .options = options,
    .full_batch = true,
};
