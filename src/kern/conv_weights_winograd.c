/* The weight gradient of 3x3 convolutions of stride 1 by Winograd's minimal filtering F(3x3, 4x4) (Lavin & Gray 2016): dW is
 * the correlation of X with dY, so 4x4 tiles of dY are the filters, 6x6 windows of X the inputs and the nine taps the
 * outputs. The 36 products of a tile, where the direct sum takes 144, are summed over all tiles before dW is computed from
 * the sums, once. Interpolation at 0, 1, -1, 2, -2 and infinity; the fractions are left to that last step.
 *
 * Work is cut into parts of filters and channels, whose sums stay in a thread's scratch, and into chunks of tiles. */
#include "kern/conv_weights_form.h"
#include "kern/vec.h"

#include <stdint.h>
#include <string.h>

enum {
    OUT = 4, IN = 6, POINTS = IN * IN, /* sides of a tile of dY and of a window of X */
    QUAD = 4, PANEL = 2 * HD_VL,       /* filters and channels of a register tile */
    PART = 8 * HD_VL,                  /* most filters and most channels of a task */
    TILES = 32,                        /* of a block */
    PAD = 16,                          /* or the points of a tile would lie in few sets of the cache */
    X_POINT = TILES * PANEL + PAD, DY_POINT = TILES * QUAD + PAD,
    X_SIZE = PART / PANEL * POINTS * X_POINT, DY_SIZE = PART / QUAD * POINTS * DY_POINT,
    SUM = QUAD * PANEL, SUMS = POINTS * PART * PART,
    TASKS = 16,
};

_Static_assert((X_SIZE + DY_SIZE + SUMS) * sizeof(real) <= HD_THREAD_SCRATCH, "a task works in its thread's scratch");

typedef struct job {
    const hd_conv_shape *s;
    hd_pool *pool;
    int tile_cols, tiles; /* of an image: in a row, in all */
    int all, chunks, filter_parts, channel_parts;
    size_t size; /* of dW */
    const real *x, *dy;
    real *dw, *partial;
} job;

/* Of one task; sums: (point, panel of channels, strip of filters, filter, channel). */
typedef struct part {
    int filter, filters, strips, channel, channels, panels;
    real *x, *dy, *sums;
} part;

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int ceil_div(int a, int b)
{
    return a / b + (a % b != 0); /* a + b may be too large */
}

/* --- transforms -------------------------------------------------------------------------------------------- */

/* Along one axis of a window: B^T of F(4, 3), as its points are the same. */
HD_INLINE void input_line(const vec d[IN], vec t[IN])
{
    const vec four = vset(4), two = vset(2);
    const vec a = vsub(d[4], vmul(four, d[2])), b = vsub(d[3], vmul(four, d[1]));
    const vec c = vsub(d[4], d[2]), e = vmul(two, vsub(d[3], d[1]));
    t[0] = vmadd(four, vsub(d[0], d[2]), c);
    t[1] = vadd(a, b);
    t[2] = vsub(a, b);
    t[3] = vadd(c, e);
    t[4] = vsub(c, e);
    t[5] = vmadd(four, vsub(d[1], d[3]), vsub(d[5], d[3]));
}

/* Values of the polynomial with coefficients g at the points. */
HD_INLINE void filter_line(const vec g[OUT], vec t[IN])
{
    const vec four = vset(4), two = vset(2);
    const vec even = vadd(g[0], g[2]), odd = vadd(g[1], g[3]);
    const vec even2 = vmadd(four, g[2], g[0]), odd2 = vmul(two, vmadd(four, g[3], g[1]));
    t[0] = g[0];
    t[1] = vadd(even, odd);
    t[2] = vsub(even, odd);
    t[3] = vadd(even2, odd2);
    t[4] = vsub(even2, odd2);
    t[5] = g[3];
}

/* Three taps from the sums at the points: row i of A^T has p^i / prod (p - q) over the other points q. */
HD_INLINE void tap_line(const vec m[IN], vec y[3])
{
    const vec s = vmul(vset((real)(-1.0 / 6)), vadd(m[1], m[2])), d = vmul(vset((real)(-1.0 / 6)), vsub(m[1], m[2]));
    const vec s2 = vadd(m[3], m[4]), d2 = vsub(m[3], m[4]);
    y[0] = vmadd(vset((real)0.25), m[0], vmadd(vset((real)(1.0 / 24)), s2, s));
    y[1] = vmadd(vset((real)(1.0 / 12)), d2, d);
    y[2] = vadd(m[5], vmadd(vset((real)(1.0 / 6)), s2, s));
}

