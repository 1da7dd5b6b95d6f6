/* The sums of closed-form solvers, filled from data or from a node of a model. */
#include "kern/reduce.h"
#include "model/data.h"
#include "solve/gram.h"

#include <string.h>

enum { MAX_FEATURES = 16384, MAX_TARGETS = 4096 };

hd_gram *hd_gram_new(hd_context *c, int features, int targets)
{
    if (features < 1 || features > MAX_FEATURES || targets < 1 || targets > MAX_TARGETS) {
        hd_fail(c, HD_ERR_ARGUMENT, "gram: %d features and %d targets, expected 1..%d and 1..%d", features, targets, MAX_FEATURES,
                MAX_TARGETS);
        return NULL;
    }
    hd_gram *g = hd_alloc(c, sizeof *g, "gram");
    if (!g) {
        return NULL;
    }
    const size_t n = (size_t)features, q = (size_t)targets;
    g->c = c;
    g->n = features;
    g->q = targets;
    g->g = hd_alloc(c, n * n * sizeof *g->g, "gram");
    g->ct = g->g ? hd_alloc(c, q * n * sizeof *g->ct, "gram") : NULL;
    g->part = g->ct ? hd_reserve(c, (n + q) * n * sizeof *g->part, "gram") : NULL;
    if (g->part) {
        memset(g->part, 0, (n + q) * n * sizeof *g->part); /* the upper triangle is never written */
        return g;
    }
    hd_gram_free(g);
    return NULL;
}

void hd_gram_free(hd_gram *g)
{
    if (g) {
        hd_context *c = g->c;
        hd_release(c, g->g);
        hd_release(c, g->ct);
        hd_release(c, g->part);
        hd_release(c, g);
    }
}

hd_status hd_gram_reset(hd_gram *g)
{
    const size_t n = (size_t)g->n;
    memset(g->g, 0, n * n * sizeof *g->g);
    memset(g->ct, 0, (size_t)g->q * n * sizeof *g->ct);
    g->totals[0] = g->totals[1] = 0;
    return HD_OK;
}

double *hd_gram_values(hd_gram *g, int which)
{
    return which == HD_GRAM_G ? g->g : which == HD_GRAM_C ? g->ct : which == HD_GRAM_TOTALS ? g->totals : NULL;
}

/* Where the features and targets of a call come from. */
typedef struct source {
    hd_model *m; /* NULL: column `x` */
    int node, batch, known;
    hd_data *d;
    const hd_column *x, *t;
    bool labels;          /* targets are class numbers */
    real *room, *target;  /* [batch x n] for features; [batch x q], or [batch] labels */
} source;

static hd_status check_source(hd_gram *g, source *s)
{
    hd_context *c = g->c;
    const int width = s->m ? (int)hd_shape_size(&s->m->node[s->node]->out) : s->x ? s->x->table.size : 0;
    if (width != g->n) {
        return hd_fail(c, HD_ERR_SHAPE, "gram: %d features a row, expected %d", width, g->n);
    }
    if (!s->t || (s->t->table.size != g->q && s->t->table.size != 1)) {
        return hd_fail(c, HD_ERR_SHAPE, "gram: %d targets a row, expected %d%s", s->t ? s->t->table.size : 0, g->q,
                       g->q > 1 ? ", or a class number" : "");
    }
    s->labels = g->q > 1 && s->t->table.size == 1;
    return HD_OK;
}

/* Names the first row that is not finite. */
static hd_status check_finite(hd_gram *g, const char *what, int first, int rows, int size, const real *x)
{
    for (int i = 0; i < rows; i++) {
        if (!hd_all_finite(g->c->pool, (size_t)size, x + (size_t)i * (size_t)size)) {
            return hd_fail(g->c, HD_ERR_DIVERGED, "gram: the %s of row %d are not finite", what, first + i);
        }
    }
    return HD_OK;
}

/* After rows whose sums are not finite. */
static hd_status name_culprit(hd_gram *g, const source *s, int first, int rows, const real *y, const real *t)
{
    if (check_finite(g, "features", first, rows, g->n, y) || check_finite(g, "targets", first, rows, s->t->table.size, t)) {
        return g->c->status;
    }
    return hd_fail(g->c, HD_ERR_DIVERGED, "gram: rows up to %d: squares too large for float32", first + rows - 1);
}

