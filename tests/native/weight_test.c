/* What hangs on weights: statistics of the initialisers, orthogonality; penalties against plain sums and differences;
 * constraints (reference A3 and its property 8); equal bits on any number of threads. */
#include "check.h"
#include "heddle.h"
#include "model/registry.h"
#include "weight/weight.h"

#include <stdbool.h>
#include <stdlib.h>

#ifdef HD_FLOAT64
static const double UNIT = 1e-11;
#else
static const double UNIT = 1e-6;
#endif

static hd_context *context;

static hd_values read(const char *name, const hd_option *table, const double *options, int n)
{
    hd_values opt;
    CHECK(hd_options_read(context, name, table, options, n, &opt) == HD_OK);
    return opt;
}

/* --- initialisers ------------------------------------------------------------------------------------- */

static void fill(const char *name, const double *options, int n, int rows, int cols, uint64_t seed, real *w)
{
    const hd_initializer_class *class = hd_initializer_class_find(name);
    CHECK(class);
    hd_values opt = read(name, class->options, options, n);
    hd_weight_view v = { context->pool, &opt, rows, cols };
    CHECK(class->fill(context, &v, cols, rows, hd_rng_stream(seed, 3, 0), w) == HD_OK);
}

typedef struct distribution {
    const char *name;
    int n;
    double options[2], mean, variance, limit; /* limit: largest magnitude, 0: none */
} distribution;

enum { ROWS = 300, COLS = 701, SIZE = ROWS * COLS };

static void check_distributions(void)
{
    const double glorot = 2.0 / (ROWS + COLS), he = 2.0 / COLS, lecun = 1.0 / COLS;
    const distribution list[] = {
        { "zeros", 0, { 0, 0 }, 0, 0, 1e-300 },
        { "ones", 0, { 0, 0 }, 1, 0, 1 },
        { "constant", 1, { -2.5, 0 }, -2.5, 0, 2.5 },
        { "uniform", 0, { 0, 0 }, 0, 0.01 / 12, 0.05 },
        { "uniform", 2, { 1, 4 }, 2.5, 9.0 / 12, 4 },
        { "normal", 0, { 0, 0 }, 0, 0.0025, 0 },
        { "normal", 2, { 3, 0.5 }, 3, 0.25, 0 },
        { "glorot", 0, { 0, 0 }, 0, glorot, sqrt(3 * glorot) },
        { "glorot", 1, { 1, 0 }, 0, glorot, 0 },
        { "he", 0, { 0, 0 }, 0, he, 0 },
        { "he", 1, { 0, 0 }, 0, he, sqrt(3 * he) },
        { "lecun", 0, { 0, 0 }, 0, lecun, 0 },
        { "lecun", 2, { 1, 1.5 }, 0, 2.25 * lecun, 0 },
    };
    static real w[SIZE];
    for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
        const distribution *d = &list[k];
        fill(d->name, d->options, d->n, ROWS, COLS, 7, w);
        double mean = 0, variance = 0, cubes = 0, largest = 0;
        for (int i = 0; i < SIZE; i++) {
            mean += (double)w[i] / SIZE;
            largest = fmax(largest, fabs((double)w[i]));
        }
        for (int i = 0; i < SIZE; i++) {
            double e = (double)w[i] - d->mean;
            variance += e * e / SIZE;
            cubes += e * e * e / SIZE;
        }
        /* Five standard errors of each: of N numbers sqrt(var / N); of the variance at most var sqrt(2 / N). */
        NEAR(mean, d->mean, 5 * sqrt(d->variance / SIZE) + UNIT * fabs(d->mean));
        NEAR(variance, d->variance, 5 * d->variance * sqrt(2.0 / SIZE) + UNIT * UNIT);
        NEAR(cubes, 0, 5 * pow(d->variance, 1.5) * sqrt(15.0 / SIZE) + UNIT * UNIT);
        CHECK(d->limit == 0 ? largest > 3.5 * sqrt(d->variance) : largest <= d->limit * (1 + 1e-6));
        CHECK(d->limit == 0 || d->variance == 0 || largest > 0.999 * d->limit);
    }
    CHECK(hd_initializer_class_find("he")->options[0].def == 1); /* normal, as lecun; glorot uniform */
    CHECK(hd_initializer_class_find("lecun")->options[0].def == 1 && hd_initializer_class_find("glorot")->options[0].def == 0);
}

