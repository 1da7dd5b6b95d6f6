/* Speed of the kernels: native, or compiled to WebAssembly and run in Node.
 *
 *   kern [threads [group]]     group: square, matnet, mlp, array, conv; all of them without one
 *   kern threads square NAME [ROUNDS]   milliseconds of every round of one product, as JSON
 *
 * From the top of the checkout, with FILES = tools/bench/native/kern.c src/base/{pool,context,format,scalar,rng}.c all of src/kern:
 *   cc -std=c11 -O2 -ffp-contract=off -Isrc FILES -lm -lpthread -o /tmp/kern && /tmp/kern 1 matnet
 *   build/toolchain/emcc -std=c11 -O3 -msimd128 -mrelaxed-simd -pthread -sPTHREAD_POOL_SIZE=2 -sEXIT_RUNTIME=1
 *     -ffp-contract=off -Isrc FILES -o /tmp/kern.js && node /tmp/kern.js 2 mlp
 * Without -mrelaxed-simd: the baseline engine.
 *
 * Prints for each line the median and the best of some rounds. */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include "base/context.h"
#include "kern/activation.h"
#include "kern/conv.h"
#include "kern/elementwise.h"
#include "kern/gemm.h"
#include "kern/reduce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15 };

typedef struct product {
    const char *group, *name;
    int m, n, k;
    const char *t; /* "NT": op(A) = A, op(B) = B^T */
} product;

static const product products[] = {
    { "square", "512 NN", 512, 512, 512, "NN" },
    { "square", "512 NT", 512, 512, 512, "NT" },
    { "square", "512 TN", 512, 512, 512, "TN" },
    { "square", "512 TT", 512, 512, 512, "TT" },
    { "square", "1024 NN", 1024, 1024, 1024, "NN" },
    { "square", "1024 NT", 1024, 1024, 1024, "NT" },
    { "square", "1024 TN", 1024, 1024, 1024, "TN" },
    { "square", "1024 TT", 1024, 1024, 1024, "TT" },
    /* one training step of 28x28 -> 20x20 -> 16x16 -> 10, batch 128 */
    { "matnet", "T1 = X V^T", 3584, 20, 28, "NT" },
    { "matnet", "N1 = U T", 20, 2560, 28, "NN" },
    { "matnet", "S1 = U^T D", 28, 2560, 20, "TN" },
    { "matnet", "dU1 = D T^T", 20, 28, 2560, "NT" },
    { "matnet", "dV1 = S^T X", 20, 28, 3584, "TN" },
    { "matnet", "T2", 2560, 16, 20, "NT" },
    { "matnet", "N2", 16, 2048, 20, "NN" },
    { "matnet", "S2", 20, 2048, 16, "TN" },
    { "matnet", "dU2", 16, 20, 2048, "NT" },
    { "matnet", "dV2", 16, 20, 2560, "TN" },
    { "matnet", "dX2 = S V", 2560, 20, 16, "NN" },
    { "matnet", "dense y", 128, 10, 256, "NT" },
    { "matnet", "dense dw", 10, 256, 128, "TN" },
    { "matnet", "dense dx", 128, 256, 10, "NN" },
    /* one training step of 784-512-512-10, batch 128 */
    { "mlp", "y1", 128, 512, 784, "NT" },
    { "mlp", "y2", 128, 512, 512, "NT" },
    { "mlp", "y3", 128, 10, 512, "NT" },
    { "mlp", "dw3", 10, 512, 128, "TN" },
    { "mlp", "dx3", 128, 512, 10, "NN" },
    { "mlp", "dw2", 512, 512, 128, "TN" },
    { "mlp", "dx2", 128, 512, 512, "NN" },
    { "mlp", "dw1", 512, 784, 128, "TN" },
};

static double now(void) /* microseconds */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Microseconds of one call of fn(arg) in every round; a round takes at least 4 ms. The warm-up leaves an engine the time to
 * compile what runs often. */
