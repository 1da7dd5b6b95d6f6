/* Named networks: their sizes and shapes are those of torchvision, they can be read back and built again, and refusals leave
 * the model empty and usable. */
#include "model_kit.h"

static hd_context *c;

static hd_model *make(const char *name, const double *options, int n)
{
    hd_model *m = hd_model_new(c);
    if (hd_recipe(m, name, options, n)) {
        printf("%s: %s\n", name, hd_error(c));
        CHECK(!"the recipe works");
    }
    return m;
}

/* Weights that training moves: running statistics do not count. */
static double parameters(const hd_model *m)
{
    double sum = 0;
    for (int i = 0; i < hd_weight_count(m); i++) {
        sum += hd_weight_state(m, i) ? 0 : (double)kit_weight_size(m, i);
    }
    return sum;
}

static void check_shape(const hd_model *m, const char *node, int h, int w, int channels)
{
    int dims[6] = { 0 }, rank = hd_node_shape(m, hd_node_find(m, node), dims);
    if (!(rank == 3 && dims[0] == h && dims[1] == w && dims[2] == channels)) {
        printf("%s: rank %d, [%d, %d, %d]\n", node, rank, dims[0], dims[1], dims[2]);
    }
    CHECK(rank == 3 && dims[0] == h && dims[1] == w && dims[2] == channels);
}

/* torchvision 0.14: sum(p.numel() for p in model.parameters()); of the other networks by hand. */
static void test_parameters(void)
{
    static const struct { const char *name; double parameters; } known[] = {
        { "resnet18", 11689512 }, { "resnet34", 21797672 }, { "resnet50", 25557032 }, { "resnext101_32x8d", 88791336 },
        { "mobilenetV2", 3504872 }, { "alexnetFeatures", 2469696 }, { "vgg16Features", 14714688 }, { "lenet", 61706 },
        { "cifarCnn", 462346 }, { "qualityHeads", 1351811 }, { "cifarResnet20", 269722 }, { "cifarResnet56", 853018 },
        { "monotonicTransformer", 881 }, { "mixedDataset", 297315 }, { "multimodalAutoencoder", 4225 },
    };
    int count = 0;
    while (hd_recipe_classes[count]) {
        count++;
    }
    CHECK(count == sizeof known / sizeof *known);
    for (int i = 0; i < count; i++) {
        hd_model *m = make(known[i].name, NULL, 0);
        if (parameters(m) != known[i].parameters) {
            printf("%s: %.0f parameters\n", known[i].name, parameters(m));
        }
        CHECK(parameters(m) == known[i].parameters);
        int outputs = hd_output_count(m);
        const char *name = known[i].name;
        CHECK(outputs == (!strcmp(name, "qualityHeads") ? 3 : !strcmp(name, "mixedDataset") ? 2 : !strcmp(name, "multimodalAutoencoder") ? 5 : 1));
        CHECK(hd_output_node(m, outputs - 1) == hd_node_count(m) - 1);
        hd_model_free(m);
    }
}

static void test_shapes(void)
{
    hd_model *m = make("resnet18", (double[]){ 3, 224, 224, 3 }, 4);
    check_shape(m, "maxpool", 56, 56, 64);
    check_shape(m, "layer1.0", 56, 56, 64);
    check_shape(m, "layer2", 28, 28, 128);
    check_shape(m, "layer4", 7, 7, 512);
    CHECK(hd_node_find(m, "layer1.1") < 0); /* it is called layer1 */
    CHECK(hd_node_find(m, "layer1.0.downsample.0") < 0 && hd_node_find(m, "layer2.0.downsample.0") > 0);
    hd_model_free(m);
    /* inputShape, preprocessing, classes, classifierActivation, epsilon, until layer3 */
    m = make("resnet50", (double[]){ 3, 97, 65, 3, 1, 0, 0, 1e-5, 3 }, 9);
    check_shape(m, "conv1", 49, 33, 64);
    check_shape(m, "layer3", 7, 5, 1024);
    CHECK(hd_node_find(m, "layer4.0.conv1") < 0 && hd_node_find(m, "preprocessing") == 1);
    hd_model_free(m);
    m = make("mobilenetV2", (double[]){ 3, 224, 224, 3, 2, 0 }, 6);
    check_shape(m, "features.3", 56, 56, 24);
    check_shape(m, "features.17.conv.3", 7, 7, 320);
    CHECK(hd_output_node(m, 0) == hd_node_find(m, "features.18.1"));
    hd_model_free(m);
    m = make("alexnetFeatures", NULL, 0);
    check_shape(m, "features.8", 13, 13, 256);
    check_shape(m, "features.12", 6, 6, 256);
    hd_model_free(m);
    m = make("cifarCnn", (double[]){ 0, 0, 10, 0, 1, 3 }, 6); /* padding same, pool 3 */
    check_shape(m, "pool1", 10, 10, 32);
    check_shape(m, "pool2", 3, 3, 32);
    hd_model_free(m);
    m = make("cifarResnet20", (double[]){ 0, 0, 0 }, 3);
    check_shape(m, "layer2.0.shortcut", 16, 16, 32);
    CHECK(hd_output_node(m, 0) == hd_node_find(m, "layer3"));
    hd_model_free(m);
}

