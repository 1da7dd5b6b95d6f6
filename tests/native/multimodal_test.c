/* The multimodal matrix autoencoder as a recipe: what it is made of, its gradients with weight decay and KL sparsity, the laws of its
 * objective, and that one modality makes it a two-layer matrix network. */
#include "layer_kit.h"

#include <stdbool.h>

#ifdef HD_FLOAT64
static const double UNIT = 1e-12; /* relative, for what should be equal up to rounding */
#else
static const double UNIT = 2e-6;
#endif

enum { N = 12, MOST = 512 };
static const int shapes[3][2] = { { 4, 3 }, { 2, 5 }, { 3, 3 } };

static hd_context *c;

static hd_model *make(const double *options, int n)
{
    hd_model *m = hd_model_new(c);
    kit_must(c, hd_recipe(m, "multimodalAutoencoder", options, n));
    return m;
}

/* Modalities 4x3, 2x5, 3x3, hidden 3x2 and 2x2, decoders of 1 and 3. activation, output activation, weight decay, rho, beta follow. */
#define SMALL(decay, beta) { 6, 4, 3, 2, 5, 3, 3, 4, 3, 2, 2, 2, 2, 1, 3, 0, 1, decay, 0.2, beta }

static hd_data *make_data(int inputs, int copies, const int *outputs, int n_outputs)
{
    hd_data *d = hd_data_new(c, N * copies);
    for (int i = 0; i < inputs + n_outputs; i++) {
        const int of = i < inputs ? i : outputs[i - inputs], size = shapes[of][0] * shapes[of][1];
        hd_real *x = kit_column(c, d, i < inputs ? HD_COLUMN_INPUT : HD_COLUMN_TARGET, i < inputs ? i : i - inputs, size);
        for (int copy = 0; copy < copies; copy++) {
            hd_real *to = x + (size_t)copy * N * (size_t)size;
            kit_fill(to, N * (size_t)size, 3 + (unsigned)i);
            for (int k = 0; i >= inputs && k < N * size; k++) {
                to[k] = (hd_real)(0.5 + 0.4 * (double)to[k]);
            }
        }
    }
    return d;
}

static void compile(hd_model *m)
{
    kit_must(c, hd_model_build(m, 5));
    for (int i = 0; i < hd_output_count(m); i++) {
        kit_must(c, hd_loss_add(m, i, "meanSquaredError", 1, (double[]){ 1 }, 1)); /* 1 / 2N sum of squares */
    }
}

static double loss_of(hd_model *m, hd_data *d)
{
    double loss = NAN;
    kit_must(c, hd_weights_check(m));
    kit_must(c, hd_gradients(m, d, 0, hd_data_rows(d), 0, 0, &loss));
    return loss;
}

static int flat_gradient(hd_model *m, hd_real g[MOST])
{
    size_t n = 0;
    for (int w = 0; w < hd_weight_count(m); w++) {
        const size_t size = kit_size(m, hd_weight_name(m, w));
        memcpy(g + n, hd_weight_gradient(m, w), size * sizeof *g);
        n += size;
    }
    return (int)n;
}

static bool has(const hd_model *m, const char *node, int rows, int cols)
{
    int dims[6] = { 0 };
    return hd_node_shape(m, hd_node_find(m, node), dims) == 2 && dims[0] == rows && dims[1] == cols;
}

static void test_structure(void)
{
    hd_model *m = make((double[])SMALL(0.01, 0.1), 20);
    CHECK(hd_input_count(m) == 3 && hd_output_count(m) == 2);
    CHECK(has(m, "modality2", 2, 5) && has(m, "encoder3", 3, 2) && has(m, "hidden1", 3, 2) && has(m, "hidden2", 2, 2));
    CHECK(has(m, "decoder1", 4, 3) && hd_node_find(m, "decoder2") < 0 && has(m, "decoder3", 3, 3));
    CHECK(hd_output_node(m, 0) == hd_node_find(m, "decoder1") && hd_output_node(m, 1) == hd_node_find(m, "decoder3"));
    int biases = 0;
    for (int w = 0; w < hd_weight_count(m); w++) {
        const char *kind = strchr(hd_weight_name(m, w), '/') + 1, *penalty = hd_weight_regularizer(m, w);
        double amount[80] = { 0 };
        biases += *kind == 'B';
        CHECK(!strcmp(penalty, *kind == 'B' ? "" : "l2"));
        CHECK(hd_weight_regularizer_options(m, w, amount) == (*kind == 'B' ? 0 : 1) && amount[0] == (*kind == 'B' ? 0 : 0.01));
    }
    CHECK(biases == 4 && hd_weight_count(m) == 16); /* encoder1, hidden2 and both decoders have one */
    double values[80];
    CHECK(!strcmp(hd_node_activity(m, hd_node_find(m, "hidden1")), "klSparsity") && !strcmp(hd_node_activity(m, hd_node_find(m, "decoder1")), ""));
    CHECK(hd_node_activity_options(m, hd_node_find(m, "hidden2"), values) == 3 && values[0] == 0.2 && values[1] == 0.1);
    CHECK(!strcmp(hd_node_activity(m, -1), "") && !strcmp(hd_weight_regularizer(m, 99), ""));
    hd_model_free(m);
    m = make(NULL, 0); /* the paper's */
    CHECK(hd_input_count(m) == 5 && hd_output_count(m) == 5 && has(m, "hidden1", 10, 10) && has(m, "decoder5", 15, 15));
    CHECK(!strcmp(hd_node_activity(m, hd_node_find(m, "hidden1")), "") && !strcmp(hd_weight_regularizer(m, 0), ""));
    hd_model_free(m);
}

