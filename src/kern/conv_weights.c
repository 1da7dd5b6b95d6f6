/* The weight gradient as outer products of pixels, with no im2col. A block of output pixels, the input pixels under it and
 * the strips of channels and filters at hand are packed so that a panel of X and a strip of dY stay in the first-level
 * cache; each tap then runs over the pixels that it sees inside the image, with its sums in registers.
 *
 * Work is cut by channels, filters and groups (parts) and, where dW is small, by pixels (chunks, summed in order). */
#include "kern/conv_weights_form.h"
#include "kern/conv_weights_kernel.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    NEAR_SIZE = (24 << 10) / sizeof(real),              /* of a panel of X and a strip of dY */
    FAR_SIZE = HD_THREAD_SCRATCH / sizeof(real),        /* of all that a task packs at once */
    PARTIAL_SIZE = 1 << 19,                             /* of all partial sums of dW */
    TASKS = 16,                                         /* about as many as dW is cut into */
    PART_FILTERS = 32, PART_CHANNELS = 128,             /* most of one part */
    TAPS = 32,                                          /* whose walks are kept at once */
    ADD_BLOCK = 4096,                                   /* elements of a task that adds partial sums */
};

/* How a shape is computed, whatever N is. */
typedef struct plan {
    hd_conv_shape s;              /* with few channels: each kernel row is one tap of kw * c channels */
    int cg, kg;                   /* channels and filters of a group */
    int column;                   /* elements from one input column to the next */
    int tap_rows, tap_cols;       /* taps for which X is packed together */
    int images, rows, cols;       /* of a block of output pixels */
    int bands, strips;            /* of such rows and columns in an image */
    int groups, filters, channels; /* of a part */
    int group_parts, filter_parts, channel_parts;
    int chunks;                   /* at most */
} plan;

typedef struct job {
    plan p;
    hd_pool *pool;
    int n, blocks, chunks;
    size_t size; /* of dW */
    const real *x, *dy;
    real *dw, *partial;
} job;

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* a / b rounded up, b > 0 */
static int ceil_div(int a, int b)
{
    return a / b + (a % b > 0);
}

static int round_up(int a, int unit)
{
    return ceil_div(a, unit) * unit;
}

/* Size of a share of `size` when it is cut into the fewest equal ones of at most `largest`. */
static int even_share(int size, int largest)
{
    return ceil_div(size, ceil_div(size, largest));
}

/* --- plan ------------------------------------------------------------------------------------------------- */

/* Rows or columns of X to pack for `out` of the output: all under the taps, or of a single tap only those it reads. */
static int extent(int taps, int stride, int dilation, int out)
{
    return taps == 1 ? out : (out - 1) * stride + (taps - 1) * dilation + 1;
}

static int64_t input_pixels(const plan *p, int images, int rows, int cols)
{
    return (int64_t)images * extent(p->tap_rows, p->s.sh, p->s.dh, rows) * extent(p->tap_cols, p->s.sw, p->s.dw, cols);
}

static int64_t near_size(const plan *p, int images, int rows, int cols)
{
    return HD_PANEL * input_pixels(p, images, rows, cols) + HD_QUAD * (int64_t)images * rows * cols;
}

/* Blocks of whole images, rows of one image, or parts of a row. */
static void plan_block(plan *p)
{
    const hd_conv_shape *s = &p->s;
    int images = 1, rows = 1, cols = s->ow;
    p->tap_rows = s->kh;
    p->tap_cols = s->kw;
    if (near_size(p, 1, 1, cols) > 2 * NEAR_SIZE) {
        p->tap_rows = 1;
    }
    if (near_size(p, 1, 1, cols) > 2 * NEAR_SIZE) {
        p->tap_cols = 1;
    }
    while (near_size(p, 1, 1, cols) > 2 * NEAR_SIZE) {
        cols = ceil_div(cols, 2);
    }
    if (cols == s->ow) {
        while (rows < s->oh && near_size(p, 1, rows + 1, cols) <= NEAR_SIZE) {
            rows++;
        }
    }
    if (cols == s->ow && rows == s->oh) {
        images = most(1, (int)(NEAR_SIZE / near_size(p, 1, rows, cols)));
    }
    p->images = images;
    p->rows = even_share(s->oh, rows);
    p->cols = even_share(s->ow, cols);
    p->bands = ceil_div(s->oh, p->rows);
    p->strips = ceil_div(s->ow, p->cols);
}

