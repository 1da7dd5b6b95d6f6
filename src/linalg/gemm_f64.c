/* The matrix product in float64. */
#include "linalg/as_float64.h"
#include "kern/gemm.c"
