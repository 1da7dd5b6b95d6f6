/* heddle: trains and runs neural networks. The one public header.
 *
 * Nothing here prints, aborts, exits or keeps global state. Handles are opaque. Calls that can fail return
 * an hd_status, or NULL / -1 where they return a handle or a number; hd_error() then has the sentence. After
 * an error the handle is as before and usable. hd_*_free(NULL) does nothing. One context, with all that was
 * made from it, belongs to one thread of control at a time.
 *
 * Shapes never include the batch. Rows of data are samples, stored row-major, float32 (float64 in the
 * float64 build: `hd_real`). Options are doubles in the order of the class's option table: a list option as
 * its length followed by its values, an enum as the index of its name. Too few values: the rest are defaults. */
#ifndef HEDDLE_H
#define HEDDLE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(HD_API)
#define HD_API __attribute__((visibility("default")))
#elif !defined(HD_API)
#define HD_API
#endif

#ifdef HD_FLOAT64
typedef double hd_real;
#else
typedef float hd_real;
#endif

typedef enum hd_status {
    HD_OK = 0,
    HD_ERR_ARGUMENT,    /* a value out of its range, an unknown name */
    HD_ERR_SHAPE,       /* shapes that do not fit together */
    HD_ERR_UNSUPPORTED, /* a combination that is not offered */
    HD_ERR_MEMORY,      /* no memory left */
    HD_ERR_STATE,       /* a call at the wrong time */
    HD_ERR_DIVERGED     /* loss or weights stopped being finite */
} hd_status;

typedef struct hd_context hd_context;
typedef struct hd_model hd_model;
typedef struct hd_data hd_data;
typedef struct hd_fit hd_fit;
typedef struct hd_gram hd_gram;
typedef struct hd_admm hd_admm;
typedef struct hd_kernels hd_kernels;

/* --- context ------------------------------------------------------------------------------------------ */

/* threads: 1..64 wanted, the caller included. Fewer run where the platform gives fewer, or has none. NULL: out
 * of memory. */
HD_API hd_context *hd_context_new(int threads);
HD_API void hd_context_free(hd_context *c);
/* Changes the number of threads between calls; results do not depend on it. */
HD_API hd_status hd_context_set_threads(hd_context *c, int threads);
/* Threads that really run. */
HD_API int hd_context_threads(const hd_context *c);
/* Bytes held by everything made from c now, or at most so far. */
HD_API double hd_context_memory(const hd_context *c, int peak);
/* No more than so many bytes are held from now on: what would need more fails with HD_ERR_MEMORY. 0: no limit. */
HD_API hd_status hd_context_limit_memory(hd_context *c, double bytes);
/* Memory for arguments and results of callers that have none of their own (JavaScript), counted with the rest. NULL: none left. */
HD_API void *hd_buffer_new(hd_context *c, double bytes);
HD_API void hd_buffer_free(hd_context *c, void *buffer);
/* Tests only: the n-th allocation from now on fails (n >= 1); 0 switches it off. */
HD_API void hd_context_fail_allocation(hd_context *c, int n);
/* Sentence and code of the last failed call. */
HD_API const char *hd_error(const hd_context *c);
HD_API hd_status hd_error_status(const hd_context *c);

/* --- building a model --------------------------------------------------------------------------------- */

HD_API hd_model *hd_model_new(hd_context *c);
HD_API void hd_model_free(hd_model *m);
/* Node number of a new input of the given shape, or -1. Names are unique in a model, 1..63 bytes, without '/'. */
HD_API int hd_input(hd_model *m, const char *name, const int *dims, int rank);
/* Adds a layer of class `kind` ("dense", ...) on the nodes `inputs`; its node number, or -1. */
HD_API int hd_layer(hd_model *m, const char *kind, const char *name, const int *inputs, int n_inputs,
                    const double *options, int n_options);
/* Fills an empty model with a named network ("resnet18", ...) and marks its output; nodes are named as torchvision's
 * parameters. Options as for layers. After an error the model is empty. */
HD_API hd_status hd_recipe(hd_model *m, const char *name, const double *options, int n_options);
/* Attaches to a weight, by its name "layer/weight", one of: an initialiser, regulariser or constraint by class
 * name, "learningRateFactor" (1 value), "frozen" (0 or 1). Before hd_model_build for initialisers.
 * No gradient is computed for frozen weights, nor in a fit for those of factor 0 (which L-BFGS takes for 1), nor through layers before the
 * first that trains; they still take their place in the vectors of gradients and of the optimiser's state. HD_ERR_STATE: a factor that
 * becomes 0, or another than 0, and "frozen", while a fit runs; a constraint while one of lbfgs does. */
