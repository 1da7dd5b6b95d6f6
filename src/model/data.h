/* Samples in memory: columns of rows, as float or as uint8 with scale and offset. */
#ifndef HD_MODEL_DATA_H
#define HD_MODEL_DATA_H

#include "kern/elementwise.h"
#include "model/model.h"

enum { HD_MAX_COLUMNS = HD_MAX_INPUTS + HD_MAX_OUTPUTS + 1 };

typedef struct hd_column {
    int role, index;
    hd_table table;
    void *rows;
} hd_column;

struct hd_data {
    hd_context *c;
    int rows;
    int n_columns;
    hd_column column[HD_MAX_COLUMNS];
};

/* NULL if there is no such column. */
const hd_column *hd_data_find(const hd_data *d, int role, int index);
/* The data has a column of the right size for every input of the model. */
hd_status hd_data_fits_inputs(hd_model *m, const hd_data *d);
/* And for every output with a loss or metric, with allowed values in rows [begin, end). */
hd_status hd_data_fits_targets(hd_model *m, const hd_data *d, int begin, int end);
hd_status hd_data_range(hd_context *c, const hd_data *d, int begin, int end);

#endif
