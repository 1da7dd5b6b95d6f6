#include "kern/conv_tile.h"

#include "kern/conv_kernel.h"

/* Sizes chosen by measurement; PART fixes the order of the sums. */
enum {
    BLOCK = 96,           /* pixels a task at most */
    PART = 384,           /* terms of a sum before the next panel: their weights stay in the first-level cache */
    RUNS = 64,            /* pointers a pixel */
    SLICE = 16,           /* panels a task at most */
    TASKS = 16,           /* wanted at least, if each gets */
    TASK_WORK = 1 << 18,  /* multiply-adds */
    MERGE = 64,           /* channels up to which a row of the kernel is one run, */
    MERGE_NARROW = 4,     /* where most of these runs lie outside of the image in part */
};

typedef struct pixel {
    int image, y, x; /* input position of tap (0, 0) */
} pixel;

/* A thread's own. */
typedef struct workspace {
    pixel pixels[BLOCK];
    real *out[BLOCK];
    const real *at[RUNS * BLOCK]; /* (tile, run, pixel of the tile) */
    size_t offsets[RUNS];         /* of the runs from tap (0, 0) */
    real zeros[PART];             /* what lies outside of the image */
    real sums[BLOCK * SLICE * HD_PANEL];
    real copies[BLOCK * PART];    /* of runs that lie outside in part */
} workspace;
_Static_assert(sizeof(workspace) <= HD_THREAD_SCRATCH, "a thread's scratch holds the workspace");

typedef struct job {
    hd_pool *pool;
    const hd_conv_tiles *t;
    const hd_epilogue *e;
    bool add, merged;      /* merged: a row of the kernel is one run of contiguous inputs */
    int runs;              /* of a pixel */
    size_t length, terms;  /* of a run; of a sum */
    int c, k;              /* of a group */
    size_t pixels;
    int block, blocks;
    int panels, slice, slices; /* of a group */
    int span, spans;           /* groups a task */
    const real *packed;
    const hd_conv_filters *f;
    real *to; /* of packing */
} job;

/* Runs [run, run + runs), of each the elements [from, from + length); several runs only if whole. */
typedef struct part {
    int run, runs;
    size_t from, length;
} part;

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int ceil_div(int a, int b)
{
    return a / b + (a % b != 0);
}

static int padded(int k)
{
    return ceil_div(k, HD_VL) * HD_VL;
}

/* --- packed weights ---------------------------------------------------------------------------------------- */

size_t hd_conv_tiles_packed(int taps, int c, int k, int groups)
{
    return (size_t)taps * (size_t)c * (size_t)padded(k / groups);
}

static int panel_width(int filters)
{
    return filters > HD_VL ? HD_PANEL : HD_VL;
}

/* The channels of one tap, `width` filters side by side of which `count` exist. */
static void pack_tap(const hd_conv_filters *f, const real *w, int c, int count, int width, real *to)
{
    int i = 0;
    for (; f->in == 1 && count == width && i + HD_VL <= c; i += HD_VL) {
        for (int o = 0; o < width; o += HD_VL) {
            vec s[HD_VL];
            for (int l = 0; l < HD_VL; l++) {
                s[l] = vload(w + (size_t)(o + l) * f->out + i);
            }
            vtranspose(s);
            for (int l = 0; l < HD_VL; l++) {
                vstore(to + (size_t)(i + l) * (size_t)width + o, s[l]);
            }
        }
    }
    for (; f->out == 1 && count == width && i < c; i++) {
        for (int o = 0; o < width; o += HD_VL) {
            vstore(to + (size_t)i * (size_t)width + o, vload(w + (size_t)i * f->in + o));
        }
    }
    for (; i < c; i++) {
        for (int o = 0; o < width; o++) {
            to[(size_t)i * (size_t)width + o] = o < count ? w[(size_t)o * f->out + (size_t)i * f->in] : 0;
        }
    }
}

