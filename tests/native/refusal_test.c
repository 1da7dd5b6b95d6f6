/* Every wrong call of the C API is refused with its own status and a sentence that names the culprit; afterwards all goes on. */
#include "fit_kit.h"

#define REFUSED(call, code, text)                                                                                      \
    do {                                                                                                               \
        CHECK((call));                                                                                                 \
        CHECK(hd_error_status(c) == (code));                                                                           \
        if (!strstr(hd_error(c), text)) {                                                                              \
            printf("%s: %s\n", #call, hd_error(c));                                                                    \
        }                                                                                                              \
        CHECK(strstr(hd_error(c), text) != NULL);                                                                      \
    } while (0)

static void test_wrong_states(void)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *m = make_graph();
    double loss;
    hd_real y[ROWS * SIZE];
    REFUSED(!hd_fit_new(m, d, 0, ROWS, NULL, 0), HD_ERR_STATE, "no weights yet: build and compile it first");
    REFUSED(hd_predict(m, d, 1, 0, 1, 1, y), HD_ERR_STATE, "predict: the model is not built yet");
    REFUSED(hd_weights_check(m), HD_ERR_STATE, "not built yet");
    REFUSED(hd_loss_add(m, 0, "huber", 1, NULL, 0), HD_ERR_STATE, "not built yet");
    kit_must(c, hd_model_build(m, 1));
    REFUSED(hd_model_build(m, 1), HD_ERR_STATE, "already built");
    REFUSED(hd_input(m, "late", (int[]){ 2 }, 1) < 0, HD_ERR_STATE, "already built");
    REFUSED(hd_output(m, 0), HD_ERR_STATE, "already built");
    REFUSED(hd_weight_set(m, "h/U", "zeros", NULL, 0), HD_ERR_STATE, "can't be set after the model is built");
    REFUSED(!hd_fit_new(m, d, 0, ROWS, NULL, 0), HD_ERR_STATE, "no optimizer yet");
    REFUSED(hd_gradients(m, d, 0, 1, 0, 0, &loss), HD_ERR_STATE, "no loss yet: compile it first");
    REFUSED(hd_evaluate_begin(m, 1), HD_ERR_STATE, "no loss yet");
    kit_must(c, hd_optimizer_set(m, "sgd", NULL, 0));
    REFUSED(!hd_fit_new(m, d, 0, ROWS, NULL, 0), HD_ERR_STATE, "no loss yet");
    compile(m, "sgd", 0.1, 1, 1);
    REFUSED(hd_evaluate_rows(m, d, 0, 1), HD_ERR_STATE, "hd_evaluate_begin must come first");
    hd_fit *f = hd_fit_new(m, d, 0, ROWS, (double[]){ 10, 2 }, 2);
    REFUSED(!hd_fit_new(m, d, 0, ROWS, NULL, 0), HD_ERR_STATE, "another fit of this model is open");
    REFUSED(hd_gradients(m, d, 0, 1, 0, 0, &loss), HD_ERR_STATE, "a fit of this model is open");
    REFUSED(hd_compile_reset(m), HD_ERR_STATE, "a fit of this model is open");
    REFUSED(hd_loss_add(m, 0, "huber", 1, NULL, 0), HD_ERR_STATE, "a fit of this model is open");
    REFUSED(hd_metric_add(m, 0, "accuracy", NULL, 0) < 0, HD_ERR_STATE, "a fit of this model is open");
    REFUSED(hd_optimizer_set(m, "adam", NULL, 0), HD_ERR_STATE, "a fit of this model is open");
    REFUSED(hd_schedule_set(m, "cosine", NULL, 0), HD_ERR_STATE, "a fit of this model is open");
    REFUSED(hd_weight_set(m, "h/U", "frozen", (double[]){ 1 }, 1), HD_ERR_STATE, "can't change while a fit runs");
    REFUSED(hd_activity_set(m, "h", "klSparsity", NULL, 0), HD_ERR_STATE, "can't change while a fit runs");
    REFUSED(hd_fit_batch(f, d), HD_ERR_STATE, "it has data of its own");
    REFUSED(hd_fit_end_epoch(f), HD_ERR_STATE, "epochs end by themselves");
    kit_must(c, hd_fit_step(f, 100)); /* after all those errors it goes on */
    CHECK(hd_fit_stat(f, HD_FIT_EPOCH) == 1);
    hd_fit_free(f);
    f = hd_fit_new(m, NULL, 0, 0, (double[]){ 10 }, 1);
    REFUSED(hd_fit_step(f, 1), HD_ERR_STATE, "no data of its own");
    kit_must(c, hd_fit_end_epoch(f)); /* nothing to end */
    CHECK(hd_fit_stat(f, HD_FIT_EPOCH) == 0);
    REFUSED(hd_fit_batch(f, d), HD_ERR_ARGUMENT, "a batch of 30 rows, expected at most 10");
    hd_model_free(m); /* frees the open fit */
    hd_data_free(d);
}

