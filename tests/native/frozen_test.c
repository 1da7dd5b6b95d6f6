/* Parts of a network that a fit leaves as they are: no gradient goes through a front of such layers, memory and steps are saved, and nothing
 * else changes. */
#include "layer/window.h"
#include "model/fit.h"
#include "model_kit.h"

enum { SIDE = 6, BATCH = 2 };

/* How the front, conv -> norm, is trained. */
typedef enum front {
    TRAINED,
    STILL,  /* learning rate 0; the statistics of norm move */
    FROZEN, /* weights and statistics */
    FIXED   /* weights frozen, and the statistics by norm's own option */
} front;

static hd_context *c;

static void set(hd_model *m, const char *weight, const char *kind, double value)
{
    CHECK(hd_weight_set(m, weight, kind, &value, 1) == HD_OK);
}

/* Defaults of a class but for two options; their number. */
static int options_but(const char *kind, const char *name, double value, const char *other, double its, double *out)
{
    int n = 0;
    for (const hd_option *o = hd_layer_class_find(kind)->options; o->name; o++) {
        out[n++] = !strcmp(o->name, name) ? value : !strcmp(o->name, other) ? its : o->def;
    }
    return n;
}

/* conv2d -> batchNorm (ReLU) -> maxPool2d -> dropout -> dense (tanh) -> dense. `watched`: conv and norm are outputs too, which
 * keeps them apart. */
static hd_model *make_model(front kind, bool watched, const char *optimizer)
{
    hd_model *m = hd_model_new(c);
    double options[16];
    int node = hd_input(m, "x", (int[]){ SIDE, SIDE, 2 }, 3), n, conv, norm;
    conv = node = hd_layer(m, "conv2d", "conv", &node, 1, (double[]){ 3, 1, 3, 0, HD_PADDING_SAME }, 5);
    n = options_but("batchNorm", "frozen", kind == FIXED, "activation", HD_RELU, options);
    norm = node = hd_layer(m, "batchNorm", "norm", &node, 1, options, n);
    node = hd_layer(m, "maxPool2d", "pool", &node, 1, (double[]){ 1, 2 }, 2);
    node = hd_layer(m, "dropout", "drop", &node, 1, (double[]){ 0.25 }, 1);
    node = hd_layer(m, "flatten", "flat", &node, 1, NULL, 0);
    node = hd_layer(m, "dense", "head", &node, 1, (double[]){ 4, HD_TANH }, 2);
    node = hd_layer(m, "dense", "y", &node, 1, (double[]){ 2 }, 1);
    CHECK(hd_output(m, node) == HD_OK && (!watched || (hd_output(m, conv) == HD_OK && hd_output(m, norm) == HD_OK)));
    const char *const names[] = { "conv/kernel", "conv/bias", "norm/gamma", "norm/beta", "norm/runningMean", "norm/runningVariance" };
    for (int i = 0; i < 6 && kind != TRAINED; i++) {
        if (i < 4 || kind == FROZEN) {
            set(m, names[i], kind == STILL ? "learningRateFactor" : "frozen", kind != STILL);
        }
    }
    if (hd_model_build(m, 3) || hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0) || hd_optimizer_set(m, optimizer, (double[]){ 0.01 }, 1)) {
        printf("%s\n", hd_error(c));
        CHECK(false);
    }
    kit_fill_weights(m, 11);
    return m;
}

static hd_fit *open_fit(hd_model *m, hd_data *d)
{
    hd_fit *f = hd_fit_new(m, d, 0, KIT_ROWS, (double[]){ BATCH, 3, 0, 5 }, 4);
    if (!f) {
        printf("%s\n", hd_error(c));
        exit(1);
    }
    return f;
}

static void run(hd_fit *f)
{
    while (!hd_fit_done(f)) {
        CHECK(hd_fit_step(f, 1) == HD_OK);
    }
    hd_fit_free(f);
}

