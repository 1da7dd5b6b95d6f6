/* Work is cut into parts of rows, whose number depends on c alone, and blocks of lanes. A row here is a period: as many
 * rows of x as make whole vectors. */
#include "kern/norm.h"

#include "kern/vec.h"

enum {
    WIDE = 64,     /* lanes in a task: some lines of the cache */
    SHORT = 128,   /* periods that are summed in real */
    LANES = 32768, /* bounds parts * period, the partial sums */
    PARTS = 32,
    CHUNK = 4096   /* elements in a task that writes each element: they stay in the cache for the activation */
};

static size_t divisor(size_t a, size_t b)
{
    return b ? divisor(b, a % b) : a;
}

/* Sixteen lanes fill the registers of narrow rows. */
size_t hd_channel_period(size_t c)
{
    size_t lanes = c < WIDE ? 16 : HD_VL;
    return c * (lanes / divisor(c, lanes));
}

static size_t parts_of(size_t period)
{
    size_t parts = LANES / period;
    return parts < 1 ? 1 : parts < PARTS ? parts : PARTS;
}

size_t hd_channel_scratch(size_t c)
{
    size_t period = hd_channel_period(c);
    return 2 * parts_of(period) * period * (sizeof(double) / sizeof(real));
}

static void repeat(size_t c, real *v)
{
    for (size_t i = c; v && i < hd_channel_period(c); i++) {
        v[i] = v[i - c];
    }
}

/* --- sums ------------------------------------------------------------------------------------------------ */

typedef struct sums {
    size_t c, period, periods, parts, blocks; /* periods: whole ones; blocks of lanes */
    const real *x, *dy, *center;                    /* dy NULL: moments */
    double *first, *second;                         /* (parts, period): mean and sum of squares about it, or sum and dot */
} sums;

/* Periods of a part. */
static size_t begin_of(const sums *j, size_t part)
{
    return j->periods / j->parts * part + j->periods % j->parts * part / j->parts;
}

/* Sums of u vectors over n periods: s0 = sum e, s1 = sum of e^2, for e = x - m; m is their mean, rounded. */
HD_INLINE void moments(size_t n, size_t ld, const real *x, real *m, real *s0, real *s1, const int u)
{
    vec mean[4], a[4], b[4], count = vset((real)n);
    for (int i = 0; i < u; i++) {
        mean[i] = a[i] = b[i] = vzero();
    }
    for (size_t r = 0; r < n; r++) {
        for (int i = 0; i < u; i++) {
            mean[i] = vadd(mean[i], vload(x + r * ld + i * HD_VL));
        }
    }
    for (int i = 0; i < u; i++) {
        mean[i] = vdiv(mean[i], count);
        vstore(m + i * HD_VL, mean[i]);
    }
    for (size_t r = 0; r < n; r++) {
        for (int i = 0; i < u; i++) {
            vec e = vsub(vload(x + r * ld + i * HD_VL), mean[i]);
            a[i] = vadd(a[i], e);
            b[i] = vmadd(e, e, b[i]);
        }
    }
    for (int i = 0; i < u; i++) {
        vstore(s0 + i * HD_VL, a[i]);
        vstore(s1 + i * HD_VL, b[i]);
    }
}

/* s0 = sum dy, s1 = sum dy (x - center). */
HD_INLINE void products(size_t n, size_t ld, const real *x, const real *dy, const real *center, real *s0, real *s1,
                        const int u)
{
    vec a[4], b[4], middle[4];
    for (int i = 0; i < u; i++) {
        a[i] = b[i] = vzero();
        middle[i] = vload(center + i * HD_VL);
    }
    for (size_t r = 0; r < n; r++) {
        for (int i = 0; i < u; i++) {
            vec g = vload(dy + r * ld + i * HD_VL);
            a[i] = vadd(a[i], g);
            b[i] = vmadd(g, vsub(vload(x + r * ld + i * HD_VL), middle[i]), b[i]);
        }
    }
    for (int i = 0; i < u; i++) {
        vstore(s0 + i * HD_VL, a[i]);
        vstore(s1 + i * HD_VL, b[i]);
    }
}

/* Sums of `width` lanes from `lane` on over n periods from period r on, at most SHORT. */
static void sum_short(const sums *j, size_t r, size_t n, size_t lane, size_t width, real *m, real *s0, real *s1)
{
    const size_t at = r * j->period + lane;
    const real *x = j->x + at, *dy = j->dy ? j->dy + at : NULL;
    size_t i = 0;
    for (; i + 4 * HD_VL <= width; i += 4 * HD_VL) {
        if (dy) {
            products(n, j->period, x + i, dy + i, j->center + lane + i, s0 + i, s1 + i, 4);
        } else {
            moments(n, j->period, x + i, m + i, s0 + i, s1 + i, 4);
        }
    }
    for (; i < width; i += HD_VL) {
        if (dy) {
            products(n, j->period, x + i, dy + i, j->center + lane + i, s0 + i, s1 + i, 1);
        } else {
            moments(n, j->period, x + i, m + i, s0 + i, s1 + i, 1);
        }
    }
}

