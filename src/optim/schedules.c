/* Learning-rate schedules: a factor on the optimiser's learningRate. Time is counted in epochs, fractions included. Each can
 * begin with a linear warm-up. */
#include "base/scalar.h"
#include "optim/schedule.h"

#include <math.h>

#define WARM_UP_OPTION                                                                                                 \
    { .name = "warmUp", .type = HD_NUMBER, .min = 0, .max = 1e6,                                                       \
      .doc = "epochs over which the rate first rises linearly from 0; it then goes on from its start" }

/* The epoch that the schedule proper is at, and in *factor the part of the rate that the warm-up allows. */
static double after_warm_up(double epoch, double warm_up, double *factor)
{
    *factor = epoch < warm_up ? epoch / warm_up : 1;
    return epoch < warm_up ? 0 : epoch - warm_up;
}

enum { STEP_EVERY, STEP_FACTOR, STEP_WARM_UP };

static double step(const hd_values *opt, double epoch, double epochs)
{
    (void)epochs;
    double warm, at = after_warm_up(epoch, opt->number[STEP_WARM_UP], &warm);
    return warm * hd_power(opt->number[STEP_FACTOR], (uint64_t)floor(at / opt->number[STEP_EVERY]));
}

enum { EXPONENTIAL_RATE, EXPONENTIAL_WARM_UP };

static double exponential(const hd_values *opt, double epoch, double epochs)
{
    (void)epochs;
    double warm, at = after_warm_up(epoch, opt->number[EXPONENTIAL_WARM_UP], &warm);
    return warm * hd_exp(at * hd_log(opt->number[EXPONENTIAL_RATE]));
}

enum { COSINE_MINIMUM, COSINE_WARM_UP };

static double cosine(const hd_values *opt, double epoch, double epochs)
{
    double warm_up = opt->number[COSINE_WARM_UP], low = opt->number[COSINE_MINIMUM];
    double warm, at = after_warm_up(epoch, warm_up, &warm), all = epochs - warm_up;
    double part = at <= 0 ? 0 : at < all ? at / all : 1;
    return warm * (low + (1 - low) * (1 + hd_cos(3.14159265358979323846 * part)) / 2);
}

enum { PIECEWISE_AT, PIECEWISE_FACTOR, PIECEWISE_WARM_UP };

static double piecewise(const hd_values *opt, double epoch, double epochs)
{
    double warm;
    after_warm_up(epoch, opt->number[PIECEWISE_WARM_UP], &warm);
    int passed = 0;
    for (int i = 0; i < (int)opt->number[PIECEWISE_AT]; i++) {
        passed += epoch * 100 >= opt->list[opt->start[PIECEWISE_AT] + i] * epochs;
    }
    return warm * hd_power(opt->number[PIECEWISE_FACTOR], (uint64_t)passed);
}

static double warm_up(const hd_values *opt, double epoch, double epochs)
{
    (void)epochs;
    double warm;
    after_warm_up(epoch, opt->number[0], &warm);
    return warm;
}

#define FACTOR_OPTION(default_factor, doc_text)                                                                        \
    { .name = "factor", .type = HD_NUMBER, .min = 0, .max = 1, .def = default_factor, .open_min = true, .doc = doc_text }

static const hd_option step_options[] = {
    { .name = "every", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = 10, .open_min = true, .doc = "epochs between drops" },
    FACTOR_OPTION(0.1, "on the rate at each drop"),
    WARM_UP_OPTION,
    { 0 },
};
static const hd_option exponential_options[] = {
    { .name = "rate", .type = HD_NUMBER, .min = 0, .max = 1, .def = 0.95, .open_min = true, .doc = "factor an epoch" },
    WARM_UP_OPTION,
    { 0 },
};
static const hd_option cosine_options[] = {
    { .name = "minimum", .type = HD_NUMBER, .min = 0, .max = 1, .doc = "factor at the end of the fit" },
    WARM_UP_OPTION,
    { 0 },
};
static const hd_option piecewise_options[] = {
    { .name = "at", .type = HD_INTS, .min = 0, .max = 100, .required = true, .doc = "per cent of the fit's epochs at which the rate drops" },
    FACTOR_OPTION(0.2, "on the rate at each drop"),
    WARM_UP_OPTION,
    { 0 },
};
static const hd_option warm_up_options[] = {
    { .name = "epochs", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = 1, .open_min = true,
      .doc = "over which the rate rises linearly from 0" },
    { 0 },
};

const hd_schedule_class hd_schedule_step = { "step", "drops by a factor every so many epochs", step_options, step };
const hd_schedule_class hd_schedule_exponential = { "exponential", "rate^epoch", exponential_options, exponential };
const hd_schedule_class hd_schedule_cosine = { "cosine", "half a cosine down to a minimum (Loshchilov & Hutter 2017)",
                                               cosine_options, cosine };
const hd_schedule_class hd_schedule_piecewise = { "piecewise", "drops at given parts of the fit", piecewise_options, piecewise };
const hd_schedule_class hd_schedule_warm_up = { "warmUp", "rises linearly, then stays", warm_up_options, warm_up };