HD_API hd_status hd_weight_set(hd_model *m, const char *weight, const char *kind, const double *options,
                               int n_options);
/* Attaches an activity regulariser ("klSparsity") to the output of a layer. */
HD_API hd_status hd_activity_set(hd_model *m, const char *layer, const char *kind, const double *options,
                                 int n_options);
/* Marks a node as an output; outputs are numbered in this order. Node's last layer if never called. */
HD_API hd_status hd_output(hd_model *m, int node);
/* Allocates and initialises all weights from the seed, an integer 0..2^53. The graph is closed afterwards. */
HD_API hd_status hd_model_build(hd_model *m, double seed);

/* Bytes of weights, gradients and optimiser state. */
HD_API double hd_model_memory(const hd_model *m);

/* --- reading a model ---------------------------------------------------------------------------------- */

HD_API int hd_input_count(const hd_model *m);
HD_API int hd_output_count(const hd_model *m);
HD_API int hd_input_node(const hd_model *m, int input);
HD_API int hd_output_node(const hd_model *m, int output);
HD_API int hd_node_count(const hd_model *m);
HD_API const char *hd_node_name(const hd_model *m, int node);
HD_API const char *hd_node_kind(const hd_model *m, int node);
/* Rank of a node's output; writes its dims (at most 6). */
HD_API int hd_node_shape(const hd_model *m, int node, int *dims);
/* Number of nodes that a node reads, -1 if there is no such node; writes their numbers (at most 16). */
HD_API int hd_node_inputs(const hd_model *m, int node, int *inputs);
/* Number of values that hd_layer would take to make this node, all of its options in table order; writes them (at most
 * 80). 0 for an input, -1 if there is no such node. */
HD_API int hd_node_options(const hd_model *m, int node, double *values);
/* Number of the node with this name, or -1. */
HD_API int hd_node_find(const hd_model *m, const char *name);

/* Weights in layer order. The pointers stay valid for the life of the model; [out, in] for dense layers. */
/* Count, names and shapes can be asked before hd_model_build. */
HD_API int hd_weight_count(const hd_model *m);
HD_API const char *hd_weight_name(const hd_model *m, int weight);
HD_API int hd_weight_shape(const hd_model *m, int weight, int *dims);
HD_API int hd_weight_node(const hd_model *m, int weight);
HD_API int hd_weight_frozen(const hd_model *m, int weight);
/* 1: kept by its layer, such as a running mean: frozen, but moved by training. Freezing it makes the layer run as at inference. */
HD_API int hd_weight_state(const hd_model *m, int weight);
/* Class of the initialiser that hd_weight_set or a recipe gave the weight, "" for the layer's own; and its options in table
 * order: their number is returned, they are written to values (at most 80). */
HD_API const char *hd_weight_initializer(const hd_model *m, int weight);
HD_API int hd_weight_initializer_options(const hd_model *m, int weight, double *values);
/* The same of its first regulariser, and of the activity regulariser of a node: "" without. */
HD_API const char *hd_weight_regularizer(const hd_model *m, int weight);
HD_API int hd_weight_regularizer_options(const hd_model *m, int weight, double *values);
HD_API const char *hd_node_activity(const hd_model *m, int node);
HD_API int hd_node_activity_options(const hd_model *m, int node, double *values);
HD_API hd_real *hd_weight_data(hd_model *m, int weight);
/* Gradient of the last hd_gradients call; NULL before it or if frozen. */
HD_API const hd_real *hd_weight_gradient(const hd_model *m, int weight);
/* To be called each time after weights were written from outside: checks that they are finite. */
HD_API hd_status hd_weights_check(hd_model *m);

/* --- data --------------------------------------------------------------------------------------------- */

enum { HD_FLOAT = 0, HD_UINT8 = 1 };                                 /* type of a column's elements */
enum { HD_COLUMN_INPUT = 0, HD_COLUMN_TARGET = 1, HD_COLUMN_WEIGHT = 2 }; /* role of a column */

HD_API hd_data *hd_data_new(hd_context *c, int rows);
HD_API void hd_data_free(hd_data *d);
HD_API int hd_data_rows(const hd_data *d);
/* Adds column `index` of a role: the input or output number of the model, or 0 for the sample weights (size 1). `size`: elements a
 * row. Element value = stored * scale + offset. Returns the rows x size array for the caller to fill, or NULL. */
