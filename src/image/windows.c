/* A matrix network with one hidden matrix on every window of a picture, each pixel the mean over the windows that cover it (Gao, Guo, Wang,
 * "Matrix neural networks", 2016, super-resolution). Window (r, c) of the D planes X_j has
 *     H = s(sum_j U_j X_j V_j^T + B)  [K x L],   output  s_o(R H S^T + C)  [P x Q].
 * Windows share what the algebra allows:
 *   1. rows of the planes times V_j^T: a row of a plane belongs to P windows, its product to all of them;
 *   2. U = [U_1 ... U_D] times those products is a filter of P taps down the picture. Four taps at four rows of windows take 9 products
 *      instead of 16 (kern/filter4.h): nine matrix products [K x DG] [DG x c], G = P / 4 rounded up, for four rows of windows;
 *   3. with a linear output blending commutes with S^T: R H is summed over the windows that lie one above the other, each row then multiplied
 *      by S^T once and summed along the row. With another output every window is multiplied out.
 * Multiplications a window: DQL + 9 GDKL / 4 + PKL + QL, for D = 5, windows 15 x 15, H 10 x 10: 750 + 4,500 + 1,500 + 150 = 6,900; each window
 * by itself takes D(PQL + PKL) + PKL + PQL = 22,500.
 * Columns of windows are cut into stripes that stay in the cache. What a stripe adds to a row does not depend on the rows asked for, nor on
 * threads: rows of windows 4t .. 4t + 3 of the picture, tile t, are always computed together. */
#include "image/image.h"
#include "kern/activation.h"
#include "kern/filter4.h"
#include "kern/thin.h"
#include "kern/vec.h"

#include <string.h>

/* Rows of a tile; windows of a stripe; rows of windows at a time; between rows of E; rows of a part; rows of T that are kept; products of a tile. */
enum { TILE = HD_MATNET_TILE, STRIPE = 64, BLOCK = 4 * TILE, GAP = 16, LEAST = 64, RING = 2 * TILE, NINE = HD_FILTER4_PRODUCTS };

typedef struct job {
    const hd_matnet *net;
    hd_band band;
    const real *x;
    real *y;
    hd_pool *pool;
    int down, across;      /* windows */
    int groups;            /* of four taps */
    int n, stripes, parts; /* windows of a stripe; how many; pieces of the output rows */
    size_t wide, e_row, g_row;
    real *u, *v, *r, *s;   /* packed */
    const real *b, *c;
    double *sums;          /* [P + 1, Q + 1]: sums of C's first rows and columns */
    real *partial;         /* [rows of y, stripes, wide]: what each stripe adds */
    real *work;
    size_t each;           /* work of a thread */
} job;

