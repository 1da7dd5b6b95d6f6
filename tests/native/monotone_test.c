/* Networks with positive weights: positive after any training, weakly monotone in float32 between adjacent numbers, the class
 * of functions each activation allows, and one regressor for several data sets. */
#include "kern/activation.h"
#include "kern/positive.h"
#include "layer_kit.h"

#include <float.h>
#include <stdint.h>

enum { MIXED = 8, TRAINED = 64 };

static hd_context *c;
static hd_pool *pool;

static hd_model *make(const double *options, int n, double seed)
{
    hd_model *m = hd_model_new(c);
    kit_must(c, hd_recipe(m, "monotonicTransformer", options, n));
    kit_must(c, hd_model_build(m, seed));
    return m;
}

/* options of monotonicTransformer with the default widths */
static hd_model *make_kind(int activation, int skip, int kind, double minimum, int compat, double seed)
{
    return make((double[]){ 0, activation, skip, kind, minimum, compat }, 6, seed);
}

/* Raw weights far from their start: kernels of -3..3, biases of -2..2. */
static void randomise(hd_model *m, unsigned seed)
{
    for (int i = 0; i < hd_weight_count(m); i++) {
        const size_t size = kit_size(m, hd_weight_name(m, i));
        hd_real *w = hd_weight_data(m, i);
        kit_fill(w, size, seed + (unsigned)i);
        for (size_t k = 0; k < size; k++) {
            w[k] *= strstr(hd_weight_name(m, i), "/kernel") ? 3 : 2;
        }
    }
    kit_must(c, hd_weights_check(m));
}

static hd_real *transform(hd_model *m, int n, const hd_real *q, int batch)
{
    hd_data *d = hd_data_new(c, n);
    memcpy(kit_column(c, d, HD_COLUMN_INPUT, 0, 1), q, (size_t)n * sizeof *q);
    hd_real *y = kit_predict(c, m, d, hd_output_node(m, 0), batch, 1);
    hd_data_free(d);
    return y;
}

static int ascending(const void *a, const void *b)
{
    hd_real x = *(const hd_real *)a, y = *(const hd_real *)b;
    return (x > y) - (x < y);
}

/* Property 2: q1 <= q2 gives y(q1) <= y(q2) for adjacent numbers and far ones, at any place in a batch: the batches are cut
 * so that equal blocks, tails and single samples all occur. Returns how often y grew. */
static int check_weakly_monotone(hd_model *m, int activation)
{
    enum { RUN = 40, STARTS = 60, N = RUN * STARTS };
    static hd_real q[N];
    hd_real start[STARTS];
    kit_fill(start, STARTS, 5);
    for (int i = 0; i < STARTS; i++) {
        hd_real x = start[i] * (i % 3 == 0 ? (hd_real)0.01 : i % 3 == 1 ? 4 : i % 2 ? 100 : (hd_real)1e6);
        for (int k = 0; k < RUN; k++, x = (hd_real)(sizeof x == sizeof(float) ? nextafterf((float)x, FLT_MAX) : nextafter((double)x, DBL_MAX))) {
            q[i * RUN + k] = x;
        }
    }
    qsort(q, N, sizeof *q, ascending);
    int batches[] = { N, 37, 1 }, drops = 0, moves = 0;
    for (int b = 0; b < 3; b++) {
        hd_real *y = transform(m, N, q, batches[b]);
        for (int i = 1; i < N; i++) {
            drops += !(y[i - 1] <= y[i]);
            moves += y[i - 1] < y[i];
        }
        if (drops) {
            printf("activation %d, batches of %d: %d drops\n", activation, batches[b], drops);
        }
        free(y);
    }
    CHECK(drops == 0);
    return moves;
}

static void test_weak_monotonicity(void)
{
    for (int kind = 0; kind <= HD_POSITIVE_PROJECTION; kind++) {
        for (int activation = 0; activation < 3; activation++) {
            hd_model *m = make_kind(activation, kind % 2, kind, 1e-6, 0, kind);
            CHECK(check_weakly_monotone(m, activation) > 100);
            for (unsigned i = 0; i < 3; i++) {
                randomise(m, 10 * i + (unsigned)kind);
                CHECK(check_weakly_monotone(m, activation) > 0);
            }
            hd_model_free(m);
        }
    }
}

#ifndef HD_FLOAT64
enum { RUN = 2048 };