static void test_wrong_values(void)
{
    hd_data *d = make_rows(0, ROWS), *bare = hd_data_new(c, 4);
    hd_model *m = make_model("sgd", 0.1);
    hd_real y[ROWS * SIZE];
    double nan = NAN;
    REFUSED(!hd_fit_new(m, d, 0, ROWS + 1, NULL, 0), HD_ERR_ARGUMENT, "rows [0, 31), expected at least one of the 30 rows");
    REFUSED(!hd_fit_new(m, d, 4, 4, NULL, 0), HD_ERR_ARGUMENT, "rows [4, 4)");
    REFUSED(!hd_fit_new(m, d, -1, 4, NULL, 0), HD_ERR_ARGUMENT, "rows [-1, 4)");
    REFUSED(!hd_fit_new(m, d, 0, 4, (double[]){ 0 }, 1), HD_ERR_ARGUMENT, "batchSize = 0, expected");
    REFUSED(!hd_fit_new(m, d, 0, 4, (double[]){ 1.5 }, 1), HD_ERR_ARGUMENT, "batchSize = 1.5, expected");
    REFUSED(!hd_fit_new(m, d, 0, 4, &nan, 1), HD_ERR_ARGUMENT, "batchSize");
    REFUSED(!hd_fit_new(m, bare, 0, 4, NULL, 0), HD_ERR_SHAPE, "no input for \"x\"");
    kit_column(c, bare, HD_COLUMN_INPUT, 0, 7);
    REFUSED(!hd_fit_new(m, bare, 0, 4, NULL, 0), HD_ERR_SHAPE, "input for \"x\" has 7 elements a row, expected 12");
    REFUSED(!hd_data_column(bare, HD_COLUMN_INPUT, 0, HD_FLOAT, 7, 1, 0), HD_ERR_STATE, "is there already");
    hd_real *w = hd_weight_data(m, 0);
    *w = (hd_real)NAN;
    REFUSED(hd_weights_check(m), HD_ERR_ARGUMENT, "weight h/U: has values that are NaN or infinite");
    *w = 0;
    hd_fit *f = hd_fit_new(m, d, 0, ROWS, (double[]){ 10, 2 }, 2);
    REFUSED(hd_fit_set_learning_rate(f, nan), HD_ERR_ARGUMENT, "learning rate");
    REFUSED(hd_fit_set_learning_rate(f, -1), HD_ERR_ARGUMENT, "learning rate = -1, expected");
    hd_fit_free(f);
    REFUSED(hd_predict(m, d, 99, 0, 1, 1, y), HD_ERR_ARGUMENT, "node = 99");
    REFUSED(hd_predict(m, d, 1, 0, 1, 0, y), HD_ERR_ARGUMENT, "batch size = 0");
    REFUSED(hd_predict_nodes(m, d, (int[]){ 1, -1 }, 2, 0, 1, 1, y), HD_ERR_ARGUMENT, "node = -1");
    REFUSED(hd_predict_nodes(m, d, NULL, 0, 0, 1, 1, y), HD_ERR_ARGUMENT, "0 nodes, expected at least one");
    REFUSED(hd_predict(m, d, 1, 0, ROWS + 9, 4, y), HD_ERR_ARGUMENT, "expected at least one of the 30 rows");
    REFUSED(hd_evaluate_begin(m, 0), HD_ERR_ARGUMENT, "batch size = 0");
    REFUSED(hd_loss_add(m, 2, "huber", 1, NULL, 0), HD_ERR_ARGUMENT, "output = 2, expected 0..1");
    REFUSED(hd_loss_add(m, 1, "huber", nan, NULL, 0), HD_ERR_ARGUMENT, "huber: weight");
    REFUSED(hd_loss_add(m, 1, "hubert", 1, NULL, 0), HD_ERR_ARGUMENT, "unknown loss \"hubert\"");
    REFUSED(hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0), HD_ERR_UNSUPPORTED, "targets are of another kind");
    REFUSED(hd_optimizer_set(m, "adam", (double[]){ -1 }, 1), HD_ERR_ARGUMENT, "learningRate = -1");
    REFUSED(hd_weight_set(m, "h/W", "l2", NULL, 0), HD_ERR_ARGUMENT, "weight \"h/W\": there is none of this name");
    REFUSED(hd_weight_set(m, "h/U", "l3", NULL, 0), HD_ERR_ARGUMENT, "\"l3\" is no initialiser, regulariser");
    hd_model_free(m);
    hd_data_free(d);
    hd_data_free(bare);
}