static int weight(const hd_model *m, const char *name)
{
    for (int i = 0; i < hd_weight_count(m); i++) {
        if (!strcmp(hd_weight_name(m, i), name)) {
            return i;
        }
    }
    CHECK(false);
    return 0;
}

/* What it trains with, and what that needs. */
typedef struct costs {
    int ops, backward;
    size_t arena;
} costs;

static costs costs_of(front kind, bool watched)
{
    hd_model *m = make_model(kind, watched, "adam");
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    hd_fit *f = open_fit(m, d);
    costs found = { .ops = f->plan->n_ops, .arena = f->plan->arena_size };
    for (int i = 0; i < found.ops; i++) {
        found.backward += f->plan->op[i].backward;
    }
    hd_fit_free(f);
    hd_data_free(d);
    hd_model_free(m);
    return found;
}

static void test_costs(void)
{
    costs all = costs_of(TRAINED, false), still = costs_of(STILL, false), apart = costs_of(FROZEN, true);
    CHECK(all.ops == 7 && all.backward == 7);
    CHECK(still.ops == 7 && still.backward == 2 && still.arena < all.arena); /* the two dense layers */
    CHECK(apart.ops == 7 && apart.backward == 2);
    for (front kind = FROZEN; kind <= FIXED; kind++) {
        costs folded = costs_of(kind, false);
        CHECK(folded.ops == 6 && folded.backward == 2 && folded.arena <= still.arena);
    }
}

static void copy(hd_model *m, const char *name, hd_real *to)
{
    int w = weight(m, name);
    memcpy(to, hd_weight_data(m, w), kit_weight_size(m, w) * sizeof *to);
}

static bool same(hd_model *a, hd_model *b, const char *name)
{
    int w = weight(a, name);
    return !memcmp(hd_weight_data(a, w), hd_weight_data(b, w), kit_weight_size(a, w) * sizeof(hd_real));
}

static const char *const front_weights[] = { "conv/kernel", "conv/bias", "norm/gamma", "norm/beta" };
static const char *const other_weights[] = { "norm/runningMean", "norm/runningVariance", "head/kernel", "head/bias", "y/kernel", "y/bias" };

/* A front with learning rate 0: as if it were trained too, and put back after each step. */
static void test_still(void)
{
    enum { MOST = 64 };
    hd_real first[4][MOST];
    hd_model *m = make_model(STILL, false, "sgd"), *restored = make_model(TRAINED, false, "sgd");
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    for (int i = 0; i < 4; i++) {
        copy(m, front_weights[i], first[i]);
    }
    hd_fit *f = open_fit(m, d), *g = open_fit(restored, d);
    while (!hd_fit_done(f)) {
        CHECK(hd_fit_step(f, 1) == HD_OK && hd_fit_step(g, 1) == HD_OK);
        CHECK(hd_fit_stat(f, HD_FIT_BATCH_LOSS) == hd_fit_stat(g, HD_FIT_BATCH_LOSS));
        CHECK(!same(m, restored, "conv/kernel"));
        for (int i = 0; i < 4; i++) {
            int w = weight(restored, front_weights[i]);
            memcpy(hd_weight_data(restored, w), first[i], kit_weight_size(restored, w) * sizeof(hd_real));
        }
        for (int i = 0; i < 6; i++) {
            CHECK(same(m, restored, other_weights[i]));
        }
    }
    for (int i = 0; i < 4; i++) {
        CHECK(same(m, restored, front_weights[i]));
    }
    hd_fit_free(f);
    hd_fit_free(g);
    hd_model *before = make_model(STILL, false, "sgd");
    CHECK(!same(m, before, "norm/runningMean") && !same(m, before, "head/kernel"));
    hd_model_free(before);
    hd_model_free(restored);
    hd_model_free(m);
    hd_data_free(d);
}