/* One part of the periods, one block of lanes. Moments are summed about the mean of the first SHORT periods. */
static void sum_task(void *arg, int task, int thread)
{
    (void)thread;
    const sums *j = arg;
    size_t part = (size_t)task / j->blocks, lane = (size_t)task % j->blocks * WIDE, begin = begin_of(j, part),
           end = begin_of(j, part + 1), width = j->period - lane < WIDE ? j->period - lane : WIDE;
    double a[WIDE] = { 0 }, b[WIDE] = { 0 }, pivot[WIDE] = { 0 }, *first = j->first + part * j->period + lane,
           *second = j->second + part * j->period + lane;
    real m[WIDE] = { 0 }, s0[WIDE], s1[WIDE];
    for (size_t r = begin; r < end; r += SHORT) {
        size_t n = end - r < SHORT ? end - r : SHORT;
        sum_short(j, r, n, lane, width, m, s0, s1);
        for (size_t i = 0; i < width; i++) {
            if (j->dy) {
                a[i] += s0[i];
                b[i] += s1[i];
                continue;
            }
            pivot[i] = r == begin ? m[i] : pivot[i];
            double off = m[i] - pivot[i]; /* e + off = x - pivot */
            a[i] += s0[i] + (double)n * off;
            b[i] += s1[i] + off * (2 * (double)s0[i] + (double)n * off);
        }
    }
    double n = begin < end ? (double)(end - begin) : 1;
    for (size_t i = 0; i < width; i++) {
        first[i] = j->dy ? a[i] : pivot[i] + a[i] / n;
        second[i] = j->dy ? b[i] : b[i] - a[i] * a[i] / n;
    }
}

static sums run_sums(hd_pool *p, size_t rows, size_t c, const real *x, const real *center, const real *dy,
                     real *scratch)
{
    size_t period = hd_channel_period(c), parts = parts_of(period);
    sums j = { .c = c, .period = period, .periods = rows / (period / c), .parts = parts,
               .blocks = (period + WIDE - 1) / WIDE, .x = x, .center = center, .dy = dy };
    j.first = (double *)(void *)scratch;
    j.second = j.first + parts * period;
    hd_pool_run(p, (int)(parts * j.blocks), sum_task, &j);
    return j;
}

/* Adds to each channel's total: n(part) first, or with `mean` second + n(part) (first - mean)^2, over parts and lanes. */
static void merge(const sums *j, const double *mean, double *total)
{
    for (size_t at = 0; at < j->parts * j->period; at += j->c) {
        size_t part = at / j->period;
        double n = (double)(begin_of(j, part + 1) - begin_of(j, part));
        for (size_t i = 0; i < j->c; i++) {
            double e = mean ? j->first[at + i] - mean[i] : 0;
            total[i] += mean ? j->second[at + i] + n * e * e : n * j->first[at + i];
        }
    }
}

/* Elements behind the last whole period are parts of one element. */
void hd_channel_moments(hd_pool *p, size_t rows, size_t c, const real *x, double *mean, double *variance,
                        real *scratch)
{
    sums j = run_sums(p, rows, c, x, NULL, NULL, scratch);
    size_t rest = j.periods * j.period;
    for (size_t i = 0; i < c; i++) {
        mean[i] = variance[i] = 0;
    }
    merge(&j, NULL, mean);
    for (size_t i = rest; i < rows * c; i++) {
        mean[i % c] += x[i];
    }
    for (size_t i = 0; i < c; i++) {
        mean[i] /= (double)rows;
    }
    merge(&j, mean, variance);
    for (size_t i = rest; i < rows * c; i++) {
        variance[i % c] += (x[i] - mean[i % c]) * (x[i] - mean[i % c]);
    }
    for (size_t i = 0; i < c; i++) {
        variance[i] /= (double)rows;
    }
}

void hd_channel_products(hd_pool *p, size_t rows, size_t c, const real *x, real *center, const real *dy, double *sum,
                         double *dot, real *scratch)
{
    repeat(c, center);
    sums j = run_sums(p, rows, c, x, center, dy, scratch);
    for (size_t i = 0; i < c; i++) {
        sum[i] = dot[i] = 0;
    }
    for (size_t at = 0; at < j.parts * j.period; at += c) {
        for (size_t i = 0; i < c; i++) {
            sum[i] += j.first[at + i];
            dot[i] += j.second[at + i];
        }
    }
    for (size_t i = j.periods * j.period; i < rows * c; i++) {
        sum[i % c] += dy[i];
        dot[i % c] += (double)dy[i] * ((double)x[i] - center[i % c]);
    }
}

/* --- element by element ---------------------------------------------------------------------------------- */