HD_API void *hd_data_column(hd_data *d, int role, int index, int type, int size, double scale, double offset);
/* Checks that float columns are finite; names the first culprit. */
HD_API hd_status hd_data_check(hd_data *d);

/* --- compile: what to minimise, how, and what to watch ------------------------------------------------ */

/* Forgets losses, metrics, optimiser and schedule. */
HD_API hd_status hd_compile_reset(hd_model *m);
/* Adds a loss on an output with a weight in the total. */
HD_API hd_status hd_loss_add(hd_model *m, int output, const char *kind, double weight, const double *options,
                             int n_options);
/* Adds a metric; its number, or -1. */
HD_API int hd_metric_add(hd_model *m, int output, const char *kind, const double *options, int n_options);
HD_API hd_status hd_optimizer_set(hd_model *m, const char *kind, const double *options, int n_options);
HD_API hd_status hd_schedule_set(hd_model *m, const char *kind, const double *options, int n_options);
/* What the optimiser keeps from step to step, for files that training goes on from. Number of its slots (values beside each weight, such as
 * moments); 0 before hd_optimizer_set, and for lbfgs, which begins anew with each fit. */
HD_API int hd_optimizer_slots(const hd_model *m);
/* Slot of a weight, of the weight's shape; zeros before the first step. NULL: frozen, no such slot, or no memory. */
HD_API hd_real *hd_optimizer_slot(hd_model *m, int slot, int weight);
/* Running means of a node's activity regulariser, of the node's shape; NULL if it has none. */
HD_API hd_real *hd_activity_mean(hd_model *m, int node);
/* Steps done since hd_optimizer_set: schedules and dropout depend on it. */
HD_API double hd_optimizer_step(const hd_model *m);
/* To be called after slots and means were written from outside: checks that they are finite. step: 0..2^53. */
HD_API hd_status hd_optimizer_restore(hd_model *m, double step);
/* Elements a row of the target column for an output: 0 if it has neither loss nor metric, labels for sparse losses. */
HD_API int hd_target_size(const hd_model *m, int output);
/* Length of a metric's value: 1, or classes x classes for a confusion matrix. */
HD_API int hd_metric_size(const hd_model *m, int metric);

/* --- fit ---------------------------------------------------------------------------------------------- */

/* Rows [train_begin, train_end) are shuffled per epoch and trained on, in batches. Options by position: batch size (32),
 * epochs (1), shuffle (1), seed (0), initial epoch (0), batches an epoch (0: as the data has; only without data),
 * batches whose mean gradient makes a step (1; 0: all of an epoch). Without data (NULL) the batches come from
 * hd_fit_batch. Model and data must outlive the fit; one fit at a time on a model. Optimiser state lives in the model: a
 * next fit goes on with it, until hd_compile_reset. */
HD_API hd_fit *hd_fit_new(hd_model *m, hd_data *d, int train_begin, int train_end, const double *options,
                          int n_options);
HD_API void hd_fit_free(hd_fit *f);
/* Runs up to `batches` batches, never past the end of an epoch. HD_ERR_DIVERGED: the loss of a batch, or the gradient of a step, is
 * not finite; the weights are those before it, and a loss that is not finite is not in the scores. */
HD_API hd_status hd_fit_step(hd_fit *f, int batches);
/* Passes over the batch that is next, such as one that was refused; for a fit without data, over one that is not given. Not for lbfgs. */
HD_API hd_status hd_fit_skip(hd_fit *f);
/* 1 when all epochs are done, or the optimiser has converged. */
HD_API int hd_fit_done(const hd_fit *f);

enum {
    HD_FIT_EPOCH = 0,      /* whole epochs done */
    HD_FIT_BATCH,          /* batches done in this epoch; 0 right after an epoch has ended */
    HD_FIT_BATCHES,        /* batches in an epoch; 0: not known (L-BFGS needs several passes, or fed by hd_fit_batch) */
    HD_FIT_STEP,           /* steps of the optimiser in all */
    HD_FIT_LOSS,           /* mean total loss (with penalties) of the current epoch so far, or of the ended one */
    HD_FIT_BATCH_LOSS,     /* total loss of the last batch */
    HD_FIT_LEARNING_RATE,  /* of the last step */
    HD_FIT_GRADIENT_NORM,  /* of the last step, before clipping */
    HD_FIT_SAMPLES,        /* samples seen in this epoch */
    HD_FIT_ARENA,          /* bytes of the planned work memory */
    HD_FIT_BASE_RATE       /* learning rate before the schedule */
};
HD_API double hd_fit_stat(const hd_fit *f, int which);
/* Mean unweighted loss of one output in the epoch so far; NaN: there is no such loss. */
HD_API double hd_fit_loss(const hd_fit *f, int loss);
/* Value `i` of a metric in the epoch so far; NaN: there is none. */
HD_API double hd_fit_metric(const hd_fit *f, int metric, int i);
/* Changes the base learning rate from the next step on. */
HD_API hd_status hd_fit_set_learning_rate(hd_fit *f, double rate);
/* What a running fit knows beyond its model's weights, slots, means and step (above): where it is in the epoch, the scores so far, the
 * gradient of an incomplete group, the base learning rate, all of lbfgs. A fit with the same options and data on a model with the
 * same weights and optimiser state goes on from it to the same bits. Size: of its numbers, or (values 1) of its elements. */
