/* What every loss, optimiser, constraint, regulariser and initialiser class must do, from the tables: gradients by central
 * differences (float64 build), training that lowers the loss, the same bits for 1, 2 and 4 threads, and each failed
 * allocation reported without a leak. */
#include "model_kit.h"

/* What is compiled on the test network; NULL: the default. */
typedef struct setting {
    const hd_loss_class *loss;
    const hd_loss_example *example;
    const char *optimizer, *constraint, *regularizer, *initializer, *activity;
    hd_activation output;
} setting;

static const hd_loss_class *loss_named(const char *name)
{
    const hd_loss_class *class = hd_loss_class_find(name);
    CHECK(class);
    return class;
}

/* 4 x 3 input, a sigmoid bilinear and a dense layer shaped as the loss's example asks. NULL: an allocation failed. */
static hd_model *make_model(hd_context *c, const setting *s)
{
    hd_model *m = hd_model_new(c);
    if (!m) {
        return NULL;
    }
    const hd_shape *out = &s->example->shape;
    double units = (double)hd_shape_size(out), dims[1 + HD_MAX_RANK] = { out->rank };
    for (int i = 0; i < out->rank; i++) {
        dims[1 + i] = out->dim[i];
    }
    int x = hd_input(m, "x", (int[]){ 4, 3 }, 2);
    int h = x < 0 ? -1 : hd_layer(m, "bilinear", "hidden", &x, 1, (double[]){ 3, 4, HD_SIGMOID }, 3);
    int f = h < 0 ? -1 : hd_layer(m, "flatten", "flat", &h, 1, NULL, 0);
    int d = f < 0 ? -1 : hd_layer(m, "dense", "dense", &f, 1, &units, 1);
    int r = d < 0 ? -1 : hd_layer(m, "reshape", "shape", &d, 1, dims, 1 + out->rank);
    int y = r < 0 ? -1 : hd_layer(m, "activation", "output", &r, 1, (double[]){ s->output }, 1);
    bool bad = y < 0;
    bad = bad || (s->constraint && hd_weight_set(m, "hidden/U", s->constraint, NULL, 0));
    bad = bad || (s->regularizer && hd_weight_set(m, "dense/kernel", s->regularizer, NULL, 0));
    bad = bad || (s->initializer && hd_weight_set(m, "hidden/V", s->initializer, NULL, 0));
    bad = bad || (s->activity && hd_activity_set(m, "hidden", s->activity, NULL, 0));
    bad = bad || hd_model_build(m, 3);
    bad = bad || hd_loss_add(m, 0, s->loss->name, 1, s->example->options, s->example->n_options);
    bad = bad || (s->optimizer && hd_optimizer_set(m, s->optimizer, NULL, 0));
    if (bad) {
        hd_model_free(m);
        return NULL;
    }
    return m;
}

static setting with_loss(const char *name)
{
    const hd_loss_class *loss = loss_named(name);
    return (setting){ .loss = loss, .example = loss->examples };
}

#ifdef HD_FLOAT64
static double loss_at(hd_model *m, hd_data *d)
{
    double loss = NAN;
    CHECK(hd_weights_check(m) == HD_OK);
    CHECK(hd_gradients(m, d, 0, KIT_ROWS, 0, 0, &loss) == HD_OK);
    return loss;
}

static void check_gradient(const setting *s, const char *name)
{
    hd_context *c = hd_context_new(1);
    hd_model *m = make_model(c, s);
    CHECK(m);
    hd_data *d = kit_data(c, m, s->loss);
    for (int w = 0; w < hd_weight_count(m); w++) {
        for (size_t i = 0; i < kit_weight_size(m, w); i += 3) {
            loss_at(m, d);
            double analytic = hd_weight_gradient(m, w)[i], h = 1e-6;
            hd_real *x = &hd_weight_data(m, w)[i], keep = *x;
            *x = keep + h;
            double up = loss_at(m, d);
            *x = keep - h;
            double numeric = (up - loss_at(m, d)) / (2 * h);
            *x = keep;
            if (!(fabs(analytic - numeric) <= 1e-7 * (1 + fabs(analytic)))) {
                printf("%s: %s[%d]: %.9g, numerically %.9g\n", name, hd_weight_name(m, w), (int)i, analytic, numeric);
            }
            NEAR(analytic, numeric, 1e-7 * (1 + fabs(analytic)));
        }
    }
    hd_data_free(d);
    hd_model_free(m);
    hd_context_free(c);
}
#else
static void check_gradient(const setting *s, const char *name)
{
    (void)s, (void)name;
}
#endif