/* Each element is the draw that rng.h promises for its number. */
static void check_draws(void)
{
    static real w[SIZE];
    hd_rng rng = hd_rng_stream(11, 3, 0);
    fill("normal", (double[]){ 0, 1 }, 2, ROWS, COLS, 11, w);
    for (int i = 0; i < SIZE; i += 41) {
        CHECK(w[i] == (real)hd_rng_normal(rng, (uint64_t)i));
    }
    fill("uniform", (double[]){ 0, 1 }, 2, ROWS, COLS, 11, w);
    for (int i = 0; i < SIZE; i += 41) {
        CHECK(w[i] == (real)hd_rng_uniform(rng, (uint64_t)i));
    }
}

static void check_orthogonal(void)
{
    static const int shapes[][2] = { { 1, 1 }, { 5, 5 }, { 3, 11 }, { 11, 3 }, { 1, 7 }, { 7, 1 }, { 64, 64 }, { 130, 90 } };
    static real w[130 * 90];
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        int rows = shapes[k][0], cols = shapes[k][1], n = rows < cols ? rows : cols, length = rows + cols - n;
        fill("orthogonal", (double[]){ 1.5 }, 1, rows, cols, k, w);
        for (int a = 0; a < n; a++) {
            for (int b = 0; b <= a; b++) {
                double dot = 0;
                for (int i = 0; i < length; i++) {
                    dot += rows <= cols ? (double)w[a * cols + i] * (double)w[b * cols + i]
                                        : (double)w[i * cols + a] * (double)w[i * cols + b];
                }
                NEAR(dot, a == b ? 2.25 : 0, UNIT);
            }
        }
    }
    double sum = 0; /* no sign is preferred: the first element of a rotation of the plane averages to 0 */
    for (int seed = 0; seed < 400; seed++) {
        fill("orthogonal", NULL, 0, 2, 2, (uint64_t)seed, w);
        sum += (double)w[0] / 400;
    }
    NEAR(sum, 0, 5 * sqrt(0.5 / 400));
    hd_context_fail_allocation(context, 1);
    const hd_initializer_class *class = hd_initializer_class_find("orthogonal");
    hd_values opt = read("orthogonal", class->options, NULL, 0);
    hd_weight_view v = { context->pool, &opt, 4, 4 };
    CHECK(class->fill(context, &v, 4, 4, hd_rng_stream(0, 3, 0), w) == HD_ERR_MEMORY);
    hd_context_fail_allocation(context, 0);
}

/* --- penalties ---------------------------------------------------------------------------------------- */

static void check_penalty(const char *name, const double *options, int n, double l1, double l2)
{
    enum { R = 5, C = 7 };
    const hd_regularizer_class *class = hd_regularizer_class_find(name);
    CHECK(class);
    hd_values opt = read(name, class->options, options, n);
    hd_weight_view v = { context->pool, &opt, R, C };
    real w[R * C], dw[R * C];
    double expected = 0;
    fill("normal", (double[]){ 0, 1 }, 2, R, C, 5, w);
    w[3] = 0;
    for (int i = 0; i < R * C; i++) {
        expected += l1 * fabs((double)w[i]) + l2 * (double)w[i] * (double)w[i];
        dw[i] = 10;
    }
    NEAR(class->run(&v, w, dw), expected, UNIT * expected);
    NEAR(class->run(&v, w, NULL), expected, UNIT * expected);
    for (int i = 0; i < R * C; i++) {
        double sign = (w[i] > 0) - (w[i] < 0);
        NEAR(dw[i], 10 + l1 * sign + 2 * l2 * (double)w[i], 10 * UNIT); /* A3: no 1/2 */
    }
}

static double kl(double rho, double m)
{
    return rho * log(rho / m) + (1 - rho) * log((1 - rho) / (1 - m));
}

static void check_sparsity(void)
{
    const hd_activity_class *class = hd_activity_class_find("klSparsity");
    CHECK(class && class->unit_interval);
    CHECK_TEXT(class->options[0].name, "rho");
    CHECK_TEXT(class->options[2].name, "smoothing");
    hd_values opt = read("klSparsity", class->options, (double[]){ 0.2, 3 }, 2);
    real mean[] = { (real)0.2, (real)0.01, (real)0.5, (real)0.99 }, d[4];
    double expected = 0;
    for (int i = 0; i < 4; i++) {
        expected += 3 * kl(0.2, (double)mean[i]);
    }
    NEAR(class->run(&opt, 4, mean, d), expected, 1e-12 * expected);
    NEAR(class->run(&opt, 4, mean, NULL), expected, 1e-12 * expected);
    for (int i = 0; i < 4; i++) {
        double m = (double)mean[i], h = 1e-6 * (m < 0.5 ? m : 1 - m);
        NEAR(d[i], 3 * (kl(0.2, m + h) - kl(0.2, m - h)) / (2 * h), 1e-5 * (1 + fabs((double)d[i])));
    }
    NEAR(d[0], 0, 20 * UNIT);                                 /* property 7: nothing at rho */
    NEAR(class->run(&opt, 1, mean, NULL), 0, 1e-12);
    const real ends[] = { 0, 1 };                             /* guarded: finite, and pointing inwards */
    CHECK(isfinite(class->run(&opt, 2, ends, d)) && d[0] < -1e5 && d[1] > 1e5);
}

