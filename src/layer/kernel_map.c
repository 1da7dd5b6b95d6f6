/* Kernels with fixed points p_j, whose squared norms are the layer's state: of dense kernel networks and other kernel machines. */
#include "kern/kernel_map.h"
#include "layer/layer.h"

enum { KERNEL, GAMMA };

static const hd_option options[] = {
    { .name = "kernel", .type = HD_ENUM, .required = true, .names = hd_kernel_names, .doc = "k(f, p)" },
    { .name = "gamma", .type = HD_NUMBER, .min = 0, .open_min = true, .max = 1e30, .def = 1, .doc = "of rbf: exp(-gamma ||f - p||^2)" },
    { 0 },
};

static hd_status shape(hd_build *b)
{
    const int rank = b->in[0].rank;
    hd_shape like = b->in[1];
    if (rank > 0 && like.rank == rank) {
        like.dim[rank - 1] = b->in[0].dim[rank - 1];
    }
    if (rank == 0 || !hd_shape_equal(&like, &b->in[0])) {
        char first[96], second[96];
        hd_shape_text(&b->in[0], first, sizeof first);
        hd_shape_text(&b->in[1], second, sizeof second);
        return hd_fail(b->c, HD_ERR_SHAPE, "%s: inputs are %s and %s, expected the same axes but for the last", b->path, first, second);
    }
    b->out = b->in[0];
    return hd_build_state(b, "squaredNorms", (hd_shape){ 1, { hd_shape_last(&b->in[0]) } }, "ones");
}

static double squared_norm(const real *f, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += (double)f[i] * (double)f[i];
    }
    return sum;
}

static void forward_one(void *arg, int s, int thread)
{
    (void)thread;
    const hd_run *r = arg;
    const int points = hd_shape_last(&r->in[0]), n = hd_shape_last(&r->in[1]);
    const size_t at = (size_t)s * (size_t)points;
    const double uu = squared_norm(r->x[1] + (size_t)s * (size_t)n, n);
    for (int j = 0; j < points; j++) {
        r->y[at + (size_t)j] = (real)hd_kernel_value((hd_kernel)r->opt->number[KERNEL], r->opt->number[GAMMA],
                                                     (double)r->x[0][at + (size_t)j], uu, (double)r->w[0][j]);
    }
}

/* d dot_j = k_dot dy_j, df = 2 f sum_j k_uu dy_j, as ||f||^2 = f.f. */
static void backward_one(void *arg, int s, int thread)
{
    (void)thread;
    const hd_run *r = arg;
    const int points = hd_shape_last(&r->in[0]), n = hd_shape_last(&r->in[1]);
    const size_t at = (size_t)s * (size_t)points, first = (size_t)s * (size_t)n;
    const double uu = squared_norm(r->x[1] + first, n);
    double d_uu = 0;
    for (int j = 0; j < points; j++) {
        const size_t i = at + (size_t)j;
        const hd_kernel_slopes slope = hd_kernel_slope((hd_kernel)r->opt->number[KERNEL], r->opt->number[GAMMA], (double)r->x[0][i], uu,
                                                       (double)r->w[0][j]);
        d_uu += slope.uu * (double)r->dy[i];
        if (r->dx[0]) {
            r->dx[0][i] = (real)(slope.dot * (double)r->dy[i]) + (r->add[0] ? r->dx[0][i] : 0);
        }
    }
    for (int i = 0; r->dx[1] && i < n; i++) {
        real *d = r->dx[1] + first + (size_t)i;
        *d = (real)(2 * d_uu * (double)r->x[1][first + (size_t)i]) + (r->add[1] ? *d : 0);
    }
}

static int rows_of(const hd_run *r)
{
    return (int)((size_t)r->n * (hd_shape_size(&r->out) / (size_t)hd_shape_last(&r->out)));
}

static void forward(const hd_run *r)
{
    hd_pool_run(r->pool, rows_of(r), forward_one, (void *)r);
}

static void backward(const hd_run *r)
{
    hd_pool_run(r->pool, rows_of(r), backward_one, (void *)r);
}

static const hd_example examples[] = {
    { 2, { { 1, { 5 } }, { 1, { 3 } } }, 1, { HD_KERNEL_LINEAR } },
    { 2, { { 1, { 4 } }, { 1, { 12 } } }, 2, { HD_KERNEL_RBF, 0.25 } },
    { 2, { { 1, { 6 } }, { 1, { 12 } } }, 1, { HD_KERNEL_ARC_COSINE0 } },
    { 2, { { 2, { 2, 4 } }, { 2, { 2, 12 } } }, 1, { HD_KERNEL_ARC_COSINE1 } },
    { 0 },
};

const hd_layer_class hd_layer_kernel_map = {
    .name = "kernelMap",
    .doc = "k(f, p_j) for fixed points p_j, from inner products f.p_j [.., J] and f [.., n] itself; state squaredNorms [J]: ||p_j||^2",
    .options = options,
    .min_inputs = 2,
    .max_inputs = 2,
    .layout = HD_BATCH_FIRST,
    .out_layout = HD_BATCH_FIRST,
    .flags = HD_NEEDS_X,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .examples = examples,
};
