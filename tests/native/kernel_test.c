/* Kernels against libm and against what they stand for; kernel ridge regression against its equations and against leaving samples out. */
#include "check.h"
#include "heddle.h"
#include "kern/kernel_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { J = 90, N = 7, Q = 2 };
#define KERNEL_DIGEST 0x4832abd4u

static double next(uint64_t *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    return (double)(*s >> 11) / 4503599627370496.0 - 1; /* [-1, 1) */
}

static void test_functions(void)
{
    for (int i = -1000; i <= 1000; i++) {
        const double x = i / 1000.0, want = acos(x);
        NEAR(hd_acos(x), want, 2.3e-16 * want + 1e-300);
    }
    for (int i = 0; i <= 7000; i++) {
        const double x = -i * 0.1, want = exp(x);
        NEAR(hd_exp_negative(x), want, 2.3e-16 * want);
    }
    CHECK(hd_exp_negative(-1e5) == 0 && hd_exp_negative(0) == 1 && hd_exp_negative(-INFINITY) == 0 && isnan(hd_exp_negative(NAN)));
}

/* FNV-1a, 32 bits, of kernel values on every platform, in every build: they need no libm. The number is this library's own. */
static void test_bits(void)
{
    uint64_t seed = 77;
    uint32_t digest = 0x811c9dc5u;
    for (int i = 0; i < 4000; i++) {
        const double uu = next(&seed) + 1.5, vv = next(&seed) + 1.5, d = next(&seed) * sqrt(uu * vv);
        const double value = hd_kernel_value((hd_kernel)(i % HD_KERNEL_COUNT), 0.8, d, uu, vv);
        for (size_t k = 0; k < sizeof value; k++) {
            digest = (digest ^ ((const unsigned char *)&value)[k]) * 0x01000193u;
        }
    }
    if (digest != KERNEL_DIGEST) {
        printf("kernel digest 0x%08x, expected 0x%08x\n", digest, KERNEL_DIGEST);
    }
    CHECK(digest == KERNEL_DIGEST);
}

/* k1 = 2 E relu(w.u) relu(w.v), k0 = 2 E [w.u > 0][w.v > 0] in the plane, where w's angle is uniform: by sums over the angle, of
 * |w|^2 the mean is 2. */
static void test_meaning(void)
{
    const double angle = 0.9, lu = 1.5, lv = 0.4, pi = 3.14159265358979323846;
    double k0 = 0, k1 = 0;
    const int steps = 100000;
    for (int i = 0; i < steps; i++) {
        const double a = 2 * pi * (i + 0.5) / steps, u = lu * cos(a), v = lv * cos(a - angle);
        k0 += 2.0 * (u > 0 && v > 0) / steps;
        k1 += u > 0 && v > 0 ? 2 * 2 * u * v / steps : 0;
    }
    const double dot = lu * lv * cos(angle), uu = lu * lu, vv = lv * lv;
    NEAR(hd_kernel_value(HD_KERNEL_ARC_COSINE0, 1, dot, uu, vv), k0, 1e-4);
    NEAR(hd_kernel_value(HD_KERNEL_ARC_COSINE1, 1, dot, uu, vv), k1, 1e-6);
    NEAR(hd_kernel_value(HD_KERNEL_ARC_COSINE1, 1, uu, uu, uu), uu, 1e-15);
    NEAR(hd_kernel_value(HD_KERNEL_ARC_COSINE0, 1, vv, vv, vv), 1, 1e-15);
    NEAR(hd_kernel_value(HD_KERNEL_ARC_COSINE1, 1, -uu, uu, uu), 0, 1e-15);
    NEAR(hd_kernel_value(HD_KERNEL_RBF, 0.5, dot, uu, vv), exp(-0.5 * (uu + vv - 2 * dot)), 1e-15);
    CHECK(hd_kernel_value(HD_KERNEL_RBF, 3, uu * (1 + 1e-15), uu, uu) == 1 && hd_kernel_value(HD_KERNEL_LINEAR, 1, dot, uu, vv) == dot);
    CHECK(hd_kernel_value(HD_KERNEL_ARC_COSINE1, 1, 0, 0, vv) == 0);
    NEAR(hd_kernel_value(HD_KERNEL_ARC_COSINE0, 1, 0, 0, vv), 0.5, 1e-15);
}

