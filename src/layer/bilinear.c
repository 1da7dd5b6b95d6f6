/* Bilinear (matrix) layer of MatNet, in the batched "I-major" layout (I, N, J): every product of forward and backward
 * is one plain GEMM. Dimensions: input I x J, output P x Q. */
#include "kern/elementwise.h"
#include "kern/gemm.h"
#include "layer/activate.h"

enum { ROWS, COLS, ACTIVATION, ALPHA, USE_BIAS, ORDER };
enum { U, V, B };
enum { AUTO, RIGHT_FIRST, LEFT_FIRST };

static const char *const orders[] = { "auto", "rightFirst", "leftFirst", NULL };

static const hd_option options[] = {
    { .name = "rows", .type = HD_INT, .min = 1, .max = 65536, .required = true, .doc = "rows of the output matrix" },
    { .name = "cols", .type = HD_INT, .min = 1, .max = 65536, .required = true, .doc = "columns of the output matrix" },
    HD_ACTIVATION_OPTIONS(HD_LINEAR),
    { .name = "useBias", .type = HD_BOOL, .def = 1, .doc = "adds a bias matrix" },
    { .name = "order", .type = HD_ENUM, .def = AUTO, .names = orders,
      .doc = "U (X V^T), (U X) V^T, or the one with fewer multiplications; all give the same up to rounding" },
    { 0 },
};

typedef struct sizes {
    int n, i, j, p, q;
    bool right_first;
} sizes;

/* Multiplications a sample: right-first I Q (J + P), left-first P J (I + Q). */
static sizes sizes_of(const hd_values *opt, const hd_shape *in, int n)
{
    sizes s = { n, in->dim[0], in->dim[1], (int)opt->number[ROWS], (int)opt->number[COLS], false };
    double right = (double)s.i * s.q * (s.j + s.p), left = (double)s.p * s.j * (s.i + s.q);
    s.right_first = opt->number[ORDER] == AUTO ? right <= left : opt->number[ORDER] == RIGHT_FIRST;
    return s;
}

static hd_activation output_activation(const hd_values *opt)
{
    return (hd_activation)opt->number[ACTIVATION];
}

static real output_alpha(const hd_values *opt)
{
    return hd_activator_alpha(opt, ACTIVATION);
}

static hd_status shape(hd_build *b)
{
    if (b->in[0].rank != 2) {
        char text[96];
        hd_shape_text(&b->in[0], text, sizeof text);
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: expected a matrix [rows, cols], got %s", b->path, text);
    }
    sizes s = sizes_of(b->opt, &b->in[0], 1);
    b->out = (hd_shape){ 2, { s.p, s.q } };
    hd_shape half = s.right_first ? (hd_shape){ 2, { s.i, s.q } } : (hd_shape){ 2, { s.p, s.j } };
    b->saved = b->scratch = hd_shape_size(&half);
    if (!b->saved) {
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: %s is %d x %d, expected less than 2^30 elements", b->path,
                       s.right_first ? "X V^T" : "U X", half.dim[0], half.dim[1]);
    }
    /* Gain 2^(1/2) for the rectifiers, on one of the factors only. */
    hd_activation act = output_activation(b->opt);
    const char *first = act == HD_RELU || act == HD_LEAKY_RELU || act == HD_ELU ? "he" : "lecun";
    hd_status status = hd_activator_check(b, ACTIVATION);
    if (!status) {
        status = hd_build_weight(b, "U", (hd_shape){ 2, { s.p, s.i } }, first, s.i, s.p);
    }
    if (!status) {
        status = hd_build_weight(b, "V", (hd_shape){ 2, { s.q, s.j } }, "lecun", s.j, s.q);
    }
    if (!status && b->opt->number[USE_BIAS]) {
        status = hd_build_weight(b, "B", b->out, "zeros", s.i, s.p);
    }
    return status;
}

/* The half product is kept if there will be a backward: T = X V^T (I, N, Q) or P = U X (P, N, J). */
static void forward(const hd_run *r)
{
    sizes s = sizes_of(r->opt, &r->in[0], r->n);
    real *half = r->saved ? r->saved : r->scratch;
    if (s.right_first) {
        hd_gemm(r->pool, false, true, s.i * s.n, s.q, s.j, 1, r->x[0], s.j, r->w[V], s.j, 0, half, s.q);
        hd_gemm(r->pool, false, false, s.p, s.n * s.q, s.i, 1, r->w[U], s.i, half, s.n * s.q, 0, r->y, s.n * s.q);
    } else {
        hd_gemm(r->pool, false, false, s.p, s.n * s.j, s.i, 1, r->w[U], s.i, r->x[0], s.n * s.j, 0, half, s.n * s.j);
        hd_gemm(r->pool, false, true, s.p * s.n, s.q, s.j, 1, half, s.j, r->w[V], s.j, 0, r->y, s.q);
    }
    hd_activator a = hd_activator_of(r, ACTIVATION);
    hd_bias_activate(r->pool, a.kind, a.alpha, r->y, r->opt->number[USE_BIAS] ? r->w[B] : NULL, (size_t)s.p,
                     (size_t)s.n, (size_t)s.q);
}

