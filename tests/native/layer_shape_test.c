/* Layers that move, join or drop elements against plain index arithmetic; and the sentences for what does not fit. */
#include "layer_kit.h"

enum { N = 3 };

static hd_context *c;

/* A model of one layer on `n_in` inputs, its data filled. */
typedef struct net {
    hd_model *m;
    hd_data *d;
    hd_real *x[3];
    int node;
} net;

static net make(const char *kind, int n_in, int dims[3][6], const int *ranks, const double *options, int n_options)
{
    net t = { .m = hd_model_new(c), .d = hd_data_new(c, N) };
    int input[3];
    for (int i = 0; i < n_in; i++) {
        size_t size = 1;
        for (int k = 0; k < ranks[i]; k++) {
            size *= (size_t)dims[i][k];
        }
        input[i] = hd_input(t.m, (const char *[]){ "a", "b", "c" }[i], dims[i], ranks[i]);
        t.x[i] = kit_column(c, t.d, HD_COLUMN_INPUT, i, (int)size);
        kit_fill(t.x[i], N * size, (unsigned)i + 1);
    }
    t.node = hd_layer(t.m, kind, "layer", input, n_in, options, n_options);
    return t;
}

static hd_real *output(net *t, size_t size)
{
    kit_must(c, t->node < 0 ? HD_ERR_ARGUMENT : hd_model_build(t->m, 1));
    return kit_predict(c, t->m, t->d, t->node, N, size);
}

static void drop(net *t)
{
    hd_data_free(t->d);
    hd_model_free(t->m);
}

/* One permutation: element [index] of the output is element [index permuted back] of the input. */
static void test_permutation(int *dims, int rank, const int *axes)
{
    double options[7] = { rank };
    for (int i = 0; i < rank; i++) {
        options[1 + i] = axes[i];
    }
    int all[3][6] = { { 0 } }, out[6];
    memcpy(all[0], dims, (size_t)rank * sizeof *dims);
    net t = make("transpose", 1, all, &rank, options, 1 + rank);
    size_t size = 1;
    for (int i = 0; i < rank; i++) {
        size *= (size_t)dims[i];
    }
    hd_real *y = output(&t, size);
    CHECK(hd_node_shape(t.m, t.node, out) == rank);
    for (size_t e = 0; e < N * size; e++) {
        int index[6];
        size_t rest = e % size, from = 0;
        for (int i = rank - 1; i >= 0; i--) {
            CHECK(out[i] == dims[axes[i]]);
            index[axes[i]] = (int)(rest % (size_t)out[i]);
            rest /= (size_t)out[i];
        }
        for (int i = 0; i < rank; i++) {
            from = from * (size_t)dims[i] + (size_t)index[i];
        }
        CHECK(y[e] == t.x[0][e / size * size + from]);
    }
    free(y);
    drop(&t);
}

static void test_permutations(int *dims, int rank)
{
    int codes = 1, found = 0;
    for (int i = 0; i < rank; i++) {
        codes *= rank;
    }
    for (int code = 0; code < codes; code++) {
        int axes[6], rest = code, used = 0;
        for (int i = 0; i < rank; i++) {
            axes[i] = rest % rank;
            used |= 1 << axes[i];
            rest /= rank;
        }
        if (used == (1 << rank) - 1) {
            test_permutation(dims, rank, axes);
            found++;
        }
    }
    CHECK(found == (rank == 4 ? 24 : rank == 3 ? 6 : 2));
}

static void test_reversed(void)
{
    int dims[3][6] = { { 3, 4 } }, rank = 2;
    net t = make("transpose", 1, dims, &rank, NULL, 0);
    hd_real *y = output(&t, 12);
    for (int e = 0; e < N * 12; e++) {
        CHECK(y[e] == t.x[0][e / 12 * 12 + e % 3 * 4 + e % 12 / 3]);
    }
    free(y);
    drop(&t);
}

/* Inputs [2, 2 + i, 3] along axis 1, and [2, 3, 1 + i] along the last. */
static void test_concat(int last)
{
    int dims[3][6] = { { 0 } }, ranks[3] = { 3, 3, 3 }, whole = 0;
    for (int i = 0; i < 3; i++) {
        int *s = dims[i];
        s[0] = 2;
        s[1] = last ? 3 : 2 + i;
        s[2] = last ? 1 + i : 3;
        whole += last ? s[2] : s[1] * s[2];
    }
    int outer = last ? 6 : 2;
    net t = make("concat", 3, dims, ranks, (double[]){ last ? -1 : 1 }, 1);
    hd_real *y = output(&t, (size_t)(outer * whole)), *at = y;
    for (int r = 0; r < N * outer; r++) {
        for (int i = 0; i < 3; i++) {
            int row = last ? dims[i][2] : dims[i][1] * dims[i][2];
            CHECK(!memcmp(at, t.x[i] + r * row, (size_t)row * sizeof *y));
            at += row;
        }
    }
    free(y);
    drop(&t);
}

