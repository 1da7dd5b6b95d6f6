/* Initialisers from orthonormal transforms: R^T R = I, known rows, refusals. */
#include "base/context.h"
#include "check.h"
#include "model/registry.h"
#include "weight/weight.h"

#include <float.h>
#include <stdlib.h>

static hd_context *c;

static hd_status fill(const char *name, int rows, int cols, real *w)
{
    hd_values opt = { 0 };
    hd_weight_view v = { c->pool, &opt, rows, cols };
    return hd_initializer_class_find(name)->fill(c, &v, cols, rows, (hd_rng){ 1, 2 }, w);
}

static void check_orthonormal(const char *name, int rows, int cols)
{
    real *w = malloc((size_t)rows * (size_t)cols * sizeof *w);
    CHECK(fill(name, rows, cols, w) == HD_OK);
    for (int a = 0; a < cols; a++) {
        for (int b = 0; b <= a; b++) {
            double sum = 0;
            for (int i = 0; i < rows; i++) {
                sum += (double)w[i * cols + a] * (double)w[i * cols + b];
            }
            NEAR(sum, a == b, 2 * FLT_EPSILON);
        }
    }
    free(w);
}

/* A constant has no detail: only its first coefficient is not 0. */
static void check_constant(const char *name)
{
    enum { N = 16 };
    real w[N * N];
    CHECK(fill(name, N, N, w) == HD_OK);
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int k = 0; k < N; k++) {
            sum += (double)w[i * N + k];
        }
        NEAR(sum, i ? 0 : 4, 1e-6);
    }
}

int main(void)
{
    static const char *const names[] = { "dct", "haar", "walshHadamard" };
    real w[64];
    c = hd_context_new(1);
    for (int i = 0; i < 3; i++) {
        check_orthonormal(names[i], 1, 1);
        check_orthonormal(names[i], 2, 2);
        check_orthonormal(names[i], 64, 64);
        check_orthonormal(names[i], 128, 77);
        check_constant(names[i]);
        CHECK(fill(names[i], 2, 4, w) == HD_ERR_ARGUMENT);
        CHECK(strstr(hd_error(c), "a matrix of 2 x 4, expected at least as many rows as columns"));
    }
    check_orthonormal("dct", 45, 45);
    for (int i = 1; i < 3; i++) {
        CHECK(fill(names[i], 6, 4, w) == HD_ERR_ARGUMENT && strstr(hd_error(c), "6 rows, expected a power of two"));
    }
    CHECK(fill("haar", 4, 4, w) == HD_OK); /* rows: 1 1 1 1, 1 1 -1 -1, s -s 0 0, 0 0 s -s */
    NEAR(w[6], -0.5, 1e-7);
    NEAR(w[8], sqrt(0.5), 1e-7);
    NEAR(w[9], -sqrt(0.5), 1e-7);
    CHECK(w[10] == 0 && w[12] == 0);
    NEAR(w[15], -sqrt(0.5), 1e-7);
    CHECK(fill("walshHadamard", 4, 4, w) == HD_OK);
    CHECK(w[5] < 0 && w[6] > 0 && w[15] > 0); /* (1,1), (1,2), (3,3) */
    hd_context_free(c);
    return check_result("transform");
}
