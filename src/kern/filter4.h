/* Four places of a filter of four taps, y[i] = sum_j h[j] x[i + j], in 9 multiplications: twice nested, the two places of two taps in 3,
 *     h0 x0 + h1 x1 = h0 (x0 - x1) + (h0 + h1) x1,   h0 x1 + h1 x2 = (h0 + h1) x1 - h1 (x1 - x2)
 * (F(2, 2) in Winograd, "Arithmetic complexity of computations", 1980). y = out(weights(h) * in(x)), * place by place. All three are linear, so
 * sums over filters may be taken before `out`; they are sums and differences alone, so numbers of few bits stay exact. */
#ifndef HD_KERN_FILTER4_H
#define HD_KERN_FILTER4_H

#include "base/real.h"

#include <stddef.h>

enum { HD_FILTER4 = 4, HD_FILTER4_IN = 7, HD_FILTER4_PRODUCTS = 9 };

/* Signals lie side by side: n of them, a multiple of the vector's lanes (of 4 in float32). e[i] [n] is at e + i * apart. */
void hd_filter4_in(size_t n, const real *const x[HD_FILTER4_IN], real *e, size_t apart);

void hd_filter4_weights(const real h[HD_FILTER4], real w[HD_FILTER4_PRODUCTS]);

/* y[i] [n], at y + i * y_apart, gets the filter plus `bias`. */
void hd_filter4_out(size_t n, const real *m, size_t apart, real bias, real *y, size_t y_apart);

#endif