HD_API double hd_fit_state_size(const hd_fit *f, int values);
HD_API void hd_fit_save_state(const hd_fit *f, double *numbers, hd_real *values);
/* HD_ERR_ARGUMENT: not a state of such a fit, which is as before. */
HD_API hd_status hd_fit_load_state(hd_fit *f, const double *numbers, int n_numbers, const hd_real *values, int n_values);
/* For a fit without data: trains on all rows of d, at most the batch size. */
HD_API hd_status hd_fit_batch(hd_fit *f, hd_data *d);
/* The same: ends the epoch here. */
HD_API hd_status hd_fit_end_epoch(hd_fit *f);
/* The same: one step with gradients from elsewhere, which the caller has put where hd_gradient_data points, such as means over
 * several machines. Counts as a batch of `samples` rows with this loss. */
HD_API hd_status hd_fit_apply_gradients(hd_fit *f, double loss, int samples);
/* Where the gradient of a weight is to be put; NULL if it is frozen, or no fit is open. */
HD_API hd_real *hd_gradient_data(hd_model *m, int weight);

/* --- evaluate, predict, gradients --------------------------------------------------------------------- */

/* Runs losses and metrics as at inference: begin, then rows in any number of calls, then end, then read. Allowed while a fit
 * is open, between its steps. Another loss or metric in between makes it begin anew. */
HD_API hd_status hd_evaluate_begin(hd_model *m, int batch_size);
HD_API hd_status hd_evaluate_rows(hd_model *m, hd_data *d, int begin, int end);
HD_API hd_status hd_evaluate_end(hd_model *m);
/* Mean weighted total loss with all penalties; mean loss; value i of a metric. NaN: there is none. */
HD_API double hd_evaluate_total(const hd_model *m);
HD_API double hd_evaluate_loss(const hd_model *m, int loss);
HD_API double hd_evaluate_metric(const hd_model *m, int metric, int i);
/* Writes the output of `node` for rows [begin, end) to out, (end - begin) x size elements. */
HD_API hd_status hd_predict(hd_model *m, hd_data *d, int node, int begin, int end, int batch_size, hd_real *out);
/* The same for several nodes (at least one) by one pass over the rows: all of the first node's, then all of the second's, ... */
HD_API hd_status hd_predict_nodes(hd_model *m, hd_data *d, const int *nodes, int n_nodes, int begin, int end, int batch_size,
                                  hd_real *out);
/* Total loss (penalties included) over rows [begin, end) as one batch and its gradient for every weight;
 * changes no weight. dropout draws with `seed`, 0..2^53, when training is 1. */
HD_API hd_status hd_gradients(hd_model *m, hd_data *d, int begin, int end, int training, double seed,
                              double *loss);

/* --- images -------------------------------------------------------------------------------------------- */

/* Pictures are [height, width, channels], rows from the top, of type HD_UINT8 (0..255) or HD_FLOAT (hd_real); sides 1..65535, channels 1..64,
 * below 2^31 bytes. HD_ERR_ARGUMENT: sizes out of range, floats that are not finite. Outputs must not overlap inputs. */
enum {
    HD_RESIZE_NEAREST = 0, /* the pixel under the new one's centre */
    HD_RESIZE_AREA,        /* mean over the area that the new pixel covers */
    HD_RESIZE_BILINEAR,    /* a triangle, as wide as the new pixel when shrinking: PIL's BILINEAR, bytes to the bit */
    HD_RESIZE_BICUBIC      /* MATLAB's imresize with antialiasing: Keys' kernel with a = -1/2, stretched when shrinking, mirrored borders */
};
/* y [to_height, to_width, channels]. scale: 0, or the factor, from 1/65536, that imresize would be given: the new sides are the old times it, rounded
 * up, and the kernel's positions follow it, not the ratio of the sides (bicubic; the others take the ratio). */
