/* The identities of a homework sheet on convolutional networks (after J. Wu's "Introduction to Convolutional Neural
 * Networks"): gray pictures by a 1 x 1 convolution, the logistic form of a squared error, and Jacobians of a multi-layer
 * perceptron. Finite differences, poolings and what commutes with them are in the tests of those layers. */
#include "kern/activation.h"
#include "layer_kit.h"

static hd_context *c;

/* --- 1 x 1 convolution: Y = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) --------------------------------- */

static void test_gray(void)
{
    static const double weight[] = { 0.299, 0.587, 0.114 };
    enum { PIXELS = 4 };
    static const double rgb[PIXELS][3] = { { 255, 0, 0 }, { 100, 100, 100 }, { 255, 255, 255 }, { 10, 200, 30 } };
    hd_model *m = hd_model_new(c);
    int x = hd_input(m, "rgb", (int[]){ 2, 2, 3 }, 3);
    int gray = LAYER(m, "conv2d", "gray", x, 1, 1, 1, 0, 0, 0, 0, 1, HD_LINEAR, 0, 0);
    kit_must(c, hd_model_build(m, 1));
    CHECK(hd_weight_count(m) == 1 && kit_size(m, "gray/kernel") == 3);
    hd_data *d = hd_data_new(c, 1);
    hd_real *in = kit_column(c, d, HD_COLUMN_INPUT, 0, PIXELS * 3);
    for (int k = 0; k < 3; k++) {
        kit_weight(m, "gray/kernel")[k] = (hd_real)weight[k];
        for (int p = 0; p < PIXELS; p++) {
            in[p * 3 + k] = (hd_real)rgb[p][k];
        }
    }
    NEAR(weight[0] + weight[1] + weight[2], 1, 1e-15);
    hd_real *y = kit_predict(c, m, d, gray, 1, PIXELS);
    for (int p = 0; p < PIXELS; p++) {
        NEAR(y[p], weight[0] * rgb[p][0] + weight[1] * rgb[p][1] + weight[2] * rgb[p][2], 255 * TOL(2e-7));
    }
    NEAR(y[0], 76.245, 255 * TOL(2e-7));
    NEAR(y[1], 100, 1e-6 * 100);
    NEAR(y[2], 255, 1e-6 * 255);
    free(y);
    hd_data_free(d);
    hd_model_free(m);
}

/* --- logistic regression with squared error ------------------------------------------------------------- */

enum { N = 40, FEATURES = 3 };

/* A dense layer on N x FEATURES inputs with `units` scores each, and the loss. */
static hd_model *scores(int units, hd_activation act, const char *loss)
{
    hd_model *m = hd_model_new(c);
    int x = hd_input(m, "x", (int[]){ FEATURES }, 1);
    LAYER(m, "dense", "z", x, units, act);
    kit_must(c, hd_model_build(m, 1));
    kit_must(c, hd_loss_add(m, 0, loss, 1, NULL, 0));
    return m;
}

static double gradients(hd_model *m, hd_data *d)
{
    double loss = NAN;
    kit_must(c, hd_gradients(m, d, 0, hd_data_rows(d), 0, 0, &loss));
    return loss;
}

/* The loss and its derivative for the score z alone. */
static double logistic(double z, double label, double *slope)
{
    hd_model *m = scores(1, HD_LINEAR, "logisticMse");
    hd_data *d = hd_data_new(c, 1);
    memset(kit_column(c, d, HD_COLUMN_INPUT, 0, FEATURES), 0, FEATURES * sizeof(hd_real));
    kit_column(c, d, HD_COLUMN_TARGET, 0, 1)[0] = (hd_real)label;
    kit_weight(m, "z/bias")[0] = (hd_real)z;
    double loss = gradients(m, d);
    *slope = (double)kit_gradient(m, "z/bias")[0];
    hd_data_free(d);
    hd_model_free(m);
    return loss;
}

static double sigma(double t)
{
    return t >= 0 ? 1 / (1 + exp(-t)) : exp(t) / (1 + exp(t));
}

/* The sheet's form, from both classes' squared errors for each label. */
static double written_out(double z, double y)
{
    double p = sigma(-z), q = sigma(z);
    return (1 - y) / 2 * ((1 - p) * (1 - p) + q * q) + (1 + y) / 2 * (p * p + (1 - q) * (1 - q));
}

