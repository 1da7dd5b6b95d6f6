/* Works of the benchmark in C, natively: works THREADS WORK ROUNDS SECONDS prints {"ms": [...]}, one round of each after one to warm up.
 * The same networks, sizes and steps as in ../networks.mjs. */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include "kit.h"

#include <string.h>
#include <time.h>

enum { RELU = 3, SIGMOID = 1, SOFTMAX = 8, EXPLICIT = 2, BATCH = 128, CLASSES = 10 };

static double now(void) /* ms */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void *block(size_t bytes)
{
    void *p = calloc(bytes, 1);
    if (!p) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    return p;
}

/* Number i in [-1, 1), from its place alone. */
static double number(size_t i)
{
    return (double)((uint32_t)(i + 1) * 2654435761u >> 8) / 8388608 - 1;
}

/* --- the clock: at least one round, at most so many, none begun after so many seconds ------------------------ */

typedef struct budget {
    int rounds;
    double seconds;
} budget;

/* Times fn(arg), `repeat` things a round. `fresh`, not timed, comes before each. */
static void measure(budget b, void (*fresh)(void *), void (*fn)(void *), void *arg, int repeat)
{
    double begin = 0;
    for (int i = 0; i <= b.rounds && (i < 2 || now() - begin < 1e3 * b.seconds); i++) {
        if (fresh) {
            fresh(arg);
        }
        double start = now();
        fn(arg);
        double end = now();
        if (i == 0) {
            begin = end;
        } else {
            printf("%s%.6f", i == 1 ? "{\"ms\": [" : ", ", (end - start) / repeat);
        }
    }
    printf("]}\n");
}

/* --- networks ----------------------------------------------------------------------------------------------- */

#define ADD(m, kind, name, x, ...)                                                                                     \
    node(hd_layer(m, kind, name, (int[]){ x }, 1, (double[]){ __VA_ARGS__ }, (int)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double))))

static int plain(hd_model *m, const char *kind, const char *name, int x)
{
    return node(hd_layer(m, kind, name, &x, 1, NULL, 0));
}

static int matnet(hd_model *m)
{
    int x = node(hd_input(m, "x", (int[]){ 28, 28 }, 2));
    int h = ADD(m, "bilinear", "b", ADD(m, "bilinear", "a", x, 20, 20, SIGMOID), 16, 16, SIGMOID);
    static const char *const weights[] = { "a/U", "a/V", "b/U", "b/V" };
    for (int i = 0; i < 4; i++) {
        must(hd_weight_set(m, weights[i], "unitNorm", NULL, 0)); /* by row */
    }
    return ADD(m, "dense", "y", plain(m, "flatten", "f", h), CLASSES, SOFTMAX);
}

static int mlp(hd_model *m)
{
    int x = node(hd_input(m, "x", (int[]){ 784 }, 1));
    return ADD(m, "dense", "y", ADD(m, "dense", "b", ADD(m, "dense", "a", x, 512, RELU), 512, RELU), CLASSES, SOFTMAX);
}

/* 3x3 or 5x5, padded by half, ReLU. */
static int conv(hd_model *m, const char *name, int x, int filters, int size)
{
    return ADD(m, "conv2d", name, x, filters, 1, size, 0, EXPLICIT, 1, size / 2, 0, 1, RELU);
}

static int pool(hd_model *m, const char *name, int x, int size)
{
    return ADD(m, "maxPool2d", name, x, 1, size, 1, size);
}

static int cifar(hd_model *m)
{
    int x = node(hd_input(m, "x", (int[]){ 32, 32, 3 }, 3));
    x = ADD(m, "dropout", "d1", pool(m, "p1", conv(m, "c2", conv(m, "c1", x, 32, 3), 32, 3), 3), 0.25);
    x = ADD(m, "dropout", "d2", pool(m, "p2", conv(m, "c4", conv(m, "c3", x, 64, 3), 32, 3), 3), 0.25);
    x = ADD(m, "dense", "h", plain(m, "flatten", "f", x), 512, RELU);
    return ADD(m, "dense", "y", ADD(m, "dropout", "d3", x, 0.5), CLASSES, SOFTMAX);
}

static int mnist(hd_model *m)
{
    int x = node(hd_input(m, "x", (int[]){ 28, 28, 1 }, 3));
    x = pool(m, "p2", conv(m, "c2", pool(m, "p1", conv(m, "c1", x, 8, 5), 2), 16, 5), 3);
    return ADD(m, "dense", "y", plain(m, "flatten", "f", x), CLASSES, SOFTMAX);
}

