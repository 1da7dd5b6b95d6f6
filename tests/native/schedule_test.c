/* Learning-rate schedules against their formulas (libm). */
#include "check.h"
#include "heddle.h"
#include "model/registry.h"
#include "optim/schedule.h"

static hd_context *context;

/* The factor at `epoch` of `epochs` with `options` as JS would give them. */
static double factor(const char *name, const double *options, int n, double epoch, double epochs)
{
    const hd_schedule_class *class = hd_schedule_class_find(name);
    hd_values opt;
    CHECK(class);
    CHECK(hd_options_read(context, name, class->options, options, n, &opt) == HD_OK);
    return class->factor(&opt, epoch, epochs);
}

#define FACTOR(name, epoch, epochs, ...)                                                                               \
    factor(name, (double[]){ __VA_ARGS__ }, (int)(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double)), epoch, epochs)

static const double PI = 3.14159265358979323846;

int main(void)
{
    context = hd_context_new(1);
    for (double e = 0; e <= 41; e += 0.25) {
        NEAR(FACTOR("step", e, 40, 3, 0.5), pow(0.5, floor(e / 3)), 1e-15);
        NEAR(FACTOR("exponential", e, 40, 0.9), pow(0.9, e), 1e-14);
        NEAR(FACTOR("cosine", e, 40, 0.1), 0.1 + 0.9 * 0.5 * (1 + cos(PI * fmin(e / 40, 1))), 1e-14);
        NEAR(FACTOR("warmUp", e, 40, 5), fmin(e / 5, 1), 1e-15);
        NEAR(FACTOR("piecewise", e, 40, 2, 60, 85, 0.2), e < 24 ? 1 : e < 34 ? 0.2 : 0.04, 1e-15);
        /* With a warm-up of 5 epochs: a ramp, then the schedule from its start. */
        double rest = e - 5, ramp = e / 5;
        NEAR(FACTOR("step", e, 40, 3, 0.5, 5), e < 5 ? ramp : pow(0.5, floor(rest / 3)), 1e-15);
        NEAR(FACTOR("exponential", e, 40, 0.9, 5), e < 5 ? ramp : pow(0.9, rest), 1e-14);
        NEAR(FACTOR("cosine", e, 40, 0, 5), e < 5 ? ramp : 0.5 * (1 + cos(PI * fmin(rest / 35, 1))), 1e-14);
    }
    NEAR(FACTOR("cosine", 2, 3, 0, 5), 0.4, 1e-15); /* the fit ends within the warm-up */
    NEAR(FACTOR("cosine", 6, 3, 0.25, 5), 0.25, 1e-15);
    for (int i = 0; hd_schedule_classes[i]; i++) { /* defaults are a factor in [0, 1] */
        double list[] = { 1, 50 };
        for (double e = 0; e < 10; e += 0.5) {
            double f = factor(hd_schedule_classes[i]->name, list, hd_schedule_class_find("piecewise") == hd_schedule_classes[i] ? 2 : 0, e, 10);
            CHECK(f >= 0 && f <= 1);
        }
    }
    hd_values opt;
    const hd_option *piecewise = hd_schedule_class_find("piecewise")->options;
    CHECK(hd_options_read(context, "piecewise", piecewise, NULL, 0, &opt) == HD_ERR_ARGUMENT); /* needs its list */
    CHECK(hd_options_read(context, "piecewise", piecewise, (double[]){ 1, 101 }, 2, &opt) == HD_ERR_ARGUMENT);
    hd_context_free(context);
    return check_result("schedule");
}
