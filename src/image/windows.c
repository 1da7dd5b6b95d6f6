/* A matrix network with one hidden matrix on every window of a picture, each pixel the mean over the windows that cover it (Gao, Guo, Wang,
 * "Matrix neural networks", 2016, super-resolution). Window (r, c) of the D planes X_j has
 *     H = s(sum_j U_j X_j V_j^T + B)  [K x L],   output  s_o(R H S^T + C)  [P x Q].
 * Windows share what the algebra allows:
 *   1. rows of the planes times V_j^T: a row of a plane belongs to P windows, its product to all of them;
 *   2. U = [U_1 ... U_D] times those products of P rows: one matrix product [K x PD] [PD x L c] for all windows of a row;
 *   3. with a linear output blending commutes with S^T: R H is summed over the windows that lie one above the other, each row then multiplied
 *      by S^T once and summed along the row. With another output every window is multiplied out.
 * Multiplications a window: DQL + PDKL + PKL + QL, for D = 5, windows 15 x 15, H 10 x 10: 750 + 7,500 + 1,500 + 150 = 9,900; each window
 * by itself takes D(PQL + PKL) + PKL + PQL = 22,500.
 * Columns of windows are cut into stripes that stay in the cache. What a stripe adds to a row does not depend on the rows asked for, nor on threads. */
#include "image/image.h"
#include "kern/activation.h"
#include "kern/thin.h"
#include "kern/vec.h"

#include <string.h>

enum { STRIPE = 64, BLOCK = 16, GAP = 16, LEAST = 64 }; /* windows of a stripe; rows of windows at a time; between rows of T; rows of a part */

typedef struct job {
    const hd_matnet *net;
    hd_band band;
    const real *x;
    real *y;
    hd_pool *pool;
    int down, across;      /* windows */
    int n, stripes, parts; /* windows of a stripe; how many; pieces of the output rows */
    size_t wide, t_row, g_row;
    real *u, *v, *r, *s;   /* packed */
    const real *b, *c;
    double *sums;          /* [P + 1, Q + 1]: sums of C's first rows and columns */
    real *partial;         /* [rows of y, stripes, wide]: what each stripe adds */
    real *work;
    size_t each;           /* work of a thread */
} job;

/* One thread's arrays; row i of t and g is picture row `row` + i. */
typedef struct stripe {
    const job *j;
    int begin, windows; /* first column, real windows */
    int row;
    real *t;    /* [BLOCK + P - 1, D, t_row]: X V^T, [L, n] each */
    real *g;    /* [BLOCK + P - 1, g_row]: R H summed, [L, n] each; else outputs summed */
    real *h;    /* [K, L, n] */
    real *full; /* [P, L, n]: R H of a row, where outputs are not linear */
    real *z;    /* [Q, n] */
    real *line; /* [wide]: pixels of a row */
} stripe;

/* Rounded up to whole cache lines. */
static size_t lines(size_t n)
{
    return (n + GAP - 1) / GAP * GAP;
}

static bool is_linear(const job *j)
{
    return j->net->output_activation == HD_LINEAR;
}

static void multiply_row(const stripe *s, int index)
{
    const job *j = s->j;
    const hd_matnet *net = j->net;
    const size_t w = (size_t)j->band.w, begin = (size_t)s->begin, n = w - begin < j->wide ? w - begin : j->wide;
    memset(s->line + n, 0, (j->wide - n) * sizeof(real));
    for (int plane = 0; plane < net->planes; plane++) {
        const size_t row = (size_t)plane * (size_t)j->band.rows + (size_t)(s->row + index - j->band.first);
        memcpy(s->line, j->x + row * w + begin, n * sizeof(real));
        hd_thin_product(net->cols, net->patch_cols, (size_t)j->n, j->v + (size_t)plane * (size_t)net->cols * (size_t)net->patch_cols, s->line, 1, false,
                        s->t + ((size_t)index * (size_t)net->planes + (size_t)plane) * j->t_row, (size_t)j->n);
    }
}