static void test_logistic_values(void)
{
    double slope, other;
    for (double z = -6; z <= 6; z += 0.37) {
        for (int y = -1; y <= 1; y += 2) {
            const double at = (double)(hd_real)z, s = sigma(-y * at), h = 1e-5, loss = logistic(z, y, &slope);
            NEAR(loss, 2 * s * s, TOL(5e-7));
            NEAR(loss, written_out(at, y), TOL(5e-7));
            NEAR(slope, -4 * y * s * s * sigma(y * at), TOL(5e-7));
            NEAR(slope, (written_out(at + h, y) - written_out(at - h, y)) / (2 * h), 1e-6);
            CHECK(logistic(-z, -y, &other) == loss && other == -slope);
        }
    }
    for (int y = -1; y <= 1; y += 2) {
        NEAR(logistic(0, y, &slope), 0.5, TOL(1e-7));
        NEAR(slope, -0.5 * y, TOL(1e-7));
        NEAR(logistic(1e4, y, &slope), y > 0 ? 0 : 2, 0);
        NEAR(slope, 0, 0);
        NEAR(logistic(-y * log(2), y, &slope), 8.0 / 9, TOL(5e-7)); /* steepest at y z = -ln 2, where sigma(-y z) = 2 / 3 */
        NEAR(-y * slope, 16.0 / 27, TOL(5e-7));
        CHECK(logistic(-y * log(2) + 0.1, y, &other) > 0 && fabs(other) < fabs(slope));
        CHECK(logistic(-y * log(2) - 0.1, y, &other) > 0 && fabs(other) < fabs(slope));
    }
    NEAR(logistic(2, 1, &slope), 0.0284187, 6e-8 + TOL(1e-7));
    NEAR(logistic(-2, 1, &slope), 1.5516070, 6e-8 + TOL(2e-7));
}

/* The same regression as two softmax outputs with logits (0, z) and one-hot targets: the mean over two elements is half of
 * the sum. Values, and the gradients for a and b. */
static void test_logistic_as_softmax(void)
{
    hd_model *one = scores(1, HD_LINEAR, "logisticMse"), *two = scores(2, HD_SOFTMAX, "meanSquaredError");
    hd_data *d = hd_data_new(c, N), *one_hot = hd_data_new(c, N);
    hd_real *x = kit_column(c, d, HD_COLUMN_INPUT, 0, FEATURES), *same = kit_column(c, one_hot, HD_COLUMN_INPUT, 0, FEATURES);
    hd_real *y = kit_column(c, d, HD_COLUMN_TARGET, 0, 1), *pair = kit_column(c, one_hot, HD_COLUMN_TARGET, 0, 2);
    kit_fill(x, N * FEATURES, 3);
    memcpy(same, x, N * FEATURES * sizeof *x);
    for (int n = 0; n < N; n++) {
        y[n] = n % 3 ? 1 : -1;
        pair[2 * n] = n % 3 == 0;
        pair[2 * n + 1] = n % 3 != 0;
    }
    kit_fill(kit_weight(one, "z/kernel"), FEATURES, 4);
    kit_fill(kit_weight(one, "z/bias"), 1, 5);
    memset(kit_weight(two, "z/kernel"), 0, 2 * FEATURES * sizeof *x);
    memset(kit_weight(two, "z/bias"), 0, 2 * sizeof *x);
    memcpy(kit_weight(two, "z/kernel") + FEATURES, kit_weight(one, "z/kernel"), FEATURES * sizeof *x);
    kit_weight(two, "z/bias")[1] = kit_weight(one, "z/bias")[0];
    NEAR(gradients(one, d), 2 * gradients(two, one_hot), TOL(5e-7));
    for (int k = 0; k < FEATURES; k++) {
        NEAR(kit_gradient(one, "z/kernel")[k], 2 * kit_gradient(two, "z/kernel")[FEATURES + k], TOL(5e-7));
    }
    NEAR(kit_gradient(one, "z/bias")[0], 2 * kit_gradient(two, "z/bias")[1], TOL(5e-7));
    y[0] = (hd_real)1.5; /* labels are numbers in -1..1; others are refused before anything runs */
    double loss;
    CHECK(hd_gradients(one, d, 0, N, 0, 0, &loss) == HD_ERR_ARGUMENT);
    CHECK(strstr(hd_error(c), "1.5") && strstr(hd_error(c), "-1..1"));
    hd_data_free(d);
    hd_data_free(one_hot);
    hd_model_free(one);
    hd_model_free(two);
}

