/* Arrays element by element, sums over one index, changes of layout. Large arrays are cut into fixed blocks
 * that run on all threads. Results never depend on the number of threads. */
#ifndef HD_KERN_ELEMENTWISE_H
#define HD_KERN_ELEMENTWISE_H

#include "base/pool.h"
#include "base/real.h"

#include <stdbool.h>
#include <stdint.h>

/* Elements in a block of the threaded array functions; arrays up to this size run inline. */
enum { HD_BLOCK = 16384 };

void hd_copy(hd_pool *p, size_t n, const real *x, real *y);
void hd_fill(hd_pool *p, size_t n, real value, real *y);
void hd_scale(hd_pool *p, size_t n, real alpha, real *y);                /* y *= alpha */
void hd_axpy(hd_pool *p, size_t n, real alpha, const real *x, real *y);  /* y += alpha x */
void hd_add(hd_pool *p, size_t n, const real *a, const real *b, real *y); /* y = a + b; y may be a or b */
void hd_mul(hd_pool *p, size_t n, const real *a, const real *b, real *y); /* y = a b; y may be a or b */
void hd_mul_add(hd_pool *p, size_t n, const real *a, const real *b, real *y); /* y += a b */

/* y[g][c] = sum_r x[g][r][c], or += with accumulate. x: (groups, rows, row); y: (groups, row).
 * Bias gradients: groups = 1 for a dense layer; (I, N, J) -> (I, J) with groups = I, rows = N. Rows are added
 * in blocks of HD_SUM_ROWS, and the blocks in order. */
void hd_sum_rows(hd_pool *p, size_t groups, size_t rows, size_t row, const real *x, real *y, bool accumulate);
enum { HD_SUM_ROWS = 128 };

/* y = x with its three indices in another order, or += with accumulate: dim order[0] of x comes first in y.
 * x: (dims[0], dims[1], dims[2]); no overlap with y.
 * {1,0,2}: (N,I,J) <-> (I,N,J); {0,2,1}: transposes a batch of matrices; {2,1,0}: the same in I-major layout. */
void hd_permute(hd_pool *p, const int dims[3], const int order[3], const real *x, real *y, bool accumulate);

/* A table of samples: rows of `size` elements; an element's value is stored * scale + offset. */
typedef struct hd_table {
    const void *data; /* real or uint8_t, (any number of rows, size) */
    bool is_uint8;
    int size;
    real scale, offset;
} hd_table;

/* y[i][s][j] = sample index[s], element i * (size / rows) + j. y: (rows, n, size / rows); rows divides size.
 * rows = 1: plain samples (n, size). rows = I: matrices in I-major layout (I, n, J). index NULL: 0..n-1. */
void hd_gather(hd_pool *p, const hd_table *t, const uint32_t *index, int n, int rows, real *y);

#endif
