/* The convolutional parts of AlexNet ("One weird trick for parallelizing convolutional neural networks", Krizhevsky 2014)
 * and VGG-16 (configuration D of Simonyan & Zisserman 2015), as torchvision has them. A layer "features.<i>" bears the
 * number of its convolution or pooling there; ReLUs are part of their convolutions, so that features.<i> is what comes
 * out after the ReLU, which torchvision counts as i + 1. */
#include "base/format.h"
#include "recipe/recipe.h"

static const hd_option options[] = { HD_RECIPE_INPUT_OPTIONS("[224, 224, 3]"), { 0 } };

enum { NAME = 16 };

static int conv(hd_recipe_build *b, int x, int i, hd_conv conv)
{
    char name[NAME];
    hd_format(name, sizeof name, "features.%d", i);
    conv.bias = true;
    conv.activation = "relu";
    return hd_recipe_conv(b, x, name, conv);
}

static int pool(hd_recipe_build *b, int x, int i, int size)
{
    char name[NAME];
    hd_format(name, sizeof name, "features.%d", i);
    return hd_recipe_max_pool(b, x, name, size, 2, 0);
}

static int alexnet(hd_recipe_build *b)
{
    int x = hd_recipe_input(b, 224, 224, 3);
    x = pool(b, conv(b, x, 0, (hd_conv){ 64, 11, .stride = 4, .pads = 2 }), 2, 3);
    x = pool(b, conv(b, x, 3, (hd_conv){ 192, 5, .pads = 2 }), 5, 3);
    x = conv(b, x, 6, (hd_conv){ 384, 3, .pads = 1 });
    x = conv(b, x, 8, (hd_conv){ 256, 3, .pads = 1 });
    return pool(b, conv(b, x, 10, (hd_conv){ 256, 3, .pads = 1 }), 12, 3);
}

static int vgg16(hd_recipe_build *b)
{
    static const struct { int filters, convs; } stages[] = { { 64, 2 }, { 128, 2 }, { 256, 3 }, { 512, 3 }, { 512, 3 } };
    int x = hd_recipe_input(b, 224, 224, 3), i = 0;
    for (size_t s = 0; s < sizeof stages / sizeof *stages; s++) {
        for (int k = 0; k < stages[s].convs; k++, i += 2) {
            x = conv(b, x, i, (hd_conv){ stages[s].filters, 3, .pads = 1 });
        }
        x = pool(b, x, i++, 2);
    }
    return x;
}

const hd_recipe_class hd_recipe_alexnet_features = {
    "alexnetFeatures", "convolutions of torchvision's AlexNet: 2.5 million parameters; features.8 is after its ReLU", options,
    alexnet
};
const hd_recipe_class hd_recipe_vgg16_features = {
    "vgg16Features", "convolutions of torchvision's VGG-16: 14.7 million parameters; features.28 is after its ReLU", options,
    vgg16
};
