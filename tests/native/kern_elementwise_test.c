/* Elementwise kernels, sums over rows, permutations, gather, reductions and activations against plain loops in
 * float64; the same bits for 1, 2 and 4 threads. */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "kern/activation.h"
#include "kern/elementwise.h"
#include "kern/reduce.h"

#include <float.h>
#include <stdlib.h>

#ifdef HD_FLOAT64
static const double EPSILON = DBL_EPSILON;
#else
static const double EPSILON = FLT_EPSILON;
#endif

enum { POOLS = 3, MOST = 70001 };
static hd_context context = { .fail_at = -1 };
static hd_pool *pools[POOLS];
static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 31, 1000, HD_BLOCK, HD_BLOCK + 1, MOST };
enum { SIZES = sizeof sizes / sizeof *sizes };

static real a[MOST + 1], b[MOST + 1], old[MOST + 1], got[POOLS][MOST + 1];

static void fill_random(real *x, size_t n, uint32_t stream)
{
    hd_rng r = hd_rng_stream(17, stream, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = (real)(hd_rng_uniform(r, i) * 8 - 4);
    }
}

/* Before: got[t] = old. After: all pools gave the same bits, and nothing behind n changed. */
static void start(void)
{
    for (int t = 0; t < POOLS; t++) {
        memcpy(got[t], old, sizeof old);
    }
}

static void check_same(size_t n)
{
    for (int t = 1; t < POOLS; t++) {
        CHECK(!memcmp(got[t], got[0], sizeof old));
    }
    CHECK(!memcmp(got[0] + n, old + n, (MOST + 1 - n) * sizeof(real)));
}

/* Largest difference between got[0] and f(i), relative to |f(i)| + 1. */
static double difference(size_t n, double (*f)(size_t))
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double e = fabs(got[0][i] - f(i)) / (1 + fabs(f(i)));
        worst = !(e <= worst) ? e : worst;
    }
    return worst;
}

static double want_copy(size_t i) { return a[i]; }
static double want_fill(size_t i) { (void)i; return 2.5; }
static double want_scale(size_t i) { return 1.5 * old[i]; }
static double want_axpy(size_t i) { return old[i] - 0.75 * a[i]; }
static double want_add(size_t i) { return (double)a[i] + b[i]; }
static double want_mul(size_t i) { return (double)a[i] * b[i]; }
static double want_mul_add(size_t i) { return old[i] + (double)a[i] * b[i]; }

static void elementwise(void)
{
    static double (*const want[])(size_t) = { want_copy, want_fill, want_scale, want_axpy, want_add, want_mul, want_mul_add };
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        for (int op = 0; op < 7; op++) {
            start();
            for (int t = 0; t < POOLS; t++) {
                switch (op) {
                case 0: hd_copy(pools[t], n, a, got[t]); break;
                case 1: hd_fill(pools[t], n, (real)2.5, got[t]); break;
                case 2: hd_scale(pools[t], n, (real)1.5, got[t]); break;
                case 3: hd_axpy(pools[t], n, (real)-0.75, a, got[t]); break;
                case 4: hd_add(pools[t], n, a, b, got[t]); break;
                case 5: hd_mul(pools[t], n, a, b, got[t]); break;
                default: hd_mul_add(pools[t], n, a, b, got[t]);
                }
            }
            check_same(n);
            NEAR(difference(n, want[op]), 0, 2 * EPSILON);
        }
    }
}

static void row_sums(void)
{
    static const int shapes[][3] = { { 1, 128, 10 }, { 20, 128, 20 }, { 1, 5, 1 }, { 3, 700, 7 }, { 1, 128, 500 }, { 2, 130, 129 },
                                     { 4, 0, 5 }, { 0, 3, 4 }, { 3, 2, 0 }, { 200, 17, 20 } };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t groups = (size_t)shapes[s][0], rows = (size_t)shapes[s][1], row = (size_t)shapes[s][2];
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            start();
            for (int t = 0; t < POOLS; t++) {
                hd_sum_rows(pools[t], groups, rows, row, a, got[t], accumulate);
            }
            check_same(groups * row);
            for (size_t i = 0; i < groups * row; i++) {
                double sum = accumulate ? old[i] : 0;
                for (size_t r = 0; r < rows; r++) {
                    sum += a[(i / row * rows + r) * row + i % row];
                }
                NEAR(got[0][i], sum, EPSILON * 4 * (double)(rows + 1));
            }
        }
    }
}