static double dot(const double *u, const double *v)
{
    double sum = 0;
    for (int i = 0; i < N; i++) {
        sum += u[i] * v[i];
    }
    return sum;
}

/* The columns of b from `first` on, together. */
static void take(double *out, const double *b, int samples, int first, int columns)
{
    for (int i = 0; i < samples; i++) {
        memcpy(out + (size_t)i * (size_t)columns, b + (size_t)i * N + first, (size_t)columns * sizeof *out);
    }
}

/* K + lambda I times alpha is T, and the kernel has no negative direction. */
static void check_equations(const double *b, const double *t, const double *alpha, hd_kernel kind, double lambda)
{
    double worst = 0, form = 0;
    for (int i = 0; i < J; i++) {
        double sum[Q] = { 0 };
        for (int j = 0; j < J; j++) {
            const double k = hd_kernel_value(kind, 0.3, dot(b + i * N, b + j * N), dot(b + i * N, b + i * N), dot(b + j * N, b + j * N));
            form += alpha[i * Q] * k * alpha[j * Q];
            for (int c = 0; c < Q; c++) {
                sum[c] += (k + (i == j ? lambda : 0)) * alpha[j * Q + c];
            }
        }
        for (int c = 0; c < Q; c++) {
            worst = fmax(worst, fabs(sum[c] - t[i * Q + c]));
        }
    }
    CHECK(worst <= 1e-10);
    CHECK(form >= 0);
}

static void must(hd_context *c, hd_status status)
{
    if (status) {
        fprintf(stderr, "%s\n", hd_error(c));
        exit(1);
    }
}

static hd_kernels *kernels(hd_context *c, const double *b, int samples)
{
    hd_kernels *k = hd_kernels_new(c, samples);
    double part[J * N];
    take(part, b, samples, 0, 4);
    must(c, hd_kernels_add(k, 4, part));
    take(part, b, samples, 4, N - 4);
    must(c, hd_kernels_add(k, N - 4, part));
    return k;
}

