/* float64 scalar functions against libm in ulp, and their edges. */
#include "base/scalar.h"
#include "check.h"

static double ulps(double got, double expected)
{
    int exponent;
    frexp(expected, &exponent);
    return fabs(got - expected) / ldexp(1, (exponent < -1021 ? -1021 : exponent) - 53);
}

/* libm is itself within 1 ulp, mostly within 0.52. */
static void dense(const char *name, double (*fn)(double), double (*reference)(double), double from, double to, double tol)
{
    enum { N = 400000 };
    double worst = 0;
    for (int i = 0; i <= N; i++) {
        double x = from + (to - from) * i / N, u = ulps(fn(x), reference(x));
        worst = !(u <= worst) ? u : worst;
    }
    printf("  %-4s [%g, %g]: %.2f ulp\n", name, from, to, worst);
    NEAR(worst, 0, tol);
}

static void edges(void)
{
    CHECK(hd_log(0) == -INFINITY && hd_log(-0.0) == -INFINITY && isnan(hd_log(-1)) && isnan(hd_log(NAN)));
    CHECK(hd_log(INFINITY) == INFINITY && hd_log(1) == 0);
    CHECK(ulps(hd_log(5e-324), log(5e-324)) <= 1.6 && ulps(hd_log(1.7e308), log(1.7e308)) <= 1.6);
    CHECK(hd_exp(0) == 1 && hd_exp(INFINITY) == INFINITY && hd_exp(-INFINITY) == 0 && isnan(hd_exp(NAN)));
    CHECK(hd_exp(709.7) < INFINITY && hd_exp(710) == INFINITY && hd_exp(-746) == 0 && hd_exp(-745) > 0);
    CHECK(ulps(hd_exp(-740), exp(-740)) <= 1);
    CHECK(hd_cos(0) == 1);
    CHECK(hd_power(2, 10) == 1024 && hd_power(0.5, 3) == 0.125 && hd_power(7, 0) == 1 && hd_power(0, 0) == 1);
    NEAR(hd_power(0.999, 1000), pow(0.999, 1000), 1e-14);
}

int main(void)
{
    dense("log", hd_log, log, 1e-3, 3, 1.6);
    dense("log", hd_log, log, 3, 1e6, 1.6);
    dense("log", hd_log, log, 1e-300, 1e-290, 1.6);
    dense("exp", hd_exp, exp, -1, 1, 1.6);
    dense("exp", hd_exp, exp, -708, 709, 1.6);
    dense("cos", hd_cos, cos, -1.5, 1.5, 2);
    for (int i = 0; i < 200000; i++) { /* absolute: near its zeros a relative bound would test the reduction alone */
        double x = (i - 100000) * 0.9999;
        NEAR(hd_cos(x), cos(x), 3e-16);
    }
    edges();
    return check_result("scalar");
}