HD_API hd_status hd_image_resize(hd_context *c, int type, int height, int width, int channels, const void *x, int method, double scale,
                                 int to_height, int to_width, void *y);
/* Rows [from, to) of what hd_image_resize gives, with the same bits, from rows [first, first + rows) of the picture alone: for pictures larger
 * than memory. HD_ERR_ARGUMENT names the rows that are needed. y [to - from, to_width, channels]. */
HD_API hd_status hd_image_resize_rows(hd_context *c, int type, int height, int width, int channels, int first, int rows, const void *x, int method,
                                      double scale, int to_height, int to_width, int from, int to, void *y);
/* Writes to reach [2] which rows [reach[0], reach[1]) of a picture of `height` rows these are. */
HD_API hd_status hd_image_resize_reach(hd_context *c, int height, int method, double scale, int to_height, int from, int to, int *reach);

enum {
    HD_COMPARE_PSNR = 0, /* 10 log10(peak^2 / mean squared error) dB; infinite for equal pictures */
    HD_COMPARE_SSIM,     /* Wang et al. 2004: Gaussian window 11 x 11 of deviation 1.5 inside the picture, K1 = 0.01, K2 = 0.03; sides >= 11 */
    HD_COMPARE_MS_SSIM   /* Wang et al. 2003: five scales by means of 2 x 2; sides >= 176 */
};
/* One number for pictures x and y of one size, in float64. luma 1: of 0.299 R + 0.587 G + 0.114 B, not rounded (channels 1, 3 or 4); 0: mean of
 * the channels' values (PSNR: of their squared errors). peak > 0: the value of white. */
HD_API hd_status hd_image_compare(hd_context *c, int type, int height, int width, int channels, const void *x, const void *y, int measure,
                                  int luma, double peak, double *value);

enum {
    HD_DISTORT_GAUSSIAN_BLUR = 0, /* deviation 0.7, 1.2, 2, 3.2, 5 pixels */
    HD_DISTORT_MOTION_BLUR,       /* length 3, 6, 10, 16, 25 pixels, in a direction of the seed */
    HD_DISTORT_WHITE_NOISE,       /* normal, deviation 5, 10, 20, 35, 55 of 255 */
    HD_DISTORT_IMPULSE_NOISE,     /* black or white with probability 0.005, 0.02, 0.05, 0.1, 0.2 */
    HD_DISTORT_JPEG_BLOCKING,     /* DCT of 8 x 8 quantised with JPEG's tables at quality 40, 22, 12, 7, 4, chroma whole */
    HD_DISTORT_CONTRAST,          /* towards the mean luma: times 0.8, 0.6, 0.42, 0.27, 0.15 */
    HD_DISTORT_COLOUR,            /* towards the pixel's luma: times 0.75, 0.5, 0.3, 0.15, 0; 3 or 4 channels */
    HD_DISTORT_DOWNSCALE          /* bicubic, by 1.5, 2, 3, 4.5, 7 and back */
};
enum { HD_DISTORT_LEVELS = 5 };
/* y like x, distorted at level 1..5; floats are 0..1. The last of 2 or 4 channels is alpha and stays. seed: a whole number 0..2^53; levels of
 * a kind with the same seed are the same distortion, stronger. */
HD_API hd_status hd_image_distort(hd_context *c, int type, int height, int width, int channels, const void *x, int kind, int level,
                                  double seed, void *y);

/* y like x, 3 or 4 channels (a fourth stays): RGB to YCbCr of BT.601, or `back`. full 0: studio range, Y 16..235, as MATLAB's rgb2ycbcr; 1: JFIF's.
 * Bytes are rounded and saturated; floats are 0..1 for 0..255, and are not. */
HD_API hd_status hd_image_ycbcr(hd_context *c, int type, int height, int width, int channels, const void *x, int back, int full, void *y);

enum { HD_BORDER_MIRROR = 0, HD_BORDER_REPLICATE, HD_BORDER_ZERO }; /* beyond the border: mirrored with the border pixel twice, ... */
/* y [height, width, channels] floats: sum over kernel [kernel_height, kernel_width] (odd sides, 1..255) times the pixels around (correlation). */
HD_API hd_status hd_image_filter(hd_context *c, int height, int width, int channels, const hd_real *x, int kernel_height, int kernel_width,
                                 const double *kernel, int border, hd_real *y);

