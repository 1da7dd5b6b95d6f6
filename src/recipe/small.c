/* Small networks for digits and for CIFAR. */
#include "recipe/recipe.h"

/* --- LeNet --- */

static const hd_option lenet_options[] = { HD_RECIPE_INPUT_OPTIONS("[28, 28, 1]"), HD_RECIPE_CLASS_OPTIONS(10), { 0 } };

/* LeNet-5 (LeCun et al. 1998) as it is trained today: ReLU for tanh, max pooling for subsampling, full connections between
 * the maps; the first convolution is padded, so that images of 28x28 give the paper's sizes. */
static int lenet(hd_recipe_build *b)
{
    int x = hd_recipe_input(b, 28, 28, 1);
    x = hd_recipe_conv(b, x, "conv1", (hd_conv){ 6, 5, .pads = 2, .bias = true, .activation = "relu" });
    x = hd_recipe_max_pool(b, x, "pool1", 2, 2, 0);
    x = hd_recipe_conv(b, x, "conv2", (hd_conv){ 16, 5, .bias = true, .activation = "relu" });
    x = hd_recipe_max_pool(b, x, "pool2", 2, 2, 0);
    x = hd_recipe_plain(b, x, "flatten", "flatten");
    x = hd_recipe_dense(b, x, "fc1", 120, "relu");
    x = hd_recipe_dense(b, x, "fc2", 84, "relu");
    return b->opt->number[HD_RECIPE_CLASSES] ? hd_recipe_classifier(b, x, "fc3") : x;
}

const hd_recipe_class hd_recipe_lenet = { "lenet", "LeNet-5 with ReLU and max pooling: 61,706 parameters", lenet_options,
                                          lenet };

/* --- the network for CIFAR --- */

enum { PADDING = HD_RECIPE_OWN, POOL, DROPOUT };

static const char *const paddings[] = { "valid", "same", NULL };

static const hd_option cifar_options[] = {
    HD_RECIPE_INPUT_OPTIONS("[32, 32, 3]"), HD_RECIPE_CLASS_OPTIONS(10),
    { .name = "padding", .type = HD_ENUM, .names = paddings, .doc = "of the convolutions" },
    { .name = "pool", .type = HD_INT, .min = 2, .max = 3, .def = 2, .doc = "size and stride of the max poolings" },
    { .name = "dropout", .type = HD_BOOL, .def = 1, .doc = "drops 25 % after each pooling, 50 % before the classifier" },
    { 0 },
};

/* Two convolutions 3x3 with `first` and 32 filters, max pooling, dropout; numbered from i. */
static int cifar_part(hd_recipe_build *b, int x, int i, int first)
{
    static const char *const names[2][4] = { { "conv1", "conv2", "pool1", "dropout1" },
                                             { "conv3", "conv4", "pool2", "dropout2" } };
    hd_conv conv = { first, 3, 1, 0, .same = b->opt->number[PADDING] != 0, .bias = true, .activation = "relu" };
    x = hd_recipe_conv(b, x, names[i][0], conv);
    conv.filters = 32;
    x = hd_recipe_conv(b, x, names[i][1], conv);
    int size = (int)b->opt->number[POOL];
    x = hd_recipe_max_pool(b, x, names[i][2], size, size, 0);
    return b->opt->number[DROPOUT] ? hd_recipe_dropout(b, x, names[i][3], 0.25) : x;
}

static int cifar_cnn(hd_recipe_build *b)
{
    int x = cifar_part(b, hd_recipe_input(b, 32, 32, 3), 0, 32);
    x = cifar_part(b, x, 1, 64);
    x = hd_recipe_plain(b, x, "flatten", "flatten");
    x = hd_recipe_dense(b, x, "fc1", 512, "relu");
    x = b->opt->number[DROPOUT] ? hd_recipe_dropout(b, x, "dropout3", 0.5) : x;
    return b->opt->number[HD_RECIPE_CLASSES] ? hd_recipe_classifier(b, x, "fc2") : x;
}

const hd_recipe_class hd_recipe_cifar_cnn = { "cifarCnn", "four convolutions and two dense layers, with dropout",
                                              cifar_options, cifar_cnn };