static void clock_rounds(void (*fn)(void *), void *arg, int rounds, double *times)
{
    double once, start = now();
    int calls = 0;
    for (; calls < 3 || (now() - start < 60000); calls++) {
        fn(arg);
    }
    once = (now() - start) / calls;
    int repeat = (int)(4000 / once) + 1;
    for (int r = 0; r < rounds; r++) {
        start = now();
        for (int i = 0; i < repeat; i++) {
            fn(arg);
        }
        times[r] = (now() - start) / repeat;
    }
}

/* Median and least of them. */
static double measure(void (*fn)(void *), void *arg, double *least)
{
    double times[ROUNDS];
    clock_rounds(fn, arg, ROUNDS, times);
    qsort(times, ROUNDS, sizeof *times, ascending);
    *least = times[0];
    return times[ROUNDS / 2];
}

static real *fresh(size_t n)
{
    real *x = aligned_alloc(64, (n * sizeof *x + 127) & ~(size_t)63);
    for (size_t i = 0; i < n; i++) {
        x[i] = (real)((i * 2654435761u >> 8 & 0xffff) / 65536.0 - 0.5);
    }
    return x;
}

typedef struct call {
    hd_pool *pool;
    product p;
    real *a, *b, *c;
    size_t n;
    hd_activation act;
} call;

static void multiply(void *arg)
{
    const call *x = arg;
    const int ta = x->p.t[0] == 'T', tb = x->p.t[1] == 'T';
    hd_gemm(x->pool, ta, tb, x->p.m, x->p.n, x->p.k, 1, x->a, ta ? x->p.m : x->p.k, x->b, tb ? x->p.k : x->p.n, 0,
            x->c, x->p.n);
}

static call operands(hd_pool *pool, const product *p)
{
    const size_t m = (size_t)p->m, n = (size_t)p->n, k = (size_t)p->k;
    return (call){ .pool = pool, .p = *p, .a = fresh(m * k), .b = fresh(k * n), .c = fresh(m * n) };
}

static void print_rounds(hd_pool *pool, const char *group, const char *name, int rounds)
{
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        if (!strcmp(products[i].group, group) && !strcmp(products[i].name, name)) {
            call x = operands(pool, &products[i]);
            double times[ROUNDS];
            clock_rounds(multiply, &x, rounds, times);
            for (int r = 0; r < rounds; r++) {
                printf("%s%.6f", r ? ", " : "{\"ms\": [", 1e-3 * times[r]);
            }
            printf("]}\n");
        }
    }
}

static void bench_products(hd_pool *pool, const char *group)
{
    double total = 0, total_least = 0, flop = 0, check = 0;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        const product *p = &products[i];
        if (strcmp(p->group, group)) {
            continue;
        }
        size_t m = (size_t)p->m, n = (size_t)p->n, k = (size_t)p->k;
        call x = operands(pool, p);
        double least, us = measure(multiply, &x, &least), work = 2e-3 * (double)(m * n * k);
        check += (double)x.c[m * n / 2];
        printf("%-8s %-12s %9.1f us %7.1f GFLOP/s   best %9.1f us %7.1f GFLOP/s\n", group, p->name, us, work / us, least,
               work / least);
        total += us;
        total_least += least;
        flop += work;
        free(x.a);
        free(x.b);
        free(x.c);
    }
    printf("%-8s %-12s %9.1f us %7.1f GFLOP/s   best %9.1f us %7.1f GFLOP/s   (checksum %.4g)\n\n", group, "all", total, flop / total,
           total_least, flop / total_least, check);
}

static void activate(void *arg)
{
    const call *x = arg;
    hd_activate(x->pool, x->act, hd_activation_alpha(x->act), x->a, x->c, x->n / 10, 10);
}

static void activate_back(void *arg)
{
    const call *x = arg;
    hd_activate_back(x->pool, x->act, hd_activation_alpha(x->act), x->a, x->b, x->c, x->n / 10, 10, false);
}

static void bias_activate(void *arg) /* as the first layer of matnet */
{
    const call *x = arg;
    hd_bias_activate(x->pool, HD_SIGMOID, 0, x->c, x->b, 20, x->n / 400, 20);
}

static void sum_rows(void *arg)
{
    const call *x = arg;
    hd_sum_rows(x->pool, 20, x->n / 400, 20, x->a, x->c, false);
}

