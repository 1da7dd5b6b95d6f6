/* What a recipe is: a named network, built into an empty model through the public calls of heddle.h. One file per
 * family, one class table per network. Node names are torchvision's parameter names, so that weights find their place. */
#ifndef HD_RECIPE_RECIPE_H
#define HD_RECIPE_RECIPE_H

#include "base/context.h"
#include "base/option.h"
#include "layer/layer.h"

/* A recipe at work. Once a call has failed, the following ones do nothing: only `status` needs to be looked at. */
typedef struct hd_recipe_build {
    hd_model *m;
    hd_context *c;
    const char *path; /* "recipe resnet18", for error sentences */
    const hd_values *opt;
    const hd_layer_class *(*find)(const char *kind);
    double epsilon; /* of batch normalisations */
    hd_status status;
} hd_recipe_build;

typedef struct hd_recipe_class {
    const char *name, *doc; /* name as in JS */
    const hd_option *options;
    int (*build)(hd_recipe_build *b); /* number of the output node */
} hd_recipe_class;

/* --- options that networks share, to be the first of the table in this order --- */

extern const char *const hd_recipe_preprocessings[];
extern const char *const hd_recipe_endings[];

enum { HD_RECIPE_INPUT_SHAPE, HD_RECIPE_PREPROCESSING, HD_RECIPE_CLASSES, HD_RECIPE_ENDING, HD_RECIPE_OWN };

#define HD_RECIPE_INPUT_OPTIONS(shape)                                                                                 \
    { .name = "inputShape", .type = HD_INTS, .min = 1, .max = 65536,                                                   \
      .doc = "height, width and channels of an image; " shape " if empty" },                                           \
    { .name = "preprocessing", .type = HD_ENUM, .names = hd_recipe_preprocessings,                                     \
      .doc = "done by the model's first layer. For RGB 0..255: torchvision: (x / 255 - mean) / std of ImageNet; "      \
             "tensorflow: x / 127.5 - 1; caffe: BGR minus ImageNet's mean" }

#define HD_RECIPE_CLASS_OPTIONS(n)                                                                                     \
    { .name = "classes", .type = HD_INT, .min = 0, .max = 65536, .def = n,                                             \
      .doc = "units of the classifier; 0: without classifier, the output is what it would read" },                     \
    { .name = "classifierActivation", .type = HD_ENUM, .names = hd_recipe_endings,                                     \
      .doc = "softmax: probabilities; linear: logits" }

/* --- building; node numbers in and out, -1 after a failure --- */

/* An option of a layer by its name; `text` for enums. Lists of names end with a zero name. */
typedef struct hd_setting {
    const char *name, *text;
    int n; /* of a list; 0: one value */
    double value[4];
} hd_setting;

typedef struct hd_conv {
    int filters, kernel, stride, pads; /* stride 0 means 1 */
    int groups;                        /* 0 means 1 */
    bool same, bias;                   /* same: TensorFlow's padding in place of `pads` */
    const char *activation;            /* NULL: linear */
} hd_conv;

/* Any layer; options that are not set have their defaults. */
int hd_recipe_layer(hd_recipe_build *b, const char *kind, const char *name, const int *inputs, int n_inputs,
                    const hd_setting *settings);
/* The input, of the given default shape, and the rescaling that `preprocessing` asks for. */
int hd_recipe_input(hd_recipe_build *b, int height, int width, int channels);
int hd_recipe_conv(hd_recipe_build *b, int x, const char *name, hd_conv conv);
/* PyTorch's batch normalisation with a fused activation (NULL: linear). */
int hd_recipe_norm(hd_recipe_build *b, int x, const char *name, const char *activation);
int hd_recipe_max_pool(hd_recipe_build *b, int x, const char *name, int size, int stride, int pads);
int hd_recipe_add(hd_recipe_build *b, int x, int y, const char *name, const char *activation);
int hd_recipe_dense(hd_recipe_build *b, int x, const char *name, int units, const char *activation);
int hd_recipe_dropout(hd_recipe_build *b, int x, const char *name, double rate);
/* A layer of one input without options. */
int hd_recipe_plain(hd_recipe_build *b, int x, const char *kind, const char *name);
/* The classifier: `classes` units and the asked activation. */
int hd_recipe_classifier(hd_recipe_build *b, int x, const char *name);

#endif
