#include "recipe/recipe.h"

#include "base/format.h"

#include <string.h>

const char *const hd_recipe_preprocessings[] = { "none", "torchvision", "tensorflow", "caffe", NULL };
const char *const hd_recipe_endings[] = { "softmax", "linear", NULL };

enum { MAX_VALUES = HD_MAX_OPTIONS + HD_MAX_LIST };

static const hd_setting *find_setting(const hd_setting *settings, const char *name)
{
    while (settings->name && strcmp(settings->name, name) != 0) {
        settings++;
    }
    return settings->name ? settings : NULL;
}

/* The place of an enum's name, -1 if it has none. */
static int index_of(const hd_option *o, const char *text)
{
    for (int i = 0; o->names[i]; i++) {
        if (!strcmp(o->names[i], text)) {
            return i;
        }
    }
    return -1;
}

/* Options as hd_layer takes them; their number. */
static int encode(const hd_option *table, const hd_setting *settings, double values[MAX_VALUES])
{
    int n = 0;
    for (const hd_option *o = table; o && o->name; o++) {
        const hd_setting *s = find_setting(settings, o->name);
        bool list = o->type == HD_INTS || o->type == HD_NUMBERS;
        int count = !s ? 0 : s->n ? s->n : 1;
        if (list) {
            values[n++] = count;
            for (int i = 0; i < count; i++) {
                values[n++] = s->value[i];
            }
        } else {
            values[n++] = !s ? o->def : s->text ? index_of(o, s->text) : s->value[0];
        }
    }
    return n;
}

/* Refuses settings that the table does not know: they would be lost without a word. */
static hd_status check(hd_recipe_build *b, const char *kind, const hd_option *table, const hd_setting *settings)
{
    for (; settings->name; settings++) {
        const hd_option *o = table;
        while (o && o->name && strcmp(o->name, settings->name) != 0) {
            o++;
        }
        if (!o || !o->name) {
            return hd_fail(b->c, HD_ERR_UNSUPPORTED, "%s: %s has no option %s", b->path, kind, settings->name);
        }
    }
    return HD_OK;
}

int hd_recipe_layer(hd_recipe_build *b, const char *kind, const char *name, const int *inputs, int n_inputs,
                    const hd_setting *settings)
{
    if (b->status) {
        return -1;
    }
    const hd_layer_class *class = b->find(kind);
    if (!class) {
        b->status = hd_fail(b->c, HD_ERR_UNSUPPORTED, "%s: there is no layer %s", b->path, kind);
        return -1;
    }
    b->status = check(b, kind, class->options, settings);
    if (b->status) {
        return -1;
    }
    double values[MAX_VALUES];
    int n = encode(class->options, settings, values), node = hd_layer(b->m, kind, name, inputs, n_inputs, values, n);
    b->status = node < 0 ? hd_error_status(b->c) : HD_OK;
    return node;
}

static int unary(hd_recipe_build *b, const char *kind, const char *name, int x, const hd_setting *settings)
{
    return hd_recipe_layer(b, kind, name, &x, 1, settings);
}

int hd_recipe_plain(hd_recipe_build *b, int x, const char *kind, const char *name)
{
    return unary(b, kind, name, x, (hd_setting[]){ { 0 } });
}

/* y = scale x + offset for channels R, G, B. Means and deviations of ImageNet: torchvision's models documentation;
 * of the Caffe models (BGR): Keras Applications, imagenet_utils.preprocess_input. */
static int preprocess(hd_recipe_build *b, int x)
{
    static const double mean[] = { 0.485, 0.456, 0.406 }, deviation[] = { 0.229, 0.224, 0.225 };
    static const double caffe_mean[] = { 103.939, 116.779, 123.68 };
    hd_setting set[] = { { "scale", .n = 1, .value = { 1 } }, { "offset", .n = 3 }, { "reverse", .value = { 0 } }, { 0 } };
    const char *kind = hd_recipe_preprocessings[(int)b->opt->number[HD_RECIPE_PREPROCESSING]];
    if (!strcmp(kind, "tensorflow")) {
        set[0].value[0] = 1 / 127.5;
        set[1] = (hd_setting){ "offset", .n = 1, .value = { -1 } };
    } else if (!strcmp(kind, "torchvision")) {
        set[0].n = 3;
        for (int i = 0; i < 3; i++) {
            set[0].value[i] = 1 / (255 * deviation[i]);
            set[1].value[i] = -mean[i] / deviation[i];
        }
    } else {
        for (int i = 0; i < 3; i++) {
            set[1].value[i] = -caffe_mean[i];
        }
        set[2].value[0] = 1;
    }
    return unary(b, "rescaling", "preprocessing", x, set);
}

