#include "model/data.h"

#include "base/format.h"
#include "kern/reduce.h"

const hd_column *hd_data_find(const hd_data *d, int role, int index)
{
    for (int i = 0; i < d->n_columns; i++) {
        if (d->column[i].role == role && d->column[i].index == index) {
            return &d->column[i];
        }
    }
    return NULL;
}

static hd_status check_column(hd_model *m, const hd_data *d, int role, int index, int node, int size)
{
    static const char *const roles[] = { "input", "target" };
    const hd_column *column = hd_data_find(d, role, index);
    const char *name = m->node[node]->name;
    if (!column) {
        return hd_fail(m->c, HD_ERR_SHAPE, "data: no %s for \"%s\"", roles[role], name);
    }
    if (column->table.size != size) {
        return hd_fail(m->c, HD_ERR_SHAPE, "data: %s for \"%s\" has %d elements a row, expected %d", roles[role], name,
                       column->table.size, size);
    }
    return HD_OK;
}

hd_status hd_data_fits_inputs(hd_model *m, const hd_data *d)
{
    hd_status status = HD_OK;
    for (int i = 0; i < m->n_inputs && !status; i++) {
        status = check_column(m, d, HD_COLUMN_INPUT, i, m->input[i], (int)hd_shape_size(&m->node[m->input[i]]->out));
    }
    return status;
}

static double element(const hd_table *t, size_t i)
{
    double stored = t->is_uint8 ? ((const uint8_t *)t->data)[i] : (double)((const real *)t->data)[i];
    return stored * (double)t->scale + (double)t->offset;
}

/* Rows must be integers below `classes` (labels), or lie in [min, max]. */
static hd_status check_values(hd_model *m, const hd_column *column, const char *name, int classes, double min, double max,
                              int begin, int end)
{
    size_t size = (size_t)column->table.size;
    for (size_t i = (size_t)begin * size; i < (size_t)end * size; i++) {
        double v = element(&column->table, i);
        if (classes ? !(v >= 0 && v < classes && v == (int)v) : !(v >= min && v <= max)) {
            char range[64];
            if (classes) {
                hd_format(range, sizeof range, "a label 0..%d", classes - 1);
            } else {
                hd_format(range, sizeof range, "%g..%g", min, max);
            }
            return hd_fail(m->c, HD_ERR_ARGUMENT, "data: target for \"%s\", row %d, element %d = %g, expected %s", name,
                           (int)(i / size), (int)(i % size), v, range);
        }
    }
    return HD_OK;
}

static hd_status check_weights(hd_model *m, const hd_data *d, int begin, int end)
{
    const hd_column *column = hd_data_find(d, HD_COLUMN_WEIGHT, 0);
    for (int i = 0; column && i < m->n_losses; i++) {
        if (m->loss[i].class->batch) {
            return hd_fail(m->c, HD_ERR_UNSUPPORTED, "data: sample weights, but the loss %s of \"%s\" is of a batch as a whole, expected none",
                           m->loss[i].class->name, m->node[m->output[m->loss[i].output]]->name);
        }
    }
    for (int i = begin; column && i < end; i++) {
        double v = element(&column->table, (size_t)i);
        if (!(v >= 0 && v <= 1e9)) {
            return hd_fail(m->c, HD_ERR_ARGUMENT, "data: sample weight of row %d = %g, expected 0..1e9", i, v);
        }
    }
    return HD_OK;
}

hd_status hd_data_fits_targets(hd_model *m, const hd_data *d, int begin, int end)
{
    hd_status status = check_weights(m, d, begin, end);
    for (int i = 0; i < m->n_losses && !status; i++) {
        const hd_target_loss *loss = &m->loss[i];
        const hd_node *node = m->node[m->output[loss->output]];
        status = check_column(m, d, HD_COLUMN_TARGET, loss->output, m->output[loss->output],
                              hd_output_target(m, loss->output));
        if (!status) {
            status = check_values(m, hd_data_find(d, HD_COLUMN_TARGET, loss->output), node->name,
                                  loss->class->sparse ? hd_shape_last(&node->out) : 0, loss->class->target_min,
                                  loss->class->target_max, begin, end);
        }
    }
    for (int i = 0; i < m->n_metrics && !status; i++) {
        int output = m->metric[i].output;
        status = check_column(m, d, HD_COLUMN_TARGET, output, m->output[output], hd_output_target(m, output));
    }
    return status;
}

hd_status hd_data_range(hd_context *c, const hd_data *d, int begin, int end)
{
    if (begin < 0 || end > d->rows || begin >= end) {
        return hd_fail(c, HD_ERR_ARGUMENT, "data: rows [%d, %d), expected at least one of the %d rows", begin, end,
                       d->rows);
    }
    return HD_OK;
}
