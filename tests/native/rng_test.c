/* Philox4x32-10 against an implementation written from the paper and against Random123's known answers; moments,
 * quantiles of the normal, permutations. */
#include "base/rng.h"
#include "check.h"

#include <stdlib.h>

/* One round as figure 2 of Salmon et al. (2011) draws it, on arrays. */
static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4], k[2] = { key[0], key[1] };
    memcpy(c, counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        if (round) {
            k[0] += 0x9E3779B9u; /* golden ratio */
            k[1] += 0xBB67AE85u; /* sqrt(3) - 1 */
        }
        uint64_t p0 = 0xD2511F53ull * c[0], p1 = 0xCD9E8D57ull * c[2];
        uint32_t next[4] = { (uint32_t)(p1 >> 32) ^ c[1] ^ k[0], (uint32_t)p1, (uint32_t)(p0 >> 32) ^ c[3] ^ k[1],
                             (uint32_t)p0 };
        memcpy(c, next, sizeof c);
    }
    memcpy(out, c, sizeof c);
}

/* Random123's file kat_vectors, lines "philox4x32 10": counter, key, answer. */
static const uint32_t known[][10] = {
    { 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
    { ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd },
    { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
      0x24126ea1 },
};

static hd_rng rng_of(const uint32_t counter[4], const uint32_t key[2], uint64_t *index)
{
    *index = counter[0] | (uint64_t)counter[1] << 32;
    return (hd_rng){ key[0] | (uint64_t)key[1] << 32, counter[2] | (uint64_t)counter[3] << 32 };
}

static void known_answers(void)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4], own[4];
        uint64_t index;
        hd_rng r = rng_of(known[i], known[i] + 4, &index);
        hd_rng_block(r, index, out);
        philox(known[i], known[i] + 4, own);
        CHECK(!memcmp(out, known[i] + 6, sizeof out));
        CHECK(!memcmp(out, own, sizeof out));
    }
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t counter[4] = { i * 2654435761u, i ^ 77, i * i, ~i }, key[2] = { i * 40503u, i << 7 }, out[4], own[4];
        uint64_t index;
        hd_rng r = rng_of(counter, key, &index);
        hd_rng_block(r, index, out);
        philox(counter, key, own);
        CHECK(!memcmp(out, own, sizeof out));
    }
}

/* Means of n draws stray by 5 standard errors in one of two million runs; the draws are fixed, so this is stable. */
static void moments(void)
{
    enum { N = 1 << 20 };
    hd_rng r = hd_rng_stream(3, 1, 9);
    double u1 = 0, u2 = 0, z1 = 0, z2 = 0, z3 = 0, z4 = 0, lag = 0, last = 0;
    int inside = 1;
    for (uint64_t i = 0; i < N; i++) {
        double u = hd_rng_uniform(r, i), z = hd_rng_normal(r, i + N);
        inside = inside && u >= 0 && u < 1;
        u -= 0.5;
        u1 += u;
        u2 += u * u;
        z1 += z;
        z2 += z * z;
        z3 += z * z * z;
        z4 += z * z * z * z;
        lag += z * last;
        last = z;
    }
    CHECK(inside);
    const double step = 5 / sqrt(N);
    NEAR(u1 / N, 0, step * sqrt(1.0 / 12));
    NEAR(u2 / N, 1.0 / 12, step * sqrt(1.0 / 180));
    NEAR(z1 / N, 0, step);
    NEAR(z2 / N, 1, step * sqrt(2));
    NEAR(z3 / N, 0, step * sqrt(15));
    NEAR(z4 / N, 3, step * sqrt(96));
    NEAR(lag / N, 0, step);
}

/* The normal is the inverse of its distribution function at (word + 1/2) / 2^32: back through erfc to the word. */
static void quantiles(void)
{
    hd_rng r = hd_rng_stream(5, 2, 0);
    for (uint64_t i = 0; i < 200000; i++) {
        uint32_t block[4];
        hd_rng_block(r, i >> 2, block);
        double p = (block[i & 3] + 0.5) / 4294967296.0, z = hd_rng_normal(r, i);
        double tail = 0.5 * erfc(fabs(z) / sqrt(2)), wanted = p < 0.5 ? p : 1 - p;
        CHECK((z < 0) == (p < 0.5));
        /* d(log tail) = -(hazard) dz with hazard < |z| + 1; AS 241's PPND7 claims a relative error of 1e-7 of z. */
        NEAR(tail / wanted, 1, 3e-7 * (fabs(z) + 1) * (fabs(z) + 1));
    }
}

static void streams_differ(void)
{
    uint32_t a[4], b[4];
    hd_rng_block(hd_rng_stream(1, 1, 0), 0, a);
    static const hd_rng others[] = { { 2, 1ull << 32 }, { 1, 2ull << 32 }, { 1, 1ull << 32 | 1 } };
    for (int i = 0; i < 3; i++) {
        hd_rng_block(others[i], 0, b);
        CHECK(memcmp(a, b, sizeof a) != 0);
    }
    hd_rng_block(hd_rng_stream(1, 1, 0), 1, b);
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK(hd_rng_stream(1, 2, 3).stream != hd_rng_stream(1, 3, 2).stream);
}

static void permutations(void)
{
    static uint32_t out[100000];
    static char seen[100000];
    static const uint32_t sizes[] = { 0, 1, 2, 3, 10, 1000, 60000, 100000 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t n = sizes[s], fresh = 0;
        hd_rng_permutation(hd_rng_stream(7, 1, (uint32_t)s), out, n);
        memset(seen, 0, sizeof seen);
        for (uint32_t i = 0; i < n; i++) {
            fresh += out[i] < n && !seen[out[i]]++;
        }
        CHECK(fresh == n);
    }
    /* All 24 orders of 4 equally often: chi squared with 23 degrees of freedom is below 60 (p = 4e-5). */
    int count[256] = { 0 };
    for (uint32_t i = 0; i < 48000; i++) {
        hd_rng_permutation(hd_rng_stream(8, 1, i), out, 4);
        count[out[0] * 64 + out[1] * 16 + out[2] * 4 + out[3]]++;
    }
    double chi = 0;
    int orders = 0;
    for (int i = 0; i < 256; i++) {
        orders += count[i] > 0;
        chi += count[i] ? (count[i] - 2000.0) * (count[i] - 2000.0) / 2000 : 0;
    }
    CHECK(orders == 24);
    CHECK(chi < 60);
}

int main(void)
{
    known_answers();
    moments();
    quantiles();
    streams_differ();
    permutations();
    return check_result("rng");
}