/* A front that runs as at inference: its two layers as one step give the same bits, and nothing of it moves. */
static void test_frozen(void)
{
    hd_model *before = make_model(FROZEN, false, "adam"), *apart = make_model(FROZEN, true, "adam");
    hd_data *d = kit_data(c, before, hd_loss_class_find("meanSquaredError"));
    run(open_fit(apart, d));
    for (front kind = FROZEN; kind <= FIXED; kind++) {
        hd_model *m = make_model(kind, false, "adam");
        run(open_fit(m, d));
        for (int i = 0; i < 6; i++) {
            CHECK(same(m, apart, other_weights[i]) && same(m, before, other_weights[i]) == (i < 2));
        }
        for (int i = 0; i < 4; i++) {
            CHECK(same(m, before, front_weights[i]));
        }
        double loss[2]; /* dropout is as active as in front of layers that train */
        for (int seed = 0; seed < 2; seed++) {
            CHECK(hd_gradients(m, d, 0, KIT_ROWS, 1, seed, &loss[seed]) == HD_OK);
        }
        CHECK(loss[0] != loss[1]);
        hd_model_free(m);
    }
    hd_model_free(apart);
    hd_model_free(before);
    hd_data_free(d);
}

/* Learning rate 0 lasts as long as the fit: moments stay 0, gradients are there outside of it, and what plans have kept is made anew. */
static void test_change(void)
{
    hd_model *m = make_model(STILL, false, "adam");
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    const int kernel = weight(m, "conv/kernel"), node = hd_output_node(m, 0);
    hd_real y[2][2 * KIT_ROWS];
    double loss, sum = 0;
    run(open_fit(m, d));
    const hd_real *slot = hd_optimizer_slot(m, 1, kernel), *head = hd_optimizer_slot(m, 1, weight(m, "head/kernel"));
    CHECK(slot[0] == 0 && slot[5] == 0 && head[0] > 0);
    CHECK(hd_gradients(m, d, 0, KIT_ROWS, 0, 0, &loss) == HD_OK);
    for (size_t i = 0; i < kit_weight_size(m, kernel); i++) {
        sum += fabs((double)hd_weight_gradient(m, kernel)[i]);
    }
    CHECK(sum > 0 && isfinite(sum));
    set(m, "conv/kernel", "learningRateFactor", 1);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[0]) == HD_OK);
    run(open_fit(m, d));
    CHECK(hd_optimizer_slot(m, 1, kernel)[0] > 0);
    set(m, "conv/kernel", "learningRateFactor", 0);
    hd_fit *f = open_fit(m, d);
    const double values[] = { 1, 0 };
    CHECK(hd_weight_set(m, "conv/kernel", "learningRateFactor", &values[0], 1) == HD_ERR_STATE && strstr(hd_error(c), "conv/kernel"));
    CHECK(hd_weight_set(m, "conv/kernel", "learningRateFactor", &values[1], 1) == HD_OK);
    CHECK(hd_weight_set(m, "head/kernel", "learningRateFactor", &values[1], 1) == HD_ERR_STATE);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[0]) == HD_OK && hd_predict(m, d, node, 0, KIT_ROWS, 2, y[1]) == HD_OK);
    CHECK(!memcmp(y[0], y[1], sizeof *y));
    hd_fit_free(f);
    hd_model_free(m);
    hd_data_free(d);
}

/* A plan that is kept predicts from the weights as they are: after a fit, and within another one, in which `names` have learning rate 0,
 * what a new plan does. */
static void test_kept(const char *const *names, int n_names)
{
    hd_model *m = make_model(TRAINED, false, "adam");
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    const int node = hd_output_node(m, 0);
    hd_real y[4][2 * KIT_ROWS];
    for (int i = 0; i < n_names; i++) {
        set(m, names[i], "learningRateFactor", i > 1); /* the first two never train */
    }
    CHECK(hd_weights_check(m) == HD_OK);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[0]) == HD_OK);
    run(open_fit(m, d));
    for (int i = 0; i < n_names; i++) {
        set(m, names[i], "learningRateFactor", 0);
    }
    hd_fit *f = open_fit(m, d);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[1]) == HD_OK);
    CHECK(hd_fit_step(f, 1) == HD_OK);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[2]) == HD_OK && hd_predict(m, d, node, 0, KIT_ROWS, 2, y[3]) == HD_OK);
    CHECK(memcmp(y[0], y[1], sizeof *y) && memcmp(y[1], y[2], sizeof *y) && !memcmp(y[2], y[3], sizeof *y));
    hd_fit_free(f);
    hd_model_free(m);
    hd_data_free(d);
}