/* --- constraints -------------------------------------------------------------------------------------- */

enum { ROW, COLUMN, FROBENIUS };
enum { R = 23, C = 37, W = R * C };

static double line_dot(int axis, int line, const real *a, const real *b)
{
    double sum = 0;
    for (int i = 0; i < W; i++) {
        bool in = axis == FROBENIUS || (axis == ROW ? i / C : i % C) == line;
        sum += in ? (double)a[i] * (double)b[i] : 0;
    }
    return sum;
}

static int lines(int axis)
{
    return axis == ROW ? R : axis == COLUMN ? C : 1;
}

static hd_weight_view view(const hd_constraint_class *class, double axis, double radius, hd_values *opt)
{
    *opt = read(class->name, class->options, (double[]){ axis, radius }, class->options ? 2 : 0);
    return (hd_weight_view){ context->pool, opt, R, C };
}

/* loss(w) = sum c_i w_i + sum w_i^4, and its gradient. */
static double loss_of(const real *w, const real *c, real *g)
{
    double sum = 0;
    for (int i = 0; i < W; i++) {
        double x = (double)w[i];
        sum += (double)c[i] * x + x * x * x * x;
        if (g) {
            g[i] = (real)((double)c[i] + 4 * x * x * x);
        }
    }
    return sum;
}

/* Property 8: on the set to 1e-6, <w, h> = 0, idempotent, and a small constrained step decreases the loss. */
static void check_unit_norm(int axis, double radius)
{
    const hd_constraint_class *class = hd_constraint_class_find("unitNorm");
    hd_values opt;
    hd_weight_view v = view(class, axis, radius, &opt);
    real w[W], c[W], g[W], moved[W];
    fill("normal", (double[]){ 0.1, 1 }, 2, R, C, 1, w);
    fill("normal", (double[]){ 0, 1 }, 2, R, C, 2, c);
    for (int i = 0; i < W; i++) { /* a zero line has no direction, yet must come onto the set */
        w[i] = axis != FROBENIUS && (axis == ROW ? i / C : i % C) == 4 ? 0 : w[i];
    }
    class->project(&v, w);
    for (int k = 0; k < lines(axis); k++) {
        NEAR(sqrt(line_dot(axis, k, w, w)) / radius, 1, UNIT);
    }
    double before = loss_of(w, c, g), slope = 0;
    class->tangent(&v, w, g);
    for (int k = 0; k < lines(axis); k++) {
        NEAR(line_dot(axis, k, w, g) / (radius * sqrt(line_dot(axis, k, g, g))), 0, UNIT);
    }
    const double step = UNIT < 1e-10 ? 1e-6 : 1e-4;
    for (int i = 0; i < W; i++) {
        moved[i] = (real)((double)w[i] - step * (double)g[i]);
        slope += (double)g[i] * (double)g[i];
    }
    class->project(&v, moved);
    for (int k = 0; k < lines(axis); k++) {
        NEAR(sqrt(line_dot(axis, k, moved, moved)) / radius, 1, UNIT);
    }
    double decrease = (before - loss_of(moved, c, NULL)) / (step * slope); /* first order: 1 */
    NEAR(decrease, 1, 0.05);
}

/* The pull-back is the gradient of q -> loss(project(q)), by differences along random directions (float64). */
static void check_pull_back(int axis)
{
    const hd_constraint_class *class = hd_constraint_class_find("unitNorm");
    hd_values opt;
    hd_weight_view v = view(class, axis, 1.5, &opt);
    real q[W], c[W], d[W], w[W], g[W], at[W];
    fill("normal", (double[]){ 0.3, 1 }, 2, R, C, 3, q);
    fill("normal", (double[]){ 0, 1 }, 2, R, C, 4, c);
    fill("normal", (double[]){ 0, 1 }, 2, R, C, 5, d);
    memcpy(w, q, sizeof w);
    class->project(&v, w);
    loss_of(w, c, g);
    class->pull_back(&v, q, g);
    double slope = 0, side[2];
    const double h = UNIT < 1e-10 ? 1e-5 : 1e-2;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < W; i++) {
            at[i] = (real)((double)q[i] + (k ? -h : h) * (double)d[i]);
        }
        class->project(&v, at);
        side[k] = loss_of(at, c, NULL);
    }
    for (int i = 0; i < W; i++) {
        slope += (double)g[i] * (double)d[i];
    }
    NEAR((side[0] - side[1]) / (2 * h), slope, UNIT < 1e-10 ? 1e-6 * (1 + fabs(slope)) : 2e-2 * (1 + fabs(slope)));
}