static int resnet18(hd_model *m)
{
    must(hd_recipe(m, "resnet18", (double[]){ 3, 224, 224, 3 }, 4));
    return hd_node_count(m) - 1;
}

typedef struct network {
    hd_model *model;
    hd_data *data;
    hd_fit *fit;
    hd_real *out;
    int rows, steps, output;
} network;

static int size_of(const hd_model *m, int n)
{
    int dims[6], rank = hd_node_shape(m, n, dims), size = 1;
    for (int i = 0; i < rank; i++) {
        size *= dims[i];
    }
    return size;
}

static void steps(void *arg)
{
    const network *n = arg;
    for (int i = 0; i < n->steps; i++) {
        must(hd_fit_step(n->fit, 1));
    }
}

static void predict(void *arg)
{
    const network *n = arg;
    must(hd_predict(n->model, n->data, n->output, 0, n->rows, n->rows, n->out));
}

/* Training steps of 128 rows of bytes, or predictions of `rows`. */
static void run_network(budget b, int (*draw)(hd_model *m), int train, int rows)
{
    network n = { .model = hd_model_new(context), .rows = rows, .steps = train ? rows / BATCH : 1 };
    n.output = draw(n.model);
    must(hd_model_build(n.model, 1));
    n.data = hd_data_new(context, rows);
    const int size = size_of(n.model, hd_input_node(n.model, 0));
    if (train) {
        uint8_t *x = hd_data_column(n.data, HD_COLUMN_INPUT, 0, HD_UINT8, size, 1.0 / 255, 0);
        hd_real *y = hd_data_column(n.data, HD_COLUMN_TARGET, 0, HD_FLOAT, 1, 1, 0);
        for (size_t i = 0; i < (size_t)rows * (size_t)size; i++) {
            x[i] = (uint8_t)(128 + 127 * number(i));
        }
        for (int i = 0; i < rows; i++) {
            y[i] = (hd_real)(i % CLASSES);
        }
        must(hd_loss_add(n.model, 0, "sparseCategoricalCrossentropy", 1, NULL, 0));
        node(hd_metric_add(n.model, 0, "accuracy", NULL, 0));
        must(hd_optimizer_set(n.model, "adam", NULL, 0));
        n.fit = hd_fit_new(n.model, n.data, 0, rows, (double[]){ BATCH, 1e6 }, 2);
    } else {
        hd_real *x = hd_data_column(n.data, HD_COLUMN_INPUT, 0, HD_FLOAT, size, 1, 0);
        for (size_t i = 0; i < (size_t)rows * (size_t)size; i++) {
            x[i] = (hd_real)number(i);
        }
        n.out = block(sizeof *n.out * (size_t)rows * (size_t)size_of(n.model, n.output));
    }
    measure(b, NULL, train ? steps : predict, &n, n.steps);
    hd_fit_free(n.fit);
    hd_data_free(n.data);
    hd_model_free(n.model);
    free(n.out);
}

/* --- linear algebra ----------------------------------------------------------------------------------------- */

typedef struct matrices {
    int n, m, definite;
    double *source, *a, *b, *c;
    hd_gram *gram;
    hd_data *data;
} matrices;

/* What is destroyed is made anew. */
static void copy(void *arg)
{
    matrices *x = arg;
    memcpy(x->a, x->source, sizeof *x->a * (size_t)x->n * (size_t)x->n);
    for (int i = 0; i < x->n * x->m; i++) {
        x->b[i] = number((size_t)i);
    }
}

static void gemm(void *arg)
{
    matrices *x = arg;
    must(hd_linalg_gemm(context, HD_F64, 0, 0, x->n, x->n, x->n, 1, x->a, x->source, 0, x->c));
}

static void cholesky(void *arg)
{
    matrices *x = arg;
    must(hd_linalg_cholesky(context, HD_F64, x->n, x->a));
}

static void solve(void *arg)
{
    matrices *x = arg;
    must(hd_linalg_spd_solve(context, HD_F64, x->n, x->m, x->a, x->b));
}

static void qr(void *arg)
{
    matrices *x = arg;
    must(hd_linalg_qr(context, HD_F64, x->n, x->n, x->a, x->c, x->b));
}

static void eigh(void *arg)
{
    matrices *x = arg;
    must(hd_linalg_eigh(context, HD_F64, x->n, x->a, x->b, x->c));
}

