/* Kernel ridge regression on inner products that grow block by block: checks and memory. */
#include "solve/dense_kernel.h"

enum { MAX_SAMPLES = 16384, MAX_FEATURES = 65536, MAX_TARGETS = 4096 };

hd_kernels *hd_kernels_new(hd_context *c, int samples)
{
    if (samples < 1 || samples > MAX_SAMPLES) {
        hd_fail(c, HD_ERR_ARGUMENT, "kernels: %d samples, expected 1..%d", samples, MAX_SAMPLES);
        return NULL;
    }
    hd_kernels *k = hd_alloc(c, sizeof *k, "kernels");
    if (!k) {
        return NULL;
    }
    const size_t bytes = (size_t)samples * (size_t)samples * sizeof(double);
    k->c = c;
    k->samples = samples;
    k->dot = hd_alloc(c, bytes, "kernels");
    k->work = k->dot ? hd_alloc(c, bytes, "kernels") : NULL;
    if (k->work) {
        return k;
    }
    hd_kernels_free(k);
    return NULL;
}

void hd_kernels_free(hd_kernels *k)
{
    if (k) {
        hd_context *c = k->c;
        hd_release(c, k->dot);
        hd_release(c, k->work);
        hd_release(c, k);
    }
}

/* Names the first element of v [rows x columns] that is not finite. */
static hd_status check(hd_context *c, const char *what, int rows, int columns, const double *v)
{
    const size_t size = (size_t)rows * (size_t)columns;
    for (size_t i = 0; i < size; i++) {
        if (!(v[i] - v[i] == 0)) {
            return hd_fail(c, HD_ERR_ARGUMENT, "kernels: %s of sample %d, element %d = %g, expected a finite number", what,
                           (int)(i / (size_t)columns), (int)(i % (size_t)columns), v[i]);
        }
    }
    return HD_OK;
}

hd_status hd_kernels_add(hd_kernels *k, int n, const double *b)
{
    if (n < 1 || n > MAX_FEATURES) {
        return hd_fail(k->c, HD_ERR_ARGUMENT, "kernels: %d features, expected 1..%d", n, MAX_FEATURES);
    }
    hd_status status = check(k->c, "features", k->samples, n, b);
    if (!status) {
        hd_kernels_sum(k, n, b);
    }
    return status;
}

hd_status hd_kernels_median(hd_kernels *k, double *median)
{
    if (k->samples < 2) {
        return hd_fail(k->c, HD_ERR_STATE, "kernels: one sample has no distances, expected at least 2");
    }
    *median = hd_kernels_middle(k);
    return HD_OK;
}

hd_status hd_kernels_ridge(hd_kernels *k, int kernel, double gamma, double lambda, int q, const double *t, double *alpha, double *left_out)
{
    hd_context *c = k->c;
    if (kernel < 0 || kernel >= HD_KERNEL_COUNT || q < 1 || q > MAX_TARGETS) {
        return hd_fail(c, HD_ERR_ARGUMENT, "kernels: kernel %d and %d targets, expected 0..%d and 1..%d", kernel, q, HD_KERNEL_COUNT - 1,
                       MAX_TARGETS);
    }
    if (!(lambda >= 0 && lambda <= 1e300) || !(gamma > 0 && gamma <= 1e300)) {
        return hd_fail(c, HD_ERR_ARGUMENT, "kernels: lambda = %g, gamma = %g, expected finite numbers, at least 0 and above 0", lambda, gamma);
    }
    hd_status status = check(c, "targets", k->samples, q, t);
    double *panel = NULL;
    if (!status && left_out) {
        panel = hd_reserve(c, (size_t)k->samples * (HD_KERNELS_PANEL + 1) * sizeof *panel, "kernels");
        status = panel ? HD_OK : HD_ERR_MEMORY;
    }
    if (!status) {
        const int pivot = hd_kernels_solve(k, (hd_kernel)kernel, gamma, lambda, q, t, alpha, left_out, panel);
        status = pivot < 0 ? HD_OK
                           : hd_fail(c, HD_ERR_DIVERGED, "kernels: not positive definite at sample %d with lambda = %g, expected a larger one", pivot, lambda);
    }
    hd_release(c, panel);
    return status;
}