/* Writes `count` patches [patch_height, patch_width, channels] to y, from the rows and columns `at` [count, 2] of their first pixels. */
HD_API hd_status hd_image_patches(hd_context *c, int type, int height, int width, int channels, const void *x, int patch_height,
                                  int patch_width, int count, const int *at, void *y);
/* Patches put together to a picture y, all floats: at each pixel the mean of those that cover it, weighted by window [patch_height,
 * patch_width] > 0; NULL: all alike. HD_ERR_ARGUMENT names a pixel that none covers. */
HD_API hd_status hd_image_blend(hd_context *c, int height, int width, int channels, const hd_real *patches, int patch_height,
                                int patch_width, int count, const int *at, const double *window, hd_real *y);

/* A matrix network with one hidden matrix, act(sum_j U_j X_j V_j^T + B) [hidden_rows, hidden_cols], and an output out_act(R H S^T + C), on every
 * window [patch_height, patch_width] of a picture: y [to - from, width] gets for rows [from, to) the mean over the windows on each pixel. Of the
 * picture's `planes` 1..16 only rows [first, first + rows) are given, x [planes, rows, width]. Windows are computed in fours of rows, 4t .. 4t + 3:
 * needed are, as far as they exist, rows from - patch_height + 1, rounded down to a multiple of 4, and on, before row 4 floor((to - 1) / 4) +
 * 4 ceil(patch_height / 4) + 3; with less an error says which. Bands give the same bits as the whole. activation, output_activation: numbers as
 * of layer activation's option, no softmax. weights: U_1 .. U_D [hidden_rows, patch_height], V_1 .. V_D [hidden_cols, patch_width], B, R
 * [patch_height, hidden_rows], S [patch_width, hidden_cols], C [patch_height, patch_width]; patch and hidden sides 1..255. */
HD_API hd_status hd_image_matnet(hd_context *c, int planes, int height, int width, int first, int rows, const hd_real *x, int patch_height,
                                 int patch_width, int hidden_rows, int hidden_cols, int activation, int output_activation,
                                 const hd_real *weights, int from, int to, hd_real *y);

/* --- linear algebra ------------------------------------------------------------------------------------ */

/* Dense row-major matrices without gaps between rows; `type` HD_F32 or HD_F64 for all of a call. Sizes 1..65536 unless said; outputs must
 * not overlap inputs. HD_ERR_ARGUMENT: input that is not finite, named by its row and column; HD_ERR_DIVERGED: the result would not be. */
enum { HD_F32 = 0, HD_F64 = 1 }; /* HD_F32: hd_real */

/* out [m x n] = alpha op(A) op(B) + beta out; op(A): m x k, op(B): k x n, transposed if ta, tb. */
HD_API hd_status hd_linalg_gemm(hd_context *c, int type, int ta, int tb, int m, int n, int k, double alpha, const void *a,
                                const void *b, double beta, void *out);
/* out [n x n] = alpha A A^T + beta out (A: n x k), or with `transposed` alpha A^T A + beta out (A: k x n). Of `out` the lower triangle is
 * read, both are written. */
HD_API hd_status hd_linalg_syrk(hd_context *c, int type, int transposed, int n, int k, double alpha, const void *a, double beta,
                                void *out);
/* A [n x n], symmetric (its lower triangle is read), becomes L, zero above the diagonal. HD_ERR_DIVERGED names the pivot at which it is
 * not positive definite. */
HD_API hd_status hd_linalg_cholesky(hd_context *c, int type, int n, void *a);
/* B [n x m] = op(T)^-1 B, T lower or upper triangular. HD_ERR_DIVERGED names a zero on the diagonal. */
HD_API hd_status hd_linalg_triangular_solve(hd_context *c, int type, int upper, int transposed, int n, int m, const void *t, void *b);
/* B [n x m] = A^-1 B, A [n x n] symmetric positive definite (lower triangle read), destroyed (Cholesky). */
HD_API hd_status hd_linalg_spd_solve(hd_context *c, int type, int n, int m, void *a, void *b);
/* A [m x n], destroyed; Q [m x r], R [r x n], r = min(m, n). R's diagonal is not negative (Householder). */
HD_API hd_status hd_linalg_qr(hd_context *c, int type, int m, int n, void *a, void *q, void *r);
/* X [n x k] of least ||A X - B||, the smallest of them: A [m x n], destroyed, B [m x k], min(m, n) <= 8192. Singular values up to rcond
 * times the largest count as zero (rcond < 0: max(m, n) epsilon; expected below 1). Writes the rank. */