/* H of the windows whose first row is number `index`. */
static void encode(const stripe *s, int index)
{
    const job *j = s->j;
    const hd_matnet *net = j->net;
    const size_t n = (size_t)j->n, row = (size_t)net->cols * n;
    hd_thin_product(net->rows, net->patch_rows * net->planes, row, j->u, s->t + (size_t)index * (size_t)net->planes * j->t_row, j->t_row, false, s->h, row);
    for (int k = 0; k < net->rows * net->cols; k++) {
        const vec bias = vset(j->b[k]);
        for (real *h = s->h + (size_t)k * n, *end = h + n; h < end; h += HD_VL) {
            vstore(h, vadd(vload(h), bias));
        }
    }
    const hd_activation act = (hd_activation)net->activation;
    hd_activate_here(act, hd_activation_alpha(act), (size_t)net->rows * row, s->h, s->h);
}

/* out[c + q] += z[q][c] for the windows that there are. */
static void add_shifted(const stripe *s, real *out)
{
    const size_t n = (size_t)s->windows;
    for (int q = 0; q < s->j->net->patch_cols; q++, out++) {
        const real *z = s->z + (size_t)q * (size_t)s->j->n;
        size_t c = 0;
        for (; c + HD_VL <= n; c += HD_VL) {
            vstore(out + c, vadd(vload(out + c), vload(z + c)));
        }
        for (; c < n; c++) {
            out[c] += z[c];
        }
    }
}

static void decode(const stripe *s, int index)
{
    const job *j = s->j;
    const hd_matnet *net = j->net;
    const size_t n = (size_t)j->n, row = (size_t)net->cols * n;
    if (is_linear(j)) {
        hd_thin_product(net->patch_rows, net->rows, row, j->r, s->h, row, true, s->g + (size_t)index * j->g_row, j->g_row);
        return;
    }
    hd_thin_product(net->patch_rows, net->rows, row, j->r, s->h, row, false, s->full, row);
    const hd_activation act = (hd_activation)net->output_activation;
    for (int p = 0; p < net->patch_rows; p++) {
        hd_thin_product(net->patch_cols, net->cols, n, j->s, s->full + (size_t)p * row, n, false, s->z, n);
        for (int q = 0; q < net->patch_cols; q++) {
            const vec bias = vset(j->c[p * net->patch_cols + q]);
            for (real *z = s->z + (size_t)q * n, *end = z + n; z < end; z += HD_VL) {
                vstore(z, vadd(vload(z), bias));
            }
        }
        hd_activate_here(act, hd_activation_alpha(act), (size_t)net->patch_cols * n, s->z, s->z);
        add_shifted(s, s->g + (size_t)(index + p) * j->g_row);
    }
}

/* Finished rows: numbers 0..count-1 of g, of which the output rows [from, to) are wanted. */
static void emit(const stripe *s, int count, int from, int to)
{
    const job *j = s->j;
    for (int i = 0; i < count; i++) {
        const int row = s->row + i;
        if (row < from || row >= to) {
            continue;
        }
        const real *g = s->g + (size_t)i * j->g_row;
        real *out = j->partial + ((size_t)(row - j->band.from) * (size_t)j->stripes + (size_t)(s->begin / j->n)) * j->wide;
        if (is_linear(j)) {
            memset(out, 0, j->wide * sizeof(real));
            hd_thin_product(j->net->patch_cols, j->net->cols, (size_t)j->n, j->s, g, (size_t)j->n, false, s->z, (size_t)j->n);
            add_shifted(s, out);
        } else {
            memcpy(out, g, j->wide * sizeof(real));
        }
    }
}

