/* The matrix network as a whole, against the properties that its mathematics promises (MatNet, arXiv 1608.06588): gradients of the
 * three kinds of output with weight decay and KL sparsity, what KL sparsity does to a data set, unit-norm steps, autoencoders, and
 * L-BFGS under constraints. Products, orders and rank-1 softmax: layer_matrix_test.c. */
#include "layer_kit.h"

#include "kern/activation.h"

#ifdef HD_FLOAT64
static const double UNIT = 1e-12; /* relative, for what should be equal up to rounding */
#else
static const double UNIT = 2e-6;
#endif

enum { I = 6, J = 5, P = 4, Q = 3, K = 4, N = 24, MAX_FLAT = 512, HALF_SUM = 1 };
enum { CASE_REGRESSION = 1, CASE_RANK1 = 2, CASE_DENSE = 3 };

static hd_context *c;

/* Two columns of inputs (the same twice, or apart), matrix targets in (0, 1) or one-hot rows. `copies`: every row so often. */
static hd_data *make_data(int inputs, int target, int one_hot, int copies)
{
    hd_data *d = hd_data_new(c, N * copies);
    for (int i = 0; i < inputs; i++) {
        hd_real *x = kit_column(c, d, HD_COLUMN_INPUT, i, I * J);
        for (int copy = 0; copy < copies; copy++) {
            kit_fill(x + (size_t)copy * N * I * J, N * I * J, 3 + (unsigned)i);
        }
    }
    hd_real *y = kit_column(c, d, HD_COLUMN_TARGET, 0, target), noise[N * I * J];
    kit_fill(noise, N * (size_t)target, 9);
    for (int k = 0; k < N * copies * target; k++) {
        int row = k / target % N;
        y[k] = one_hot ? (k % target == row % target) : (hd_real)(0.5 + 0.4 * (double)noise[row * target + k % target]);
    }
    return d;
}

/* Hidden bilinear layer and output of one of the three cases. */
static hd_model *make_model(int kind, int activation)
{
    hd_model *m = hd_model_new(c);
    int x = hd_input(m, "x", (int[]){ I, J }, 2);
    int h = LAYER(m, "bilinear", "h", x, P, Q, activation);
    if (kind == CASE_REGRESSION) {
        LAYER(m, "bilinear", "y", h, 3, 2, HD_SIGMOID);
    } else if (kind == CASE_RANK1) {
        LAYER(m, "bilinearSoftmax", "y", h, K);
    } else {
        int f = hd_layer(m, "flatten", "f", &h, 1, NULL, 0);
        LAYER(m, "dense", "y", f, K, HD_SOFTMAX);
    }
    return m;
}

static void compile(hd_model *m, int kind)
{
    kit_must(c, hd_model_build(m, 5));
    const char *loss = kind == CASE_REGRESSION ? "meanSquaredError" : "categoricalCrossentropy";
    kit_must(c, hd_loss_add(m, 0, loss, 1, (double[]){ HALF_SUM }, kind == CASE_REGRESSION));
}

static hd_data *data_for(int kind, int copies)
{
    return make_data(1, kind == CASE_REGRESSION ? 6 : K, kind != CASE_REGRESSION, copies);
}

static double loss_of(hd_model *m, hd_data *d)
{
    double loss = NAN;
    kit_must(c, hd_weights_check(m));
    kit_must(c, hd_gradients(m, d, 0, hd_data_rows(d), 0, 0, &loss));
    return loss;
}

static size_t flat_gradient(hd_model *m, hd_real *g)
{
    size_t n = 0;
    for (int w = 0; w < hd_weight_count(m); w++) {
        size_t size = kit_size(m, hd_weight_name(m, w));
        memcpy(g + n, hd_weight_gradient(m, w), size * sizeof *g);
        n += size;
    }
    return n;
}

static void move(hd_model *m, const hd_real *direction, double step)
{
    for (int w = 0; w < hd_weight_count(m); w++) {
        size_t size = kit_size(m, hd_weight_name(m, w));
        for (size_t i = 0; i < size; i++) {
            hd_weight_data(m, w)[i] += (hd_real)(step * (double)direction[i]);
        }
        direction += size;
    }
}