static void to_i_major(void *arg)
{
    const call *x = arg;
    hd_permute(x->pool, (const int[]){ (int)(x->n / 400), 20, 20 }, (const int[]){ 1, 0, 2 }, x->a, x->c, false);
}

static void transpose(void *arg)
{
    const call *x = arg;
    hd_permute(x->pool, (const int[]){ 1, 400, (int)(x->n / 400) }, (const int[]){ 0, 2, 1 }, x->a, x->c, false);
}

static void axpy(void *arg)
{
    const call *x = arg;
    hd_axpy(x->pool, x->n, (real)0.5, x->a, x->c);
}

static void square(void *arg)
{
    const call *x = arg;
    x->c[0] = (real)hd_sum_squares(x->pool, x->n, x->a);
}

static void all_finite(void *arg)
{
    const call *x = arg;
    x->c[0] = (real)hd_all_finite(x->pool, x->n, x->a);
}

static void line(const char *name, void (*fn)(void *), call *x)
{
    double least, us = measure(fn, x, &least), each = 1e3 / (double)x->n;
    printf("array    %-12s %9.1f us %7.2f ns an element   best %9.1f us %7.2f ns\n", name, us, each * us, least, each * least);
}

static void bench_arrays(hd_pool *pool)
{
    static const struct { const char *name; void (*fn)(void *); } others[] = {
        { "bias+sigmoid", bias_activate }, { "sum rows", sum_rows }, { "I-major", to_i_major }, { "transpose", transpose },
        { "axpy", axpy }, { "sum squares", square }, { "all finite", all_finite },
    };
    call x = { .pool = pool, .n = 51200 };
    x.a = fresh(x.n);
    x.b = fresh(x.n);
    x.c = fresh(x.n);
    for (x.act = HD_SIGMOID; hd_activation_names[x.act]; x.act++) {
        line(hd_activation_names[x.act], activate, &x);
    }
    x.act = HD_SIGMOID;
    line("sigmoid back", activate_back, &x);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        line(others[i].name, others[i].fn, &x);
    }
    free(x.a);
    free(x.b);
    free(x.c);
}

/* --- convolutions ------------------------------------------------------------------------------------------ */

typedef struct convolution {
    const char *name;
    int n, size, c, k, kernel, stride, pad, groups; /* square images and kernels */
} convolution;

static const convolution convolutions[] = {
    { "cifar 1", 128, 32, 3, 32, 3, 1, 1, 1 },
    { "cifar 2", 128, 32, 32, 32, 3, 1, 1, 1 },
    { "cifar 3", 128, 10, 32, 64, 3, 1, 1, 1 },
    { "cifar 4", 128, 10, 64, 32, 3, 1, 1, 1 },
    { "mnist 1", 128, 28, 1, 8, 5, 1, 2, 1 },
    { "mnist 2", 128, 14, 8, 16, 5, 1, 2, 1 },
    { "lenet 2", 128, 14, 6, 16, 5, 1, 0, 1 },
    { "resnet stem", 1, 224, 3, 64, 7, 2, 3, 1 },
    { "resnet 64", 1, 56, 64, 64, 3, 1, 1, 1 },
    { "resnet 128/2", 1, 56, 64, 128, 3, 2, 1, 1 },
    { "resnet 128", 1, 28, 128, 128, 3, 1, 1, 1 },
    { "resnet 256", 1, 14, 256, 256, 3, 1, 1, 1 },
    { "resnet 512", 1, 7, 512, 512, 3, 1, 1, 1 },
    { "1x1 64-256", 1, 56, 64, 256, 1, 1, 0, 1 },
    { "1x1 256-64", 1, 56, 256, 64, 1, 1, 0, 1 },
    { "1x1 1024-256", 1, 14, 1024, 256, 1, 1, 0, 1 },
    { "1x1 512-2048", 1, 7, 512, 2048, 1, 1, 0, 1 },
    { "1x1 256-512/2", 1, 56, 256, 512, 1, 2, 0, 1 },
    { "resnext 256", 1, 56, 256, 256, 3, 1, 1, 32 },
    { "depthwise 96", 1, 56, 96, 96, 3, 1, 1, 96 },
};