static void svd(void *arg)
{
    matrices *x = arg;
    must(hd_linalg_svd(context, HD_F64, x->n, x->n, x->a, x->b, x->c, x->b + x->n));
}

static void run_matrix(budget b, void (*fn)(void *), int n, int m, int definite)
{
    const size_t cells = (size_t)n * (size_t)n;
    matrices x = { .n = n, .m = m, .definite = definite };
    x.source = block(sizeof(double) * cells);
    x.a = block(sizeof(double) * cells);
    x.b = block(sizeof(double) * (cells + (size_t)n * (size_t)(m + 1)));
    x.c = block(sizeof(double) * cells);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            x.source[(size_t)i * (size_t)n + (size_t)j] = number((size_t)(definite && j > i ? j * n + i : i * n + j)) + (definite && i == j ? n : 0);
        }
    }
    measure(b, copy, fn, &x, 1);
    free(x.source);
    free(x.a);
    free(x.b);
    free(x.c);
}

static void syrk(void *arg)
{
    matrices *x = arg;
    must(hd_linalg_syrk(context, HD_F32, 1, x->n, x->m, 1, x->source, 0, x->c));
}

static void ridge(void *arg)
{
    matrices *x = arg;
    must(hd_gram_reset(x->gram));
    must(hd_gram_add(x->gram, NULL, 0, x->data, 0, x->m, 512, 1, 0));
    must(hd_gram_ridge(x->gram, 1, x->c, x->b));
}

/* m rows of n numbers in float32: A^T A, or ridge regression with ten outputs. */
static void run_rows(budget b, void (*fn)(void *), int n, int m)
{
    matrices x = { .n = n, .m = m, .gram = hd_gram_new(context, n, CLASSES), .data = hd_data_new(context, m) };
    hd_real *rows = hd_data_column(x.data, HD_COLUMN_INPUT, 0, HD_FLOAT, n, 1, 0);
    hd_real *y = hd_data_column(x.data, HD_COLUMN_TARGET, 0, HD_FLOAT, CLASSES, 1, 0);
    for (size_t i = 0; i < (size_t)n * (size_t)m; i++) {
        rows[i] = (hd_real)number(i);
    }
    for (size_t i = 0; i < (size_t)(CLASSES * m); i++) {
        y[i] = (hd_real)number(i);
    }
    x.source = (double *)(void *)rows; /* syrk reads floats */
    x.b = block(sizeof(double));
    x.c = block(sizeof(double) * (size_t)n * (size_t)n);
    measure(b, NULL, fn, &x, 1);
    hd_gram_free(x.gram);
    hd_data_free(x.data);
    free(x.b);
    free(x.c);
}

static int run(const char *work, budget b)
{
    static const struct { const char *name; int (*draw)(hd_model *m); int train, rows; } networks[] = {
        { "matnet step", matnet, 1, 12800 }, { "mlp step", mlp, 1, 3200 }, { "cifar step", cifar, 1, 640 }, { "cifar forward", cifar, 0, BATCH },
        { "mnist step", mnist, 1, 640 }, { "resnet18 forward", resnet18, 0, 1 },
    };
    static const struct { const char *name; void (*fn)(void *); int n, m, definite; } products[] = {
        { "gemm", gemm, 1024, 0, 0 }, { "cholesky", cholesky, 2000, 0, 1 }, { "solve", solve, 1024, 10, 1 }, { "qr", qr, 1000, 0, 0 },
        { "eigh", eigh, 1000, 0, 1 }, { "svd", svd, 1000, 0, 0 },
    };
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (!strcmp(work, networks[i].name)) {
            run_network(b, networks[i].draw, networks[i].train, networks[i].rows);
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        if (!strcmp(work, products[i].name)) {
            run_matrix(b, products[i].fn, products[i].n, products[i].m, products[i].definite);
            return 0;
        }
    }
    if (!strcmp(work, "syrk") || !strcmp(work, "ridge")) {
        run_rows(b, *work == 's' ? syrk : ridge, 2000, 10000);
        return 0;
    }
    fprintf(stderr, "no work \"%s\"\n", work);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "works THREADS WORK ROUNDS SECONDS\n");
        return 2;
    }
    context = hd_context_new(atoi(argv[1]));
    if (!context || hd_context_threads(context) != atoi(argv[1])) {
        fprintf(stderr, "no %s threads\n", argv[1]);
        return 1;
    }
    const int status = run(argv[2], (budget){ atoi(argv[3]), atof(argv[4]) });
    hd_context_free(context);
    return status;
}
