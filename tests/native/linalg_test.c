/* Products of a matrix with itself, triangular solutions, Cholesky: in both precisions, and the same with more threads. */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "linalg/linalg.h"

#include <float.h>
#include <stdlib.h>

static hd_context context = { .fail_at = -1 };
static hd_pool *pools[2]; /* 1 and 3 threads */

#ifdef HD_FLOAT64
#define EPS DBL_EPSILON
#else
#define EPS FLT_EPSILON
#endif
#define T real
#define N(name) name
#include "linalg_cases.h"
#undef EPS
#undef T
#undef N
#define EPS DBL_EPSILON
#define T double
#define N(name) name##_f64
#include "linalg_cases.h"

int main(void)
{
    pools[0] = hd_pool_new(&context, 1);
    pools[1] = hd_pool_new(&context, 3);
    check_all();
    check_all_f64();
    hd_pool_free(&context, pools[0]);
    hd_pool_free(&context, pools[1]);
    return check_result("linalg");
}
