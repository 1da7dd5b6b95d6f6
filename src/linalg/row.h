/* Products and sums of rows, for kernels that walk a matrix row by row. */
#ifndef HD_LINALG_ROW_H
#define HD_LINALG_ROW_H

#include "kern/vec.h"

HD_INLINE real row_dot(int n, const real *x, const real *y)
{
    vec s = vzero(), t = vzero();
    int i = 0;
    for (; i + 2 * HD_VL <= n; i += 2 * HD_VL) {
        s = vmadd(vload(x + i), vload(y + i), s);
        t = vmadd(vload(x + i + HD_VL), vload(y + i + HD_VL), t);
    }
    for (; i < n; i += HD_VL) {
        s = vmadd(vload_upto(x + i, (size_t)(n - i)), vload_upto(y + i, (size_t)(n - i)), s);
    }
    return vsum(vadd(s, t));
}

/* y += f x */
HD_INLINE void row_axpy(int n, real f, const real *x, real *y)
{
    const vec v = vset(f);
    for (int i = 0; i < n; i += HD_VL) {
        const size_t left = (size_t)(n - i);
        vstore_upto(y + i, vmadd(v, vload_upto(x + i, left), vload_upto(y + i, left)), left);
    }
}

#endif
