#include "base/scalar.h"

#include <math.h>
#include <string.h>

static const double LN2_HI = 6.93147180369123816490e-01, LN2_LO = 1.90821492927058770002e-10;

static double scale2(double x, int k) /* x * 2^k for normal results, in two steps for the ends of the range */
{
    int half = k / 2;
    uint64_t a = (uint64_t)(half + 1023) << 52, b = (uint64_t)(k - half + 1023) << 52;
    double fa, fb;
    memcpy(&fa, &a, 8);
    memcpy(&fb, &b, 8);
    return x * fa * fb;
}

/* log(x) = k ln2 + log(m), m in [sqrt(1/2), sqrt(2)); log(m) = 2 atanh(s), s = (m-1)/(m+1), by its series. */
double hd_log(double x)
{
    if (!(x > 0)) {
        return x == 0 ? -INFINITY : NAN;
    }
    if (isinf(x)) {
        return x;
    }
    int k = 0;
    if (x < 2.2250738585072014e-308) {
        x *= 18014398509481984.0; /* 2^54 */
        k = -54;
    }
    uint64_t bits;
    memcpy(&bits, &x, 8);
    k += (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL;
    double m;
    memcpy(&m, &bits, 8);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        k++;
    }
    double f = m - 1, s = f / (2 + f), z = s * s, half = 0.5 * f * f, series = 0;
    for (int i = 12; i >= 1; i--) {
        series = (series + 2.0 / (2 * i + 1)) * z;
    }
    /* log(1+f) = f - f^2/2 + s (f^2/2 + series): the leading term f is exact. */
    return k * LN2_HI - ((half - (s * (half + series) + k * LN2_LO)) - f);
}

double hd_exp(double x)
{
    if (x != x) {
        return x;
    }
    if (x > 709.78) {
        return INFINITY;
    }
    if (x < -745.2) {
        return 0;
    }
    int k = (int)floor(x * 1.44269504088896340736 + 0.5);
    double r = (x - k * LN2_HI) - k * LN2_LO, sum = 1;
    for (int i = 14; i >= 1; i--) {
        sum = 1 + r * sum / i;
    }
    return scale2(sum, k);
}

/* Reduced to [-pi/4, pi/4] with a three-part pi/2 (fdlibm's split), then the Taylor series of cos or sin. */
double hd_cos(double x)
{
    double n = floor(x * 0.63661977236758134308 + 0.5);
    double r = ((x - n * 1.57079632673412561417e+00) - n * 6.07710050630396597660e-11) -
               n * 2.02226624879595063154e-21;
    int quadrant = (int)(n - 4 * floor(n / 4));
    double z = r * r, cosine = 1, sine = 1;
    for (int i = 9; i >= 1; i--) {
        cosine = 1 - z * cosine / ((2 * i - 1) * (2 * i));
        sine = 1 - z * sine / ((2 * i) * (2 * i + 1));
    }
    sine *= r;
    return quadrant == 0 ? cosine : quadrant == 1 ? -sine : quadrant == 2 ? -cosine : sine;
}

double hd_power(double base, uint64_t n)
{
    double result = 1;
    for (; n; n >>= 1) {
        if (n & 1) {
            result *= base;
        }
        base *= base;
    }
    return result;
}
