/* What programs here share that drive the library by its public header: one context, and the end of the program where it refuses. */
#ifndef HD_BENCH_KIT_H
#define HD_BENCH_KIT_H

#include "heddle.h"

#include <stdio.h>
#include <stdlib.h>

static hd_context *context;

static void must(hd_status status)
{
    if (status) {
        fprintf(stderr, "%s\n", hd_error(context));
        exit(1);
    }
}

static int node(int made)
{
    must(made < 0 ? hd_error_status(context) : HD_OK);
    return made;
}

#endif