static void check_max_norm(int axis)
{
    const hd_constraint_class *class = hd_constraint_class_find("maxNorm");
    CHECK(!class->tangent && !class->pull_back);
    hd_values opt;
    hd_weight_view v = view(class, axis, 5.5, &opt);
    real w[W], old[W];
    fill("normal", (double[]){ 0, 1 }, 2, R, C, 6, w);
    memcpy(old, w, sizeof w);
    class->project(&v, w);
    int cut = 0;
    for (int k = 0; k < lines(axis); k++) {
        double before = sqrt(line_dot(axis, k, old, old)), after = sqrt(line_dot(axis, k, w, w));
        NEAR(after, before > 5.5 ? 5.5 : before, 5.5 * UNIT);
        cut += before > 5.5;
    }
    CHECK(cut > 0 && (axis == FROBENIUS || cut < lines(axis)));
    for (int i = 0; i < W; i++) {
        bool inside = axis != FROBENIUS && line_dot(axis, axis == ROW ? i / C : i % C, old, old) <= 5.5 * 5.5;
        CHECK(!inside || w[i] == old[i]);
    }
}

static void check_non_negative(void)
{
    const hd_constraint_class *class = hd_constraint_class_find("nonNeg");
    hd_values opt;
    hd_weight_view v = view(class, 0, 0, &opt);
    real w[W], old[W];
    fill("normal", (double[]){ 0, 1 }, 2, R, C, 8, w);
    memcpy(old, w, sizeof w);
    class->project(&v, w);
    for (int i = 0; i < W; i++) {
        CHECK(w[i] == (old[i] > 0 ? old[i] : 0));
    }
}

/* --- threads ------------------------------------------------------------------------------------------ */

enum { ROWS_T = 512, COLS_T = 307, ALL = ROWS_T * COLS_T };

/* w: initialised and projected; g: the tangent part of another draw. */
static void prepare(const char *initializer, int axis, int threads, real *w, real *g)
{
    const hd_constraint_class *unit = hd_constraint_class_find("unitNorm");
    hd_values opt;
    CHECK(hd_context_set_threads(context, threads) == HD_OK);
    hd_weight_view v = view(unit, axis, 1, &opt);
    v.rows = ROWS_T;
    v.cols = COLS_T;
    fill(initializer, initializer[0] == 'c' ? (double[]){ 0.5 } : NULL, initializer[0] == 'c', ROWS_T, COLS_T, 9, w);
    fill("normal", NULL, 0, ROWS_T, COLS_T, 10, g);
    unit->project(&v, w);
    unit->tangent(&v, w, g);
}

static void check_threads(void)
{
    static real w[ALL], g[ALL], w1[ALL], g1[ALL];
    for (int i = 0; hd_initializer_classes[i]; i++) {
        for (int axis = ROW; axis <= FROBENIUS; axis++) {
            prepare(hd_initializer_classes[i]->name, axis, 1, w1, g1);
            for (int threads = 2; threads <= 3; threads++) {
                prepare(hd_initializer_classes[i]->name, axis, threads, w, g);
                CHECK(!memcmp(w, w1, sizeof w) && !memcmp(g, g1, sizeof g));
            }
        }
    }
    CHECK(hd_context_set_threads(context, 1) == HD_OK);
}

int main(void)
{
    context = hd_context_new(1);
    check_distributions();
    check_draws();
    check_orthogonal();
    check_penalty("l1", (double[]){ 0.3 }, 1, 0.3, 0);
    check_penalty("l2", (double[]){ 0.3 }, 1, 0, 0.3);
    check_penalty("l1l2", (double[]){ 0.3, 0.7 }, 2, 0.3, 0.7);
    check_sparsity();
    for (int axis = ROW; axis <= FROBENIUS; axis++) {
        check_unit_norm(axis, 1);
        check_unit_norm(axis, axis == FROBENIUS ? sqrt(R) : 2.5);
        check_pull_back(axis);
        check_max_norm(axis);
    }
    check_non_negative();
    check_threads();
    hd_context_free(context);
    return check_result("weight");
}
