#include "layer/rows.h"

#include "kern/elementwise.h"

hd_status hd_rows_shape(hd_build *b, int out)
{
    if (b->in[0].rank == 0) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: expected at least one axis, got a scalar", b->path);
    }
    b->out = b->in[0];
    b->out.dim[b->out.rank - 1] = out;
    return HD_OK;
}

typedef struct job {
    hd_row row; /* the first */
    hd_row_rule *rule;
    size_t rows, step; /* in all, a task */
    bool back;
} job;

static void rows_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    hd_row row = j->row;
    const size_t first = (size_t)task * j->step, end = j->rows - first < j->step ? j->rows : first + j->step;
    for (size_t i = first; i < end; i++) {
        row.from = j->row.from + i * (j->back ? row.out : row.in);
        row.to = j->row.to + i * (j->back ? row.in : row.out);
        row.x = j->row.x + i * row.in;
        row.y = j->row.y + i * row.out;
        j->rule(&row);
    }
}

static void run(const hd_run *r, hd_row row, hd_row_rule *rule, bool back)
{
    row.x = r->x[0];
    row.y = r->y;
    row.in = (size_t)hd_shape_last(&r->in[0]);
    row.out = (size_t)hd_shape_last(&r->out);
    row.option = r->opt->number[0];
    const size_t rows = (size_t)r->n * (hd_shape_size(&r->out) / row.out);
    job j = { row, rule, rows, HD_BLOCK / row.out + 1, back };
    hd_pool_run(r->pool, (int)((rows - 1) / j.step + 1), rows_task, &j);
}

void hd_rows_forward(const hd_run *r, hd_row_rule *rule)
{
    run(r, (hd_row){ .from = r->x[0], .to = r->y }, rule, false);
}

void hd_rows_backward(const hd_run *r, hd_row_rule *rule)
{
    if (r->dx[0]) {
        run(r, (hd_row){ .from = r->dy, .to = r->dx[0], .add = r->add[0] }, rule, true);
    }
}
