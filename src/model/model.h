/* The model: a list of nodes in order, each naming its inputs; its weights in one flat block; what it is
 * trained for. Plans (plan.h) turn it into memory and steps. */
#ifndef HD_MODEL_MODEL_H
#define HD_MODEL_MODEL_H

#include "base/context.h"
#include "layer/layer.h"
#include "loss/loss.h"
#include "metric/metric.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "weight/weight.h"

enum { HD_NAME_SIZE = 64, HD_PATH_SIZE = 160, HD_MAX_OUTPUTS = 16, HD_MAX_LOSSES = 32, HD_MAX_METRICS = 32, HD_MAX_PENALTIES = 2 };

/* Purposes of random draws (hd_rng_stream); weight, node numbers are added. */
enum { HD_DRAW_WEIGHT = 1 << 28, HD_DRAW_LAYER = 2 << 28, HD_DRAW_SHUFFLE = 3 << 28 };

/* A regulariser with its checked options. */
typedef struct hd_penalty {
    const hd_regularizer_class *class;
    hd_values opt;
} hd_penalty;

typedef struct hd_weight {
    char name[2 * HD_NAME_SIZE]; /* "layer/weight" */
    int node;
    hd_shape shape;
    int rows, cols; /* as a matrix: dim[0] and the product of the rest */
    size_t size, offset; /* elements, place in the flat block */
    int fan_in, fan_out;
    const hd_initializer_class *initializer;
    hd_values initializer_opt;
    bool initializer_set; /* by hd_weight_set, in place of the layer's own */
    int n_penalties;
    hd_penalty penalty[HD_MAX_PENALTIES];
    const hd_constraint_class *constraint; /* or NULL */
    hd_values constraint_opt;
    double rate_factor;
    bool frozen;
    bool state; /* changed by hd_layer_class.commit alone; always frozen */
    bool fixed; /* a state weight that the user froze: its layer runs as at inference */
    bool idle;  /* the running fit does not move it, as its learning rate is 0: no gradient is computed */
} hd_weight;

/* Activity regulariser of a node; see activity.c. */
typedef struct hd_activity {
    const hd_activity_class *class; /* NULL: none */
    hd_values opt;
    real *mean;   /* [size] running estimate, or the exact means while a full-batch pass runs */
    real *d_mean; /* [size] gradient of the penalty */
    double *sums; /* [size] over the rows of a pass */
    double rows;
} hd_activity;

typedef struct hd_node {
    char name[HD_NAME_SIZE];
    const hd_layer_class *class; /* NULL: an input */
    hd_values opt;
    int n_in;
    int in[HD_MAX_INPUTS];
    hd_shape in_shape[HD_MAX_INPUTS];
    hd_shape out;
    hd_layout layout;      /* of the output; never HD_ANY_LAYOUT */
    int outer;             /* of the output: 1, or I if rows-first */
    int first_weight, n_weights;
    size_t saved, saved_fixed, scratch, scratch_fixed, prepared, kept;
    _Alignas(8) unsigned char state[HD_LAYER_STATE];
    int consumers;
    int output;            /* its number as an output, or -1 */
    hd_activity activity;
} hd_node;

typedef struct hd_target_loss {
    const hd_loss_class *class;
    hd_values opt;
    int output;
    double weight;
} hd_target_loss;

typedef struct hd_target_metric {
    const hd_metric_class *class;
    hd_values opt;
    int output, sums, values;
    int first_sum; /* in the sums of a score */
} hd_target_metric;

/* Sums of losses and metrics over a pass; see compile.c. */
typedef struct hd_score {
    double samples, batches;
    double total;   /* of the batches' total losses, times their samples */
    double loss[HD_MAX_LOSSES];
    double *sums;   /* of all metrics */
    int n_sums;
} hd_score;

struct hd_model {
    hd_context *c;
    hd_node **node;
    int n_nodes, node_space;
    hd_weight **weight;
    int n_weights, weight_space;
    int n_inputs, n_outputs;
    int input[HD_MAX_INPUTS], output[HD_MAX_OUTPUTS];
    bool built;
    uint64_t seed;
    size_t flat; /* elements of all weights, each weight padded to 16 */
    real *w;     /* [flat] */
    real *g;     /* [flat] gradients, from the first need on */
    uint64_t version;        /* grows whenever weights change, */
    uint64_t frozen_version; /* and this one if frozen ones may have */