static void permutations(void)
{
    static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    static const int shapes[][3] = { { 1, 1, 1 }, { 3, 5, 7 }, { 28, 64, 28 }, { 2, 100, 300 }, { 17, 16, 33 }, { 0, 4, 4 }, { 4, 4, 0 } };
    for (size_t s = 0; s < 7; s++) {
        for (int o = 0; o < 6; o++) {
            const int *d = shapes[s], *q = orders[o];
            const size_t n = (size_t)(d[0] * d[1] * d[2]);
            for (int accumulate = 0; accumulate < 2; accumulate++) {
                start();
                for (int t = 0; t < POOLS; t++) {
                    hd_permute(pools[t], d, q, a, got[t], accumulate);
                }
                check_same(n);
                int ok = 1;
                for (size_t i = 0; i < n; i++) {
                    const int x[3] = { (int)i / d[2] / d[1], (int)i / d[2] % d[1], (int)i % d[2] };
                    size_t to = (size_t)((x[q[0]] * d[q[1]] + x[q[1]]) * d[q[2]] + x[q[2]]);
                    ok = ok && got[0][to] == (accumulate ? old[to] + a[i] : a[i]);
                }
                CHECK(ok);
            }
        }
    }
}

static void gathers(void)
{
    enum { SAMPLES = 90, SIZE = 60, N = 700 };
    static uint8_t bytes[SAMPLES * SIZE];
    static uint32_t index[N];
    hd_rng r = hd_rng_stream(4, 4, 4);
    for (int i = 0; i < SAMPLES * SIZE; i++) {
        bytes[i] = (uint8_t)(hd_rng_uniform(r, (uint64_t)i) * 256);
    }
    for (int i = 0; i < N; i++) {
        index[i] = (uint32_t)(hd_rng_uniform(r, (uint64_t)i + 99999) * SAMPLES);
    }
    const hd_table tables[] = { { bytes, true, SIZE, (real)0.125, (real)-3 }, { a, false, SIZE, 1, 0 }, { a, false, SIZE, 2, 1 } };
    static const int counts[] = { 0, 1, 15, 90, N }, rows[] = { 1, 6, 60 };
    for (int k = 0; k < 3 * 3 * 5 * 2; k++) {
        const hd_table *t = &tables[k % 3];
        const int I = rows[k / 3 % 3], n = counts[k / 9 % 5], J = SIZE / I;
        const uint32_t *which = k / 45 ? index : NULL;
        if (!which && n > SAMPLES) {
            continue;
        }
        start();
        for (int p = 0; p < POOLS; p++) {
            hd_gather(pools[p], t, which, n, I, got[p]);
        }
        check_same((size_t)(n * SIZE));
        int ok = 1;
        for (int s = 0; s < n; s++) {
            for (int e = 0; e < SIZE; e++) {
                size_t from = (size_t)(which ? which[s] : (uint32_t)s) * SIZE + (size_t)e;
                double v = t->is_uint8 ? bytes[from] : (double)a[from];
                double y = got[0][((size_t)(e / J) * (size_t)n + (size_t)s) * (size_t)J + (size_t)(e % J)];
                ok = ok && fabs(y - (v * (double)t->scale + (double)t->offset)) <= 2e-6;
            }
        }
        CHECK(ok);
    }
}

static void reductions(void)
{
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        double sum = 0, absolute = 0, squares = 0, dot = 0, most = 0;
        for (size_t i = 0; i < n; i++) {
            sum += a[i];
            absolute += fabs((double)a[i]);
            squares += (double)a[i] * a[i];
            dot += (double)a[i] * b[i];
            most = fmax(most, fabs((double)a[i]));
        }
        const double tol = 1e-12 * (double)(n + 1);
        double first[4];
        for (int t = 0; t < POOLS; t++) {
            const double r[4] = { hd_sum(pools[t], n, a), hd_sum_abs(pools[t], n, a), hd_sum_squares(pools[t], n, a),
                                  hd_dot(pools[t], n, a, b) };
            NEAR(r[0], sum, tol);
            NEAR(r[1], absolute, tol);
            NEAR(r[2], squares, tol);
            NEAR(r[3], dot, tol);
            CHECK(hd_max_abs(pools[t], n, a) == most);
            CHECK(hd_all_finite(pools[t], n, a));
            if (t == 0) {
                memcpy(first, r, sizeof r);
            }
            CHECK(!memcmp(first, r, sizeof r));
        }
    }
}

