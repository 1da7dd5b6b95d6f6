#include "solve/dense_kernel.h"

#include "linalg/linalg.h"

#include <string.h>

void hd_kernels_sum(hd_kernels *k, int n, const double *b)
{
    hd_syrk_f64(k->c->pool, false, k->samples, n, 1, b, n, 1, k->dot, k->samples);
}

/* Hoare's selection: the element that would be at place `want` if v [n] were sorted. The pivot is the middle one: no chance in it. */
static double select_place(double *v, size_t n, size_t want)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        const double pivot = v[low + (high - low) / 2];
        size_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot) {
                i++;
            }
            while (v[j] > pivot) {
                j--;
            }
            if (i > j) {
                break;
            }
            const double t = v[i];
            v[i++] = v[j];
            v[j] = t;
            if (j == 0) {
                break;
            }
            j--;
        }
        if (want <= j) {
            high = j;
        } else if (want >= i) {
            low = i;
        } else {
            break;
        }
    }
    return v[want];
}

double hd_kernels_middle(hd_kernels *k)
{
    const size_t n = (size_t)k->samples;
    size_t count = 0;
    for (size_t i = 1; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            const double d = k->dot[i * (n + 1)] + k->dot[j * (n + 1)] - 2 * k->dot[i * n + j];
            k->work[count++] = d > 0 ? d : 0;
        }
    }
    return select_place(k->work, count, count / 2);
}

typedef struct kernel_job {
    const hd_kernels *k;
    hd_kernel kind;
    double gamma, lambda;
} kernel_job;

static void kernel_row(void *arg, int row, int thread)
{
    (void)thread;
    const kernel_job *job = arg;
    const size_t n = (size_t)job->k->samples, i = (size_t)row;
    const double *dot = job->k->dot + i * n;
    double *out = job->k->work + i * n;
    for (size_t j = 0; j <= i; j++) {
        out[j] = hd_kernel_value(job->kind, job->gamma, dot[j], dot[i], job->k->dot[j * (n + 1)]);
    }
    out[i] += job->lambda;
}

/* Squares of the columns of L^-1 are the diagonal of (L L^T)^-1; in panels of columns, which are 0 above their first row. */
static void inverse_diagonal(const hd_kernels *k, double *diagonal, double *panel)
{
    const int n = k->samples;
    for (int first = 0; first < n; first += HD_KERNELS_PANEL) {
        const int rows = n - first, columns = rows < HD_KERNELS_PANEL ? rows : HD_KERNELS_PANEL;
        memset(panel, 0, (size_t)rows * (size_t)columns * sizeof *panel);
        for (int j = 0; j < columns; j++) {
            panel[(size_t)j * (size_t)columns + (size_t)j] = 1;
        }
        hd_trsm_f64(k->c->pool, (hd_triangle_f64){ 0 }, rows, columns, k->work + (size_t)first * ((size_t)n + 1), n, panel, columns);
        for (int j = 0; j < columns; j++) {
            double sum = 0;
            for (int i = j; i < rows; i++) {
                const double v = panel[(size_t)i * (size_t)columns + (size_t)j];
                sum += v * v;
            }
            diagonal[first + j] = sum;
        }
    }
}

int hd_kernels_solve(hd_kernels *k, hd_kernel kind, double gamma, double lambda, int q, const double *t, double *alpha,
                     double *left_out, double *panel)
{
    const size_t n = (size_t)k->samples, size = n * (size_t)q;
    kernel_job job = { k, kind, gamma, lambda };
    hd_pool_run(k->c->pool, k->samples, kernel_row, &job);
    const int pivot = hd_cholesky_f64(k->c->pool, k->samples, k->work, k->samples);
    if (pivot >= 0) {
        return pivot;
    }
    memcpy(alpha, t, size * sizeof *alpha);
    hd_cholesky_solve_f64(k->c->pool, false, k->samples, q, k->work, k->samples, alpha, q);
    if (left_out) {
        double *diagonal = panel + n * HD_KERNELS_PANEL;
        inverse_diagonal(k, diagonal, panel);
        for (size_t i = 0; i < size; i++) {
            left_out[i] = t[i] - alpha[i] / diagonal[i / (size_t)q];
        }
    }
    return -1;
}
