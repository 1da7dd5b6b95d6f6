/* QR, eigenvalues, singular values, random orthogonal matrices: residuals, orthogonality, known spectra, and the same with more threads. */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"

#include <float.h>
#include <stdlib.h>

static hd_context context = { .fail_at = -1 };
static hd_pool *alone, *threads; /* 1 and 3 threads */

#ifdef HD_FLOAT64
#define EPS DBL_EPSILON
#else
#define EPS FLT_EPSILON
#endif
#define T real
#define N(name) name
#include "linalg_factor_cases.h"
#undef EPS
#undef T
#undef N
#define EPS DBL_EPSILON
#define T double
#define N(name) name##_f64
#include "linalg_factor_cases.h"

int main(void)
{
    context.pool = alone = hd_pool_new(&context, 1);
    threads = hd_pool_new(&context, 3);
    size_t used = context.used;
    check_all();
    check_all_f64();
    CHECK(context.used == used);
    hd_pool_free(&context, alone);
    hd_pool_free(&context, threads);
    return check_result("linalg_factor");
}
