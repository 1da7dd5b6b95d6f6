/* The fast kernels once more, naively: plain loops, float64 inside. What they compute is described at their fast twins; tests
 * compare the two, and whoever changes a kernel reads here what it must do. hd_gemm_ref stands in gemm.h. Copies, sums and products
 * of single elements are their own reference. */
#ifndef HD_KERN_REFERENCE_H
#define HD_KERN_REFERENCE_H

#include "kern/activation.h"
#include "kern/elementwise.h"

/* Elementary functions to about 1e-15, and 1e-15 of the result's size near 0. */
double hd_expm1_ref(double x);
double hd_log1p_ref(double x); /* x > -1 */
double hd_tanh_ref(double x);
double hd_sigmoid_ref(double x);
double hd_softplus_ref(double x);

double hd_logsumexp_ref(size_t n, const real *x);
void hd_softmax_ref(size_t n, const real *x, real *y);
void hd_activate_ref(hd_activation act, real alpha, const real *x, real *y, size_t rows, size_t row);
void hd_activate_back_ref(hd_activation act, real alpha, const real *y, const real *dy, real *dx, size_t rows, size_t row);
void hd_bias_activate_ref(hd_activation act, real alpha, real *y, const real *bias, size_t groups, size_t rows, size_t row);

void hd_sum_rows_ref(size_t groups, size_t rows, size_t row, const real *x, real *y);
void hd_permute_ref(const int dims[3], const int order[3], const real *x, real *y);
void hd_gather_ref(const hd_table *t, const uint32_t *index, int n, int rows, real *y);

double hd_dot_ref(size_t n, const real *x, const real *y);
double hd_max_abs_ref(size_t n, const real *x);

#endif
