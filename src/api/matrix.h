/* What the public functions of linear algebra share: matrices of either precision as void pointers, and their checks. */
#ifndef HD_API_MATRIX_H
#define HD_API_MATRIX_H

#include "base/context.h"
#include "linalg/linalg.h"

enum { HD_MATRIX_MOST = 65536 }; /* rows or columns */

/* What of a square matrix counts. */
typedef enum hd_part { HD_WHOLE, HD_LOWER, HD_UPPER } hd_part;

/* hd_NAME on real or on double, with the same arguments: matrices as void pointers. */
#define HD_CALL(type, name, ...) ((type) == HD_F64 ? name##_f64(__VA_ARGS__) : name(__VA_ARGS__))

/* Bytes of an element. */
size_t hd_matrix_bytes(int type);
/* Refuses unknown types, and sizes beyond 1..HD_MATRIX_MOST. `name`: of the function, for the sentence. */
hd_status hd_matrix_sizes(hd_context *c, const char *name, int type, int count, const int *sizes);
/* Refuses the first element of x (rows x cols) that is not finite: an argument, or with `status` HD_ERR_DIVERGED a result. */
hd_status hd_matrix_finite(hd_context *c, const char *name, const char *matrix, hd_status status, int type, hd_part part, int rows,
                           int cols, const void *x);

#endif
