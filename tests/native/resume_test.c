/* A fit that is interrupted after any step goes on in another context to the same bits: weights, optimiser state, logs. */
#include "fit_kit.h"

#include "model/data.h"

enum { MAX_STEPS = 80, MAX_WATCHED = 40, BATCH = 7, BATCHES = 5, EPOCHS = 3 };

/* What kind of training: an optimiser, and batches that make a step. */
typedef struct kind {
    const char *optimizer;
    double options[6];
    int n_options;
    double group;
    bool fed; /* by hd_fit_batch */
    int changes; /* after so many steps control changes the learning rate; 0: never */
} kind;

static const kind kinds[] = {
    { "adam", { 0.02 }, 1, 1, false, 4 }, { "sgd", { 0.05, 0.9 }, 2, 3, false, 0 }, { "rmsprop", { 0.01 }, 1, 0, false, 0 },
    { "adam", { 0.02 }, 1, 2, true, 6 },  { "lbfgs", { 200, 3 }, 2, 1, false, 0 }, /* first steps that are too long: lines of several trials */
    { "lbfgs", { 1, 3, 20, 1e-5, 1e-9, 2 }, 6, 1, false, 0 }, /* converges after 2 iterations */
};

/* Dropout, batch normalisation and a schedule where L-BFGS does not forbid them; activities, a constraint, a confusion matrix. */
static hd_model *make(const kind *k)
{
    bool full = !strcmp(k->optimizer, "lbfgs");
    hd_model *m = hd_model_new(c);
    int h = hd_input(m, "x", (int[]){ 4, 3 }, 2);
    h = LAYER(m, "bilinear", "h", h, 3, 2, SIGMOID);
    kit_must(c, hd_activity_set(m, "h", "klSparsity", NULL, 0));
    kit_must(c, hd_weight_set(m, "h/U", "unitNorm", NULL, 0));
    if (!full) {
        h = hd_layer(m, "batchNorm", "n", &h, 1, NULL, 0);
        h = LAYER(m, "dropout", "d", h, 0.3);
    }
    h = hd_layer(m, "flatten", "f", &h, 1, NULL, 0);
    kit_must(c, hd_output(m, LAYER(m, "dense", "a", h, CLASSES, HD_SOFTMAX)));
    kit_must(c, hd_output(m, LAYER(m, "dense", "b", h, 2)));
    kit_must(c, hd_model_build(m, 4));
    kit_must(c, hd_loss_add(m, 0, "sparseCategoricalCrossentropy", 1, NULL, 0));
    kit_must(c, hd_loss_add(m, 1, "meanSquaredError", 0.5, NULL, 0));
    CHECK(hd_metric_add(m, 0, "confusionMatrix", NULL, 0) == 0 && hd_metric_add(m, 1, "meanAbsoluteError", NULL, 0) == 1);
    kit_must(c, hd_optimizer_set(m, k->optimizer, k->options, k->n_options));
    if (!full) {
        kit_must(c, hd_schedule_set(m, "cosine", NULL, 0));
    }
    return m;
}

typedef struct fitting {
    const kind *k;
    hd_model *m;
    hd_data *d, *part[BATCHES]; /* all rows, or the batches that are fed */
    hd_fit *f;
    int steps;
} fitting;

static void begin(fitting *t, const kind *k)
{
    *t = (fitting){ .k = k, .m = make(k), .d = k->fed ? NULL : make_rows(0, ROWS) };
    for (int i = 0; i < BATCHES && k->fed; i++) {
        t->part[i] = make_rows(i * BATCH, i == BATCHES - 1 ? ROWS : (i + 1) * BATCH);
    }
}

static void open_fit(fitting *t)
{
    double options[] = { BATCH, EPOCHS, 1, 5, 0, 0, t->k->group };
    t->f = hd_fit_new(t->m, t->d, 0, t->d ? ROWS : 0, options, COUNT(options));
    CHECK(t->f != NULL);
}

static void end(fitting *t)
{
    hd_fit_free(t->f);
    hd_model_free(t->m);
    hd_data_free(t->d);
    for (int i = 0; i < BATCHES; i++) {
        hd_data_free(t->part[i]);
    }
}

static void step(fitting *t)
{
    int batch = (int)hd_fit_stat(t->f, HD_FIT_BATCH);
    if (!t->k->fed) {
        kit_must(c, hd_fit_step(t->f, 1));
    } else {
        kit_must(c, batch < BATCHES ? hd_fit_batch(t->f, t->part[batch]) : hd_fit_end_epoch(t->f));
    }
    if (++t->steps == t->k->changes) {
        kit_must(c, hd_fit_set_learning_rate(t->f, 0.005));
    }
}

