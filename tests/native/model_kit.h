/* Small models for the table-driven tests, through the public API. */
#ifndef HD_TESTS_MODEL_KIT_H
#define HD_TESTS_MODEL_KIT_H

#include "base/rng.h"
#include "heddle.h"
#include "layer/layer.h"
#include "model/registry.h"

#include "check.h"

#include <stdlib.h>

enum { KIT_ROWS = 5, KIT_MAX_WEIGHTS = 32 };

/* Fills with seeded normal numbers. */
static inline void kit_fill(hd_real *x, size_t n, uint64_t seed)
{
    hd_rng rng = hd_rng_stream(seed, 99, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = (hd_real)hd_rng_normal(rng, i);
    }
}

static inline void kit_fill_weights(hd_model *m, uint64_t seed)
{
    for (int i = 0; i < hd_weight_count(m); i++) {
        int dims[6], rank = hd_weight_shape(m, i, dims);
        size_t n = 1;
        for (int k = 0; k < rank; k++) {
            n *= (size_t)dims[k];
        }
        hd_real *x = hd_weight_data(m, i);
        kit_fill(x, n, seed + (uint64_t)i);
        for (size_t k = 0; hd_weight_state(m, i) && k < n; k++) {
            x[k] = (hd_real)0.5 + x[k] * x[k]; /* variances are positive */
        }
    }
}

static inline size_t kit_weight_size(const hd_model *m, int weight)
{
    int dims[6], rank = hd_weight_shape(m, weight, dims);
    size_t n = 1;
    for (int k = 0; k < rank; k++) {
        n *= (size_t)dims[k];
    }
    return n;
}

static inline size_t kit_node_size(const hd_model *m, int node)
{
    int dims[6], rank = hd_node_shape(m, node, dims);
    size_t n = 1;
    for (int k = 0; k < rank; k++) {
        n *= (size_t)dims[k];
    }
    return n;
}

/* Data of KIT_ROWS rows with normal inputs and, for every output with a loss, targets: normal scaled into
 * [low, high], or labels below the output's last dimension for sparse losses. NULL: an allocation failed. */
static inline hd_data *kit_data(hd_context *c, hd_model *m, const hd_loss_class *loss)
{
    hd_data *d = hd_data_new(c, KIT_ROWS);
    for (int i = 0; d && i < hd_input_count(m); i++) {
        size_t size = kit_node_size(m, hd_input_node(m, i));
        hd_real *x = hd_data_column(d, HD_COLUMN_INPUT, i, HD_FLOAT, (int)size, 1, 0);
        if (!x) {
            hd_data_free(d);
            return NULL;
        }
        kit_fill(x, size * KIT_ROWS, 7 + (uint64_t)i);
    }
    for (int i = 0; d && loss && i < hd_output_count(m); i++) {
        int size = hd_target_size(m, i), dims[6], rank = hd_node_shape(m, hd_output_node(m, i), dims);
        if (!size) {
            continue;
        }
        hd_real *t = hd_data_column(d, HD_COLUMN_TARGET, i, HD_FLOAT, size, 1, 0);
        if (!t) {
            hd_data_free(d);
            return NULL;
        }
        double low = loss->target_min > -1 ? loss->target_min : -1, high = loss->target_max < 1 ? loss->target_max : 1;
        for (int k = 0; k < size * KIT_ROWS; k++) {
            double u = hd_rng_uniform(hd_rng_stream(5, 5, (uint32_t)i), (uint64_t)k);
            t[k] = loss->sparse ? (hd_real)(int)(u * (rank ? dims[rank - 1] : 1)) : (hd_real)(low + (high - low) * u);
        }
    }
    return d;
}

#endif
