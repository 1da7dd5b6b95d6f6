/* One walk over the fields of a state counts, saves, checks or loads them: four uses of the same lines, which can't disagree. */
#ifndef HD_BASE_WALK_H
#define HD_BASE_WALK_H

#include "base/real.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum hd_walk_mode { HD_WALK_COUNT, HD_WALK_SAVE, HD_WALK_CHECK, HD_WALK_LOAD } hd_walk_mode;

typedef struct hd_walk {
    hd_walk_mode mode;
    double *to_numbers;         /* HD_WALK_SAVE */
    real *to_values;
    const double *from_numbers; /* HD_WALK_CHECK, HD_WALK_LOAD */
    const real *from_values;
    size_t n_numbers, n_values; /* HD_WALK_CHECK: how many there are */
    size_t number, value;       /* passed so far */
    const char *wrong;          /* HD_WALK_CHECK: first field that is not as it must be; NULL: none */
    double found;               /* its value */
} hd_walk;

/* The value that the walk meets: the field's, or, when checking, the one that would be loaded. Whole, in [min, max]. */
int hd_walk_int(hd_walk *w, const char *name, int *field, int min, int max);
bool hd_walk_bool(hd_walk *w, const char *name, bool *field);
/* A number in [min, max]. */
void hd_walk_number(hd_walk *w, const char *name, double *field, double min, double max);
/* Any numbers, NaN too. They only enter sums: no index or size depends on them. */
void hd_walk_numbers(hd_walk *w, size_t n, double *field);
void hd_walk_values(hd_walk *w, size_t n, real *field);

#endif