HD_API hd_status hd_linalg_least_squares(hd_context *c, int type, int m, int n, int k, void *a, const void *b, double rcond, void *x,
                                         double *rank);
/* A = E diag(d) E^T, A [n x n] symmetric (lower triangle read), destroyed; d [n] ascending; E [n x n], each column with its largest component
 * positive, or NULL. n <= 8192. */
HD_API hd_status hd_linalg_eigh(hd_context *c, int type, int n, void *a, void *values, void *vectors);
/* A [m x n] = U diag(s) V^T, destroyed; s [r] descending, U [m x r], V^T [r x n], r = min(m, n) <= 8192. U, V^T may be NULL. */
HD_API hd_status hd_linalg_svd(hd_context *c, int type, int m, int n, void *a, void *s, void *u, void *vt);
/* Condition number in the 2-norm: largest over smallest singular value of A [m x n], destroyed; infinite if that is zero. */
HD_API hd_status hd_linalg_cond(hd_context *c, int type, int m, int n, void *a, double *condition);
/* out [n x m] = A^+ of Moore and Penrose, A [m x n] destroyed. Writes the rank; rcond as of least_squares. */
HD_API hd_status hd_linalg_pinv(hd_context *c, int type, int m, int n, void *a, double rcond, void *out, double *rank);
/* out [m x n], m >= n: orthonormal columns, of the Haar distribution; the same for the same seed, a whole number 0..2^53. */
HD_API hd_status hd_linalg_random_orthogonal(hd_context *c, int type, int m, int n, double seed, void *out);

/* --- closed-form solvers ------------------------------------------------------------------------------- */

/* Sums over samples of features y [n] and targets t [q], in float64: G = sum y y^T, C = sum t y^T, sum |t|^2, J. All that least
 * squares needs: memory n^2 + q n, however many samples. n 1..16384, q 1..4096. */
HD_API hd_gram *hd_gram_new(hd_context *c, int features, int targets);
HD_API void hd_gram_free(hd_gram *g);
HD_API hd_status hd_gram_reset(hd_gram *g);
/* Adds rows [begin, end) of d. Features: what `node` of m gives, in batches; with m NULL, input column 0 itself. Targets: target column 0
 * with q elements a row, or, with q > 1 and one element a row, class numbers 0..q-1 for one-hot targets. A negative `sign` takes rows
 * away. `known` > 0, for features that are added to others: the sums of the first `known` of them are there already, of these same
 * rows, and only those with the features after them are added. After an error the sums are as before. */
HD_API hd_status hd_gram_add(hd_gram *g, hd_model *m, int node, hd_data *d, int begin, int end, int batch_size, int sign, int known);
enum {
    HD_GRAM_G = 0,   /* [n x n], the lower triangle counts */
    HD_GRAM_C,       /* [q x n] */
    HD_GRAM_TOTALS   /* [2]: J, sum |t|^2 */
};
/* The sums themselves, to be read or changed (to add those of other machines). */
HD_API double *hd_gram_values(hd_gram *g, int which);
/* Ridge: O [q x n] = C (G + lambda I)^-1, in float64. A pivot that is not positive makes it try again with lambda doubled (at least 1e-12
 * trace(G) / n), at most 30 times; `used` gets the lambda that worked. lambda >= 0. */
HD_API hd_status hd_gram_ridge(hd_gram *g, double lambda, double *o, double *used);
/* sum |t - O y|^2 of any O [q x n], from the sums. */
HD_API double hd_gram_cost(hd_gram *g, const double *o);

/* For each of `count` lambdas >= 0, from one eigendecomposition of G (n <= 8192): cost[i] = sum |t - O y|^2, df[i] = sum d / (d + lambda) the
 * degrees of freedom, norm[i] = ||O||_F. lambda = 0: the least of all least squares solutions. */
HD_API hd_status hd_gram_path(hd_gram *g, int count, const double *lambda, double *cost, double *df, double *norm);
/* O [q x n] of least cost with ||O||_F <= radius, radius > 0, exactly, from the secular equation. lambda gets its multiplier: O (G + lambda I)
 * = C. It is 0 inside the ball, but for a G that cannot be factored: then the least that makes it positive definite. */
HD_API hd_status hd_gram_secular(hd_gram *g, double radius, double *o, double *lambda);

/* The same problem by ADMM, alone or as one of many workers (Boyd et al. 2011). penalty s > 0; 0: trace(G) / n. radius 0: no bound on Z. The
 * sums are copied: g may be freed. Starts with O = Z = U = 0. */
