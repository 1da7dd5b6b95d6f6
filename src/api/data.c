#include "model/data.h"

#include "kern/reduce.h"

#include <stdbool.h>

hd_data *hd_data_new(hd_context *c, int rows)
{
    if (rows < 1) {
        hd_fail(c, HD_ERR_ARGUMENT, "data: rows = %d, expected at least 1", rows);
        return NULL;
    }
    hd_data *d = hd_alloc(c, sizeof *d, "data");
    if (d) {
        d->c = c;
        d->rows = rows;
    }
    return d;
}

void hd_data_free(hd_data *d)
{
    for (int i = 0; d && i < d->n_columns; i++) {
        hd_release(d->c, d->column[i].rows);
    }
    if (d) {
        hd_release(d->c, d);
    }
}

int hd_data_rows(const hd_data *d)
{
    return d->rows;
}

static hd_status check_column(hd_data *d, int role, int index, int type, int size, double scale, double offset)
{
    static const int most[] = { HD_MAX_INPUTS, HD_MAX_OUTPUTS, 1 };
    if (role < 0 || role > HD_COLUMN_WEIGHT || index < 0 || index >= most[role] || (type != HD_FLOAT && type != HD_UINT8)) {
        return hd_fail(d->c, HD_ERR_ARGUMENT, "data: role %d, index %d, type %d: no such column", role, index, type);
    }
    if (size < 1 || (role == HD_COLUMN_WEIGHT && size != 1)) {
        return hd_fail(d->c, HD_ERR_SHAPE, "data: %d elements a row, expected %s", size,
                       role == HD_COLUMN_WEIGHT ? "1 (a sample weight)" : "at least 1");
    }
    if (!(scale >= -1e30 && scale <= 1e30 && offset >= -1e30 && offset <= 1e30)) {
        return hd_fail(d->c, HD_ERR_ARGUMENT, "data: scale = %g, offset = %g, expected finite numbers", scale, offset);
    }
    if (hd_data_find(d, role, index)) {
        return hd_fail(d->c, HD_ERR_STATE, "data: column %d of role %d is there already", index, role);
    }
    return HD_OK;
}

void *hd_data_column(hd_data *d, int role, int index, int type, int size, double scale, double offset)
{
    if (check_column(d, role, index, type, size, scale, offset)) {
        return NULL;
    }
    uint64_t bytes = (uint64_t)d->rows * (uint64_t)size * (type == HD_UINT8 ? 1 : sizeof(real));
    if (bytes > SIZE_MAX / 2) {
        hd_fail(d->c, HD_ERR_MEMORY, "data: %d rows of %d elements need more memory than can be addressed", d->rows, size);
        return NULL;
    }
    void *rows = hd_alloc(d->c, (size_t)bytes, "data");
    if (rows) {
        hd_table table = { rows, type == HD_UINT8, size, (real)scale, (real)offset };
        d->column[d->n_columns++] = (hd_column){ role, index, table, rows };
    }
    return rows;
}

hd_status hd_data_check(hd_data *d)
{
    static const char *const roles[] = { "input", "target", "sample weight" };
    for (int i = 0; i < d->n_columns; i++) {
        const hd_column *column = &d->column[i];
        size_t n = (size_t)d->rows * (size_t)column->table.size;
        if (column->table.is_uint8 || hd_all_finite(d->c->pool, n, column->rows)) {
            continue;
        }
        const real *x = column->rows;
        size_t at = 0;
        while (x[at] - x[at] == 0) {
            at++;
        }
        return hd_fail(d->c, HD_ERR_ARGUMENT, "data: %s %d, row %z, element %z = %g, expected a finite number",
                       roles[column->role], column->index, at / (size_t)column->table.size,
                       at % (size_t)column->table.size, (double)x[at]);
    }
    return HD_OK;
}
