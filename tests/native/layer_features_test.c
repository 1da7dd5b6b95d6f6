/* Layers of random-feature networks: concatenated ReLU loses nothing and keeps lengths (Javid, thesis, appendix A), vectors of unit
 * length, the constant feature. */
#include "layer_kit.h"

#include <float.h>

enum { N = 5, WIDTH = 37 };

static hd_context *c;

/* Output of one layer on N random vectors x (returned, to be freed) of WIDTH elements. */
static hd_real *run(const char *kind, const double *options, int n_options, size_t out, hd_real *x)
{
    hd_model *m = hd_model_new(c);
    hd_data *d = hd_data_new(c, N);
    int input = hd_input(m, "x", (int[]){ WIDTH }, 1);
    memcpy(kit_column(c, d, HD_COLUMN_INPUT, 0, WIDTH), x, N * WIDTH * sizeof *x);
    int node = hd_layer(m, kind, "layer", &input, 1, options, n_options);
    kit_must(c, node < 0 ? HD_ERR_ARGUMENT : hd_model_build(m, 1));
    hd_real *y = kit_predict(c, m, d, node, N, out);
    hd_data_free(d);
    hd_model_free(m);
    return y;
}

static double squared_distance(size_t n, const hd_real *a, const hd_real *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    }
    return sum;
}

static void test_crelu(hd_real *z)
{
    static const hd_real zeros[2 * WIDTH];
    z[3] = 0;
    z[4] = (hd_real)-0.0;
    hd_real *y = run("crelu", NULL, 0, 2 * WIDTH, z);
    for (int s = 0; s < N; s++) {
        const hd_real *row = y + s * 2 * WIDTH, *zs = z + s * WIDTH;
        for (int i = 0; i < WIDTH; i++) {
            CHECK(row[i] - row[WIDTH + i] == zs[i] && row[i] >= 0 && row[WIDTH + i] >= 0 && row[i] * row[WIDTH + i] == 0);
        }
        NEAR(squared_distance(2 * WIDTH, row, zeros) / squared_distance(WIDTH, zs, zeros), 1, TOL(1e-6));
    }
    for (int s = 1; s < N; s++) { /* ||y1 - y2||^2 = (||z1 - z2||^2 + || |z1| - |z2| ||^2) / 2 */
        double between = squared_distance(WIDTH, z, z + s * WIDTH), folded = 0;
        for (int i = 0; i < WIDTH; i++) {
            double e = fabs((double)z[i]) - fabs((double)z[s * WIDTH + i]);
            folded += e * e;
        }
        double got = squared_distance(2 * WIDTH, y, y + s * 2 * WIDTH);
        NEAR(got, (between + folded) / 2, TOL(1e-5) * between);
        CHECK(got <= between * (1 + 1e-6) && got >= between / 2 * (1 - 1e-6));
    }
    hd_real *leaky = run("crelu", (double[]){ 0.25 }, 1, 2 * WIDTH, z);
    for (int i = 0; i < WIDTH; i++) {
        NEAR((leaky[i] - leaky[WIDTH + i]) / 1.25, z[i], 4 * FLT_EPSILON);
        CHECK(leaky[i] == (z[i] > 0 ? z[i] : (hd_real)0.25 * z[i]));
    }
    free(y);
    free(leaky);
}

static void test_unit(hd_real *x)
{
    for (int i = 0; i < WIDTH; i++) {
        x[WIDTH + i] = 0;
        x[2 * WIDTH + i] *= (hd_real)1e-10;
        x[3 * WIDTH + i] *= (hd_real)1e-15;
    }
    hd_real *y = run("unitNormalization", NULL, 0, WIDTH, x);
    static const hd_real zeros[WIDTH];
    static const int length[N] = { 1, 0, 1, 0, 1 };
    for (int s = 0; s < N; s++) {
        NEAR(squared_distance(WIDTH, y + s * WIDTH, zeros), length[s], TOL(1e-5));
    }
    NEAR(y[1] * x[0], y[0] * x[1], TOL(1e-6));
    free(y);
}

static void test_constant(hd_real *x)
{
    hd_real *y = run("appendConstant", (double[]){ -3 }, 1, WIDTH + 1, x);
    for (int s = 0; s < N; s++) {
        CHECK(!memcmp(y + s * (WIDTH + 1), x + s * WIDTH, WIDTH * sizeof *x) && y[s * (WIDTH + 1) + WIDTH] == -3);
    }
    free(y);
}

/* Orthonormal columns R and crelu lose nothing: R^T [I, -I] y = x. */
static void test_no_loss(const char *transform, hd_real *x)
{
    enum { ROWS = 64 };
    hd_model *m = hd_model_new(c);
    hd_data *d = hd_data_new(c, N);
    int node = hd_input(m, "x", (int[]){ WIDTH }, 1);
    memcpy(kit_column(c, d, HD_COLUMN_INPUT, 0, WIDTH), x, N * WIDTH * sizeof *x);
    node = hd_layer(m, "dense", "R", &node, 1, (double[]){ ROWS, 0, 0, 0 }, 4);
    kit_must(c, hd_weight_set(m, "R/kernel", transform, NULL, 0));
    node = hd_layer(m, "crelu", "y", &node, 1, NULL, 0);
    kit_must(c, hd_model_build(m, 1));
    hd_real *y = kit_predict(c, m, d, node, N, 2 * ROWS);
    const hd_real *r = hd_weight_data(m, 0);
    for (int i = 0; i < N * WIDTH; i++) {
        const hd_real *row = y + i / WIDTH * 2 * ROWS;
        double back = 0;
        for (int l = 0; l < ROWS; l++) {
            back += (double)r[l * WIDTH + i % WIDTH] * ((double)row[l] - row[ROWS + l]);
        }
        NEAR(back, x[i], TOL(1.6e-6));
    }
    free(y);
    hd_data_free(d);
    hd_model_free(m);
}

static void test_refusals(void)
{
    hd_model *m = hd_model_new(c);
    int scalar = hd_input(m, "x", NULL, 0);
    CHECK(hd_layer(m, "crelu", "a", &scalar, 1, NULL, 0) < 0);
    CHECK_TEXT(hd_error(c), "layer 1 \"a\" (crelu): expected at least one axis, got a scalar");
    CHECK(hd_layer(m, "unitNormalization", "a", &scalar, 1, NULL, 0) < 0);
    CHECK(hd_layer(m, "appendConstant", "a", &scalar, 1, NULL, 0) < 0);
    hd_model_free(m);
}

int main(void)
{
    c = hd_context_new(2);
    hd_real x[N * WIDTH];
    kit_fill(x, N * WIDTH, 3);
    test_no_loss("dct", x);
    test_no_loss("haar", x);
    test_no_loss("walshHadamard", x);
    test_no_loss("orthogonal", x);
    test_crelu(x);
    test_constant(x);
    test_unit(x);
    test_refusals();
    hd_context_free(c);
    return check_result("layer_features");
}
