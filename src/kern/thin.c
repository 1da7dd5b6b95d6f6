#include "kern/thin.h"

#include "kern/vec.h"

enum { MOST = 5, PAIR = 2 * HD_VL }; /* rows of a tile: 5 x 2 sums and 3 more vectors stay in registers */

/* Rows of A are cut into tiles of nearly equal height. */
static int tile_rows(int m, int tile)
{
    const int tiles = (m + MOST - 1) / MOST;
    return m / tiles + (tile < m % tiles);
}

void hd_thin_pack(int m, int k, const real *a, size_t row, size_t step, real *packed)
{
    for (int i = 0, tile = 0; i < m; tile++) {
        const int rows = tile_rows(m, tile);
        for (int p = 0; p < k; p++) {
            for (int r = 0; r < rows; r++) {
                *packed++ = a[(size_t)(i + r) * row + (size_t)p * step];
            }
        }
        i += rows;
    }
}

typedef struct strip {
    int k;
    size_t n;
    const real *a, *b;
    size_t b_row;
    bool add;
    real *y;
    size_t y_row;
} strip;

HD_INLINE void rows_of(const strip *s, int rows)
{
    for (size_t j = 0; j < s->n; j += PAIR) {
        const real *a = s->a, *b = s->b + j;
        vec low[MOST], high[MOST];
        for (int i = 0; i < rows; i++) {
            const real *y = s->y + (size_t)i * s->y_row + j;
            low[i] = s->add ? vload(y) : vzero();
            high[i] = s->add ? vload(y + HD_VL) : vzero();
        }
        for (int p = 0; p < s->k; p++, a += rows, b += s->b_row) {
            const vec b0 = vload(b), b1 = vload(b + HD_VL);
            for (int i = 0; i < rows; i++) {
                const vec x = vset(a[i]);
                low[i] = vmadd(x, b0, low[i]);
                high[i] = vmadd(x, b1, high[i]);
            }
        }
        for (int i = 0; i < rows; i++) {
            vstore(s->y + (size_t)i * s->y_row + j, low[i]);
            vstore(s->y + (size_t)i * s->y_row + j + HD_VL, high[i]);
        }
    }
}

/* Functions of their own: engines assign registers badly in one that holds them all. */
#define ROWS(n)                                                                                                   \
    static __attribute__((noinline)) void rows_##n(const strip *s)                                                \
    {                                                                                                             \
        rows_of(s, n);                                                                                            \
    }
ROWS(1)
ROWS(2)
ROWS(3)
ROWS(4)
ROWS(5)

void hd_thin_product(hd_thin a, size_t n, const real *b, size_t b_row, bool add, real *y, size_t y_row)
{
    static void (*const tiles[])(const strip *) = { rows_1, rows_2, rows_3, rows_4, rows_5 };
    strip s = { a.k, n, a.packed, b, b_row, add, y, y_row };
    for (int i = 0, tile = 0; i < a.m; tile++) {
        const int rows = tile_rows(a.m, tile);
        s.a = a.packed + (size_t)i * (size_t)a.of + (size_t)rows * (size_t)a.from;
        tiles[rows - 1](&s);
        s.y += (size_t)rows * y_row;
        i += rows;
    }
}