static void test_add(void)
{
    int dims[3][6] = { { 2, 5 }, { 2, 5 }, { 2, 5 } }, ranks[3] = { 2, 2, 2 };
    net t = make("add", 3, dims, ranks, NULL, 0);
    hd_real *y = output(&t, 10);
    for (int e = 0; e < N * 10; e++) {
        CHECK(y[e] == (hd_real)(t.x[0][e] + t.x[1][e]) + t.x[2][e]);
    }
    free(y);
    drop(&t);
}

static void test_reshape(void)
{
    int dims[3][6] = { { 3, 4 } }, rank = 2, out[6];
    net t = make("reshape", 1, dims, &rank, (double[]){ 3, 2, -1, 3 }, 4);
    hd_real *y = output(&t, 12);
    CHECK(hd_node_shape(t.m, t.node, out) == 3 && out[0] == 2 && out[1] == 2 && out[2] == 3);
    CHECK(!memcmp(y, t.x[0], N * 12 * sizeof *y));
    free(y);
    drop(&t);
}

/* x = 1 -> a: ones of SIZE -> dropout -> sum. Forward's mask shows in the gradient of the sum's weights, and
 * backward's in that of a: both are mask * dL/dsum. */
enum { SIZE = 20011 };
static void dropout_masks(double rate, double seed, hd_real *forward, hd_real *backward)
{
    hd_model *m = hd_model_new(c);
    hd_data *d = hd_data_new(c, 1);
    int x = hd_input(m, "x", (int[]){ 1 }, 1);
    int a = LAYER(m, "dense", "a", x, SIZE, 0, 0, 0), drops = LAYER(m, "dropout", "drop", a, rate);
    LAYER(m, "dense", "sum", drops, 1, 0, 0, 0);
    kit_column(c, d, HD_COLUMN_INPUT, 0, 1)[0] = 1;
    *kit_column(c, d, HD_COLUMN_TARGET, 0, 1) = -1;
    kit_must(c, hd_model_build(m, 1));
    kit_must(c, hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0));
    for (int i = 0; i < SIZE; i++) {
        kit_weight(m, "a/kernel")[i] = kit_weight(m, "sum/kernel")[i] = 1;
    }
    double loss;
    kit_must(c, hd_gradients(m, d, 0, 1, 1, seed, &loss));
    memcpy(forward, kit_gradient(m, "sum/kernel"), SIZE * sizeof *forward);
    memcpy(backward, kit_gradient(m, "a/kernel"), SIZE * sizeof *backward);
    hd_real *y = kit_predict(c, m, d, drops, 1, SIZE);
    for (int i = 0; i < SIZE; i++) {
        CHECK(y[i] == 1); /* the identity when predicting */
    }
    free(y);
    hd_data_free(d);
    hd_model_free(m);
}

static void test_dropout(double rate)
{
    static hd_real mask[SIZE], back[SIZE], again[SIZE], other[SIZE];
    dropout_masks(rate, 5, mask, back);
    CHECK(!memcmp(mask, back, sizeof mask));
    dropout_masks(rate, 5, again, back);
    CHECK(!memcmp(mask, again, sizeof mask));
    dropout_masks(rate, 6, other, back);
    CHECK(memcmp(mask, other, sizeof mask));
    double kept = 0, neighbours = 0, scale = 0;
    for (int i = 0; i < SIZE; i++) {
        kept += mask[i] != 0;
        neighbours += mask[i] != 0 && mask[(i + 1) % SIZE] != 0;
        scale = fmax(scale, mask[i]);
    }
    for (int i = 0; i < SIZE; i++) {
        CHECK(mask[i] == 0 || mask[i] == (hd_real)scale);
    }
    /* dL/dsum = 2 (sum + 1) times 1 / (1 - rate), with sum = kept / (1 - rate). */
    NEAR(scale / (2 * (kept / (1 - rate) + 1) / (1 - rate)), 1, TOL(1e-5));
    /* Within 5 standard deviations of the binomial, for single elements and for pairs of neighbours. */
    double p = 1 - rate, q = p * p;
    NEAR(kept / SIZE, p, 5 * sqrt(p * (1 - p) / SIZE));
    NEAR(neighbours / SIZE, q, 5 * sqrt(q * (1 + 2 * p - 3 * q) / SIZE));
}

