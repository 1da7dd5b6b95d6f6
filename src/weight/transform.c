/* Initialisers with orthonormal columns that draw nothing: the first columns of an orthonormal transform of order `rows`. As R in y = R x they
 * keep all of x: R^T R = I (Javid et al., HNF; "Deterministic transforms", 2021). */
#include "base/scalar.h"
#include "weight/weight.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

static hd_status check(hd_context *c, const char *name, const hd_weight_view *v, bool power_of_two)
{
    if (v->rows < v->cols) {
        return hd_fail(c, HD_ERR_ARGUMENT, "initialiser %s: a matrix of %d x %d, expected at least as many rows as columns", name, v->rows, v->cols);
    }
    if (power_of_two && (v->rows & (v->rows - 1))) {
        return hd_fail(c, HD_ERR_ARGUMENT, "initialiser %s: %d rows, expected a power of two", name, v->rows);
    }
    return HD_OK;
}

/* Row i, column k: s cos(pi i (2 k + 1) / (2 m)), s = sqrt(2 / m), in the first row sqrt(1 / m) (DCT-II). */
static hd_status dct(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)fan_in, (void)fan_out, (void)rng;
    const uint64_t m = (uint64_t)v->rows, p = (uint64_t)v->cols;
    double *table = check(c, "dct", v, false) ? NULL : hd_reserve(c, 4 * m * sizeof *table, "dct");
    if (!table) {
        return c->status;
    }
    for (uint64_t a = 0; a < 4 * m; a++) {
        table[a] = hd_cos(PI * (double)a / (2 * (double)m));
    }
    for (uint64_t i = 0; i < m; i++) {
        const double s = sqrt((i ? 2 : 1) / (double)m);
        for (uint64_t k = 0; k < p; k++) {
            w[i * p + k] = (real)(s * table[i * (2 * k + 1) % (4 * m)]);
        }
    }
    hd_release(c, table);
    return HD_OK;
}

/* The first row constant; row 2^q + r is the wavelet of width m / 2^q at place r. */
static hd_status haar(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)fan_in, (void)fan_out, (void)rng;
    if (check(c, "haar", v, true)) {
        return c->status;
    }
    const int m = v->rows, p = v->cols;
    for (int i = 0, level = 1; i < m; i++) {
        level = i >= 2 * level ? 2 * level : level; /* 2^q, the largest power of two up to i */
        const int width = m / level, first = i ? (i - level) * width : 0;
        const double height = sqrt((i ? level : 1) / (double)m);
        for (int k = 0; k < p; k++) {
            const bool inside = k >= first && k < first + width;
            w[(size_t)i * (size_t)p + (size_t)k] = (real)(!inside ? 0 : i && k - first >= width / 2 ? -height : height);
        }
    }
    return HD_OK;
}

/* (-1)^(common bits of i and k) / sqrt(m), natural order. */
static hd_status walsh_hadamard(hd_context *c, const hd_weight_view *v, int fan_in, int fan_out, hd_rng rng, real *w)
{
    (void)fan_in, (void)fan_out, (void)rng;
    if (check(c, "walshHadamard", v, true)) {
        return c->status;
    }
    const double height = 1 / sqrt((double)v->rows);
    for (int i = 0; i < v->rows; i++) {
        for (int k = 0; k < v->cols; k++) {
            int odd = i & k;
            for (int shift = 16; shift; shift /= 2) {
                odd ^= odd >> shift;
            }
            w[(size_t)i * (size_t)v->cols + (size_t)k] = (real)(odd & 1 ? -height : height);
        }
    }
    return HD_OK;
}

const hd_initializer_class hd_initializer_dct = {
    "dct", "columns of the orthonormal discrete cosine transform (DCT-II) of order rows; at least as many rows as columns", NULL, dct
};
const hd_initializer_class hd_initializer_haar = { "haar", "columns of the orthonormal Haar transform; rows a power of two", NULL, haar };
const hd_initializer_class hd_initializer_walsh_hadamard = {
    "walshHadamard", "columns of the orthonormal Walsh-Hadamard transform in natural order; rows a power of two", NULL, walsh_hadamard
};
