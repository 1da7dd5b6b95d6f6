/* Option tables: the one description of a class's options from which checks, JS factories, types, docs and
 * tests are made. */
#ifndef HD_BASE_OPTION_H
#define HD_BASE_OPTION_H

#include "base/context.h"

#include <stdbool.h>

enum { HD_MAX_OPTIONS = 16, HD_MAX_LIST = 64 };

typedef enum hd_option_type { HD_INT, HD_NUMBER, HD_BOOL, HD_ENUM, HD_INTS, HD_NUMBERS } hd_option_type;

/* A table ends with a zero name. HD_INTS takes a list of integers, HD_NUMBERS one of
 * numbers, each in [min, max]; in JS a single number stands for a list of one, and a list of lists for one in groups. */
typedef struct hd_option {
    const char *name; /* as in JS: camelCase */
    hd_option_type type;
    double min, max;          /* inclusive; for HD_BOOL and HD_ENUM not used */
    double def;               /* default; index for HD_ENUM; lists default to empty */
    bool required;            /* no default */
    bool open_min, open_max;  /* min, max themselves are excluded */
    const char *const *names; /* HD_ENUM: NULL-terminated */
    int group;                /* HD_INTS: 2 for a list of pairs, one after the other; 0: of single values */
    const char *doc;          /* one line: meaning, unit, source */
} hd_option;

/* Checked values in table order. A list option has its length in number[i], its values from list[start[i]]. */
typedef struct hd_values {
    double number[HD_MAX_OPTIONS];
    int start[HD_MAX_OPTIONS];
    double list[HD_MAX_LIST];
} hd_values;

/* Reads `n` doubles in table order (see heddle.h); missing ones take their defaults. On error the sentence
 * reads "<path>: units = 0, expected 1..65536". A NULL table takes no options. */
hd_status hd_options_read(hd_context *c, const char *path, const hd_option *table, const double *values, int n,
                          hd_values *out);
/* The inverse: writes all values as hd_options_read takes them, at most HD_MAX_OPTIONS + HD_MAX_LIST; their number. */
int hd_options_write(const hd_option *table, const hd_values *values, double *out);

#endif
