/* Sets that weights are kept in. A line is a row, a column or the whole matrix. */
#include "kern/elementwise.h"
#include "kern/reduce.h"
#include "weight/weight.h"

#include <math.h>

enum { AXIS, RADIUS };
enum { ROW, COLUMN, FROBENIUS };
enum { PANEL = 16 }; /* columns side by side */

static const char *const axes[] = { "row", "column", "frobenius", NULL };

/* What is done to each line: out <- a out + b w, a and b from w.w and w.out. */
typedef struct factors {
    double out, w;
} factors;
typedef factors line_rule(double radius, double ww, double wo);

typedef struct job {
    const hd_weight_view *v;
    const real *w;
    real *out; /* w itself, or a gradient */
    line_rule *rule;
    int rows;  /* a task, if lines are rows */
} job;

static double dot(size_t n, const real *a, const real *b)
{
    double s[4] = { 0 };
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (int k = 0; k < 4; k++) {
            s[k] += (double)a[i + (size_t)k] * (double)b[i + (size_t)k];
        }
    }
    for (; i < n; i++) {
        s[0] += (double)a[i] * (double)b[i];
    }
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static void combine(size_t n, factors f, const real *w, real *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (real)(f.out * (double)out[i] + f.w * (double)w[i]);
    }
}

static void row_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const size_t cols = (size_t)j->v->cols;
    int first = task * j->rows, left = j->v->rows - first;
    for (int i = first; i < first + (left < j->rows ? left : j->rows); i++) {
        const real *w = j->w + (size_t)i * cols;
        real *out = j->out + (size_t)i * cols;
        double ww = dot(cols, w, w);
        combine(cols, j->rule(j->v->opt->number[RADIUS], ww, out == w ? ww : dot(cols, w, out)), w, out);
    }
}

static void column_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const size_t cols = (size_t)j->v->cols, rows = (size_t)j->v->rows, first = (size_t)task * PANEL;
    const size_t n = cols - first < PANEL ? cols - first : PANEL;
    double ww[PANEL] = { 0 }, wo[PANEL] = { 0 };
    factors f[PANEL];
    for (size_t i = 0; i < rows; i++) {
        const real *w = j->w + i * cols + first, *out = j->out + i * cols + first;
        for (size_t k = 0; k < n; k++) {
            ww[k] += (double)w[k] * (double)w[k];
            wo[k] += (double)w[k] * (double)out[k];
        }
    }
    for (size_t k = 0; k < n; k++) {
        f[k] = j->rule(j->v->opt->number[RADIUS], ww[k], wo[k]);
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < n; k++) {
            combine(1, f[k], j->w + i * cols + first + k, j->out + i * cols + first + k);
        }
    }
}

static void each_line(const hd_weight_view *v, line_rule *rule, const real *w, real *out)
{
    size_t size = (size_t)v->rows * (size_t)v->cols;
    int rows = v->cols < HD_BLOCK ? HD_BLOCK / v->cols : 1;
    job j = { v, w, out, rule, rows };
    if (v->opt->number[AXIS] == ROW) {
        hd_pool_run(v->pool, (v->rows - 1) / rows + 1, row_task, &j);
    } else if (v->opt->number[AXIS] == COLUMN) {
        hd_pool_run(v->pool, (v->cols - 1) / PANEL + 1, column_task, &j);
    } else {
        double ww = hd_sum_squares(v->pool, size, w);
        combine(size, rule(v->opt->number[RADIUS], ww, out == w ? ww : hd_dot(v->pool, size, w, out)), w, out);
    }
}

static factors unit_rule(double radius, double ww, double wo)
{
    (void)wo;
    return (factors){ ww > 0 ? radius / sqrt(ww) : 1, 0 };
}

/* g - (g.w) w / w.w */
static factors tangent_rule(double radius, double ww, double wg)
{
    (void)radius;
    return (factors){ 1, ww > 0 ? -wg / ww : 0 };
}

