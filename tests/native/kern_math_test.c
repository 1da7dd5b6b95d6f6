/* Elementary functions against libm in float64: every exponent, dense samples, edges, in-place, position in the vector. */
#include "check.h"
#include "kern/math.h"

#include <stdint.h>

typedef void array_function(size_t n, const real *x, real *y);

typedef struct subject {
    const char *name;
    array_function *fn;
    double (*reference)(double);
    double ulp;  /* allowed for float32 */
} subject;

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static double rsqrt(double x)
{
    return 1 / sqrt(x);
}

static const subject subjects[] = {
    { "exp", hd_vexp, exp, 1.0 },          { "expm1", hd_vexpm1, expm1, 1.6 },
    { "log", hd_vlog, log, 0.8 },          { "log1p", hd_vlog1p, log1p, 0.9 },
    { "tanh", hd_vtanh, tanh, 2.6 },       { "sigmoid", hd_vsigmoid, sigmoid, 2.4 },
    { "softplus", hd_vsoftplus, softplus, 2.6 }, { "sqrt", hd_vsqrt, sqrt, 0.501 },
    { "rsqrt", hd_vrsqrt, rsqrt, 1.5 },
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

/* |got - true| in units of the last place of the float32 nearest to the true value; NaN if just one of them
 * is NaN or infinite. */
static double ulps(real got, double expected)
{
    if (isnan(expected) || isnan(got)) {
        return isnan(expected) && isnan(got) ? 0 : NAN;
    }
    float rounded = (float)expected;
    if (isinf(rounded) || isinf(got)) {
        return (double)got == (double)rounded ? 0 : isinf(rounded) && fabsf((float)got) > 3.4028233e38f ? 1 : NAN;
    }
    int exponent;
    frexp(expected, &exponent);
    return fabs(got - expected) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

#ifndef HD_FLOAT64
typedef struct worst {
    double ulp;
    float x;
} worst;

static void check_block(const subject *s, size_t n, const real *x, worst *w)
{
    static real y[1 << 14];
    s->fn(n, x, y);
    for (size_t i = 0; i < n; i++) {
        double u = ulps(y[i], s->reference(x[i]));
        if (!(u <= w->ulp)) {
            *w = (worst){ u, x[i] };
        }
    }
}

/* Every 509th bit pattern (8.4 million floats of both signs, denormals and NaN included), then a dense set where
 * the function is curved. */
static void dense(const subject *s)
{
    static real x[1 << 14];
    worst w = { 0, 0 };
    uint64_t bits = 0;
    while (bits < (1ull << 32)) {
        size_t n = 0;
        for (; n < (1 << 14) && bits < (1ull << 32); n++, bits += 509) {
            uint32_t b = (uint32_t)bits;
            memcpy(&x[n], &b, 4);
        }
        check_block(s, n, x, &w);
    }
    for (int i = -128; i < 128; i++) {
        for (int j = 0; j < 1 << 14; j++) {
            x[j] = (real)(i + j * (1.0 / (1 << 14)));
        }
        check_block(s, 1 << 14, x, &w);
    }
    printf("  %-8s %.3f ulp at %.9g\n", s->name, w.ulp, w.x);
    NEAR(w.ulp, 0, s->ulp);
}
#else
static void dense(const subject *s)
{
    for (int i = -20000; i < 20000; i++) {
        real x = i * 0.01, y;
        s->fn(1, &x, &y);
        double r = s->reference(x);
        CHECK((isnan(r) && isnan(y)) || r == y || fabs(y - r) <= 1e-14 * fabs(r));
    }
}
#endif

static void same_bits(real a, real b)
{
    CHECK(isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b));
}

/* What C says of the edges holds, sign of zero included. */
static void edges(void)
{
    static const real x[] = { 0, (real)-0.0, 1, -1, INFINITY, -INFINITY, NAN, (real)1e-45, (real)-1e-45, (real)1e-38, 1000, -1000, (real)88.7,
                              (real)88.8, -88, (real)-103.9, -105, (real)3.4e38, (real)-3.4e38 };
    for (size_t s = 0; s < SUBJECTS; s++) {
        for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
            real y;
            subjects[s].fn(1, &x[i], &y);
            double r = subjects[s].reference((double)x[i]);
            if (r == 0 || isnan(r) || isinf((real)r)) {
                same_bits((real)r, y);
            } else {
                CHECK(ulps(y, r) <= subjects[s].ulp);
            }
        }
    }
}

/* One array, all lengths and positions: same bits as alone; in place; nothing written behind the end. */
static void positions(void)
{
    enum { N = 37 };
    for (size_t s = 0; s < SUBJECTS; s++) {
        real x[N], alone[N], y[N + 1];
        for (int i = 0; i < N; i++) {
            x[i] = (real)(0.37 * i - 3);
            subjects[s].fn(1, &x[i], &alone[i]);
        }
        for (size_t n = 0; n <= N; n++) {
            memcpy(y, x, n * sizeof *x);
            y[n] = 77;
            subjects[s].fn(n, y, y);
            CHECK(y[n] == 77);
            for (size_t i = 0; i < n; i++) {
                same_bits(alone[i], y[i]);
            }
        }
    }
}

static void softmax_rows(void)
{
    static const double offsets[] = { 0, 50, -200, 1e4 };
    for (size_t n = 1; n < 40; n++) {
        for (size_t o = 0; o < 4; o++) {
            real x[40], y[40];
            double sum = 0, total = 0, max = -INFINITY;
            for (size_t i = 0; i < n; i++) {
                x[i] = (real)(offsets[o] + 3 * sin(1.7 * (double)i + (double)n));
                max = x[i] > max ? x[i] : max;
            }
            for (size_t i = 0; i < n; i++) {
                sum += exp((double)x[i] - max);
            }
            hd_softmax(n, x, y);
            NEAR(hd_logsumexp(n, x), max + log(sum), 3e-7 * (1 + fabs(max)));
            for (size_t i = 0; i < n; i++) {
                double r = exp((double)x[i] - max) / sum;
                NEAR(y[i], r, 5e-7 * r);
                total += y[i];
            }
            NEAR(total, 1, 1e-6);
            hd_softmax(n, x, x);
            CHECK(!memcmp(x, y, n * sizeof *x));
        }
    }
    real x[5] = { 1, 2, NAN, 3, 4 };
    hd_softmax(5, x, x);
    CHECK(isnan(x[0]) && isnan(x[4]));
    real far[3] = { -1e30f, 0, -INFINITY };
    hd_softmax(3, far, far);
    CHECK(far[0] == 0 && far[1] == 1 && far[2] == 0);
}

int main(void)
{
    for (size_t s = 0; s < SUBJECTS; s++) {
        dense(&subjects[s]);
    }
    edges();
    positions();
    softmax_rows();
    return check_result("kern_math");
}
