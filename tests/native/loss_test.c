/* Losses against plain formulas of Keras's definitions (float64, libm), gradients against central differences (float64
 * build), and what must hold exactly: log K at zero, rows that sum to 0, finite values far out, equal bits on any threads. */
#include "check.h"
#include "heddle.h"
#include "loss/loss.h"
#include "model/registry.h"

#include <stdlib.h>

enum { N = 5, ROWS = 2, ROW = 3, SIZE = ROWS * ROW, ALL = N * SIZE };

#ifdef HD_FLOAT64
static const double TOL = 1e-13;
#else
static const double TOL = 2e-6;
#endif

static hd_context *context;

/* --- the same losses, plainly: one sample ------------------------------------------------------------- */

typedef double plain_loss(const double *opt, const double *y, const double *t);

static double clip(double p)
{
    return fmin(fmax(p, 1e-7), 1 - 1e-7);
}

static double plain_mse(const double *opt, const double *y, const double *t)
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++) {
        sum += (y[i] - t[i]) * (y[i] - t[i]);
    }
    return opt[0] == 1 ? sum / 2 : sum / SIZE;
}

static double plain_mae(const double *opt, const double *y, const double *t)
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++) {
        sum += fabs(y[i] - t[i]);
    }
    return (void)opt, sum / SIZE;
}

static double plain_huber(const double *opt, const double *y, const double *t)
{
    double sum = 0, d = opt[0];
    for (int i = 0; i < SIZE; i++) {
        double a = fabs(y[i] - t[i]);
        sum += a <= d ? 0.5 * a * a : d * a - 0.5 * d * d;
    }
    return sum / SIZE;
}

static double plain_smooth(const double *opt, const double *y, const double *t)
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++) {
        double a = fabs(y[i] - t[i]);
        sum += a <= opt[0] ? 0.5 * a * a / opt[0] : a - 0.5 * opt[0];
    }
    return sum / SIZE;
}

static double plain_poisson(const double *opt, const double *y, const double *t)
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++) {
        sum += y[i] - t[i] * log(y[i] + 1e-7);
    }
    return (void)opt, sum / SIZE;
}

static double plain_binary(const double *opt, const double *y, const double *t)
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++) {
        double v = t[i] * (1 - opt[0]) + 0.5 * opt[0], p = clip(y[i]);
        sum -= v * log(p) + (1 - v) * log(1 - p);
    }
    return sum / SIZE;
}

static double plain_binary_logits(const double *opt, const double *y, const double *t)
{
    double p[SIZE];
    for (int i = 0; i < SIZE; i++) {
        p[i] = 1 / (1 + exp(-y[i]));
    }
    return plain_binary(opt, p, t);
}

static double plain_categorical(const double *opt, const double *y, const double *t)
{
    double loss = 0;
    for (int r = 0; r < ROWS; r++) {
        double sum = y[r * ROW] + y[r * ROW + 1] + y[r * ROW + 2];
        for (int k = 0; k < ROW; k++) {
            loss -= (t[r * ROW + k] * (1 - opt[0]) + opt[0] / ROW) * log(clip(y[r * ROW + k] / sum));
        }
    }
    return loss / ROWS;
}

static double plain_categorical_logits(const double *opt, const double *y, const double *t)
{
    double p[SIZE];
    for (int i = 0; i < SIZE; i++) {
        p[i] = exp(y[i]);
    }
    return plain_categorical(opt, p, t);
}

static double plain_sparse(const double *opt, const double *y, const double *t)
{
    double one_hot[SIZE] = { 0 }, none = 0;
    for (int r = 0; r < ROWS; r++) {
        one_hot[r * ROW + (int)t[r]] = 1;
    }
    return (void)opt, plain_categorical(&none, y, one_hot);
}

static double plain_sparse_logits(const double *opt, const double *y, const double *t)
{
    double p[SIZE];
    for (int i = 0; i < SIZE; i++) {
        p[i] = exp(y[i]);
    }
    return plain_sparse(opt, p, t);
}

static double plain_logistic_mse(const double *opt, const double *y, const double *t)
{
    double sum = 0; /* both classes' squared errors for label 1 and -1, the label's chance being (1 + t) / 2 */
    for (int i = 0; i < SIZE; i++) {
        double p = 1 / (1 + exp(-y[i])), chance = (1 + t[i]) / 2;
        sum += chance * 2 * (1 - p) * (1 - p) + (1 - chance) * 2 * p * p;
    }
    return (void)opt, sum / SIZE;
}