static void test_ridge(hd_context *c, const double *b, const double *t, hd_kernel kind)
{
    const double lambda = 0.2;
    double alpha[J * Q], out[J * Q], again[J * Q], without[(J - 1) * Q], rest[(J - 1) * N], targets[(J - 1) * Q];
    hd_kernels *k = kernels(c, b, J);
    must(c, hd_kernels_ridge(k, kind, 0.3, lambda, Q, t, alpha, out));
    must(c, hd_kernels_ridge(k, kind, 0.3, lambda, Q, t, again, NULL));
    CHECK(memcmp(alpha, again, sizeof alpha) == 0);
    check_equations(b, t, alpha, kind, lambda);
    for (int left = 0; left < J; left += 13) { /* brute force: without sample `left` */
        int at = 0;
        for (int i = 0; i < J; i++) {
            if (i != left) {
                memcpy(rest + (size_t)at * N, b + (size_t)i * N, N * sizeof *rest);
                memcpy(targets + (size_t)at++ * Q, t + (size_t)i * Q, Q * sizeof *targets);
            }
        }
        hd_kernels *less = kernels(c, rest, J - 1);
        must(c, hd_kernels_ridge(less, kind, 0.3, lambda, Q, targets, without, NULL));
        double got[Q] = { 0 };
        for (int j = 0; j < J - 1; j++) {
            const double *u = b + left * N, *v = rest + j * N;
            const double value = hd_kernel_value(kind, 0.3, dot(u, v), dot(u, u), dot(v, v));
            for (int q = 0; q < Q; q++) {
                got[q] += value * without[j * Q + q];
            }
        }
        NEAR(got[0], out[left * Q], 1e-9);
        NEAR(got[1], out[left * Q + 1], 1e-9);
        hd_kernels_free(less);
    }
    hd_kernels_free(k);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void test_median(hd_context *c, const double *b)
{
    static double all[J * J];
    for (int samples = 2; samples <= J; samples += 11) {
        size_t count = 0;
        for (int i = 0; i < samples; i++) {
            for (int j = 0; j < i; j++) {
                const double *u = b + i * N, *v = b + j * N;
                all[count++] = dot(u, u) + dot(v, v) - 2 * dot(u, v);
            }
        }
        qsort(all, count, sizeof *all, by_size);
        hd_kernels *k = kernels(c, b, samples);
        double median;
        must(c, hd_kernels_median(k, &median));
        NEAR(median, all[count / 2], 1e-12);
        hd_kernels_free(k);
    }
    double same[5 * N] = { 0 }, median = -1; /* nothing but ties */
    hd_kernels *k = kernels(c, same, 5);
    must(c, hd_kernels_median(k, &median));
    CHECK(median == 0);
    hd_kernels_free(k);
}

static void test_refusals(hd_context *c, const double *b, const double *t)
{
    double alpha[J * Q], wrong[J * N], median;
    CHECK(!hd_kernels_new(c, 0) && hd_error_status(c) == HD_ERR_ARGUMENT && strstr(hd_error(c), "0 samples, expected 1..16384"));
    hd_kernels *k = kernels(c, b, J), *one = kernels(c, b, 1), *zero = hd_kernels_new(c, J);
    memcpy(wrong, b, sizeof wrong);
    wrong[2 * N + 3] = NAN;
    CHECK(hd_kernels_add(k, N, wrong) == HD_ERR_ARGUMENT && strstr(hd_error(c), "features of sample 2, element 3 = "));
    CHECK(hd_kernels_add(k, 0, b) == HD_ERR_ARGUMENT && hd_kernels_median(one, &median) == HD_ERR_STATE);
    CHECK(hd_kernels_ridge(k, 4, 1, 1, Q, t, alpha, NULL) == HD_ERR_ARGUMENT && hd_kernels_ridge(k, 0, 0, 1, Q, t, alpha, NULL) == HD_ERR_ARGUMENT);
    CHECK(hd_kernels_ridge(k, 0, 1, NAN, Q, t, alpha, NULL) == HD_ERR_ARGUMENT && hd_kernels_ridge(k, 0, 1, -1, Q, t, alpha, NULL) == HD_ERR_ARGUMENT);
    CHECK(hd_kernels_ridge(k, 0, 1, 1, Q, wrong, alpha, NULL) == HD_ERR_ARGUMENT && strstr(hd_error(c), "targets of sample"));
    CHECK(hd_kernels_ridge(zero, 0, 1, 0, Q, t, alpha, NULL) == HD_ERR_DIVERGED && strstr(hd_error(c), "not positive definite at sample 0"));
    hd_kernels_free(k), hd_kernels_free(one), hd_kernels_free(zero);
    for (int n = 1; n <= 3; n++) {
        hd_context_fail_allocation(c, n);
        CHECK(!hd_kernels_new(c, J) && hd_error_status(c) == HD_ERR_MEMORY);
    }
    hd_context_fail_allocation(c, 0);
}

int main(void)
{
    uint64_t seed = 5;
    double b[J * N], t[J * Q];
    for (int i = 0; i < J * N; i++) {
        b[i] = next(&seed);
    }
    for (int i = 0; i < J * Q; i++) {
        t[i] = next(&seed);
    }
    test_functions();
    test_meaning();
    test_bits();
    for (int threads = 1; threads <= 3; threads += 2) {
        hd_context *c = hd_context_new(threads);
        const double used = hd_context_memory(c, 0);
        for (int kind = 0; kind < HD_KERNEL_COUNT; kind++) {
            test_ridge(c, b, t, (hd_kernel)kind);
        }
        test_median(c, b);
        test_refusals(c, b, t);
        CHECK(hd_context_memory(c, 0) == used);
        hd_context_free(c);
    }
    return check_result("kernel_test");
}
