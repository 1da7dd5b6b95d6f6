#include "kern/winograd_form.h"

#include "kern/winograd_kernel.h"

#include <math.h>

/* Tiles of output pixels go by quads, the rows of the register tile. Their transformed inputs V and the products M are
 *   V: (quad, point, tile of the quad, channel), each point begun at an odd number of cache lines, or the points of a tile
 *      would lie in the same cache set wherever there are 2^n channels;
 *   M: (quad, panel of filters, point, tile of the quad, filter of the panel);
 * the weights U: (point, panel, channel, filter of the panel).
 * Each product sums its channels in order, however the work is cut. */
enum {
    LINE = 64 / sizeof(real),                    /* elements of a cache line */
    SCRATCH = HD_THREAD_SCRATCH / sizeof(real) - HD_WINDOW,
    SHARED = HD_SHARED_SCRATCH / sizeof(real),
    NEAR_WEIGHTS = (16 << 10) / sizeof(real),    /* U of one point for which all quads are walked */
    PANELS = 8,                                  /* in M at once, with a V of its own */
    TASKS = 16,                                  /* wanted at least, of */
    OWN_LEAST = 3, OWN_MOST = 8,                 /* quads with a V of their own */
};

typedef struct form {
    int out, in, points; /* sides of the tile and of its window; products for each tile, channel and filter */
    hd_input_transform *input;
    hd_weight_transform *weight;
    hd_output_transform *output;
} form;

static const form forms[] = {
    [HD_WINOGRAD_2] = { 2, 4, 16, input_transform_2, weight_transform_2, output_transform_2 },
    [HD_WINOGRAD_4] = { 4, 6, 36, input_transform_4, weight_transform_4, output_transform_4 },
};

typedef struct job {
    hd_pool *pool;
    const hd_conv_shape *s;
    const form *f;
    const hd_epilogue *e; /* or NULL */
    bool add;
    const real *x, *prepared;
    real *y;
    size_t tile_rows, tile_cols, tiles, quads; /* of an image, an image, all, all */
    size_t v_tile, v_point, v_quad, m_panel;   /* elements */
    size_t first, last;                        /* quads whose V is shared */
    size_t step;                               /* quads a task */
    int panels, group, groups;                 /* of filters; panels a task or pass */
} job;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0); /* a + b may be too large */
}

static job make_job(hd_winograd name, const hd_conv_shape *s, int n)
{
    const form *f = &forms[name];
    job j = { .s = s, .f = f };
    j.tile_rows = ceil_div((size_t)s->oh, (size_t)f->out);
    j.tile_cols = ceil_div((size_t)s->ow, (size_t)f->out);
    j.tiles = (size_t)n * j.tile_rows * j.tile_cols;
    j.quads = ceil_div(j.tiles, HD_QUAD_TILES);
    j.v_tile = ceil_div((size_t)s->c, HD_VL) * HD_VL;
    j.v_point = (ceil_div(HD_QUAD_TILES * j.v_tile, LINE) | 1) * LINE;
    j.v_quad = (size_t)f->points * j.v_point;
    j.m_panel = (size_t)f->points * HD_QUAD_PANEL;
    j.panels = (int)ceil_div((size_t)s->k, HD_PANEL_FILTERS);
    return j;
}

/* --- weights ---------------------------------------------------------------------------------------------- */

typedef struct weights_job {
    const form *f;
    const real *w;
    real *u;
    size_t c, k; /* of what is to be run: with `flip` the filters and channels of w */
    size_t panels;
    bool flip;
} weights_job;

/* Tap `tap` of HD_VL filters (lanes) from o on, for HD_VL channels (vectors) from c on; zero where there is none. */
HD_INLINE void load_tap(const weights_job *j, size_t o, size_t c, size_t tap, vec g[HD_VL])
{
    for (size_t l = 0; l < HD_VL; l++) {
        if (j->flip) {
            g[l] = c + l < j->c ? vload_upto(j->w + ((c + l) * 9 + 8 - tap) * j->k + o, j->k - o) : vzero();
        } else {
            g[l] = o + l < j->k ? vload_upto(j->w + ((o + l) * 9 + tap) * j->c + c, j->c - c) : vzero();
        }
    }
    if (!j->flip) {
        vtranspose(g);
    }
}