/* One thread's arrays. */
typedef struct stripe {
    const job *j;
    int begin, windows; /* first column, real windows */
    int row;    /* of the picture: that of g's first row */
    real *t;    /* [RING, D, L, n]: X V^T of picture row i at i mod RING */
    real *e;    /* [NINE, groups, D, e_row]: rows 4i .. 4i + 6 of T as the filter takes them, [L, n], at i mod groups */
    real *m;    /* [NINE, K, n]: products */
    real *h;    /* [TILE, L, K, n] */
    real *g;    /* [BLOCK + P - 1, g_row]: R H summed, [L, n] each; else outputs summed */
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

static hd_thin whole(int m, int k, const real *packed)
{
    return (hd_thin){ m, k, 0, k, packed };
}

/* T's row `row`; 0 below the picture. */
static void multiply_row(const stripe *s, int row)
{
    const job *j = s->j;
    const hd_matnet *net = j->net;
    const size_t w = (size_t)j->band.w, begin = (size_t)s->begin, n = w - begin < j->wide ? w - begin : j->wide, size = (size_t)net->cols * (size_t)j->n;
    real *t = s->t + (size_t)(row % RING) * (size_t)net->planes * size;
    if (row >= j->band.h) {
        memset(t, 0, (size_t)net->planes * size * sizeof(real));
        return;
    }
    memset(s->line + n, 0, (j->wide - n) * sizeof(real));
    for (int plane = 0; plane < net->planes; plane++, t += size) {
        memcpy(s->line, j->x + ((size_t)plane * (size_t)j->band.rows + (size_t)(row - j->band.first)) * w + begin, n * sizeof(real));
        const real *v = j->v + (size_t)plane * (size_t)net->cols * (size_t)net->patch_cols;
        hd_thin_product(whole(net->cols, net->patch_cols, v), (size_t)j->n, s->line, 1, false, t, (size_t)j->n);
    }
}

/* E's group `group`, given T's first three rows of it. */
static void multiply_group(const stripe *s, int group)
{
    const job *j = s->j;
    const size_t planes = (size_t)j->net->planes, size = (size_t)j->net->cols * (size_t)j->n, apart = (size_t)j->groups * planes * j->e_row;
    for (int i = HD_FILTER4_IN - TILE; i < HD_FILTER4_IN; i++) {
        multiply_row(s, TILE * group + i);
    }
    for (size_t plane = 0; plane < planes; plane++) {
        const real *t[HD_FILTER4_IN];
        for (int i = 0; i < HD_FILTER4_IN; i++) {
            t[i] = s->t + ((size_t)((TILE * group + i) % RING) * planes + plane) * size;
        }
        hd_filter4_in(size, t, s->e + ((size_t)(group % j->groups) * planes + plane) * j->e_row, apart);
    }
}

/* Column `l` of H of the windows of tile `tile`. */
static void encode(const stripe *s, int tile, int l)
{
    const job *j = s->j;
    const hd_matnet *net = j->net;
    const int k = net->rows, gd = j->groups * net->planes, turn = (j->groups - tile % j->groups) % j->groups;
    const size_t n = (size_t)j->n, slice = (size_t)k * n, of = 2 * (size_t)gd;
    for (size_t f = 0; f < NINE; f++) {
        const hd_thin u = { k, gd, turn * net->planes, 2 * gd, j->u + f * (size_t)k * of };
        hd_thin_product(u, n, s->e + f * (size_t)gd * j->e_row + (size_t)l * n, j->e_row, false, s->m + f * slice, n);
    }
    real *h = s->h + (size_t)l * slice;
    const size_t apart = (size_t)net->cols * slice;
    for (size_t i = 0; i < (size_t)k; i++) {
        hd_filter4_out(n, s->m + i * n, slice, j->b[i * (size_t)net->cols + (size_t)l], h + i * n, apart);
    }
    const hd_activation act = (hd_activation)net->activation;
    for (size_t row = 0; row < TILE; row++) {
        hd_activate_here(act, hd_activation_alpha(act), slice, h + row * apart, h + row * apart);
    }
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

/* Windows of row `i` of a tile, their first pixels in row `index` of g. */
static void decode(const stripe *s, int i, int index)
{
    const job *j = s->j;
    const hd_matnet *net = j->net;
    const size_t n = (size_t)j->n, row = (size_t)net->cols * n, slice = (size_t)net->rows * n;
    for (size_t l = 0; l < (size_t)net->cols; l++) {
        const real *h = s->h + ((size_t)i * (size_t)net->cols + l) * slice;
        real *y = (is_linear(j) ? s->g + (size_t)index * j->g_row : s->full) + l * n;
        hd_thin_product(whole(net->patch_rows, net->rows, j->r), n, h, n, is_linear(j), y, row);
    }
    const hd_activation act = (hd_activation)net->output_activation;
    for (int p = 0; p < net->patch_rows && !is_linear(j); p++) {
        hd_thin_product(whole(net->patch_cols, net->cols, j->s), n, s->full + (size_t)p * row, n, false, s->z, n);
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
            hd_thin_product(whole(j->net->patch_cols, j->net->cols, j->s), (size_t)j->n, g, (size_t)j->n, false, s->z, (size_t)j->n);
            add_shifted(s, out);
        } else {
            memcpy(out, g, j->wide * sizeof(real));
        }
    }
}

/* A thread's arrays from `work` on, if that is not NULL; returns how long they are together. */
static size_t lay_out(const job *j, real *work, stripe *s)
{
    const hd_matnet *net = j->net;
    const size_t n = (size_t)j->n, row = (size_t)net->cols * n, planes = (size_t)net->planes, rows = (size_t)net->rows, p = (size_t)net->patch_rows;
    const struct { real **array; size_t length; } parts[] = {
        { &s->t, RING * planes * row }, { &s->e, NINE * (size_t)j->groups * planes * j->e_row }, { &s->m, NINE * rows * n }, { &s->h, TILE * rows * row },
        { &s->g, (BLOCK + p - 1) * j->g_row }, { &s->full, is_linear(j) ? 0 : p * row }, { &s->z, (size_t)net->patch_cols * n }, { &s->line, j->wide },
    };
    size_t length = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; length += parts[i++].length) {
        if (work) {
            *parts[i].array = work + length;
        }
    }
    return lines(length);
}

