/* Metrics on small batches whose values are counted by hand. */
#include "check.h"
#include "heddle.h"
#include "metric/metric.h"
#include "model/registry.h"

enum { MAX_SUMS = 64 };

typedef struct score {
    double sums[MAX_SUMS];
    int n_sums, n_values;
} score;

static const real *no_weights;

/* Adds a batch of n samples of `size` elements to s; returns the first value. */
static double add(score *s, const char *name, double option, int n, int size, int row, const real *y, const real *target,
                  bool labels, const real *weight)
{
    const hd_metric_class *class = hd_metric_class_find(name);
    CHECK(class);
    hd_values opt = { { option }, { 0 }, { 0 } };
    s->n_sums = class->sums(&opt, row);
    s->n_values = class->values(&opt, row);
    CHECK(s->n_sums >= 1 && s->n_sums <= MAX_SUMS);
    hd_metric_run r = { .opt = &opt, .n = n, .size = size, .row = row, .labels = labels, .y = y, .target = target,
                        .weight = weight, .sums = s->sums };
    class->update(&r);
    return class->value(s->sums, 0);
}

static double once(const char *name, double option, int n, int row, const real *y, const real *target, bool labels,
                   const real *weight)
{
    score s = { { 0 }, 0, 0 };
    return add(&s, name, option, n, row, row, y, target, labels, weight);
}

static const real outputs[] = {
    0.1f, 0.7f, 0.2f, /* 1 */
    0.4f, 0.4f, 0.2f, /* a tie: 0, the first */
    0.2f, 0.3f, 0.5f, /* 2 */
    0.6f, 0.3f, 0.1f, /* 0 */
};
static const real labels[] = { 1, 1, 2, 2 };
static const real one_hot[] = { 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1 };

static void check_accuracy(void)
{
    const real weights[] = { 1, 2, 3, 0 };
    CHECK(once("accuracy", 0, 4, 3, outputs, labels, true, no_weights) == 0.5);
    CHECK(once("accuracy", 0, 4, 3, outputs, one_hot, false, no_weights) == 0.5);
    CHECK(once("accuracy", 0, 4, 3, outputs, labels, true, weights) == 4.0 / 6);
    CHECK(once("accuracy", 0, 0, 3, outputs, labels, true, no_weights) == 0);

    /* The same rows as one sample of four: the mean over rows; in two batches as in one. */
    score s = { { 0 }, 0, 0 };
    CHECK(add(&s, "accuracy", 0, 1, 12, 3, outputs, labels, true, no_weights) == 0.5);
    score parts = { { 0 }, 0, 0 };
    add(&parts, "accuracy", 0, 1, 3, 3, outputs, labels, true, no_weights);
    CHECK(add(&parts, "accuracy", 0, 3, 3, 3, outputs + 3, labels + 1, true, no_weights) == 0.5);

    /* One output: on which side of 0.5; 0.5 itself counts as 0, as in Keras. */
    const real y[] = { 0.9f, 0.2f, 0.5f, 0.5f, 0.51f }, t[] = { 1, 0, 1, 0, 1 };
    CHECK(once("accuracy", 0, 5, 1, y, t, false, no_weights) == 0.8);
}

static void check_nan(void)
{
    const real nan = (real)NAN, all[] = { nan, nan, nan }, some[] = { 0.9f, nan, 0.1f }, one[] = { nan };
    const real first[] = { 0 }, first_hot[] = { 1, 0, 0 };
    CHECK(once("accuracy", 0, 1, 3, all, first, true, no_weights) == 0);
    CHECK(once("accuracy", 0, 1, 3, all, first_hot, false, no_weights) == 0);
    CHECK(once("accuracy", 0, 1, 3, some, first, true, no_weights) == 0);
    CHECK(once("accuracy", 0, 1, 1, one, first, false, no_weights) == 0);
    CHECK(once("topK", 3, 1, 3, all, first, true, no_weights) == 0);
    CHECK(once("topK", 3, 1, 3, some, first, true, no_weights) == 0);
    CHECK(isnan(once("meanSquaredError", 0, 1, 3, some, first_hot, false, no_weights)));
    CHECK(isnan(once("meanAbsoluteError", 0, 1, 3, some, first_hot, false, no_weights)));
    score s = { { 0 }, 0, 0 };
    add(&s, "confusionMatrix", 0, 1, 3, 3, all, first, true, no_weights);
    for (int i = 0; i < 9; i++) {
        CHECK(s.sums[i] == 0);
    }
}

