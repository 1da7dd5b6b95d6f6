#include "kern/reference.h"

#include "base/scalar.h"

#include <math.h>

/* Taylor's series where exp(x) - 1 would cancel. */
double hd_expm1_ref(double x)
{
    if (fabs(x) > 0.5) {
        return hd_exp(x) - 1;
    }
    double sum = 1;
    for (int i = 18; i >= 2; i--) {
        sum = 1 + x * sum / i;
    }
    return x * sum;
}

/* 2 atanh(s), s = x / (2 + x), by its series where log(1 + x) would cancel. */
double hd_log1p_ref(double x)
{
    if (fabs(x) > 0.5) {
        return hd_log(1 + x);
    }
    double s = x / (2 + x), sum = 0;
    for (int i = 24; i >= 1; i--) {
        sum = (sum + 1.0 / (2 * i + 1)) * s * s;
    }
    return 2 * s * (1 + sum);
}

double hd_tanh_ref(double x)
{
    double t = hd_expm1_ref(-2 * fabs(x)), y = -t / (t + 2);
    return x < 0 ? -y : y;
}

double hd_sigmoid_ref(double x)
{
    double z = hd_exp(-fabs(x));
    return (x < 0 ? z : 1) / (1 + z);
}

double hd_softplus_ref(double x)
{
    return (x > 0 ? x : 0) + hd_log1p_ref(hd_exp(-fabs(x)));
}

double hd_logsumexp_ref(size_t n, const real *x)
{
    double max = (double)x[0], sum = 0;
    for (size_t i = 1; i < n; i++) {
        max = (double)x[i] > max ? (double)x[i] : max;
    }
    for (size_t i = 0; i < n; i++) {
        sum += hd_exp((double)x[i] - max);
    }
    return max + hd_log(sum);
}

void hd_softmax_ref(size_t n, const real *x, real *y)
{
    double lse = hd_logsumexp_ref(n, x);
    for (size_t i = 0; i < n; i++) {
        y[i] = (real)hd_exp((double)x[i] - lse);
    }
}

static double activate(hd_activation act, double alpha, double x)
{
    switch (act) {
    case HD_SIGMOID:
        return hd_sigmoid_ref(x);
    case HD_TANH:
        return hd_tanh_ref(x);
    case HD_RELU:
        return x > 0 ? x : 0;
    case HD_LEAKY_RELU:
        return x > 0 ? x : alpha * x;
    case HD_ELU:
        return x > 0 ? x : alpha * hd_expm1_ref(x);
    case HD_SOFTPLUS:
        return hd_softplus_ref(x);
    case HD_RELU6:
        return x > 6 ? 6 : x > 0 ? x : 0;
    default:
        return x;
    }
}

void hd_activate_ref(hd_activation act, real alpha, const real *x, real *y, size_t rows, size_t row)
{
    for (size_t r = 0; r < rows && act == HD_SOFTMAX; r++) {
        hd_softmax_ref(row, x + r * row, y + r * row);
    }
    for (size_t i = 0; i < rows * row && act != HD_SOFTMAX; i++) {
        y[i] = (real)activate(act, (double)alpha, (double)x[i]);
    }
}

/* act'(x) by the output y = act(x). */
static double derivative(hd_activation act, double alpha, double y)
{
    switch (act) {
    case HD_SIGMOID:
        return y * (1 - y);
    case HD_TANH:
        return 1 - y * y;
    case HD_RELU:
        return y > 0;
    case HD_LEAKY_RELU:
        return y > 0 ? 1 : alpha;
    case HD_ELU:
        return y > 0 ? 1 : y + alpha;
    case HD_SOFTPLUS:
        return -hd_expm1_ref(-y);
    case HD_RELU6:
        return y > 0 && y < 6;
    default:
        return 1;
    }
}

void hd_activate_back_ref(hd_activation act, real alpha, const real *y, const real *dy, real *dx, size_t rows, size_t row)
{
    for (size_t r = 0; r < rows; r++) {
        double inner = act == HD_SOFTMAX ? hd_dot_ref(row, y + r * row, dy + r * row) : 0;
        for (size_t i = r * row; i < (r + 1) * row; i++) {
            double yi = (double)y[i], di = (double)dy[i];
            dx[i] = (real)(act == HD_SOFTMAX ? yi * (di - inner) : di * derivative(act, (double)alpha, yi));
        }
    }
}

void hd_bias_activate_ref(hd_activation act, real alpha, real *y, const real *bias, size_t groups, size_t rows, size_t row)
{
    for (size_t i = 0; i < groups * rows * row; i++) {
        y[i] += bias[i / (rows * row) * row + i % row];
    }
    hd_activate_ref(act, alpha, y, y, groups * rows, row);
}

void hd_sum_rows_ref(size_t groups, size_t rows, size_t row, const real *x, real *y)
{
    for (size_t i = 0; i < groups * row; i++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++) {
            sum += (double)x[(i / row * rows + r) * row + i % row];
        }
        y[i] = (real)sum;
    }
}

void hd_permute_ref(const int dims[3], const int order[3], const real *x, real *y)
{
    int at[3];
    for (at[order[0]] = 0; at[order[0]] < dims[order[0]]; at[order[0]]++) {
        for (at[order[1]] = 0; at[order[1]] < dims[order[1]]; at[order[1]]++) {
            for (at[order[2]] = 0; at[order[2]] < dims[order[2]]; at[order[2]]++) {
                *y++ = x[((size_t)at[0] * (size_t)dims[1] + (size_t)at[1]) * (size_t)dims[2] + (size_t)at[2]];
            }
        }
    }
}

void hd_gather_ref(const hd_table *t, const uint32_t *index, int n, int rows, real *y)
{
    int cols = t->size / rows;
    for (int i = 0; i < rows; i++) {
        for (int s = 0; s < n; s++) {
            for (int c = 0; c < cols; c++) {
                size_t from = (size_t)(index ? index[s] : (uint32_t)s) * (size_t)t->size + (size_t)(i * cols + c);
                real stored = t->is_uint8 ? (real)((const uint8_t *)t->data)[from] : ((const real *)t->data)[from];
                *y++ = stored * t->scale + t->offset;
            }
        }
    }
}

double hd_dot_ref(size_t n, const real *x, const real *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)y[i];
    }
    return sum;
}

double hd_max_abs_ref(size_t n, const real *x)
{
    double max = 0;
    for (size_t i = 0; i < n; i++) {
        double a = fabs((double)x[i]);
        max = a > max || a != a ? a : max;
    }
    return max;
}