typedef struct convolve {
    hd_pool *pool;
    hd_conv v;
    int n;
    real *x, *y, *w, *bias, *prepared, *scratch, *dx, *dw;
} convolve;

static void conv_prepare(void *arg)
{
    const convolve *x = arg;
    hd_conv_prepare(x->pool, &x->v, x->w, x->prepared);
}

static void conv_forward(void *arg)
{
    const convolve *x = arg;
    const hd_epilogue e = { .shift = x->bias, .act = HD_RELU };
    hd_conv_forward(x->pool, &x->v, x->n, x->x, x->w, x->prepared, &e, x->y, x->scratch);
}

static void conv_back_data(void *arg)
{
    const convolve *x = arg;
    hd_conv_back_data(x->pool, &x->v, x->n, x->y, x->w, x->dx, false, x->scratch);
}

static void conv_back_weights(void *arg)
{
    const convolve *x = arg;
    hd_conv_back_weights(x->pool, &x->v, x->n, x->x, x->y, x->dw, x->scratch);
}

/* GFLOP/s of the plain algorithm, whatever is done instead; best of the rounds. */
static void bench_convolution(hd_pool *pool, const convolution *q)
{
    hd_conv_shape s = { .h = q->size, .w = q->size, .c = q->c, .k = q->k, .kh = q->kernel, .kw = q->kernel, .sh = q->stride,
                        .sw = q->stride, .dh = 1, .dw = 1, .top = q->pad, .left = q->pad, .groups = q->groups };
    s.oh = s.ow = (q->size + 2 * q->pad - q->kernel) / q->stride + 1;
    convolve x = { .pool = pool, .n = q->n };
    hd_conv_plan(&s, &x.v);
    const size_t in = (size_t)(q->n * s.h * s.w * s.c), out = (size_t)(q->n * s.oh * s.ow * s.k);
    const size_t terms = (size_t)(s.kh * s.kw * (s.c / s.groups)), weights = (size_t)s.k * terms;
    real **const arrays[] = { &x.x, &x.y, &x.w, &x.bias, &x.prepared, &x.scratch, &x.dx, &x.dw };
    const size_t sizes[] = { in, out, weights, (size_t)s.k, x.v.prepared, x.v.scratch, in, weights };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *arrays[i] = fresh(sizes[i]);
    }
    static void (*const calls[])(void *) = { conv_prepare, conv_forward, conv_back_data, conv_back_weights };
    double us[4];
    for (int i = 0; i < 4; i++) {
        measure(calls[i], &x, &us[i]);
    }
    const double work = 2e-3 * (double)(out * terms);
    printf("conv     %-14s prepare %7.1f us   forward %9.1f us %6.1f GFLOP/s   dX %9.1f us %6.1f   dW %9.1f us %6.1f\n", q->name,
           us[0], us[1], work / us[1], us[2], work / us[2], us[3], work / us[3]);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        free(*arrays[i]);
    }
}

int main(int argc, char **argv)
{
    static const char *const groups[] = { "square", "matnet", "mlp" };
    static hd_context context = { .fail_at = -1 };
    hd_pool *pool = hd_pool_new(&context, argc > 1 ? atoi(argv[1]) : 1);
    if (!pool) {
        printf("%s\n", context.error);
        return 1;
    }
    if (argc > 3) {
        if (hd_pool_threads(pool) != atoi(argv[1])) {
            fprintf(stderr, "no %s threads\n", argv[1]);
            return 1;
        }
        print_rounds(pool, argv[2], argv[3], argc > 4 && atoi(argv[4]) < ROUNDS ? atoi(argv[4]) : ROUNDS);
        hd_pool_free(&context, pool);
        return 0;
    }
    printf("threads: %d\n", hd_pool_threads(pool));
    for (size_t i = 0; i < 3; i++) {
        if (argc < 3 || !strcmp(argv[2], groups[i])) {
            bench_products(pool, groups[i]);
        }
    }
    if (argc < 3 || !strcmp(argv[2], "array")) {
        bench_arrays(pool);
    }
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions && (argc < 3 || !strcmp(argv[2], "conv")); i++) {
        bench_convolution(pool, &convolutions[i]);
    }
    hd_pool_free(&context, pool);
    return 0;
}