int hd_weight_chunks(int wanted, size_t size)
{
    return least(wanted, 1 + (int)(PARTIAL_SIZE / size));
}

static void plan_parts(plan *p, size_t size)
{
    const int in = (int)input_pixels(p, p->images, p->rows, p->cols), out = p->images * p->rows * p->cols;
    const int channels = least(FAR_SIZE / 4 * 3 / in, PART_CHANNELS) & ~(HD_PANEL - 1);
    const int filters = least(FAR_SIZE / 4 / out, PART_FILTERS) & ~(HD_QUAD - 1);
    p->channels = round_up(even_share(p->cg, most(channels, HD_PANEL)), HD_PANEL);
    p->filters = round_up(even_share(p->kg, most(filters, HD_QUAD)), HD_QUAD);
    p->groups = 1;
    if (p->channels >= p->cg && p->filters >= p->kg) {
        p->groups = least(p->s.groups, most(1, least(channels / p->channels, filters / p->filters)));
    }
    p->group_parts = ceil_div(p->s.groups, p->groups);
    p->filter_parts = ceil_div(p->kg, p->filters);
    p->channel_parts = ceil_div(p->cg, p->channels);
    const int parts = p->group_parts * p->filter_parts * p->channel_parts;
    p->chunks = hd_weight_chunks(ceil_div(TASKS, parts), size);
}

static size_t weights_size(const hd_conv_shape *s)
{
    return (size_t)s->k * (size_t)s->kh * (size_t)s->kw * (size_t)(s->c / s->groups);
}

static plan make_plan(const hd_conv_shape *s)
{
    plan p = { .s = *s, .cg = s->c / s->groups, .kg = s->k / s->groups, .column = s->c };
    /* In NHWC a kernel row is contiguous in X. */
    if (s->groups == 1 && s->dw == 1 && ceil_div(s->kw * s->c, HD_VL) < s->kw * ceil_div(s->c, HD_VL)) {
        p.cg = s->kw * s->c;
        p.s.kw = 1;
    }
    plan_block(&p);
    plan_parts(&p, weights_size(s));
    return p;
}

/* --- packing ---------------------------------------------------------------------------------------------- */

/* Output pixels of a block, and the rows and columns of X (single tap: of the output) that are packed for it. */
typedef struct block {
    int image, images, i, rows, j, cols;
    int p, x_rows, q, x_cols;
} block;

static block find_block(const job *j, int number)
{
    const plan *p = &j->p;
    const int strip = number % p->strips, band = number / p->strips % p->bands, image = number / p->strips / p->bands;
    block b = { .image = image * p->images, .i = band * p->rows, .j = strip * p->cols };
    b.images = least(p->images, j->n - b.image);
    b.rows = least(p->rows, p->s.oh - b.i);
    b.cols = least(p->cols, p->s.ow - b.j);
    return b;
}

/* Which part of X the taps from `first` on see of `out` positions from `start`: [*from, *from + returned). */
static int seen(int taps, int first, int stride, int dilation, int pad, int size, int start, int out, int *from)
{
    if (taps == 1) {
        *from = start;
        return out;
    }
    const int begin = start * stride + first * dilation - pad;
    *from = most(0, begin);
    return most(0, least(size, begin + extent(taps, stride, dilation, out)) - *from);
}