int hd_recipe_input(hd_recipe_build *b, int height, int width, int channels)
{
    int dims[3] = { height, width, channels }, given = (int)b->opt->number[HD_RECIPE_INPUT_SHAPE];
    if (given && given != 3) {
        b->status = hd_fail(b->c, HD_ERR_SHAPE, "%s: inputShape has %d values, expected height, width and channels",
                            b->path, given);
        return -1;
    }
    for (int i = 0; i < given; i++) {
        dims[i] = (int)b->opt->list[b->opt->start[HD_RECIPE_INPUT_SHAPE] + i];
    }
    bool raw = b->opt->number[HD_RECIPE_PREPROCESSING] == 0;
    if (!raw && dims[2] != 3) {
        b->status = hd_fail(b->c, HD_ERR_SHAPE, "%s: inputShape has %d channels, expected 3 (RGB) for preprocessing %s",
                            b->path, dims[2], hd_recipe_preprocessings[(int)b->opt->number[HD_RECIPE_PREPROCESSING]]);
        return -1;
    }
    int x = hd_input(b->m, "input", dims, 3);
    b->status = x < 0 ? hd_error_status(b->c) : HD_OK;
    return raw || b->status ? x : preprocess(b, x);
}

int hd_recipe_conv(hd_recipe_build *b, int x, const char *name, hd_conv conv)
{
    const char *padding = conv.same ? "same" : conv.pads ? "explicit" : "valid";
    hd_setting set[] = { { "filters", .value = { conv.filters } },
                         { "kernelSize", .n = 1, .value = { conv.kernel } },
                         { "strides", .n = 1, .value = { conv.stride ? conv.stride : 1 } },
                         { "padding", .text = padding },
                         { "groups", .value = { conv.groups ? conv.groups : 1 } },
                         { "useBias", .value = { conv.bias } },
                         { "activation", .text = conv.activation ? conv.activation : "linear" },
                         { 0 }, /* pads, where they are explicit */
                         { 0 } };
    if (!conv.same && conv.pads) {
        set[7] = (hd_setting){ "pads", .n = 1, .value = { conv.pads } };
    }
    return unary(b, "conv2d", name, x, set);
}

int hd_recipe_norm(hd_recipe_build *b, int x, const char *name, const char *activation)
{
    return unary(b, "batchNorm", name, x,
                 (hd_setting[]){ { "epsilon", .value = { b->epsilon } },
                                 { "convention", .text = "pytorch" },
                                 { "activation", .text = activation ? activation : "linear" },
                                 { 0 } });
}

int hd_recipe_max_pool(hd_recipe_build *b, int x, const char *name, int size, int stride, int pads)
{
    hd_setting set[] = { { "poolSize", .n = 1, .value = { size } },
                         { "strides", .n = 1, .value = { stride } },
                         { "padding", .text = pads ? "explicit" : "valid" },
                         { 0 },
                         { 0 } };
    if (pads) {
        set[3] = (hd_setting){ "pads", .n = 1, .value = { pads } };
    }
    return unary(b, "maxPool2d", name, x, set);
}

int hd_recipe_add(hd_recipe_build *b, int x, int y, const char *name, const char *activation)
{
    return hd_recipe_layer(b, "add", name, (int[]){ x, y }, 2,
                           (hd_setting[]){ { activation ? "activation" : NULL, .text = activation }, { 0 } });
}

int hd_recipe_dense(hd_recipe_build *b, int x, const char *name, int units, const char *activation)
{
    return unary(b, "dense", name, x,
                 (hd_setting[]){ { "units", .value = { units } },
                                 { "activation", .text = activation ? activation : "linear" },
                                 { 0 } });
}

int hd_recipe_dropout(hd_recipe_build *b, int x, const char *name, double rate)
{
    return unary(b, "dropout", name, x, (hd_setting[]){ { "rate", .value = { rate } }, { 0 } });
}

int hd_recipe_classifier(hd_recipe_build *b, int x, const char *name)
{
    return hd_recipe_dense(b, x, name, (int)b->opt->number[HD_RECIPE_CLASSES],
                           hd_recipe_endings[(int)b->opt->number[HD_RECIPE_ENDING]]);
}
