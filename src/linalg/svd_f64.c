#include "linalg/as_float64.h"
#include "linalg/svd.c"
