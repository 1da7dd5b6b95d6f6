/* The part of an image-quality model that follows its backbone: Li, Jiang, Jiang, "Norm-in-Norm loss with faster convergence
 * and better performance for image quality assessment" (ACM Multimedia 2020), the LinearityIQA model. The pooled features of
 * each level go through an encoder; every encoder has an auxiliary head, and the main head reads all of them. */
#include "base/format.h"
#include "recipe/recipe.h"

enum { LEVELS, ENCODER, RELU_EACH, NORMALIZE_END };
enum { MAX_LEVELS = 8, NAME = 32 };

static const hd_option options[] = {
    { .name = "levels", .type = HD_INTS, .min = 1, .max = 1 << 20,
      .doc = "features of each level, which are the inputs level1, level2, ...; at most 8; [256, 512] if empty" },
    { .name = "encoder", .type = HD_INTS, .min = 1, .max = 65536,
      .doc = "units of a level's dense layers, each followed by batch normalisation; [1024, 256, 64] if empty" },
    { .name = "reluEach", .type = HD_BOOL,
      .doc = "a ReLU after each batch normalisation, as the paper has it; else after the last alone, as the published code" },
    { .name = "normalizeEnd", .type = HD_BOOL,
      .doc = "batch normalisation of each head's output, for the comparison with squared errors of normalised scores" },
    { 0 },
};

/* A list's values, or the default's. */
static int list_of(const hd_recipe_build *b, int option, const int *standard, int n_standard, int out[HD_MAX_LIST])
{
    int n = (int)b->opt->number[option];
    for (int i = 0; i < (n ? n : n_standard); i++) {
        out[i] = n ? (int)b->opt->list[b->opt->start[option] + i] : standard[i];
    }
    return n ? n : n_standard;
}

/* A dense layer with PyTorch's first values: kernel and bias uniform in +-1 / sqrt(fan in). */
static int dense(hd_recipe_build *b, int x, const char *name, int units)
{
    static const char *const weights[] = { "kernel", "bias" };
    static const double uniform[] = { 0, 0.57735026918962576 }; /* distribution, gain: deviation 1 / sqrt(3 fan in) */
    x = hd_recipe_dense(b, x, name, units, NULL);
    for (int i = 0; i < 2 && !b->status; i++) {
        char weight[NAME + 8];
        hd_format(weight, sizeof weight, "%s/%s", name, weights[i]);
        b->status = hd_weight_set(b->m, weight, "lecun", uniform, 2);
    }
    return x;
}

static int encoder(hd_recipe_build *b, int x, int level)
{
    int units[HD_MAX_LIST], n = list_of(b, ENCODER, (int[]){ 1024, 256, 64 }, 3, units);
    for (int i = 0; i < n; i++) {
        char name[NAME];
        hd_format(name, sizeof name, "level%d.fc%d", level, i + 1);
        x = dense(b, x, name, units[i]);
        hd_format(name, sizeof name, "level%d.bn%d", level, i + 1);
        x = hd_recipe_norm(b, x, name, i == n - 1 || b->opt->number[RELU_EACH] ? "relu" : NULL);
    }
    return x;
}

/* One score, of the node `name`. */
static int head(hd_recipe_build *b, int x, const char *name)
{
    if (!b->opt->number[NORMALIZE_END]) {
        return dense(b, x, name, 1);
    }
    char inner[NAME];
    hd_format(inner, sizeof inner, "%s.fc", name);
    return hd_recipe_norm(b, dense(b, x, inner, 1), name, NULL);
}

static int input(hd_recipe_build *b, int level, int size)
{
    char name[NAME];
    hd_format(name, sizeof name, "level%d", level);
    int x = b->status ? -1 : hd_input(b->m, name, &size, 1);
    b->status = b->status ? b->status : x < 0 ? hd_error_status(b->c) : HD_OK;
    return x;
}

/* Outputs: aux1, aux2, ..., one for each level, then main. */
static int build(hd_recipe_build *b)
{
    int size[HD_MAX_LIST], at[MAX_LEVELS], n = list_of(b, LEVELS, (int[]){ 256, 512 }, 2, size);
    if (n > MAX_LEVELS) {
        b->status = hd_fail(b->c, HD_ERR_ARGUMENT, "%s: %d levels, expected 1..%d", b->path, n, MAX_LEVELS);
        return -1;
    }
    b->epsilon = 1e-5;
    for (int i = 0; i < n; i++) {
        at[i] = input(b, i + 1, size[i]);
    }
    for (int i = 0; i < n; i++) {
        at[i] = encoder(b, at[i], i + 1);
    }
    for (int i = 0; i < n && !b->status; i++) {
        char name[NAME];
        hd_format(name, sizeof name, "aux%d", i + 1);
        int node = head(b, at[i], name);
        b->status = b->status ? b->status : hd_output(b->m, node);
    }
    int all = n == 1 ? at[0] : hd_recipe_layer(b, "concat", "levels", at, n, (hd_setting[]){ { 0 } });
    return head(b, all, "main");
}

const hd_recipe_class hd_recipe_quality_heads = {
    "qualityHeads", "encoders, auxiliary heads and main head of an image-quality model; outputs aux1, ..., main", options, build
};
