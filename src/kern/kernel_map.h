/* Kernels k(u, v) of two vectors from u.v, ||u||^2 and ||v||^2, in double and without libm: the same bits on every platform.
 *   linear       u.v
 *   rbf          exp(-gamma ||u - v||^2)
 *   arcCosine0   1 - t / pi, t the angle between u and v (pi / 2 for a zero vector)
 *   arcCosine1   ||u|| ||v|| (sin t + (pi - t) cos t) / pi: 2 E relu(w.u) relu(w.v) over normal w
 * Arc-cosine kernels: Cho and Saul, "Kernel Methods for Deep Learning", 2009. */
#ifndef HD_KERN_KERNEL_MAP_H
#define HD_KERN_KERNEL_MAP_H

typedef enum hd_kernel {
    HD_KERNEL_LINEAR,
    HD_KERNEL_RBF,
    HD_KERNEL_ARC_COSINE0,
    HD_KERNEL_ARC_COSINE1,
    HD_KERNEL_COUNT
} hd_kernel;

extern const char *const hd_kernel_names[]; /* ends with NULL */

double hd_kernel_value(hd_kernel kind, double gamma, double dot, double uu, double vv);

/* Derivatives of k; 0 where rounding has put the angle, or the distance, past its end. */
typedef struct hd_kernel_slopes {
    double dot, uu;
} hd_kernel_slopes;
hd_kernel_slopes hd_kernel_slope(hd_kernel kind, double gamma, double dot, double uu, double vv);

double hd_acos(double x);         /* -1 <= x <= 1; error below 1 ulp */
double hd_exp_negative(double x); /* x <= 0; error below 1 ulp; 0 where the result would be denormal */

#endif