/* 1: the slope along a direction is the gradient's; along each axis in float64, along random ones in float32. */
static void check_slopes(hd_model *m, hd_data *d)
{
    hd_real g[MAX_FLAT], v[MAX_FLAT];
    double scale = 0, h = sizeof(hd_real) == 8 ? 1e-6 : 5e-4;
    loss_of(m, d);
    int n = (int)flat_gradient(m, g);
    for (int i = 0; i < n; i++) {
        scale = fmax(scale, fabs((double)g[i]));
    }
    for (int k = 0; k < (sizeof(hd_real) == 8 ? n : 8); k++) {
        double slope = 0, length = 0;
        if (sizeof(hd_real) == 8) {
            memset(v, 0, sizeof v);
            v[k] = 1;
        } else {
            kit_fill(v, (size_t)n, 40 + (unsigned)k);
        }
        for (int i = 0; i < n; i++) {
            slope += (double)g[i] * (double)v[i];
            length += (double)v[i] * (double)v[i];
        }
        move(m, v, h);
        double up = loss_of(m, d);
        move(m, v, -2 * h);
        double numeric = (up - loss_of(m, d)) / (2 * h);
        move(m, v, h);
        NEAR(slope, numeric, (sizeof(hd_real) == 8 ? 1e-6 : 1e-2) * scale * sqrt(length));
    }
}

static void test_gradients(void)
{
    for (int kind = CASE_REGRESSION; kind <= CASE_DENSE; kind++) {
        hd_data *d = data_for(kind, 1);
        for (int act = HD_LINEAR; act < HD_SOFTMAX; act++) {
            if (act == HD_RELU6 && sizeof(hd_real) == 4) {
                continue; /* too many kinks for the wide steps of float32 */
            }
            hd_model *m = make_model(kind, act);
            for (int w = 0; w < hd_weight_count(m); w++) { /* weight decay on all but biases */
                const char *name = hd_weight_name(m, w);
                if (!strchr("Bb", name[2])) {
                    kit_must(c, hd_weight_set(m, name, "l2", (double[]){ 0.003 }, 1));
                }
            }
            if (act == HD_SIGMOID) {
                kit_must(c, hd_activity_set(m, "h", "klSparsity", (double[]){ 0.2, 0.05 }, 2));
            }
            compile(m, kind);
            check_slopes(m, d);
            hd_model_free(m);
        }
        hd_data_free(d);
    }
}

/* 5: the scores' gradients sum to 0 over the classes, so the biases' do; without weights all classes are equally likely. */
static void test_softmax(void)
{
    for (int kind = CASE_RANK1; kind <= CASE_DENSE; kind++) {
        hd_data *d = data_for(kind, 1);
        hd_model *m = make_model(kind, HD_TANH);
        compile(m, kind);
        loss_of(m, d);
        const hd_real *db = kit_gradient(m, kind == CASE_RANK1 ? "y/b" : "y/bias");
        double sum = 0, size = 0;
        for (int k = 0; k < K; k++) {
            sum += (double)db[k];
            size += fabs((double)db[k]);
        }
        CHECK(size > 1e-4);
        NEAR(sum, 0, UNIT * size);
        hd_real *u = kit_weight(m, kind == CASE_RANK1 ? "y/U" : "y/kernel");
        memset(u, 0, kit_size(m, kind == CASE_RANK1 ? "y/U" : "y/kernel") * sizeof *u);
        NEAR(loss_of(m, d), log(K), UNIT);
        hd_model_free(m);
        hd_data_free(d);
    }
}

static hd_model *sparse_model(double rho, double beta)
{
    hd_model *m = make_model(CASE_DENSE, HD_SIGMOID);
    kit_must(c, hd_activity_set(m, "h", "klSparsity", (double[]){ rho, beta }, 2));
    compile(m, CASE_DENSE);
    return m;
}

/* 7: where the mean activations are rho, KL sparsity adds nothing to loss and gradient; elsewhere it does. */
static void test_sparsity_at_rho(void)
{
    hd_data *d = data_for(CASE_DENSE, 1);
    hd_real without[MAX_FLAT], with[MAX_FLAT];
    double losses[2];
    for (int at_rho = 1; at_rho >= 0; at_rho--) {
        for (int on = 0; on < 2; on++) {
            hd_model *m = sparse_model(0.2, on ? 3 : 0);
            hd_real *u = kit_weight(m, "h/U"), *b = kit_weight(m, "h/B");
            memset(u, 0, kit_size(m, "h/U") * sizeof *u);
            for (int i = 0; i < P * Q; i++) {
                b[i] = (hd_real)log(at_rho ? 0.2 / 0.8 : 1);
            }
            losses[on] = loss_of(m, d);
            flat_gradient(m, on ? with : without);
            hd_model_free(m);
        }
        double difference = kit_difference(MAX_FLAT / 8, with, without);
        if (at_rho) {
            NEAR(losses[1], losses[0], UNIT);
            NEAR(difference, 0, 30 * UNIT);
        } else {
            CHECK(losses[1] > losses[0] + 1 && difference > 0.1);
        }
    }
    hd_data_free(d);
}

