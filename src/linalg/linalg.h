/* Dense linear algebra on row-major matrices, each function twice: hd_NAME on `real`, hd_NAME_f64 on double. The second exists
 * in every build: closed-form solvers need float64 while layers run in float32. In the float64 build both do the same.
 *
 * The sources are written once, on `real`; NAME_f64.c includes them under as_float64.h. Blocks are fixed by the sizes and
 * summed in order, so that no result depends on the number of threads. */
#ifndef HD_LINALG_LINALG_H
#define HD_LINALG_LINALG_H

#include "base/context.h"
#include "base/real.h"

#include <stdbool.h>
#include <stdint.h>

#ifndef HD_AS_FLOAT64 /* a source that is compiled as float64 has no name for the float32 functions */
#define HD_T real
#define HD_N(name) name
#include "linalg/functions.h"
#undef HD_T
#undef HD_N
#endif

#define HD_T double
#define HD_N(name) name##_f64
#include "linalg/functions.h"
#undef HD_T
#undef HD_N

#endif