static void test_wrong_data(void)
{
    static const struct {
        int role, index, size, row;
        double value;
        const char *text;
    } cases[] = { { HD_COLUMN_TARGET, 0, 1, 2, 3, "target for \"a\", row 2, element 0 = 3, expected a label 0..2" },
                  { HD_COLUMN_TARGET, 0, 1, 1, 0.5, "row 1, element 0 = 0.5, expected a label 0..2" },
                  { HD_COLUMN_TARGET, 0, 1, 1, -1, "row 1, element 0 = -1, expected a label 0..2" },
                  { HD_COLUMN_WEIGHT, 0, 1, 3, -2, "sample weight of row 3 = -2, expected 0.." } };
    hd_model *m = make_model("sgd", 0.1);
    for (int i = 0; i < COUNT(cases); i++) {
        hd_data *d = hd_data_new(c, 4);
        memset(kit_column(c, d, HD_COLUMN_INPUT, 0, SIZE), 0, 4 * SIZE * sizeof(hd_real));
        hd_real *a = kit_column(c, d, HD_COLUMN_TARGET, 0, 1), *w = kit_column(c, d, HD_COLUMN_WEIGHT, 0, 1);
        kit_column(c, d, HD_COLUMN_TARGET, 1, 2);
        (cases[i].role == HD_COLUMN_WEIGHT ? w : a)[cases[i].row] = (hd_real)cases[i].value;
        REFUSED(!hd_fit_new(m, d, 0, 4, NULL, 0), HD_ERR_ARGUMENT, cases[i].text);
        hd_data_free(d);
    }
    hd_data *d = make_rows(0, 4);
    hd_real *x = hd_data_column(d, HD_COLUMN_WEIGHT, 0, HD_FLOAT, 1, 1, 0);
    x[2] = (hd_real)INFINITY;
    REFUSED(hd_data_check(d), HD_ERR_ARGUMENT, "data: sample weight 0, row 2, element 0 = Infinity, expected a finite number");
    REFUSED(!hd_data_new(c, 0), HD_ERR_ARGUMENT, "rows = 0");
    REFUSED(!hd_data_column(d, 7, 0, HD_FLOAT, 1, 1, 0), HD_ERR_ARGUMENT, "role 7");
    hd_data_free(d);
    hd_model_free(m);
}

static void test_nothing_to_train(void)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *m = make_model("lbfgs", 1);
    REFUSED(!hd_fit_new(m, NULL, 0, 0, NULL, 0), HD_ERR_UNSUPPORTED, "lbfgs needs the whole data, not single batches");
    kit_must(c, hd_weight_set(m, "h/V", "nonNeg", NULL, 0));
    REFUSED(!hd_fit_new(m, d, 0, ROWS, NULL, 0), HD_ERR_UNSUPPORTED, "weight h/V: nonNeg can't be used with lbfgs");
    for (int w = 0; w < hd_weight_count(m); w++) {
        kit_must(c, hd_weight_set(m, hd_weight_name(m, w), "frozen", (double[]){ 1 }, 1));
    }
    REFUSED(!hd_fit_new(m, d, 0, ROWS, NULL, 0), HD_ERR_STATE, "every weight is frozen, there is nothing to train");
    hd_model_free(m);
    hd_data_free(d);
}

