/* Fits as their caller sees them: stopping, divergence, looking between steps, batches one by one, going on, frozen weights,
 * several outputs, memory. Wrong calls: refusal_test.c. */
#include "fit_kit.h"

enum { MAX_FLAT = 128 };

typedef struct state {
    size_t n;
    hd_real w[MAX_FLAT];
} state;

static state weights_of(hd_model *m)
{
    state s = { 0 };
    for (int w = 0; w < hd_weight_count(m); w++) {
        size_t size = kit_size(m, hd_weight_name(m, w));
        memcpy(s.w + s.n, hd_weight_data(m, w), size * sizeof *s.w);
        s.n += size;
    }
    return s;
}

static int same(const state *a, const state *b)
{
    return a->n == b->n && !memcmp(a->w, b->w, a->n * sizeof *a->w);
}

static hd_fit *open_fit(hd_model *m, hd_data *d, double batch, double epochs, double shuffle, double initial)
{
    hd_fit *f = hd_fit_new(m, d, 0, d ? hd_data_rows(d) : 0, (double[]){ batch, epochs, shuffle, 9, initial }, 5);
    if (!f) {
        kit_stop("fit", hd_error(c));
    }
    return f;
}

static void run(hd_fit *f)
{
    while (!hd_fit_done(f)) {
        kit_must(c, hd_fit_step(f, 1 << 20));
    }
    hd_fit_free(f);
}

/* Whenever a fit by L-BFGS is freed, the weights are those of the last accepted iterate. */
static void test_stop_lbfgs(int constrained, int sparse)
{
    hd_data *d = make_rows(0, ROWS);
    for (int more = 1; more < 12; more++) {
        hd_model *m = make_graph();
        kit_must(c, constrained ? hd_weight_set(m, "h/U", "unitNorm", NULL, 0) : HD_OK);
        kit_must(c, sparse ? hd_activity_set(m, "h", "klSparsity", NULL, 0) : HD_OK);
        kit_must(c, hd_model_build(m, 4));
        compile(m, "lbfgs", 1, 1, 1);
        hd_fit *f = open_fit(m, d, 11, 100, 1, 0);
        state accepted = weights_of(m); /* the start counts */
        double epochs = 0;
        for (int i = 0; i < 20 + more; i++) {
            kit_must(c, hd_fit_step(f, 1));
            if (hd_fit_stat(f, HD_FIT_EPOCH) > epochs) {
                epochs = hd_fit_stat(f, HD_FIT_EPOCH);
                accepted = weights_of(m);
            }
        }
        CHECK(epochs >= 1 && !hd_fit_done(f));
        hd_fit_free(f);
        state after = weights_of(m);
        CHECK(same(&after, &accepted));
        hd_model_free(m);
    }
    hd_data_free(d);
}

/* A step that would diverge is not taken; the model works on. */
static void test_divergence(void)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *m = make_model("sgd", 1e6);
    hd_fit *f = open_fit(m, d, 10, 1000, 1, 0);
    state before = weights_of(m);
    hd_status status = hd_fit_step(f, 1);
    for (int i = 0; i < 1000 && !status; i++) {
        before = weights_of(m);
        status = hd_fit_step(f, 1);
    }
    CHECK(status == HD_ERR_DIVERGED && hd_error_status(c) == HD_ERR_DIVERGED);
    CHECK(strstr(hd_error(c), "not finite") && strstr(hd_error(c), "smaller learning rate"));
    state after = weights_of(m);
    CHECK(same(&after, &before));
    CHECK(hd_weights_check(m) == HD_OK);
    hd_fit_free(f);
    state fresh;
    hd_model *other = make_model("sgd", 0.1);
    fresh = weights_of(other);
    for (int w = 0, at = 0; w < hd_weight_count(m); w++) {
        size_t size = kit_size(m, hd_weight_name(m, w));
        memcpy(hd_weight_data(m, w), fresh.w + at, size * sizeof *fresh.w);
        at += (int)size;
    }
    compile(m, "sgd", 0.1, 1, 0.5);
    run(open_fit(m, d, 10, 3, 1, 0));
    run(open_fit(other, d, 10, 3, 1, 0));
    after = weights_of(m);
    fresh = weights_of(other);
    CHECK(same(&after, &fresh));
    hd_model_free(m);
    hd_model_free(other);
    hd_data_free(d);
}

