/* Linear algebra gives the same bits on every platform and for every number of threads: products, factors and solutions in both
 * precisions, against one digest (of this library's own; after a deliberate change the failing test prints the new one). */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"

#include <stdlib.h>

enum { N = 150, K = 1200, M = 20 };

#define DIGEST 0xaa2ccbf7u /* FNV-1a, 32 bits, of the results' bytes in order, little-endian */

static hd_context context = { .fail_at = -1 };

static uint32_t add_bytes(uint32_t digest, const void *x, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        digest = (digest ^ ((const unsigned char *)x)[i]) * 0x01000193u;
    }
    return digest;
}

/* G = A A^T, its factor, and B solved from the left and from the right. */
#define RUN(T, suffix)                                                                                            \
    static uint32_t run##suffix(hd_pool *p, uint32_t digest)                                                      \
    {                                                                                                             \
        T *a = malloc(sizeof(T) * N * K), *g = calloc(N * N, sizeof(T)), *b = malloc(sizeof(T) * N * M);          \
        for (int i = 0; i < N * K; i++) {                                                                         \
            a[i] = (T)(hd_rng_uniform(hd_rng_stream(1, 1, 0), (uint64_t)i) - 0.5);                                \
        }                                                                                                         \
        hd_syrk##suffix(p, false, N, K, (T)0.1, a, K, 0, g, N);                                                   \
        CHECK(hd_cholesky##suffix(p, N, g, N) == -1);                                                             \
        hd_gemm##suffix(p, false, false, N, M, M, 1, a, K, a + M, K, 0, b, M);                                    \
        hd_cholesky_solve##suffix(p, false, N, M, g, N, b, M);                                                    \
        hd_cholesky_solve##suffix(p, true, N, M, g, N, b, N);                                                     \
        digest = add_bytes(add_bytes(digest, g, sizeof(T) * N * N), b, sizeof(T) * N * M);                        \
        free(a), free(g), free(b);                                                                                \
        return digest;                                                                                            \
    }
RUN(real, )
RUN(double, _f64)

/* Factors of A, and a random orthogonal matrix. */
#define FACTOR(T, suffix)                                                                                         \
    static uint32_t factor##suffix(uint32_t digest)                                                               \
    {                                                                                                             \
        T *a = malloc(sizeof(T) * N * N), *q = malloc(sizeof(T) * N * N), *vt = malloc(sizeof(T) * M * N), d[N], s[M]; \
        CHECK(!hd_random_orthogonal##suffix(&context, N, M, 5, q, M));                                            \
        digest = add_bytes(digest, q, sizeof(T) * N * M);                                                         \
        for (int i = 0; i < N * N; i++) {                                                                         \
            a[i] = (T)(hd_rng_uniform(hd_rng_stream(2, 1, 0), (uint64_t)i) - 0.5);                                \
        }                                                                                                         \
        CHECK(!hd_svd##suffix(&context, N, M, a, N, s, q, M, vt, M));                                             \
        digest = add_bytes(add_bytes(digest, s, sizeof s), q, sizeof(T) * N * M);                                 \
        digest = add_bytes(digest, vt, sizeof(T) * M * M);                                                        \
        CHECK(!hd_eigh##suffix(&context, N, a, N, d, q, N));                                                      \
        digest = add_bytes(add_bytes(digest, d, sizeof d), q, sizeof(T) * N * N);                                 \
        free(a), free(q), free(vt);                                                                               \
        return digest;                                                                                            \
    }
FACTOR(real, )
FACTOR(double, _f64)

int main(void)
{
    uint32_t digest[2];
    for (int i = 0; i < 2; i++) {
        hd_pool *p = hd_pool_new(&context, 1 + 3 * i);
        context.pool = p;
        digest[i] = factor_f64(factor(run_f64(p, run(p, 0x811c9dc5u))));
        hd_pool_free(&context, p);
    }
    CHECK(digest[0] == digest[1]);
    printf("digest 0x%08xu\n", (unsigned)digest[0]);
#if !defined(HD_FLOAT64) && !defined(__wasm_relaxed_simd__)
    CHECK(digest[0] == DIGEST);
#endif
    return check_result("linalg_bits");
}
