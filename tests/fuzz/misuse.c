/* Fuzz program: calls in any order on several models, data, fits and sums at once, in states that no binding would bring
 * about: unbuilt, uncompiled, half evaluated, another model's data. What must outlive another handle does. */
#include "graph.h"

enum { SOME = 3 };

typedef struct world {
    fuzz_bytes *b;
    hd_context *c;
    hd_model *model[SOME];
    hd_data *data[SOME];
    hd_fit *fit[SOME]; /* of model [i], and */
    int of[SOME];      /* its data */
    hd_gram *gram;
    hd_admm *admm;
} world;

static bool in_use(const world *w, int data)
{
    for (int i = 0; i < SOME; i++) {
        if (w->fit[i] && w->of[i] == data) {
            return true;
        }
    }
    return false;
}

static void make(world *w, int i)
{
    fuzz_bytes *b = w->b;
    const int what = fuzz_pick(b, 4);
    if (what == 0 && w->model[i]) {
        hd_model_free(w->model[i]);
        w->model[i] = NULL;
        w->fit[i] = NULL; /* freed with it */
    } else if (what == 0) {
        w->model[i] = fuzz_model(b, w->c);
    } else if (!in_use(w, i)) {
        hd_data_free(w->data[i]);
        w->data[i] = w->model[i] && fuzz_is_small(w->model[i]) ? fuzz_data(b, w->c, w->model[i]) : NULL;
    }
}

/* Building on: at any time, also when it is too late. */
static void extend(world *w, hd_model *m)
{
    fuzz_bytes *b = w->b;
    switch (fuzz_pick(b, 8)) {
    case 0:
        fuzz_input(b, w->c, m);
        break;
    case 1:
        fuzz_layer(b, w->c, m);
        break;
    case 2:
        fuzz_weight(b, w->c, m);
        break;
    case 3:
        fuzz_activity(b, w->c, m);
        break;
    case 4:
        GOOD(w->c, hd_output(m, fuzz_pick(b, 8) - 1));
        break;
    default:
        if (fuzz_is_small(m)) {
            GOOD(w->c, hd_model_build(m, fuzz_byte(b)));
        }
    }
}

static void compile(world *w, hd_model *m)
{
    fuzz_bytes *b = w->b;
    const int output = fuzz_pick(b, 4) - fuzz_rare(b, 16);
    switch (fuzz_pick(b, 8)) {
    case 0:
        GOOD(w->c, hd_compile_reset(m));
        break;
    case 1:
        fuzz_metric(b, w->c, m, output);
        break;
    case 2:
        fuzz_schedule(b, w->c, m);
        break;
    case 3:
    case 4:
        fuzz_optimizer(b, w->c, m);
        break;
    default:
        fuzz_loss(b, w->c, m, output);
    }
}

static void train(world *w, int i, hd_model *m, int of)
{
    fuzz_bytes *b = w->b;
    hd_data *d = w->data[of];
    hd_fit *f = w->fit[i];
    if (!f && d) {
        const double options[] = { fuzz_size(b, FUZZ_ROWS), 1 + fuzz_pick(b, 3), 1, 3 };
        const bool fed = fuzz_rare(b, 4);
        if (MADE(w->c, (f = hd_fit_new(m, fed ? NULL : d, 0, fed ? 0 : hd_data_rows(d), options, 4)) != NULL)) {
            w->fit[i] = f;
            w->of[i] = fed ? -1 : of;
        }
    } else if (f && fuzz_rare(b, 6)) {
        hd_fit_free(f);
        w->fit[i] = NULL;
    } else if (f && d && fuzz_rare(b, 3)) {
        GOOD(w->c, hd_fit_batch(f, d));
        GOOD(w->c, hd_fit_end_epoch(f));
    } else if (f) {
        GOOD(w->c, hd_fit_step(f, fuzz_pick(b, 4)));
    }
}

