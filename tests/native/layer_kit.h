/* Small models for the layer tests, through the public API. */
#ifndef HD_TESTS_LAYER_KIT_H
#define HD_TESTS_LAYER_KIT_H

#include "check.h"
#include "heddle.h"

#include <stdlib.h>

/* Tolerance of a comparison, relative to the largest element: given for float32; float64 must be far better. */
#ifdef HD_FLOAT64
#define TOL(float32) 1e-12
#else
#define TOL(float32) (float32)
#endif

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* A layer with one input and at least one option, as LAYER(m, "dense", "name", input, units, ...). */
#define LAYER(m, kind, name, input, ...)                                                                               \
    kit_layer(m, kind, name, input, (double[]){ __VA_ARGS__ }, COUNT(((double[]){ __VA_ARGS__ })))

static inline void kit_stop(const char *what, const char *why)
{
    printf("%s: %s\n", what, why);
    exit(1);
}

static inline int kit_layer(hd_model *m, const char *kind, const char *name, int input, const double *options, int n)
{
    int node = hd_layer(m, kind, name, &input, 1, options, n);
    if (node < 0) {
        kit_stop("layer", name);
    }
    return node;
}

/* Numbers in [-1, 1) from a linear congruential generator (Knuth's MMIX). */
static inline void kit_fill(hd_real *x, size_t n, unsigned seed)
{
    unsigned long long s = seed * 2654435761ull + 1;
    for (size_t i = 0; i < n; i++) {
        s = s * 6364136223846793005ull + 1442695040888963407ull;
        x[i] = (hd_real)((double)(s >> 40) / (1 << 23) - 1);
    }
}

/* max |a - b| / max |b|; NaN if any element is. */
static inline double kit_difference(size_t n, const hd_real *a, const hd_real *b)
{
    double worst = 0, scale = 0;
    for (size_t i = 0; i < n; i++) {
        double e = fabs((double)a[i] - b[i]);
        if (isnan(e)) {
            return e;
        }
        worst = fmax(worst, e);
        scale = fmax(scale, fabs((double)b[i]));
    }
    return worst / scale;
}

static inline int kit_find(const hd_model *m, const char *weight)
{
    for (int i = 0; i < hd_weight_count(m); i++) {
        if (!strcmp(hd_weight_name(m, i), weight)) {
            return i;
        }
    }
    kit_stop("no weight", weight);
    return -1;
}

static inline hd_real *kit_weight(hd_model *m, const char *name)
{
    return hd_weight_data(m, kit_find(m, name));
}

static inline const hd_real *kit_gradient(const hd_model *m, const char *name)
{
    const hd_real *g = hd_weight_gradient(m, kit_find(m, name));
    if (!g) {
        kit_stop("no gradient", name);
    }
    return g;
}

static inline size_t kit_size(const hd_model *m, const char *weight)
{
    int dims[6], rank = hd_weight_shape(m, kit_find(m, weight), dims);
    size_t size = 1;
    for (int i = 0; i < rank; i++) {
        size *= (size_t)dims[i];
    }
    return size;
}

static inline hd_real *kit_column(hd_context *c, hd_data *d, int role, int index, int size)
{
    hd_real *x = hd_data_column(d, role, index, HD_FLOAT, size, 1, 0);
    if (!x) {
        kit_stop("column", hd_error(c));
    }
    return x;
}

static inline void kit_must(hd_context *c, hd_status status)
{
    if (status) {
        kit_stop("failed", hd_error(c));
    }
}

/* Output of a node for all rows at once; the caller frees it. */
static inline hd_real *kit_predict(hd_context *c, hd_model *m, hd_data *d, int node, int batch, size_t size)
{
    int rows = hd_data_rows(d);
    hd_real *y = malloc((size_t)rows * size * sizeof *y);
    kit_must(c, hd_predict(m, d, node, 0, rows, batch, y));
    return y;
}

#endif
