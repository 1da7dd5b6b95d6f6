#include "kern/vec.h"
#include "linalg/linalg.h"

/* 0 x is 0 unless x is infinite or NaN. */
int hd_find_not_finite(int n, const real *x)
{
    vec sum = vzero();
    const int whole = n & ~(HD_VL - 1);
    for (int i = 0; i < whole; i += HD_VL) {
        sum = vadd(sum, vmul(vload(x + i), vzero()));
    }
    int i = vsum(sum) == 0 ? whole : 0;
    while (i < n && x[i] * 0 == 0) {
        i++;
    }
    return i < n ? i : -1;
}
