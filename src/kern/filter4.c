#include "kern/filter4.h"

#include "kern/vec.h"

enum { IN = HD_FILTER4_IN, NINE = HD_FILTER4_PRODUCTS };

void hd_filter4_in(size_t n, const real *const x[IN], real *e, size_t apart)
{
    for (size_t at = 0; at < n; at += HD_VL) {
        vec v[IN], a[IN - 2], w[NINE];
        for (int i = 0; i < IN; i++) {
            v[i] = vload(x[i] + at);
        }
        for (int i = 0; i < IN - 2; i++) {
            a[i] = vsub(v[i], v[i + 2]);
        }
        for (int i = 0; i < 3; i++) { /* the outer three times */
            const vec *p = i == 0 ? a : i == 1 ? v + 2 : a + 2;
            w[3 * i] = vsub(p[0], p[1]);
            w[3 * i + 1] = p[1];
            w[3 * i + 2] = vsub(p[1], p[2]);
        }
        for (size_t i = 0; i < NINE; i++) {
            vstore(e + i * apart + at, w[i]);
        }
    }
}

void hd_filter4_weights(const real h[HD_FILTER4], real w[NINE])
{
    for (int i = 0; i < 3; i++) {
        const double first = (i < 2 ? (double)h[0] : 0) + (i > 0 ? (double)h[2] : 0), second = (i < 2 ? (double)h[1] : 0) + (i > 0 ? (double)h[3] : 0);
        w[3 * i] = (real)first;
        w[3 * i + 1] = (real)(first + second);
        w[3 * i + 2] = (real)second;
    }
}

void hd_filter4_out(size_t n, const real *m, size_t apart, real bias, real *y, size_t y_apart)
{
    const vec b = vset(bias);
    for (size_t at = 0; at < n; at += HD_VL) {
        vec even[3], odd[3];
        for (size_t i = 0; i < 3; i++) {
            const vec middle = vload(m + (3 * i + 1) * apart + at);
            even[i] = vadd(vload(m + 3 * i * apart + at), middle);
            odd[i] = vsub(middle, vload(m + (3 * i + 2) * apart + at));
        }
        vstore(y + at, vadd(vadd(even[0], even[1]), b));
        vstore(y + y_apart + at, vadd(vadd(odd[0], odd[1]), b));
        vstore(y + 2 * y_apart + at, vadd(vsub(even[1], even[2]), b));
        vstore(y + 3 * y_apart + at, vadd(vsub(odd[1], odd[2]), b));
    }
}