/* 7: the objective is a mean: every row twice changes neither loss nor gradient, penalties included. */
static void test_duplicates(void)
{
    hd_data *once = data_for(CASE_DENSE, 1), *twice = data_for(CASE_DENSE, 2);
    hd_model *m = sparse_model(0.1, 0.5);
    hd_real a[MAX_FLAT], b[MAX_FLAT];
    double loss = loss_of(m, once);
    size_t n = flat_gradient(m, a);
    NEAR(loss_of(m, twice), loss, 4 * UNIT * loss);
    flat_gradient(m, b);
    NEAR(kit_difference(n, b, a), 0, 4 * UNIT);
    hd_model_free(m);
    hd_data_free(once);
    hd_data_free(twice);
}

static const char *const kept[] = { "h/U", "h/V" };

/* Sum over the weights kept of | ||row|| - 1 |, and of |<row, g>| if g is asked for. */
static double off_sphere(hd_model *m, hd_real old[2][P * I], double *along)
{
    double worst = 0;
    for (int w = 0; w < 2; w++) {
        int cols = w ? J : I, rows = w ? Q : P;
        const hd_real *x = kit_weight(m, kept[w]), *g = along ? kit_gradient(m, kept[w]) : NULL;
        for (int r = 0; r < rows; r++) {
            double norm = 0, dot = 0;
            for (int k = r * cols; k < (r + 1) * cols; k++) {
                norm += (double)x[k] * (double)x[k];
                dot += g ? (double)g[k] * (double)old[w][k] : 0;
            }
            worst = fmax(worst, fabs(sqrt(norm) - 1));
            if (along) {
                *along = fmax(*along, fabs(dot));
            }
        }
    }
    return worst;
}

static hd_model *constrained_model(const char *optimizer, const double *options, int n)
{
    hd_model *m = make_model(CASE_DENSE, HD_SIGMOID);
    for (int w = 0; w < 2; w++) {
        kit_must(c, hd_weight_set(m, kept[w], "unitNorm", NULL, 0));
    }
    compile(m, CASE_DENSE);
    kit_must(c, hd_optimizer_set(m, optimizer, options, n));
    return m;
}

/* 8: after any step rows have norm 1, and the step was taken in the tangent space; small steps go down. */
static void test_unit_norm(void)
{
    static const struct {
        const char *name;
        double options[2];
    } optimizers[] = { { "sgd", { 0.5, 0 } }, { "sgd", { 0.3, 0.9 } }, { "adam", { 0.05, 0.9 } }, { "adamw", { 0.05, 0.9 } },
                       { "rmsprop", { 0.02, 0.9 } }, { "adadelta", { 1, 0.95 } } };
    hd_data *d = data_for(CASE_DENSE, 1);
    for (int o = 0; o < COUNT(optimizers); o++) {
        hd_model *m = constrained_model(optimizers[o].name, optimizers[o].options, 2);
        hd_real old[2][P * I];
        CHECK(off_sphere(m, old, NULL) <= 1e-6);
        hd_fit *f = hd_fit_new(m, d, 0, N, (double[]){ 7, 12 }, 2);
        for (int step = 0; step < 40; step++) {
            double along = 0;
            for (int w = 0; w < 2; w++) {
                memcpy(old[w], kit_weight(m, kept[w]), kit_size(m, kept[w]) * sizeof(hd_real));
            }
            kit_must(c, hd_fit_step(f, 1));
            CHECK(off_sphere(m, old, &along) <= 1e-6);
            CHECK(along <= 1e-6);
        }
        hd_fit_free(f);
        hd_model_free(m);
    }
    hd_model *m = constrained_model("sgd", (double[]){ 1e-2 }, 1);
    double before = loss_of(m, d);
    hd_fit *f = hd_fit_new(m, d, 0, N, (double[]){ N, 1 }, 2);
    kit_must(c, hd_fit_step(f, 1));
    hd_fit_free(f);
    CHECK(loss_of(m, d) < before);
    hd_model_free(m);
    hd_data_free(d);
}

/* Xh^1 = s(R s(sum_j U_j X_j V_j^T + B) S^T + C), with the sum drawn as a graph. */
static hd_model *autoencoder(int modalities)
{
    hd_model *m = hd_model_new(c);
    int x[2], sum[2], h;
    for (int j = 0; j < modalities; j++) {
        x[j] = hd_input(m, j ? "x1" : "x0", (int[]){ I, J }, 2);
    }
    for (int j = 0; j < modalities; j++) { /* the bias once */
        sum[j] = LAYER(m, "bilinear", j ? "e1" : "e0", x[j], P, Q, HD_LINEAR, 0, j == 0);
    }
    h = modalities > 1 ? hd_layer(m, "add", "sum", sum, 2, NULL, 0) : sum[0];
    h = LAYER(m, "activation", "h", h, HD_SIGMOID);
    LAYER(m, "bilinear", "out", h, I, J, HD_SIGMOID);
    kit_must(c, hd_activity_set(m, "h", "klSparsity", (double[]){ 0.05, 0.1 }, 2));
    compile(m, CASE_REGRESSION);
    return m;
}

