/* Costs of 3x3 convolutions of stride 1 by each algorithm, and of their parts: where the table in src/kern/winograd_costs.c
 * comes from. Compiled to WebAssembly (relaxed SIMD) and run in Node; see kern.c beside it for the command line.
 *
 *   conv_costs [threads]      */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include "base/context.h"
#include "kern/conv_tile.h"
#include "kern/winograd_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9 };

typedef struct call {
    hd_pool *pool;
    hd_conv_shape s;
    hd_winograd form;
    int n;
    real *x, *w, *y, *prepared;
} call;

static double now(void) /* microseconds */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

/* Least microseconds of one call of fn(arg). The warm-up leaves an engine the time to compile what runs often. */
static double measure(void (*fn)(const call *), const call *c)
{
    double best = 1e30, start = now();
    int calls = 0;
    for (; calls < 3 || now() - start < 50000; calls++) {
        fn(c);
    }
    const int repeat = (int)(3000 / ((now() - start) / calls)) + 1;
    for (int r = 0; r < ROUNDS; r++) {
        start = now();
        for (int i = 0; i < repeat; i++) {
            fn(c);
        }
        const double t = (now() - start) / repeat;
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
    hd_winograd_run_as(c->form, c->pool, &c->s, c->n, c->x, c->prepared, NULL, false, c->y);
}

static void prepare(const call *c)
{
    hd_winograd_prepare_as(c->form, c->pool, &c->s, false, c->w, c->prepared);
}

static hd_conv_tiles tiles(const call *c)
{
    const hd_conv_shape *s = &c->s;
    const hd_taps taps = { .count = 3, .first = -1, .step = 1, .weight_step = 1 };
    return (hd_conv_tiles){ .n = c->n, .h = s->h, .w = s->w, .c = s->c, .oh = s->oh, .ow = s->ow, .k = s->k, .sh = 1, .sw = 1,
                            .groups = 1, .rows = taps, .cols = taps, .x = c->x, .y = c->y, .y_pixel = (size_t)s->k,
                            .y_row = (size_t)s->ow * (size_t)s->k,
                            .y_image = (size_t)s->oh * (size_t)s->ow * (size_t)s->k };
}

static void run_direct(const call *c)
{
    const hd_conv_tiles t = tiles(c);
    hd_conv_tiles_run(c->pool, &t, c->prepared, NULL, false);
}

static void bench(hd_pool *pool, int n, int h, int w, int ch, int k)
{
    const hd_conv_shape s = { h, w, ch, h, w, k, 3, 3, 1, 1, 1, 1, 1, 1, 1 };
    const double work = 18e-3 * n * h * w * (double)ch * k;
    static const char *const names[] = { "direct", "F2", "F4" };
    printf("%3d x %3dx%3dx%3d -> %3d", n, h, w, ch, k);
    for (hd_winograd form = HD_WINOGRAD_NONE; form <= HD_WINOGRAD_4; form++) {
        call c = { .pool = pool, .s = s, .form = form, .n = n };
        c.x = fresh((size_t)n * h * w * ch);
        c.y = fresh((size_t)n * h * w * k);
        c.w = fresh((size_t)9 * ch * k);
        c.prepared = fresh(form ? hd_winograd_prepared_as(form, &s) : hd_conv_tiles_packed(9, ch, k, 1));
        const double t = measure(form ? run : run_direct, &c), p = form ? measure(prepare, &c) : 0;
        printf("   %s %8.1f us %6.1f GFLOP/s, prepare %7.1f us", names[form], t, work / t, p);
        free(c.x);
        free(c.y);
        free(c.w);
        free(c.prepared);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static hd_context context = { .fail_at = -1 };
    hd_pool *pool = hd_pool_new(&context, argc > 1 ? atoi(argv[1]) : 1);
    if (!pool) {
        printf("%s\n", context.error);
        return 1;
    }
    printf("threads: %d\n", hd_pool_threads(pool));
    bench(pool, 128, 32, 32, 32, 32);
    bench(pool, 128, 10, 10, 32, 64);
    bench(pool, 128, 10, 10, 64, 32);
    bench(pool, 1, 56, 56, 64, 64);
    bench(pool, 1, 28, 28, 128, 128);
    bench(pool, 1, 14, 14, 256, 256);
    bench(pool, 1, 7, 7, 512, 512);
    
    hd_pool_free(&context, pool);
    return 0;
}
