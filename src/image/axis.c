#include "image/axis.h"

#include "base/scalar.h"

#include <math.h>
#include <string.h>

/* Fills the weights of output i: first, count, weight. */
typedef void rule(hd_axis *a, int i, double scale);

/* The input whose box holds the output's centre. */
static void nearest(hd_axis *a, int i, double scale)
{
    (void)scale;
    a->first[i] = (int)((2 * (int64_t)i + 1) * a->in / (2 * (int64_t)a->out));
    a->count[i] = 1;
    a->weight[(size_t)i * (size_t)a->most] = 1;
}

/* Output i covers [i in, (i + 1) in) of a side of in x out units, input j covers [j out, (j + 1) out): weights are the exact overlap. */
static void area(hd_axis *a, int i, double scale)
{
    (void)scale;
    const int64_t begin = (int64_t)i * a->in, end = begin + a->in, out = a->out;
    double *w = a->weight + (size_t)i * (size_t)a->most;
    a->first[i] = (int)(begin / out);
    a->count[i] = (int)((end + out - 1) / out) - a->first[i];
    for (int k = 0; k < a->count[i]; k++) {
        const int64_t from = (a->first[i] + k) * out, to = from + out;
        w[k] = (double)((to < end ? to : end) - (from > begin ? from : begin)) / a->in;
    }
}

/* PIL's BILINEAR: a triangle of half width max(1, in / out) around the output's centre, cut off at the border; the weights that are
 * left are divided by their sum. */
static void triangle(hd_axis *a, int i, double scale)
{
    (void)scale;
    const double ratio = (double)a->in / a->out, stretch = ratio > 1 ? ratio : 1, inverse = 1 / stretch;
    const double centre = (i + 0.5) * ratio;
    const double low = centre - stretch + 0.5, high = centre + stretch + 0.5;
    const int begin = low < 0 ? 0 : (int)low, end = high > a->in ? a->in : (int)high;
    double *w = a->weight + (size_t)i * (size_t)a->most, sum = 0;
    a->first[i] = begin;
    a->count[i] = end - begin;
    for (int k = 0; k < end - begin; k++) {
        const double t = fabs((k + begin - centre + 0.5) * inverse);
        w[k] = t < 1 ? 1 - t : 0;
        sum += w[k];
    }
    for (int k = 0; k < end - begin; k++) {
        w[k] /= sum;
    }
}

/* Keys, "Cubic convolution interpolation for digital image processing" (1981), Eq. 4 with a = -1/2. */
static double cubic(double t)
{
    t = fabs(t);
    return t <= 1 ? 1.5 * t * t * t - 2.5 * t * t + 1 : t <= 2 ? -0.5 * t * t * t + 2.5 * t * t - 4 * t + 2 : 0;
}

/* MATLAB's imresize with 'bicubic': centre u = x / scale + (1 - 1 / scale) / 2, counted from 1; a kernel of width 4, stretched by 1 / scale
 * when shrinking; ceil(width) + 2 inputs from floor(u - width / 2) on, weights divided by their sum, the border mirrored. */
static void keys(hd_axis *a, int i, double scale)
{
    const double shrink = scale < 1 ? scale : 1, width = 4 / shrink;
    const double u = (i + 1) / scale + 0.5 * (1 - 1 / scale);
    const int left = (int)floor(u - width / 2), taps = (int)ceil(width) + 2;
    int low = a->in, high = -1;
    double sum = 0;
    for (int k = 0; k < taps; k++) {
        const double value = cubic(shrink * (u - (left + k)));
        const int at = hd_mirrored(left + k - 1, a->in);
        if (value != 0) {
            low = at < low ? at : low;
            high = at > high ? at : high;
        }
        sum += value;
    }
    double *w = a->weight + (size_t)i * (size_t)a->most;
    memset(w, 0, (size_t)a->most * sizeof *w);
    for (int k = 0; k < taps; k++) {
        const double value = cubic(shrink * (u - (left + k)));
        if (value != 0) {
            w[hd_mirrored(left + k - 1, a->in) - low] += value / sum;
        }
    }
    a->first[i] = low;
    a->count[i] = high - low + 1;
}

static int most_weights(int method, int in, int out, double scale)
{
    const double ratio = (double)in / out;
    int most = 1;
    if (method == HD_RESIZE_AREA) {
        most = (int)ratio + 3;
    } else if (method == HD_RESIZE_BILINEAR) {
        most = 2 * (int)ceil(ratio > 1 ? ratio : 1) + 1;
    } else if (method == HD_RESIZE_BICUBIC) {
        const double width = 4 / (scale < 1 ? scale : 1);
        most = width < in ? (int)ceil(width) + 2 : in;
    }
    return most < in ? most : in;
}

static hd_status reserve(hd_context *c, hd_axis *a, int in, int out, int most_inputs)
{
    const size_t n = (size_t)out, most = (size_t)most_inputs;
    *a = (hd_axis){ .in = in, .out = out, .most = most_inputs };
    a->memory = hd_reserve(c, n * (most * (sizeof(double) + sizeof(int32_t)) + 2 * sizeof(int)), "weights of pixels");
    if (!a->memory) {
        return HD_ERR_MEMORY;
    }
    a->weight = a->memory;
    a->fixed = (int32_t *)(a->weight + n * most);
    a->first = a->fixed + n * most;
    a->count = a->first + n;
    return HD_OK;
}

hd_status hd_axis_new(hd_context *c, hd_axis *a, int method, int in, int out, double scale)
{
    static rule *const rules[] = { nearest, area, triangle, keys };
    if (reserve(c, a, in, out, most_weights(method, in, out, scale))) {
        return HD_ERR_MEMORY;
    }
    a->same = in == out && scale == 1;
    for (int i = 0; i < out; i++) {
        rules[method](a, i, scale);
        const size_t at = (size_t)i * (size_t)a->most;
        for (int k = 0; method == HD_RESIZE_BILINEAR && k < a->count[i]; k++) {
            a->fixed[at + (size_t)k] = (int32_t)floor(a->weight[at + (size_t)k] * (1 << HD_FIXED_BITS) + 0.5);
        }
    }
    return HD_OK;
}

hd_status hd_axis_gaussian(hd_context *c, hd_axis *a, int n, double deviation)
{
    const int radius = (int)ceil(3 * deviation), taps = 2 * radius + 1;
    double sum = 0;
    if (reserve(c, a, n, n, taps < n ? taps : n)) {
        return HD_ERR_MEMORY;
    }
    for (int k = -radius; k <= radius; k++) {
        sum += hd_exp(-k * k / (2 * deviation * deviation));
    }
    memset(a->weight, 0, (size_t)n * (size_t)a->most * sizeof *a->weight);
    for (int i = 0; i < n; i++) {
        int low = n, high = -1;
        for (int k = i - radius; k <= i + radius; k++) {
            const int at = hd_mirrored(k, n);
            low = at < low ? at : low;
            high = at > high ? at : high;
        }
        a->first[i] = low;
        a->count[i] = high - low + 1;
        for (int k = -radius; k <= radius; k++) {
            a->weight[(size_t)i * (size_t)a->most + (size_t)(hd_mirrored(i + k, n) - low)] += hd_exp(-k * k / (2 * deviation * deviation)) / sum;
        }
    }
    return HD_OK;
}

void hd_axis_free(hd_context *c, hd_axis *a)
{
    hd_release(c, a->memory);
}