static hd_model *two_layers(void)
{
    hd_model *m = hd_model_new(c);
    int x = hd_input(m, "x", (int[]){ I, J }, 2);
    int h = LAYER(m, "bilinear", "e0", x, P, Q, HD_SIGMOID);
    LAYER(m, "bilinear", "out", h, I, J, HD_SIGMOID);
    kit_must(c, hd_activity_set(m, "e0", "klSparsity", (double[]){ 0.05, 0.1 }, 2));
    compile(m, CASE_REGRESSION);
    return m;
}

/* 9: with one modality, or a second one whose weights are 0, the autoencoder is a two-layer network of case 1. */
static void test_autoencoder(void)
{
    static const char *const weights[] = { "e0/U", "e0/V", "e0/B", "out/U", "out/V", "out/B" };
    hd_data *d = make_data(2, I * J, 0, 1);
    hd_model *net = two_layers();
    double loss = loss_of(net, d);
    for (int modalities = 1; modalities <= 2; modalities++) {
        hd_model *m = autoencoder(modalities);
        if (modalities == 2) {
            check_slopes(m, d);
            memset(kit_weight(m, "e1/U"), 0, kit_size(m, "e1/U") * sizeof(hd_real));
        }
        for (int w = 0; w < COUNT(weights); w++) {
            memcpy(kit_weight(m, weights[w]), kit_weight(net, weights[w]), kit_size(net, weights[w]) * sizeof(hd_real));
        }
        NEAR(loss_of(m, d), loss, UNIT * loss);
        for (int w = 0; w < COUNT(weights); w++) {
            NEAR(kit_difference(kit_size(net, weights[w]), kit_gradient(m, weights[w]), kit_gradient(net, weights[w])), 0,
                 10 * UNIT);
        }
        hd_model_free(m);
    }
    hd_model_free(net);
    hd_data_free(d);
}

/* Trains a sparse, decayed, constrained network by L-BFGS; the loss after each iterate to `losses`. Returns how many. */
static int run_lbfgs(hd_data *d, int batch, double *losses, int most)
{
    hd_model *m = make_model(CASE_DENSE, HD_SIGMOID);
    for (int w = 0; w < 2; w++) {
        kit_must(c, hd_weight_set(m, kept[w], "unitNorm", NULL, 0));
    }
    kit_must(c, hd_weight_set(m, "y/kernel", "l2", (double[]){ 0.01 }, 1));
    kit_must(c, hd_activity_set(m, "h", "klSparsity", (double[]){ 0.3, 0.02 }, 2));
    compile(m, CASE_DENSE);
    kit_must(c, hd_optimizer_set(m, "lbfgs", NULL, 0));
    hd_fit *f = hd_fit_new(m, d, 0, N, (double[]){ batch, most }, 2);
    int n = 0;
    while (!hd_fit_done(f)) {
        kit_must(c, hd_fit_step(f, 1));
        if (hd_fit_stat(f, HD_FIT_EPOCH) > n) {
            losses[n++] = hd_fit_stat(f, HD_FIT_LOSS);
        }
    }
    hd_fit_free(f);
    CHECK(off_sphere(m, NULL, NULL) <= 1e-6);
    NEAR(loss_of(m, d), losses[n - 1], 4 * UNIT * losses[n - 1]); /* the weights are those of the last loss told */
    hd_model_free(m);
    return n;
}

/* A5: the loss falls from iterate to iterate, and does not depend on how the full batch is cut. */
static void test_lbfgs(void)
{
    enum { MOST = 60 };
    double whole[MOST], pieces[MOST];
    hd_data *d = data_for(CASE_DENSE, 1);
    int n = run_lbfgs(d, N, whole, MOST), k = run_lbfgs(d, 7, pieces, MOST);
    CHECK(n > 10 && k > 10);
    for (int i = 1; i < n; i++) {
        CHECK(whole[i] <= whole[i - 1]);
    }
    for (int i = 0; i < 5; i++) {
        NEAR(pieces[i], whole[i], 1e-4 * whole[i]);
    }
    CHECK(whole[n - 1] < 0.8 * whole[0]);
    hd_data_free(d);
}

int main(void)
{
    c = hd_context_new(2);
    double before = hd_context_memory(c, 0);
    test_gradients();
    test_softmax();
    test_sparsity_at_rho();
    test_duplicates();
    test_unit_norm();
    test_autoencoder();
    test_lbfgs();
    CHECK(hd_context_memory(c, 0) == before);
    hd_context_free(c);
    return check_result("matnet");
}