/* Vectors of `count` channels at each of the pixels -> out[point * step]. */
HD_INLINE void transform(const real *const *pixels, size_t from, size_t count, int side,
                         void (*line)(const vec *, vec *), real *out, size_t step)
{
    vec between[IN][OUT < IN ? IN : OUT], d[IN], t[IN];
    for (int col = 0; col < side; col++) {
        for (int row = 0; row < side; row++) {
            d[row] = vload_upto(pixels[row * side + col] + from, count);
        }
        line(d, t);
        for (int row = 0; row < IN; row++) {
            between[row][col] = t[row];
        }
    }
    for (int row = 0; row < IN; row++) {
        line(between[row], t);
        for (int col = 0; col < IN; col++) {
            vstore(out + (size_t)(row * IN + col) * step, t[col]);
        }
    }
}

/* Pointers to side x side pixels from (row, col) on of an image (h, w, channels); outside of it, to zeros. */
static void point(const real *image, int h, int w, int channels, int row, int col, int side, const real *zeros,
                  const real **to)
{
    for (int i = row; i < row + side; i++) {
        for (int j = col; j < col + side; j++) {
            const bool in = i >= 0 && i < h && j >= 0 && j < w;
            *to++ = in ? image + ((size_t)i * (size_t)w + (size_t)j) * (size_t)channels : zeros;
        }
    }
}

/* Panels of `width` of `count` channels; what is missing in the last one is zero. */
HD_INLINE void transform_all(const real *const *pixels, int count, int width, int side,
                             void (*line)(const vec *, vec *), real *out, size_t step)
{
    for (int c = 0; c < count; c += width, out += POINTS * step) {
        for (int l = 0; l < width; l += HD_VL) {
            const int left = count - c - l;
            if (left >= HD_VL) {
                transform(pixels, (size_t)(c + l), HD_VL, side, line, out + l, step);
            } else {
                transform(pixels, left > 0 ? (size_t)(c + l) : 0, left > 0 ? (size_t)left : 0, side, line, out + l, step);
            }
        }
    }
}

/* Functions of their own: engines assign registers badly in one that holds them all. */
static __attribute__((noinline)) void transform_inputs(const real *const *pixels, int count, real *out)
{
    transform_all(pixels, count, PANEL, IN, input_line, out, X_POINT);
}

static __attribute__((noinline)) void transform_filters(const real *const *pixels, int count, real *out)
{
    transform_all(pixels, count, QUAD, OUT, filter_line, out, DY_POINT);
}

static void transform_tile(const job *j, const part *o, int tile, int at)
{
    static const real zeros[PART] = { 0 };
    const hd_conv_shape *s = j->s;
    const real *pixels[POINTS];
    const size_t image = (size_t)(tile / j->tiles), h = (size_t)s->h, w = (size_t)s->w, oh = (size_t)s->oh, ow = (size_t)s->ow;
    const int row = tile % j->tiles / j->tile_cols * OUT, col = tile % j->tiles % j->tile_cols * OUT;
    point(j->x + image * h * w * (size_t)s->c + o->channel, s->h, s->w, s->c, row - s->top, col - s->left, IN, zeros, pixels);
    transform_inputs(pixels, o->channels, o->x + at * PANEL);
    point(j->dy + image * oh * ow * (size_t)s->k + o->filter, s->oh, s->ow, s->k, row, col, OUT, zeros, pixels);
    transform_filters(pixels, o->filters, o->dy + at * QUAD);
}

/* --- sums -------------------------------------------------------------------------------------------------- */

/* One point of some tiles: a panel of channels times all strips of filters. */
static __attribute__((noinline)) void add_point(const real *x, const real *dy, int strips, int tiles, real *sums)
{
    for (int i = 0; i < strips; i++, dy += POINTS * DY_POINT, sums += SUM) {
        vec s00 = vzero(), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
        const real *v = x, *d = dy;
        for (int t = tiles; t > 0; t--, v += PANEL, d += QUAD) {
            const vec v0 = vload(v), v1 = vload(v + HD_VL);
            vec u = vset(d[0]);
            s00 = vmadd(u, v0, s00);
            s01 = vmadd(u, v1, s01);
            u = vset(d[1]);
            s10 = vmadd(u, v0, s10);
            s11 = vmadd(u, v1, s11);
            u = vset(d[2]);
            s20 = vmadd(u, v0, s20);
            s21 = vmadd(u, v1, s21);
            u = vset(d[3]);
            s30 = vmadd(u, v0, s30);
            s31 = vmadd(u, v1, s31);
        }
        const vec s[] = { s00, s01, s10, s11, s20, s21, s30, s31 };
        for (int l = 0; l < 8; l++) {
            vstore(sums + l * HD_VL, vadd(vload(sums + l * HD_VL), s[l]));
        }
    }
}