static void prepare_task(void *arg, int task, int thread)
{
    (void)thread;
    const weights_job *j = arg;
    const size_t step = j->panels * j->c * HD_PANEL_FILTERS;
    real *u = j->u + (size_t)task * j->c * HD_PANEL_FILTERS;
    for (size_t c = 0; c < j->c; c += HD_VL) {
        for (size_t half = 0; half < HD_PANEL_FILTERS; half += HD_VL) {
            const size_t o = (size_t)task * HD_PANEL_FILTERS + half;
            vec taps[HD_VL][9], g[HD_VL];
            for (size_t tap = 0; tap < 9; tap++) {
                for (size_t l = 0; l < HD_VL; l++) {
                    g[l] = vzero();
                }
                if (o < j->k) {
                    load_tap(j, o, c, tap, g);
                }
                for (size_t l = 0; l < HD_VL; l++) {
                    taps[l][tap] = g[l];
                }
            }
            for (size_t l = 0; l < HD_VL && c + l < j->c; l++) {
                j->f->weight(weight_constants, taps[l], u + (c + l) * HD_PANEL_FILTERS + half, step);
            }
        }
    }
}

size_t hd_winograd_prepared_as(hd_winograd name, const hd_conv_shape *s)
{
    const size_t panels = ceil_div((size_t)s->k, HD_PANEL_FILTERS);
    return (size_t)forms[name].points * panels * (size_t)s->c * HD_PANEL_FILTERS;
}

void hd_winograd_prepare_as(hd_winograd name, hd_pool *p, const hd_conv_shape *s, bool flip, const real *w, real *prepared)
{
    weights_job j = { .f = &forms[name], .w = w, .u = prepared, .flip = flip };
    j.c = (size_t)(flip ? s->k : s->c);
    j.k = (size_t)(flip ? s->c : s->k);
    j.panels = ceil_div(j.k, HD_PANEL_FILTERS);
    hd_pool_run(p, (int)j.panels, prepare_task, &j);
}

/* --- inputs ----------------------------------------------------------------------------------------------- */

/* The image and the row and column of the first output of a tile. */
typedef struct place {
    size_t image;
    int row, col;
} place;

static place find_tile(const job *j, size_t tile)
{
    const size_t in_image = tile % (j->tile_rows * j->tile_cols);
    return (place){ tile / (j->tile_rows * j->tile_cols), (int)(in_image / j->tile_cols) * j->f->out,
                    (int)(in_image % j->tile_cols) * j->f->out };
}

/* Pointers to a window at channel c, by columns; what lies outside of the image reads zeros. */
static void point_window(const job *j, const place *at, size_t c, const real *zeros, const real **to)
{
    const hd_conv_shape *s = j->s;
    const int row = at->row - s->top, col = at->col - s->left, side = j->f->in;
    const real *image = j->x + at->image * (size_t)s->h * (size_t)s->w * (size_t)s->c + c;
    for (int b = col; b < col + side; b++) {
        for (int a = row; a < row + side; a++) {
            const bool in = a >= 0 && a < s->h && b >= 0 && b < s->w;
            *to++ = in ? image + ((size_t)a * (size_t)s->w + (size_t)b) * (size_t)s->c : zeros;
        }
    }
}

static void transform_tile(const job *j, size_t tile, real *v, real *between)
{
    static const real zeros[HD_WINDOW_CHANNELS] = { 0 };
    const real *window[36];
    const place at = find_tile(j, tile);
    for (size_t c = 0; c < (size_t)j->s->c; c += HD_WINDOW_CHANNELS) {
        point_window(j, &at, c, zeros, window);
        j->f->input(input_constants, window, least(HD_WINDOW_CHANNELS, (size_t)j->s->c - c), between, v + c, j->v_point);
    }
}

/* V of one quad; tiles beyond the last repeat it. */
static void transform_quad(const job *j, size_t quad, real *v, real *between)
{
    for (size_t i = 0; i < HD_QUAD_TILES; i++) {
        transform_tile(j, least(quad * HD_QUAD_TILES + i, j->tiles - 1), v + i * j->v_tile, between);
    }
}

/* --- outputs ---------------------------------------------------------------------------------------------- */

/* y = min(max(scale y + shift, low), high) for a panel of filters: without an epilogue 1, 0 and infinities. */
typedef struct finish {
    vec scale[2], shift[2], low, high;
} finish;

static finish make_finish(const job *j, size_t filter)
{
    const hd_epilogue *e = j->e;
    const bool six = e && e->act == HD_RELU6, relu = six || (e && e->act == HD_RELU);
    finish f = { .low = relu ? vzero() : vset(-INFINITY), .high = six ? vset(6) : vset(INFINITY) };
    for (size_t i = 0; i < 2; i++, filter += HD_VL) {
        const bool exists = filter < (size_t)j->s->k;
        f.scale[i] = exists && e && e->scale ? vload_upto(e->scale + filter, (size_t)j->s->k - filter) : vset(1);
        f.shift[i] = exists && e && e->shift ? vload_upto(e->shift + filter, (size_t)j->s->k - filter) : vzero();
    }
    return f;
}