/* A batch that overflows is refused, and leaves nothing behind that spoils the next: neither weights nor running means. */
static void test_overflow(void)
{
    hd_data *good = make_rows(0, 8), *bad = hd_data_new(c, 8);
    hd_model *m = make_graph();
    kit_must(c, hd_activity_set(m, "h", "klSparsity", NULL, 0));
    kit_must(c, hd_model_build(m, 4));
    compile(m, "adam", 0.01, 1, 1);
    hd_real *x = kit_column(c, bad, HD_COLUMN_INPUT, 0, SIZE), *y = kit_column(c, bad, HD_COLUMN_TARGET, 0, 1);
    memset(y, 0, 8 * sizeof *y);
    memset(kit_column(c, bad, HD_COLUMN_TARGET, 1, 2), 0, 16 * sizeof *y);
    for (int i = 0; i < 8 * SIZE; i++) { /* products of weights and these overflow to either side: infinity - infinity */
        x[i] = (hd_real)(sizeof(hd_real) == 8 ? 1.7e308 : 3.4e38) * (i % 2 ? 1 : -1);
    }
    for (int w = 0; w < 6; w++) {
        hd_weight_data(m, kit_find(m, "h/V"))[w] *= 100;
    }
    hd_fit *f = open_fit(m, NULL, 8, 1, 0, 0);
    kit_must(c, hd_fit_batch(f, good));
    state before = weights_of(m);
    double loss = hd_fit_stat(f, HD_FIT_BATCH_LOSS);
    CHECK(hd_fit_batch(f, bad) == HD_ERR_DIVERGED);
    state after = weights_of(m);
    CHECK(same(&before, &after) && hd_fit_stat(f, HD_FIT_BATCH_LOSS) == loss);
    kit_must(c, hd_fit_batch(f, good));
    CHECK(isfinite(hd_fit_stat(f, HD_FIT_BATCH_LOSS)));
    hd_model_free(m);
    hd_data_free(good);
    hd_data_free(bad);
}

/* Evaluating and predicting between steps, and cutting the steps differently, changes no bit. */
static void test_looking(void)
{
    hd_data *d = make_rows(0, ROWS), *part = make_rows(3, 20);
    hd_model *plain = make_model("adam", 0.05), *watched = make_model("adam", 0.05);
    double loss = 0, samples = 0;
    hd_fit *f = open_fit(watched, d, 7, 3, 1, 0);
    while (!hd_fit_done(f)) {
        hd_real y[ROWS * SIZE];
        kit_must(c, hd_fit_step(f, 1));
        kit_must(c, hd_predict(watched, part, 1, 0, 17, 5, y));
        kit_must(c, hd_evaluate_begin(watched, 4));
        kit_must(c, hd_evaluate_rows(watched, part, 0, 6));
        kit_must(c, hd_evaluate_rows(watched, part, 6, 17));
        kit_must(c, hd_evaluate_end(watched));
        CHECK(hd_evaluate_total(watched) > 0 && hd_evaluate_metric(watched, 0, 0) <= 1);
        if (hd_fit_stat(f, HD_FIT_EPOCH) == 1 && hd_fit_stat(f, HD_FIT_BATCH) == 0) {
            loss = hd_fit_stat(f, HD_FIT_LOSS);
            samples = hd_fit_stat(f, HD_FIT_SAMPLES);
        }
    }
    CHECK(samples == ROWS && loss > 0);
    CHECK(hd_fit_stat(f, HD_FIT_LOSS) < loss);
    hd_fit_free(f);
    run(open_fit(plain, d, 7, 3, 1, 0));
    state a = weights_of(plain), b = weights_of(watched);
    CHECK(same(&a, &b));
    hd_model_free(plain);
    hd_model_free(watched);
    hd_data_free(d);
    hd_data_free(part);
}