HD_API hd_admm *hd_admm_new(hd_gram *g, double penalty, double radius);
HD_API void hd_admm_free(hd_admm *a);
/* Iterations: O = (C + s (Z - U)) (G + s I)^-1; Z = P(O + U), P the projection on the ball; U = U + O - Z. */
HD_API hd_status hd_admm_step(hd_admm *a, int iterations);
/* The parts, for workers whose Z comes from all: O from Z and U; Z = P(Z); U from O and Z. They refuse what is not finite. */
HD_API hd_status hd_admm_local(hd_admm *a);
HD_API hd_status hd_admm_project(hd_admm *a);
HD_API hd_status hd_admm_dual(hd_admm *a);
enum { HD_ADMM_O = 0, HD_ADMM_Z, HD_ADMM_U };
HD_API double *hd_admm_values(hd_admm *a, int which); /* [q x n], to be read or changed */
enum {
    HD_ADMM_PENALTY = 0,
    HD_ADMM_PRIMAL, /* ||O - Z||_F at the last update of U; NaN before the first */
    HD_ADMM_DUAL,   /* s ||Z - old Z||_F, old: that O was computed from */
    HD_ADMM_COST    /* sum |t - Z y|^2 */
};
HD_API double hd_admm_stat(const hd_admm *a, int which);

/* Kernel ridge regression on J samples, 1..16384, whose features come in blocks: inner products are summed in float64, 16 J^2 bytes. */
HD_API hd_kernels *hd_kernels_new(hd_context *c, int samples);
HD_API void hd_kernels_free(hd_kernels *k);
/* More features of all samples: b [J x n]. */
HD_API hd_status hd_kernels_add(hd_kernels *k, int n, const double *b);
/* Median of ||u - v||^2 over all pairs. */
HD_API hd_status hd_kernels_median(hd_kernels *k, double *median);
/* alpha [J x q] = (K + lambda I)^-1 T, T [J x q]; K: number `kernel` of layer kernelMap's option, gamma > 0 as there. left_out [J x q], or
 * NULL: what would be predicted for each sample without it. HD_ERR_DIVERGED names the pivot at which K + lambda I is not positive definite. */
HD_API hd_status hd_kernels_ridge(hd_kernels *k, int kernel, double gamma, double lambda, int q, const double *t, double *alpha,
                                  double *left_out);

/* --- agreement of scores with ratings -------------------------------------------------------------------- */

enum {
    HD_STATISTIC_PLCC = 0,      /* Pearson's linear correlation */
    HD_STATISTIC_SROCC,         /* Spearman's rank correlation, ties at the mean of their ranks */
    HD_STATISTIC_KROCC,         /* Kendall's tau-b */
    HD_STATISTIC_RMSE,          /* root of the mean square of q - y */
    HD_STATISTIC_MAE,           /* mean of |q - y| */
    HD_STATISTIC_OUTLIER_RATIO, /* part of the rows with |q - y| > 2 spread; NaN without spread */
    HD_STATISTICS
};
/* Writes values [HD_STATISTICS] for scores q [n] and ratings y [n], 2 <= n <= 2^24, in float64. spread: [n] standard deviations of the
 * ratings, or NULL. Correlations with a list that does not vary are NaN. */
HD_API hd_status hd_statistics(hd_context *c, int n, const double *q, const double *y, const double *spread, double *values);
/* Bootstrap intervals (percentiles): `resamples` times, 1..100000, n rows drawn with replacement; low, high [HD_STATISTICS]. 0 < confidence
 * < 1; seed: a whole number 0..2^53. */
HD_API hd_status hd_statistics_intervals(hd_context *c, int n, const double *q, const double *y, const double *spread, int resamples,
                                         double confidence, double seed, double *low, double *high);

enum {
    HD_MAPPING_LINEAR = 0, /* b0 + b1 x */
    HD_MAPPING_LOGISTIC4,  /* (b0 - b1) / (1 + exp(-(x - b2) / b3)) + b1, b3 > 0 */
    HD_MAPPING_LOGISTIC5,  /* b0 (1/2 - 1 / (1 + exp(b1 (x - b2)))) + b3 x + b4 */
    HD_MAPPING_MOST = 5    /* coefficients */
};
/* Least squares curve from scores q [n] to ratings y [n], n as of hd_statistics, to b [HD_MAPPING_MOST]. `used` gets the kind of curve: linear
 * where a logistic one fits no better. Exponents count within -60..60. */
HD_API hd_status hd_mapping_fit(hd_context *c, int kind, int n, const double *q, const double *y, double *b, double *used);

#endif