static void pack_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    const hd_taps *rows = &j->t->rows, *cols = &j->t->cols;
    const int group = task / j->panels, o = task % j->panels * HD_PANEL, count = least(HD_PANEL, j->k - o);
    const real *w = j->f->w + (size_t)group * j->f->group + (size_t)o * j->f->out;
    real *to = j->to + (size_t)group * j->terms * (size_t)padded(j->k) + (size_t)o * j->terms;
    for (int a = 0; a < rows->count; a++) {
        for (int b = 0; b < cols->count; b++, to += j->c * panel_width(count)) {
            const int tap = (rows->weight + a * rows->weight_step) * j->f->kw + cols->weight + b * cols->weight_step;
            pack_tap(j->f, w + (size_t)tap * j->f->tap, j->c, count, panel_width(count), to);
        }
    }
}

static job job_of(const hd_conv_tiles *t)
{
    job j = { .t = t, .c = t->c / t->groups, .k = t->k / t->groups };
    const int taps = t->rows.count * t->cols.count;
    const int inside = (t->w - t->cols.count) / t->sw + 1; /* outputs of a row whose taps all lie in the image, about */
    j.merged = t->groups == 1 && t->cols.step == 1 && t->cols.count > 1 && t->c <= (2 * inside > t->ow ? MERGE : MERGE_NARROW);
    j.terms = (size_t)taps * (size_t)j.c;
    j.runs = j.merged ? t->rows.count : taps;
    j.length = (size_t)j.c * (size_t)(j.merged ? t->cols.count : 1);
    j.panels = ceil_div(j.k, HD_PANEL);
    return j;
}

void hd_conv_tiles_pack(hd_pool *p, const hd_conv_tiles *t, const hd_conv_filters *f, real *packed)
{
    job j = job_of(t);
    j.f = f;
    j.to = packed;
    hd_pool_run(p, t->groups * j.panels, pack_task, &j);
}

/* --- pointers ---------------------------------------------------------------------------------------------- */

static void locate(const job *j, size_t first, int count, workspace *s)
{
    const hd_conv_tiles *t = j->t;
    const size_t width = (size_t)t->ow, height = (size_t)t->oh;
    int image = (int)(first / (height * width)), row = (int)(first / width % height), col = (int)(first % width);
    real *out = t->y + (size_t)image * t->y_image + (size_t)row * t->y_row + (size_t)col * t->y_pixel;
    for (int m = 0; m < count; m++, out += t->y_pixel) {
        s->pixels[m] = (pixel){ image, row * t->sh + t->rows.first, col * t->sw + t->cols.first };
        s->out[m] = out;
        if (++col == t->ow) {
            col = 0;
            if (++row == t->oh) {
                row = 0;
                image++;
            }
            out = t->y + (size_t)image * t->y_image + (size_t)row * t->y_row - t->y_pixel;
        }
    }
}

/* The kernel row at (y, x) of an image, its elements [from, from + length); what lies outside of the image is 0: a run that
 * lies there in part is copied. */
static const real *border_run(const hd_conv_tiles *t, const real *image, int y, int x, const part *q, const real *zeros,
                              real *copy)
{
    if (y < 0 || y >= t->h || x >= t->w || x + t->cols.count <= 0) {
        return zeros;
    }
    const ptrdiff_t length = (ptrdiff_t)q->length, start = (ptrdiff_t)x * t->c + (ptrdiff_t)q->from;
    const ptrdiff_t low = start < 0 ? -start : 0, end = (ptrdiff_t)t->w * t->c - start, high = end < length ? end : length;
    if (low >= high) { /* only other pieces of the run lie inside */
        return zeros;
    }
    const real *row = image + (size_t)y * (size_t)t->w * (size_t)t->c;
    if (low == 0 && high == length) {
        return row + start;
    }
    ptrdiff_t i = 0;
    for (; i + HD_VL <= length; i += HD_VL) {
        vstore(copy + i, vzero());
    }
    for (; i < length; i++) {
        copy[i] = 0;
    }
    for (i = low; i + HD_VL <= high; i += HD_VL) {
        vstore(copy + i, vload(row + (start + i)));
    }
    for (; i < high; i++) {
        copy[i] = row[start + i];
    }
    return copy;
}

