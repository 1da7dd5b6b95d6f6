/* Fuzz program: a random graph of layers with options from the tables, right and wrong, is built, compiled, trained, evaluated
 * and read in any order, while allocations fail. Every refusal has a sentence, results are repeatable, all memory comes back. */
#include "graph.h"

/* The same rows twice give the same bits: nothing read was never written. */
static void predict(fuzz_bytes *b, hd_context *c, hd_model *m, hd_data *d)
{
    const int rows = hd_data_rows(d), begin = fuzz_pick(b, rows), end = fuzz_rare(b, 16) ? rows + 1 : rows;
    int nodes[2] = { hd_node_count(m) - 1, fuzz_pick(b, hd_node_count(m)) }, n = 1 + fuzz_pick(b, 2);
    double size = fuzz_node_size(m, nodes[0]) + fuzz_node_size(m, nodes[1]);
    const size_t bytes = (size_t)size * (size_t)(end - begin) * sizeof(hd_real);
    hd_real *once = malloc(bytes), *twice = malloc(bytes);
    memset(once, 0, bytes);
    memset(twice, 0, bytes);
    const int batch = fuzz_size(b, FUZZ_ROWS);
    if (GOOD(c, hd_predict_nodes(m, d, nodes, n, begin, end, batch, once)) && GOOD(c, hd_predict_nodes(m, d, nodes, n, begin, end, batch, twice))) {
        MUST(c, !memcmp(once, twice, bytes));
    }
    free(once);
    free(twice);
}

static void evaluate(fuzz_bytes *b, hd_context *c, hd_model *m, hd_data *d)
{
    if (GOOD(c, hd_evaluate_begin(m, fuzz_size(b, FUZZ_ROWS)))) {
        for (int n = fuzz_pick(b, 3); n > 0; n--) {
            GOOD(c, hd_evaluate_rows(m, d, fuzz_pick(b, 3), hd_data_rows(d) - fuzz_pick(b, 2)));
        }
    }
    if (GOOD(c, hd_evaluate_end(m))) {
        hd_evaluate_total(m);
        for (int i = -1; i < 3; i++) {
            hd_evaluate_loss(m, i);
            hd_evaluate_metric(m, i, fuzz_size(b, 9));
        }
    }
}

/* Writes to weights, or to what the optimiser keeps, as a reader of files does. */
static void write(fuzz_bytes *b, hd_context *c, hd_model *m)
{
    const int weight = fuzz_pick(b, hd_weight_count(m) + 1), slot = fuzz_pick(b, 3) - 1;
    hd_real *x = slot < 0 ? hd_weight_data(m, weight) : hd_optimizer_slot(m, slot, weight);
    if (x) {
        hd_real *row = x + fuzz_byte(b) % (int)fuzz_weight_size(m, weight), kept = *row;
        *row = (hd_real)fmax(-1e38, fmin(1e38, fuzz_number(b)));
        if (fuzz_rare(b, 8)) {
            *row = (hd_real)NAN;
            const int taken = slot < 0 ? GOOD(c, hd_weights_check(m)) : GOOD(c, hd_optimizer_restore(m, 0));
            MUST(c, !taken);
            *row = kept;
        }
    }
    GOOD(c, hd_weights_check(m));
    GOOD(c, hd_optimizer_restore(m, fuzz_rare(b, 4) ? fuzz_number(b) : fuzz_pick(b, 100)));
    x = hd_activity_mean(m, fuzz_pick(b, hd_node_count(m) + 1));
    if (x) {
        *x = (hd_real)0.5;
    }
}

static void read_names(hd_model *m)
{
    double values[80];
    int numbers[16];
    for (int i = -1; i <= hd_node_count(m); i++) {
        hd_node_kind(m, i);
        hd_node_options(m, i, values);
        hd_node_inputs(m, i, numbers);
        hd_node_activity_options(m, i, values);
    }
    for (int i = -1; i <= hd_weight_count(m); i++) {
        hd_weight_node(m, i);
        hd_weight_initializer_options(m, i, values);
        hd_weight_regularizer_options(m, i, values);
        hd_weight_gradient(m, i);
        hd_gradient_data(m, i);
    }
}

static hd_fit *open_fit(fuzz_bytes *b, hd_context *c, hd_model *m, hd_data *d)
{
    const double options[7] = { fuzz_size(b, FUZZ_ROWS), 1 + fuzz_pick(b, 3), fuzz_pick(b, 2), fuzz_byte(b), fuzz_rare(b, 16), fuzz_pick(b, 3),
                                fuzz_rare(b, 3) ? fuzz_pick(b, 4) : 1 };
    hd_fit *f = NULL;
    const bool fed = fuzz_rare(b, 6);
    MADE(c, (f = hd_fit_new(m, fed ? NULL : d, 0, fed ? 0 : hd_data_rows(d) + fuzz_rare(b, 16), options, fuzz_rare(b, 8) ? fuzz_pick(b, 8) : 7)) != NULL);
    return f;
}