static void reductions_of_bad_numbers(void)
{
    static const real bad[] = { (real)NAN, (real)INFINITY, (real)-INFINITY };
    static const size_t places[] = { 0, 3, HD_BLOCK - 1, HD_BLOCK, MOST - 1 };
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++) {
            const size_t at = places[i];
            const real keep = a[at];
            a[at] = bad[k];
            CHECK(!hd_all_finite(pools[1], MOST, a));
            CHECK(k ? hd_max_abs(pools[1], MOST, a) == INFINITY : isnan(hd_max_abs(pools[1], MOST, a)));
            a[at] = keep;
        }
    }
    static const real x[] = { (real)NAN, -1, 5, 5, (real)NAN }, none[] = { (real)NAN, (real)NAN };
    CHECK(hd_argmax(5, x) == 2 && hd_argmax(2, none) == 0 && hd_argmax(1, x) == 0);
    CHECK(hd_argmax(3, bad) == 1);
}

static double activation(hd_activation act, double alpha, double x)
{
    switch (act) {
    case HD_SIGMOID: return 1 / (1 + exp(-x));
    case HD_TANH: return tanh(x);
    case HD_RELU: return x > 0 ? x : 0;
    case HD_LEAKY_RELU: return x > 0 ? x : alpha * x;
    case HD_ELU: return x > 0 ? x : alpha * expm1(x);
    case HD_SOFTPLUS: return log1p(exp(x));
    case HD_RELU6: return fmin(fmax(x, 0), 6);
    default: return x;
    }
}

static double want_row(hd_activation act, double alpha, const double *z, size_t row, size_t i)
{
    if (act != HD_SOFTMAX) {
        return activation(act, alpha, z[i]);
    }
    double sum = 0;
    for (size_t k = 0; k < row; k++) {
        sum += exp(z[k]);
    }
    return exp(z[i]) / sum;
}

/* y = act(x + bias) for (groups, rows, row); without bias also by hd_activate out of place. */
static void forward(hd_activation act, size_t groups, size_t rows, size_t row, int with_bias)
{
    const double alpha = (double)hd_activation_alpha(act);
    const size_t n = groups * rows * row;
    start();
    for (int t = 0; t < POOLS; t++) {
        memcpy(got[t], a, n * sizeof *a);
        hd_bias_activate(pools[t], act, (real)alpha, got[t], with_bias ? b : NULL, groups, rows, row);
    }
    check_same(n);
    double z[600], worst = 0;
    for (size_t r = 0; r < groups * rows; r++) {
        for (size_t i = 0; i < row; i++) {
            z[i] = (double)(real)(a[r * row + i] + (with_bias ? b[r / rows * row + i] : 0));
        }
        for (size_t i = 0; i < row; i++) {
            double e = fabs(got[0][r * row + i] - want_row(act, alpha, z, row, i));
            worst = !(e <= worst) ? e : worst;
        }
    }
    NEAR(worst, 0, 10 * EPSILON);
    if (!with_bias) {
        hd_activate(pools[1], act, (real)alpha, a, got[1], groups * rows, row);
        CHECK(!memcmp(got[1], got[0], n * sizeof *a));
    }
}

/* y = act(a + b) in one pass has the bits of two, in place too. */
static void added(hd_activation act, size_t rows, size_t row)
{
    const real alpha = hd_activation_alpha(act);
    const size_t n = rows * row;
    static real sum[MOST];
    hd_add(pools[0], n, a, b, sum);
    hd_activate(pools[0], act, alpha, sum, sum, rows, row);
    start();
    for (int t = 0; t < POOLS; t++) {
        hd_add_activate(pools[t], act, alpha, a, b, got[t], rows, row);
    }
    check_same(n);
    CHECK(!memcmp(got[0], sum, n * sizeof *a));
    memcpy(got[0], b, n * sizeof *b);
    hd_add_activate(pools[1], act, alpha, a, got[0], got[0], rows, row);
    CHECK(!memcmp(got[0], sum, n * sizeof *a));
}