/* D: gradient of U X V^T + B, (P, N, Q). S = U^T D (I, N, Q): dU = D T^T, dV = S^T X, dX = S V. */
static void back_right_first(const hd_run *r, sizes s)
{
    int nq = s.n * s.q;
    if (r->dw[U]) {
        hd_gemm(r->pool, false, true, s.p, s.i, nq, 1, r->dy, nq, r->saved, nq, 0, r->dw[U], s.i);
    }
    if (r->dw[V] || r->dx[0]) {
        hd_gemm(r->pool, true, false, s.i, nq, s.p, 1, r->w[U], s.i, r->dy, nq, 0, r->scratch, nq);
    }
    if (r->dw[V]) {
        hd_gemm(r->pool, true, false, s.q, s.j, s.i * s.n, 1, r->scratch, s.q, r->x[0], s.j, 0, r->dw[V], s.j);
    }
    if (r->dx[0]) {
        hd_gemm(r->pool, false, false, s.i * s.n, s.j, s.q, 1, r->scratch, s.q, r->w[V], s.j, r->add[0], r->dx[0], s.j);
    }
}

/* Q = D V (P, N, J): dV = D^T P, dU = Q X^T, dX = U^T Q. */
static void back_left_first(const hd_run *r, sizes s)
{
    int nj = s.n * s.j;
    if (r->dw[V]) {
        hd_gemm(r->pool, true, false, s.q, s.j, s.p * s.n, 1, r->dy, s.q, r->saved, s.j, 0, r->dw[V], s.j);
    }
    if (r->dw[U] || r->dx[0]) {
        hd_gemm(r->pool, false, false, s.p * s.n, s.j, s.q, 1, r->dy, s.q, r->w[V], s.j, 0, r->scratch, s.j);
    }
    if (r->dw[U]) {
        hd_gemm(r->pool, false, true, s.p, s.i, nj, 1, r->scratch, nj, r->x[0], nj, 0, r->dw[U], s.i);
    }
    if (r->dx[0]) {
        hd_gemm(r->pool, true, false, s.i, nj, s.p, 1, r->w[U], s.i, r->scratch, nj, r->add[0], r->dx[0], nj);
    }
}

static void backward(const hd_run *r)
{
    sizes s = sizes_of(r->opt, &r->in[0], r->n);
    hd_activator_back(r, hd_activator_of(r, ACTIVATION), (size_t)s.p * (size_t)s.n, (size_t)s.q);
    if (r->opt->number[USE_BIAS] && r->dw[B]) {
        hd_sum_rows(r->pool, (size_t)s.p, (size_t)s.n, (size_t)s.q, r->dy, r->dw[B], false);
    }
    (s.right_first ? back_right_first : back_left_first)(r, s);
}

static const hd_example examples[] = {
    { 1, { { 2, { 4, 5 } } }, 3, { 3, 2, HD_SIGMOID } },
    { 1, { { 2, { 3, 6 } } }, 6, { 5, 4, HD_TANH, 0, 0, RIGHT_FIRST } },
    { 1, { { 2, { 5, 3 } } }, 6, { 4, 4, HD_LEAKY_RELU, 0.2, 1, LEFT_FIRST } },
    { 1, { { 2, { 3, 3 } } }, 3, { 2, 4, HD_SOFTMAX } },
    { 0 },
};

const hd_layer_class hd_layer_bilinear = {
    .name = "bilinear",
    .doc = "activation(U X V^T + B): matrix [I, J] to [rows, cols]; weights U [rows, I], V [cols, J], B [rows, cols]",
    .options = options,
    .min_inputs = 1,
    .max_inputs = 1,
    .layout = HD_ROWS_FIRST,
    .out_layout = HD_ROWS_FIRST,
    .flags = HD_NEEDS_X | HD_NEEDS_Y,
    .output_activation = output_activation,
    .output_alpha = output_alpha,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
