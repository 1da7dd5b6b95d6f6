/* Increasing functions of one quality score, as networks with positive weights, and a shared regressor with one such function
 * for each data set. */
#include "base/format.h"
#include "kern/positive.h"
#include "recipe/recipe.h"

enum { NAME = 32 };

static const char *const activations[] = { "elu", "mixed", "tanh", NULL };

#define TRANSFORMER_OPTIONS                                                                                            \
    { .name = "widths", .type = HD_INTS, .min = 1, .max = 1024, .doc = "units of the hidden layers; [10, 20, 20, 10] if empty" }, \
    { .name = "activation", .type = HD_ENUM, .names = activations,                                                     \
      .doc = "of the hidden layers; elu alone makes convex functions only, mixed (elu and its mirror image) and tanh any" }, \
    { .name = "skip", .type = HD_BOOL,                                                                                 \
      .doc = "adds a small positive multiple of the score, so that the slope has a floor where activations saturate" }, \
    { .name = "parametrization", .type = HD_ENUM, .names = hd_positive_names, .doc = "of the positive weights, as in monotonicDense" }, \
    { .name = "minimum", .type = HD_NUMBER, .min = 0, .max = 1, .def = 1e-6, .doc = "floor of the weights" }

/* Where these options begin in a table. */
enum { WIDTHS, T_ACTIVATION, SKIP, PARAMETRIZATION, MINIMUM, COMPAT };

typedef struct transformer {
    int first; /* position of the first of its options */
    const char *prefix; /* of node names */
    bool compat;
} transformer;

static double option_of(const hd_recipe_build *b, const transformer *t, int option)
{
    return b->opt->number[t->first + option];
}

static int positive_layer(hd_recipe_build *b, const transformer *t, int x, const char *name, hd_setting units, hd_setting own)
{
    char full[NAME];
    hd_format(full, sizeof full, "%s%s", t->prefix, name);
    const char *kind = t->compat ? "abs" : hd_positive_names[(int)option_of(b, t, PARAMETRIZATION)];
    hd_setting set[] = { units, { "parametrization", .text = kind }, { "minimum", .value = { t->compat ? 0 : option_of(b, t, MINIMUM) } },
                         { "useBias", .value = { !t->compat } }, own, { 0 }, { 0 } };
    return hd_recipe_layer(b, "monotonicDense", full, &x, 1, set);
}

/* q + its hidden layers + one unit, and the skip. */
static int add_transformer(hd_recipe_build *b, const transformer *t, int q)
{
    static const double published[] = { 10, 20, 20, 10 };
    const int given = (int)option_of(b, t, WIDTHS), n = given ? given : 4;
    const double *widths = given ? &b->opt->list[b->opt->start[t->first + WIDTHS]] : published;
    int x = q;
    for (int i = 0; i < n; i++) {
        char name[NAME];
        hd_format(name, sizeof name, "hidden%d", i + 1);
        x = positive_layer(b, t, x, name, (hd_setting){ "units", .value = { widths[i] } },
                           (hd_setting){ "activation", .text = activations[(int)option_of(b, t, T_ACTIVATION)] });
    }
    x = positive_layer(b, t, x, "output", (hd_setting){ "units", .value = { 1 } }, (hd_setting){ "biasSpread", .value = { 0 } });
    if (!option_of(b, t, SKIP)) {
        return x;
    }
    /* The skip has no bias; log(1 + exp(-5)) is what it begins with. */
    char name[NAME];
    hd_format(name, sizeof name, "%sskip", t->prefix);
    const char *kind = hd_positive_names[(int)option_of(b, t, PARAMETRIZATION)];
    int skip = hd_recipe_layer(b, "monotonicDense", name, &q, 1,
                               (hd_setting[]){ { "units", .value = { 1 } },
                                               { "useBias", .value = { 0 } },
                                               { "parametrization", .text = kind },
                                               { "minimum", .value = { option_of(b, t, MINIMUM) } },
                                               { "gain", .value = { 0.0067153 } },
                                               { 0 } });
    hd_format(name, sizeof name, "%ssum", t->prefix);
    return hd_recipe_add(b, x, skip, name, NULL);
}

static int input(hd_recipe_build *b, const char *name, const int *dims, int rank)
{
    int x = hd_input(b->m, name, dims, rank);
    b->status = x < 0 ? hd_error_status(b->c) : HD_OK;
    return x;
}

static const hd_option transformer_options[] = {
    TRANSFORMER_OPTIONS,
    { .name = "compat", .type = HD_BOOL,
      .doc = "as in the authors' code: |v| without a floor, no biases, so that the function is linear for scores above 0" },
    { 0 },
};