/* The rows as they are stored if they are numbers, else converted into room. */
static const real *read_rows(hd_gram *g, const hd_table *from, int first, int rows, real *room)
{
    hd_table table = *from;
    table.data = (const char *)table.data + (size_t)first * (size_t)table.size * (table.is_uint8 ? 1 : sizeof(real));
    if (!table.is_uint8 && table.scale == 1 && table.offset == 0) {
        return table.data;
    }
    hd_gather(g->c->pool, &table, NULL, rows, 1, room);
    return room;
}

/* NULL after an error. */
static const real *read_targets(hd_gram *g, const source *s, int first, int rows)
{
    const real *t = read_rows(g, &s->t->table, first, rows, s->target);
    for (int i = 0; s->labels && i < rows; i++) {
        if (!(t[i] >= 0 && t[i] < (real)g->q && t[i] == (real)(int)t[i])) {
            hd_fail(g->c, HD_ERR_ARGUMENT, "gram: label of row %d = %g, expected a class 0..%d", first + i, (double)t[i], g->q - 1);
            return NULL;
        }
    }
    return t;
}

/* NULL after an error. */
static const real *read_features(hd_gram *g, const source *s, int first, int rows)
{
    if (s->m && hd_predict(s->m, s->d, s->node, first, first + rows, s->batch, s->room)) {
        return NULL;
    }
    return s->m ? s->room : read_rows(g, &s->x->table, first, rows, s->room);
}

/* Rows [begin, end) in chunks; *done: where the last whole chunk ended. */
static hd_status add_rows(hd_gram *g, const source *s, int begin, int end, int sign, int *done)
{
    for (int at = begin; at < end;) {
        const int rows = end - at < s->batch ? end - at : s->batch;
        const real *t = read_targets(g, s, at, rows), *y = t ? read_features(g, s, at, rows) : NULL;
        hd_status status = y ? HD_OK : g->c->status;
        if (y) {
            hd_gram_take(g, s->known, rows, y, t, s->labels);
            status = hd_gram_sound(g, s->known) ? HD_OK : name_culprit(g, s, at, rows, y, t);
        }
        if (status) {
            hd_gram_flush(g, 0, 0);
            return status;
        }
        at += rows;
        if (g->rows + s->batch > HD_GRAM_ROWS || at == end) {
            hd_gram_flush(g, s->known, sign);
            *done = at;
        }
    }
    return HD_OK;
}

hd_status hd_gram_add(hd_gram *g, hd_model *m, int node, hd_data *d, int begin, int end, int batch_size, int sign, int known)
{
    hd_context *c = g->c;
    if (batch_size < 1 || batch_size > HD_GRAM_ROWS || (sign != 1 && sign != -1)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "gram: batch size = %d, sign = %d, expected 1..%d, and 1 or -1", batch_size, sign, HD_GRAM_ROWS);
    }
    if (m && (!m->built || node < 0 || node >= m->n_nodes)) {
        return hd_fail(c, m->built ? HD_ERR_ARGUMENT : HD_ERR_STATE, "gram: node = %d, expected one of a model that is built", node);
    }
    if (known < 0 || known >= g->n) {
        return hd_fail(c, HD_ERR_ARGUMENT, "gram: %d known features, expected 0..%d", known, g->n - 1);
    }
    source s = { .m = m, .node = node, .known = known, .d = d, .x = hd_data_find(d, HD_COLUMN_INPUT, 0), .t = hd_data_find(d, HD_COLUMN_TARGET, 0) };
    if (hd_data_range(c, d, begin, end) || check_source(g, &s)) {
        return c->status;
    }
    s.batch = batch_size < end - begin ? batch_size : end - begin;
    s.room = hd_reserve(c, (size_t)s.batch * ((size_t)g->n + (size_t)s.t->table.size) * sizeof(real), "gram");
    if (!s.room) {
        return HD_ERR_MEMORY;
    }
    s.target = s.room + (size_t)s.batch * (size_t)g->n;
    int done = begin, again;
    hd_status status = add_rows(g, &s, begin, end, sign, &done);
    if (status && done > begin) { /* the chunks before it are taken out again */
        add_rows(g, &s, begin, done, -sign, &again);
    }
    hd_release(c, s.room);
    return status;
}
