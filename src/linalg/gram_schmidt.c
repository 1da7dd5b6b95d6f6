#include "linalg/gram_schmidt.h"

#include <math.h>

enum { ROWS = 8, PANEL = 32 }; /* rows of a task, rows of the basis that are removed from a row while it is in the cache */

/* Rows [from, to) are orthonormal, and are removed from rows [to, end). */
typedef struct basis {
    double *a;
    size_t n, from, to, end;
} basis;

/* row -= <row, q> q */
static void remove_part(size_t n, const double *restrict q, double *restrict row)
{
    double s[4] = { 0 };
    for (size_t k = 0; k + 4 <= n; k += 4) {
        for (size_t l = 0; l < 4; l++) {
            s[l] += row[k + l] * q[k + l];
        }
    }
    for (size_t k = n / 4 * 4; k < n; k++) {
        s[0] += row[k] * q[k];
    }
    const double dot = (s[0] + s[1]) + (s[2] + s[3]);
    for (size_t k = 0; k < n; k++) {
        row[k] -= dot * q[k];
    }
}

static void remove_parts(void *arg, int task, int thread)
{
    (void)thread;
    const basis *b = arg;
    const size_t first = b->to + (size_t)task * ROWS, end = b->end - first < ROWS ? b->end : first + ROWS;
    for (size_t i = first; i < end; i++) {
        for (size_t j = b->from; j < b->to; j++) {
            remove_part(b->n, b->a + j * b->n, b->a + i * b->n);
        }
    }
}

static void remove_all(hd_pool *p, double *a, size_t n, size_t from, size_t to, size_t end)
{
    basis b = { a, n, from, to, end };
    hd_pool_run(p, (int)((end - to + ROWS - 1) / ROWS), remove_parts, &b);
}

void hd_orthonormalise(hd_pool *p, size_t count, size_t n, double *a)
{
    for (size_t from = 0, end; from < count; from = end) {
        end = count - from < PANEL ? count : from + PANEL;
        for (size_t i = from; i < end; i++) {
            double *row = a + i * n, squares = 0;
            for (size_t k = 0; k < n; k++) {
                squares += row[k] * row[k];
            }
            const double norm = sqrt(squares);
            for (size_t k = 0; k < n; k++) {
                row[k] /= norm;
            }
            remove_all(p, a, n, i, i + 1, end);
        }
        remove_all(p, a, n, from, end, count);
    }
}
