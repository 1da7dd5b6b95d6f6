#include "base/rng.h"

#include "base/scalar.h"

#include <math.h>

hd_rng hd_rng_stream(uint64_t seed, uint32_t purpose, uint32_t step)
{
    return (hd_rng){ seed, (uint64_t)purpose << 32 | step };
}

void hd_rng_block(hd_rng r, uint64_t counter, uint32_t out[4])
{
    uint32_t x0 = (uint32_t)counter, x1 = (uint32_t)(counter >> 32);
    uint32_t x2 = (uint32_t)r.stream, x3 = (uint32_t)(r.stream >> 32);
    uint32_t k0 = (uint32_t)r.seed, k1 = (uint32_t)(r.seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * x0, b = (uint64_t)0xCD9E8D57u * x2;
        uint32_t y0 = (uint32_t)(b >> 32) ^ x1 ^ k0, y2 = (uint32_t)(a >> 32) ^ x3 ^ k1;
        x1 = (uint32_t)b;
        x3 = (uint32_t)a;
        x0 = y0;
        x2 = y2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

static uint32_t word(hd_rng r, uint64_t index)
{
    uint32_t block[4];
    hd_rng_block(r, index >> 2, block);
    return block[index & 3];
}

double hd_rng_uniform(hd_rng r, uint64_t index)
{
    return hd_rng_word_uniform(word(r, index));
}

double hd_rng_word_uniform(uint32_t word)
{
    return (word >> 8) * (1.0 / 16777216);
}

static double poly(const double *c, int n, double x)
{
    double sum = c[n - 1];
    for (int i = n - 2; i >= 0; i--) {
        sum = sum * x + c[i];
    }
    return sum;
}

/* Inverse of the normal distribution function: Wichura, algorithm AS 241 (PPND7, relative error 1e-7). */
double hd_rng_word_normal(uint32_t word)
{
    static const double a[] = { 3.3871327179, 50.434271938, 159.29113202, 59.109374720 };
    static const double b[] = { 1, 17.895169469, 78.757757664, 67.187563600 };
    static const double c[] = { 1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103 };
    static const double d[] = { 1, 0.73700164250, 0.12021132975 };
    static const double e[] = { 6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997 };
    static const double f[] = { 1, 0.24197894225, 0.012258202635 };
    double p = (word + 0.5) * (1.0 / 4294967296), q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double t = 0.180625 - q * q;
        return q * poly(a, 4, t) / poly(b, 4, t);
    }
    double tail = sqrt(-hd_log(q < 0 ? p : 1 - p));
    double z = tail <= 5 ? poly(c, 4, tail - 1.6) / poly(d, 3, tail - 1.6)
                         : poly(e, 4, tail - 5) / poly(f, 3, tail - 5);
    return q < 0 ? -z : z;
}

double hd_rng_normal(hd_rng r, uint64_t index)
{
    return hd_rng_word_normal(word(r, index));
}

/* Fisher-Yates; the bounded draw is the high half of a 64-bit product, its bias below n / 2^32. */
void hd_rng_permutation(hd_rng r, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = i;
    }
    uint32_t block[4];
    for (uint32_t i = n; i > 1; i--) {
        uint32_t k = n - i;
        if (k % 4 == 0) {
            hd_rng_block(r, k / 4, block);
        }
        uint32_t j = (uint32_t)((uint64_t)block[k % 4] * i >> 32), t = out[i - 1];
        out[i - 1] = out[j];
        out[j] = t;
    }
}