HD_INLINE vec finished(const finish *e, int half, vec y)
{
    return vmin(vmax(vmadd(e->scale[half], y, e->shift[half]), e->low), e->high);
}

/* A pixel that is added to, or whose panel lacks filters. */
static void store_border(bool add, const finish *e, const real *y, size_t filters, real *to)
{
    for (int half = 0; half < 2 && filters > 0; half++, y += HD_VL, to += HD_VL) {
        const size_t count = least(filters, HD_VL);
        const vec v = finished(e, half, vload(y));
        vstore_upto(to, add ? vadd(vload_upto(to, count), v) : v, count);
        filters -= count;
    }
}

/* Those outputs y[(i * side + j) * HD_QUAD_PANEL] of a tile that exist. */
static void store_tile(const job *j, const place *at, size_t filter, const finish *e, const real *y)
{
    const hd_conv_shape *s = j->s;
    const size_t k = (size_t)s->k, filters = least(k - filter, HD_PANEL_FILTERS), line = (size_t)s->ow * k;
    const int side = j->f->out, rows = s->oh - at->row < side ? s->oh - at->row : side;
    const int cols = s->ow - at->col < side ? s->ow - at->col : side;
    const bool whole = filters == HD_PANEL_FILTERS && !j->add;
    const finish f = *e;
    real *to = j->y + at->image * (size_t)s->oh * line + (size_t)at->row * line + (size_t)at->col * k + filter;
    for (int a = 0; a < rows; a++, to += line, y += side * HD_QUAD_PANEL) {
        real *pixel = to;
        const real *from = y;
        for (int b = 0; b < cols; b++, pixel += k, from += HD_QUAD_PANEL) {
            if (whole) {
                vstore(pixel, finished(&f, 0, vload(from)));
                vstore(pixel + HD_VL, finished(&f, 1, vload(from + HD_VL)));
            } else {
                store_border(j->add, &f, from, filters, pixel);
            }
        }
    }
}

/* Outputs of one quad for `panels` panels from `panel` on. */
static void output_quad(const job *j, size_t quad, int panel, int panels, real *m, real *between)
{
    const size_t tiles = least(HD_QUAD_TILES, j->tiles - quad * HD_QUAD_TILES);
    place at[HD_QUAD_TILES];
    for (size_t t = 0; t < tiles; t++) {
        at[t] = find_tile(j, quad * HD_QUAD_TILES + t);
    }
    for (int i = 0; i < panels; i++, m += j->m_panel) {
        const size_t filter = (size_t)(panel + i) * HD_PANEL_FILTERS;
        const finish e = make_finish(j, filter);
        j->f->output(output_constants, m, between, m);
        for (size_t t = 0; t < tiles; t++) {
            store_tile(j, &at[t], filter, &e, m + t * HD_PANEL_FILTERS);
        }
    }
}

/* --- products --------------------------------------------------------------------------------------------- */

/* All points of some quads times some panels, and their outputs. v: of the first of the quads. */
static void multiply(const job *j, size_t quad, size_t quads, const real *v, int panel, int panels, real *m,
                     real *between)
{
    const size_t c = (size_t)j->s->c, width = c * HD_PANEL_FILTERS;
    const int near = width < NEAR_WEIGHTS ? (int)(NEAR_WEIGHTS / width) : 1;
    hd_point_product o = { .v_quad = j->v_quad, .v_tile = j->v_tile, .m_panel = j->m_panel, .quads = (int)quads,
                           .m_quad = (size_t)panels * j->m_panel, .channels = c };
    for (size_t point = 0; point < (size_t)j->f->points; point++) {
        for (int i = 0; i < panels; i += near) {
            o.panels = panels - i < near ? panels - i : near;
            o.v = v + point * j->v_point;
            o.u = j->prepared + (point * (size_t)j->panels + (size_t)(panel + i)) * width;
            o.m = m + (size_t)i * j->m_panel + point * HD_QUAD_PANEL;
            multiply_point(&o);
        }
    }
    for (size_t i = 0; i < quads; i++) {
        output_quad(j, quad + i, panel, panels, m + i * o.m_quad, between);
    }
}

static int panels_from(const job *j, int panel)
{
    return j->panels - panel < j->group ? j->panels - panel : j->group;
}

