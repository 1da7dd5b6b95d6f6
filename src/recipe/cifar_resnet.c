/* The residual networks for CIFAR-10 of He et al. (2016), section 4.2, with shortcuts of option A: without parameters.
 * Names as in akamaster/pytorch_resnet_cifar10. */
#include "base/format.h"
#include "recipe/recipe.h"

enum { EPSILON = HD_RECIPE_OWN };

static const hd_option options[] = {
    HD_RECIPE_INPUT_OPTIONS("[32, 32, 3]"), HD_RECIPE_CLASS_OPTIONS(10),
    { .name = "epsilon", .type = HD_NUMBER, .min = 0, .open_min = true, .max = 1, .def = 1e-5,
      .doc = "of the batch normalisations" },
    { 0 },
};

enum { NAME = 32 };

/* Convolution 3x3 and its batch normalisation, numbered i in the block. */
static int conv_norm(hd_recipe_build *b, int x, const char *block, int i, int filters, int stride, const char *activation)
{
    char name[NAME];
    hd_format(name, sizeof name, "%sconv%d", block, i);
    x = hd_recipe_conv(b, x, name, (hd_conv){ filters, 3, .stride = stride, .pads = 1 });
    hd_format(name, sizeof name, "%sbn%d", block, i);
    return hd_recipe_norm(b, x, name, activation);
}

static int block(hd_recipe_build *b, int x, const char *name, const char *output, int filters, bool halves)
{
    char inside[NAME], shortcut[NAME];
    hd_format(inside, sizeof inside, "%s.", name);
    hd_format(shortcut, sizeof shortcut, "%s.shortcut", name);
    int y = conv_norm(b, x, inside, 1, filters, halves ? 2 : 1, "relu");
    y = conv_norm(b, y, inside, 2, filters, 1, NULL);
    if (halves) {
        x = hd_recipe_layer(b, "subsamplePad", shortcut, &x, 1,
                            (hd_setting[]){ { "strides", .value = { 2 } }, { "channels", .value = { filters } }, { 0 } });
    }
    return hd_recipe_add(b, y, x, output, "relu");
}

static int build(hd_recipe_build *b, int blocks)
{
    b->epsilon = b->opt->number[EPSILON];
    int x = conv_norm(b, hd_recipe_input(b, 32, 32, 3), "", 1, 16, 1, "relu");
    for (int i = 0; i < 3; i++) {
        char stage[NAME], name[NAME];
        hd_format(stage, sizeof stage, "layer%d", i + 1);
        for (int k = 0; k < blocks; k++) {
            hd_format(name, sizeof name, "%s.%d", stage, k);
            x = block(b, x, name, k == blocks - 1 ? stage : name, 16 << i, i > 0 && k == 0);
        }
    }
    if (!b->opt->number[HD_RECIPE_CLASSES]) {
        return x;
    }
    x = hd_recipe_plain(b, x, "globalAveragePool2d", "avgpool");
    return hd_recipe_classifier(b, x, "linear");
}

static int resnet20(hd_recipe_build *b)
{
    return build(b, 3);
}

static int resnet56(hd_recipe_build *b)
{
    return build(b, 9);
}

const hd_recipe_class hd_recipe_cifar_resnet20 = { "cifarResnet20", "ResNet-20 for CIFAR: 0.27 million parameters",
                                                   options, resnet20 };
const hd_recipe_class hd_recipe_cifar_resnet56 = { "cifarResnet56", "ResNet-56 for CIFAR: 0.85 million parameters",
                                                   options, resnet56 };
