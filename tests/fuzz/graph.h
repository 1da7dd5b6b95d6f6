/* Random models and data for the fuzz programs: any layers on any nodes, options from the tables, right and wrong. */
#ifndef HD_TESTS_FUZZ_GRAPH_H
#define HD_TESTS_FUZZ_GRAPH_H

#include "fuzz.h"

enum { FUZZ_ROWS = 6, FUZZ_COST = 300000, FUZZ_WEIGHTS = 20000, FUZZ_VALUES = 20000 };

/* A class of one of the registry's lists. */
#define FUZZ_CLASS(b, kind) hd_##kind##_classes[fuzz_pick((b), fuzz_count((const void *const *)hd_##kind##_classes))]

static inline int fuzz_count(const void *const *classes)
{
    int n = 0;
    while (classes[n]) {
        n++;
    }
    return n;
}

/* Names mostly are new and short. */
static inline const char *fuzz_name(fuzz_bytes *b, char text[80], int number)
{
    static const char *const odd[] = { "", "/", "a/b", "n0", "%s%n%d", "\xff\xfe", "__proto__" };
    const int how = fuzz_byte(b);
    if (how >= 249) {
        return odd[how - 249];
    }
    if (how >= 244) { /* around the longest that is allowed */
        memset(text, 'x', 80);
        text[how - 244 + 61] = 0;
        return text;
    }
    snprintf(text, 80, "n%d", number);
    return text;
}

static inline void fuzz_input(fuzz_bytes *b, hd_context *c, hd_model *m)
{
    static const int ranks[] = { 3, 3, 3, 2, 2, 1, 1, 0, 4, 6, 7, -1 }, most[] = { 0, 16, 12, 6, 3, 2, 2, 2 };
    const int how = fuzz_byte(b), rank = ranks[how < 240 ? how % 9 : 9 + how % 3];
    int dims[8] = { 0 };
    for (int i = 0; i < rank && i < 6; i++) {
        dims[i] = fuzz_rare(b, 128) ? 1 << fuzz_pick(b, 31) : fuzz_size(b, most[rank]);
    }
    char text[80];
    MADE(c, hd_input(m, fuzz_name(b, text, hd_node_count(m)), dims, rank) >= 0);
}

static inline void fuzz_layer(fuzz_bytes *b, hd_context *c, hd_model *m)
{
    const hd_layer_class *class = FUZZ_CLASS(b, layer);
    double values[FUZZ_OPTIONS];
    int inputs[20];
    const int wanted = fuzz_byte(b), nodes = hd_node_count(m);
    int n = wanted < 248 ? class->min_inputs + (class->max_inputs > class->min_inputs ? wanted % 3 : 0) : wanted - 248;
    n = n > 20 ? 20 : n;
    for (int i = 0; i < n; i++) {
        const int which = fuzz_byte(b);
        inputs[i] = which >= 252 ? which - 253 + (which == 255) * 1000 : which >= 128 || !nodes ? nodes - 1 - i : which % nodes;
    }
    const int n_options = fuzz_options(b, class->options, values);
    char text[80];
    MADE(c, hd_layer(m, fuzz_rare(b, 256) ? "nothing" : class->name, fuzz_name(b, text, nodes), inputs, n, values, n_options) >= 0);
}

/* Hangs something on a weight. */
static inline void fuzz_weight(fuzz_bytes *b, hd_context *c, hd_model *m)
{
    const int n = hd_weight_count(m), which = fuzz_byte(b), kind = fuzz_pick(b, 5);
    const char *weight = n && which < 250 ? hd_weight_name(m, which % n) : "n0/none";
    double values[FUZZ_OPTIONS];
    if (kind == 3 || kind == 4) {
        values[0] = fuzz_rare(b, 4) ? fuzz_number(b) : fuzz_pick(b, 2);
        GOOD(c, hd_weight_set(m, weight, kind == 3 ? "frozen" : "learningRateFactor", values, fuzz_rare(b, 32) ? 0 : 1));
        return;
    }
    const char *name;
    const hd_option *options;
    if (kind == 0) {
        const hd_initializer_class *class = FUZZ_CLASS(b, initializer);
        name = class->name, options = class->options;
    } else if (kind == 1) {
        const hd_regularizer_class *class = FUZZ_CLASS(b, regularizer);
        name = class->name, options = class->options;
    } else {
        const hd_constraint_class *class = FUZZ_CLASS(b, constraint);
        name = class->name, options = class->options;
    }
    const int n_options = fuzz_options(b, options, values);
    GOOD(c, hd_weight_set(m, weight, name, values, n_options));
}