static void use(world *w, hd_model *m, hd_data *d)
{
    fuzz_bytes *b = w->b;
    const int rows = hd_data_rows(d), node = fuzz_pick(b, hd_node_count(m) + 2) - 1;
    double loss;
    switch (fuzz_pick(b, 8)) {
    case 0:
        GOOD(w->c, hd_evaluate_begin(m, fuzz_size(b, FUZZ_ROWS)));
        break;
    case 1:
        GOOD(w->c, hd_evaluate_rows(m, d, 0, rows));
        break;
    case 2:
        GOOD(w->c, hd_evaluate_end(m));
        hd_evaluate_total(m);
        hd_evaluate_loss(m, fuzz_pick(b, 34) - 1);
        hd_evaluate_metric(m, fuzz_pick(b, 34) - 1, fuzz_pick(b, 20) - 1);
        break;
    case 3:
        GOOD(w->c, hd_gradients(m, d, 0, rows, 1, 5, &loss));
        break;
    case 4:
        GOOD(w->c, hd_optimizer_restore(m, fuzz_byte(b)));
        hd_optimizer_slot(m, fuzz_pick(b, 4) - 1, fuzz_pick(b, 8) - 1);
        hd_activity_mean(m, node);
        break;
    case 5:
        if (w->gram) {
            GOOD(w->c, hd_gram_add(w->gram, fuzz_rare(b, 4) ? NULL : m, node, d, 0, rows, fuzz_size(b, FUZZ_ROWS), 1, fuzz_pick(b, 3)));
        }
        break;
    default: {
        const double size = node >= 0 && node < hd_node_count(m) ? fuzz_node_size(m, node) : 0;
        hd_real *y = size <= FUZZ_VALUES ? malloc((size_t)size * (size_t)rows * sizeof *y) : NULL;
        if (y) {
            GOOD(w->c, hd_predict(m, d, node, 0, rows, fuzz_size(b, FUZZ_ROWS), y));
        }
        free(y);
    }
    }
}

static void sums(world *w)
{
    if (!w->gram) {
        MADE(w->c, (w->gram = hd_gram_new(w->c, fuzz_size(w->b, 12), fuzz_size(w->b, 4))) != NULL);
    } else if (!w->admm) {
        MADE(w->c, (w->admm = hd_admm_new(w->gram, fuzz_pick(w->b, 3), fuzz_pick(w->b, 3))) != NULL);
        if (fuzz_rare(w->b, 4)) { /* its sums were copied */
            hd_gram_free(w->gram);
            w->gram = NULL;
        }
    } else if (fuzz_rare(w->b, 3)) {
        hd_admm_free(w->admm);
        w->admm = NULL;
    } else {
        GOOD(w->c, hd_admm_step(w->admm, fuzz_pick(w->b, 4)));
    }
}

static void step(world *w)
{
    const int what = fuzz_pick(w->b, 16), i = fuzz_pick(w->b, SOME), k = fuzz_rare(w->b, 4) ? fuzz_pick(w->b, SOME) : i;
    hd_model *m = w->model[i];
    if (what < 3 || !m) {
        make(w, i);
    } else if (what == 3) {
        sums(w);
    } else if (what < 6) {
        extend(w, m);
    } else if (what < 9) {
        compile(w, m);
    } else if (what < 12 && fuzz_is_small(m)) {
        train(w, i, m, k);
    } else if (what < 15 && w->data[k] && fuzz_is_small(m)) {
        use(w, m, w->data[k]);
    } else {
        GOOD(w->c, hd_context_set_threads(w->c, fuzz_size(w->b, 3)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_bytes b = { bytes, size };
    world w = { .b = &b, .c = fuzz_context() };
    const double before = hd_context_memory(w.c, 0);
    fuzz_fail_allocation(&b, w.c);
    for (int n = 0; n < 60 && b.left; n++) {
        step(&w);
    }
    for (int i = 0; i < SOME; i++) {
        if (fuzz_rare(&b, 2)) {
            hd_fit_free(w.fit[i]);
        }
        hd_model_free(w.model[i]);
    }
    for (int i = 0; i < SOME; i++) {
        hd_data_free(w.data[i]);
    }
    hd_admm_free(w.admm);
    hd_gram_free(w.gram);
    fuzz_finish(w.c, before);
    return 0;
}
