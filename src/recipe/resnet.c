/* Residual networks: He, Zhang, Ren, Sun, "Deep residual learning for image recognition" (2016), and ResNeXt: Xie et
 * al., "Aggregated residual transformations for deep neural networks" (2017); as torchvision defines them. */
#include "base/format.h"
#include "recipe/recipe.h"

enum { EPSILON = HD_RECIPE_OWN, UNTIL, STRIDE_IN };

static const char *const endings[] = { "end", "layer1", "layer2", "layer3", "layer4", NULL };
static const char *const strided[] = { "conv2", "conv1", NULL };

#define OPTIONS                                                                                                        \
    HD_RECIPE_INPUT_OPTIONS("[224, 224, 3]"), HD_RECIPE_CLASS_OPTIONS(1000),                                           \
    { .name = "epsilon", .type = HD_NUMBER, .min = 0, .open_min = true, .max = 1, .def = 1e-5,                         \
      .doc = "of the batch normalisations; Keras Applications' ResNets have 1.001e-5" },                               \
    { .name = "until", .type = HD_ENUM, .names = endings,                                                              \
      .doc = "the stage that the network ends with, its output; end: the classifier, or layer4 without classes" }

static const hd_option basic_options[] = { OPTIONS, { 0 } };

static const hd_option bottleneck_options[] = {
    OPTIONS,
    { .name = "strideIn", .type = HD_ENUM, .names = strided,
      .doc = "which convolution of a bottleneck halves the image: conv2, the 3x3 (torchvision), or conv1, the first 1x1 "
             "(the paper, Caffe, Keras Applications)" },
    { 0 },
};

typedef struct resnet {
    int blocks[4];
    bool bottleneck; /* 1x1, 3x3, 1x1 in place of 3x3, 3x3 */
    int groups, width; /* ResNeXt: groups of the 3x3, and filters of each at 64 planes */
} resnet;

enum { NAME = 48 };

/* "<block>.<part>" */
static const char *part(char out[NAME + 16], const char *block, const char *name)
{
    hd_format(out, NAME + 16, "%s.%s", block, name);
    return out;
}

/* A convolution without bias and its batch normalisation, numbered i in the block. */
static int conv_norm(hd_recipe_build *b, int x, const char *block, int i, hd_conv conv, const char *activation)
{
    char name[NAME + 16], piece[16];
    hd_format(piece, sizeof piece, "conv%d", i);
    x = hd_recipe_conv(b, x, part(name, block, piece), conv);
    hd_format(piece, sizeof piece, "bn%d", i);
    return hd_recipe_norm(b, x, part(name, block, piece), activation);
}

/* relu(F(x) + shortcut(x)); the sum is called `output`. */
static int residual(hd_recipe_build *b, const resnet *r, int x, const char *block, const char *output, int planes,
                    int stride, bool project)
{
    int y = x, shortcut = x, filters = r->bottleneck ? 4 * planes : planes;
    if (r->bottleneck) {
        int width = planes * r->width / 64 * r->groups;
        bool first = b->opt->number[STRIDE_IN] != 0;
        hd_conv middle = { width, 3, .stride = first ? 1 : stride, .pads = 1, .groups = r->groups };
        y = conv_norm(b, y, block, 1, (hd_conv){ width, 1, .stride = first ? stride : 1 }, "relu");
        y = conv_norm(b, y, block, 2, middle, "relu");
        y = conv_norm(b, y, block, 3, (hd_conv){ .filters = filters, .kernel = 1 }, NULL);
    } else {
        y = conv_norm(b, y, block, 1, (hd_conv){ filters, 3, .stride = stride, .pads = 1 }, "relu");
        y = conv_norm(b, y, block, 2, (hd_conv){ filters, 3, .pads = 1 }, NULL);
    }
    if (project) {
        char name[NAME + 16];
        shortcut = hd_recipe_conv(b, x, part(name, block, "downsample.0"), (hd_conv){ filters, 1, .stride = stride });
        shortcut = hd_recipe_norm(b, shortcut, part(name, block, "downsample.1"), NULL);
    }
    return hd_recipe_add(b, y, shortcut, output, "relu");
}

/* The last block's output bears the stage's name, "layer3"; that of the others their own, "layer3.0". */
static int stage(hd_recipe_build *b, const resnet *r, int x, int i)
{
    char whole[NAME], block[NAME];
    hd_format(whole, sizeof whole, "layer%d", i + 1);
    for (int k = 0; k < r->blocks[i]; k++) {
        hd_format(block, sizeof block, "%s.%d", whole, k);
        bool last = k == r->blocks[i] - 1, project = k == 0 && (i > 0 || r->bottleneck);
        x = residual(b, r, x, block, last ? whole : block, 64 << i, k == 0 && i > 0 ? 2 : 1, project);
    }
    return x;
}

static int build(hd_recipe_build *b, const resnet *r)
{
    int until = (int)b->opt->number[UNTIL], classes = (int)b->opt->number[HD_RECIPE_CLASSES];
    b->epsilon = b->opt->number[EPSILON];
    int x = hd_recipe_input(b, 224, 224, 3);
    x = hd_recipe_conv(b, x, "conv1", (hd_conv){ 64, 7, .stride = 2, .pads = 3 });
    x = hd_recipe_norm(b, x, "bn1", "relu");
    x = hd_recipe_max_pool(b, x, "maxpool", 3, 2, 1);
    for (int i = 0; i < (until ? until : 4); i++) {
        x = stage(b, r, x, i);
    }
    if (until || !classes) {
        return x;
    }
    x = hd_recipe_plain(b, x, "globalAveragePool2d", "avgpool");
    return hd_recipe_classifier(b, x, "fc");
}

static int resnet18(hd_recipe_build *b)
{
    return build(b, &(resnet){ { 2, 2, 2, 2 }, false, 1, 64 });
}

static int resnet34(hd_recipe_build *b)
{
    return build(b, &(resnet){ { 3, 4, 6, 3 }, false, 1, 64 });
}

static int resnet50(hd_recipe_build *b)
{
    return build(b, &(resnet){ { 3, 4, 6, 3 }, true, 1, 64 });
}

static int resnext101_32x8d(hd_recipe_build *b)
{
    return build(b, &(resnet){ { 3, 4, 23, 3 }, true, 32, 8 });
}

const hd_recipe_class hd_recipe_resnet18 = { "resnet18", "ResNet-18 of torchvision: 11.7 million parameters",
                                             basic_options, resnet18 };
const hd_recipe_class hd_recipe_resnet34 = { "resnet34", "ResNet-34 of torchvision: 21.8 million parameters",
                                             basic_options, resnet34 };
const hd_recipe_class hd_recipe_resnet50 = { "resnet50", "ResNet-50 of torchvision: 25.6 million parameters",
                                             bottleneck_options, resnet50 };
const hd_recipe_class hd_recipe_resnext101_32x8d = {
    "resnext101_32x8d", "ResNeXt-101 32x8d of torchvision: 88.8 million parameters", bottleneck_options, resnext101_32x8d
};