/* w = r q / ||q||:  dq = (r / ||q||) (g - (g.q) q / q.q) */
static factors pull_back_rule(double radius, double qq, double qg)
{
    double factor = qq > 0 ? radius / sqrt(qq) : 0;
    return (factors){ factor, qq > 0 ? -factor * qg / qq : 0 };
}

static factors max_rule(double radius, double ww, double wo)
{
    (void)wo;
    return (factors){ ww > radius * radius ? radius / sqrt(ww) : 1, 0 };
}

/* Gives a zero line, which has no direction, the first one. */
static void unit_project(const hd_weight_view *v, real *w)
{
    const size_t rows = (size_t)v->rows, cols = (size_t)v->cols;
    const bool by_row = v->opt->number[AXIS] == ROW, by_column = v->opt->number[AXIS] == COLUMN;
    const size_t lines = by_row ? rows : by_column ? cols : 1, n = rows * cols / lines;
    for (size_t i = 0; i < lines; i++) {
        real *first = w + (by_row ? i * cols : i);
        size_t k = 0;
        while (k < n && first[k * (by_column ? cols : 1)] == 0) {
            k++;
        }
        if (k == n) {
            *first = 1;
        }
    }
    each_line(v, unit_rule, w, w);
}

static void unit_tangent(const hd_weight_view *v, const real *w, real *g)
{
    each_line(v, tangent_rule, w, g);
}

static void unit_pull_back(const hd_weight_view *v, const real *q, real *g)
{
    each_line(v, pull_back_rule, q, g);
}

static void max_project(const hd_weight_view *v, real *w)
{
    each_line(v, max_rule, w, w);
}

static void non_negative(const hd_weight_view *v, real *w)
{
    for (size_t i = 0; i < (size_t)v->rows * (size_t)v->cols; i++) {
        w[i] = w[i] < 0 ? 0 : w[i];
    }
}

static void clamp(const hd_weight_view *v, real *w)
{
    const real low = (real)v->opt->number[0], high = (real)v->opt->number[1];
    for (size_t i = 0; i < (size_t)v->rows * (size_t)v->cols; i++) {
        w[i] = w[i] < low ? low : w[i] > high ? high : w[i];
    }
}

#define AXIS_OPTION                                                                                                    \
    { .name = "axis", .type = HD_ENUM, .def = ROW, .names = axes,                                                      \
      .doc = "what is measured: each row (the weights of one output), each column, or the whole matrix" }

static const hd_option unit_options[] = {
    AXIS_OPTION,
    { .name = "radius", .type = HD_NUMBER, .min = 0, .max = 1e9, .def = 1, .open_min = true, .doc = "the norm kept" },
    { 0 },
};
static const hd_option range_options[] = {
    { .name = "min", .type = HD_NUMBER, .min = -1e30, .max = 1e30, .def = -1, .doc = "lower end" },
    { .name = "max", .type = HD_NUMBER, .min = -1e30, .max = 1e30, .def = 1, .doc = "upper end" },
    { 0 },
};
static const hd_option max_options[] = {
    AXIS_OPTION,
    { .name = "max", .type = HD_NUMBER, .min = 0, .max = 1e9, .def = 2, .open_min = true, .doc = "the largest norm" },
    { 0 },
};

const hd_constraint_class hd_constraint_unit_norm = {
    "unitNorm", "norm = radius: Riemannian gradient and retraction (Badrinarayanan et al. 2015)", unit_options,
    unit_project, unit_tangent, unit_pull_back
};
const hd_constraint_class hd_constraint_max_norm = { "maxNorm", "norm <= max, by scaling down", max_options, max_project,
                                                     NULL, NULL };
const hd_constraint_class hd_constraint_non_neg = { "nonNeg", "negative weights become 0", NULL, non_negative, NULL, NULL };
const hd_constraint_class hd_constraint_range = { "range", "each weight is kept in [min, max]", range_options, clamp, NULL, NULL };
