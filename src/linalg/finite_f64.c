#include "linalg/as_float64.h"
#include "linalg/finite.c"
