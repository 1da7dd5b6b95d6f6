/* Kernel ridge regression on J samples whose inner products are summed block by block of features (dense kernel networks, Javid's
 * thesis, ch. 7): D = sum over blocks of B B^T is never built anew. All in float64. */
#ifndef HD_SOLVE_DENSE_KERNEL_H
#define HD_SOLVE_DENSE_KERNEL_H

#include "base/context.h"
#include "kern/kernel_map.h"

struct hd_kernels {
    hd_context *c;
    int samples; /* J */
    double *dot;  /* [J x J] D, the lower triangle counts */
    double *work; /* [J x J] */
};

/* D += B B^T, B [J x n]. */
void hd_kernels_sum(hd_kernels *k, int n, const double *b);
/* Median of ||u - v||^2 over all pairs of different samples: of an even number the larger of the two in the middle. J >= 2. */
double hd_kernels_middle(hd_kernels *k);
/* alpha [J x q] = (K + lambda I)^-1 T, K the kernel of the samples, T [J x q]. With `left_out` [J x q] also what would be predicted
 * for each sample without it: t_j - alpha_j / [(K + lambda I)^-1]_jj (Rasmussen and Williams, 5.4.2). -1, or the pivot at which
 * K + lambda I is not positive definite. panel, with left_out: [J x (HD_KERNELS_PANEL + 1)]. */
enum { HD_KERNELS_PANEL = 64 };
int hd_kernels_solve(hd_kernels *k, hd_kernel kind, double gamma, double lambda, int q, const double *t, double *alpha,
                     double *left_out, double *panel);

#endif
