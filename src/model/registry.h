/* All classes there are, by kind, in order of their names. Arrays end with NULL. */
#ifndef HD_MODEL_REGISTRY_H
#define HD_MODEL_REGISTRY_H

#include "layer/layer.h"
#include "loss/loss.h"
#include "metric/metric.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "recipe/recipe.h"
#include "weight/weight.h"

/* hd_layer_classes, hd_layer_class_find(name) (NULL: no such class), and so on. */
#define HD_REGISTRY(kind)                                                                                              \
    extern const hd_##kind##_class *const hd_##kind##_classes[];                                                       \
    const hd_##kind##_class *hd_##kind##_class_find(const char *name);

HD_REGISTRY(layer)
HD_REGISTRY(loss)
HD_REGISTRY(metric)
HD_REGISTRY(optimizer)
HD_REGISTRY(schedule)
HD_REGISTRY(initializer)
HD_REGISTRY(regularizer)
HD_REGISTRY(constraint)
HD_REGISTRY(activity)
HD_REGISTRY(recipe)

#undef HD_REGISTRY
#endif
