/* What every example of every layer class must do, from the tables: shapes, gradients by central differences (float64
 * build), the same bits for 1, 2 and 4 threads, weights copied to another model give the same predictions, and each
 * single failed allocation is reported and leaves no memory behind. */
#include "model_kit.h"

/* How the example's inputs reach the layer, so that its input gradients show in weights: directly; through a dense or a
 * bilinear layer (batch-first or rows-first); or to two copies of the layer that are added (gradients that add up). */
typedef enum wiring { DIRECT, THROUGH_DENSE, THROUGH_BILINEAR, TWICE, WIRINGS } wiring;

static int wire_input(hd_model *m, const hd_shape *s, int i, wiring how)
{
    char name[16] = "x0", before[16] = "before0";
    name[1] = before[6] = (char)('0' + i);
    int x = hd_input(m, name, s->dim, s->rank);
    if (x < 0 || how == DIRECT) {
        return x;
    }
    if (how == THROUGH_BILINEAR) {
        return hd_layer(m, "bilinear", before, &x, 1, (double[]){ s->dim[0], s->dim[1] }, 2);
    }
    return hd_layer(m, "dense", before, &x, 1, (double[]){ s->dim[s->rank - 1] }, 1);
}

static bool wireable(const hd_example *e, wiring how)
{
    for (int i = 0; i < e->n_in; i++) {
        if (how != DIRECT && (e->in[i].rank < 1 || (how == THROUGH_BILINEAR && e->in[i].rank != 2))) {
            return false;
        }
    }
    return true;
}

/* NULL: an allocation failed. */
static hd_model *make_model(hd_context *c, const hd_layer_class *class, const hd_example *e, wiring how)
{
    hd_model *m = hd_model_new(c);
    int inputs[3] = { 0 }, bad = !m;
    for (int i = 0; i < e->n_in && !bad; i++) {
        inputs[i] = wire_input(m, &e->in[i], i, how);
        bad = inputs[i] < 0;
    }
    int node = bad ? -1 : hd_layer(m, class->name, "tested", inputs, e->n_in, e->options, e->n_options);
    if (node >= 0 && how == TWICE) {
        int second = hd_layer(m, class->name, "again", inputs, e->n_in, e->options, e->n_options);
        node = second < 0 ? -1 : hd_layer(m, "add", "sum", (int[]){ node, second }, 2, NULL, 0);
    }
    if (node < 0 || hd_model_build(m, 3) || hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0)) {
        hd_model_free(m);
        return NULL;
    }
    kit_fill_weights(m, 11);
    return m;
}

static double loss_at(hd_model *m, hd_data *d)
{
    double loss = NAN;
    CHECK(hd_weights_check(m) == HD_OK);
    CHECK(hd_gradients(m, d, 0, KIT_ROWS, 1, 17, &loss) == HD_OK);
    return loss;
}

#ifdef HD_FLOAT64
/* Central differences with two step sizes, extrapolated. Elements where a kink lies between show as a large difference
 * of the two and are left out; at most a few may be. */
static void check_gradient(hd_model *m, hd_data *d, const char *name)
{
    int kinks = 0, elements = 0;
    for (int w = 0; w < hd_weight_count(m); w++) {
        size_t n = hd_weight_frozen(m, w) ? 0 : kit_weight_size(m, w), stride = n / 24 + 1;
        for (size_t i = 0; i < n; i += stride) {
            loss_at(m, d);
            double analytic = hd_weight_gradient(m, w)[i], slope[2];
            hd_real *x = &hd_weight_data(m, w)[i], keep = *x;
            for (int k = 0; k < 2; k++) {
                double h = k ? 5e-6 : 1e-5;
                *x = keep + h;
                double up = loss_at(m, d);
                *x = keep - h;
                slope[k] = (up - loss_at(m, d)) / (2 * h);
                *x = keep;
            }
            elements++;
            if (fabs(slope[0] - slope[1]) > 1e-7 * (1 + fabs(slope[0]))) {
                kinks++;
                continue;
            }
            double error = fabs(analytic - slope[1]) / (1 + fabs(analytic));
            if (!(error <= 2e-7)) {
                printf("%s, weight %s[%d]: %.9g, numerically %.9g\n", name, hd_weight_name(m, w), (int)i, analytic, slope[1]);
            }
            CHECK(error <= 2e-7);
        }
    }
    CHECK(kinks * 10 <= elements);
}
#else
static void check_gradient(hd_model *m, hd_data *d, const char *name)
{
    (void)name;
    CHECK(isfinite(loss_at(m, d)));
}
#endif

