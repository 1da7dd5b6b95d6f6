/* Oracles of the matrix layers: MatNet, shared reference A, properties 2, 3, 4 and 6. */
#include "layer_kit.h"

enum { SIGMOID = 1, TANH = 2, SOFTMAX = 8 };
enum { AUTO, RIGHT_FIRST, LEFT_FIRST };
enum { I = 7, J = 5, P = 4, Q = 6, K = 3, N = 1100 }; /* sums over more than 4096 terms (HD_GEMM_CHUNK) */

static hd_context *c;
static hd_data *matrices; /* inputs I x J, targets P x Q */
static hd_data *classes;  /* inputs I x J, one-hot targets of K classes */

static void make_data(void)
{
    matrices = hd_data_new(c, N);
    kit_fill(kit_column(c, matrices, HD_COLUMN_INPUT, 0, I * J), N * I * J, 1);
    kit_fill(kit_column(c, matrices, HD_COLUMN_TARGET, 0, P * Q), N * P * Q, 2);
    classes = hd_data_new(c, N);
    kit_fill(kit_column(c, classes, HD_COLUMN_INPUT, 0, I * J), N * I * J, 3);
    hd_real *t = kit_column(c, classes, HD_COLUMN_TARGET, 0, K);
    for (int n = 0; n < N; n++) {
        for (int k = 0; k < K; k++) {
            t[n * K + k] = n * 7 % K == k;
        }
    }
}

static hd_model *open_model(int *input)
{
    hd_model *m = hd_model_new(c);
    *input = hd_input(m, "x", (int[]){ I, J }, 2);
    return m;
}

/* Weights all in [-1, 1): biases too. */
static void close_model(hd_model *m, const char *loss)
{
    kit_must(c, hd_model_build(m, 7));
    for (int i = 0; i < hd_weight_count(m); i++) {
        kit_fill(hd_weight_data(m, i), kit_size(m, hd_weight_name(m, i)), (unsigned)i + 10);
    }
    kit_must(c, hd_loss_add(m, 0, loss, 1, NULL, 0));
}

static hd_model *bilinear_model(int activation, int order)
{
    int x;
    hd_model *m = open_model(&x);
    int h = LAYER(m, "bilinear", "b", x, P, Q, activation, 0, 1, order);
    hd_layer(m, "flatten", "f", &h, 1, NULL, 0);
    close_model(m, "meanSquaredError");
    return m;
}

static double gradients(hd_model *m, hd_data *d, int begin, int end)
{
    double loss;
    kit_must(c, hd_gradients(m, d, begin, end, 1, 0, &loss));
    return loss;
}

static int last_node(const hd_model *m)
{
    return hd_node_count(m) - 1;
}

/* dW of a dense layer on vec(X), with W[pq, ij] = U[p, i] V[q, j] (row-major vec), contracted to dU and dV. */
static void contract(const hd_model *m, const hd_real *dw, const hd_real *u, const hd_real *v)
{
    hd_real du[P * I] = { 0 }, dv[Q * J] = { 0 };
    for (int p = 0; p < P; p++) {
        for (int q = 0; q < Q; q++) {
            for (int i = 0; i < I; i++) {
                for (int j = 0; j < J; j++) {
                    hd_real d = dw[((p * Q + q) * I + i) * J + j];
                    du[p * I + i] += d * v[q * J + j];
                    dv[q * J + j] += d * u[p * I + i];
                }
            }
        }
    }
    NEAR(kit_difference(P * I, kit_gradient(m, "b/U"), du), 0, TOL(1e-5));
    NEAR(kit_difference(Q * J, kit_gradient(m, "b/V"), dv), 0, TOL(1e-5));
}

