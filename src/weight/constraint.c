/* Sets that weights are kept in. A vector is a row, a column or the whole matrix. */
#include "weight/weight.h"

#include <math.h>

enum { AXIS, RADIUS };
enum { ROW, COLUMN, FROBENIUS };

static const char *const axes[] = { "row", "column", "frobenius", NULL };

/* Vector i: `n` elements, `stride` apart, from `first`. */
typedef struct line {
    size_t first, stride, n;
} line;

static int lines_of(const hd_weight_view *v)
{
    return v->opt->number[AXIS] == ROW ? v->rows : v->opt->number[AXIS] == COLUMN ? v->cols : 1;
}

static line line_at(const hd_weight_view *v, int i)
{
    size_t rows = (size_t)v->rows, cols = (size_t)v->cols;
    if (v->opt->number[AXIS] == ROW) {
        return (line){ (size_t)i * cols, 1, cols };
    }
    return v->opt->number[AXIS] == COLUMN ? (line){ (size_t)i, cols, rows } : (line){ 0, 1, rows * cols };
}

static double dot(line l, const real *a, const real *b)
{
    double sum = 0;
    for (size_t k = 0; k < l.n; k++) {
        sum += (double)a[l.first + k * l.stride] * (double)b[l.first + k * l.stride];
    }
    return sum;
}

static void scale(line l, double factor, real *w)
{
    for (size_t k = 0; k < l.n; k++) {
        w[l.first + k * l.stride] = (real)((double)w[l.first + k * l.stride] * factor);
    }
}

/* A zero vector has no direction: it becomes the first axis. */
static void unit_project(const hd_weight_view *v, real *w)
{
    for (int i = 0; i < lines_of(v); i++) {
        line l = line_at(v, i);
        double norm = sqrt(dot(l, w, w));
        if (norm > 0) {
            scale(l, v->opt->number[RADIUS] / norm, w);
        } else {
            w[l.first] = (real)v->opt->number[RADIUS];
        }
    }
}

/* g <- factor (g - (g.w) w / w.w) */
static void remove_radial(line l, const real *w, real *g, double factor)
{
    double squares = dot(l, w, w), radial = squares > 0 ? dot(l, g, w) / squares : 0;
    for (size_t k = 0; k < l.n; k++) {
        size_t at = l.first + k * l.stride;
        g[at] = (real)(factor * ((double)g[at] - radial * (double)w[at]));
    }
}

static void unit_tangent(const hd_weight_view *v, const real *w, real *g)
{
    for (int i = 0; i < lines_of(v); i++) {
        remove_radial(line_at(v, i), w, g, 1);
    }
}

/* w = r q / ||q||:  dq = (r / ||q||) (g - (g.q) q / q.q) */
static void unit_pull_back(const hd_weight_view *v, const real *q, real *g)
{
    for (int i = 0; i < lines_of(v); i++) {
        line l = line_at(v, i);
        double norm = sqrt(dot(l, q, q));
        remove_radial(l, q, g, norm > 0 ? v->opt->number[RADIUS] / norm : 0);
    }
}

static void max_project(const hd_weight_view *v, real *w)
{
    for (int i = 0; i < lines_of(v); i++) {
        line l = line_at(v, i);
        double norm = sqrt(dot(l, w, w));
        if (norm > v->opt->number[RADIUS]) {
            scale(l, v->opt->number[RADIUS] / norm, w);
        }
    }
}

static void non_negative(const hd_weight_view *v, real *w)
{
    for (size_t i = 0; i < (size_t)v->rows * (size_t)v->cols; i++) {
        w[i] = w[i] < 0 ? 0 : w[i];
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
