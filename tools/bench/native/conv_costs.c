/* Costs of 3x3 convolutions of stride 1 by each algorithm: measured over many shapes and fitted by the terms of
 * src/kern/winograd_costs.c, whose table this prints. One thread, WebAssembly with relaxed SIMD in Node; see kern.c beside
 * it for the command line. Least times of short runs, so that other work on the machine is seen as little as can be.
 *
 *   conv_costs              all shapes, the table, and what its choices cost against the best ones
 *   conv_costs SIZE C K N   N images of SIZE x SIZE x C -> K */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include "base/context.h"
#include "kern/conv_tile.h"
#include "kern/winograd_costs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FORMS = HD_WINOGRAD_4 + 1, SHAPES = 512, T = HD_WINOGRAD_TERMS };

typedef struct call {
    hd_pool *pool;
    hd_conv_shape s;
    hd_winograd form;
    int n;
    real *x, *y, *w, *prepared;
} call;

static const char *const names[FORMS] = { "direct", "F(2x2)", "F(4x4)" };

static double now(void) /* nanoseconds */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Least nanoseconds of one call of fn(arg) in 60 ms or 20 calls; the first calls leave the engine time to compile. */
static double measure(void (*fn)(const call *), const call *c)
{
    double best = INFINITY, begin = now();
    for (int calls = 0; calls < 20 || now() - begin < 60e6; calls++) {
        const double start = now();
        fn(c);
        const double t = now() - start;
        best = t < best ? t : best;
    }
    return best;
}

static real *fresh(size_t n)
{
    real *x = aligned_alloc(64, (n * sizeof *x + 127) & ~(size_t)63);
    for (size_t i = 0; i < n; i++) {
        x[i] = (real)((i * 2654435761u >> 8 & 0xffff) / 65536.0 - 0.5);
    }
    return x;
}

static void run(const call *c)
{
    if (c->form == HD_WINOGRAD_NONE) {
        hd_conv_tiles t = hd_conv_tiles_forward(&c->s);
        t.n = c->n;
        t.x = c->x;
        t.y = c->y;
        hd_conv_tiles_run(c->pool, &t, c->prepared, NULL, false);
    } else {
        hd_winograd_run_as(c->form, c->pool, &c->s, c->n, c->x, c->prepared, NULL, false, c->y);
    }
}

static void prepare(const call *c)
{
    hd_winograd_prepare_as(c->form, c->pool, &c->s, false, c->w, c->prepared);
}

static size_t prepared_size(const call *c)
{
    return c->form ? hd_winograd_prepared_as(c->form, &c->s) : hd_conv_tiles_packed(9, c->s.c, c->s.k, 1);
}

/* Nanoseconds by each algorithm. */
static void bench(hd_pool *pool, const hd_conv_shape *s, int n, double times[FORMS])
{
    const double flop = 18.0 * n * s->oh * s->ow * s->c * s->k;
    call c = { .pool = pool, .s = *s, .n = n, .w = fresh((size_t)9 * (size_t)s->c * (size_t)s->k) };
    c.x = fresh((size_t)n * (size_t)(s->h * s->w) * (size_t)s->c);
    c.y = fresh((size_t)n * (size_t)(s->oh * s->ow) * (size_t)s->k);
    printf("%3d x %3dx%3dx%3d -> %3d", n, s->h, s->w, s->c, s->k);
    for (c.form = HD_WINOGRAD_NONE; c.form < FORMS; c.form++) {
        c.prepared = fresh(prepared_size(&c));
        times[c.form] = measure(run, &c);
        printf("   %s %8.1f us %6.1f GFLOP/s", names[c.form], times[c.form] / 1e3, flop / times[c.form]);
        if (c.form != HD_WINOGRAD_NONE) {
            printf(" (prepared in %.0f us)", measure(prepare, &c) / 1e3);
        }
        free(c.prepared);
    }
    printf("\n");
    free(c.x);
    free(c.y);
    free(c.w);
}

/* --- the fit ---------------------------------------------------------------------------------------------- */

typedef struct sample {
    hd_conv_shape s;
    int n;
    double times[FORMS];
} sample;

/* Solves the T x T system by elimination with pivots on the diagonal (it is positive definite). */
static void solve(double a[T][T + 1])
{
    for (int i = 0; i < T; i++) {
        for (int r = 0; r < T; r++) {
            const double f = r == i ? 0 : a[r][i] / a[i][i];
            for (int c = i; f != 0 && c <= T; c++) {
                a[r][c] -= f * a[i][c];
            }
        }
    }
}

