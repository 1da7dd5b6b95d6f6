/* Logistic curves between objective scores and ratings, as the Video Quality Experts Group and Sheikh, Sabir, Bovik ("A statistical evaluation of
 * recent full reference image quality assessment algorithms", 2006) use them, fitted by Levenberg's and Marquardt's method. The scores are
 * standardised first: starts and steps then do not depend on their unit. */
#include "solve/logistic.h"

#include "base/scalar.h"
#include "linalg/linalg.h"

#include <math.h>
#include <string.h>

enum { MOST = 5, STEPS = 200 };
#define STEEPEST 60.0    /* limit of the exponent */
#define NARROWEST 1e-3   /* of b[3] with four parameters, in standard deviations of x */

typedef struct curve {
    hd_pool *pool;
    int kind, size; /* parameters */
    int n;
    const double *x, *y; /* x standardised */
} curve;

double hd_line_fit(int n, const double *x, const double *y, double b[2])
{
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0, errors = 0;
    for (int i = 0; i < n; i++) {
        mean_x += x[i] / n;
        mean_y += y[i] / n;
    }
    for (int i = 0; i < n; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    b[1] = xx > 0 ? xy / xx : 0;
    b[0] = mean_y - b[1] * mean_x;
    for (int i = 0; i < n; i++) {
        const double e = (y[i] - mean_y) - b[1] * (x[i] - mean_x);
        errors += e * e;
    }
    return errors;
}

/* f(x), and its derivatives by b to d, if that is not NULL. */
static double value(const curve *c, const double *b, double x, double *d)
{
    const int five = c->kind == HD_MAPPING_LOGISTIC5;
    double u = five ? b[1] * (x - b[2]) : -(x - b[2]) / fabs(b[3]);
    u = u > STEEPEST ? STEEPEST : u < -STEEPEST ? -STEEPEST : u;
    const double part = 1 / (1 + hd_exp(u)), slope = -part * (1 - part); /* of 1 / (1 + exp u) by u */
    if (five) {
        if (d) {
            d[0] = 0.5 - part;
            d[1] = -b[0] * slope * (x - b[2]);
            d[2] = b[0] * slope * b[1];
            d[3] = x;
            d[4] = 1;
        }
        return b[0] * (0.5 - part) + b[3] * x + b[4];
    }
    if (d) {
        d[0] = part;
        d[1] = 1 - part;
        d[2] = (b[0] - b[1]) * slope / fabs(b[3]);
        d[3] = (b[0] - b[1]) * slope * (x - b[2]) / (b[3] * fabs(b[3]));
    }
    return (b[0] - b[1]) * part + b[1];
}

/* Sum of squared errors; with `h`, also J^T J and J^T e. */
static double errors(const curve *c, const double *b, double *h, double *g)
{
    double sum = 0, d[MOST];
    const int size = c->size;
    for (int k = 0; h && k < size * size; k++) {
        h[k] = 0;
        g[k / size] = 0;
    }
    for (int i = 0; i < c->n; i++) {
        const double e = c->y[i] - value(c, b, c->x[i], h ? d : NULL);
        sum += e * e;
        for (int k = 0; h && k < size; k++) {
            g[k] += d[k] * e;
            for (int l = 0; l <= k; l++) {
                h[k * size + l] += d[k] * d[l];
            }
        }
    }
    return sum;
}

/* (H + damping diag H) step = g. False: not positive definite. */
static int solve(const curve *c, const double *h, const double *g, double damping, double *step)
{
    double a[MOST * MOST], trace = 0;
    const int size = c->size;
    memcpy(a, h, sizeof a);
    memcpy(step, g, (size_t)size * sizeof *g);
    for (int k = 0; k < size; k++) {
        trace += h[k * (size + 1)];
    }
    for (int k = 0; k < size; k++) {
        a[k * (size + 1)] += damping * h[k * (size + 1)] + 1e-12 * trace;
    }
    if (hd_cholesky_f64(c->pool, size, a, size) >= 0) {
        return 0;
    }
    hd_cholesky_solve_f64(c->pool, false, size, 1, a, size, step, 1);
    return 1;
}

/* From b downhill; the sum of squared errors where it ends. */
static double descend(const curve *c, double *b)
{
    double h[MOST * MOST] = { 0 }, g[MOST], step[MOST], next[MOST] = { 0 }, damping = 1e-3, sum = errors(c, b, h, g);
    for (int i = 0; i < STEPS && damping < 1e12; i++) {
        double lower = INFINITY;
        if (solve(c, h, g, damping, step)) {
            for (int k = 0; k < c->size; k++) {
                next[k] = b[k] + step[k];
            }
            lower = c->kind == HD_MAPPING_LOGISTIC4 && fabs(next[3]) < NARROWEST ? INFINITY : errors(c, next, NULL, NULL);
        }
        if (!(lower < sum)) {
            damping *= 10;
            continue;
        }
        const int is_done = sum - lower <= 1e-14 * sum;
        memcpy(b, next, sizeof next);
        sum = errors(c, b, h, g);
        damping = damping > 1e-12 ? damping / 10 : damping;
        if (is_done) {
            break;
        }
    }
    return sum;
}

static void start(const curve *c, double steepness, const double line[2], double *b)
{
    double low = c->y[0], high = c->y[0], mean = 0;
    for (int i = 0; i < c->n; i++) {
        low = c->y[i] < low ? c->y[i] : low;
        high = c->y[i] > high ? c->y[i] : high;
        mean += c->y[i] / c->n;
    }
    const int falls = line[1] < 0;
    if (c->kind == HD_MAPPING_LOGISTIC5) {
        memcpy(b, (double[MOST]){ falls ? low - high : high - low, steepness, 0, 0, mean }, MOST * sizeof *b);
    } else {
        memcpy(b, (double[MOST]){ falls ? low : high, falls ? high : low, 0, 1 / steepness, 0 }, MOST * sizeof *b);
    }
}

double hd_logistic_fit(hd_pool *p, int kind, int n, const double *x, const double *y, double *work, double *b)
{
    static const double steepnesses[] = { 0.5, 1.7, 5 };
    double mean = 0, square = 0, best = INFINITY, line[2];
    for (int i = 0; i < n; i++) {
        mean += x[i] / n;
    }
    for (int i = 0; i < n; i++) {
        square += (x[i] - mean) * (x[i] - mean) / n;
    }
    const double unit = square > 0 ? sqrt(square) : 1;
    for (int i = 0; i < n; i++) {
        work[i] = (x[i] - mean) / unit;
    }
    const curve c = { .pool = p, .kind = kind, .size = kind == HD_MAPPING_LOGISTIC5 ? 5 : 4, .n = n, .x = work, .y = y };
    hd_line_fit(n, work, y, line);
    for (int i = 0; i < 3; i++) {
        double trial[MOST];
        start(&c, steepnesses[i], line, trial);
        const double sum = descend(&c, trial);
        if (sum < best) {
            best = sum;
            memcpy(b, trial, (size_t)c.size * sizeof *b);
        }
    }
    b[2] = mean + unit * b[2]; /* back to the unit of x */
    if (kind == HD_MAPPING_LOGISTIC4) {
        b[3] = fabs(b[3]) * unit;
        return best;
    }
    b[1] /= unit;
    b[3] /= unit;
    b[4] -= b[3] * mean;
    return best;
}