/* Pairs of x[] in which the activation falls by more than `ulps` while x grows; they are pairs (0, 1), (2, 3) ... or each with the next. */
static int falls(hd_activation activation, const float *x, int step, int ulps)
{
    static float y[RUN];
    int count = 0;
    hd_activate_here(activation, 1, RUN, x, y);
    for (int i = 0; i + 1 < RUN; i += step) {
        const int up = x[i] <= x[i + 1] ? i + 1 : i, down = 2 * i + 1 - up;
        float least = y[down];
        for (int k = 0; k < ulps; k++) {
            least = nextafterf(least, -FLT_MAX);
        }
        count += !(y[up] >= least);
    }
    return count;
}

/* Neighbours sampled over float32 of one sign, from the smallest to where nothing moves any more. */
static int falls_sampled(hd_activation activation, bool negative, int ulps)
{
    enum { STRIDE = 49999 };
    float x[RUN];
    const float last = 104;
    uint32_t bits, end, sign = negative ? 0x80000000u : 0;
    int count = 0;
    memcpy(&end, &last, sizeof end);
    for (bits = 1; bits < end; bits += (uint32_t)RUN / 2 * STRIDE) {
        for (uint32_t i = 0; i < RUN; i++) {
            const uint32_t at = (bits + i / 2 * STRIDE + i % 2) | sign;
            memcpy(&x[i], &at, sizeof at);
        }
        count += falls(activation, x, 2, ulps);
    }
    return count;
}

/* All neighbours around the multiples of ln 2 / 2, where exp(x) = 2^k exp(r) changes the sign of r or the value of k. */
static int falls_at_seams(hd_activation activation, double sign, int ulps)
{
    float x[RUN];
    int count = 0;
    for (int k = 0; k < 90; k++) { /* those of exp(2 x), too */
        x[0] = (float)(sign * k * 0.173286795139) - 1e-4f;
        for (int i = 1; i < RUN; i++) {
            x[i] = nextafterf(x[i - 1], 200);
        }
        count += falls(activation, x, 1, ulps);
    }
    return count;
}

/* Activations from one number to the next. All pairs of neighbours in float32 were compared once, with and without FMA: ELU and tanh, which the
 * transformers take, never fall, nor does sigmoid above 0; below, sigmoid falls in 2 * 10^5 of 2 * 10^9 pairs, by one unit in the last
 * place, and softplus in 3 * 10^6, by two at most. */
static void test_neighbours(void)
{
    static const struct { hd_activation activation; int below, above; } laws[] = {
        { HD_ELU, 0, 0 }, { HD_TANH, 0, 0 }, { HD_RELU, 0, 0 }, { HD_SIGMOID, 1, 0 }, { HD_SOFTPLUS, 2, 2 } };
    for (int k = 0; k < COUNT(laws); k++) {
        CHECK(falls_sampled(laws[k].activation, true, laws[k].below) == 0 && falls_sampled(laws[k].activation, false, laws[k].above) == 0);
        CHECK(falls_at_seams(laws[k].activation, -1, laws[k].below) == 0 && falls_at_seams(laws[k].activation, 1, laws[k].above) == 0);
    }
    CHECK(falls_sampled(HD_SIGMOID, true, 0) > 0); /* the test sees what it looks for */
}
#endif

/* Widths that leave tails everywhere, and each activation that has its own code. */
static void test_layer_activations(void)
{
    for (int activation = 0; activation <= MIXED; activation++) {
        hd_model *m = hd_model_new(c);
        int x = hd_input(m, "score", (int[]){ 1 }, 1);
        x = LAYER(m, "monotonicDense", "a", x, 7, activation);
        x = LAYER(m, "monotonicDense", "b", x, 3, activation);
        LAYER(m, "monotonicDense", "c", x, 1, activation);
        kit_must(c, hd_model_build(m, 3));
        if (activation != HD_SIGMOID && activation != HD_SOFTPLUS) { /* sigmoid and softplus are not monotone: see test_neighbours */
            CHECK(check_weakly_monotone(m, activation) > 100);
        }
        hd_real q[] = { -2, -1, 0, 1, 2 }, *y = transform(m, 5, q, 5);
        for (int i = 1; i < 5; i++) {
            CHECK(activation == 3 || activation == 7 ? y[i] >= y[i - 1] : y[i] > y[i - 1]);
        }
        free(y);
        hd_model_free(m);
    }
}

