#include "base/rng.h"
#include "linalg/linalg.h"

enum { STREAM = 0x51 };

/* Q of a matrix of normal numbers is of the Haar distribution if R's diagonal is made positive (Mezzadri 2007). */
hd_status hd_random_orthogonal(hd_context *c, int m, int n, uint64_t seed, real *q, int ldq)
{
    real *a = hd_reserve(c, ((size_t)m + 1) * (size_t)n * sizeof *a, "random orthogonal matrix");
    if (!a) {
        return HD_ERR_MEMORY;
    }
    real *tau = a + (size_t)m * (size_t)n;
    const hd_rng rng = hd_rng_stream(seed, STREAM, 0);
    const size_t size = (size_t)m * (size_t)n;
    for (size_t i = 0; i < size; i += 4) {
        uint32_t words[4];
        hd_rng_block(rng, i / 4, words);
        for (size_t k = i; k < size && k < i + 4; k++) {
            a[k] = (real)hd_rng_word_normal(words[k - i]);
        }
    }
    hd_status status = hd_qr(c, m, n, a, n, tau);
    status = status ? status : hd_qr_q(c, m, n, a, n, tau, q, ldq);
    for (int j = 0; j < n && !status; j++) {
        for (int i = 0; i < m && a[(size_t)j * ((size_t)n + 1)] < 0; i++) {
            q[(size_t)i * (size_t)ldq + j] = -q[(size_t)i * (size_t)ldq + j];
        }
    }
    hd_release(c, a);
    return status;
}
