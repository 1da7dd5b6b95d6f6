/* Factorisations through the public functions: residuals, Penrose's equations, ranks, reconstruction, scales, and what they refuse. */
#include "base/context.h"
#include "base/rng.h"
#include "check.h"
#include "heddle.h"

#include <float.h>
#include <stdlib.h>

static hd_context *c;

#define REFUSED(call, text)                                \
    do {                                                   \
        CHECK((call) == HD_ERR_ARGUMENT);                  \
        CHECK(strstr(hd_error(c), (text)) != NULL);        \
    } while (0)

#ifdef HD_FLOAT64
#define EPS DBL_EPSILON
#else
#define EPS FLT_EPSILON
#endif
#define T hd_real
#define TYPE HD_F32
#define N(name) name##_real
#include "linalg_solve_cases.h"
#undef EPS
#undef T
#undef TYPE
#undef N
#define EPS DBL_EPSILON
#define T double
#define TYPE HD_F64
#define N(name) name##_double
#include "linalg_solve_cases.h"

int main(void)
{
    c = hd_context_new(2);
    const size_t used = c->used;
    check_all_real();
    check_all_double();
    CHECK(c->used == used);
    hd_context_free(c);
    return check_result("linalg_solve");
}
