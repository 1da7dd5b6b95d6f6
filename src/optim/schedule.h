/* What a learning-rate schedule is. */
#ifndef HD_OPTIM_SCHEDULE_H
#define HD_OPTIM_SCHEDULE_H

#include "base/option.h"

typedef struct hd_schedule_class {
    const char *name, *doc;
    const hd_option *options;
    /* Factor on the base rate at `epoch` (whole epochs plus the done part of the running one, >= 0) of `epochs`. */
    double (*factor)(const hd_values *opt, double epoch, double epochs);
} hd_schedule_class;

#endif
