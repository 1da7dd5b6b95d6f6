/* What a layer is: one file, one class table. */
#ifndef HD_LAYER_LAYER_H
#define HD_LAYER_LAYER_H

#include "base/context.h"
#include "base/option.h"
#include "base/real.h"
#include "base/rng.h"
#include "base/shape.h"
#include "kern/activation.h"

enum { HD_MAX_INPUTS = 16, HD_MAX_WEIGHTS = 8, HD_LAYER_STATE = 256 };

/* How a tensor of N samples lies in memory: always [outer][N][inner] with outer * inner = elements a sample.
 * Batch-first has outer = 1. Rows-first, for matrices I x J, has outer = I, inner = J: the "I-major" layout in
 * which every product of a bilinear layer is one plain GEMM (MatNet, batched form). */
typedef enum hd_layout { HD_BATCH_FIRST, HD_ROWS_FIRST, HD_ANY_LAYOUT } hd_layout;

/* Seen by `shape` while the graph is built. */
typedef struct hd_build {
    hd_context *c;
    const char *path; /* "layer 3 (dense)", for error sentences */
    const hd_values *opt;
    int n_in;
    const hd_shape *in;
    /* to be filled: */
    hd_shape out;
    size_t saved, saved_fixed;     /* elements a sample, and in all, kept from forward to backward */
    size_t scratch, scratch_fixed; /* the same for memory used within one forward or backward call */
    size_t prepared;               /* elements that `prepare` makes from the weights */
    size_t kept;                   /* elements kept from a training step's forward to `commit` */
    _Alignas(8) unsigned char state[HD_LAYER_STATE]; /* plain data for forward and backward */
    struct hd_node *node; /* the model's own */
    struct hd_model *model;
} hd_build;

/* Declares the next weight (numbers 0, 1, ... in the order of declaration), a matrix of dim[0] rows for constraints.
 * initializer: class name with default options ("zeros", "glorot", "lecun", "he"); fans as in Glorot & Bengio. */
hd_status hd_build_weight(hd_build *b, const char *name, hd_shape shape, const char *initializer, int fan_in,
                          int fan_out);

/* The same for a state weight, such as a running mean: saved with the model, but changed by `commit` alone. */
hd_status hd_build_state(hd_build *b, const char *name, hd_shape shape, const char *initializer);

/* Hangs an initialiser with options (in place of the declared one) or a constraint on the weight declared last. Users may
 * replace both. */
hd_status hd_build_attach(hd_build *b, const char *kind, const double *options, int n_options);

/* Seen by `forward` and `backward`. Shapes are per sample; n samples in every tensor. */
typedef struct hd_run {
    hd_pool *pool;
    const hd_values *opt;
    const void *state;
    int n;             /* N */
    int outer;         /* of all tensors of an HD_ANY_LAYOUT layer; else 1 (batch) or I of each tensor's own shape */
    bool training;
    bool logits;       /* the output is wanted before its activation (by the loss, or a max pooling that applies it
                          later): leave that out, forward and backward */
    hd_rng rng;        /* of this node at this step */
    int n_in;
    const hd_shape *in;
    hd_shape out;
    const real *x[HD_MAX_INPUTS];
    real *y;
    real *dy;                  /* backward: gradient of the output; may be overwritten */
    real *dx[HD_MAX_INPUTS];   /* NULL where nobody wants it */
    bool add[HD_MAX_INPUTS];   /* dx already holds another consumer's part: add to it, else overwrite */
    const real *w[HD_MAX_WEIGHTS];
    real *dw[HD_MAX_WEIGHTS];  /* overwritten; NULL for frozen weights */
    real *saved, *scratch;     /* saved: NULL where no backward follows */
    real *prepared;            /* what `prepare` made of the weights as they are; written by it alone */
    real *kept;                /* NULL but in training steps */
    real *state_w[HD_MAX_WEIGHTS]; /* `commit` only: the state weights, to be changed */
    /* HD_TAKES_SCALE, inference: y = after(scale * y + shift) for each channel (last axis), from the batch normalisation
     * that follows; NULL: none. */
    const real *scale, *shift;
    hd_activation after;       /* HD_TAKES_SCALE: see there. HD_TAKES_ACTIVATION: to be applied to the output. */
    real after_alpha;
} hd_run;

/* A case for the table-driven tests: input shapes and options as doubles. The list ends with n_in = 0. */
typedef struct hd_example {
    int n_in;
    hd_shape in[3];
    int n_options;
    double options[16];
} hd_example;

enum {
    HD_NEEDS_X = 1, /* backward reads the inputs */
    HD_NEEDS_Y = 2, /* backward reads the output */
    HD_ALIAS = 4,   /* the output is the input's memory, read differently; forward and backward are not called */
    HD_TAKES_SCALE = 8,      /* can apply hd_run.scale, shift, after at inference, if its own activation is linear */
    HD_TAKES_ACTIVATION = 16 /* commutes with non-decreasing functions: can apply hd_run.after to its output, forward
                                and backward, in place of the activation of the layer before */
};

typedef struct hd_layer_class {
    const char *name, *doc; /* name as in JS */
    const hd_option *options;
    int min_inputs, max_inputs;
    hd_layout layout;     /* wanted of every input; HD_ANY_LAYOUT: the same for all, whichever */
    hd_layout out_layout; /* of the output; HD_ANY_LAYOUT: as the first input's */
    unsigned flags;
    hd_activation (*output_activation)(const hd_values *opt); /* what `logits` leaves out; NULL: none */
    real (*output_alpha)(const hd_values *opt); /* of that activation; NULL: it needs none */
    hd_status (*shape)(hd_build *b);
    void (*prepare)(const hd_run *r); /* fills r->prepared from r->w, whenever the weights have changed; or NULL */
    void (*commit)(const hd_run *r);  /* after a training step was accepted; before the weights move; or NULL */
    /* Inference as y = after(scale * x + shift) over the last axis of n channels (batch normalisation); or NULL. */
    void (*fold)(const hd_values *opt, int n, const real *const *w, real *scale, real *shift);
    void (*forward)(const hd_run *r);
    void (*backward)(const hd_run *r);
    const hd_example *examples;
} hd_layer_class;

#endif