static stripe stripe_of(const job *j, int number, int thread)
{
    const hd_matnet *net = j->net;
    const size_t deep = (size_t)(BLOCK + net->patch_rows - 1), row = (size_t)net->cols * (size_t)j->n;
    stripe s = { .j = j, .begin = number * j->n, .windows = j->across - number * j->n };
    s.windows = s.windows < j->n ? s.windows : j->n;
    s.t = j->work + (size_t)thread * j->each;
    s.g = s.t + deep * (size_t)net->planes * j->t_row;
    s.h = s.g + deep * j->g_row;
    s.full = s.h + (size_t)net->rows * row;
    s.z = s.full + (is_linear(j) ? 0 : (size_t)net->patch_rows * row);
    s.line = s.z + (size_t)net->patch_cols * (size_t)j->n;
    return s;
}

static void stripe_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const int p = j->net->patch_rows, rows = j->band.to - j->band.from, part = task / j->stripes;
    const int from = j->band.from + (int)((int64_t)rows * part / j->parts), to = j->band.from + (int)((int64_t)rows * (part + 1) / j->parts);
    const int first = from - p + 1 > 0 ? from - p + 1 : 0, last = to < j->down ? to : j->down; /* rows of windows */
    stripe s = stripe_of(j, task % j->stripes, thread);
    const size_t t_row = (size_t)j->net->planes * j->t_row, kept = (size_t)(p - 1);
    s.row = first;
    for (int i = 0; i < p - 1; i++) {
        multiply_row(&s, i);
    }
    memset(s.g, 0, kept * j->g_row * sizeof(real));
    for (int n; s.row < last; s.row += n) {
        n = last - s.row < BLOCK ? last - s.row : BLOCK;
        memset(s.g + kept * j->g_row, 0, (size_t)n * j->g_row * sizeof(real));
        for (int i = 0; i < n; i++) {
            multiply_row(&s, p - 1 + i);
            encode(&s, i);
            decode(&s, i);
        }
        emit(&s, n, from, to);
        memmove(s.t, s.t + (size_t)n * t_row, kept * t_row * sizeof(real));
        memmove(s.g, s.g + (size_t)n * j->g_row, kept * j->g_row * sizeof(real));
    }
    emit(&s, p - 1, from, to);
}

/* y[row]: the stripes' sums over the number of windows; a linear output's bias is a mean of C. */
static void blend_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const int p = j->net->patch_rows, q = j->net->patch_cols, row = j->band.from + task;
    const int low = row - p + 1 > 0 ? row - p + 1 : 0, high = row < j->down ? row : j->down - 1;
    const double *above = j->sums + (size_t)(row - high) * (size_t)(q + 1), *below = j->sums + (size_t)(row - low + 1) * (size_t)(q + 1);
    real *y = j->y + (size_t)task * (size_t)j->band.w;
    (void)thread;
    memset(y, 0, (size_t)j->band.w * sizeof(real));
    for (int k = 0; k < j->stripes; k++) {
        const real *part = j->partial + ((size_t)task * (size_t)j->stripes + (size_t)k) * j->wide;
        for (int i = 0, at = k * j->n; i < (int)j->wide && at < j->band.w; i++, at++) {
            y[at] += part[i];
        }
    }
    for (int col = 0; col < j->band.w; col++) {
        const int left = col - q + 1 > 0 ? col - q + 1 : 0, right = col < j->across ? col : j->across - 1;
        const int count = (high - low + 1) * (right - left + 1), a = col - right, b = col - left + 1;
        const double bias = is_linear(j) ? (below[b] - below[a] - above[b] + above[a]) / count : 0;
        y[col] = y[col] / (real)count + (real)bias;
    }
}