typedef struct subject {
    const char *name;
    double option;
    bool logits, positive; /* positive: y in (0.05, 1) */
    plain_loss *plain;
} subject;

static const subject subjects[] = {
    { "meanSquaredError", 0, false, false, plain_mse },
    { "meanSquaredError", 1, false, false, plain_mse },
    { "meanAbsoluteError", 0, false, false, plain_mae },
    { "huber", 1, false, false, plain_huber },
    { "huber", 0.3, false, false, plain_huber },
    { "smoothL1", 1, false, false, plain_smooth },
    { "smoothL1", 0.3, false, false, plain_smooth },
    { "poisson", 0, false, true, plain_poisson },
    { "logisticMse", 0, false, false, plain_logistic_mse },
    { "binaryCrossentropy", 0, false, true, plain_binary },
    { "binaryCrossentropy", 0.2, false, true, plain_binary },
    { "binaryCrossentropy", 0, true, false, plain_binary_logits },
    { "binaryCrossentropy", 0.2, true, false, plain_binary_logits },
    { "categoricalCrossentropy", 0, false, true, plain_categorical },
    { "categoricalCrossentropy", 0.1, false, true, plain_categorical },
    { "categoricalCrossentropy", 0, true, false, plain_categorical_logits },
    { "categoricalCrossentropy", 0.1, true, false, plain_categorical_logits },
    { "sparseCategoricalCrossentropy", 0, false, true, plain_sparse },
    { "sparseCategoricalCrossentropy", 0, true, false, plain_sparse_logits },
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

/* --- one batch ---------------------------------------------------------------------------------------- */

typedef struct batch {
    const hd_loss_class *class;
    hd_values opt;
    hd_loss_run run;
    real y[ALL], x[ALL], target[ALL], weight[N], dy[ALL];
} batch;

static double uniform(void)
{
    static unsigned long long state = 12345;
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void make(batch *b, const subject *s)
{
    b->class = hd_loss_class_find(s->name);
    CHECK(b->class);
    CHECK(hd_options_read(context, s->name, b->class->options, &s->option, b->class->options != NULL, &b->opt) == HD_OK);
    for (int i = 0; i < ALL; i++) {
        b->x[i] = (real)(s->positive ? 0.05 + 0.9 * uniform() : 4 * uniform() - 2);
        b->target[i] = (real)(b->class->sparse ? floor(ROW * uniform()) : uniform());
    }
    for (int i = 0; i < N; i++) {
        b->weight[i] = (real)(i == 2 ? 0 : 0.5 + uniform());
    }
    b->run = (hd_loss_run){ .pool = context->pool, .opt = &b->opt, .n = N, .size = SIZE, .row = ROW, .logits = s->logits,
                            .y = b->y, .target = b->target, .weight = b->weight, .scale = 0.25, .dy = b->dy };
}

static double evaluate(batch *b)
{
    memcpy(b->y, b->x, sizeof b->y);
    return b->class->run(&b->run);
}

static double plainly(const batch *b, const subject *s)
{
    double total = 0, y[SIZE], t[SIZE];
    int targets = b->class->sparse ? ROWS : SIZE;
    for (int n = 0; n < N; n++) {
        for (int i = 0; i < SIZE; i++) {
            y[i] = b->x[n * SIZE + i];
            t[i] = i < targets ? (double)b->target[n * targets + i] : 0;
        }
        total += (b->run.weight ? (double)b->weight[n] : 1) * s->plain(&s->option, y, t);
    }
    return total;
}

static void check_subject(const subject *s)
{
    batch b;
    make(&b, s);
    double value = evaluate(&b), expected = plainly(&b, s);
    NEAR(value, expected, TOL * (1 + fabs(expected)));

    real once[ALL], activated[ALL];
    memcpy(once, b.dy, sizeof once);
    memcpy(activated, b.y, sizeof activated);
    b.run.add = true; /* dy holds the gradient: now twice */
    CHECK(evaluate(&b) == value);
    b.run.add = false;
    for (int i = 0; i < ALL; i++) {
        NEAR(b.dy[i], 2 * (double)once[i], TOL * (1 + fabs((double)once[i])));
        CHECK(i / SIZE != 2 || once[i] == 0); /* weight 0 */
    }
    b.run.dy = NULL;
    CHECK(evaluate(&b) == value);
    CHECK(!memcmp(b.y, activated, sizeof activated)); /* the activation is applied without a gradient too */
    CHECK(s->logits || !memcmp(b.y, b.x, sizeof b.y));
    b.run.dy = b.dy;
    b.run.scale = 0.5;
    CHECK(evaluate(&b) == value); /* the scale is the gradient's alone */
    for (int i = 0; i < ALL; i++) {
        CHECK(b.dy[i] == 2 * once[i]);
    }
    b.run.weight = NULL;
    NEAR(evaluate(&b), plainly(&b, s), TOL * (1 + fabs(expected)));
}

static void check_gradient(const subject *s)
{
#ifdef HD_FLOAT64
    batch b;
    make(&b, s);
    evaluate(&b);
    real analytic[ALL];
    memcpy(analytic, b.dy, sizeof analytic);
    for (int i = 0; i < ALL; i++) {
        double keep = b.x[i], h = 1e-6;
        b.x[i] = keep + h;
        double up = plainly(&b, s);
        b.x[i] = keep - h;
        double numeric = b.run.scale * (up - plainly(&b, s)) / (2 * h);
        b.x[i] = keep;
        NEAR(analytic[i], numeric, 1e-8);
    }
#else
    (void)s;
#endif
}

/* --- what must hold exactly --------------------------------------------------------------------------- */

static double cross_entropy(const char *name, int classes, real *y, const real *target, real *dy)
{
    hd_values opt = { { 0 }, { 0 }, { 0 } };
    hd_loss_run r = { .pool = context->pool, .opt = &opt, .n = 1, .size = classes, .row = classes, .logits = true, .y = y,
                      .target = target, .scale = 1, .dy = dy };
    return hd_loss_class_find(name)->run(&r);
}

static void check_softmax(void)
{
    for (int classes = 2; classes <= 23; classes++) {
        real y[23] = { 0 }, one_hot[23] = { 0 }, label = (real)(classes - 1), dy[23], sparse_dy[23];
        one_hot[classes - 1] = 1;
        NEAR(cross_entropy("sparseCategoricalCrossentropy", classes, y, &label, NULL), log(classes), 1e-15 + TOL / 10);
        for (int i = 0; i < classes; i++) {
            NEAR(y[i], 1.0 / classes, TOL / 10);
            y[i] = (real)(6 * uniform() - 3);
        }
        real same[23];
        memcpy(same, y, sizeof same);
        double loss = cross_entropy("categoricalCrossentropy", classes, y, one_hot, dy), sum = 0;
        CHECK(cross_entropy("sparseCategoricalCrossentropy", classes, same, &label, sparse_dy) == loss);
        for (int i = 0; i < classes; i++) {
            sum += (double)dy[i];
            CHECK(dy[i] == sparse_dy[i] && y[i] == same[i]);
        }
        NEAR(sum, 0, TOL / 4);
    }
}

static void check_far_out(void)
{
    const double gaps[] = { 5, 20, 40, 90, 1e4, 1e30 };
    for (int i = 0; i < 6; i++) {
        double gap = gaps[i];
        real right = 1, wrong = 0, y[] = { 0, (real)gap, (real)-gap }, dy[3];
        double loss = cross_entropy("sparseCategoricalCrossentropy", 3, y, &right, dy);
        double expected = log1p(exp(-gap) + exp(-2 * gap));
        /* Log of 1 + a little: float64 holds a little of it down to 1e-16. */
        NEAR(loss, expected, 1e-6 * expected + 2e-16);
        NEAR(y[1], 1, TOL + exp(-gap));
        CHECK(isfinite(dy[0]) && isfinite(dy[1]) && isfinite(dy[2]));
        real again[] = { 0, (real)gap, (real)-gap };
        NEAR(cross_entropy("sparseCategoricalCrossentropy", 3, again, &wrong, dy), gap + expected, 1e-6 * gap);

        real n[] = { (real)gap, (real)-gap }, t[] = { 1, 0 };
        loss = cross_entropy("binaryCrossentropy", 2, n, t, dy);
        NEAR(loss, log1p(exp(-gap)), 1e-5 * exp(-gap));
        CHECK(isfinite(dy[0]) && isfinite(dy[1]));
        real m[] = { (real)gap, (real)-gap }, u[] = { 0, 1 };
        NEAR(cross_entropy("binaryCrossentropy", 2, m, u, dy), gap + log1p(exp(-gap)), 1e-6 * gap);
    }
}

/* Probabilities beyond Keras's clip count as 1e-7 or 1 - 1e-7 and have no gradient of their own. */
static void check_clip(void)
{
    const hd_loss_class *sparse = hd_loss_class_find("sparseCategoricalCrossentropy");
    const hd_loss_class *binary = hd_loss_class_find("binaryCrossentropy");
    hd_values opt = { { 0 }, { 0 }, { 0 } };
    real y[] = { (real)1e-9, (real)0.5, (real)0.5 }, dy[3];
    const real lost[] = { 0 }, found[] = { 1 }, both[] = { 1, 0, 0 };
    hd_loss_run r = { .pool = context->pool, .opt = &opt, .n = 1, .size = 3, .row = 3, .y = y, .target = lost, .scale = 1,
                      .dy = dy };
    NEAR(sparse->run(&r), -log(1e-7), TOL * 20);
    CHECK(dy[0] == 0 && dy[1] == 0 && dy[2] == 0);
    r.target = found;
    NEAR(sparse->run(&r), -log(0.5), TOL + 2e-9); /* the sum is 1 + 1e-9 */
    NEAR(dy[0], 1, TOL + 2e-9); /* through the sum: (sum_k t_k - t_i / p_i) / sum */
    NEAR(dy[1], -1, TOL * 2 + 2e-9);
    NEAR(dy[2], 1, TOL + 2e-9);
    r.target = both;
    const double highest = (double)(real)(1 - 1e-7); /* in float32 the clip lies at 1 - 1.2e-7 */
    y[0] = (real)1e-9;
    y[1] = 1;
    NEAR(binary->run(&r), (-log(1e-7) - log(1 - highest) + log(2)) / 3, TOL * 20);
    CHECK(dy[0] == 0 && dy[1] == 0);
    NEAR(dy[2], 2.0 / 3, TOL);
}

static void check_nan(void)
{
    for (int i = 0; i < SUBJECTS; i++) {
        batch b;
        make(&b, &subjects[i]);
        b.x[SIZE + 1] = (real)NAN;
        CHECK(isnan(evaluate(&b)));
        CHECK(isnan(b.dy[SIZE + 1]));
    }
}

/* Many blocks, several rounds of them, sizes that fill no vector. */
static void check_threads(void)
{
    static const int shapes[][2] = { { 3000, 7 }, { 37, 1021 }, { 3, 20011 }, { 300, 9000 } };
    for (int k = 0; k < 4; k++) {
        int n = shapes[k][0], size = shapes[k][1];
        size_t all = (size_t)n * (size_t)size;
        real *x = malloc(all * sizeof *x), *y = malloc(all * sizeof *x), *t = malloc(all * sizeof *x);
        real *first = malloc(all * sizeof *x), *dy = malloc(all * sizeof *x);
        for (size_t i = 0; i < all; i++) {
            x[i] = (real)(2 * uniform() - 1);
            t[i] = (real)uniform();
        }
        for (int i = 0; i < SUBJECTS; i += 3) {
            hd_values opt = { { subjects[i].option }, { 0 }, { 0 } };
            double value = 0;
            for (int threads = 1; threads <= 3; threads++) {
                CHECK(hd_context_set_threads(context, threads) == HD_OK);
                memcpy(y, x, all * sizeof *x);
                hd_loss_run r = { .pool = context->pool, .opt = &opt, .n = n, .size = size, .row = size,
                                  .logits = subjects[i].logits, .y = y, .target = t, .scale = 1,
                                  .dy = threads == 1 ? first : dy };
                double v = hd_loss_class_find(subjects[i].name)->run(&r);
                value = threads == 1 ? v : value;
                CHECK(!memcmp(&v, &value, sizeof v));
                CHECK(threads == 1 || !memcmp(first, dy, all * sizeof *dy));
            }
        }
        CHECK(hd_context_set_threads(context, 1) == HD_OK);
        free(x), free(y), free(t), free(first), free(dy);
    }
}

int main(void)
{
    context = hd_context_new(1);
    for (int i = 0; i < SUBJECTS; i++) {
        int before = check_failures;
        for (int k = 0; k < 5; k++) {
            check_subject(&subjects[i]);
            check_gradient(&subjects[i]);
        }
        if (check_failures > before) {
            printf("%s, option %g, logits %d\n", subjects[i].name, subjects[i].option, subjects[i].logits);
        }
    }
    check_softmax();
    check_far_out();
    check_clip();
    check_nan();
    check_threads();
    hd_context_free(context);
    return check_result("loss");
}
