/* Written by tools/registry.mjs from what it finds in src/: do not edit. */
#include "model/registry.h"

#include <string.h>

extern const hd_layer_class hd_layer_activation;
extern const hd_layer_class hd_layer_add;
extern const hd_layer_class hd_layer_append_constant;
extern const hd_layer_class hd_layer_avg_pool2d;
extern const hd_layer_class hd_layer_batch_norm;
extern const hd_layer_class hd_layer_bilinear;
extern const hd_layer_class hd_layer_bilinear_softmax;
extern const hd_layer_class hd_layer_concat;
extern const hd_layer_class hd_layer_conv2d;
extern const hd_layer_class hd_layer_conv2d_transpose;
extern const hd_layer_class hd_layer_crelu;
extern const hd_layer_class hd_layer_crop2d;
extern const hd_layer_class hd_layer_dense;
extern const hd_layer_class hd_layer_depth_to_space;
extern const hd_layer_class hd_layer_dropout;
extern const hd_layer_class hd_layer_flatten;
extern const hd_layer_class hd_layer_global_average_pool2d;
extern const hd_layer_class hd_layer_global_max_pool2d;
extern const hd_layer_class hd_layer_global_std_pool2d;
extern const hd_layer_class hd_layer_kernel_map;
extern const hd_layer_class hd_layer_layer_norm;
extern const hd_layer_class hd_layer_max_pool2d;
extern const hd_layer_class hd_layer_monotonic_dense;
extern const hd_layer_class hd_layer_pad2d;
extern const hd_layer_class hd_layer_random_crop2d;
extern const hd_layer_class hd_layer_random_flip2d;
extern const hd_layer_class hd_layer_random_rotation2d;
extern const hd_layer_class hd_layer_rescaling;
extern const hd_layer_class hd_layer_reshape;
extern const hd_layer_class hd_layer_subsample_pad;
extern const hd_layer_class hd_layer_transpose;
extern const hd_layer_class hd_layer_unit_normalization;
extern const hd_layer_class hd_layer_upsample2d;
extern const hd_loss_class hd_loss_binary_crossentropy;
extern const hd_loss_class hd_loss_categorical_crossentropy;
extern const hd_loss_class hd_loss_huber;
extern const hd_loss_class hd_loss_logistic_mse;
extern const hd_loss_class hd_loss_mean_absolute_error;
extern const hd_loss_class hd_loss_mean_squared_error;
extern const hd_loss_class hd_loss_monotonicity;
extern const hd_loss_class hd_loss_norm_in_norm;
extern const hd_loss_class hd_loss_plcc;
extern const hd_loss_class hd_loss_poisson;
extern const hd_loss_class hd_loss_smooth_l1;
extern const hd_loss_class hd_loss_sparse_categorical_crossentropy;
extern const hd_metric_class hd_metric_accuracy;
extern const hd_metric_class hd_metric_confusion_matrix;
extern const hd_metric_class hd_metric_mean_absolute_error;
extern const hd_metric_class hd_metric_mean_squared_error;
extern const hd_metric_class hd_metric_top_k;
extern const hd_optimizer_class hd_optimizer_adadelta;
extern const hd_optimizer_class hd_optimizer_adam;
extern const hd_optimizer_class hd_optimizer_adamw;
extern const hd_optimizer_class hd_optimizer_lbfgs;
extern const hd_optimizer_class hd_optimizer_rmsprop;
extern const hd_optimizer_class hd_optimizer_sgd;
extern const hd_schedule_class hd_schedule_cosine;
extern const hd_schedule_class hd_schedule_exponential;
extern const hd_schedule_class hd_schedule_piecewise;
extern const hd_schedule_class hd_schedule_step;
extern const hd_schedule_class hd_schedule_warm_up;
extern const hd_initializer_class hd_initializer_constant;
extern const hd_initializer_class hd_initializer_dct;
extern const hd_initializer_class hd_initializer_glorot;
extern const hd_initializer_class hd_initializer_haar;
extern const hd_initializer_class hd_initializer_he;
extern const hd_initializer_class hd_initializer_lecun;
extern const hd_initializer_class hd_initializer_normal;
extern const hd_initializer_class hd_initializer_ones;
extern const hd_initializer_class hd_initializer_orthogonal;
extern const hd_initializer_class hd_initializer_positive;
extern const hd_initializer_class hd_initializer_spread;
extern const hd_initializer_class hd_initializer_uniform;
extern const hd_initializer_class hd_initializer_walsh_hadamard;
extern const hd_initializer_class hd_initializer_zeros;
extern const hd_regularizer_class hd_regularizer_l1;
extern const hd_regularizer_class hd_regularizer_l1l2;
extern const hd_regularizer_class hd_regularizer_l2;
extern const hd_regularizer_class hd_regularizer_positive_l2;
extern const hd_constraint_class hd_constraint_max_norm;
extern const hd_constraint_class hd_constraint_non_neg;
extern const hd_constraint_class hd_constraint_range;
extern const hd_constraint_class hd_constraint_unit_norm;
extern const hd_activity_class hd_activity_kl_sparsity;
extern const hd_recipe_class hd_recipe_alexnet_features;
extern const hd_recipe_class hd_recipe_cifar_cnn;
extern const hd_recipe_class hd_recipe_cifar_resnet20;
extern const hd_recipe_class hd_recipe_cifar_resnet56;
extern const hd_recipe_class hd_recipe_lenet;
extern const hd_recipe_class hd_recipe_mixed_dataset;
extern const hd_recipe_class hd_recipe_mobilenet_v2;
extern const hd_recipe_class hd_recipe_monotonic_transformer;
extern const hd_recipe_class hd_recipe_multimodal_autoencoder;
extern const hd_recipe_class hd_recipe_quality_heads;
extern const hd_recipe_class hd_recipe_resnet18;
extern const hd_recipe_class hd_recipe_resnet34;
extern const hd_recipe_class hd_recipe_resnet50;
extern const hd_recipe_class hd_recipe_resnext101_32x8d;
extern const hd_recipe_class hd_recipe_vgg16_features;