/* `step` quads from their inputs to their outputs. */
static void own_task(void *arg, int task, int thread)
{
    const job *j = arg;
    real *between = hd_pool_scratch(j->pool, thread), *v = between + HD_WINDOW, *m = v + j->step * j->v_quad;
    const size_t first = (size_t)task * j->step, quads = least(j->step, j->quads - first);
    for (size_t i = 0; i < quads; i++) {
        transform_quad(j, first + i, v + i * j->v_quad, between);
    }
    for (int panel = 0; panel < j->panels; panel += j->group) {
        multiply(j, first, quads, v, panel, panels_from(j, panel), m, between);
    }
}

static void shared_input_task(void *arg, int task, int thread)
{
    const job *j = arg;
    real *v = hd_pool_shared(j->pool);
    transform_quad(j, j->first + (size_t)task, v + (size_t)task * j->v_quad, hd_pool_scratch(j->pool, thread));
}

static void shared_product_task(void *arg, int task, int thread)
{
    const job *j = arg;
    const real *v = hd_pool_shared(j->pool);
    real *between = hd_pool_scratch(j->pool, thread);
    const int panel = task % j->groups * j->group;
    const size_t from = (size_t)(task / j->groups) * j->step, quads = least(j->step, j->last - j->first - from);
    multiply(j, j->first + from, quads, v + from * j->v_quad, panel, panels_from(j, panel),
             between + HD_WINDOW, between);
}

/* --- how the work is cut ---------------------------------------------------------------------------------- */

/* V of many tiles for all threads, then tasks of a few panels each: where there are few tiles or many channels, so
 * that the weights, larger than all else there, are read once. */
static void run_shared(job *j)
{
    const size_t most = SHARED / j->v_quad, passes = ceil_div(j->quads, most), quads = ceil_div(j->quads, passes);
    j->group = (int)least(ceil_div((size_t)j->panels, TASKS), SCRATCH / j->m_panel);
    j->groups = (int)ceil_div((size_t)j->panels, (size_t)j->group);
    j->step = ceil_div(quads, ceil_div(TASKS, (size_t)j->groups));
    j->step = least(j->step, SCRATCH / ((size_t)j->group * j->m_panel));
    for (j->first = 0; j->first < j->quads; j->first = j->last) {
        j->last = least(j->first + quads, j->quads);
        const size_t count = j->last - j->first;
        hd_pool_run(j->pool, (int)count, shared_input_task, j);
        hd_pool_run(j->pool, (int)ceil_div(count, j->step) * j->groups, shared_product_task, j);
    }
}

static void run(job *j)
{
    j->group = j->panels < PANELS ? j->panels : PANELS;
    j->step = least(SCRATCH / (j->v_quad + (size_t)j->group * j->m_panel), least(ceil_div(j->quads, TASKS), OWN_MOST));
    if (j->step < OWN_LEAST) {
        run_shared(j);
    } else {
        hd_pool_run(j->pool, (int)ceil_div(j->quads, j->step), own_task, j);
    }
}

void hd_winograd_run_as(hd_winograd name, hd_pool *p, const hd_conv_shape *s, int n, const real *x, const real *prepared,
                        const hd_epilogue *e, bool add, real *y)
{
    job j = make_job(name, s, n);
    if (j.tiles == 0) {
        return;
    }
    j.pool = p;
    j.x = x;
    j.prepared = prepared;
    j.e = e;
    j.add = add;
    j.y = y;
    run(&j);
    if (e && e->act != HD_LINEAR && e->act != HD_RELU && e->act != HD_RELU6) {
        hd_activate(p, e->act, e->alpha, y, y, (size_t)n * (size_t)s->oh * (size_t)s->ow, (size_t)s->k);
    }
}

bool hd_winograd_possible(hd_winograd name, const hd_conv_shape *s)
{
    const bool simple = s->kh == 3 && s->kw == 3 && s->sh == 1 && s->sw == 1 && s->dh == 1 && s->dw == 1 && s->groups == 1;
    return name != HD_WINOGRAD_NONE && simple && make_job(name, s, 1).v_quad <= SHARED;
}

hd_conv_shape hd_winograd_adjoint(const hd_conv_shape *s)
{
    hd_conv_shape a = *s;
    a.h = s->oh;
    a.w = s->ow;
    a.c = s->k;
    a.oh = s->h;
    a.ow = s->w;
    a.k = s->c;
    a.top = 2 - s->top;
    a.left = 2 - s->left;
    return a;
}