typedef enum form { SCALE, CENTER_SCALE, BACK } form;

typedef struct affine {
    hd_pool *pool;
    form form;
    size_t n, period, c, chunk; /* elements in all, a period, a row, a task (whole periods) */
    const real *x, *dy, *center, *a, *b, *d;
    hd_activation act;
    real alpha;
    real *y;
    bool add;
} affine;

typedef struct lanes {
    vec center, a, b, d;
} lanes;

HD_INLINE lanes lanes_at(const affine *j, form form, size_t i)
{
    lanes l = { .a = vload(j->a + i), .d = vload(j->d + i) };
    l.center = form == SCALE ? vzero() : vload(j->center + i);
    l.b = form == BACK ? vload(j->b + i) : vzero();
    return l;
}

HD_INLINE vec value(form form, lanes l, vec x, vec dy)
{
    switch (form) {
    case SCALE: return vmadd(l.a, x, l.d);
    case CENTER_SCALE: return vmadd(l.a, vsub(x, l.center), l.d);
    case BACK: return vmadd(l.a, dy, vmadd(l.b, vsub(x, l.center), l.d));
    }
    return x;
}

/* u vectors of lanes from `lane` on in n periods that begin at `from`. */
HD_INLINE void columns(const affine *j, form form, size_t from, size_t n, size_t lane, bool add, const int u)
{
    lanes l[4];
    for (int i = 0; i < u; i++) {
        l[i] = lanes_at(j, form, lane + (size_t)i * HD_VL);
    }
    size_t at = from + lane;
    for (size_t r = 0; r < n; r++, at += j->period) {
        for (int i = 0; i < u; i++) {
            const size_t e = at + (size_t)i * HD_VL;
            vec y = value(form, l[i], vload(j->x + e), form == BACK ? vload(j->dy + e) : vzero());
            vstore(j->y + e, add ? vadd(vload(j->y + e), y) : y);
        }
    }
}

HD_INLINE void chunk(const affine *j, form form, size_t from, size_t to)
{
    size_t n = (to - from) / j->period, lane = 0, rest = from + n * j->period;
    for (; lane + 4 * HD_VL <= j->period; lane += 4 * HD_VL) {
        columns(j, form, from, n, lane, j->add, 4);
    }
    for (; lane < j->period; lane += HD_VL) {
        columns(j, form, from, n, lane, j->add, 1);
    }
    for (size_t i = 0; rest + i < to; i += HD_VL) { /* behind the last whole period */
        const size_t e = rest + i, left = to - e;
        vec dy = form == BACK ? vload_upto(j->dy + e, left) : vzero();
        vec y = value(form, lanes_at(j, form, i), vload_upto(j->x + e, left), dy);
        vstore_upto(j->y + e, j->add ? vadd(vload_upto(j->y + e, left), y) : y, left);
    }
}

static void affine_task(void *arg, int task, int thread)
{
    (void)thread;
    const affine *j = arg;
    size_t from = (size_t)task * j->chunk, to = j->n - from < j->chunk ? j->n : from + j->chunk;
    switch (j->form) {
    case SCALE: chunk(j, SCALE, from, to); break;
    case CENTER_SCALE: chunk(j, CENTER_SCALE, from, to); break;
    case BACK: chunk(j, BACK, from, to); break;
    }
    if (j->act != HD_LINEAR) {
        hd_activate(j->pool, j->act, j->alpha, j->y + from, j->y + from, (to - from) / j->c, j->c);
    }
}

static void run_affine(hd_pool *p, affine *j, size_t rows, size_t c)
{
    j->pool = p;
    j->n = rows * c;
    j->c = c;
    j->period = hd_channel_period(c);
    j->chunk = j->period * (j->period < CHUNK ? CHUNK / j->period : 1);
    hd_pool_run(p, (int)((j->n + j->chunk - 1) / j->chunk), affine_task, j);
}

void hd_channel_scale(hd_pool *p, size_t rows, size_t c, const real *x, real *center, real *scale, real *shift,
                      hd_activation act, real alpha, real *y, bool add)
{
    repeat(c, center);
    repeat(c, scale);
    repeat(c, shift);
    affine j = { .form = center ? CENTER_SCALE : SCALE, .x = x, .center = center, .a = scale, .d = shift, .act = act,
                 .alpha = alpha, .y = y, .add = add };
    run_affine(p, &j, rows, c);
}

void hd_channel_back(hd_pool *p, size_t rows, size_t c, const real *x, real *center, const real *dy, real *a, real *b,
                     real *d, real *dx, bool add)
{
    repeat(c, center);
    repeat(c, a);
    repeat(c, b);
    repeat(c, d);
    run_affine(p, &(affine){ .form = BACK, .x = x, .center = center, .dy = dy, .a = a, .b = b, .d = d, .y = dx,
                             .add = add }, rows, c);
}