/* The layer against its definition in float64. */
static void test_definition(void)
{
    enum { ROWS = 70, IN = 6, OUT = 8 };
    hd_model *m = hd_model_new(c);
    int x = hd_input(m, "x", (int[]){ IN }, 1);
    LAYER(m, "monotonicDense", "d", x, OUT, MIXED, 0.5, 1, HD_POSITIVE_SOFTPLUS, 0.25);
    kit_must(c, hd_model_build(m, 1));
    randomise(m, 3);
    hd_data *d = hd_data_new(c, ROWS);
    hd_real *in = kit_column(c, d, HD_COLUMN_INPUT, 0, IN);
    kit_fill(in, ROWS * IN, 9);
    hd_real *y = kit_predict(c, m, d, 1, ROWS, OUT), expected[ROWS * OUT];
    const hd_real *v = kit_weight(m, "d/kernel"), *bias = kit_weight(m, "d/bias");
    for (int i = 0; i < ROWS * OUT; i++) {
        int u = i % OUT;
        double z = bias[u], sign = u % 2 ? -1 : 1;
        for (int k = 0; k < IN; k++) {
            z += (log1p(exp((double)v[u * IN + k])) + 0.25) * (double)in[i / OUT * IN + k];
        }
        z *= sign;
        expected[i] = (hd_real)(sign * (z > 0 ? z : 0.5 * expm1(z)));
    }
    CHECK(kit_difference(ROWS * OUT, y, expected) <= TOL(1e-6));
    free(y);
    hd_data_free(d);
    hd_model_free(m);
}

static hd_data *curve(int n, double (*f)(double), hd_real **q)
{
    hd_data *d = hd_data_new(c, n);
    hd_real *x = kit_column(c, d, HD_COLUMN_INPUT, 0, 1), *y = kit_column(c, d, HD_COLUMN_TARGET, 0, 1);
    for (int i = 0; i < n; i++) {
        x[i] = (hd_real)(-2 + 4.0 * i / (n - 1));
        y[i] = (hd_real)f((double)x[i]);
    }
    *q = x;
    return d;
}

static double falling(double q)
{
    return -3 * q;
}

static void train(hd_model *m, hd_data *d, double rate, int epochs)
{
    kit_must(c, hd_compile_reset(m));
    kit_must(c, hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0));
    kit_must(c, hd_optimizer_set(m, "adam", &rate, 1));
    hd_fit *f = hd_fit_new(m, d, 0, hd_data_rows(d), (double[]){ hd_data_rows(d), epochs, 0, 1 }, 4);
    while (!hd_fit_done(f)) {
        kit_must(c, hd_fit_step(f, 64));
    }
    hd_fit_free(f);
}

/* Property 3: 1,000 steps of Adam with rate 0.1 towards a falling line, which pulls every weight to zero. */
static void test_stays_positive(void)
{
    for (int kind = 0; kind <= HD_POSITIVE_PROJECTION; kind++) {
        hd_real *q;
        hd_data *d = curve(TRAINED, falling, &q);
        hd_model *m = make_kind(0, 0, kind, 1e-6, 0, 1);
        train(m, d, 0.1, 1000);
        for (int i = 0; i < hd_weight_count(m); i++) {
            const size_t size = kit_size(m, hd_weight_name(m, i));
            hd_real w[400];
            if (strstr(hd_weight_name(m, i), "/kernel")) {
                hd_positive_forward(pool, (hd_positive)kind, (hd_real)1e-6, size, hd_weight_data(m, i), w);
                for (size_t k = 0; k < size; k++) {
                    CHECK(w[k] >= (hd_real)1e-6 && isfinite(w[k]));
                }
            }
        }
        check_weakly_monotone(m, 0);
        hd_data_free(d);
        hd_model_free(m);
    }
}