/* Batches one by one do what the same batches of a data set do; epochs may end by count or by call. */
static void test_batches(int counted)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *whole = make_model("rmsprop", 0.01), *fed = make_model("rmsprop", 0.01);
    run(open_fit(whole, d, 8, 2, 0, 0));
    hd_fit *f = hd_fit_new(fed, NULL, 0, 0, (double[]){ 8, 2, 0, 9, 0, counted ? 4 : 0 }, 6);
    for (int epoch = 0; epoch < 2; epoch++) {
        for (int at = 0; at < ROWS; at += 8) {
            hd_data *batch = make_rows(at, at + 8 < ROWS ? at + 8 : ROWS);
            kit_must(c, hd_fit_batch(f, batch));
            hd_data_free(batch);
        }
        CHECK(hd_fit_stat(f, HD_FIT_EPOCH) == epoch + counted);
        kit_must(c, counted ? HD_OK : hd_fit_end_epoch(f));
        CHECK(hd_fit_stat(f, HD_FIT_EPOCH) == epoch + 1 && hd_fit_stat(f, HD_FIT_SAMPLES) == ROWS);
    }
    CHECK(hd_fit_done(f));
    hd_fit_free(f);
    state a = weights_of(whole), b = weights_of(fed);
    CHECK(same(&a, &b));
    hd_model_free(whole);
    hd_model_free(fed);
    hd_data_free(d);
}

/* A fit that goes on where another stopped equals one long fit: moments, step count and row order go on. */
static void test_going_on(void)
{
    static const char *const names[] = { "sgd", "adam", "adamw", "rmsprop", "adadelta" };
    hd_data *d = make_rows(0, ROWS);
    for (int i = 0; i < COUNT(names); i++) {
        hd_model *one = make_model(names[i], 0.02), *two = make_model(names[i], 0.02), *anew = make_model(names[i], 0.02);
        run(open_fit(one, d, 7, 4, 1, 0));
        run(open_fit(two, d, 7, 2, 1, 0));
        run(open_fit(two, d, 7, 4, 1, 2));
        run(open_fit(anew, d, 7, 2, 1, 0));
        compile(anew, names[i], 0.02, 1, 0.5); /* forgets the moments */
        run(open_fit(anew, d, 7, 4, 1, 2));
        state a = weights_of(one), b = weights_of(two), n = weights_of(anew);
        CHECK(same(&a, &b));
        CHECK(i == 0 || !same(&a, &n)); /* plain sgd has no memory */
        hd_model_free(one);
        hd_model_free(two);
        hd_model_free(anew);
    }
    hd_data_free(d);
}

/* One step of plain gradient descent: frozen weights stay, the others move by rate x factor x gradient. */
static void test_frozen_and_factors(void)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *m = make_graph();
    kit_must(c, hd_weight_set(m, "h/U", "frozen", (double[]){ 1 }, 1));
    kit_must(c, hd_weight_set(m, "h/V", "learningRateFactor", (double[]){ 0.25 }, 1));
    kit_must(c, hd_weight_set(m, "a/bias", "learningRateFactor", (double[]){ 0 }, 1));
    kit_must(c, hd_model_build(m, 4));
    compile(m, "sgd", 0.125, 1, 0.5);
    double loss;
    kit_must(c, hd_gradients(m, d, 0, ROWS, 0, 0, &loss));
    CHECK(!hd_weight_gradient(m, kit_find(m, "h/U")) && hd_weight_frozen(m, kit_find(m, "h/U")));
    state g = { 0 }, before = weights_of(m);
    for (int w = 0; w < hd_weight_count(m); w++) {
        const char *name = hd_weight_name(m, w);
        double factor = !strcmp(name, "h/U") || !strcmp(name, "a/bias") ? 0 : !strcmp(name, "h/V") ? 0.25 : 1;
        const hd_real *from = hd_weight_gradient(m, w);
        for (size_t i = 0; i < kit_size(m, name); i++) {
            g.w[g.n++] = factor ? (hd_real)(factor * (double)from[i]) : 0;
        }
    }
    run(open_fit(m, d, ROWS, 1, 0, 0));
    state after = weights_of(m);
    for (size_t i = 0; i < after.n; i++) {
        NEAR(after.w[i], (double)before.w[i] - 0.125 * (double)g.w[i], g.w[i] == 0 ? 0 : TOL(1e-6));
    }
    kit_must(c, hd_weight_set(m, "h/U", "frozen", (double[]){ 0 }, 1)); /* thawed */
    run(open_fit(m, d, ROWS, 1, 0, 0));
    CHECK(memcmp(before.w, kit_weight(m, "h/U"), kit_size(m, "h/U") * sizeof(hd_real)));
    hd_model_free(m);
    hd_data_free(d);
}