/* 2: vec(U X V^T + B) = (U kron V) vec(X) + vec(B). */
static void test_kronecker(int activation, int order)
{
    hd_model *m = bilinear_model(activation, order);
    const hd_real *u = kit_weight(m, "b/U"), *v = kit_weight(m, "b/V"), *b = kit_weight(m, "b/B");
    int x;
    hd_model *dense = open_model(&x);
    int flat = hd_layer(dense, "flatten", "f", &x, 1, NULL, 0);
    LAYER(dense, "dense", "d", flat, P * Q, activation);
    close_model(dense, "meanSquaredError");
    hd_real *w = kit_weight(dense, "d/kernel");
    for (int k = 0; k < P * Q * I * J; k++) {
        int out = k / (I * J), in = k % (I * J);
        w[k] = u[out / Q * I + in / J] * v[out % Q * J + in % J];
    }
    memcpy(kit_weight(dense, "d/bias"), b, P * Q * sizeof *b);
    hd_real *y = kit_predict(c, m, matrices, last_node(m), N, P * Q);
    hd_real *want = kit_predict(c, dense, matrices, last_node(dense), N, P * Q);
    NEAR(kit_difference(N * P * Q, y, want), 0, TOL(1e-6));
    NEAR(gradients(m, matrices, 0, N) / gradients(dense, matrices, 0, N), 1, TOL(1e-6));
    contract(m, kit_gradient(dense, "d/kernel"), u, v);
    NEAR(kit_difference(P * Q, kit_gradient(m, "b/B"), kit_gradient(dense, "d/bias")), 0, TOL(1e-5));
    free(y);
    free(want);
    hd_model_free(m);
    hd_model_free(dense);
}

/* 3: both orders agree; `auto` is the cheaper one; a batch equals its samples, and its parts. */
static void test_orders(void)
{
    static const char *const names[] = { "b/U", "b/V", "b/B" };
    hd_model *right = bilinear_model(SIGMOID, RIGHT_FIRST), *left = bilinear_model(SIGMOID, LEFT_FIRST);
    hd_model *either = bilinear_model(SIGMOID, AUTO);
    hd_real *a = kit_predict(c, right, matrices, last_node(right), N, P * Q);
    hd_real *b = kit_predict(c, left, matrices, last_node(left), N, P * Q);
    hd_real *e = kit_predict(c, either, matrices, last_node(either), N, P * Q);
    hd_real *single = kit_predict(c, right, matrices, last_node(right), 1, P * Q);
    NEAR(kit_difference(N * P * Q, a, b), 0, TOL(1e-5));
    NEAR(kit_difference(N * P * Q, a, single), 0, TOL(1e-6));
    /* Left-first costs P J (I + Q) = 260 multiplications here, right-first I Q (J + P) = 378. */
    CHECK(!memcmp(e, b, N * P * Q * sizeof *b));
    NEAR(gradients(right, matrices, 0, N) / gradients(left, matrices, 0, N), 1, TOL(1e-6));
    for (int w = 0; w < 3; w++) {
        NEAR(kit_difference(kit_size(left, names[w]), kit_gradient(right, names[w]), kit_gradient(left, names[w])), 0,
             TOL(1e-5));
    }
    for (int w = 0; w < 3; w++) {
        enum { PART = 310 };
        size_t size = kit_size(right, names[w]);
        hd_real sum[P * I + Q * J] = { 0 };
        gradients(right, matrices, 0, PART);
        for (size_t i = 0; i < size; i++) {
            sum[i] += kit_gradient(right, names[w])[i] * PART / N;
        }
        gradients(right, matrices, PART, N);
        for (size_t i = 0; i < size; i++) {
            sum[i] += kit_gradient(right, names[w])[i] * (N - PART) / N;
        }
        gradients(right, matrices, 0, N);
        NEAR(kit_difference(size, kit_gradient(right, names[w]), sum), 0, TOL(1e-5));
    }
    free(a);
    free(b);
    free(e);
    free(single);
    hd_model_free(right);
    hd_model_free(left);
    hd_model_free(either);
}

/* Hidden layer P x Q, then case 2 (rank-1 softmax) or case 3 (softmax of a dense layer on vec). */
static hd_model *output_model(int rank1)
{
    int x;
    hd_model *m = open_model(&x);
    int h = LAYER(m, "bilinear", "h", x, P, Q, TANH);
    if (rank1) {
        LAYER(m, "bilinearSoftmax", "o", h, K);
    } else {
        int f = hd_layer(m, "flatten", "f", &h, 1, NULL, 0);
        LAYER(m, "dense", "o", f, K, SOFTMAX);
    }
    close_model(m, "categoricalCrossentropy");
    return m;
}

