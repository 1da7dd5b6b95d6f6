/* Options that every first-order optimiser has: learningRate first, clipNorm and clipValue last. */
#ifndef HD_OPTIM_OPTIONS_H
#define HD_OPTIM_OPTIONS_H

#include "optim/optimizer.h"

#define HD_RATE_OPTION(default_rate)                                                                                   \
    { .name = "learningRate", .type = HD_NUMBER, .min = 0, .max = 1e6, .def = default_rate, .doc = "step size" }

#define HD_DECAY_OPTION(name_text, default_value, doc_text)                                                            \
    { .name = name_text, .type = HD_NUMBER, .min = 0, .max = 1, .def = default_value, .open_max = true, .doc = doc_text }

#define HD_EPSILON_OPTION                                                                                              \
    { .name = "epsilon", .type = HD_NUMBER, .min = 0, .max = 1, .def = 1e-7, .open_min = true,                         \
      .doc = "keeps the division from zero" }

#define HD_CLIP_OPTIONS                                                                                                \
    { .name = "clipNorm", .type = HD_NUMBER, .min = 0, .max = 1e30,                                                    \
      .doc = "largest Euclidean norm of the whole gradient; 0: no limit" },                                            \
    { .name = "clipValue", .type = HD_NUMBER, .min = 0, .max = 1e30,                                                   \
      .doc = "largest magnitude of a gradient element; 0: no limit" }

#endif
