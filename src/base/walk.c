#include "base/walk.h"

#include <math.h>
#include <string.h>

static bool reads(const hd_walk *w)
{
    return w->mode == HD_WALK_CHECK || w->mode == HD_WALK_LOAD;
}

static void refuse(hd_walk *w, const char *name, double found)
{
    if (!w->wrong) {
        w->wrong = name;
        w->found = found;
    }
}

/* The next number that is to be loaded. */
static double next(hd_walk *w)
{
    if (w->mode == HD_WALK_CHECK && w->number >= w->n_numbers) {
        refuse(w, "length", (double)w->n_numbers);
        w->number++;
        return 0;
    }
    return w->from_numbers[w->number++];
}

void hd_walk_number(hd_walk *w, const char *name, double *field, double min, double max)
{
    if (!reads(w)) {
        hd_walk_numbers(w, 1, field);
        return;
    }
    double x = next(w);
    if (!(x >= min && x <= max)) {
        refuse(w, name, x);
    } else if (w->mode == HD_WALK_LOAD) {
        *field = x;
    }
}

int hd_walk_int(hd_walk *w, const char *name, int *field, int min, int max)
{
    double x = *field;
    if (!reads(w)) {
        hd_walk_numbers(w, 1, &x);
        return *field;
    }
    x = next(w);
    if (!(x >= min && x <= max && x == floor(x))) {
        refuse(w, name, x);
        return min;
    }
    if (w->mode == HD_WALK_LOAD) {
        *field = (int)x;
    }
    return (int)x;
}

bool hd_walk_bool(hd_walk *w, const char *name, bool *field)
{
    int x = *field;
    bool met = hd_walk_int(w, name, &x, 0, 1) != 0;
    if (w->mode == HD_WALK_LOAD) {
        *field = met;
    }
    return met;
}

void hd_walk_numbers(hd_walk *w, size_t n, double *field)
{
    if (w->mode == HD_WALK_SAVE && n) {
        memcpy(w->to_numbers + w->number, field, n * sizeof *field);
    } else if (w->mode == HD_WALK_LOAD && n) {
        memcpy(field, w->from_numbers + w->number, n * sizeof *field);
    }
    w->number += n;
}

void hd_walk_values(hd_walk *w, size_t n, real *field)
{
    if (w->mode == HD_WALK_SAVE && n) {
        memcpy(w->to_values + w->value, field, n * sizeof *field);
    } else if (w->mode == HD_WALK_LOAD && n) {
        memcpy(field, w->from_values + w->value, n * sizeof *field);
    }
    w->value += n;
}
