/* Rank-1 softmax output of MatNet (case 2): class k scores u_k X v_k^T + b_k. Input I x J, rows-first; K units. */
#include "kern/elementwise.h"
#include "kern/gemm.h"
#include "layer/activate.h"

#include <string.h>

enum { UNITS, ACTIVATION, ALPHA, USE_BIAS };
enum { U, V, B };

/* Samples in a forward task, and in one float32 partial sum of dU. */
enum { SAMPLES = 128 };

static const hd_option options[] = {
    { .name = "units", .type = HD_INT, .min = 1, .max = 65536, .required = true, .doc = "number of classes K" },
    HD_ACTIVATION_OPTIONS(HD_SOFTMAX),
    { .name = "useBias", .type = HD_BOOL, .def = 1, .doc = "adds a bias to each unit" },
    { 0 },
};

static hd_activation output_activation(const hd_values *opt)
{
    return (hd_activation)opt->number[ACTIVATION];
}

static hd_status shape(hd_build *b)
{
    if (b->in[0].rank != 2) {
        char text[96];
        hd_shape_text(&b->in[0], text, sizeof text);
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: expected a matrix [rows, cols], got %s", b->path, text);
    }
    int units = (int)b->opt->number[UNITS], i = b->in[0].dim[0], j = b->in[0].dim[1];
    b->out = (hd_shape){ 1, { units } };
    b->saved = b->scratch = (size_t)i * (size_t)units;
    b->scratch_fixed = 3 * b->scratch;
    hd_status status = hd_activator_check(b, ACTIVATION);
    if (!status) {
        status = hd_build_weight(b, "U", (hd_shape){ 2, { units, i } }, "lecun", i, units);
    }
    if (!status) {
        status = hd_build_weight(b, "V", (hd_shape){ 2, { units, j } }, "lecun", j, units);
    }
    if (!status && b->opt->number[USE_BIAS]) {
        status = hd_build_weight(b, "b", b->out, "zeros", i, units);
    }
    return status;
}

/* Arrays of one call. The scratch of fixed size comes first: ut, d_ut, part; then (I, N, K). */
typedef struct work {
    size_t n, i, k;
    const real *g; /* (I, N, K): X V^T */
    const real *d; /* (N, K): gradient of the scores */
    real *y;       /* (N, K) */
    real *e;       /* (I, N, K): e_ink = u_ki d_nk */
    real *ut;      /* (I, K): U^T */
    real *d_ut;    /* (I, K) */
    real *part;    /* (I, K): sums over up to SAMPLES samples */
} work;

static work work_of(const hd_run *r)
{
    size_t i = (size_t)r->in[0].dim[0], k = (size_t)r->out.dim[0];
    real *s = r->scratch;
    work w = { .n = (size_t)r->n, .i = i, .k = k, .d = r->dy, .y = r->y, .ut = s, .d_ut = s + i * k,
               .part = s + 2 * i * k, .e = s + 3 * i * k };
    return w;
}

static void transpose(const hd_run *r, size_t rows, size_t cols, const real *x, real *y)
{
    const int dims[3] = { 1, (int)rows, (int)cols }, order[3] = { 0, 2, 1 };
    hd_permute(r->pool, dims, order, x, y, false);
}

/* y_nk = sum_i u_ki g_ink for one block of samples. */
static void contract(void *arg, int task, int thread)
{
    (void)thread;
    const work *w = arg;
    size_t begin = (size_t)task * SAMPLES, end = begin + SAMPLES < w->n ? begin + SAMPLES : w->n;
    memset(w->y + begin * w->k, 0, (end - begin) * w->k * sizeof *w->y);
    for (size_t i = 0; i < w->i; i++) {
        const real *restrict u = w->ut + i * w->k;
        for (size_t n = begin; n < end; n++) {
            const real *restrict g = w->g + (i * w->n + n) * w->k;
            real *restrict y = w->y + n * w->k;
            for (size_t k = 0; k < w->k; k++) {
                y[k] += u[k] * g[k];
            }
        }
    }
}