/* Property 5: without biases T(a q) = a T(q) for a, q > 0, T(0) = 0, and on the left T is bounded by the layers' sums. */
static void test_compat(void)
{
    hd_model *m = make_kind(0, 0, HD_POSITIVE_ABS, 0, 1, 8);
    CHECK(hd_weight_count(m) == 5);
    hd_real q[] = { 1, 2, (hd_real)7.5, 0, -1, (hd_real)-1e4, (hd_real)-1e5 }, *y = transform(m, 7, q, 7);
    NEAR(y[1] / y[0], 2, TOL(1e-6) * 2);
    NEAR(y[2] / y[0], 7.5, TOL(1e-6) * 7.5);
    CHECK(y[3] == 0 && y[4] < 0 && y[5] >= y[6] && y[6] > -1000);
    free(y);
    hd_model_free(m);
    m = hd_model_new(c);
    CHECK(hd_recipe(m, "monotonicTransformer", (double[]){ 0, 1, 0, 0, 0, 1 }, 6) == HD_ERR_ARGUMENT);
    CHECK(strstr(hd_error(c), "recipe monotonicTransformer: compat has activation elu") != NULL);
    hd_model_free(m);
}

/* Property 6: sums and compositions of convex increasing functions are convex. Property 10: nothing overflows. */
static void test_convex(void)
{
    enum { N = 200 };
    int concave = 0;
    for (unsigned seed = 0; seed < 20; seed++) {
        for (int activation = 0; activation < 2; activation++) {
            hd_model *m = make_kind(activation, 0, 0, 1e-6, 0, 1);
            randomise(m, seed);
            hd_real q[3 * N], far[] = { (hd_real)-1e4, (hd_real)1e4 };
            kit_fill(q, 2 * N, seed);
            for (int i = 0; i < N; i++) {
                q[2 * i] *= 10, q[2 * i + 1] *= 10;
                q[2 * N + i] = (q[2 * i] + q[2 * i + 1]) / 2;
            }
            hd_real *y = transform(m, 3 * N, q, N), *ends = transform(m, 2, far, 2);
            const double scale = fabs((double)ends[1]) / 1e3;
            for (int i = 0; i < N; i++) {
                double mean = ((double)y[2 * i] + y[2 * i + 1]) / 2;
                concave += activation && (double)y[2 * N + i] > mean + 1e-6 * scale;
                CHECK(activation || (double)y[2 * N + i] <= mean + 1e-6 * scale);
            }
            CHECK(isfinite(ends[0]) && isfinite(ends[1]));
            free(y), free(ends);
            hd_model_free(m);
        }
    }
    CHECK(concave > N); /* mixed is not bound to it */
}

static double *gradients(hd_model *m, hd_data *d, int from, int to, double weight, size_t *size)
{
    double *g = calloc(1 << 12, sizeof *g), loss;
    kit_must(c, hd_compile_reset(m));
    for (int i = 0; i < hd_output_count(m); i++) {
        kit_must(c, hd_loss_add(m, i, "huber", i >= from && i < to ? weight : 0, NULL, 0));
    }
    kit_must(c, hd_gradients(m, d, 0, hd_data_rows(d), 1, 0, &loss));
    *size = 0;
    for (int i = 0; i < hd_weight_count(m); i++) {
        const size_t n = kit_size(m, hd_weight_name(m, i));
        for (size_t k = 0; k < n && !strncmp(hd_weight_name(m, i), "regressor", 9); k++) {
            g[(*size)++] = (double)hd_weight_gradient(m, i)[k];
        }
    }
    return g;
}

/* Property 9: the regressor's gradient of the mean loss is the mean of its gradients of each set's loss. */
static void test_shared_gradient(void)
{
    enum { SETS = 3, FEATURES = 5, N = 12 };
    hd_model *m = hd_model_new(c); /* features, sets, hidden, standardize, widths, activation, skip */
    kit_must(c, hd_recipe(m, "mixedDataset", (double[]){ FEATURES, SETS, 2, 8, 6, 1, 2, 4, 4, 1, 1 }, 11));
    kit_must(c, hd_model_build(m, 2));
    CHECK(hd_output_count(m) == SETS);
    hd_data *d = hd_data_new(c, N);
    kit_fill(kit_column(c, d, HD_COLUMN_INPUT, 0, SETS * FEATURES), N * SETS * FEATURES, 1);
    for (int i = 0; i < SETS; i++) {
        kit_fill(kit_column(c, d, HD_COLUMN_TARGET, i, 1), N, (unsigned)i + 7);
    }
    size_t size;
    double *joint = gradients(m, d, 0, SETS, 1.0 / SETS, &size), largest = 0;
    CHECK(size == 8 * 5 + 8 + 6 * 8 + 6 + 6 + 1);
    for (int i = 0; i < SETS; i++) {
        double *own = gradients(m, d, i, i + 1, 1, &size);
        for (size_t k = 0; k < size; k++) {
            largest = fmax(largest, fabs(own[k]));
            joint[k] -= own[k] / SETS;
        }
        free(own);
    }
    for (size_t k = 0; k < size; k++) {
        NEAR(joint[k], 0, TOL(1e-5) * largest);
    }
    CHECK(largest > 0);
    free(joint);
    hd_data_free(d);
    hd_model_free(m);
}