/* Every node read back and added to another model gives the same model. */
static void test_read_back(void)
{
    for (int k = 0; hd_recipe_classes[k]; k++) {
        hd_model *m = make(hd_recipe_classes[k]->name, NULL, 0), *again = hd_model_new(c);
        for (int i = 0; i < hd_node_count(m); i++) {
            int dims[6], rank = hd_node_shape(m, i, dims), inputs[16], n = hd_node_inputs(m, i, inputs);
            double options[80];
            int count = hd_node_options(m, i, options);
            CHECK(count >= 0 && (n > 0 || count == 0));
            int node = n ? hd_layer(again, hd_node_kind(m, i), hd_node_name(m, i), inputs, n, options, count)
                         : hd_input(again, hd_node_name(m, i), dims, rank);
            CHECK(node == i);
        }
        CHECK(hd_weight_count(again) == hd_weight_count(m) && parameters(again) == parameters(m));
        CHECK(hd_node_inputs(m, -1, NULL) == -1 && hd_node_options(m, hd_node_count(m), NULL) == -1);
        hd_model_free(again);
        hd_model_free(m);
    }
}

#define REFUSED(call, code, text)                                                                                      \
    do {                                                                                                               \
        CHECK((call) == (code));                                                                                       \
        if (!strstr(hd_error(c), text)) {                                                                              \
            printf("%s: %s\n", #call, hd_error(c));                                                                    \
        }                                                                                                              \
        CHECK(strstr(hd_error(c), text) != NULL);                                                                      \
    } while (0)

static void test_refusals(void)
{
    hd_model *m = hd_model_new(c);
    REFUSED(hd_recipe(m, "resnet19", NULL, 0), HD_ERR_ARGUMENT, "recipe: unknown name \"resnet19\"");
    REFUSED(hd_recipe(m, "resnet18", (double[]){ 0, 4 }, 2), HD_ERR_ARGUMENT, "recipe resnet18: preprocessing = 4");
    REFUSED(hd_recipe(m, "resnet18", (double[]){ 2, 224, 224 }, 3), HD_ERR_SHAPE, "inputShape has 2 values");
    REFUSED(hd_recipe(m, "resnet18", (double[]){ 3, 64, 64, 1, 1 }, 5), HD_ERR_SHAPE, "1 channels, expected 3 (RGB)");
    REFUSED(hd_recipe(m, "cifarCnn", (double[]){ 3, 9, 9, 3 }, 4), HD_ERR_SHAPE, "\"conv3\" (conv2d): kernelSize");
    CHECK(hd_node_count(m) == 0 && hd_weight_count(m) == 0 && hd_input_count(m) == 0 && hd_output_count(m) == 0);
    CHECK(!hd_recipe(m, "lenet", NULL, 0));
    REFUSED(hd_recipe(m, "lenet", NULL, 0), HD_ERR_STATE, "the model has 9 nodes, expected an empty one");
    CHECK(!hd_model_build(m, 1));
    hd_model_free(m);
}

/* Whichever allocation fails: the model is empty, and the next attempt works. */
static void test_out_of_memory(void)
{
    int failures = 0;
    for (int n = 1;; n++) {
        hd_model *m = hd_model_new(c);
        hd_context_fail_allocation(c, n);
        hd_status status = hd_recipe(m, "lenet", NULL, 0);
        hd_context_fail_allocation(c, 0);
        if (!status) {
            hd_model_free(m);
            break;
        }
        CHECK(status == HD_ERR_MEMORY && hd_node_count(m) == 0);
        CHECK(!hd_recipe(m, "lenet", NULL, 0));
        hd_model_free(m);
        failures++;
    }
    CHECK(failures > 10);
}

int main(void)
{
    c = hd_context_new(1);
    test_parameters();
    test_shapes();
    test_read_back();
    test_refusals();
    test_out_of_memory();
    hd_context_free(c);
    return check_result("recipe");
}