static void point_border(const job *j, const real *image, const pixel *px, const part *q, const real *zeros,
                         const real **at, real *copy)
{
    const hd_conv_tiles *t = j->t;
    if (j->merged) {
        for (int a = q->run; a < q->run + q->runs; a++, at += HD_PIXELS, copy += q->length) {
            *at = border_run(t, image, px->y + a * t->rows.step, px->x, q, zeros, copy);
        }
        return;
    }
    int a = q->run / t->cols.count, b = q->run % t->cols.count;
    for (int left = q->runs; left > 0; a++, b = 0) {
        const int y = px->y + a * t->rows.step;
        const bool inside = y >= 0 && y < t->h;
        const real *row = image + (inside ? (size_t)y * (size_t)t->w * (size_t)t->c : 0) + q->from;
        for (; b < t->cols.count && left > 0; b++, left--, at += HD_PIXELS) {
            const int x = px->x + b * t->cols.step;
            *at = inside && x >= 0 && x < t->w ? row + (size_t)x * (size_t)t->c : zeros;
        }
    }
}

/* The pointers of a part of the sums. */
static void point(const job *j, const part *q, int group, int count, workspace *s)
{
    const hd_conv_tiles *t = j->t;
    const int y_end = t->h - (t->rows.count - 1) * t->rows.step, x_end = t->w - (t->cols.count - 1) * t->cols.step;
    for (int r = 0; r < q->runs; r++) {
        const int a = j->merged ? q->run + r : (q->run + r) / t->cols.count, b = j->merged ? 0 : (q->run + r) % t->cols.count;
        s->offsets[r] = ((size_t)(a * t->rows.step) * (size_t)t->w + (size_t)(b * t->cols.step)) * (size_t)t->c + q->from;
    }
    for (int m = 0; m < ceil_div(count, HD_PIXELS) * HD_PIXELS && q->runs > 0; m++) {
        const real **at = s->at + m / HD_PIXELS * q->runs * HD_PIXELS + m % HD_PIXELS;
        if (m >= count) {
            for (int r = 0; r < q->runs; r++) {
                at[r * HD_PIXELS] = s->zeros;
            }
            continue;
        }
        const pixel *px = &s->pixels[m];
        const real *image = t->x + (size_t)px->image * (size_t)t->h * (size_t)t->w * (size_t)t->c + group * j->c;
        if (px->y < 0 || px->y >= y_end || px->x < 0 || px->x >= x_end) {
            point_border(j, image, px, q, s->zeros, at, s->copies + (size_t)(m * q->runs) * q->length);
            continue;
        }
        const real *first = image + ((size_t)px->y * (size_t)t->w + (size_t)px->x) * (size_t)t->c;
        for (int r = 0; r < q->runs; r++) {
            at[r * HD_PIXELS] = first + s->offsets[r];
        }
    }
}

/* From the pointers of one group to those of the next. */
static void point_next(const job *j, const part *q, int count, workspace *s)
{
    const int pointers = ceil_div(count, HD_PIXELS) * HD_PIXELS * q->runs;
    for (int i = 0; i < pointers; i++) {
        s->at[i] = s->at[i] == s->zeros ? s->zeros : s->at[i] + j->c;
    }
}

/* --- tiles ------------------------------------------------------------------------------------------------- */

/* The next part of the sums: as many whole runs as fit, or a piece of one; parts of about the same size. */
static part next_part(const job *j, const part *q)
{
    if (j->runs == 0) {
        return (part){ .length = j->length }; /* all sums are 0 */
    }
    if (j->length > PART) {
        const size_t pieces = (j->length + PART - 1) / PART, piece = (j->length + pieces - 1) / pieces;
        const size_t from = q->from + q->length < j->length ? q->from + q->length : 0;
        return (part){ q->run + (from == 0 && q->length > 0), 1, from, j->length - from < piece ? j->length - from : piece };
    }
    const int most = least(RUNS, (int)(PART / j->length)), parts = ceil_div(j->runs, most);
    return (part){ q->run + q->runs, least(ceil_div(j->runs, parts), j->runs - q->run - q->runs), 0, j->length };
}

static bool is_first(const part *q)
{
    return q->run == 0 && q->from == 0;
}

static bool is_last(const job *j, const part *q)
{
    return q->run + q->runs == j->runs && q->from + q->length == j->length;
}

