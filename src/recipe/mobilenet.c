/* MobileNetV2, width 1.0: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks" (2018), table 2;
 * names as in torchvision. */
#include "base/format.h"
#include "recipe/recipe.h"

enum { PADDING = HD_RECIPE_OWN, EPSILON, DROPOUT };

static const char *const paddings[] = { "torchvision", "tensorflow", NULL };

static const hd_option options[] = {
    HD_RECIPE_INPUT_OPTIONS("[224, 224, 3]"), HD_RECIPE_CLASS_OPTIONS(1000),
    { .name = "padding", .type = HD_ENUM, .names = paddings,
      .doc = "of the 3x3 convolutions: 1 on every side (torchvision), or SAME as in TensorFlow, which at stride 2 pads "
             "even sizes at the bottom and right only" },
    { .name = "epsilon", .type = HD_NUMBER, .min = 0, .open_min = true, .max = 1, .def = 1e-5,
      .doc = "of the batch normalisations; Keras Applications' MobileNets have 1e-3" },
    { .name = "dropout", .type = HD_NUMBER, .min = 0, .max = 1, .open_max = true, .def = 0.2,
      .doc = "rate of the dropout before the classifier" },
    { 0 },
};

enum { NAME = 48 };

/* Convolution "<block>.0", padded as asked, batch normalisation "<block>.1", ReLU6. */
static int conv_norm_relu6(hd_recipe_build *b, int x, const char *block, hd_conv conv)
{
    char name[NAME];
    hd_format(name, sizeof name, "%s.0", block);
    conv.same = b->opt->number[PADDING] != 0;
    conv.pads = (conv.kernel - 1) / 2;
    x = hd_recipe_conv(b, x, name, conv);
    hd_format(name, sizeof name, "%s.1", block);
    return hd_recipe_norm(b, x, name, "relu6");
}

/* 1x1 expansion (but for factor 1), 3x3 depthwise, linear 1x1 projection; the sum "features.<i>" where shapes allow. */
static int inverted_residual(hd_recipe_build *b, int x, int i, int expansion, int in, int out, int stride)
{
    char block[NAME], name[NAME + 8];
    int y = x, part = 0, wide = in * expansion;
    if (expansion != 1) {
        hd_format(block, sizeof block, "features.%d.conv.%d", i, part++);
        y = conv_norm_relu6(b, y, block, (hd_conv){ .filters = wide, .kernel = 1 });
    }
    hd_format(block, sizeof block, "features.%d.conv.%d", i, part++);
    y = conv_norm_relu6(b, y, block, (hd_conv){ wide, 3, .stride = stride, .groups = wide });
    hd_format(name, sizeof name, "features.%d.conv.%d", i, part++);
    y = hd_recipe_conv(b, y, name, (hd_conv){ .filters = out, .kernel = 1 });
    hd_format(name, sizeof name, "features.%d.conv.%d", i, part);
    y = hd_recipe_norm(b, y, name, NULL);
    hd_format(name, sizeof name, "features.%d", i);
    return stride == 1 && in == out ? hd_recipe_add(b, x, y, name, NULL) : y;
}

static int build(hd_recipe_build *b)
{
    static const struct { int expansion, filters, blocks, stride; } stages[] = {
        { 1, 16, 1, 1 }, { 6, 24, 2, 2 },  { 6, 32, 3, 2 },  { 6, 64, 4, 2 },
        { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 },
    };
    b->epsilon = b->opt->number[EPSILON];
    int x = hd_recipe_input(b, 224, 224, 3), in = 32, i = 1;
    x = conv_norm_relu6(b, x, "features.0", (hd_conv){ in, 3, .stride = 2 });
    for (size_t s = 0; s < sizeof stages / sizeof *stages; s++) {
        for (int k = 0; k < stages[s].blocks; k++) {
            x = inverted_residual(b, x, i++, stages[s].expansion, in, stages[s].filters, k ? 1 : stages[s].stride);
            in = stages[s].filters;
        }
    }
    x = conv_norm_relu6(b, x, "features.18", (hd_conv){ .filters = 1280, .kernel = 1 });
    if (!b->opt->number[HD_RECIPE_CLASSES]) {
        return x;
    }
    x = hd_recipe_plain(b, x, "globalAveragePool2d", "avgpool");
    x = hd_recipe_dropout(b, x, "classifier.0", b->opt->number[DROPOUT]);
    return hd_recipe_classifier(b, x, "classifier.1");
}

const hd_recipe_class hd_recipe_mobilenet_v2 = { "mobilenetV2", "MobileNetV2, width 1.0: 3.5 million parameters", options,
                                                 build };