/* 4: case 2 is case 3 with ubar_k = vec(u_k^T v_k). */
static void test_rank1_softmax(void)
{
    hd_model *m = output_model(1), *dense = output_model(0);
    const hd_real *u = kit_weight(m, "o/U"), *v = kit_weight(m, "o/V");
    hd_real *w = kit_weight(dense, "o/kernel");
    for (int k = 0; k < K; k++) {
        for (int e = 0; e < P * Q; e++) {
            w[k * P * Q + e] = u[k * P + e / Q] * v[k * Q + e % Q];
        }
    }
    memcpy(kit_weight(dense, "o/bias"), kit_weight(m, "o/b"), K * sizeof *w);
    hd_real *y = kit_predict(c, m, classes, last_node(m), 64, K);
    hd_real *want = kit_predict(c, dense, classes, last_node(dense), 64, K);
    NEAR(kit_difference(N * K, y, want), 0, TOL(2e-6));
    NEAR(gradients(m, classes, 0, N) / gradients(dense, classes, 0, N), 1, TOL(1e-6));
    hd_real du[K * P] = { 0 }, dv[K * Q] = { 0 };
    for (int k = 0; k < K; k++) {
        for (int e = 0; e < P * Q; e++) {
            hd_real d = kit_gradient(dense, "o/kernel")[k * P * Q + e];
            du[k * P + e / Q] += d * v[k * Q + e % Q];
            dv[k * Q + e % Q] += d * u[k * P + e / Q];
        }
    }
    NEAR(kit_difference(K * P, kit_gradient(m, "o/U"), du), 0, TOL(1e-5));
    NEAR(kit_difference(K * Q, kit_gradient(m, "o/V"), dv), 0, TOL(1e-5));
    NEAR(kit_difference(K, kit_gradient(m, "o/b"), kit_gradient(dense, "o/bias")), 0, TOL(1e-5));
    static const char *const hidden[] = { "h/U", "h/V", "h/B" };
    for (int i = 0; i < 3; i++) { /* the gradient passed on */
        NEAR(kit_difference(kit_size(m, hidden[i]), kit_gradient(m, hidden[i]), kit_gradient(dense, hidden[i])), 0,
             TOL(1e-5));
    }
    free(y);
    free(want);
    hd_model_free(m);
    hd_model_free(dense);
}

static double inner(const hd_model *m, hd_model *of, const char *name)
{
    double sum = 0;
    for (size_t i = 0; i < kit_size(m, name); i++) {
        sum += (double)kit_weight(of, name)[i] * kit_gradient(m, name)[i];
    }
    return sum;
}

/* 6: (U, V) -> (a U, V / a) changes no output, and so <U, dU> = <V, dV>. */
static void test_scale_symmetry(void)
{
    hd_model *m = output_model(1);
    gradients(m, classes, 0, N);
    NEAR(inner(m, m, "h/U") / inner(m, m, "h/V"), 1, TOL(1e-4));
    NEAR(inner(m, m, "o/U") / inner(m, m, "o/V"), 1, TOL(1e-4));
    hd_real *before = kit_predict(c, m, classes, last_node(m), 64, K);
    static const char *const pairs[][2] = { { "h/U", "h/V" }, { "o/U", "o/V" } };
    for (int p = 0; p < 2; p++) {
        for (size_t i = 0; i < kit_size(m, pairs[p][0]); i++) {
            kit_weight(m, pairs[p][0])[i] *= (hd_real)1.7;
        }
        for (size_t i = 0; i < kit_size(m, pairs[p][1]); i++) {
            kit_weight(m, pairs[p][1])[i] /= (hd_real)1.7;
        }
    }
    hd_real *after = kit_predict(c, m, classes, last_node(m), 64, K);
    NEAR(kit_difference(N * K, after, before), 0, TOL(2e-6));
    free(before);
    free(after);
    hd_model_free(m);
}

int main(void)
{
    c = hd_context_new(2);
    make_data();
    for (int order = AUTO; order <= LEFT_FIRST; order++) {
        test_kronecker(0, order);
        test_kronecker(SIGMOID, order);
    }
    test_orders();
    test_rank1_softmax();
    test_scale_symmetry();
    hd_data_free(matrices);
    hd_data_free(classes);
    hd_context_free(c);
    return check_result("layer_matrix_test");
}
