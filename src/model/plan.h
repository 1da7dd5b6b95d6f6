/* A plan: the steps of a model for up to `capacity` samples, and one arena for all that they read and write, laid out
 * by lifetimes. Everything that can fail, fails while planning; running returns nothing. */
#ifndef HD_MODEL_PLAN_H
#define HD_MODEL_PLAN_H

#include "model/data.h"
#include "model/model.h"

typedef enum hd_plan_mode {
    HD_PLAN_PREDICT, /* forward to some nodes */
    HD_PLAN_EVALUATE, /* forward and losses */
    HD_PLAN_TRAIN    /* and backward */
} hd_plan_mode;

/* A value that steps pass on. Reinterpretations share the memory of their root. */
typedef struct hd_tensor {
    size_t size;  /* elements a sample */
    int outer;
    int root;     /* tensor whose memory this is; itself for most */
    int first, last;           /* time its value is written, and last read */
    int d_first, d_last;       /* the same for its gradient; d_first < 0: no gradient */
    bool wants_gradient;
    size_t at, d_at;           /* elements into the arena */
} hd_tensor;

/* A layer's step, or (node < 0) a change of layout of one tensor. */
typedef struct hd_op {
    int node;
    int n_in;
    int in[HD_MAX_INPUTS], out; /* tensors */
    bool add[HD_MAX_INPUTS];    /* backward adds to the input's gradient */
    bool backward, fresh;       /* has a gradient to pass on; which nobody has written before (activity only) */
    int fold;                   /* node of the batch normalisation that this step computes too, or -1 */
    bool defer;                 /* the activation is left to the pooling that follows */
    int before;                 /* whose activation this pooling applies, or -1 */
    uint64_t version;           /* of the weights that `prepared` was made from */
    size_t saved_at, prepared_at, kept_at, scale_at; /* scale: 2 x channels, for a fold */
} hd_op;

typedef struct hd_plan {
    hd_model *m;
    hd_plan_mode mode;
    int capacity;
    int n_nodes, *node, *value; /* [n_nodes] what is predicted, and its tensors, batch-first; none in other modes */
    int n_tensors, n_ops;
    hd_tensor *tensor;
    hd_op *op;
    int *tensor_of, *op_of;         /* [nodes] tensor and step of each node, -1: not needed */
    int *other_layout;              /* [nodes] tensor with the node's value in the other layout, or -1 */
    int output[HD_MAX_OUTPUTS];     /* tensor of each output, batch-first; -1: not needed */
    size_t target_at[HD_MAX_OUTPUTS];
    size_t weight_at;               /* sample weights */
    size_t scratch_at, arena_size;
    real *arena;
} hd_plan;

/* rewrite.c: cheaper steps that compute the same. Called for each new step, before it is added to the plan. */
/* Inference, and training before the first node that trains: the step before computes this batch normalisation too; then no
 * step is needed, and the node's value is that step's output. */
bool hd_plan_fold(hd_plan *p, int node);
/* A non-decreasing activation commutes with max pooling, which leaves fewer elements to compute it for. */
void hd_plan_defer(hd_plan *p, hd_op *op);

/* nodes [n_nodes]: for HD_PLAN_PREDICT, what to compute, by one pass; else none. NULL: no memory. */
hd_plan *hd_plan_new(hd_model *m, hd_plan_mode mode, const int *nodes, int n_nodes, int capacity);
void hd_plan_free(hd_plan *p);

/* Places blocks that live over [first, last] into one arena; blocks that live at the same time do not overlap.
 * Returns the arena's size. order: scratch of n ints. */
typedef struct hd_block {
    uint64_t size, at;
    int first, last;
} hd_block;
uint64_t hd_arena_place(hd_block *blocks, int n, int *order);

/* --- running (run.c); n <= capacity samples --- */

/* Copies rows index[0..n-1] (NULL: first..first+n-1) of the data into the plan's inputs and targets. */
void hd_plan_load(hd_plan *p, const hd_data *d, const uint32_t *index, int first, int n);
/* One batch going through. */
typedef struct hd_pass {
    int n;
    bool training;  /* dropout and the like */
    uint64_t seed;
    uint32_t step;  /* with the seed, keys all random draws */
    bool commits;   /* hd_plan_commit may follow */
    double samples; /* gradients are those of the mean over this many; n, or more if the batch is a part */
    hd_activity_mode activity;
} hd_pass;

/* Runs all layers. Returns the activity penalty. */
double hd_plan_forward(hd_plan *p, const hd_pass *pass);
/* Runs losses and metrics and adds them to the score. Returns the weighted sum of the losses / pass->samples; where the pass commits
 * and that is not finite, nothing has been added. */
double hd_plan_losses(hd_plan *p, const hd_pass *pass, const hd_data *d, hd_score *score);
/* Leaves the gradients of all weights in m->g. */
void hd_plan_backward(hd_plan *p, const hd_pass *pass);
/* After an accepted step, before the weights move: lets layers update their state weights. */
void hd_plan_commit(hd_plan *p, const hd_pass *pass);
/* Value of predicted node `i` of n_nodes, batch-first [n, size]. */
const real *hd_plan_value(const hd_plan *p, int i);

#endif
