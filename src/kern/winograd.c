#include "kern/winograd_form.h"

#include "kern/winograd_kernel.h"

/* Tiles of output pixels go by quads, the rows of the register tile. Their transformed inputs V and the products M are
 *   V: (quad, point, tile of the quad, channel), each point begun at an odd number of cache lines, or the points of a tile
 *      would lie in the same cache set wherever there are 2^n channels;
 *   M: (quad, panel of filters, point, tile of the quad, filter of the panel);
 * the weights U: (point, panel, channel, filter of the panel).
 * Each product sums its channels in order, however the work is cut. */
enum {
    LINE = 64 / sizeof(real),                    /* elements of a cache line */
    CHANNELS = 32,                               /* of a window at the border, copied at once */
    WINDOW = 36 * CHANNELS,
    SCRATCH = HD_THREAD_SCRATCH / sizeof(real) - WINDOW,
    SHARED = HD_SHARED_SCRATCH / sizeof(real),
    NEAR_WEIGHTS = (16 << 10) / sizeof(real),    /* U of one point for which all quads are walked */
    PANELS = 8,                                  /* in M at once, with a V of its own */
    TASKS = 16,                                  /* wanted at least, of */
    OWN_LEAST = 3, OWN_MOST = 12,                /* quads with a V of their own */
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
    return (a + b - 1) / b;
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
                j->f->weight(taps[l], u + (c + l) * HD_PANEL_FILTERS + half, step);
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

/* `count` channels of the window at (row, col) of an image, zero outside of it and up to whole vectors. */
static void copy_window(const job *j, const real *image, int row, int col, size_t count, real *to)
{
    const hd_conv_shape *s = j->s;
    for (int a = row; a < row + j->f->in; a++) {
        for (int b = col; b < col + j->f->in; b++, to += CHANNELS) {
            const bool in = a >= 0 && a < s->h && b >= 0 && b < s->w;
            const real *from = in ? image + ((size_t)a * (size_t)s->w + (size_t)b) * (size_t)s->c : NULL;
            for (size_t c = 0; c < count; c += HD_VL) {
                vstore(to + c, in ? vload_upto(from + c, count - c) : vzero());
            }
        }
    }
}

static void transform_tile(const job *j, size_t tile, real *v, real *window)
{
    const hd_conv_shape *s = j->s;
    const place at = find_tile(j, tile);
    const int row = at.row - s->top, col = at.col - s->left, in = j->f->in;
    const size_t c = (size_t)s->c, line = (size_t)s->w * c;
    const real *image = j->x + at.image * (size_t)s->h * line;
    if (c % HD_VL == 0 && row >= 0 && row <= s->h - in && col >= 0 && col <= s->w - in) {
        j->f->input(image + (size_t)row * line + (size_t)col * c, line, c, c, v, j->v_point);
        return;
    }
    for (size_t i = 0; i < c; i += CHANNELS) {
        const size_t count = least(CHANNELS, c - i);
        copy_window(j, image + i, row, col, count, window);
        j->f->input(window, (size_t)in * CHANNELS, CHANNELS, count, v + i, j->v_point);
    }
}

/* V of one quad; tiles beyond the last repeat it. */
static void transform_quad(const job *j, size_t quad, real *v, real *window)
{
    for (size_t i = 0; i < HD_QUAD_TILES; i++) {
        transform_tile(j, least(quad * HD_QUAD_TILES + i, j->tiles - 1), v + i * j->v_tile, window);
    }
}

/* --- outputs ---------------------------------------------------------------------------------------------- */

typedef struct finish {
    vec scale, shift;
    bool scaled, add, relu, six; /* six: clipped there */
} finish;

HD_INLINE vec finished(const finish *e, vec y, const real *old)
{
    y = e->scaled ? vmadd(e->scale, y, e->shift) : vadd(y, e->shift);
    y = e->add ? vadd(vload(old), y) : y;
    y = e->relu ? vmax(y, vzero()) : y;
    return e->six ? vmin(y, vset(6)) : y;
}

static finish make_finish(const job *j, size_t filter)
{
    const size_t count = (size_t)j->s->k - filter;
    const hd_epilogue *e = j->e;
    finish f = { .scale = vzero(), .shift = vzero(), .add = j->add, .six = e && e->act == HD_RELU6 };
    f.relu = f.six || (e && e->act == HD_RELU);
    if (e && e->scale) {
        f.scaled = true;
        f.scale = vload_upto(e->scale + filter, count);
    }
    if (e && e->shift) {
        f.shift = vload_upto(e->shift + filter, count);
    }
    return f;
}

/* One vector of filters of a tile, those that exist of its outputs. */
static void store_tile(const job *j, const place *at, size_t filter, const finish *e, const vec *y)
{
    const hd_conv_shape *s = j->s;
    const size_t k = (size_t)s->k, count = k - filter, line = (size_t)s->ow * k;
    const int side = j->f->out, rows = s->oh - at->row < side ? s->oh - at->row : side;
    const int cols = s->ow - at->col < side ? s->ow - at->col : side;
    real *to = j->y + at->image * (size_t)s->oh * line + (size_t)at->row * line + (size_t)at->col * k + filter;
    for (int a = 0; a < rows; a++, to += line, y += side) {
        real *pixel = to;
        for (int b = 0; b < cols; b++, pixel += k) {
            if (count >= HD_VL) {
                vstore(pixel, finished(e, y[b], pixel));
            } else {
                real old[HD_VL];
                vstore(old, e->add ? vload_part(pixel, count) : vzero());
                vstore_part(pixel, finished(e, y[b], old), count);
            }
        }
    }
}

/* Outputs of one quad for `panels` panels from `panel` on. */
static void output_quad(const job *j, size_t quad, int panel, int panels, const real *m)
{
    vec y[16];
    for (int i = 0; i < panels; i++, m += j->m_panel) {
        for (size_t half = 0; half < HD_PANEL_FILTERS; half += HD_VL) {
            const size_t filter = (size_t)(panel + i) * HD_PANEL_FILTERS + half;
            if (filter >= (size_t)j->s->k) {
                break;
            }
            const finish e = make_finish(j, filter);
            for (size_t t = 0; t < HD_QUAD_TILES && quad * HD_QUAD_TILES + t < j->tiles; t++) {
                const place at = find_tile(j, quad * HD_QUAD_TILES + t);
                j->f->output(m + t * HD_PANEL_FILTERS + half, y);
                store_tile(j, &at, filter, &e, y);
            }
        }
    }
}

/* --- products --------------------------------------------------------------------------------------------- */

/* All points of some quads times some panels, and their outputs. v: of the first of the quads. */
static void multiply(const job *j, size_t quad, size_t quads, const real *v, int panel, int panels, real *m)
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
        output_quad(j, quad + i, panel, panels, m + i * o.m_quad);
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
    real *window = hd_pool_scratch(j->pool, thread), *v = window + WINDOW, *m = v + j->step * j->v_quad;
    const size_t first = (size_t)task * j->step, quads = least(j->step, j->quads - first);
    for (size_t i = 0; i < quads; i++) {
        transform_quad(j, first + i, v + i * j->v_quad, window);
    }
    for (int panel = 0; panel < j->panels; panel += j->group) {
        multiply(j, first, quads, v, panel, panels_from(j, panel), m);
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
    const int panel = task % j->groups * j->group;
    const size_t from = (size_t)(task / j->groups) * j->step, quads = least(j->step, j->last - j->first - from);
    multiply(j, j->first + from, quads, v + from * j->v_quad, panel, panels_from(j, panel),
             hd_pool_scratch(j->pool, thread));
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