/* G = X V^T, then u_k G_k. */
static void forward(const hd_run *r)
{
    int i = r->in[0].dim[0], j = r->in[0].dim[1], k = r->out.dim[0];
    work w = work_of(r);
    real *g = r->saved ? r->saved : w.e;
    w.g = g;
    hd_gemm(r->pool, false, true, i * r->n, k, j, 1, r->x[0], j, r->w[V], j, 0, g, k);
    transpose(r, w.k, w.i, r->w[U], w.ut);
    hd_pool_run(r->pool, (r->n + SAMPLES - 1) / SAMPLES, contract, &w);
    hd_activator a = hd_activator_of(r, ACTIVATION);
    hd_bias_activate(r->pool, a.kind, a.alpha, r->y, r->opt->number[USE_BIAS] ? r->w[B] : NULL, 1, w.n, w.k);
}

/* Row i of e, and of d_ut: du_ki = sum_n d_nk g_ink. */
static void spread(void *arg, int task, int thread)
{
    (void)thread;
    const work *w = arg;
    size_t i = (size_t)task;
    const real *restrict u = w->ut + i * w->k;
    real *restrict part = w->part + i * w->k, *restrict sum = w->d_ut + i * w->k;
    memset(sum, 0, w->k * sizeof *sum);
    for (size_t begin = 0; begin < w->n; begin += SAMPLES) {
        size_t end = begin + SAMPLES < w->n ? begin + SAMPLES : w->n;
        memset(part, 0, w->k * sizeof *part);
        for (size_t n = begin; n < end; n++) {
            const real *restrict d = w->d + n * w->k, *restrict g = w->g + (i * w->n + n) * w->k;
            real *restrict e = w->e + (i * w->n + n) * w->k;
            for (size_t k = 0; k < w->k; k++) {
                e[k] = u[k] * d[k];
                part[k] += d[k] * g[k];
            }
        }
        for (size_t k = 0; k < w->k; k++) {
            sum[k] += part[k];
        }
    }
}

/* With d the gradient of the scores: du_k = sum_n d_nk v_k X_n^T, dv_k = sum_n d_nk u_k X_n,
 * dX_n = sum_k d_nk u_k^T v_k. */
static void backward(const hd_run *r)
{
    int i = r->in[0].dim[0], j = r->in[0].dim[1], k = r->out.dim[0];
    work w = work_of(r);
    w.g = r->saved;
    hd_activator_back(r, hd_activator_of(r, ACTIVATION), w.n, w.k);
    if (r->opt->number[USE_BIAS] && r->dw[B]) {
        hd_sum_rows(r->pool, 1, w.n, w.k, r->dy, r->dw[B], false);
    }
    transpose(r, w.k, w.i, r->w[U], w.ut);
    hd_pool_run(r->pool, i, spread, &w);
    if (r->dw[U]) {
        transpose(r, w.i, w.k, w.d_ut, r->dw[U]);
    }
    if (r->dw[V]) {
        hd_gemm(r->pool, true, false, k, j, i * r->n, 1, w.e, k, r->x[0], j, 0, r->dw[V], j);
    }
    if (r->dx[0]) {
        hd_gemm(r->pool, false, false, i * r->n, j, k, 1, w.e, k, r->w[V], j, r->add[0], r->dx[0], j);
    }
}

static const hd_example examples[] = {
    { 1, { { 2, { 4, 3 } } }, 1, { 5 } },
    { 1, { { 2, { 3, 5 } } }, 4, { 2, HD_LINEAR, 0, 0 } },
    { 1, { { 2, { 2, 3 } } }, 2, { 3, HD_SIGMOID } },
    { 0 },
};

const hd_layer_class hd_layer_bilinear_softmax = {
    .name = "bilinearSoftmax",
    .doc = "activation(u_k X v_k^T + b_k): matrix [I, J] to [units]; weights U [units, I], V [units, J], b [units]",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ROWS_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .flags = HD_NEEDS_X | HD_NEEDS_Y,
    .output_activation = output_activation,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