/* `count` pixels: the `width` elements from `at` on of a row of `length`, zero outside of it. */
HD_INLINE void pack_pixels(const real *row, ptrdiff_t length, ptrdiff_t at, ptrdiff_t step, int count, int width, real *out)
{
    for (int i = 0; i < count; i++, at += step, out += width) {
        if (at >= 0 && at + width <= length) {
            for (int l = 0; l < width; l += HD_VL) {
                vstore(out + l, vload(row + at + l));
            }
        } else {
            for (int l = 0; l < width; l++) {
                out[l] = at + l >= 0 && at + l < length ? row[at + l] : 0;
            }
        }
    }
}

/* HD_QUAD filters from `filter` on, for all pixels of the block. */
static void pack_dy(const job *j, const block *b, int filter, real *out)
{
    const hd_conv_shape *s = &j->p.s;
    const ptrdiff_t length = (ptrdiff_t)s->ow * s->k;
    for (int n = 0; n < b->images; n++) {
        for (int i = 0; i < b->rows; i++, out += b->cols * HD_QUAD) {
            const real *row = j->dy + ((size_t)(b->image + n) * (size_t)s->oh + (size_t)(b->i + i)) * (size_t)length;
            pack_pixels(row, length, (ptrdiff_t)b->j * s->k + filter, s->k, b->cols, HD_QUAD, out);
        }
    }
}

/* HD_PANEL channels from `channel` on, for the taps from (a, c) on. Rows outside of the image stay unwritten. */
static void pack_x(const job *j, const block *b, int a, int c, int channel, real *out)
{
    const plan *p = &j->p;
    const hd_conv_shape *s = &p->s;
    const bool one_row = p->tap_rows == 1, one_col = p->tap_cols == 1;
    const int first_col = one_col ? b->q * s->sw + c * s->dw - s->left : b->q;
    const ptrdiff_t length = (ptrdiff_t)s->w * p->column, at = (ptrdiff_t)first_col * p->column + channel;
    const ptrdiff_t step = (ptrdiff_t)p->column * (one_col ? s->sw : 1);
    for (int n = 0; n < b->images; n++) {
        for (int i = 0; i < b->x_rows; i++, out += b->x_cols * HD_PANEL) {
            const int row = one_row ? (b->p + i) * s->sh + a * s->dh - s->top : b->p + i;
            if (row >= 0 && row < s->h) {
                const real *x = j->x + ((size_t)(b->image + n) * (size_t)s->h + (size_t)row) * (size_t)length;
                pack_pixels(x, length, at, step, b->x_cols, HD_PANEL, out);
            }
        }
    }
}

/* --- sums of one block ------------------------------------------------------------------------------------ */

/* Channels and filters of a task: the same of each group in [group, group_end). */
typedef struct part {
    int group, group_end, filter, filter_end, channel, channel_end;
    real *dw, *packed_x, *packed_dy;
} part;

/* A tap of a block: where it starts in dW and in each panel and strip, and how it goes on. */
typedef struct tap {
    size_t dw, x, dy;
    hd_walk walk;
} tap;

/* Of positions [start, start + count): those for which stride * position + offset lies in [0, size). */
static int inside(int start, int count, int stride, int offset, int size, int *first)
{
    *first = most(start, ceil_div(-offset, stride));
    return most(0, least(start + count, ceil_div(size - offset, stride)) - *first);
}

/* Tap (a, c) of a block. */
static tap make_tap(const plan *p, const block *b, int a, int c)
{
    const hd_conv_shape *s = &p->s;
    const bool one_row = p->tap_rows == 1, one_col = p->tap_cols == 1;
    const int down = a * s->dh - s->top, right = c * s->dw - s->left;
    int i = b->i, j = b->j;
    tap t = { .dw = ((size_t)a * (size_t)s->kw + (size_t)c) * (size_t)p->cg };
    const int rows = inside(b->i, b->rows, s->sh, down, s->h, &i);
    const int cols = one_col ? b->cols : inside(b->j, b->cols, s->sw, right, s->w, &j);
    if (!rows || !cols) {
        return t;
    }
    const size_t line = (size_t)b->x_cols * HD_PANEL, dy_line = (size_t)b->cols * HD_QUAD;
    t.x = (size_t)(one_row ? i - b->i : i * s->sh + down - b->p) * line;
    t.x += (size_t)(one_col ? 0 : j * s->sw + right - b->q) * HD_PANEL;
    t.dy = (size_t)(i - b->i) * dy_line + (size_t)(j - b->j) * HD_QUAD;
    t.walk = (hd_walk){ .x_image = (size_t)b->x_rows * line, .x_row = line * (size_t)(one_row ? 1 : s->sh),
                        .x_step = (size_t)(HD_PANEL * (one_col ? 1 : s->sw)), .images = b->images, .rows = rows,
                        .dy_image = (size_t)b->rows * dy_line, .dy_row = dy_line, .cols = cols };
    return t;
}

