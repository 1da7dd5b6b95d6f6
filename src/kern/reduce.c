#include "kern/reduce.h"

#include "kern/elementwise.h"

#include <math.h>

/* One partial result for each block of HD_BLOCK elements, in the shared scratch. So many that their elements can still be counted
 * in a 32-bit size_t. */
enum { MAX_BLOCKS = 1 << 14 };

typedef double block_function(size_t n, const real *x, const real *y);

typedef struct job {
    size_t n;
    const real *x, *y;
    block_function *fn;
    double *partial;
} job;

static void reduce_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    size_t first = (size_t)task * HD_BLOCK, n = j->n - first < HD_BLOCK ? j->n - first : HD_BLOCK;
    j->partial[task] = j->fn(n, j->x + first, j->y ? j->y + first : NULL);
}

/* Writes the partial results; their number. */
static size_t reduce(hd_pool *p, size_t n, const real *x, const real *y, block_function *fn, double **partial)
{
    *partial = hd_pool_shared(p);
    size_t blocks = (n + HD_BLOCK - 1) / HD_BLOCK;
    job j = { n, x, y, fn, *partial };
    hd_pool_run(p, (int)blocks, reduce_task, &j);
    return blocks;
}

static double add_up(hd_pool *p, size_t n, const real *x, const real *y, block_function *fn)
{
    double total = 0;
    const size_t limit = (size_t)MAX_BLOCKS * HD_BLOCK;
    for (size_t first = 0; first < n; first += limit) {
        double *partial;
        size_t count = n - first < limit ? n - first : limit;
        size_t blocks = reduce(p, count, x + first, y ? y + first : NULL, fn, &partial);
        for (size_t i = 0; i < blocks; i++) {
            total += partial[i];
        }
    }
    return total;
}

/* Four sums side by side: the processor needs not wait for one addition to begin the next. */
#define FOUR_SUMS(term)                                                                                           \
    double s[4] = { 0 };                                                                                          \
    size_t i = 0;                                                                                                 \
    for (; i + 4 <= n; i += 4) {                                                                                  \
        s[0] += term(i);                                                                                          \
        s[1] += term(i + 1);                                                                                      \
        s[2] += term(i + 2);                                                                                      \
        s[3] += term(i + 3);                                                                                      \
    }                                                                                                             \
    for (; i < n; i++) {                                                                                          \
        s[0] += term(i);                                                                                          \
    }                                                                                                             \
    return (s[0] + s[1]) + (s[2] + s[3])

#define PLAIN(i) (double)x[i]
#define ABSOLUTE(i) fabs((double)x[i])
#define SQUARE(i) (double)x[i] * x[i]
#define PRODUCT(i) (double)x[i] * y[i]

static double block_sum(size_t n, const real *x, const real *y)
{
    (void)y;
    FOUR_SUMS(PLAIN);
}

static double block_abs(size_t n, const real *x, const real *y)
{
    (void)y;
    FOUR_SUMS(ABSOLUTE);
}

static double block_squares(size_t n, const real *x, const real *y)
{
    (void)y;
    FOUR_SUMS(SQUARE);
}

static double block_dot(size_t n, const real *x, const real *y)
{
    FOUR_SUMS(PRODUCT);
}

static double block_max(size_t n, const real *x, const real *y)
{
    (void)y;
    real max = 0;
    for (size_t i = 0; i < n; i++) {
        real a = x[i] < 0 ? -x[i] : x[i];
        if (!(a <= max)) {
            max = a;
            if (a != a) {
                break;
            }
        }
    }
    return max;
}

/* x - x is 0 for a finite x, else NaN. */
#define DEFECT(i) (double)(x[i] - x[i])

static double block_finite(size_t n, const real *x, const real *y)
{
    (void)y;
    FOUR_SUMS(DEFECT);
}

double hd_sum(hd_pool *p, size_t n, const real *x)
{
    return add_up(p, n, x, NULL, block_sum);
}

double hd_sum_abs(hd_pool *p, size_t n, const real *x)
{
    return add_up(p, n, x, NULL, block_abs);
}

double hd_sum_squares(hd_pool *p, size_t n, const real *x)
{
    return add_up(p, n, x, NULL, block_squares);
}

double hd_dot(hd_pool *p, size_t n, const real *x, const real *y)
{
    return add_up(p, n, x, y, block_dot);
}

double hd_max_abs(hd_pool *p, size_t n, const real *x)
{
    double max = 0;
    const size_t limit = (size_t)MAX_BLOCKS * HD_BLOCK;
    for (size_t first = 0; first < n; first += limit) {
        double *partial;
        size_t blocks = reduce(p, n - first < limit ? n - first : limit, x + first, NULL, block_max, &partial);
        for (size_t i = 0; i < blocks; i++) {
            max = partial[i] <= max || max != max ? max : partial[i];
        }
    }
    return max;
}

bool hd_all_finite(hd_pool *p, size_t n, const real *x)
{
    return add_up(p, n, x, NULL, block_finite) == 0;
}

size_t hd_argmax(size_t n, const real *x)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        if (x[i] > x[best] || (x[best] != x[best] && x[i] == x[i])) {
            best = i;
        }
    }
    return best;
}
