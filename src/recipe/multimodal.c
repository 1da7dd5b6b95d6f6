/* The multimodal matrix autoencoder: Gao, Guo, Wang, "Matrix neural networks" (2016), multimodal autoencoders and super-resolution. Matrices
 * X_j of any sizes, j = 1..D, meet in one hidden matrix and are decoded from it:
 *     H = s(sum_j U_j X_j V_j^T + B),   Xh_j = s_o(R_j H S_j^T + C_j).
 * Further hidden matrices form a chain between the two, each H' = s(U H V^T + B). */
#include "base/format.h"
#include "recipe/recipe.h"

enum { MODALITIES, HIDDEN, OUTPUTS, ACTIVATION, OUTPUT_ACTIVATION, WEIGHT_DECAY, RHO, BETA };
enum { MOST = 16, NAME = 32 };

static const char *const activations[] = { "sigmoid", "tanh", "relu", "linear", NULL };
static const char *const output_activations[] = { "linear", "sigmoid", NULL };

static const hd_option options[] = {
    { .name = "modalities", .type = HD_INTS, .group = 2, .min = 1, .max = 65536,
      .doc = "rows and columns of each input matrix, which are the inputs modality1, modality2, ...; at most 16; five of [15, 15] if empty" },
    { .name = "hidden", .type = HD_INTS, .group = 2, .min = 1, .max = 65536,
      .doc = "rows and columns of the hidden matrices in a chain, hidden1, hidden2, ...: all encoders meet in the first, all decoders "
             "read the last; [10, 10] if empty" },
    { .name = "outputs", .type = HD_INTS, .min = 1, .max = MOST,
      .doc = "numbers of the modalities that are decoded, ascending from 1; all if empty" },
    { .name = "activation", .type = HD_ENUM, .names = activations, .doc = "of the hidden matrices" },
    { .name = "outputActivation", .type = HD_ENUM, .names = output_activations,
      .doc = "of the decoders; sigmoid, as the paper has it, needs targets in 0..1" },
    { .name = "weightDecay", .type = HD_NUMBER, .min = 0, .max = 1e9,
      .doc = "factor on the sum of squares of all weights but biases (MatNet Eq. 3.1)" },
    { .name = "rho", .type = HD_NUMBER, .min = 0, .max = 1, .open_min = true, .open_max = true, .def = 0.05,
      .doc = "mean activation that the hidden elements should have, where beta is above 0" },
    { .name = "beta", .type = HD_NUMBER, .min = 0, .max = 1e9,
      .doc = "factor on the hidden elements' divergence from rho (KL sparsity, MatNet 3.2); needs activation sigmoid" },
    { 0 },
};

typedef struct size {
    int rows, cols;
} size;

/* A list of pairs, or `count` times the default. */
static int pairs(hd_recipe_build *b, int option, const char *name, size standard, int count, size out[MOST])
{
    const int given = (int)b->opt->number[option] / 2, n = given ? given : count;
    if (n > MOST) {
        b->status = hd_fail(b->c, HD_ERR_ARGUMENT, "%s: %s has %d pairs, expected 1..%d", b->path, name, n, MOST);
        return 0;
    }
    const double *list = &b->opt->list[b->opt->start[option]];
    for (int i = 0; i < n; i++) {
        out[i] = given ? (size){ (int)list[2 * i], (int)list[2 * i + 1] } : standard;
    }
    return n;
}

/* Which modalities are decoded, from 1. */
static int chosen(hd_recipe_build *b, int modalities, int out[MOST])
{
    const int given = (int)b->opt->number[OUTPUTS], n = given ? given : modalities;
    const double *list = &b->opt->list[b->opt->start[OUTPUTS]];
    for (int i = 0; i < n && !b->status; i++) {
        const int least = i ? out[i - 1] + 1 : 1, number = given ? (int)list[i] : i + 1;
        if (number < least || number > modalities) {
            b->status = hd_fail(b->c, HD_ERR_ARGUMENT, "%s: outputs[%d] = %d, expected %d..%d: ascending numbers of the %d modalities",
                                b->path, i, number, least, modalities, modalities);
            return 0;
        }
        out[i] = number;
    }
    return n;
}