/* The filters of one group times a panel of `channels` channels from `channel` on, for some taps. */
static void multiply_panel(const plan *p, const part *o, const tap *taps, int count, int filter, const real *x,
                           const real *dy, size_t strip, real *dw, int channels, bool add)
{
    const size_t row = (size_t)p->s.kh * (size_t)p->s.kw * (size_t)p->cg;
    const bool narrow = channels <= HD_VL;
    hd_weight_tile tile = { .filter = row, .channels = channels, .add = add };
    const int strips = narrow ? 2 : 1;
    for (; filter < o->filter_end; filter += strips * HD_QUAD, dy += (size_t)strips * strip) {
        tile.filters = least(strips * HD_QUAD, o->filter_end - filter);
        for (int i = 0; i < count; i++) {
            const tap *t = &taps[i];
            hd_walk w = t->walk;
            w.x = x + t->x;
            w.dy = dy + t->dy;
            w.dy_next = tile.filters > HD_QUAD ? w.dy + strip : w.dy;
            tile.dw = dw + (size_t)filter * row + t->dw;
            (narrow ? weights_8x1 : weights_4x2)(&w, &tile);
        }
    }
}

/* All tiles of a part for the taps whose X is packed. */
static void multiply(const plan *p, const part *o, const block *b, const tap *taps, int count, bool add)
{
    const size_t panel = (size_t)(b->images * b->x_rows * b->x_cols) * HD_PANEL;
    const size_t strip = (size_t)(b->images * b->rows * b->cols) * HD_QUAD;
    const real *x = o->packed_x, *dy = o->packed_dy;
    for (int g = o->group; g < o->group_end; g++) {
        const int base = g * p->kg;
        for (int c = o->channel; c < o->channel_end; c += HD_PANEL, x += panel) {
            multiply_panel(p, o, taps, count, o->filter, x, dy, strip,
                           o->dw + (size_t)base * (size_t)p->s.kh * (size_t)p->s.kw * (size_t)p->cg + c,
                           least(HD_PANEL, o->channel_end - c), add);
        }
        dy += (size_t)ceil_div(o->filter_end - o->filter, HD_QUAD) * strip;
    }
}

/* Packs X for the taps of one pass, from (a0, c0) on, and adds their products. */
static void run_pass(const job *j, const part *o, block *b, int a0, int c0, bool add)
{
    const plan *p = &j->p;
    const hd_conv_shape *s = &p->s;
    tap taps[TAPS];
    b->x_rows = seen(p->tap_rows, a0, s->sh, s->dh, s->top, s->h, b->i, b->rows, &b->p);
    b->x_cols = seen(p->tap_cols, c0, s->sw, s->dw, s->left, s->w, b->j, b->cols, &b->q);
    const size_t panel = (size_t)(b->images * b->x_rows * b->x_cols) * HD_PANEL;
    real *x = o->packed_x;
    for (int g = o->group; g < o->group_end; g++) {
        for (int c = o->channel; c < o->channel_end; c += HD_PANEL, x += panel) {
            pack_x(j, b, a0, c0, g * p->cg + c, x);
        }
    }
    const int all = p->tap_rows * p->tap_cols;
    for (int first = 0; first < all; first += TAPS) {
        const int count = least(TAPS, all - first);
        for (int i = 0; i < count; i++) {
            taps[i] = make_tap(p, b, a0 + (first + i) / p->tap_cols, c0 + (first + i) % p->tap_cols);
        }
        multiply(p, o, b, taps, count, add);
    }
}