/* Trains a few epochs; the weights go to `weights`, the first and last loss to `losses`. */
static hd_status train(const setting *s, int threads, int fail_at, hd_real *weights, double *losses)
{
    hd_context *c = hd_context_new(threads);
    double before = hd_context_memory(c, 0);
    hd_context_fail_allocation(c, fail_at);
    hd_model *m = make_model(c, s);
    hd_data *d = m ? kit_data(c, m, s->loss) : NULL;
    const double size = s->loss->batch ? KIT_ROWS : 2; /* two scores say no more than their order */
    hd_fit *f = d ? hd_fit_new(m, d, 0, KIT_ROWS, (double[]){ size, 40, 1, 5 }, 4) : NULL;
    hd_status status = f ? HD_OK : hd_error_status(c);
    while (f && !status && !hd_fit_done(f)) {
        status = hd_fit_step(f, 100);
        if (hd_fit_stat(f, HD_FIT_EPOCH) == 1 && hd_fit_stat(f, HD_FIT_BATCH) == 0) {
            losses[0] = hd_fit_stat(f, HD_FIT_LOSS);
        }
        losses[1] = hd_fit_stat(f, HD_FIT_LOSS);
    }
    CHECK(!status || (fail_at && status == HD_ERR_MEMORY));
    if (status && !fail_at) {
        printf("%s\n", hd_error(c));
    }
    hd_fit_free(f);
    size_t used = 0;
    for (int w = 0; !status && w < hd_weight_count(m); w++) {
        memcpy(weights + used, hd_weight_data(m, w), kit_weight_size(m, w) * sizeof *weights);
        used += kit_weight_size(m, w);
    }
    hd_data_free(d);
    hd_model_free(m);
    CHECK(hd_context_memory(c, 0) == before);
    hd_context_free(c);
    return status;
}

enum { MAX_WEIGHTS = 512 };

static void check_bits(const setting *s)
{
    hd_real one[MAX_WEIGHTS] = { 0 }, more[MAX_WEIGHTS] = { 0 };
    double losses[2] = { 0 };
    CHECK(train(s, 1, 0, one, losses) == HD_OK);
    for (int threads = 2; threads <= 4; threads += 2) {
        CHECK(train(s, threads, 0, more, losses) == HD_OK);
        CHECK(!memcmp(one, more, sizeof one));
    }
    int n = 1;
    while (n < 500 && train(s, 1, n, more, losses) != HD_OK) {
        n++;
    }
    CHECK(n < 500);
}

static void check_training(const setting *s, const char *name)
{
    hd_real weights[MAX_WEIGHTS];
    double losses[2] = { 0 };
    CHECK(train(s, 1, 0, weights, losses) == HD_OK);
    if (!(losses[1] < losses[0])) {
        printf("%s: loss %g, then %g\n", name, losses[0], losses[1]);
    }
    CHECK(losses[1] < losses[0]);
    check_bits(s);
}

static void check_losses(void)
{
    for (int i = 0; hd_loss_classes[i]; i++) {
        const hd_loss_class *class = hd_loss_classes[i];
        for (const hd_loss_example *e = class->examples; e->shape.rank; e++) {
            hd_activation positive = class == loss_named("poisson") ? HD_SOFTPLUS : HD_LINEAR;
            setting s = { .loss = class, .example = e, .optimizer = "adam", .output = positive };
            if (class->fuses != HD_LINEAR) {
                s.output = class->fuses; /* from logits */
            }
            check_gradient(&s, class->name);
            check_training(&s, class->name);
            if (class->fuses == HD_SOFTMAX) { /* from values that need not sum to 1 */
                s.output = HD_SIGMOID;
                check_gradient(&s, class->name);
            }
        }
    }
}

int main(void)
{
    check_losses();
    for (int i = 0; hd_optimizer_classes[i]; i++) {
        setting s = with_loss("meanSquaredError");
        s.optimizer = hd_optimizer_classes[i]->name;
        s.regularizer = "l2";
        s.constraint = "unitNorm";
        check_training(&s, s.optimizer);
    }
    for (int i = 0; hd_constraint_classes[i]; i++) {
        setting s = with_loss("huber");
        s.optimizer = "sgd";
        s.constraint = hd_constraint_classes[i]->name;
        check_training(&s, s.constraint);
    }
    for (int i = 0; hd_regularizer_classes[i]; i++) {
        setting s = with_loss("meanSquaredError");
        s.optimizer = "rmsprop";
        s.regularizer = hd_regularizer_classes[i]->name;
        check_gradient(&s, s.regularizer);
        check_training(&s, s.regularizer);
    }
    for (int i = 0; hd_initializer_classes[i]; i++) {
        setting s = with_loss("meanAbsoluteError");
        s.optimizer = "adam";
        s.initializer = hd_initializer_classes[i]->name;
        check_training(&s, s.initializer);
    }
    for (int i = 0; hd_activity_classes[i]; i++) {
        setting s = with_loss("meanSquaredError");
        s.activity = hd_activity_classes[i]->name;
        s.optimizer = "lbfgs";
        check_gradient(&s, s.activity);
        check_training(&s, s.activity);
        s.optimizer = "adam"; /* the running means start at rho, so its loss may first rise */
        check_bits(&s);
    }
    return check_result("training_table");
}