/* Total and gradients are the losses' weighted sum; sample weights multiply each row's loss. */
static void test_weighted_losses(void)
{
    hd_data *d = make_rows(0, ROWS), *weighted = make_rows(0, ROWS);
    hd_model *m = make_model("sgd", 0.1);
    double total[3], weights[3][2] = { { 1, 0 }, { 0, 1 }, { 2, 0.5 } };
    hd_real g[3][2 * 3];
    for (int i = 0; i < 3; i++) {
        compile(m, "sgd", 0.1, weights[i][0], weights[i][1]);
        kit_must(c, hd_gradients(m, d, 0, ROWS, 0, 0, &total[i]));
        memcpy(g[i], kit_gradient(m, "h/B"), sizeof g[i]);
    }
    NEAR(total[2], 2 * total[0] + 0.5 * total[1], TOL(1e-6));
    for (int k = 0; k < 6; k++) {
        NEAR(g[2][k], 2 * (double)g[0][k] + 0.5 * (double)g[1][k], TOL(1e-6));
    }
    kit_must(c, hd_evaluate_begin(m, 7));
    kit_must(c, hd_evaluate_rows(m, d, 0, ROWS));
    kit_must(c, hd_evaluate_end(m));
    NEAR(hd_evaluate_loss(m, 0), total[0], TOL(1e-6));
    NEAR(hd_evaluate_loss(m, 1), total[1], TOL(1e-6));
    NEAR(hd_evaluate_total(m), total[2], TOL(1e-6));
    hd_real *w = kit_column(c, weighted, HD_COLUMN_WEIGHT, 0, 1);
    double sum = 0, row, all;
    for (int i = 0; i < ROWS; i++) {
        w[i] = (hd_real)(i % 4);
        kit_must(c, hd_gradients(m, d, i, i + 1, 0, 0, &row));
        sum += (double)w[i] * row / ROWS;
    }
    kit_must(c, hd_gradients(m, weighted, 0, ROWS, 0, 0, &all));
    NEAR(all, sum, TOL(1e-5));
    hd_model_free(m);
    hd_data_free(d);
    hd_data_free(weighted);
}

/* Rows outside [begin, end) have no say; memory stands still from the first epoch on. */
static void test_rows_and_memory(const char *optimizer)
{
    hd_data *d = make_rows(0, ROWS), *rows = make_rows(5, 25);
    hd_model *a = make_model(optimizer, 0.1), *b = make_model(optimizer, 0.1);
    double used = 0, peak = 0, options[] = { 6, 8, 1, 2 };
    hd_fit *f = hd_fit_new(a, d, 5, 25, options, 4);
    while (f && !hd_fit_done(f)) {
        double epoch = hd_fit_stat(f, HD_FIT_EPOCH);
        kit_must(c, hd_fit_step(f, 1));
        if (epoch == 1 && used == 0) {
            used = hd_context_memory(c, 0);
            peak = hd_context_memory(c, 1);
        }
        CHECK(epoch < 2 || (hd_context_memory(c, 0) == used && hd_context_memory(c, 1) == peak));
    }
    CHECK(used > 0 && hd_fit_stat(f, HD_FIT_ARENA) > 0);
    hd_fit_free(f);
    run(hd_fit_new(b, rows, 0, 20, options, 4));
    state x = weights_of(a), y = weights_of(b);
    CHECK(same(&x, &y));
    hd_model_free(a);
    hd_model_free(b);
    hd_data_free(d);
    hd_data_free(rows);
}

int main(void)
{
    c = hd_context_new(2);
    double before = hd_context_memory(c, 0);
    for (int i = 0; i < 4; i++) {
        test_stop_lbfgs(i & 1, i >> 1);
    }
    test_divergence();
    test_overflow();
    test_looking();
    test_batches(0);
    test_batches(1);
    test_going_on();
    test_frozen_and_factors();
    test_weighted_losses();
    test_rows_and_memory("adam");
    test_rows_and_memory("lbfgs");
    CHECK(hd_context_memory(c, 0) == before);
    hd_context_free(c);
    hd_model_free(NULL);
    hd_data_free(NULL);
    hd_fit_free(NULL);
    return check_result("fit");
}
