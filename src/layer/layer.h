/* What a layer is: one file, one class table. */
#ifndef HD_LAYER_LAYER_H
#define HD_LAYER_LAYER_H

#include "base/context.h"
#include "base/option.h"
#include "base/real.h"
#include "base/rng.h"
#include "base/shape.h"
#include "kern/activation.h"

enum { HD_MAX_INPUTS = 16, HD_MAX_WEIGHTS = 8, HD_LAYER_STATE = 64 };

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
    _Alignas(8) unsigned char state[HD_LAYER_STATE]; /* plain data for forward and backward */
    struct hd_node *node; /* the model's own */
    struct hd_model *model;
} hd_build;

/* Declares the next weight (numbers 0, 1, ... in the order of declaration), a matrix of dim[0] rows for constraints.
 * initializer: class name with default options ("zeros", "glorot", "lecun", "he"); fans as in Glorot & Bengio. */
hd_status hd_build_weight(hd_build *b, const char *name, hd_shape shape, const char *initializer, int fan_in,
                          int fan_out);

/* Seen by `forward` and `backward`. Shapes are per sample; n samples in every tensor. */
typedef struct hd_run {
    hd_pool *pool;
    const hd_values *opt;
    const void *state;
    int n;             /* N */
    int outer;         /* of all tensors of an HD_ANY_LAYOUT layer; else 1 (batch) or I of each tensor's own shape */
    bool training;
    bool logits;       /* the loss takes the output before its activation: leave that out, forward and backward */
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
    real *saved, *scratch;
} hd_run;

/* A case for the table-driven tests: input shapes and options as doubles. The list ends with n_in = 0. */
typedef struct hd_example {
    int n_in;
    hd_shape in[3];
    int n_options;
    double options[8];
} hd_example;

enum {
    HD_NEEDS_X = 1, /* backward reads the inputs */
    HD_NEEDS_Y = 2, /* backward reads the output */
    HD_ALIAS = 4    /* the output is the input's memory, read differently; forward and backward are not called */
};

typedef struct hd_layer_class {
    const char *name, *doc; /* name as in JS */
    const hd_option *options;
    int min_inputs, max_inputs;
    hd_layout layout;     /* wanted of every input; HD_ANY_LAYOUT: the same for all, whichever */
    hd_layout out_layout; /* of the output; HD_ANY_LAYOUT: as the first input's */
    unsigned flags;
    hd_activation (*output_activation)(const hd_values *opt); /* what `logits` leaves out; NULL: none */
    hd_status (*shape)(hd_build *b);
    void (*forward)(const hd_run *r);
    void (*backward)(const hd_run *r);
    const hd_example *examples;
} hd_layer_class;

#endif