/* The layer `prefix``number`; weights U, V and, with a bias, B. */
static int bilinear(hd_recipe_build *b, int x, const char *prefix, int number, size to, const char *activation, bool bias)
{
    char name[NAME];
    hd_format(name, sizeof name, "%s%d", prefix, number);
    const int node = hd_recipe_layer(b, "bilinear", name, &x, 1,
                                     (hd_setting[]){ { "rows", .value = { to.rows } }, { "cols", .value = { to.cols } },
                                                     { "activation", .text = activation }, { "useBias", .value = { bias } }, { 0 } });
    for (int i = 0; i < 2 && !b->status && b->opt->number[WEIGHT_DECAY] > 0; i++) {
        char weight[NAME + 2];
        hd_format(weight, sizeof weight, "%s/%s", name, i ? "V" : "U");
        b->status = hd_weight_set(b->m, weight, "l2", &b->opt->number[WEIGHT_DECAY], 1);
    }
    return node;
}

static void sparsity(hd_recipe_build *b, const char *layer)
{
    if (!b->status && b->opt->number[BETA] > 0) {
        b->status = hd_activity_set(b->m, layer, "klSparsity", (double[]){ b->opt->number[RHO], b->opt->number[BETA] }, 2);
    }
}

/* s(sum_j U_j X_j V_j^T + B). One bias is enough: only the first encoder has it. */
static int meet(hd_recipe_build *b, const size *modality, int n, size hidden, const char *activation)
{
    int x[MOST];
    for (int j = 0; j < n && !b->status; j++) {
        char name[NAME];
        hd_format(name, sizeof name, "modality%d", j + 1);
        x[j] = hd_input(b->m, name, (int[]){ modality[j].rows, modality[j].cols }, 2);
        b->status = x[j] < 0 ? hd_error_status(b->c) : HD_OK;
    }
    for (int j = 0; j < n && !b->status; j++) {
        x[j] = bilinear(b, x[j], "encoder", j + 1, hidden, "linear", j == 0);
    }
    const hd_setting set[] = { { "activation", .text = activation }, { 0 } };
    return b->status ? -1 : hd_recipe_layer(b, n > 1 ? "add" : "activation", "hidden1", x, n, set);
}

/* Outputs: decoder1, decoder2, ... of the chosen modalities, with R_j as its U and S_j as its V. */
static int build(hd_recipe_build *b)
{
    size modality[MOST], hidden[MOST];
    int output[MOST];
    const int n = pairs(b, MODALITIES, "modalities", (size){ 15, 15 }, 5, modality);
    const int depth = b->status ? 0 : pairs(b, HIDDEN, "hidden", (size){ 10, 10 }, 1, hidden);
    const int decoded = b->status ? 0 : chosen(b, n, output);
    if (b->status) {
        return -1;
    }
    const char *activation = activations[(int)b->opt->number[ACTIVATION]];
    int x = meet(b, modality, n, hidden[0], activation);
    sparsity(b, "hidden1");
    for (int l = 1; l < depth && !b->status; l++) {
        char name[NAME];
        x = bilinear(b, x, "hidden", l + 1, hidden[l], activation, true);
        hd_format(name, sizeof name, "hidden%d", l + 1);
        sparsity(b, name);
    }
    int node = -1;
    for (int i = 0; i < decoded && !b->status; i++) {
        node = bilinear(b, x, "decoder", output[i], modality[output[i] - 1], output_activations[(int)b->opt->number[OUTPUT_ACTIVATION]], true);
        if (!b->status && i < decoded - 1) {
            b->status = hd_output(b->m, node);
        }
    }
    return node;
}

const hd_recipe_class hd_recipe_multimodal_autoencoder = {
    "multimodalAutoencoder", "matrices of several kinds encoded to one hidden matrix and decoded from it; outputs decoder1, decoder2, ...",
    options, build
};