static void run_block(const job *j, const part *o, int number, bool add)
{
    const plan *p = &j->p;
    block b = find_block(j, number);
    const size_t strip = (size_t)(b.images * b.rows * b.cols) * HD_QUAD;
    real *dy = o->packed_dy;
    for (int g = o->group; g < o->group_end; g++) {
        for (int f = o->filter; f < o->filter_end; f += HD_QUAD, dy += strip) {
            pack_dy(j, &b, g * p->kg + f, dy);
        }
    }
    for (int a = 0; a < p->s.kh; a += p->tap_rows) {
        for (int c = 0; c < p->s.kw; c += p->tap_cols) {
            run_pass(j, o, &b, a, c, add);
        }
    }
}

/* --- tasks ------------------------------------------------------------------------------------------------ */

static void part_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const plan *p = &j->p;
    const int channel = task % p->channel_parts, filter = task / p->channel_parts % p->filter_parts;
    const int rest = task / p->channel_parts / p->filter_parts, group = rest % p->group_parts, chunk = rest / p->group_parts;
    part o = { .group = group * p->groups, .filter = filter * p->filters, .channel = channel * p->channels };
    o.group_end = least(o.group + p->groups, p->s.groups);
    o.filter_end = least(o.filter + p->filters, p->kg);
    o.channel_end = least(o.channel + p->channels, p->cg);
    o.dw = chunk ? j->partial + (size_t)(chunk - 1) * j->size : j->dw;
    o.packed_x = hd_pool_scratch(j->pool, thread);
    o.packed_dy = o.packed_x + FAR_SIZE / 4 * 3;
    const int first = (int)((int64_t)j->blocks * chunk / j->chunks);
    const int end = (int)((int64_t)j->blocks * (chunk + 1) / j->chunks);
    for (int i = first; i < end; i++) {
        run_block(j, &o, i, i > first);
    }
}

static void add_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const size_t first = (size_t)task * ADD_BLOCK, left = j->size - first, n = left < ADD_BLOCK ? left : ADD_BLOCK;
    for (int chunk = 1; chunk < j->chunks; chunk++) {
        const real *from = j->partial + (size_t)(chunk - 1) * j->size + first;
        for (size_t i = 0; i < n; i += HD_VL) {
            real *to = j->dw + first + i;
            vstore_upto(to, vadd(vload_upto(to, n - i), vload_upto(from + i, n - i)), n - i);
        }
    }
}

size_t hd_conv_weights_scratch(const hd_conv_shape *s)
{
    return (size_t)(most(make_plan(s).chunks, hd_conv_weights_winograd_chunks(s)) - 1) * weights_size(s);
}

static void run_direct(job *j, const hd_conv_shape *s)
{
    j->p = make_plan(s);
    j->blocks = ceil_div(j->n, j->p.images) * j->p.bands * j->p.strips;
    j->chunks = least(j->p.chunks, j->blocks);
    hd_pool_run(j->pool, j->chunks * j->p.group_parts * j->p.filter_parts * j->p.channel_parts, part_task, j);
}

void hd_conv_weights(hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *dy, real *dw, real *scratch)
{
    job j = { .pool = p, .n = n, .size = weights_size(s), .x = x, .dy = dy, .dw = dw, .partial = scratch };
    if (n <= 0) {
        memset(dw, 0, j.size * sizeof *dw);
        return;
    }
    if (hd_conv_weights_winograd_wins(s, n)) {
        j.chunks = hd_conv_weights_winograd(p, s, n, x, dy, dw, scratch);
    } else {
        run_direct(&j, s);
    }
    if (j.chunks > 1) {
        hd_pool_run(p, (int)((j.size + ADD_BLOCK - 1) / ADD_BLOCK), add_task, &j);
    }
}
