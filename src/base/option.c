#include "base/option.h"

#include "base/format.h"

#include <math.h>
#include <string.h>

static int count_names(const hd_option *o)
{
    int n = 0;
    while (o->names[n]) {
        n++;
    }
    return n;
}

static bool in_range(const hd_option *o, double v)
{
    switch (o->type) {
    case HD_BOOL:
        return v == 0 || v == 1;
    case HD_ENUM:
        return v >= 0 && v < count_names(o) && v == floor(v);
    default:
        if (o->type != HD_NUMBER && o->type != HD_NUMBERS && v != floor(v)) {
            return false;
        }
        return (o->open_min ? v > o->min : v >= o->min) && (o->open_max ? v < o->max : v <= o->max);
    }
}

static hd_status refuse(hd_context *c, const char *path, const hd_option *o, double v)
{
    char range[96];
    if (o->type == HD_BOOL) {
        hd_format(range, sizeof range, "0 or 1");
    } else if (o->type == HD_ENUM) {
        hd_format(range, sizeof range, "the index of one of %d names", count_names(o));
    } else if (o->type == HD_NUMBER || o->type == HD_NUMBERS) {
        hd_format(range, sizeof range, "a number %s %g and %s %g", o->open_min ? ">" : ">=", o->min,
                  o->open_max ? "<" : "<=", o->max);
    } else {
        hd_format(range, sizeof range, "an integer %g..%g", o->min, o->max);
    }
    return hd_fail(c, HD_ERR_ARGUMENT, "%s: %s = %g, expected %s", path, o->name, v, range);
}

/* Reads the list option i that begins at values[*used]. */
static hd_status read_list(hd_context *c, const char *path, const hd_option *o, const double *values, int n,
                           int *used, int *filled, int i, hd_values *out)
{
    double length = *used < n ? values[(*used)++] : 0;
    if (!(length >= 0 && length <= HD_MAX_LIST - *filled) || length > n - *used) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: %s has %g values, expected at most %d", path, o->name, length,
                       HD_MAX_LIST - *filled);
    }
    if (o->required && length == 0) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: %s is required", path, o->name);
    }
    if (o->group && (int)length % o->group) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: %s has %g values, expected groups of %d", path, o->name, length, o->group);
    }
    out->number[i] = length;
    out->start[i] = *filled;
    for (int k = 0; k < (int)length; k++) {
        double v = values[(*used)++];
        if (!in_range(o, v)) {
            return refuse(c, path, o, v);
        }
        out->list[(*filled)++] = v;
    }
    return HD_OK;
}

hd_status hd_options_read(hd_context *c, const char *path, const hd_option *table, const double *values, int n,
                          hd_values *out)
{
    memset(out, 0, sizeof *out);
    int used = 0, filled = 0, i = 0;
    for (; table && table[i].name; i++) {
        const hd_option *o = &table[i];
        if (o->type == HD_INTS || o->type == HD_NUMBERS) {
            hd_status status = read_list(c, path, o, values, n, &used, &filled, i, out);
            if (status) {
                return status;
            }
        } else if (used < n) {
            out->number[i] = values[used++];
            if (!in_range(o, out->number[i])) {
                return refuse(c, path, o, out->number[i]);
            }
        } else if (o->required) {
            return hd_fail(c, HD_ERR_ARGUMENT, "%s: %s is required", path, o->name);
        } else {
            out->number[i] = o->def;
        }
    }
    if (used < n) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: %d option values, expected at most %d", path, n, used);
    }
    return HD_OK;
}

int hd_options_write(const hd_option *table, const hd_values *values, double *out)
{
    int n = 0;
    for (int i = 0; table && table[i].name; i++) {
        out[n++] = values->number[i];
        if (table[i].type == HD_INTS || table[i].type == HD_NUMBERS) {
            for (int k = 0; k < (int)values->number[i]; k++) {
                out[n++] = values->list[values->start[i] + k];
            }
        }
    }
    return n;
}