/* Saves where a fit is, changes it perhaps, and sets the fit to it. */
static void restore(fuzz_bytes *b, hd_context *c, hd_fit *f)
{
    const size_t n = (size_t)hd_fit_state_size(f, 0), m = (size_t)hd_fit_state_size(f, 1);
    double *numbers = malloc(n * sizeof *numbers);
    hd_real *values = malloc(m * sizeof *values);
    hd_fit_save_state(f, numbers, values);
    const int changes = fuzz_pick(b, 4);
    for (int i = 0; i < changes && n; i++) {
        numbers[(size_t)fuzz_byte(b) % n] = fuzz_number(b);
    }
    if (changes && m && fuzz_rare(b, 4)) {
        values[(size_t)fuzz_byte(b) % m] = fuzz_rare(b, 2) ? (hd_real)NAN : (hd_real)1e30;
    }
    const int fewer = fuzz_rare(b, 16) && n ? 1 : 0;
    const int taken = GOOD(c, hd_fit_load_state(f, numbers, (int)n - fewer, values, (int)m));
    MUST(c, taken || changes || fewer);
    free(numbers);
    free(values);
}

static void step_fit(fuzz_bytes *b, hd_context *c, hd_model *m, hd_data *d, hd_fit *f)
{
    switch (fuzz_pick(b, 10)) {
    case 0:
        GOOD(c, hd_fit_batch(f, d));
        break;
    case 8:
        restore(b, c, f);
        break;
    case 9:
        GOOD(c, hd_fit_skip(f));
        break;
    case 1:
        GOOD(c, hd_fit_end_epoch(f));
        break;
    case 2:
        GOOD(c, hd_fit_set_learning_rate(f, fuzz_number(b)));
        break;
    case 3:
        for (int i = 0; i < hd_weight_count(m); i++) {
            hd_real *g = hd_gradient_data(m, i);
            if (g) {
                fuzz_fill(b, (size_t)fuzz_weight_size(m, i), g, 0);
            }
        }
        GOOD(c, hd_fit_apply_gradients(f, fuzz_rare(b, 4) ? fuzz_number(b) : 1, fuzz_size(b, FUZZ_ROWS)));
        break;
    default:
        GOOD(c, hd_fit_step(f, fuzz_size(b, 8)));
    }
    hd_fit_done(f);
    for (int i = -1; i <= HD_FIT_ARENA + 1; i++) {
        hd_fit_stat(f, i);
    }
    hd_fit_loss(f, fuzz_pick(b, 3) - 1);
    hd_fit_metric(f, fuzz_pick(b, 3) - 1, fuzz_pick(b, 20) - 1);
}

static void run(fuzz_bytes *b, hd_context *c, hd_model *m, hd_data *d)
{
    hd_fit *f = NULL;
    double loss;
    for (int n = 4 + fuzz_pick(b, 9); n > 0; n--) {
        const int what = fuzz_pick(b, 14);
        if (what < 6) {
            if (!f) {
                f = open_fit(b, c, m, d);
            } else {
                step_fit(b, c, m, d, f);
            }
        } else if (what == 6) {
            hd_fit_free(f);
            f = NULL;
        } else if (what == 7 || what == 8) {
            predict(b, c, m, d);
        } else if (what == 9) {
            evaluate(b, c, m, d);
        } else if (what == 10) {
            GOOD(c, hd_gradients(m, d, 0, hd_data_rows(d), fuzz_pick(b, 2), fuzz_rare(b, 4) ? fuzz_number(b) : 7, &loss));
        } else if (what == 11) {
            write(b, c, m);
        } else if (what == 12) {
            fuzz_weight(b, c, m);
        } else if (!f && fuzz_rare(b, 4)) {
            GOOD(c, hd_compile_reset(m));
        } else {
            GOOD(c, hd_context_set_threads(c, fuzz_rare(b, 2) ? 1 : 2));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_bytes b = { bytes, size };
    hd_context *c = fuzz_context();
    const double before = hd_context_memory(c, 0);
    fuzz_fail_allocation(&b, c);
    hd_model *m = fuzz_model(&b, c);
    hd_data *d = NULL;
    if (m && fuzz_is_small(m)) {
        const double seed = fuzz_rare(&b, 16) ? fuzz_number(&b) : fuzz_byte(&b);
        if (GOOD(c, hd_model_build(m, seed)) || GOOD(c, hd_model_build(m, 1))) {
            read_names(m);
            fuzz_compile(&b, c, m);
            d = fuzz_data(&b, c, m);
        }
    }
    if (d) {
        GOOD(c, hd_data_check(d));
        run(&b, c, m, d);
    }
    hd_model_free(m); /* with its fit */
    hd_data_free(d);
    fuzz_finish(c, before);
    return 0;
}