    int n_losses, n_metrics, n_sums;
    hd_target_loss loss[HD_MAX_LOSSES];
    hd_target_metric metric[HD_MAX_METRICS];
    const hd_optimizer_class *optimizer;
    hd_values optimizer_opt;
    const hd_schedule_class *schedule; /* NULL: constant */
    hd_values schedule_opt;
    real *slots;       /* [class->slots][flat]; kept from fit to fit, as in Keras */
    uint64_t step;     /* optimiser steps since compile */
    hd_score result;   /* of the last evaluation */
    struct hd_plan *predict_plan, *evaluate_plan; /* kept between calls */
    double penalty;    /* of the weights and activities, in the last evaluation */
    hd_fit *fit;       /* the one running, or NULL */
};

/* graph.c */
int hd_node_add_input(hd_model *m, const char *name, const hd_shape *shape);
int hd_node_add_layer(hd_model *m, const hd_layer_class *class, const char *name, const int *inputs, int n_inputs,
                      const double *options, int n_options);
hd_status hd_output_add(hd_model *m, int node);
void hd_nodes_free(hd_model *m);
/* Decides the layout of every node's output; outputs default to the last node. */
hd_status hd_graph_close(hd_model *m);
/* "layer 3 "hidden" (dense)" */
void hd_node_path(const hd_model *m, int node, char path[HD_PATH_SIZE]);

/* weights.c */
hd_status hd_weight_attach(hd_model *m, hd_weight *w, const char *kind, const double *options, int n_options);
hd_status hd_weights_init(hd_model *m);
hd_status hd_weights_finite(hd_model *m);
/* To be called after weights have changed: what plans prepared from them is stale. frozen: also from frozen ones. */
void hd_weights_changed(hd_model *m, bool frozen);
hd_status hd_gradients_ready(hd_model *m); /* allocates m->g */
hd_status hd_slots_ready(hd_model *m);     /* m->slots, zero, where the optimiser has any */
hd_weight_view hd_weight_as_matrix(const hd_model *m, const hd_weight *w, const hd_values *opt);
/* Sum of all weight penalties; adds their gradients to m->g if `gradient`. Frozen weights have none. */
double hd_penalties(hd_model *m, bool gradient);
/* Some gradient of the node's weights is wanted. */
bool hd_node_trains(const hd_model *m, const hd_node *node);
/* The node runs in training as at inference where it could do otherwise: the user froze its state weights. */
bool hd_node_fixed(const hd_model *m, const hd_node *node);
/* None of the node's weights changes while a fit runs. */
bool hd_node_still(const hd_model *m, const hd_node *node);

/* activity.c */
typedef enum hd_activity_mode {
    HD_ACTIVITY_COUNT,   /* only add up the sums of a pass */
    HD_ACTIVITY_RUNNING, /* mini-batches: running estimate */
    HD_ACTIVITY_BATCH,   /* this batch is the whole set */
    HD_ACTIVITY_GIVEN    /* means were set by a pass before */
} hd_activity_mode;
hd_status hd_activity_attach(hd_model *m, int node, const hd_activity_class *class, const double *options,
                             int n_options);
void hd_activity_reset(hd_node *node); /* running estimate back to its start */
/* y: the node's output for n samples. Returns the penalty (0 when counting) and leaves d_mean. */
double hd_activity_forward(hd_model *m, hd_node *node, hd_activity_mode mode, const real *y, int n);
/* dy += scale * d_mean, the derivative of the mean by each sample's activation. */
void hd_activity_backward(const hd_node *node, real *dy, int n, double scale);
void hd_activity_begin(hd_model *m); /* a pass */
/* Penalty at the exact means of the pass; with `set` these become the means, and d_mean is taken there. */
double hd_activity_end(hd_model *m, bool set);
void hd_activity_free(hd_context *c, hd_activity *a);

/* compile.c */
void hd_model_uncompile(hd_model *m);
hd_status hd_loss_attach(hd_model *m, int output, const hd_loss_class *class, double weight, const double *options,
                         int n_options);
int hd_metric_attach(hd_model *m, int output, const hd_metric_class *class, const double *options, int n_options);
/* Output takes integer labels. */
bool hd_output_sparse(const hd_model *m, int output);
/* The output's single loss is computed from the output before its activation. */
bool hd_output_logits(const hd_model *m, int output);
/* Elements of a target row of an output. */
int hd_output_target(const hd_model *m, int output);

/* Sums over a pass. */
hd_status hd_score_new(hd_model *m, hd_score *s);
void hd_score_free(hd_context *c, hd_score *s);
void hd_score_clear(hd_score *s);
/* NaN: there is no such loss, metric or value of it. */
double hd_score_loss(const hd_model *m, const hd_score *s, int loss);
double hd_score_metric(const hd_model *m, const hd_score *s, int metric, int i);

#endif