/* Costs of the terms with the least sum of squared relative errors; the costs that would be negative are left out. */
static void fit(const sample *samples, int count, hd_winograd form, double costs[T])
{
    bool used[T];
    for (int t = 0; t < T; t++) {
        used[t] = true;
    }
    for (bool again = true; again;) {
        double a[T][T + 1] = { 0 }, terms[T];
        for (int i = 0; i < count; i++) {
            hd_winograd_terms(form, &samples[i].s, terms);
            for (int r = 0; r < T; r++) {
                for (int c = 0; c < T; c++) {
                    const double scale = samples[i].times[form] / samples[i].n;
                    a[r][c] += used[r] && used[c] ? terms[r] * terms[c] / (scale * scale) : 0;
                    a[r][T] += c == 0 && used[r] ? terms[r] / scale : 0;
                }
            }
        }
        for (int t = 0; t < T; t++) {
            a[t][t] += a[t][t] > 0 ? 1e-12 * a[t][t] : 1;
        }
        solve(a);
        again = false;
        for (int t = 0; t < T; t++) {
            costs[t] = a[t][T] / a[t][t];
            again = again || costs[t] < 0;
            used[t] = used[t] && !(costs[t] < 0);
        }
    }
}

static void report(const sample *samples, int count)
{
    double worst = 1, sum = 0;
    for (hd_winograd form = HD_WINOGRAD_NONE; form < FORMS; form++) {
        double costs[T];
        fit(samples, count, form, costs);
        printf("%s: {", names[form]);
        for (int t = 0; t < T; t++) {
            printf(" %.4g,", costs[t]);
        }
        printf(" }\n");
    }
    for (int i = 0; i < count; i++) {
        const double *t = samples[i].times, best = fmin(t[0], fmin(t[1], t[2]));
        const double loss = t[hd_winograd_choice(&samples[i].s)] / best;
        sum += loss / count;
        worst = fmax(worst, loss);
        if (loss > 1.15) {
            printf("%dx%dx%d -> %d: %s chosen, %.2f times the best\n", samples[i].s.h, samples[i].s.w, samples[i].s.c,
                   samples[i].s.k, names[hd_winograd_choice(&samples[i].s)], loss);
        }
    }
    printf("what the source's table chooses takes %.3f times the best on average, %.2f at worst\n", sum, worst);
}

static hd_conv_shape square(int size, int c, int k)
{
    return (hd_conv_shape){ size, size, c, size, size, k, 3, 3, 1, 1, 1, 1, 1, 1, 1 };
}

int main(int argc, char **argv)
{
    static const int sizes[] = { 4, 5, 6, 7, 8, 10, 14, 16, 28, 32, 56 };
    static const int widths[][2] = { { 1, 8 },   { 3, 16 },  { 3, 32 },  { 8, 8 },   { 8, 16 },   { 16, 16 },   { 16, 32 },
                                     { 32, 3 },  { 32, 32 }, { 32, 64 }, { 64, 32 }, { 64, 64 },  { 128, 128 }, { 256, 256 },
                                     { 24, 20 }, { 20, 12 }, { 12, 4 },  { 16, 1 }, { 512, 512 },
                                     { 64, 3 },  { 5, 100 }, { 100, 5 } };
    static hd_context context = { .fail_at = -1 };
    static sample samples[SHAPES];
    hd_pool *pool = hd_pool_new(&context, 1);
    double times[FORMS];
    int count = 0;
    if (!pool) {
        printf("%s\n", context.error);
        return 1;
    }
    if (argc == 5) {
        const hd_conv_shape s = square(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
        bench(pool, &s, atoi(argv[4]), times);
    } else {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (size_t l = 0; l < sizeof widths / sizeof *widths; l++) {
                sample *p = &samples[count];
                p->s = square(sizes[i], widths[l][0], widths[l][1]);
                const double flop = 18.0 * sizes[i] * sizes[i] * widths[l][0] * widths[l][1];
                p->n = flop < 2e7 ? (int)(2e7 / flop) : 1;
                p->n = p->n < 64 ? p->n : 64;
                if (flop < 2.5e8) {
                    bench(pool, &p->s, p->n, p->times);
                    count++;
                }
            }
        }
        report(samples, count);
    }
    hd_pool_free(&context, pool);
    return 0;
}
