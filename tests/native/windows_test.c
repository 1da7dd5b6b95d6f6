/* A matrix network on all windows of a picture: against the formula window by window in float64, borders, bands, threads, refusals. */
#include "check.h"
#include "heddle.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { LINEAR = 0, SIGMOID = 1, TANH = 2, MOST = 1 << 16 };

#ifdef HD_FLOAT64
static const double NEARLY = 1e-13;
#else
static const double NEARLY = 3e-6;
#endif

#define DIGEST 0xbd9884a0u /* FNV-1a, 32 bits, of results' bytes; of this library's own */

static hd_context *c;
static hd_real planes[MOST], weights[MOST], out[MOST], other[MOST];
static double want[MOST];

typedef struct net {
    int d, p, q, k, l, act, out_act;
} net;

static int count_weights(net n)
{
    return n.d * (n.k * n.p + n.l * n.q) + n.k * n.l + n.p * n.k + n.q * n.l + n.p * n.q;
}

/* Numbers in [-1, 1) (Knuth's MMIX generator). */
static void fill(hd_real *x, int n, unsigned seed, double scale)
{
    unsigned long long s = seed * 2654435761ull + 1;
    for (int i = 0; i < n; i++) {
        s = s * 6364136223846793005ull + 1442695040888963407ull;
        x[i] = (hd_real)(scale * ((double)(s >> 40) / (1 << 23) - 1));
    }
}

static hd_status run_band(net n, int h, int w, int first, int rows, const hd_real *x, int from, int to, hd_real *y)
{
    return hd_image_matnet(c, n.d, h, w, first, rows, x, n.p, n.q, n.k, n.l, n.act, n.out_act, weights, from, to, y);
}

static void run(net n, int h, int w, hd_real *y)
{
    if (run_band(n, h, w, 0, h, planes, 0, h, y)) {
        printf("%s\n", hd_error(c));
        CHECK(!"it runs");
    }
}

static double activate(int act, double x)
{
    return act == SIGMOID ? 1 / (1 + exp(-x)) : act == TANH ? tanh(x) : x;
}