static void add_block(const job *j, const part *o, int first, int tiles)
{
    for (int t = 0; t < tiles; t++) {
        transform_tile(j, o, first + t, t);
    }
    real *sums = o->sums;
    for (int p = 0; p < POINTS; p++) {
        for (int c = 0; c < o->panels; c++, sums += o->strips * SUM) {
            add_point(o->x + (c * POINTS + p) * X_POINT, o->dy + p * DY_POINT, o->strips, tiles, sums);
        }
    }
}

/* The nine taps of one filter and a vector of channels. */
static void put_taps(const real *sums, size_t step, real *dw, size_t tap, size_t count)
{
    vec between[3][IN], m[IN], y[3];
    for (int col = 0; col < IN; col++) {
        for (int row = 0; row < IN; row++) {
            m[row] = vload(sums + (size_t)(row * IN + col) * step);
        }
        tap_line(m, y);
        for (int row = 0; row < 3; row++) {
            between[row][col] = y[row];
        }
    }
    for (int row = 0; row < 3; row++) {
        tap_line(between[row], y);
        for (int col = 0; col < 3; col++, dw += tap) {
            vstore_upto(dw, y[col], count);
        }
    }
}

static void put_part(const job *j, const part *o, real *dw)
{
    const size_t channels = (size_t)j->s->c, step = (size_t)(o->panels * o->strips) * SUM;
    for (int f = 0; f < o->filters; f++) {
        real *filter = dw + (size_t)(o->filter + f) * 9 * channels + o->channel;
        for (int c = 0; c < o->channels; c += HD_VL) {
            const size_t strip = (size_t)(c / PANEL * o->strips + f / QUAD);
            put_taps(o->sums + strip * SUM + f % QUAD * PANEL + c % PANEL, step, filter + c, channels,
                     (size_t)(o->channels - c));
        }
    }
}

/* --- tasks ------------------------------------------------------------------------------------------------- */

static void part_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const int parts = j->channel_parts * j->filter_parts, chunk = task / parts;
    part o = { .filter = task % parts / j->channel_parts * PART, .channel = task % j->channel_parts * PART };
    o.filters = least(PART, j->s->k - o.filter);
    o.channels = least(PART, j->s->c - o.channel);
    o.strips = ceil_div(o.filters, QUAD);
    o.panels = ceil_div(o.channels, PANEL);
    o.x = hd_pool_scratch(j->pool, thread);
    o.dy = o.x + X_SIZE;
    o.sums = o.dy + DY_SIZE;
    memset(o.sums, 0, SUMS * sizeof(real));
    const int first = (int)((int64_t)j->all * chunk / j->chunks), end = (int)((int64_t)j->all * (chunk + 1) / j->chunks);
    for (int t = first; t < end; t += TILES) {
        add_block(j, &o, t, least(TILES, end - t));
    }
    put_part(j, &o, chunk ? j->partial + (size_t)(chunk - 1) * j->size : j->dw);
}

static job make_job(const hd_conv_shape *s, int n)
{
    job j = { .s = s, .tile_cols = ceil_div(s->ow, OUT), .size = (size_t)s->k * 9 * (size_t)s->c };
    j.tiles = j.tile_cols * ceil_div(s->oh, OUT);
    j.all = n * j.tiles;
    j.filter_parts = ceil_div(s->k, PART);
    j.channel_parts = ceil_div(s->c, PART);
    j.chunks = least(hd_conv_weights_winograd_chunks(s), ceil_div(j.all, TILES));
    return j;
}

int hd_conv_weights_winograd_chunks(const hd_conv_shape *s)
{
    return hd_weight_chunks(ceil_div(TASKS, ceil_div(s->k, PART) * ceil_div(s->c, PART)), (size_t)s->k * 9 * (size_t)s->c);
}

/* In multiply-adds, as they count in the direct sum. Measured: a transformed channel or filter of a tile counts as four at each
 * point, the last step of a chunk as ten tiles. */
bool hd_conv_weights_winograd_wins(const hd_conv_shape *s, int n)
{
    if (s->kh != 3 || s->kw != 3 || s->sh != 1 || s->sw != 1 || s->dh != 1 || s->dw != 1 || s->groups != 1 || s->c < PANEL) {
        return false;
    }
    const job j = make_job(s, n);
    const double c = ceil_div(s->c, PANEL) * PANEL, k = ceil_div(s->k, QUAD) * QUAD;
    const double tile = POINTS * (1.2 * c * k + 4 * (c * j.filter_parts + k * j.channel_parts));
    return j.all * tile + j.chunks * 10 * POINTS * c * k < 9.0 * n * s->oh * s->ow * s->c * s->k;
}

int hd_conv_weights_winograd(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *dy, real *dw, real *partial)
{
    job j = make_job(s, n);
    j.pool = p;
    j.x = x;
    j.dy = dy;
    j.dw = dw;
    j.partial = partial;
    hd_pool_run(p, j.chunks * j.filter_parts * j.channel_parts, part_task, &j);
    return j.chunks;
}
