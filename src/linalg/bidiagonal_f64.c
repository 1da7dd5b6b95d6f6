#include "linalg/as_float64.h"
#include "linalg/bidiagonal.c"