static int monotonic_transformer(hd_recipe_build *b)
{
    const transformer t = { WIDTHS, "", b->opt->number[COMPAT] != 0 };
    const bool plain = !b->opt->number[SKIP] && !b->opt->number[T_ACTIVATION] &&
                       (b->opt->number[PARAMETRIZATION] == HD_POSITIVE_SOFTPLUS || b->opt->number[PARAMETRIZATION] == HD_POSITIVE_ABS);
    if (t.compat && !plain) {
        b->status = hd_fail(b->c, HD_ERR_ARGUMENT, "%s: compat has activation elu, parametrization abs and no skip", b->path);
        return -1;
    }
    return add_transformer(b, &t, input(b, "score", (int[]){ 1 }, 1));
}

const hd_recipe_class hd_recipe_monotonic_transformer = {
    "monotonicTransformer", "increasing function of one score: dense layers with positive weights (881 parameters)",
    transformer_options, monotonic_transformer
};

/* --- one regressor for several data sets --- */

enum { FEATURES, SETS, HIDDEN, STANDARDIZE, OWN_TRANSFORMER };

static const hd_option mixed_options[] = {
    { .name = "features", .type = HD_INT, .min = 1, .max = 65536, .def = 512, .doc = "elements of an image's feature vector" },
    { .name = "sets", .type = HD_INT, .min = 1, .max = 15, .def = 2, .doc = "data sets, each with its own scale of ratings" },
    { .name = "hidden", .type = HD_INTS, .min = 1, .max = 65536, .doc = "units of the regressor's ReLU layers; [512, 64] if empty" },
    { .name = "standardize", .type = HD_BOOL, .def = 1,
      .doc = "the common scale has mean 0 and deviation 1 over the training images: regressor and transformers together fix "
             "it only up to an increasing function" },
    TRANSFORMER_OPTIONS,
    { 0 },
};

/* Of a sample's scores [sets, 1] that of one set. */
static int score_of(hd_recipe_build *b, int rows, int set, int sets, const char *prefix)
{
    char name[NAME];
    hd_format(name, sizeof name, "%srow", prefix);
    int x = hd_recipe_layer(b, "crop2d", name, &rows, 1,
                            (hd_setting[]){ { "cropping", .n = 4, .value = { set, sets - 1 - set, 0, 0 } }, { 0 } });
    hd_format(name, sizeof name, "%sscore", prefix);
    return hd_recipe_plain(b, x, "flatten", name);
}

/* A sample is a tuple with one image of each set, [sets, features]: a dense layer applies to every row, so all sets share
 * the regressor. Output i reads row i. */
static int mixed_dataset(hd_recipe_build *b)
{
    static const double usual[] = { 512, 64 };
    const double *opt = b->opt->number;
    const int sets = (int)opt[SETS], given = (int)opt[HIDDEN], n = given ? given : 2;
    const double *hidden = given ? &b->opt->list[b->opt->start[HIDDEN]] : usual;
    int x = input(b, "features", (int[]){ sets, (int)opt[FEATURES] }, 2);
    for (int i = 0; i < n; i++) {
        char name[NAME];
        hd_format(name, sizeof name, "regressor%d", i + 1);
        x = hd_recipe_dense(b, x, name, (int)hidden[i], "relu");
    }
    x = hd_recipe_dense(b, x, opt[STANDARDIZE] ? "regressor" : "quality", 1, NULL);
    if (opt[STANDARDIZE]) {
        x = hd_recipe_layer(b, "batchNorm", "quality", &x, 1,
                            (hd_setting[]){ { "convention", .text = "pytorch" },
                                            { "center", .value = { 0 } },
                                            { "scale", .value = { 0 } },
                                            { 0 } });
    }
    int rows = hd_recipe_layer(b, "reshape", "rows", &x, 1,
                               (hd_setting[]){ { "shape", .n = 3, .value = { sets, 1, 1 } }, { 0 } });
    for (int i = 0; i < sets; i++) {
        char prefix[NAME];
        hd_format(prefix, sizeof prefix, "set%d.", i);
        const transformer t = { OWN_TRANSFORMER, prefix, false };
        x = add_transformer(b, &t, score_of(b, rows, i, sets, prefix));
        if (!b->status && i < sets - 1) {
            b->status = hd_output(b->m, x);
        }
    }
    return x;
}

const hd_recipe_class hd_recipe_mixed_dataset = {
    "mixedDataset", "one regressor on feature vectors, shared by data sets with an increasing function for each one's scale",
    mixed_options, mixed_dataset
};