/* --- y_l = s(A_l y_(l-1) + b_l), and y_L = A_L y_(L-1) + b_L, a number ---------------------------------- */

enum { DEEPEST = 5, WIDEST = 6 };

typedef struct perceptron {
    int depth, n[DEEPEST + 1];
    hd_activation act;
    double a[DEEPEST + 1][WIDEST][WIDEST], b[DEEPEST + 1][WIDEST];
    double y[DEEPEST + 1][WIDEST], d[DEEPEST + 1][WIDEST][WIDEST]; /* D_l = dy_l / d(A_l y_(l-1) + b_l) */
} perceptron;

static double value(hd_activation act, double z)
{
    const double alpha = (double)hd_activation_alpha(act);
    switch (act) {
    case HD_SIGMOID: return sigma(z);
    case HD_TANH: return tanh(z);
    case HD_RELU: return fmax(z, 0);
    case HD_LEAKY_RELU: return z > 0 ? z : alpha * z;
    case HD_ELU: return z > 0 ? z : alpha * expm1(z);
    case HD_SOFTPLUS: return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
    case HD_RELU6: return fmin(fmax(z, 0), 6);
    default: return z;
    }
}

static double derivative(hd_activation act, double z)
{
    const double alpha = (double)hd_activation_alpha(act);
    switch (act) {
    case HD_SIGMOID: return sigma(z) * sigma(-z);
    case HD_TANH: return 1 - tanh(z) * tanh(z);
    case HD_RELU: return z > 0;
    case HD_LEAKY_RELU: return z > 0 ? 1 : alpha;
    case HD_ELU: return z > 0 ? 1 : alpha * exp(z);
    case HD_SOFTPLUS: return sigma(z);
    case HD_RELU6: return z > 0 && z < 6;
    default: return 1;
    }
}

/* y and D of one layer; D is diagonal but for softmax, where it is diag(y) - y y^T. */
static void activate(perceptron *p, int l, const double *z)
{
    const hd_activation act = l == p->depth ? HD_LINEAR : p->act;
    double sum = 0;
    for (int i = 0; i < p->n[l]; i++) {
        sum += exp(z[i]);
    }
    for (int i = 0; i < p->n[l]; i++) {
        p->y[l][i] = act == HD_SOFTMAX ? exp(z[i]) / sum : value(act, z[i]);
    }
    for (int i = 0; i < p->n[l]; i++) {
        for (int k = 0; k < p->n[l]; k++) {
            const double softmax = p->y[l][i] * ((i == k) - p->y[l][k]);
            p->d[l][i][k] = act == HD_SOFTMAX ? softmax : i == k ? derivative(act, z[i]) : 0;
        }
    }
}

static double evaluate(perceptron *p)
{
    for (int l = 1; l <= p->depth; l++) {
        double z[WIDEST];
        for (int i = 0; i < p->n[l]; i++) {
            z[i] = p->b[l][i];
            for (int j = 0; j < p->n[l - 1]; j++) {
                z[i] += p->a[l][i][j] * p->y[l - 1][j];
            }
        }
        activate(p, l, z);
    }
    return p->y[p->depth][0];
}

/* out = M v; M: n x m. */
static void times(int n, int m, double matrix[WIDEST][WIDEST], const double *v, double *out)
{
    double t[WIDEST] = { 0 };
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < m; j++) {
            t[i] += matrix[i][j] * v[j];
        }
    }
    memcpy(out, t, sizeof t);
}

/* dy_L / d(A_l)_ij, or dy_L / d(b_l)_i with j = -1: A_L D_(L-1) A_(L-1) ... A_(l+1) D_l e_i (y_(l-1))_j, from the right. */
static double forward_mode(perceptron *p, int l, int i, int j)
{
    double v[WIDEST] = { 0 };
    v[i] = j < 0 ? 1 : p->y[l - 1][j];
    times(p->n[l], p->n[l], p->d[l], v, v);
    for (int k = l + 1; k <= p->depth; k++) {
        times(p->n[k], p->n[k - 1], p->a[k], v, v);
        times(p->n[k], p->n[k], p->d[k], v, v);
    }
    return v[0];
}