/* Weights as the products take them: U is [K, P D], plane by plane within a row of the window. */
static void pack(job *j, real *u)
{
    const hd_matnet *net = j->net;
    const size_t k = (size_t)net->rows, l = (size_t)net->cols, p = (size_t)net->patch_rows, q = (size_t)net->patch_cols, d = (size_t)net->planes;
    const real *w = net->weights;
    for (size_t plane = 0; plane < d; plane++) {
        for (size_t i = 0; i < k * p; i++) {
            u[i * d + plane] = *w++;
        }
    }
    hd_thin_pack((int)k, (int)(p * d), u, p * d, 1, j->u);
    for (size_t plane = 0; plane < d; plane++, w += l * q) {
        hd_thin_pack((int)l, (int)q, w, q, 1, j->v + plane * l * q);
    }
    j->b = w;
    hd_thin_pack((int)p, (int)k, w + k * l, k, 1, j->r);
    hd_thin_pack((int)q, (int)l, w + k * l + p * k, l, 1, j->s);
    j->c = w + k * l + p * k + q * l;
    memset(j->sums, 0, (p + 1) * (q + 1) * sizeof *j->sums);
    for (size_t a = 0; a < p; a++) {
        double row = 0;
        for (size_t b = 0; b < q; b++) {
            row += (double)j->c[a * q + b];
            j->sums[(a + 1) * (q + 1) + b + 1] = j->sums[a * (q + 1) + b + 1] + row;
        }
    }
}

size_t hd_matnet_weights(const hd_matnet *net)
{
    const size_t k = (size_t)net->rows, l = (size_t)net->cols, p = (size_t)net->patch_rows, q = (size_t)net->patch_cols;
    return (size_t)net->planes * (k * p + l * q) + k * l + p * k + q * l + p * q;
}

hd_status hd_matnet_windows(hd_context *c, const hd_matnet *net, hd_band band, const real *x, real *y)
{
    job j = { .net = net, .band = band, .x = x, .y = y, .pool = c->pool, .down = band.h - net->patch_rows + 1, .across = band.w - net->patch_cols + 1 };
    const int threads = hd_pool_threads(c->pool), rows = band.to - band.from;
    const size_t deep = (size_t)(BLOCK + net->patch_rows - 1), weights = hd_matnet_weights(net);
    const size_t sums = (size_t)(net->patch_rows + 1) * (size_t)(net->patch_cols + 1) * sizeof(double), u = (size_t)net->rows * (size_t)net->patch_rows * (size_t)net->planes;
    j.n = j.across < STRIPE ? (j.across + HD_THIN_COLS - 1) / HD_THIN_COLS * HD_THIN_COLS : STRIPE;
    j.stripes = (j.across + j.n - 1) / j.n;
    j.wide = (size_t)(j.n + net->patch_cols - 1);
    j.t_row = (size_t)net->cols * (size_t)j.n + GAP; /* an odd number of cache lines: rows of T fall on different sets */
    j.g_row = is_linear(&j) ? (size_t)net->cols * (size_t)j.n : j.wide;
    /* Parts of the rows do the P - 1 rows above them again: only for threads that would have no stripe. */
    const int wanted = threads > 1 ? (2 * threads + j.stripes - 1) / j.stripes : 1, most = rows / LEAST > 1 ? rows / LEAST : 1;
    j.parts = wanted < most ? wanted : most;
    j.each = lines(deep * ((size_t)net->planes * j.t_row + j.g_row) + (size_t)(net->rows + (is_linear(&j) ? 0 : net->patch_rows)) * (size_t)net->cols * (size_t)j.n +
                   (size_t)net->patch_cols * (size_t)j.n + j.wide);
    const size_t partial = lines((size_t)rows * (size_t)j.stripes * j.wide), packed = lines(weights + u);
    j.u = hd_reserve(c, sums + (packed + partial + j.each * (size_t)threads) * sizeof(real), "windows of a picture");
    if (!j.u) {
        return HD_ERR_MEMORY;
    }
    j.v = j.u + u;
    j.r = j.v + (size_t)net->planes * (size_t)net->cols * (size_t)net->patch_cols;
    j.s = j.r + net->patch_rows * net->rows;
    j.work = j.u + packed;
    j.partial = j.work + j.each * (size_t)threads;
    j.sums = (double *)(j.partial + partial);
    pack(&j, j.u + weights);
    hd_pool_run(c->pool, j.stripes * j.parts, stripe_task, &j);
    hd_pool_run(c->pool, rows, blend_task, &j);
    hd_release(c, j.u);
    return HD_OK;
}