/* All that can be asked of a fit. */
static void watch(const fitting *t, double *to)
{
    for (int i = 0; i <= HD_FIT_SAMPLES; i++) {
        to[i] = hd_fit_stat(t->f, i);
    }
    to += HD_FIT_SAMPLES + 1;
    for (int i = 0; i < 2; i++) {
        *to++ = hd_fit_loss(t->f, i);
    }
    for (int i = 0; i < CLASSES * CLASSES; i++) {
        *to++ = hd_fit_metric(t->f, 0, i);
    }
    *to = hd_fit_metric(t->f, 1, 0);
}

static void copy_model(const fitting *from, const fitting *to, bool check)
{
    for (int i = 0; i < hd_weight_count(from->m); i++) {
        size_t bytes = kit_size(from->m, hd_weight_name(from->m, i)) * sizeof(hd_real);
        if (check) {
            CHECK(!memcmp(hd_weight_data(to->m, i), hd_weight_data(from->m, i), bytes));
        } else {
            memcpy(hd_weight_data(to->m, i), hd_weight_data(from->m, i), bytes);
        }
        for (int slot = 0; slot < hd_optimizer_slots(from->m) && hd_optimizer_slot(from->m, slot, i); slot++) {
            if (check) {
                CHECK(!memcmp(hd_optimizer_slot(to->m, slot, i), hd_optimizer_slot(from->m, slot, i), bytes));
            } else {
                memcpy(hd_optimizer_slot(to->m, slot, i), hd_optimizer_slot(from->m, slot, i), bytes);
            }
        }
    }
    memcpy(hd_activity_mean(to->m, 1), hd_activity_mean(from->m, 1), 6 * sizeof(hd_real));
}

static void check_watched(const fitting *t, double watched[][MAX_WATCHED])
{
    double now[MAX_WATCHED] = { 0 };
    watch(t, now);
    for (int i = 0; i < MAX_WATCHED; i++) {
        if (memcmp(&now[i], &watched[t->steps][i], sizeof *now)) {
            printf("%s, step %d, figure %d: %.17g, expected %.17g\n", t->k->optimizer, t->steps, i, now[i], watched[t->steps][i]);
        }
    }
    CHECK(!memcmp(now, watched[t->steps], sizeof now));
}

/* Steps up to `at`, then in a second context with 3 threads up to the end. */
static void interrupt(const kind *k, int at, const fitting *whole, double watched[][MAX_WATCHED])
{
    hd_context *first = c;
    fitting a, b;
    begin(&a, k);
    open_fit(&a);
    while (a.steps < at) {
        step(&a);
    }
    int n = (int)hd_fit_state_size(a.f, 0), values = (int)hd_fit_state_size(a.f, 1);
    double *numbers = malloc(((size_t)n + 1) * sizeof *numbers);
    hd_real *vectors = malloc(((size_t)values + 1) * sizeof *vectors);
    numbers[n] = 77;
    vectors[values] = 78;
    hd_fit_save_state(a.f, numbers, vectors);
    CHECK(numbers[n] == 77 && vectors[values] == 78);

    c = hd_context_new(3);
    begin(&b, k);
    copy_model(&a, &b, false);
    kit_must(c, hd_weights_check(b.m));
    kit_must(c, hd_optimizer_restore(b.m, hd_optimizer_step(a.m)));
    open_fit(&b);
    kit_must(c, hd_fit_load_state(b.f, numbers, n, vectors, values));
    b.steps = at;
    check_watched(&b, watched);
    while (!hd_fit_done(b.f)) {
        step(&b);
        check_watched(&b, watched);
    }
    CHECK(b.steps == whole->steps);
    hd_fit_free(b.f); /* L-BFGS leaves its last iterate now */
    b.f = NULL;
    copy_model(whole, &b, true);
    end(&b);
    hd_context_free(c);
    c = first;
    begin(&b, k); /* broken off again at once: L-BFGS goes back to its last iterate */
    copy_model(&a, &b, false);
    kit_must(c, hd_optimizer_restore(b.m, hd_optimizer_step(a.m)));
    open_fit(&b);
    kit_must(c, hd_fit_load_state(b.f, numbers, n, vectors, values));
    hd_fit_free(a.f);
    hd_fit_free(b.f);
    a.f = b.f = NULL;
    copy_model(&a, &b, true);
    end(&a);
    end(&b);
    free(numbers);
    free(vectors);
}

static void test_every_step(const kind *k)
{
    static double watched[MAX_STEPS][MAX_WATCHED];
    memset(watched, 0, sizeof watched);
    fitting whole;
    begin(&whole, k);
    open_fit(&whole);
    watch(&whole, watched[0]);
    while (!hd_fit_done(whole.f)) {
        step(&whole);
        CHECK(whole.steps < MAX_STEPS);
        watch(&whole, watched[whole.steps]);
    }
    CHECK(whole.steps >= 2 * BATCHES);
    hd_fit_free(whole.f);
    whole.f = NULL;
    for (int at = 0; at <= whole.steps; at++) {
        interrupt(k, at, &whole, watched);
    }
    end(&whole);
}