static void check_threads(const hd_layer_class *class, const hd_example *e, wiring how)
{
    hd_real first[4096] = { 0 };
    for (int threads = 1; threads <= 4; threads *= 2) {
        hd_context *c = hd_context_new(threads);
        double before = hd_context_memory(c, 0);
        hd_model *m = make_model(c, class, e, how);
        hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
        loss_at(m, d);
        size_t used = 0;
        for (int w = 0; w < hd_weight_count(m); w++) {
            size_t n = hd_weight_frozen(m, w) ? 0 : kit_weight_size(m, w);
            CHECK(used + n <= sizeof first / sizeof *first);
            if (n == 0) {
                continue;
            }
            if (threads == 1) {
                memcpy(first + used, hd_weight_gradient(m, w), n * sizeof *first);
            } else {
                CHECK(!memcmp(first + used, hd_weight_gradient(m, w), n * sizeof *first));
            }
            used += n;
        }
        hd_data_free(d);
        hd_model_free(m);
        CHECK(hd_context_memory(c, 0) == before);
        hd_context_free(c);
    }
}

static void check_copy(const hd_layer_class *class, const hd_example *e)
{
    hd_context *c = hd_context_new(1);
    hd_model *a = make_model(c, class, e, DIRECT), *b = make_model(c, class, e, DIRECT);
    hd_data *d = kit_data(c, a, NULL);
    kit_fill_weights(a, 23);
    for (int w = 0; w < hd_weight_count(a); w++) {
        memcpy(hd_weight_data(b, w), hd_weight_data(a, w), kit_weight_size(a, w) * sizeof(hd_real));
    }
    int node = hd_output_node(a, 0);
    size_t n = kit_node_size(a, node) * KIT_ROWS;
    hd_real *ya = malloc(n * sizeof *ya), *yb = malloc(n * sizeof *yb);
    CHECK(hd_predict(a, d, node, 0, KIT_ROWS, KIT_ROWS, ya) == HD_OK);
    CHECK(hd_predict(b, d, node, 0, KIT_ROWS, 2, yb) == HD_OK); /* in batches of 2, 2, 1 */
    for (size_t i = 0; i < n; i++) {
        NEAR(ya[i], yb[i], 1e-5 * (1 + fabs((double)ya[i])));
    }
    free(ya);
    free(yb);
    hd_data_free(d);
    hd_model_free(a);
    hd_model_free(b);
    hd_context_free(c);
}

/* Builds, loads data and runs with the n-th allocation failing, until all succeed. */
static void check_allocations(const hd_layer_class *class, const hd_example *e)
{
    hd_context *c = hd_context_new(1);
    double before = hd_context_memory(c, 0);
    bool failed = true;
    for (int n = 1; failed && n < 500; n++) {
        hd_context_fail_allocation(c, n);
        hd_model *m = make_model(c, class, e, DIRECT);
        hd_data *d = m ? kit_data(c, m, hd_loss_class_find("meanSquaredError")) : NULL;
        double loss;
        failed = !d || hd_gradients(m, d, 0, KIT_ROWS, 0, 0, &loss) != HD_OK;
        CHECK(!failed || (hd_error_status(c) == HD_ERR_MEMORY && strstr(hd_error(c), "memory")));
        hd_data_free(d);
        hd_model_free(m);
        CHECK(hd_context_memory(c, 0) == before);
    }
    CHECK(!failed);
    hd_context_free(c);
}

int main(void)
{
    for (int i = 0; hd_layer_classes[i]; i++) {
        const hd_layer_class *class = hd_layer_classes[i];
        CHECK(class->examples && class->examples[0].n_in > 0);
        for (const hd_example *e = class->examples; e->n_in; e++) {
            for (wiring how = DIRECT; how < WIRINGS; how++) {
                if (!wireable(e, how)) {
                    continue;
                }
                hd_context *c = hd_context_new(1);
                hd_model *m = make_model(c, class, e, how);
                if (!m) {
                    printf("%s, example %d: %s\n", class->name, (int)(e - class->examples), hd_error(c));
                }
                CHECK(m);
                hd_data *d = m ? kit_data(c, m, hd_loss_class_find("meanSquaredError")) : NULL;
                if (d && hd_weight_count(m)) {
                    check_gradient(m, d, class->name);
                    check_threads(class, e, how);
                }
                hd_data_free(d);
                hd_model_free(m);
                hd_context_free(c);
            }
            check_copy(class, e);
            check_allocations(class, e);
        }
    }
    return check_result("layer_table");
}