/* Initial weights: rows add up to about the gain, biases are equally spaced; the penalty sees W. */
static void test_start(void)
{
    enum { IN = 20, UNITS = 30 };
    for (int kind = 0; kind <= HD_POSITIVE_PROJECTION; kind++) {
        hd_model *m = hd_model_new(c);
        int x = hd_input(m, "x", (int[]){ IN }, 1);
        LAYER(m, "monotonicDense", "d", x, UNITS, HD_ELU, 0, 1, kind, 1e-3, 2, 1.5);
        kit_must(c, hd_weight_set(m, "d/kernel", "positiveL2", (double[]){ kind, 1e-3, 0.3 }, 3));
        kit_must(c, hd_model_build(m, 3));
        hd_real w[UNITS * IN], *bias = kit_weight(m, "d/bias"), *v = kit_weight(m, "d/kernel");
        hd_positive_forward(pool, (hd_positive)kind, (hd_real)1e-3, UNITS * IN, v, w);
        double squares = 0, loss, without;
        for (int i = 0; i < UNITS; i++) {
            double sum = 0;
            for (int k = 0; k < IN; k++) {
                sum += (double)w[i * IN + k];
                squares += (double)w[i * IN + k] * (double)w[i * IN + k];
                NEAR((double)w[i * IN + k], 2.0 / IN, kind == HD_POSITIVE_ABS ? 1 : 1.01 / IN);
            }
            NEAR(sum, 2, kind == HD_POSITIVE_ABS ? 2 : 0.6);
            NEAR((double)bias[i], -1.5 + 3.0 * i / (UNITS - 1), 1e-6);
        }
        hd_data *d = hd_data_new(c, 2);
        kit_fill(kit_column(c, d, HD_COLUMN_INPUT, 0, IN), 2 * IN, 1);
        kit_fill(kit_column(c, d, HD_COLUMN_TARGET, 0, UNITS), 2 * UNITS, 2);
        kit_must(c, hd_loss_add(m, 0, "meanSquaredError", 1, NULL, 0));
        kit_must(c, hd_gradients(m, d, 0, 2, 0, 0, &loss));
        hd_real with = kit_gradient(m, "d/kernel")[7];
        kit_must(c, hd_weight_set(m, "d/kernel", "positiveL2", (double[]){ kind, 1e-3, 0 }, 3)); /* a second one, of 0 */
        kit_must(c, hd_evaluate_begin(m, 2));
        kit_must(c, hd_evaluate_rows(m, d, 0, 2));
        kit_must(c, hd_evaluate_end(m));
        without = hd_evaluate_loss(m, 0);
        NEAR(loss - without, 0.3 * squares, 1e-5 * loss);
        CHECK(isfinite(with));
        hd_data_free(d);
        hd_model_free(m);
    }
}

/* W(inverse(w)) = w, also where w is tiny. */
static void test_inverse(void)
{
    static const double values[] = { 1e-5, 1e-3, 0.05, 1, 7 };
    for (int kind = 0; kind <= HD_POSITIVE_PROJECTION; kind++) {
        for (int i = 0; i < COUNT(values); i++) {
            hd_real v = (hd_real)hd_positive_inverse((hd_positive)kind, 1e-6, values[i]), w;
            hd_positive_forward(pool, (hd_positive)kind, (hd_real)1e-6, 1, &v, &w);
            NEAR((double)w / values[i], 1, TOL(2e-6) * 10);
        }
    }
}

int main(void)
{
    c = hd_context_new(2);
    pool = hd_pool_new(c, 1);
#ifndef HD_FLOAT64
    test_neighbours();
#endif
    test_weak_monotonicity();
    test_layer_activations();
    test_definition();
    test_stays_positive();
    test_compat();
    test_convex();
    test_shared_gradient();
    test_start();
    test_inverse();
    hd_pool_free(c, pool);
    hd_context_free(c);
    return check_result("monotone");
}
