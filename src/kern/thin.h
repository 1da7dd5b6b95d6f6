/* Product of a small matrix with a wide one that is used as it lies in memory: nothing of the wide one is copied. */
#ifndef HD_KERN_THIN_H
#define HD_KERN_THIN_H

#include "base/real.h"

#include <stdbool.h>
#include <stddef.h>

enum { HD_THIN_COLS = 8 }; /* n is a multiple of it */

/* Packs A [m x k], element (i, p) at a[i * row + p * step], as hd_thin_product takes it: m k elements. */
void hd_thin_pack(int m, int k, const real *a, size_t row, size_t step, real *packed);

/* Columns [from, from + k) of a packed matrix A [m x of]. */
typedef struct hd_thin {
    int m, k, from, of;
    const real *packed;
} hd_thin;

/* Y [m x n] = A B, or with `add` Y + A B, on the calling thread. Row p of B [k x n] is at b + p * b_row (rows may overlap: b_row 1 makes B the
 * Toeplitz matrix of a signal), row i of Y at y + i * y_row. Each element is the chain y + a(0) b(0) + a(1) b(1) + ... of vmadd, wherever
 * it lies. */
void hd_thin_product(hd_thin a, size_t n, const real *b, size_t b_row, bool add, real *y, size_t y_row);

#endif