static void check_top_k(void)
{
    const double expected[] = { 0, 0.5, 0.75, 1 }; /* ranks of the true classes: 1, 2 (a tie lost), 1, 3 */
    for (int k = 1; k <= 3; k++) {
        CHECK(once("topK", k, 4, 3, outputs, labels, true, no_weights) == expected[k]);
        CHECK(once("topK", k, 4, 3, outputs, one_hot, false, no_weights) == expected[k]);
    }
    const hd_metric_class *class = hd_metric_class_find("topK");
    hd_values four = { { 4 }, { 0 }, { 0 } };
    CHECK(class->sums(&four, 3) == 0 && class->sums(&four, 4) == 2);
}

static void check_confusion(void)
{
    const hd_metric_class *class = hd_metric_class_find("confusionMatrix");
    const double expected[] = { 0, 0, 0, 1, 1, 0, 1, 0, 1 };
    const real weights[] = { 1, 2, 3, 4 };
    const double weighted[] = { 0, 0, 0, 2, 1, 0, 4, 0, 3 };
    score s = { { 0 }, 0, 0 }, hot = s, w = s;
    add(&s, "confusionMatrix", 0, 4, 3, 3, outputs, labels, true, no_weights);
    add(&hot, "confusionMatrix", 0, 4, 3, 3, outputs, one_hot, false, no_weights);
    add(&w, "confusionMatrix", 0, 4, 3, 3, outputs, labels, true, weights);
    CHECK(s.n_sums == 9 && s.n_values == 9);
    for (int i = 0; i < 9; i++) {
        CHECK(class->value(s.sums, i) == expected[i]);
        CHECK(class->value(hot.sums, i) == expected[i]);
        CHECK(class->value(w.sums, i) == weighted[i]);
    }
    const real y[] = { 0.9f, 0.2f, 0.7f }, t[] = { 1, 0, 0 };
    const double two[] = { 1, 1, 0, 1 };
    score binary = { { 0 }, 0, 0 };
    add(&binary, "confusionMatrix", 0, 3, 1, 1, y, t, false, no_weights);
    CHECK(binary.n_values == 4);
    for (int i = 0; i < 4; i++) {
        CHECK(class->value(binary.sums, i) == two[i]);
    }
    CHECK(class->sums(NULL, 1 << 20) == 0); /* would not fit into memory */
}

static void check_errors(void)
{
    const real y[] = { 1, 2, 3, 4 }, t[] = { 1, 0, 5, 4 }, weights[] = { 3, 1 };
    CHECK(once("meanSquaredError", 0, 2, 2, y, t, false, no_weights) == 2);   /* 0 4 | 4 0 */
    CHECK(once("meanAbsoluteError", 0, 2, 2, y, t, false, no_weights) == 1);  /* 0 2 | 2 0 */
    const real u[] = { 1, 0, 4, 4 };                                          /* 0 4 | 1 0 */
    CHECK(once("meanSquaredError", 0, 2, 2, y, u, false, weights) == (3 * 2 + 0.5) / 4);
    CHECK(once("meanAbsoluteError", 0, 2, 2, y, u, false, weights) == (3 * 1 + 0.5) / 4);
    const real p[] = { 0.25f, 0.75f }, label[] = { 1 };
    CHECK(once("meanSquaredError", 0, 1, 2, p, label, true, no_weights) == 0.0625);
    CHECK(once("meanAbsoluteError", 0, 1, 2, p, label, true, no_weights) == 0.25);
    CHECK(once("meanSquaredError", 0, 0, 2, y, t, false, no_weights) == 0);
}

int main(void)
{
    check_accuracy();
    check_nan();
    check_top_k();
    check_confusion();
    check_errors();
    return check_result("metric");
}