/* States come from files: whatever number is wrong, the fit refuses, or goes on with it in its bounds (the sanitizers look). */
static void test_damage(const kind *k, int at)
{
    static const double bad[] = { -1, 0, 0.5, 1e9, 1e300, -1e300, NAN, INFINITY };
    fitting t;
    begin(&t, k);
    open_fit(&t);
    while (t.steps < at) {
        step(&t);
    }
    int n = (int)hd_fit_state_size(t.f, 0), values = (int)hd_fit_state_size(t.f, 1), refused = 0;
    double *numbers = malloc((size_t)n * sizeof *numbers), *damaged = malloc((size_t)n * sizeof *numbers);
    hd_real *vectors = malloc(((size_t)values + 1) * sizeof *vectors);
    hd_fit_save_state(t.f, numbers, vectors);
    for (int i = 0; i < 30; i++) {
        for (int b = 0; b < COUNT(bad); b++) {
            memcpy(damaged, numbers, (size_t)n * sizeof *numbers);
            damaged[i] = bad[b];
            hd_status status = hd_fit_load_state(t.f, damaged, n, vectors, values);
            CHECK(status == HD_OK || status == HD_ERR_ARGUMENT);
            refused += status != HD_OK;
            for (int s = 0; s < 3 && !status && !t.k->fed && !hd_fit_done(t.f) && !hd_fit_step(t.f, 1); s++) {
            }
            kit_must(c, hd_fit_load_state(t.f, numbers, n, vectors, values));
        }
    }
    CHECK(refused > 40);
    for (int i = 0; i < 5; i += i ? 3 : 1) { /* version, epoch, learning rate */
        for (int b = 0; b < 3; b++) {
            memcpy(damaged, numbers, (size_t)n * sizeof *numbers);
            damaged[i] = (double[]){ -1, NAN, i < 4 ? 0.5 : 1e7 }[b];
            CHECK(hd_fit_load_state(t.f, damaged, n, vectors, values) == HD_ERR_ARGUMENT && strstr(hd_error(c), " = "));
        }
    }
    for (int i = 0; i < n; i++) {
        CHECK(hd_fit_load_state(t.f, numbers, i, vectors, values) == HD_ERR_ARGUMENT);
    }
    CHECK(hd_fit_load_state(t.f, numbers, n, vectors, values + 1) == HD_ERR_ARGUMENT && strstr(hd_error(c), "values, expected"));
    CHECK(hd_fit_load_state(t.f, numbers, -1, vectors, values) == HD_ERR_ARGUMENT);
    CHECK(hd_fit_load_state(t.f, numbers, n, vectors, -1) == HD_ERR_ARGUMENT);
    free(numbers);
    free(damaged);
    free(vectors);
    end(&t);
}

/* One of 4 batches overflows: passed over, the others train as if it were not there. */
static void test_skip(int bad)
{
    hd_data *d = make_rows(0, ROWS), *part[4];
    hd_model *m = make_model("sgd", 0.1), *other = make_model("sgd", 0.1);
    for (int i = 0; i < 4; i++) {
        part[i] = make_rows(8 * i, i == 3 ? ROWS : 8 * i + 8);
    }
    ((hd_real *)hd_data_find(d, HD_COLUMN_INPUT, 0)->rows)[8 * bad * SIZE + 5] = (hd_real)NAN;
    double options[] = { 8, 1, 0 };
    hd_fit *f = hd_fit_new(m, d, 0, ROWS, options, COUNT(options)), *g = hd_fit_new(other, NULL, 0, 0, options, COUNT(options));
    for (int i = 0; i < 4; i++) {
        if (bad == i && i % 2 == 0) {
            kit_must(c, hd_fit_skip(f)); /* untried */
            continue;
        }
        hd_status status = hd_fit_step(f, 1);
        CHECK(status == (i == bad ? HD_ERR_DIVERGED : HD_OK));
        kit_must(c, i == bad ? hd_fit_skip(f) : hd_fit_batch(g, part[i]));
    }
    CHECK(hd_fit_done(f) && hd_fit_skip(f) == HD_ERR_STATE);
    CHECK(hd_fit_stat(f, HD_FIT_LOSS) == hd_fit_stat(g, HD_FIT_LOSS) && hd_fit_metric(f, 0, 0) == hd_fit_metric(g, 0, 0));
    for (int i = 0; i < hd_weight_count(m); i++) {
        CHECK(!memcmp(hd_weight_data(m, i), hd_weight_data(other, i), kit_size(m, hd_weight_name(m, i)) * sizeof(hd_real)));
    }
    hd_model_free(m);
    hd_model_free(other);
    hd_data_free(d);
    for (int i = 0; i < 4; i++) {
        hd_data_free(part[i]);
    }
}

int main(void)
{
    c = hd_context_new(1);
    for (int i = 0; i < COUNT(kinds); i++) {
        test_every_step(&kinds[i]);
        test_damage(&kinds[i], 3);
    }
    for (int bad = 0; bad < 4; bad++) {
        test_skip(bad);
    }
    hd_context_free(c);
    return check_result("resume");
}
