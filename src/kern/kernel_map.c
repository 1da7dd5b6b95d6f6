#include "kern/kernel_map.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define PI 3.14159265358979323846

const char *const hd_kernel_names[] = { "linear", "rbf", "arcCosine0", "arcCosine1", NULL };

/* (asin(x) - x) / x as a function of z = x^2 <= 1/4: the rational approximation of fdlibm. */
static double asin_part(double z)
{
    const double p = z * (1.66666666666666657415e-01 + z * (-3.25565818622400915405e-01 + z * (2.01212532134862925881e-01 +
                     z * (-4.00555345006794114027e-02 + z * (7.91534994289814532176e-04 + z * 3.47933107596021167570e-05)))));
    const double q = 1 + z * (-2.40339491173441421878e+00 + z * (2.02094576023350569471e+00 + z * (-6.88283971605453293030e-01 +
                     z * 7.70381505559019352791e-02)));
    return p / q;
}

/* acos x = pi/2 - asin x = 2 asin sqrt((1 - x) / 2) */
double hd_acos(double x)
{
    const double half_low = 6.12323399573676603587e-17; /* pi/2 less its double */
    if (fabs(x) < 0.5) {
        return PI / 2 - (x - (half_low - x * asin_part(x * x)));
    }
    const double z = (1 - fabs(x)) * 0.5, s = sqrt(z), rest = asin_part(z);
    return x < 0 ? PI - 2 * (s + (rest * s - half_low)) : 2 * (s + s * rest);
}

/* x = k ln 2 + r, |r| <= ln 2 / 2; exp r = 1 + 2 r / (2 - c) with fdlibm's c(r). */
double hd_exp_negative(double x)
{
    if (!(x > -708)) {
        return x != x ? x : 0;
    }
    const double k = floor(x * 1.44269504088896338700e+00 + 0.5), high = x - k * 6.93147180369123816490e-01;
    const double low = k * 1.90821492927058770002e-10, r = high - low, t = r * r;
    const double c = r - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03 + t * (6.61375632143793436117e-05 +
                     t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    const double y = 1 - ((low - r * c / (2 - c)) - high);
    const uint64_t bits = (uint64_t)(1023 + (int64_t)k) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return y * power;
}

/* Cosine of the angle: 0 for a zero vector, and 1 exactly for u = v, where the angle is most sensitive. */
static double cosine(double dot, double uu, double vv)
{
    const double norms = sqrt(uu * vv), c = norms > 0 ? dot / norms : 0;
    return c > 1 ? 1 : c < -1 ? -1 : c;
}

static double squared_distance(double dot, double uu, double vv)
{
    const double d = uu + vv - 2 * dot;
    return d > 0 ? d : 0;
}

double hd_kernel_value(hd_kernel kind, double gamma, double dot, double uu, double vv)
{
    if (kind == HD_KERNEL_LINEAR) {
        return dot;
    }
    if (kind == HD_KERNEL_RBF) {
        return hd_exp_negative(-gamma * squared_distance(dot, uu, vv));
    }
    const double c = cosine(dot, uu, vv), angle = hd_acos(c);
    if (kind == HD_KERNEL_ARC_COSINE0) {
        return 1 - angle / PI;
    }
    return sqrt(uu * vv) * (sqrt((1 - c) * (1 + c)) + (PI - angle) * c) / PI;
}

hd_kernel_slopes hd_kernel_slope(hd_kernel kind, double gamma, double dot, double uu, double vv)
{
    if (kind == HD_KERNEL_LINEAR) {
        return (hd_kernel_slopes){ 1, 0 };
    }
    if (kind == HD_KERNEL_RBF) {
        const double d = squared_distance(dot, uu, vv), k = d > 0 ? gamma * hd_exp_negative(-gamma * d) : 0;
        return (hd_kernel_slopes){ 2 * k, -k };
    }
    const double norms = sqrt(uu * vv), c = cosine(dot, uu, vv), sine = sqrt((1 - c) * (1 + c));
    if (!(norms > 0)) {
        return (hd_kernel_slopes){ 0, 0 };
    }
    if (kind == HD_KERNEL_ARC_COSINE1) {
        return (hd_kernel_slopes){ (PI - hd_acos(c)) / PI, norms * sine / (2 * PI * uu) };
    }
    return sine > 0 ? (hd_kernel_slopes){ 1 / (PI * sine * norms), -c / (2 * PI * sine * uu) } : (hd_kernel_slopes){ 0, 0 };
}