/* What does not fit is refused with the place, what was found and what was expected. */
static void refuse(const char *kind, int n_in, int dims[3][6], const int *ranks, const double *options, int n,
                   hd_status status, const char *sentence)
{
    net t = make(kind, n_in, dims, ranks, options, n);
    const char *text = strstr(hd_error(c), "): ");
    CHECK(t.node == -1);
    CHECK(hd_error_status(c) == status);
    CHECK_TEXT(text ? text + 3 : hd_error(c), sentence);
    drop(&t);
}

#define REFUSE(kind, in, options, status, sentence)                                                                    \
    refuse(kind, COUNT(ranks_##in), in, ranks_##in, options, COUNT(options), status, sentence)

static void test_refusals(void)
{
    static int vector[3][6] = { { 784 } }, matrix[3][6] = { { 3, 4 } }, pair[3][6] = { { 3, 4 }, { 4, 3 } },
               scalar[3][6] = { { 0 } }, long_matrix[3][6] = { { 1000000, 1 } };
    static const int ranks_vector[] = { 1 }, ranks_matrix[] = { 2 }, ranks_pair[] = { 2, 2 }, ranks_scalar[] = { 0 },
                     ranks_long_matrix[] = { 2 };
    const double three[] = { 3 }, two[] = { 2, 3 }, alpha[] = { 3, 3, 0.1 }, axes[] = { 2, 1, 1 }, axis[] = { 2 },
                 one[] = { 1, 0 }, minus[] = { 2, -1, -1 }, zero[] = { 2, 0, 12 }, five[] = { 2, 5, -1 },
                 huge[] = { 3, 2e9, 2e9, 2e9 }, rate[] = { 1 },
                 wide[] = { 1, 65536, 0, 0, 1, 1 }, long_shape[] = { 7, 1, 1, 1, 1, 1, 1, 12 };
    REFUSE("bilinear", vector, two, HD_ERR_SHAPE, "expected a matrix [rows, cols], got [784]");
    REFUSE("bilinearSoftmax", vector, three, HD_ERR_SHAPE, "expected a matrix [rows, cols], got [784]");
    REFUSE("bilinear", long_matrix, wide, HD_ERR_SHAPE,
           "X V^T is 1000000 x 65536, expected less than 2^30 elements");
    REFUSE("dense", scalar, three, HD_ERR_SHAPE, "expected at least one axis, got a scalar");
    REFUSE("dense", vector, alpha, HD_ERR_ARGUMENT,
           "alpha = 0.1 with activation relu, only leakyRelu and elu have one");
    REFUSE("transpose", matrix, axes, HD_ERR_ARGUMENT, "axes[1] = 1, expected each of 0..1 once");
    REFUSE("transpose", matrix, one, HD_ERR_SHAPE, "axes has 1 values, expected 2, the rank of the input");
    REFUSE("concat", matrix, axis, HD_ERR_ARGUMENT, "1 inputs, expected 2..16");
    REFUSE("concat", pair, axis, HD_ERR_SHAPE, "axis = 2, expected an axis of input 0, which is [3, 4]");
    REFUSE("reshape", matrix, minus, HD_ERR_ARGUMENT, "shape[1] = -1, expected dims >= 1, and at most one -1");
    REFUSE("reshape", matrix, zero, HD_ERR_ARGUMENT, "shape[0] = 0, expected dims >= 1, and at most one -1");
    REFUSE("reshape", matrix, five, HD_ERR_SHAPE, "[3, 4] can't become [5, -1]: it has 12 elements");
    REFUSE("reshape", matrix, huge, HD_ERR_SHAPE,
           "[3, 4] can't become [2000000000, 2000000000, 2000000000]: it has 12 elements");
    REFUSE("reshape", matrix, long_shape, HD_ERR_ARGUMENT, "shape has 7 dims, expected at most 6");
    REFUSE("dropout", vector, rate, HD_ERR_ARGUMENT, "rate = 1, expected a number >= 0 and < 1");
    refuse("add", 2, pair, ranks_pair, NULL, 0, HD_ERR_SHAPE, "input 1 is [4, 3], expected [3, 4] like input 0");
    refuse("concat", 2, pair, ranks_pair, NULL, 0, HD_ERR_SHAPE, "input 1 is [4, 3], expected [3, 4] but for axis 1");
}

int main(void)
{
    c = hd_context_new(2);
    test_permutations((int[]){ 3, 4 }, 2);
    test_permutations((int[]){ 2, 3, 4 }, 3);
    test_permutations((int[]){ 2, 3, 4, 2 }, 4);
    test_permutations((int[]){ 1, 3, 1, 4 }, 4);
    test_reversed();
    test_concat(0);
    test_concat(1);
    test_add();
    test_reshape();
    test_dropout(0.5);
    test_dropout(0.2);
    test_refusals();
    hd_context_free(c);
    return check_result("layer_shape_test");
}