/* Adds the output of window (r, col) to want. */
static void add_window(net n, int h, int w, int r, int col)
{
    static double hidden[4096];
    const hd_real *u = weights, *v = u + n.d * n.k * n.p, *b = v + n.d * n.l * n.q, *rr = b + n.k * n.l, *s = rr + n.p * n.k, *bias = s + n.q * n.l;
    for (int i = 0; i < n.k * n.l; i++) {
        double sum = (double)b[i];
        for (int j = 0; j < n.d; j++) {
            for (int a = 0; a < n.p; a++) {
                for (int e = 0; e < n.q; e++) {
                    sum += (double)u[(j * n.k + i / n.l) * n.p + a] * (double)planes[(j * h + r + a) * w + col + e] * (double)v[(j * n.l + i % n.l) * n.q + e];
                }
            }
        }
        hidden[i] = activate(n.act, sum);
    }
    for (int a = 0; a < n.p; a++) {
        for (int e = 0; e < n.q; e++) {
            double sum = (double)bias[a * n.q + e];
            for (int i = 0; i < n.k * n.l; i++) {
                sum += (double)rr[a * n.k + i / n.l] * hidden[i] * (double)s[e * n.l + i % n.l];
            }
            want[(r + a) * w + col + e] += activate(n.out_act, sum);
        }
    }
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Windows on a pixel at place i of n, for windows of p (property 11, for any n >= p). */
static int covering(int i, int n, int p)
{
    return least(least(i + 1, p), least(n - i, n - p + 1));
}

static void test_formula(void)
{
    static const struct { net n; int h, w; } cases[] = {
        { { 1, 3, 3, 2, 2, SIGMOID, LINEAR }, 3, 3 },  { { 1, 3, 3, 2, 2, SIGMOID, SIGMOID }, 3, 3 }, { { 3, 4, 5, 3, 2, SIGMOID, LINEAR }, 23, 29 },
        { { 2, 5, 3, 6, 7, TANH, SIGMOID }, 12, 90 },  { { 5, 15, 15, 10, 10, SIGMOID, LINEAR }, 20, 85 }, { { 5, 15, 15, 10, 10, SIGMOID, SIGMOID }, 16, 17 },
        { { 1, 1, 4, 1, 11, LINEAR, LINEAR }, 40, 9 }, { { 2, 4, 1, 13, 1, SIGMOID, TANH }, 40, 3 },  { { 1, 1, 1, 1, 1, TANH, LINEAR }, 1, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const net n = cases[i].n;
        const int h = cases[i].h, w = cases[i].w;
        fill(planes, n.d * h * w, 1, 1);
        fill(weights, count_weights(n), 2 + (unsigned)i, 0.5);
        memset(want, 0, sizeof want);
        for (int r = 0; r <= h - n.p; r++) {
            for (int col = 0; col <= w - n.q; col++) {
                add_window(n, h, w, r, col);
            }
        }
        run(n, h, w, out);
        double scale = 0, worst = 0;
        for (int k = 0; k < h * w; k++) {
            want[k] /= covering(k / w, h, n.p) * covering(k % w, w, n.q);
            scale = fmax(scale, fabs(want[k]));
            worst = fmax(worst, fabs((double)out[k] - want[k]));
            CHECK(out[k] - out[k] == 0);
        }
        NEAR(worst / scale, 0, NEARLY * sqrt(n.d * n.p * n.q));
    }
}

/* Property 11. A network that gives back its windows gives back a picture of bytes exactly; one whose windows are 1 in a corner and else 0
 * tells the number of windows on each pixel. */
static void test_identity(void)
{
    enum { H = 40, W = 150, P = 15 };
    const net n = { 2, P, P, P, P, LINEAR, LINEAR };
    fill(planes, 2 * H * W, 1, 127);
    for (int i = 0; i < 2 * H * W; i++) {
        planes[i] = (hd_real)floor((double)planes[i]);
    }
    memset(weights, 0, sizeof weights);
    const int u = 0, v = 2 * P * P, r = 4 * P * P + P * P, s = r + P * P, bias = s + P * P;
    for (int i = 0; i < P; i++) { /* the second plane's weights stay 0 */
        weights[u + i * (P + 1)] = weights[v + i * (P + 1)] = weights[r + i * (P + 1)] = weights[s + i * (P + 1)] = 1;
    }
    run(n, H, W, out);
    CHECK(!memcmp(out, planes, H * W * sizeof *out));
    memset(weights + r, 0, 2 * P * P * sizeof *weights);
    weights[bias] = 1;
    run(n, H, W, out);
    for (int i = 0; i < H * W; i++) {
        const int row = i / W, col = i % W, windows = least(least(row + 1, P), H - row) * least(least(col + 1, P), W - col);
        const bool begins = row <= H - P && col <= W - P;
        CHECK(fabs((double)out[i] - (begins ? 1. / windows : 0)) <= 1e-7);
    }
}

static uint32_t digest_of(uint32_t digest, const hd_real *x, int n)
{
    for (size_t i = 0; i < (size_t)n * sizeof *x; i++) {
        digest = (digest ^ ((const unsigned char *)x)[i]) * 0x01000193u;
    }
    return digest;
}

/* Any cut into bands, each with the rows alone that four rows of windows at a time need, any number of threads: the same bits. */
static void test_bands(void)
{
    enum { H = 141, W = 150, P = 15 };
    static const int cuts[] = { 0, 1, 7, 20, 21, 70, 127, 140, 141 };
    static hd_real band[2 * H * W];
    uint32_t digest = 0x811c9dc5u;
    for (int kind = 0; kind < 2; kind++) {
        const net n = { 2, P, P, 7, 9, SIGMOID, kind ? SIGMOID : LINEAR };
        fill(planes, 2 * H * W, 1, 1);
        fill(weights, count_weights(n), 2, 0.3);
        run(n, H, W, out);
        digest = digest_of(digest, out, H * W);
        for (int threads = 1; threads <= 7; threads += 3) {
            CHECK(!hd_context_set_threads(c, threads));
            run(n, H, W, other);
            CHECK(!memcmp(other, out, H * W * sizeof *out));
            memset(other, 0, sizeof other);
            for (int i = 0; i < 8; i++) {
                const int from = cuts[i], to = cuts[i + 1], last = least(to, H - P + 1) - 1; /* row of windows */
                const int first = from > P - 1 ? (from - P + 1) / 4 * 4 : 0, end = least(H, last / 4 * 4 + 19);
                for (int j = 0; j < 2; j++) {
                    memcpy(band + j * (end - first) * W, planes + (j * H + first) * W, (size_t)(end - first) * W * sizeof *band);
                }
                CHECK(!run_band(n, H, W, first, end - first, band, from, to, other + from * W));
            }
            CHECK(!memcmp(other, out, H * W * sizeof *out));
        }
        CHECK(!hd_context_set_threads(c, 2));
    }
    printf("digest 0x%08xu\n", (unsigned)digest);
#if !defined(HD_FLOAT64) && !defined(__wasm_relaxed_simd__)
    CHECK(digest == DIGEST);
#endif
}

static void refused(hd_status status, hd_status code, const char *text)
{
    CHECK(status == code);
    if (!strstr(hd_error(c), text)) {
        printf("%s\n", hd_error(c));
    }
    CHECK(strstr(hd_error(c), text) != NULL);
}

static void test_refusals(void)
{
    const net n = { 1, 15, 15, 2, 2, SIGMOID, LINEAR };
    net wrong = n;
    fill(planes, 400, 1, 1);
    fill(weights, count_weights(n), 2, 1);
    refused(run_band(n, 14, 20, 0, 14, planes, 0, 14, out), HD_ERR_SHAPE, "windows: the picture has 20 x 14 pixels, less than a window: 15 x 15");
    refused(run_band(n, 20, 20, 0, 20, planes, 3, 3, out), HD_ERR_ARGUMENT, "rows 3..2, expected at least one of 0..19");
    refused(run_band(n, 40, 20, 0, 20, planes, 3, 9, out), HD_ERR_ARGUMENT, "rows 0..19 of the planes are given, expected 0..26 at least, of 40");
    refused(run_band(n, 40, 20, 6, 20, planes, 19, 20, out), HD_ERR_ARGUMENT, "rows 6..25 of the planes are given, expected 4..34 at least, of 40");
    wrong.act = 8;
    refused(run_band(wrong, 20, 20, 0, 20, planes, 0, 20, out), HD_ERR_ARGUMENT, "activations 8 and 0, expected 0..7");
    wrong = n;
    wrong.k = 256;
    refused(run_band(wrong, 20, 20, 0, 20, planes, 0, 20, out), HD_ERR_ARGUMENT, "hidden rows = 256, expected 1..255");
    weights[31] = (hd_real)NAN;
    refused(run_band(n, 20, 20, 0, 20, planes, 0, 20, out), HD_ERR_ARGUMENT, "weight 31 = NaN, expected a finite number");
    weights[31] = 0;
    planes[43] = (hd_real)INFINITY;
    refused(run_band(n, 20, 20, 0, 20, planes, 0, 20, out), HD_ERR_ARGUMENT, "row 2, column 3, channel 0 = Infinity");
    planes[43] = 0;
    hd_context_fail_allocation(c, 1);
    refused(run_band(n, 20, 20, 0, 20, planes, 0, 20, out), HD_ERR_MEMORY, "windows of a picture");
    hd_context_fail_allocation(c, 0);
    CHECK(!run_band(n, 20, 20, 0, 20, planes, 0, 20, out));
}

int main(void)
{
    c = hd_context_new(2);
    const double before = hd_context_memory(c, 0);
    test_formula();
    test_identity();
    test_bands();
    test_refusals();
    CHECK(!hd_context_set_threads(c, 2) && hd_context_memory(c, 0) == before);
    hd_context_free(c);
    return check_result("windows");
}
