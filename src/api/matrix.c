#include "api/matrix.h"

size_t hd_matrix_bytes(int type)
{
    return type == HD_F64 ? sizeof(double) : sizeof(real);
}

hd_status hd_matrix_sizes(hd_context *c, const char *name, int type, int count, const int *sizes)
{
    if (type != HD_F32 && type != HD_F64) {
        return hd_fail(c, HD_ERR_ARGUMENT, "%s: type = %d, expected 0 (float32) or 1 (float64)", name, type);
    }
    for (int i = 0; i < count; i++) {
        if (sizes[i] < 1 || sizes[i] > HD_MATRIX_MOST) {
            return hd_fail(c, HD_ERR_ARGUMENT, "%s: a matrix of %d rows or columns, expected 1..%d", name, sizes[i], HD_MATRIX_MOST);
        }
    }
    return HD_OK;
}

hd_status hd_matrix_finite(hd_context *c, const char *name, const char *matrix, hd_status status, int type, hd_part part, int rows, int cols,
                           const void *x)
{
    for (int i = 0; i < rows; i++) {
        const int first = part == HD_UPPER ? i : 0, end = part == HD_LOWER ? i + 1 : cols;
        const char *row = (const char *)x + ((size_t)i * (size_t)cols + (size_t)first) * hd_matrix_bytes(type);
        const int bad = HD_CALL(type, hd_find_not_finite, end - first, (const void *)row);
        if (bad >= 0) {
            const double value = type == HD_F64 ? ((const double *)row)[bad] : (double)((const real *)row)[bad];
            return hd_fail(c, status, "%s: %s[%d][%d] = %g, expected a finite number%s", name, matrix, i, first + bad, value,
                           status == HD_ERR_DIVERGED ? ": too large for its type, or the matrix is close to singular" : "");
        }
    }
    return HD_OK;
}