/* Rows of windows of tile `tile`, those before `end`, into g from row `index` on. */
static void run_tile(const stripe *s, int tile, int end, int index)
{
    const job *j = s->j;
    multiply_group(s, tile + j->groups - 1);
    for (int l = 0; l < j->net->cols; l++) {
        encode(s, tile, l);
    }
    for (int i = 0; i < TILE && TILE * tile + i < end; i++) {
        decode(s, i, index + i);
    }
}

static void stripe_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const int p = j->net->patch_rows, rows = j->band.to - j->band.from, part = task / j->stripes, number = task % j->stripes;
    const int from = j->band.from + (int)((int64_t)rows * part / j->parts), to = j->band.from + (int)((int64_t)rows * (part + 1) / j->parts);
    const int first = from - p + 1 > 0 ? (from - p + 1) / TILE * TILE : 0, last = to < j->down ? to : j->down; /* rows of windows */
    stripe s = { .j = j, .begin = number * j->n, .windows = j->across - number * j->n < j->n ? j->across - number * j->n : j->n, .row = first };
    lay_out(j, j->work + (size_t)thread * j->each, &s);
    const size_t kept = (size_t)(p - 1) * j->g_row;
    for (int i = 0; i < HD_FILTER4_IN - TILE; i++) {
        multiply_row(&s, first + i);
    }
    for (int i = 0; i < j->groups - 1; i++) {
        multiply_group(&s, first / TILE + i);
    }
    memset(s.g, 0, kept * sizeof(real));
    for (; s.row < last; s.row += BLOCK) {
        memset(s.g + kept, 0, BLOCK * j->g_row * sizeof(real));
        for (int i = 0; i < BLOCK && s.row + i < last; i += TILE) {
            run_tile(&s, (s.row + i) / TILE, last, i);
        }
        const int done = last - s.row < BLOCK ? last - s.row : BLOCK;
        emit(&s, done, from, to);
        memmove(s.g, s.g + (size_t)done * j->g_row, kept * sizeof(real));
    }
    s.row = last;
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

/* U, by the filter's products: nine matrices [K, 2 G D], the columns of the groups twice, so that G of them from any group on lie together. */
static void pack_encoder(const job *j, real *u)
{
    const hd_matnet *net = j->net;
    const int gd = j->groups * net->planes;
    const size_t one = (size_t)net->rows * 2 * (size_t)gd;
    for (int k = 0; k < net->rows; k++) {
        for (int at = 0; at < 2 * gd; at++) {
            const int group = at % gd / net->planes, plane = at % net->planes;
            real taps[HD_FILTER4], w[NINE];
            for (int i = 0, p = group * HD_FILTER4; i < HD_FILTER4; i++, p++) {
                taps[i] = p < net->patch_rows ? net->weights[(plane * net->rows + k) * net->patch_rows + p] : 0;
            }
            hd_filter4_weights(taps, w);
            for (size_t f = 0; f < NINE; f++) {
                u[f * one + (size_t)(k * 2 * gd + at)] = w[f];
            }
        }
    }
    for (size_t f = 0; f < NINE; f++) {
        hd_thin_pack(net->rows, 2 * gd, u + f * one, 2 * (size_t)gd, 1, j->u + f * one);
    }
}