/* Slopes of the loss along each weight (float64), or along random directions (float32), are the gradient's. */
static void test_gradients(void)
{
    hd_model *m = make((double[])SMALL(0.01, 0.1), 20);
    hd_data *d = make_data(3, 1, (int[]){ 0, 2 }, 2);
    hd_real g[MOST];
    double scale = 0;
    const double h = sizeof(hd_real) == 8 ? 1e-6 : 2e-3;
    compile(m);
    loss_of(m, d);
    const int n = flat_gradient(m, g);
    for (int i = 0; i < n; i++) {
        scale = fmax(scale, fabs((double)g[i]));
    }
    for (int w = 0, at = 0; w < hd_weight_count(m); w++) {
        hd_real *weight = hd_weight_data(m, w);
        for (int i = 0; i < (int)kit_size(m, hd_weight_name(m, w)); i++, at++) {
            const hd_real old = weight[i];
            weight[i] = (hd_real)((double)old + h);
            const double up = loss_of(m, d);
            weight[i] = (hd_real)((double)old - h);
            const double slope = (up - loss_of(m, d)) / (2 * h);
            weight[i] = old;
            NEAR(slope, g[at], (sizeof(hd_real) == 8 ? 1e-6 : 1e-2) * scale);
        }
    }
    hd_model_free(m);
    hd_data_free(d);
}

/* Property 7: the objective is a mean, so every row twice changes nothing; sparsity and decay are part of it. */
static void test_objective(void)
{
    hd_data *once = make_data(3, 1, (int[]){ 0, 2 }, 2), *twice = make_data(3, 2, (int[]){ 0, 2 }, 2);
    hd_real a[MOST], b[MOST];
    double loss[4];
    for (int k = 0; k < 4; k++) {
        const double options[] = SMALL(k & 1 ? 0.01 : 0, k & 2 ? 0.1 : 0);
        hd_model *m = make(options, COUNT(options));
        compile(m);
        loss[k] = loss_of(m, once);
        const int n = flat_gradient(m, a);
        NEAR(loss_of(m, twice), loss[k], 4 * UNIT * loss[k]);
        flat_gradient(m, b);
        NEAR(kit_difference((size_t)n, b, a), 0, 10 * UNIT);
        double squares = 0;
        for (int w = 0; w < hd_weight_count(m); w++) {
            const hd_real *x = hd_weight_data(m, w);
            for (size_t i = 0; *(strchr(hd_weight_name(m, w), '/') + 1) != 'B' && i < kit_size(m, hd_weight_name(m, w)); i++) {
                squares += (double)x[i] * (double)x[i];
            }
        }
        if (k & 1) {
            NEAR(loss[k] - loss[k - 1], 0.01 * squares, 1e-5 * loss[k]);
        }
        hd_model_free(m);
    }
    CHECK(loss[2] > loss[0] && loss[3] > loss[2]);
    hd_data_free(once);
    hd_data_free(twice);
}

