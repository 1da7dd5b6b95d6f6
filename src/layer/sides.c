#include "layer/sides.h"

#include "layer/window.h"

hd_status hd_sides_read(hd_build *b, int option, const char *name, hd_sides *out)
{
    const double *v = b->opt->list + b->opt->start[option];
    int length = (int)b->opt->number[option];
    hd_status status = hd_image_check(b);
    if (!status && length != 1 && length != 2 && length != 4) {
        status = hd_fail(b->c, HD_ERR_ARGUMENT,
                         "%s: %s has %d values, expected 1 (all sides), 2 (rows, columns) or 4 (top, bottom, left, right)",
                         b->path, name, length);
    }
    if (!status) {
        int columns = length == 1 ? 0 : length / 2; /* where those of the columns begin */
        *out = (hd_sides){ (int)v[0], (int)v[length == 4], (int)v[columns], (int)v[length == 4 ? 3 : columns] };
    }
    return status;
}