/* The same of a layer that computes with what it has made of its weights. */
static void test_prepared(void)
{
    hd_model *m = hd_model_new(c);
    const int x = hd_input(m, "x", (int[]){ 3 }, 1), node = hd_layer(m, "monotonicDense", "y", &x, 1, (double[]){ 2 }, 1);
    CHECK(hd_model_build(m, 1) == HD_OK && hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0) == HD_OK);
    CHECK(hd_optimizer_set(m, "adam", NULL, 0) == HD_OK);
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    hd_real y[3][2 * KIT_ROWS];
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[0]) == HD_OK);
    run(open_fit(m, d));
    for (int i = 0; i < hd_weight_count(m); i++) {
        set(m, hd_weight_name(m, i), "learningRateFactor", 0);
    }
    hd_fit *f = open_fit(m, d);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[1]) == HD_OK && hd_predict(m, d, node, 0, KIT_ROWS, 2, y[2]) == HD_OK);
    CHECK(memcmp(y[0], y[1], sizeof *y) && !memcmp(y[1], y[2], sizeof *y));
    hd_fit_free(f);
    hd_model_free(m);
    hd_data_free(d);
}

/* Nothing to learn at all: the statistics move. L-BFGS knows no factors, so that it moves all that is not frozen. */
static void test_ends(void)
{
    hd_model *m = make_model(STILL, false, "adam"), *before = make_model(STILL, false, "adam"), *whole = make_model(FIXED, false, "lbfgs");
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    for (int i = 2; i < 6; i++) {
        set(m, other_weights[i], "learningRateFactor", 0);
    }
    run(open_fit(m, d));
    for (int i = 0; i < 6; i++) {
        CHECK(same(m, before, other_weights[i]) == (i >= 2));
    }
    set(whole, "conv/kernel", "frozen", 0);
    set(whole, "conv/kernel", "learningRateFactor", 0);
    run(open_fit(whole, d));
    CHECK(!same(whole, before, "conv/kernel"));
    hd_model_free(whole);
    hd_model_free(before);
    hd_model_free(m);
    hd_data_free(d);
}

/* Gradients from elsewhere: those of weights of rate 0 count for nothing. */
static void test_given(void)
{
    hd_model *m = make_model(STILL, false, "sgd"), *before = make_model(STILL, false, "sgd");
    hd_fit *f = hd_fit_new(m, NULL, 0, 0, NULL, 0);
    for (int i = 0; i < hd_weight_count(m); i++) {
        if (!hd_weight_frozen(m, i)) {
            memset(hd_gradient_data(m, i), 0, kit_weight_size(m, i) * sizeof(hd_real));
        }
    }
    hd_gradient_data(m, weight(m, "conv/kernel"))[0] = 1000;
    hd_gradient_data(m, weight(m, "y/kernel"))[0] = -2;
    CHECK(hd_fit_apply_gradients(f, 1, 1) == HD_OK && hd_fit_stat(f, HD_FIT_GRADIENT_NORM) == 2);
    CHECK(same(m, before, "conv/kernel") && !same(m, before, "y/kernel"));
    hd_fit_free(f);
    hd_model_free(before);
    hd_model_free(m);
}

int main(void)
{
    c = hd_context_new(1);
    const double before = hd_context_memory(c, 0);
    test_costs();
    test_still();
    test_frozen();
    test_change();
    test_kept(front_weights, 2);
    test_kept(front_weights, 4);
    test_kept((const char *const[]){ "norm/gamma", "norm/beta", "conv/kernel", "conv/bias" }, 4);
    test_prepared();
    test_ends();
    test_given();
    CHECK(hd_context_memory(c, 0) == before);
    hd_context_free(c);
    return check_result("frozen");
}