static inline void fuzz_activity(fuzz_bytes *b, hd_context *c, hd_model *m)
{
    const hd_activity_class *class = FUZZ_CLASS(b, activity);
    const char *node = hd_node_name(m, hd_node_count(m) - 1 - fuzz_pick(b, 3));
    double values[FUZZ_OPTIONS];
    const int n = fuzz_options(b, class->options, values);
    GOOD(c, hd_activity_set(m, node ? node : "none", class->name, values, n));
}

static inline double fuzz_product(const int *dims, int rank)
{
    double n = 1;
    for (int i = 0; i < rank; i++) {
        n *= dims[i];
    }
    return n;
}

static inline double fuzz_node_size(const hd_model *m, int node)
{
    int dims[6];
    return fuzz_product(dims, hd_node_shape(m, node, dims));
}

static inline double fuzz_weight_size(const hd_model *m, int weight)
{
    int dims[6];
    return fuzz_product(dims, hd_weight_shape(m, weight, dims));
}

/* Whether a model is small enough to be run many thousand times: every output may read every input. */
static inline bool fuzz_is_small(const hd_model *m)
{
    double cost = 0, weights = 0;
    for (int i = 0; i < hd_node_count(m); i++) {
        int inputs[16], n = hd_node_inputs(m, i, inputs);
        for (int k = 0; k < n; k++) {
            cost += fuzz_node_size(m, i) * fuzz_node_size(m, inputs[k]);
        }
        cost += fuzz_node_size(m, i);
    }
    for (int i = 0; i < hd_weight_count(m); i++) {
        weights += fuzz_weight_size(m, i);
    }
    return cost <= FUZZ_COST && weights <= FUZZ_WEIGHTS;
}

/* A model, not yet built; now and then a named one. */
static inline hd_model *fuzz_model(fuzz_bytes *b, hd_context *c)
{
    hd_model *m = NULL;
    if (!MADE(c, (m = hd_model_new(c)) != NULL)) {
        return NULL;
    }
    if (fuzz_rare(b, 24)) {
        const hd_recipe_class *class = FUZZ_CLASS(b, recipe);
        double values[FUZZ_OPTIONS];
        const int n = fuzz_options(b, class->options, values);
        if (!GOOD(c, hd_recipe(m, class->name, values, n))) {
            MUST(c, hd_node_count(m) == 0 && hd_weight_count(m) == 0); /* empty, as promised */
        }
        return m;
    }
    for (int n = fuzz_pick(b, 16) ? 1 : 3; n > 0; n--) {
        fuzz_input(b, c, m);
    }
    for (int n = 1 + fuzz_pick(b, 8); n > 0; n--) {
        const int nodes = hd_node_count(m), weights = hd_weight_count(m);
        fuzz_layer(b, c, m);
        MUST(c, hd_node_count(m) == nodes + (c->status == HD_OK) && (c->status == HD_OK || hd_weight_count(m) == weights));
    }
    for (int n = fuzz_pick(b, 5); n > 0; n--) {
        fuzz_weight(b, c, m);
    }
    if (fuzz_rare(b, 8)) {
        fuzz_activity(b, c, m);
    }
    for (int n = fuzz_pick(b, 4); n > 1; n--) {
        GOOD(c, hd_output(m, hd_node_count(m) - fuzz_pick(b, 5)));
    }
    return m;
}

/* --- compile ------------------------------------------------------------------------------------------ */

static inline void fuzz_loss(fuzz_bytes *b, hd_context *c, hd_model *m, int output)
{
    const hd_loss_class *class = FUZZ_CLASS(b, loss);
    double values[FUZZ_OPTIONS];
    const int n = fuzz_options(b, class->options, values);
    GOOD(c, hd_loss_add(m, output, class->name, fuzz_rare(b, 16) ? fuzz_number(b) : 1, values, n));
}