/* Weights as the products take them; u: scratch. */
static void pack(job *j, real *u)
{
    const hd_matnet *net = j->net;
    const size_t k = (size_t)net->rows, l = (size_t)net->cols, p = (size_t)net->patch_rows, q = (size_t)net->patch_cols, d = (size_t)net->planes;
    const real *w = net->weights + d * k * p;
    pack_encoder(j, u);
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

void hd_matnet_reach(const hd_matnet *net, hd_band band, int *low, int *high)
{
    const int down = band.h - net->patch_rows + 1, first = band.from - net->patch_rows + 1, last = (band.to < down ? band.to : down) - 1;
    const int groups = (net->patch_rows + HD_FILTER4 - 1) / HD_FILTER4, end = (last / TILE + groups) * TILE + HD_FILTER4_IN - TILE;
    *low = first > 0 ? first / TILE * TILE : 0;
    *high = end < band.h ? end : band.h;
}

hd_status hd_matnet_windows(hd_context *c, const hd_matnet *net, hd_band band, const real *x, real *y)
{
    job j = { .net = net, .band = band, .x = x, .y = y, .pool = c->pool, .down = band.h - net->patch_rows + 1, .across = band.w - net->patch_cols + 1 };
    const int threads = hd_pool_threads(c->pool), rows = band.to - band.from;
    const size_t sums = (size_t)(net->patch_rows + 1) * (size_t)(net->patch_cols + 1) * sizeof(double);
    j.groups = (net->patch_rows + HD_FILTER4 - 1) / HD_FILTER4;
    j.n = j.across < STRIPE ? (j.across + HD_THIN_COLS - 1) / HD_THIN_COLS * HD_THIN_COLS : STRIPE;
    j.stripes = (j.across + j.n - 1) / j.n;
    j.wide = (size_t)(j.n + net->patch_cols - 1);
    j.e_row = (size_t)net->cols * (size_t)j.n + GAP; /* an odd number of cache lines: rows of E fall on different sets */
    j.g_row = is_linear(&j) ? (size_t)net->cols * (size_t)j.n : j.wide;
    /* Parts of the rows do the P - 1 rows above them again: only for threads that would have no stripe. */
    const int wanted = threads > 1 ? (2 * threads + j.stripes - 1) / j.stripes : 1, most = rows / LEAST > 1 ? rows / LEAST : 1;
    j.parts = wanted < most ? wanted : most;
    j.each = lay_out(&j, NULL, &(stripe){ 0 });
    const size_t u = NINE * (size_t)net->rows * 2 * (size_t)j.groups * (size_t)net->planes, weights = hd_matnet_weights(net);
    const size_t partial = lines((size_t)rows * (size_t)j.stripes * j.wide), packed = lines(u + weights);
    j.u = hd_reserve(c, sums + (packed + u + partial + j.each * (size_t)threads) * sizeof(real), "windows of a picture");
    if (!j.u) {
        return HD_ERR_MEMORY;
    }
    j.v = j.u + u;
    j.r = j.v + (size_t)net->planes * (size_t)net->cols * (size_t)net->patch_cols;
    j.s = j.r + net->patch_rows * net->rows;
    j.work = j.u + packed;
    j.partial = j.work + j.each * (size_t)threads;
    j.sums = (double *)(j.partial + partial);
    pack(&j, (real *)(j.sums + sums / sizeof(double)));
    hd_pool_run(c->pool, j.stripes * j.parts, stripe_task, &j);
    hd_pool_run(c->pool, rows, blend_task, &j);
    hd_release(c, j.u);
    return HD_OK;
}