static double difference(perceptron *p, double *at)
{
    const double keep = *at, h = 1e-5;
    *at = keep + h;
    const double up = evaluate(p);
    *at = keep - h;
    const double down = evaluate(p);
    *at = keep;
    evaluate(p);
    return (up - down) / (2 * h);
}

/* The same network in heddle; the mean absolute error to a target far below is y_L and a number: its gradients are
 * those of y_L. */
static hd_model *build(perceptron *p, hd_data *d)
{
    static const char *const names[] = { "", "l1", "l2", "l3", "l4", "l5" };
    hd_model *m = hd_model_new(c);
    int node = hd_input(m, "x", &p->n[0], 1);
    for (int l = 1; l <= p->depth; l++) {
        node = LAYER(m, "dense", names[l], node, p->n[l], l < p->depth ? p->act : HD_LINEAR);
    }
    kit_must(c, hd_model_build(m, 1));
    hd_real *x = kit_column(c, d, HD_COLUMN_INPUT, 0, p->n[0]);
    kit_fill(x, (size_t)p->n[0], 6);
    for (int j = 0; j < p->n[0]; j++) {
        p->y[0][j] = (double)(x[j] *= 4);
    }
    kit_column(c, d, HD_COLUMN_TARGET, 0, 1)[0] = -100;
    for (int l = 1; l <= p->depth; l++) {
        hd_real *a = hd_weight_data(m, 2 * l - 2), *b = hd_weight_data(m, 2 * l - 1);
        kit_fill(a, (size_t)p->n[l] * (size_t)p->n[l - 1], 10 + (unsigned)l);
        kit_fill(b, (size_t)p->n[l], 20 + (unsigned)l);
        b[2] += l == 1 && p->act == HD_RELU6 ? 9 : 0; /* one unit beyond its upper bound */
        for (int i = 0; i < p->n[l]; i++) {
            p->b[l][i] = (double)b[i];
            for (int j = 0; j < p->n[l - 1]; j++) {
                p->a[l][i][j] = (double)(a[i * p->n[l - 1] + j] *= 2);
            }
        }
    }
    kit_must(c, hd_loss_add(m, 0, "meanAbsoluteError", 1, NULL, 0));
    return m;
}

/* Product of the Jacobians = finite differences = backpropagation, for every weight. */
static void test_jacobians(int depth, hd_activation act)
{
    perceptron p = { .depth = depth, .n = { 4, 5, 3, 6, 4 }, .act = act };
    p.n[depth] = 1;
    hd_data *d = hd_data_new(c, 1);
    hd_model *m = build(&p, d);
    NEAR(gradients(m, d), evaluate(&p) + 100, 100 * TOL(1e-6));
    CHECK(act != HD_RELU6 || p.y[1][2] == 6);
    int moved = 0;
    for (int l = 1; l <= depth; l++) {
        const hd_real *da = hd_weight_gradient(m, 2 * l - 2), *db = hd_weight_gradient(m, 2 * l - 1);
        for (int i = 0; i < p.n[l]; i++) {
            for (int j = -1; j < p.n[l - 1]; j++) {
                const double forward = forward_mode(&p, l, i, j), backward = j < 0 ? db[i] : da[i * p.n[l - 1] + j];
                const double size = 1 + fabs(forward);
                NEAR(difference(&p, j < 0 ? &p.b[l][i] : &p.a[l][i][j]), forward, 1e-6 * size);
                NEAR(backward, forward, TOL(2e-5) * size);
                moved += fabs(forward) > 1e-6;
            }
        }
    }
    CHECK(moved > 8);
    NEAR(hd_weight_gradient(m, 2 * depth - 1)[0], 1, 0); /* dy_L / db_L */
    hd_data_free(d);
    hd_model_free(m);
}

int main(void)
{
    c = hd_context_new(2);
    test_gray();
    test_logistic_values();
    test_logistic_as_softmax();
    for (int depth = 2; depth <= DEEPEST; depth++) {
        for (int act = 0; hd_activation_names[act]; act++) {
            test_jacobians(depth, (hd_activation)act);
        }
    }
    hd_context_free(c);
    return check_result("homework");
}
