/* Rewrites of plans change no value: a model in which they apply against one in which somebody looks at the value between,
 * so that they do not. */
#include "layer/window.h"
#include "model_kit.h"
#include "model/plan.h"

enum { SIDE = 6, MAX_VALUES = 4096 };

/* conv2d (linear) -> batchNorm (activation) -> maxPool2d -> dense. With `watched`, the normalisation or the convolution
 * is an output too, and its value must be there. */
typedef struct setting {
    hd_activation act;
    bool norm;    /* else the convolution has the activation itself */
    bool watched;
} setting;

/* Defaults of a class but for one option; their number. */
static int options_but(const char *kind, const char *name, double value, double *out)
{
    int n = 0;
    for (const hd_option *o = hd_layer_class_find(kind)->options; o->name; o++) {
        out[n++] = strcmp(o->name, name) ? o->def : value;
    }
    return n;
}

static hd_model *make_model(hd_context *c, setting s)
{
    hd_model *m = hd_model_new(c);
    int node = hd_input(m, "x", (int[]){ SIDE, SIDE, 3 }, 3), inner, norm;
    const double same[] = { 5, 1, 3, 0, HD_PADDING_SAME, 0, 0, 1, s.norm ? HD_LINEAR : s.act };
    inner = norm = node = hd_layer(m, "conv2d", "conv", &node, 1, same, 9);
    if (s.norm) {
        double options[16] = { 0 };
        int n = options_but("batchNorm", "activation", s.act, options);
        norm = node = hd_layer(m, "batchNorm", "norm", &node, 1, options, n);
    }
    node = hd_layer(m, "maxPool2d", "pool", &node, 1, (double[]){ 1, 3, 1, 2 }, 4);
    node = hd_layer(m, "flatten", "flat", &node, 1, NULL, 0);
    node = hd_layer(m, "dense", "y", &node, 1, (double[]){ 2 }, 1);
    CHECK(hd_output(m, node) == HD_OK);
    if (s.watched) {
        CHECK(hd_output(m, norm) == HD_OK && (inner == norm || hd_output(m, inner) == HD_OK));
    }
    if (hd_model_build(m, 3) || hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0)) {
        printf("%s\n", hd_error(c));
        CHECK(false);
    }
    kit_fill_weights(m, 11);
    return m;
}

/* Predictions, then, after `trained`, the gradients of all weights. */
static size_t values_of(setting s, bool training, hd_real *out)
{
    hd_context *c = hd_context_new(2);
    hd_model *m = make_model(c, s);
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    size_t n = kit_node_size(m, hd_output_node(m, 0)) * KIT_ROWS;
    double loss;
    CHECK(hd_predict(m, d, hd_output_node(m, 0), 0, KIT_ROWS, 2, out) == HD_OK);
    CHECK(hd_gradients(m, d, 0, KIT_ROWS, training, 5, &loss) == HD_OK);
    out[n++] = (hd_real)loss;
    for (int w = 0; w < hd_weight_count(m); w++) {
        if (!hd_weight_frozen(m, w)) {
            memcpy(out + n, hd_weight_gradient(m, w), kit_weight_size(m, w) * sizeof *out);
            n += kit_weight_size(m, w);
        }
    }
    CHECK(n <= MAX_VALUES);
    hd_data_free(d);
    hd_model_free(m);
    hd_context_free(c);
    return n;
}

static void check_same_values(void)
{
    static hd_real plain[MAX_VALUES], rewritten[MAX_VALUES];
    for (hd_activation act = HD_LINEAR; act < HD_SOFTMAX; act++) {
        for (int k = 0; k < 4; k++) {
            setting s = { act, k & 1, true };
            size_t n = values_of(s, k & 2, plain);
            s.watched = false;
            CHECK(values_of(s, k & 2, rewritten) == n);
            for (size_t i = 0; i < n; i++) {
                /* values bit for bit; gradients too, but where equal activations hide which input was the largest */
                CHECK(i < 2 * KIT_ROWS + 1 ? plain[i] == rewritten[i] : fabs((double)(plain[i] - rewritten[i])) <= 1e-4);
            }
        }
    }
}