#define REGISTRY(kind, ...)                                                                                            \
    const hd_##kind##_class *const hd_##kind##_classes[] = { __VA_ARGS__ };                                            \
    const hd_##kind##_class *hd_##kind##_class_find(const char *name)                                                  \
    {                                                                                                                  \
        const hd_##kind##_class *const *class = hd_##kind##_classes;                                                   \
        while (*class && strcmp((*class)->name, name) != 0) {                                                          \
            class++;                                                                                                   \
        }                                                                                                              \
        return *class;                                                                                                 \
    }

REGISTRY(layer,
         &hd_layer_activation,
         &hd_layer_add,
         &hd_layer_append_constant,
         &hd_layer_avg_pool2d,
         &hd_layer_batch_norm,
         &hd_layer_bilinear,
         &hd_layer_bilinear_softmax,
         &hd_layer_concat,
         &hd_layer_conv2d,
         &hd_layer_conv2d_transpose,
         &hd_layer_crelu,
         &hd_layer_crop2d,
         &hd_layer_dense,
         &hd_layer_depth_to_space,
         &hd_layer_dropout,
         &hd_layer_flatten,
         &hd_layer_global_average_pool2d,
         &hd_layer_global_max_pool2d,
         &hd_layer_global_std_pool2d,
         &hd_layer_kernel_map,
         &hd_layer_layer_norm,
         &hd_layer_max_pool2d,
         &hd_layer_monotonic_dense,
         &hd_layer_pad2d,
         &hd_layer_random_crop2d,
         &hd_layer_random_flip2d,
         &hd_layer_random_rotation2d,
         &hd_layer_rescaling,
         &hd_layer_reshape,
         &hd_layer_subsample_pad,
         &hd_layer_transpose,
         &hd_layer_unit_normalization,
         &hd_layer_upsample2d,
         NULL)

REGISTRY(loss,
         &hd_loss_binary_crossentropy,
         &hd_loss_categorical_crossentropy,
         &hd_loss_huber,
         &hd_loss_logistic_mse,
         &hd_loss_mean_absolute_error,
         &hd_loss_mean_squared_error,
         &hd_loss_monotonicity,
         &hd_loss_norm_in_norm,
         &hd_loss_plcc,
         &hd_loss_poisson,
         &hd_loss_smooth_l1,
         &hd_loss_sparse_categorical_crossentropy,
         NULL)

REGISTRY(metric,
         &hd_metric_accuracy,
         &hd_metric_confusion_matrix,
         &hd_metric_mean_absolute_error,
         &hd_metric_mean_squared_error,
         &hd_metric_top_k,
         NULL)

REGISTRY(optimizer,
         &hd_optimizer_adadelta,
         &hd_optimizer_adam,
         &hd_optimizer_adamw,
         &hd_optimizer_lbfgs,
         &hd_optimizer_rmsprop,
         &hd_optimizer_sgd,
         NULL)

REGISTRY(schedule,
         &hd_schedule_cosine,
         &hd_schedule_exponential,
         &hd_schedule_piecewise,
         &hd_schedule_step,
         &hd_schedule_warm_up,
         NULL)

REGISTRY(initializer,
         &hd_initializer_constant,
         &hd_initializer_dct,
         &hd_initializer_glorot,
         &hd_initializer_haar,
         &hd_initializer_he,
         &hd_initializer_lecun,
         &hd_initializer_normal,
         &hd_initializer_ones,
         &hd_initializer_orthogonal,
         &hd_initializer_positive,
         &hd_initializer_spread,
         &hd_initializer_uniform,
         &hd_initializer_walsh_hadamard,
         &hd_initializer_zeros,
         NULL)

REGISTRY(regularizer,
         &hd_regularizer_l1,
         &hd_regularizer_l1l2,
         &hd_regularizer_l2,
         &hd_regularizer_positive_l2,
         NULL)

REGISTRY(constraint,
         &hd_constraint_max_norm,
         &hd_constraint_non_neg,
         &hd_constraint_range,
         &hd_constraint_unit_norm,
         NULL)

REGISTRY(activity,
         &hd_activity_kl_sparsity,
         NULL)

REGISTRY(recipe,
         &hd_recipe_alexnet_features,
         &hd_recipe_cifar_cnn,
         &hd_recipe_cifar_resnet20,
         &hd_recipe_cifar_resnet56,
         &hd_recipe_lenet,
         &hd_recipe_mixed_dataset,
         &hd_recipe_mobilenet_v2,
         &hd_recipe_monotonic_transformer,
         &hd_recipe_multimodal_autoencoder,
         &hd_recipe_quality_heads,
         &hd_recipe_resnet18,
         &hd_recipe_resnet34,
         &hd_recipe_resnet50,
         &hd_recipe_resnext101_32x8d,
         &hd_recipe_vgg16_features,
         NULL)