/* What the fuzz programs of tests/fuzz found: calls that crashed, or overflowed a number. */
static void test_found_by_fuzzing(void)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *m = make_model("lbfgs", 1);
    double loss;
    CHECK(isnan(hd_evaluate_loss(m, -1)) && isnan(hd_evaluate_loss(m, 2)) && isnan(hd_evaluate_metric(m, -1, 0)));
    CHECK(isnan(hd_evaluate_metric(m, 1, 0)) && isnan(hd_evaluate_metric(m, 0, 1)) && hd_evaluate_metric(m, 0, 0) == 0);
    REFUSED(hd_gradients(m, d, 0, ROWS, 1, NAN, &loss), HD_ERR_ARGUMENT, "gradients: seed = NaN, expected a number 0..2^53");
    REFUSED(hd_gradients(m, d, 0, ROWS, 1, -1, &loss), HD_ERR_ARGUMENT, "gradients: seed = -1");
    REFUSED(hd_evaluate_end(m), HD_ERR_STATE, "hd_evaluate_begin must come first");
    for (int what = 0; what < 3; what++) { /* what an evaluation was planned for changes */
        kit_must(c, hd_evaluate_begin(m, ROWS));
        if (what == 0) {
            CHECK(hd_metric_add(m, 0, "confusionMatrix", NULL, 0) == 1);
        } else if (what == 1) {
            kit_must(c, hd_loss_add(m, 1, "huber", 1, NULL, 0));
        } else {
            kit_must(c, hd_compile_reset(m));
        }
        REFUSED(hd_evaluate_rows(m, d, 0, ROWS), HD_ERR_STATE, "hd_evaluate_begin must come first");
    }
    compile(m, "lbfgs", 1, 1, 1);
    hd_fit *f = hd_fit_new(m, d, 0, ROWS, NULL, 0);
    CHECK(isnan(hd_fit_loss(f, -1)) && isnan(hd_fit_loss(f, 2)) && isnan(hd_fit_metric(f, 1, 0)) && isnan(hd_fit_metric(f, 0, -1)));
    REFUSED(hd_weight_set(m, "h/V", "nonNeg", NULL, 0), HD_ERR_STATE, "h/V: a constraint can't change while a fit of lbfgs runs");
    kit_must(c, hd_fit_step(f, 100));
    hd_model_free(m);
    m = make_model("sgd", 0.1);
    for (int n = 1; n < 50; n++) { /* an evaluation that had no memory has not begun */
        hd_context_fail_allocation(c, n);
        if (hd_evaluate_begin(m, ROWS) == HD_OK) {
            break;
        }
        REFUSED(hd_evaluate_rows(m, d, 0, ROWS), HD_ERR_STATE, "hd_evaluate_begin must come first");
    }
    hd_context_fail_allocation(c, 0);
    kit_must(c, hd_evaluate_rows(m, d, 0, ROWS));
    f = hd_fit_new(m, NULL, 0, 0, (double[]){ ROWS, 1, 1, 0, 0, 1 }, 6);
    kit_must(c, hd_fit_apply_gradients(f, 1, ROWS)); /* an epoch of one batch that is not ended yet can be saved and gone on from */
    double numbers[64];
    hd_real values[1];
    CHECK(hd_fit_state_size(f, 0) <= 64 && hd_fit_state_size(f, 1) == 0);
    hd_fit_save_state(f, numbers, values);
    kit_must(c, hd_fit_load_state(f, numbers, (int)hd_fit_state_size(f, 0), values, 0));
    hd_model_free(m);
    hd_data_free(d);
}

/* Kernels round sizes up to their blocks: a shape near the largest int is refused before. */
static void test_huge_shapes(void)
{
    hd_model *m = hd_model_new(c);
    REFUSED(hd_input(m, "x", (int[]){ 1, 1, 2147483647 }, 3) < 0, HD_ERR_SHAPE, "less than 2^30 elements");
    int x = hd_input(m, "x", (int[]){ 1, 1, (1 << 30) - 1 }, 3);
    REFUSED(hd_layer(m, "appendConstant", "a", &x, 1, NULL, 0) < 0, HD_ERR_SHAPE, "less than 2^30 elements");
    REFUSED(hd_layer(m, "conv2d", "c", &x, 1, (double[]){ 1, 1, 3, 0, 1 }, 5) < 0, HD_ERR_SHAPE, "weight kernel has 2^30 elements or more");
    hd_layer(m, "conv2d", "c", &x, 1, (double[]){ 1, 1, 1 }, 3); /* allowed, and planned without overflow */
    hd_model_free(m);
    hd_real y[4] = { 0 };
    REFUSED(hd_image_resize_reach(c, 9, 0, 0, 9, -2147483647 - 1, -2147483647 - 1, (int[2]){ 0 }), HD_ERR_ARGUMENT, "rows -2147483648..-2147483648");
    REFUSED(hd_image_resize_rows(c, 0, 2, 2, 1, 2147483647, 2, y, 0, 0, 2, 2, 0, 1, y), HD_ERR_ARGUMENT, "rows 2147483647..2147483647 of the picture");
    REFUSED(hd_image_blend(c, 2, 2, 1, y, 2147483647, 2147483647, 1, (int[]){ 0, 0 }, NULL, y), HD_ERR_ARGUMENT, "height = 2147483647");
}

int main(void)
{
    c = hd_context_new(1);
    double before = hd_context_memory(c, 0);
    test_wrong_states();
    test_wrong_values();
    test_wrong_data();
    test_nothing_to_train();
    test_found_by_fuzzing();
    test_huge_shapes();
    CHECK(hd_context_memory(c, 0) == before);
    hd_context_free(c);
    return check_result("refusal");
}