/* Steps of the plan that predicts the output. */
static int steps(setting s)
{
    hd_context *c = hd_context_new(1);
    hd_model *m = make_model(c, s);
    hd_plan *p = hd_plan_new(m, HD_PLAN_PREDICT, (int[]){ hd_output_node(m, 0) }, 1, 2);
    int n = p->n_ops;
    hd_plan_free(p);
    hd_model_free(m);
    hd_context_free(c);
    return n;
}

/* Weights that changed are prepared anew: training, then writing them, each changes what a kept plan predicts. */
static void check_fresh(void)
{
    hd_context *c = hd_context_new(1);
    hd_model *m = make_model(c, (setting){ HD_RELU, true, false });
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    hd_real y[4][2 * KIT_ROWS];
    int node = hd_output_node(m, 0);
    CHECK(hd_optimizer_set(m, "sgd", (double[]){ 0.1 }, 1) == HD_OK);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[0]) == HD_OK);
    hd_fit *f = hd_fit_new(m, d, 0, KIT_ROWS, (double[]){ 5, 1 }, 2);
    CHECK(f && hd_fit_step(f, 1) == HD_OK);
    hd_fit_free(f);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[1]) == HD_OK);
    hd_weight_data(m, 0)[0] += 1;
    CHECK(hd_weights_check(m) == HD_OK);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, KIT_ROWS, y[2]) == HD_OK);
    CHECK(hd_predict(m, d, node, 0, KIT_ROWS, 2, y[3]) == HD_OK); /* another plan */
    CHECK(memcmp(y[0], y[1], sizeof *y) && memcmp(y[1], y[2], sizeof *y) && !memcmp(y[2], y[3], sizeof *y));
    hd_data_free(d);
    hd_model_free(m);
    hd_context_free(c);
}

/* A pass over several nodes, among them some whose values a rewritten plan never has; and when memory runs out, whichever
 * allocation it is, the model stays usable. */
static void check_pass(setting s)
{
    static hd_real all[MAX_VALUES], alone[MAX_VALUES];
    hd_context *c = hd_context_new(1);
    hd_model *m = make_model(c, s);
    hd_data *d = kit_data(c, m, hd_loss_class_find("meanSquaredError"));
    const char *const names[] = { "y", "x", "conv", "pool", s.norm ? "norm" : "conv", "flat" };
    enum { N = sizeof names / sizeof *names };
    for (int count = 1; count <= N; count++) {
        int nodes[N];
        size_t n = 0;
        for (int i = 0; i < count; i++) {
            nodes[i] = hd_node_find(m, names[i]);
            CHECK(hd_predict(m, d, nodes[i], 0, KIT_ROWS, 2, alone + n) == HD_OK);
            n += kit_node_size(m, nodes[i]) * KIT_ROWS;
        }
        CHECK(n <= MAX_VALUES);
        hd_status status = HD_ERR_MEMORY;
        for (int fail = 1; status; fail++) {
            CHECK(hd_predict(m, d, nodes[0], 0, KIT_ROWS, 1, all) == HD_OK); /* the kept plan is another */
            hd_context_fail_allocation(c, fail);
            status = hd_predict_nodes(m, d, nodes, count, 0, KIT_ROWS, 2, all);
            hd_context_fail_allocation(c, -1);
            CHECK(!status || status == HD_ERR_MEMORY);
        }
        CHECK(!memcmp(all, alone, n * sizeof *all));
    }
    hd_data_free(d);
    hd_model_free(m);
    hd_context_free(c);
}

int main(void)
{
    check_same_values();
    for (int norm = 0; norm < 2; norm++) {
        check_pass((setting){ HD_RELU, norm, false });
    }
    CHECK(steps((setting){ HD_RELU, true, false }) == 4 && steps((setting){ HD_RELU, true, true }) == 5);
    check_fresh();
    return check_result("rewrite");
}