static inline void fuzz_metric(fuzz_bytes *b, hd_context *c, hd_model *m, int output)
{
    const hd_metric_class *class = FUZZ_CLASS(b, metric);
    double values[FUZZ_OPTIONS];
    const int n = fuzz_options(b, class->options, values);
    MADE(c, hd_metric_add(m, output, class->name, values, n) >= 0);
}

static inline void fuzz_optimizer(fuzz_bytes *b, hd_context *c, hd_model *m)
{
    const hd_optimizer_class *class = FUZZ_CLASS(b, optimizer);
    double values[FUZZ_OPTIONS];
    const int n = fuzz_options(b, class->options, values);
    GOOD(c, hd_optimizer_set(m, class->name, values, n));
}

static inline void fuzz_schedule(fuzz_bytes *b, hd_context *c, hd_model *m)
{
    const hd_schedule_class *class = FUZZ_CLASS(b, schedule);
    double values[FUZZ_OPTIONS];
    const int n = fuzz_options(b, class->options, values);
    GOOD(c, hd_schedule_set(m, class->name, values, n));
}

static inline void fuzz_compile(fuzz_bytes *b, hd_context *c, hd_model *m)
{
    for (int i = 0; i < hd_output_count(m); i++) {
        for (int tries = 1 + fuzz_pick(b, 2); tries > 0; tries--) {
            fuzz_loss(b, c, m, i);
        }
        if (fuzz_rare(b, 3)) {
            fuzz_metric(b, c, m, i);
        }
    }
    fuzz_optimizer(b, c, m);
    if (fuzz_rare(b, 4)) {
        fuzz_schedule(b, c, m);
    }
}

/* --- data --------------------------------------------------------------------------------------------- */

static inline void fuzz_column(fuzz_bytes *b, hd_context *c, hd_data *d, int role, int index, double size, int labels)
{
    const int how = fuzz_byte(b), type = how % 8 == 1 ? HD_UINT8 : HD_FLOAT;
    const int wanted = how >= 248 ? fuzz_size(b, 8) : (int)size;
    if (wanted > FUZZ_VALUES) {
        return;
    }
    const double scale = how >= 244 ? fuzz_number(b) : type == HD_UINT8 && !labels ? 1.0 / 255 : 1;
    void *x = NULL;
    if (!MADE(c, (x = hd_data_column(d, role, index, type, wanted, scale, how >= 252 ? fuzz_number(b) : 0)) != NULL)) {
        return;
    }
    const size_t n = (size_t)hd_data_rows(d) * (size_t)wanted;
    if (type == HD_FLOAT) {
        fuzz_fill(b, n, x, labels);
    } else {
        memset(x, labels ? fuzz_pick(b, labels) : fuzz_byte(b), n);
    }
}

/* Data that a model can mostly be trained on. NULL: refused. */
static inline hd_data *fuzz_data(fuzz_bytes *b, hd_context *c, const hd_model *m)
{
    hd_data *d = NULL;
    const int rows = fuzz_size(b, FUZZ_ROWS);
    if (rows > FUZZ_ROWS) {
        return NULL; /* allowed, but too much */
    }
    if (!MADE(c, (d = hd_data_new(c, rows)) != NULL)) {
        return NULL;
    }
    for (int i = 0; i < hd_input_count(m); i++) {
        fuzz_column(b, c, d, HD_COLUMN_INPUT, i, fuzz_node_size(m, hd_input_node(m, i)), 0);
    }
    for (int i = 0; i < hd_output_count(m); i++) {
        const int size = hd_target_size(m, i);
        int dims[6], rank = hd_node_shape(m, hd_output_node(m, i), dims);
        if (size) {
            fuzz_column(b, c, d, HD_COLUMN_TARGET, i, size, fuzz_rare(b, 2) ? 0 : rank > 0 && dims[rank - 1] < 256 ? dims[rank - 1] : 2);
        }
    }
    if (fuzz_rare(b, 8)) {
        fuzz_column(b, c, d, HD_COLUMN_WEIGHT, 0, 1, 3);
    }
    return d;
}

#endif
