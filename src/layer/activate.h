/* The options `activation` and `alpha` that several layers share. In a table they follow each other; functions take
 * the position of the first. */
#ifndef HD_LAYER_ACTIVATE_H
#define HD_LAYER_ACTIVATE_H

#include "layer/layer.h"

#define HD_ACTIVATION_OPTIONS(default_activation)                                                                      \
    { .name = "activation", .type = HD_ENUM, .def = default_activation, .names = hd_activation_names,                  \
      .doc = "applied to each element; softmax over the last axis" },                                                  \
    HD_ALPHA_OPTION

#define HD_ALPHA_OPTION                                                                                                \
    { .name = "alpha", .type = HD_NUMBER, .min = 0, .max = 1000,                                                       \
      .doc = "slope of leakyRelu below zero, or factor of elu; 0: their defaults, 0.3 and 1" }

/* An activation ready to be used; HD_LINEAR where the loss wants logits. */
typedef struct hd_activator {
    hd_activation kind;
    real alpha;
} hd_activator;

/* Refuses an alpha for an activation that has none. */
hd_status hd_activator_check(hd_build *b, int option);
hd_activator hd_activator_of(const hd_run *r, int option);
/* The alpha in use: as given, or the activation's default. For hd_layer_class.output_alpha. */
real hd_activator_alpha(const hd_values *opt, int option);
/* r->dy becomes the gradient of what went into the activation; rows of `row` elements. */
void hd_activator_back(const hd_run *r, hd_activator a, size_t rows, size_t row);

#endif
