/* A running fit. */
#ifndef HD_MODEL_FIT_H
#define HD_MODEL_FIT_H

#include "model/plan.h"
#include "optim/lbfgs.h"

/* A piece of one weight, the unit of work of the optimiser. */
typedef struct hd_piece {
    int weight;
    size_t start, n;
} hd_piece;

/* State of full-batch training by L-BFGS; see fit_lbfgs.c. */
typedef struct hd_full_batch {
    hd_lbfgs *lbfgs;
    double *gradient;  /* [flat] float64 sums over the batches of a pass */
    real *q;           /* [flat] point to evaluate; weights are its projection on the constraints */
    bool means;        /* this pass only collects activity means */
    double loss;       /* sum over the pass so far */
    double penalty;    /* of the activities, from the pass for their means */
    int batches;       /* in this epoch, over all its passes */
    bool trial;        /* the weights are those of a trial point */
} hd_full_batch;

/* Batches whose mean gradient makes one step of a first-order optimiser. */
typedef struct hd_group {
    int size;      /* batches in a group; 0: all of an epoch */
    real *sum;     /* [flat] gradients of those done, times their rows; NULL for size 1 */
    int batches;   /* done in the running group */
    double rows;
} hd_group;

struct hd_fit {
    hd_model *m;
    hd_data *data; /* NULL: fed by hd_fit_batch */
    int begin, end, batch_size, epochs;
    bool shuffle;
    uint64_t seed;
    int batches; /* an epoch; 0: unknown */
    hd_plan *plan;
    uint32_t *order; /* rows of this epoch, shuffled */
    hd_piece *piece;
    int n_pieces;
    hd_full_batch *full; /* NULL for first-order optimisers */
    hd_group group;

    int epoch, batch; /* whole epochs done, batches done in this one */
    bool converged;
    double base_rate;
    hd_score score, last; /* of the running and of the ended epoch */
    double batch_loss, rate, gradient_norm;
};

/* step.c: first-order optimisers on all weights. */
hd_status hd_pieces_new(hd_fit *f);
/* Applies m->g; everything is checked to be finite before a weight changes. pass: of the gradient, to be committed; or NULL. */
hd_status hd_fit_apply(hd_fit *f, const hd_pass *pass);
/* The batch that runs is the last of its group. */
bool hd_group_ends(const hd_fit *f);
/* Takes m->g, the mean over n rows, into the group; its last batch finds the mean over all of the group there afterwards. */
void hd_group_take(hd_fit *f, int n, bool last);
/* Steps with what a group has that will get no more batches. */
hd_status hd_group_close(hd_fit *f);

/* fit.c */
void hd_fit_load_order(hd_fit *f);
void hd_fit_finish_epoch(hd_fit *f);

/* fit_lbfgs.c */
hd_status hd_full_batch_new(hd_fit *f);
void hd_full_batch_free(hd_fit *f); /* leaves the last accepted iterate in the weights */
hd_status hd_full_batch_step(hd_fit *f);

#endif