/* dx against central differences of the plain formula, accumulated and not, in place and not. */
static void backward(hd_activation act, size_t rows, size_t row)
{
    const double alpha = (double)hd_activation_alpha(act), h = 1e-5;
    const size_t n = rows * row;
    static real y[MOST], in_place[MOST];
    hd_activate(pools[0], act, (real)alpha, a, y, rows, row);
    memcpy(in_place, b, n * sizeof *b);
    hd_activate_back(pools[1], act, (real)alpha, y, in_place, in_place, rows, row, false);
    start();
    for (int t = 0; t < POOLS; t++) {
        hd_activate_back(pools[t], act, (real)alpha, y, b, got[t], rows, row, true);
    }
    check_same(n);
    double worst = 0, worst_sum = 0;
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < row; i++) {
            double z[600], d = 0;
            for (size_t k = 0; k < row; k++) {
                z[k] = (double)a[r * row + k];
            }
            for (size_t k = act == HD_SOFTMAX ? 0 : i; k < (act == HD_SOFTMAX ? row : i + 1); k++) {
                double keep = z[i], up, down;
                z[i] = keep + h;
                up = want_row(act, alpha, z, row, k);
                z[i] = keep - h;
                down = want_row(act, alpha, z, row, k);
                z[i] = keep;
                d += (double)b[r * row + k] * (up - down) / (2 * h);
            }
            double e = fabs(in_place[r * row + i] - d), s = fabs(got[0][r * row + i] - d - (double)old[r * row + i]);
            worst = !(e <= worst) ? e : worst;
            worst_sum = !(s <= worst_sum) ? s : worst_sum;
        }
    }
    NEAR(worst, 0, 40 * EPSILON + 1e-8);
    NEAR(worst_sum, 0, 40 * EPSILON + 1e-8);
}

static void activations(void)
{
    int count = 0;
    for (int i = 0; i < MOST; i++) {
        a[i] *= 2; /* -8..8: beyond both bounds of relu6 */
    }
    for (; hd_activation_names[count]; count++) {
        const hd_activation act = (hd_activation)count;
        for (int bias = 0; bias < 2; bias++) {
            forward(act, 1, 128, 10, bias);
            forward(act, 20, 128, 20, bias);
            forward(act, 3, 5, 7, bias);
            forward(act, 2, 3, 500, bias);
            forward(act, 1, 1, 1, bias);
            forward(act, 0, 1, 1, bias);
        }
        added(act, 3, 7);
        added(act, 700, 13);
        backward(act, 50, 10);
        backward(act, 700, 13);
    }
    CHECK(count == HD_SOFTMAX + 1);
    const real nan[5] = { (real)NAN, (real)NAN, (real)NAN, (real)NAN, (real)NAN };
    for (int act = 0; act < count; act++) {
        real y[5];
        hd_activate(pools[0], (hd_activation)act, 1, nan, y, 1, 5);
        CHECK(isnan(y[0]) && isnan(y[4]));
    }
}

/* Which NaN it is, is the compiler's affair. */
static bool same_numbers(const real *x, const real *y, int n)
{
    for (int i = 0; i < n; i++) {
        if (memcmp(x + i, y + i, sizeof *x) && !(isnan(x[i]) && isnan(y[i]))) {
            return false;
        }
    }
    return true;
}

/* Long runs are done in steps: the same bits as of pieces of any length, of all kinds of numbers, in place too. */
static void activations_of_pieces(void)
{
    static const real odd[] = { (real)NAN, (real)INFINITY, (real)-INFINITY, 0, (real)-0.0, (real)1e-45, (real)-1e-39, (real)FLT_MAX, (real)-FLT_MAX, -88, 88, -104, 17, -30 };
    enum { N = 1000 };
    real x[N], whole[N], piece[N];
    for (int i = 0; i < N; i++) {
        x[i] = i % 5 ? a[i] * (real)(i % 3 ? 1 : 30) : odd[i / 5 % (int)(sizeof odd / sizeof *odd)];
    }
    for (int act = 0; act < HD_SOFTMAX; act++) {
        hd_activate_here((hd_activation)act, 1, N, x, whole);
        for (size_t step = 1; step < 260; step += step < 9 ? 1 : 50) {
            for (size_t i = 0; i < N; i += step) {
                hd_activate_here((hd_activation)act, 1, i + step < N ? step : N - i, x + i, piece + i);
            }
            CHECK(same_numbers(piece, whole, N));
        }
        memcpy(piece, x, sizeof x);
        hd_activate_here((hd_activation)act, 1, N, piece, piece);
        CHECK(same_numbers(piece, whole, N));
    }
}

int main(void)
{
    static const int threads[POOLS] = { 1, 2, 4 };
    for (int t = 0; t < POOLS; t++) {
        pools[t] = hd_pool_new(&context, threads[t]);
        CHECK(pools[t] != NULL);
    }
    fill_random(a, MOST + 1, 1);
    fill_random(b, MOST + 1, 2);
    fill_random(old, MOST + 1, 3);
    elementwise();
    row_sums();
    permutations();
    gathers();
    reductions();
    reductions_of_bad_numbers();
    activations();
    activations_of_pieces();
    for (int t = 0; t < POOLS; t++) {
        hd_pool_free(&context, pools[t]);
    }
    CHECK(context.used == 0);
    return check_result("kern_elementwise");
}