/* One panel of the task's pixels. sums: (tile, 8 vectors). */
static void run_panel(const job *j, const part *q, int group, int panel, int count, workspace *s, real *sums)
{
    const int o = panel * HD_PANEL, filters = least(HD_PANEL, j->k - o), width = panel_width(filters);
    const size_t channel = (size_t)(group * j->k + o);
    const real *packed = j->packed + (size_t)group * j->terms * (size_t)padded(j->k) + (size_t)o * j->terms;
    hd_panel_job run = {
        .at = s->at, .runs = q->runs, .length = q->length, .sums = sums, .y = s->out, .pixels = count,
        .weights = packed + ((size_t)q->run * j->length + q->from) * (size_t)width, .filters = filters,
        .first = is_first(q), .last = is_last(j, q), .column = channel, .finish.add = j->add,
    };
    if (j->e) {
        run.finish.scale = j->e->scale ? j->e->scale + channel : NULL;
        run.finish.shift = j->e->shift ? j->e->shift + channel : NULL;
        run.finish.relu6 = j->e->act == HD_RELU6;
        run.finish.relu = j->e->act == HD_RELU || run.finish.relu6;
    }
    if (width == HD_PANEL) {
        conv_panel_4x2(&run);
    } else {
        conv_panel_8x1(&run);
    }
}

/* Tasks: (block of pixels, span of groups, slice of the panels of each). */
static void tile_task(void *arg, int task, int thread)
{
    const job *j = arg;
    workspace *s = hd_pool_scratch(j->pool, thread);
    const int slice = task % j->slices, span = task / j->slices % j->spans, block = task / j->slices / j->spans;
    const size_t first = (size_t)block * (size_t)j->block;
    const int count = j->pixels - first < (size_t)j->block ? (int)(j->pixels - first) : j->block;
    const int panel = slice * j->slice, panels = least(j->slice, j->panels - panel);
    const int group = span * j->span, groups = least(j->span, j->t->groups - group);
    locate(j, first, count, s);
    for (int i = 0; i < PART; i++) {
        s->zeros[i] = 0;
    }
    for (int g = 0; g < groups; g++) {
        part q = { 0 };
        do {
            q = next_part(j, &q);
            if (g > 0 && is_first(&q) && is_last(j, &q)) {
                point_next(j, &q, count, s);
            } else {
                point(j, &q, group + g, count, s);
            }
            for (int i = 0; i < panels; i++) {
                run_panel(j, &q, group + g, panel + i, count, s, s->sums + i * BLOCK * HD_PANEL);
            }
        } while (!is_last(j, &q));
    }
}

/* Borders of the tasks from the sizes alone. */
static void cut(job *j)
{
    const hd_conv_tiles *t = j->t;
    j->pixels = (size_t)t->n * (size_t)t->oh * (size_t)t->ow;
    j->blocks = (int)((j->pixels + BLOCK - 1) / BLOCK);
    const int share = (int)((j->pixels + (size_t)j->blocks - 1) / (size_t)j->blocks);
    j->block = ceil_div(share, HD_PIXELS) * HD_PIXELS;
    j->blocks = (int)((j->pixels + (size_t)j->block - 1) / (size_t)j->block);
    const double work = (double)j->pixels * (double)j->terms * t->k / TASK_WORK;
    const int wanted = work < TASKS ? (int)work : TASKS, slices = ceil_div(wanted, j->blocks * t->groups);
    j->slice = least(SLICE, ceil_div(j->panels, slices > 1 ? slices : 1));
    j->slices = ceil_div(j->panels, j->slice);
    const int share_groups = wanted > 0 ? ceil_div(j->blocks * t->groups, wanted) : t->groups;
    j->span = least(share_groups, j->slice == j->panels ? ceil_div(SLICE, j->panels) : 1);
    j->spans = ceil_div(t->groups, j->span);
}

void hd_conv_tiles_run(hd_pool *p, const hd_conv_tiles *t, const real *packed, const hd_epilogue *e, bool add)
{
    if (t->n <= 0 || t->oh <= 0 || t->ow <= 0) {
        return;
    }
    job j = job_of(t);
    j.pool = p;
    j.e = e;
    j.add = add;
    j.packed = packed;
    cut(&j);
    hd_pool_run(p, j.blocks * j.spans * j.slices, tile_task, &j);
}
