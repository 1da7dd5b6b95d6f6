/* First-order optimisers against trajectories of an independent script, and what their tables promise the model. */
#include "check.h"
#include "heddle.h"
#include "model/registry.h"
#include "optim/optimizer.h"
#include "optim_golden.h"

#include <stdbool.h>

enum { GOLDENS = sizeof goldens / sizeof *goldens };

#ifdef HD_FLOAT64
static const double TOL = 1e-12;
#else
static const double TOL = 1e-5;
#endif

typedef struct trajectory {
    hd_values opt;
    real w[GOLDEN_N], g[GOLDEN_N], slot[HD_MAX_SLOTS][GOLDEN_N];
} trajectory;

/* The gradient of tests/golden/optim.py. */
static void gradient(trajectory *t, int step)
{
    for (int i = 0; i < GOLDEN_N; i++) {
        t->g[i] = (real)((0.5 + i / 3.0) * ((double)t->w[i] - (i - 3)) + 0.3 * ((7 * step + 3 * i) % 5 - 2));
    }
    if (step > 10) {
        t->g[GOLDEN_N - 1] = 0;
    }
}

/* One step on elements [begin, end). */
static void step_part(const hd_optimizer_class *class, trajectory *t, int step, int begin, int end)
{
    hd_optimizer_run r = { .opt = &t->opt, .step = (uint64_t)step, .rate = t->opt.number[0], .n = (size_t)(end - begin),
                           .w = t->w + begin, .g = t->g + begin,
                           .slot = { t->slot[0] + begin, t->slot[1] + begin } };
    if (class->prepare) {
        class->prepare(&r);
    }
    class->step(&r);
}

static void begin(hd_context *c, const golden *g, trajectory *t)
{
    memset(t, 0, sizeof *t);
    CHECK(hd_options_read(c, g->name, hd_optimizer_class_find(g->name)->options, g->options, g->n_options, &t->opt) ==
          HD_OK);
    for (int i = 0; i < GOLDEN_N; i++) {
        t->w[i] = (real)(1.0 / (i + 1));
    }
}

static void check_trajectory(hd_context *c, const golden *g)
{
    const hd_optimizer_class *class = hd_optimizer_class_find(g->name);
    trajectory whole, parts;
    begin(c, g, &whole);
    begin(c, g, &parts);
    for (int step = 1; step <= GOLDEN_STEPS; step++) {
        gradient(&whole, step);
        step_part(class, &whole, step, 0, GOLDEN_N);
        gradient(&parts, step);
        step_part(class, &parts, step, 0, 3);
        step_part(class, &parts, step, 3, GOLDEN_N);
    }
    for (int i = 0; i < GOLDEN_N; i++) {
        NEAR(whole.w[i], g->after[i], TOL * (1 + fabs(g->after[i])));
    }
    CHECK(!memcmp(whole.w, parts.w, sizeof whole.w));
}

/* Units that died: the averages end at 0, not among the denormals. */
static void check_no_denormals(hd_context *c, const golden *g)
{
    const hd_optimizer_class *class = hd_optimizer_class_find(g->name);
    trajectory t;
    begin(c, g, &t);
    gradient(&t, 1);
    step_part(class, &t, 1, 0, GOLDEN_N);
    memset(t.g, 0, sizeof t.g);
    int step = 2;
    bool moving = true;
    while (moving && step < 2000000) {
        real before[HD_MAX_SLOTS][GOLDEN_N];
        memcpy(before, t.slot, sizeof before);
        step_part(class, &t, step++, 0, GOLDEN_N);
        moving = memcmp(before, t.slot, sizeof before) != 0;
    }
    for (int i = 0; i < GOLDEN_N * HD_MAX_SLOTS; i++) {
        CHECK(fpclassify(t.slot[i / GOLDEN_N][i % GOLDEN_N]) == FP_ZERO);
    }
}

/* Keras's defaults, in table order. */
static void check_defaults(hd_context *c)
{
    static const struct {
        const char *name;
        double number[5];
    } expected[] = {
        { "sgd", { 0.01, 0, 0, 0, 0 } },
        { "adam", { 0.001, 0.9, 0.999, 1e-7, 0 } },
        { "adamw", { 0.001, 0.9, 0.999, 1e-7, 0.004 } },
        { "rmsprop", { 0.001, 0.9, 0, 1e-7, 0 } },
        { "adadelta", { 0.001, 0.95, 1e-7, 0, 0 } },
    };
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        hd_values v;
        const hd_optimizer_class *class = hd_optimizer_class_find(expected[k].name);
        CHECK(class && hd_options_read(c, class->name, class->options, NULL, 0, &v) == HD_OK);
        for (int i = 0; i < 5; i++) {
            CHECK(v.number[i] == expected[k].number[i]);
        }
    }
}

static void check_tables(void)
{
    for (int i = 0; hd_optimizer_classes[i]; i++) {
        const hd_optimizer_class *class = hd_optimizer_classes[i];
        CHECK_TEXT(class->options[0].name, "learningRate");
        CHECK(class->slots <= HD_MAX_SLOTS && class->full_batch == !class->step);
        if (class->step) {
            const hd_option *clip = class->options + class->clip_option;
            CHECK(class->clip_option > 0);
            CHECK_TEXT(clip[0].name, "clipNorm");
            CHECK_TEXT(clip[1].name, "clipValue");
            CHECK(!clip[2].name);
        }
    }
}

int main(void)
{
    hd_context *c = hd_context_new(1);
    for (int i = 0; i < GOLDENS; i++) {
        check_trajectory(c, &goldens[i]);
        check_no_denormals(c, &goldens[i]);
    }
    check_defaults(c);
    check_tables();
    hd_context_free(c);
    return check_result("optim");
}