/* Property 9: with one modality it is s_o(R s(U X V^T + B) S^T + C). */
static void test_one_modality(void)
{
    static const char *const pairs[][2] = { { "encoder1/U", "h/U" }, { "encoder1/V", "h/V" }, { "encoder1/B", "h/B" },
                                            { "decoder1/U", "y/U" }, { "decoder1/V", "y/V" }, { "decoder1/B", "y/B" } };
    hd_model *m = make((double[]){ 2, 4, 3, 2, 3, 2, 0, 0, 1, 0, 0.2, 0.1 }, 12), *net = hd_model_new(c);
    const int x = hd_input(net, "x", shapes[0], 2), h = LAYER(net, "bilinear", "h", x, 3, 2, 1); /* sigmoid */
    LAYER(net, "bilinear", "y", h, 4, 3, 1);
    kit_must(c, hd_activity_set(net, "h", "klSparsity", (double[]){ 0.2, 0.1 }, 2));
    hd_data *d = make_data(1, 1, (int[]){ 0 }, 1);
    compile(m);
    compile(net);
    for (int w = 0; w < COUNT(pairs); w++) {
        memcpy(kit_weight(m, pairs[w][0]), kit_weight(net, pairs[w][1]), kit_size(net, pairs[w][1]) * sizeof(hd_real));
    }
    const double loss = loss_of(net, d);
    NEAR(loss_of(m, d), loss, UNIT * loss);
    for (int w = 0; w < COUNT(pairs); w++) {
        NEAR(kit_difference(kit_size(net, pairs[w][1]), kit_gradient(m, pairs[w][0]), kit_gradient(net, pairs[w][1])), 0, 10 * UNIT);
    }
    hd_model_free(net);
    hd_model_free(m);
    hd_data_free(d);
}

/* L-BFGS takes the exact full-batch means: its loss falls and is that of all rows. Constraints are set by the weights' names. */
static void test_training(void)
{
    hd_model *m = make((double[])SMALL(1e-4, 0.01), 20);
    hd_data *d = make_data(3, 1, (int[]){ 0, 2 }, 2);
    kit_must(c, hd_weight_set(m, "encoder2/V", "unitNorm", NULL, 0));
    compile(m);
    kit_must(c, hd_optimizer_set(m, "lbfgs", NULL, 0));
    const double first = loss_of(m, d);
    double last = first;
    hd_fit *f = hd_fit_new(m, d, 0, N, (double[]){ 5, 30 }, 2);
    for (int epoch = 0; !hd_fit_done(f);) {
        kit_must(c, hd_fit_step(f, 1));
        if (hd_fit_stat(f, HD_FIT_EPOCH) > epoch) {
            epoch++;
            CHECK(hd_fit_stat(f, HD_FIT_LOSS) <= last);
            last = hd_fit_stat(f, HD_FIT_LOSS);
        }
    }
    hd_fit_free(f);
    CHECK(last < 0.7 * first);
    NEAR(loss_of(m, d), last, 10 * UNIT * last);
    const hd_real *v = kit_weight(m, "encoder2/V");
    double norm = 0;
    for (int i = 0; i < 5; i++) {
        norm += (double)v[i] * (double)v[i];
    }
    NEAR(norm, 1, 1e-5);
    hd_model_free(m);
    hd_data_free(d);
}

static void refused(const double *options, int n, hd_status status, const char *text)
{
    hd_model *m = hd_model_new(c);
    CHECK(hd_recipe(m, "multimodalAutoencoder", options, n) == status);
    if (!strstr(hd_error(c), text)) {
        printf("%s\n", hd_error(c));
    }
    CHECK(strstr(hd_error(c), text) != NULL && hd_node_count(m) == 0);
    hd_model_free(m);
}

static void test_refusals(void)
{
    refused((double[]){ 3, 4, 3, 2 }, 4, HD_ERR_ARGUMENT, "modalities has 3 values, expected groups of 2");
    refused((double[]){ 2, 4, 0 }, 3, HD_ERR_ARGUMENT, "modalities = 0, expected an integer 1..65536");
    refused((double[]){ 2, 4, 3, 0, 1, 2 }, 6, HD_ERR_ARGUMENT, "outputs[0] = 2, expected 1..1");
    refused((double[]){ 4, 4, 3, 4, 3, 0, 2, 2, 1 }, 9, HD_ERR_ARGUMENT, "outputs[1] = 1, expected 3..2: ascending");
    double many[36] = { 34 };
    for (int i = 1; i < 35; i++) {
        many[i] = 2;
    }
    refused(many, 35, HD_ERR_ARGUMENT, "modalities has 17 pairs, expected 1..16");
    refused((double[]){ 0, 0, 0, 1, 0, 0, 0.05, 1 }, 8, HD_ERR_UNSUPPORTED, "klSparsity needs activations in (0, 1)");
}

int main(void)
{
    c = hd_context_new(2);
    const double before = hd_context_memory(c, 0);
    test_structure();
    test_gradients();
    test_objective();
    test_one_modality();
    test_training();
    test_refusals();
    CHECK(hd_context_memory(c, 0) == before);
    hd_context_free(c);
    return check_result("multimodal");
}
