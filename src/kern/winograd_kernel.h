/* Transforms and the product of Winograd's minimal filtering, 2-D by nesting (Lavin & Gray 2016, Eq. 8):
 *   Y = A^T [(G g G^T) . (B^T d B)] A.
 * F(2x2, 3x3) takes the points 0, +-1, inf. F(4x4, 3x3) takes 0, +-3/4, +-3/2, inf: its polynomials are as short as with the
 * usual +-1, +-2, all constants but those of G are exact, and the error is half (rms) to a quarter (worst) of theirs, as
 * Barabasz et al. 2018 find for points whose products are near 1. */
#ifndef HD_KERN_WINOGRAD_KERNEL_H
#define HD_KERN_WINOGRAD_KERNEL_H

#include "kern/vec.h"

enum {
    HD_QUAD_TILES = 4,                        /* rows of the register tile */
    HD_PANEL_FILTERS = 2 * HD_VL,             /* its columns: 8 in float32 */
    HD_QUAD_PANEL = HD_QUAD_TILES * HD_PANEL_FILTERS,
};

/* --- one dimension ---------------------------------------------------------------------------------------- */

/* Vandermonde products for the points +-3/4 and +-3/2. */
#define HD_A (real)0.75
#define HD_B (real)1.5
#define HD_A2 (real)0.5625
#define HD_B2 (real)2.25

/* B^T d */
HD_INLINE void input_points_4(const vec d[6], vec v[6])
{
    const vec product = vset(HD_A2 * HD_B2), sum = vset(-(HD_A2 + HD_B2));
    const vec even_a = vmadd(vset(-HD_B2), d[2], d[4]), odd_a = vmadd(vset(-HD_B2), d[1], d[3]);
    const vec even_b = vmadd(vset(-HD_A2), d[2], d[4]), odd_b = vmadd(vset(-HD_A2), d[1], d[3]);
    v[0] = vmadd(product, d[0], vmadd(sum, d[2], d[4]));
    v[1] = vmadd(vset(HD_A), odd_a, even_a);
    v[2] = vmadd(vset(-HD_A), odd_a, even_a);
    v[3] = vmadd(vset(HD_B), odd_b, even_b);
    v[4] = vmadd(vset(-HD_B), odd_b, even_b);
    v[5] = vmadd(product, d[1], vmadd(sum, d[3], d[5]));
}

HD_INLINE void input_points_2(const vec d[4], vec v[4])
{
    v[0] = vsub(d[0], d[2]);
    v[1] = vadd(d[2], d[1]);
    v[2] = vsub(d[2], d[1]);
    v[3] = vsub(d[3], d[1]);
}

/* G g; the reciprocals are 1 / (a^2 b^2), 1 / (2 a^2 (a^2 - b^2)), 1 / (2 b^2 (b^2 - a^2)). */
HD_INLINE void weight_points_4(const vec g[3], vec u[6])
{
    const vec a = vmadd(vset((real)(-8.0 / 27)), g[2], vmul(vset((real)(-128.0 / 243)), g[0]));
    const vec b = vmadd(vset((real)(8.0 / 27)), g[2], vmul(vset((real)(32.0 / 243)), g[0]));
    const vec odd_a = vmul(vset((real)(-32.0 / 81)), g[1]), odd_b = vmul(vset((real)(16.0 / 81)), g[1]);
    u[0] = vmul(vset((real)(64.0 / 81)), g[0]);
    u[1] = vadd(a, odd_a);
    u[2] = vsub(a, odd_a);
    u[3] = vadd(b, odd_b);
    u[4] = vsub(b, odd_b);
    u[5] = g[2];
}

HD_INLINE void weight_points_2(const vec g[3], vec u[4])
{
    const vec half = vset((real)0.5), even = vmul(half, vadd(g[0], g[2])), odd = vmul(half, g[1]);
    u[0] = g[0];
    u[1] = vadd(even, odd);
    u[2] = vsub(even, odd);
    u[3] = g[2];
}

/* A^T m */
HD_INLINE void output_points_4(const vec m[6], vec y[4])
{
    const vec sum_a = vadd(m[1], m[2]), dif_a = vsub(m[1], m[2]), sum_b = vadd(m[3], m[4]), dif_b = vsub(m[3], m[4]);
    y[0] = vadd(m[0], vadd(sum_a, sum_b));
    y[1] = vmadd(vset(HD_A), dif_a, vmul(vset(HD_B), dif_b));
    y[2] = vmadd(vset(HD_A2), sum_a, vmul(vset(HD_B2), sum_b));
    y[3] = vmadd(vset(HD_A2 * HD_A), dif_a, vmadd(vset(HD_B2 * HD_B), dif_b, m[5]));
}

HD_INLINE void output_points_2(const vec m[4], vec y[2])
{
    y[0] = vadd(m[0], vadd(m[1], m[2]));
    y[1] = vadd(m[3], vsub(m[1], m[2]));
}

#undef HD_A
#undef HD_B
#undef HD_A2
#undef HD_B2

/* --- two dimensions --------------------------------------------------------------------------------------- */

/* First the columns, then the rows, of what load(i, j) gives; store(i, j, value) takes the result. */
#define HD_NEST(in, out, transform, load, store)                                                                  \
    do {                                                                                                          \
        vec t_[out][in], from_[in], to_[out];                                                                     \
        for (int j_ = 0; j_ < (in); j_++) {                                                                       \
            for (int i_ = 0; i_ < (in); i_++) {                                                                   \
                from_[i_] = load(i_, j_);                                                                         \
            }                                                                                                     \
            transform(from_, to_);                                                                                \
            for (int i_ = 0; i_ < (out); i_++) {                                                                  \
                t_[i_][j_] = to_[i_];                                                                             \
            }                                                                                                     \
        }                                                                                                         \
        for (int i_ = 0; i_ < (out); i_++) {                                                                      \
            transform(t_[i_], to_);                                                                               \
            for (int j_ = 0; j_ < (out); j_++) {                                                                  \
                store(i_, j_, to_[j_]);                                                                           \
            }                                                                                                     \
        }                                                                                                         \
    } while (0)

/* `count` channels (whole vectors) of the window at x to v[point * step + channel]. */
typedef void hd_input_transform(const real *x, size_t row, size_t col, size_t count, real *v, size_t step);
/* One vector of the products, m[point * HD_QUAD_PANEL], to the outputs y[i * tile + j]. */
typedef void hd_output_transform(const real *m, vec *y);
/* The taps g[a * 3 + b] to u[point * step]. */
typedef void hd_weight_transform(const vec *g, real *u, size_t step);

#define HD_LOAD_INPUT(i, j) vload(x + (size_t)(i) * row + (size_t)(j) * col)
#define HD_STORE_INPUT_4(i, j, value) vstore(v + (size_t)((i) * 6 + (j)) * step, value)
#define HD_STORE_INPUT_2(i, j, value) vstore(v + (size_t)((i) * 4 + (j)) * step, value)

static void input_transform_4(const real *x, size_t row, size_t col, size_t count, real *v, size_t step)
{
    for (size_t c = 0; c < count; c += HD_VL, x += HD_VL, v += HD_VL) {
        HD_NEST(6, 6, input_points_4, HD_LOAD_INPUT, HD_STORE_INPUT_4);
    }
}

static void input_transform_2(const real *x, size_t row, size_t col, size_t count, real *v, size_t step)
{
    for (size_t c = 0; c < count; c += HD_VL, x += HD_VL, v += HD_VL) {
        HD_NEST(4, 4, input_points_2, HD_LOAD_INPUT, HD_STORE_INPUT_2);
    }
}

#define HD_LOAD_OUTPUT_4(i, j) vload(m + ((i) * 6 + (j)) * HD_QUAD_PANEL)
#define HD_LOAD_OUTPUT_2(i, j) vload(m + ((i) * 4 + (j)) * HD_QUAD_PANEL)
#define HD_STORE_OUTPUT_4(i, j, value) y[(i) * 4 + (j)] = (value)
#define HD_STORE_OUTPUT_2(i, j, value) y[(i) * 2 + (j)] = (value)

static void output_transform_4(const real *m, vec *y)
{
    HD_NEST(6, 4, output_points_4, HD_LOAD_OUTPUT_4, HD_STORE_OUTPUT_4);
}

static void output_transform_2(const real *m, vec *y)
{
    HD_NEST(4, 2, output_points_2, HD_LOAD_OUTPUT_2, HD_STORE_OUTPUT_2);
}

#define HD_LOAD_WEIGHT(i, j) g[(i) * 3 + (j)]
#define HD_STORE_WEIGHT_4(i, j, value) vstore(u + (size_t)((i) * 6 + (j)) * step, value)
#define HD_STORE_WEIGHT_2(i, j, value) vstore(u + (size_t)((i) * 4 + (j)) * step, value)

static void weight_transform_4(const vec *g, real *u, size_t step)
{
    HD_NEST(3, 6, weight_points_4, HD_LOAD_WEIGHT, HD_STORE_WEIGHT_4);
}

static void weight_transform_2(const vec *g, real *u, size_t step)
{
    HD_NEST(3, 4, weight_points_2, HD_LOAD_WEIGHT, HD_STORE_WEIGHT_2);
}

/* --- the product ------------------------------------------------------------------------------------------ */

/* One point of some quads of tiles times some panels of weights. */
typedef struct hd_point_product {
    const real *v; /* (quad) at v_quad: (4 tiles) at v_tile: (channels) */
    const real *u; /* (panel, channels, 8) */
    real *m;       /* (quad, panel) at m_quad, m_panel: (4, 8) */
    size_t v_quad, v_tile, m_quad, m_panel, channels;
    int quads, panels;
} hd_point_product;

/* As tile_4x2 of gemm_kernel.h, without what a border needs. */
HD_INLINE void multiply_quad(const real *a0, size_t row, const real *b, size_t channels, real *m)
{
    const real *a1 = a0 + row, *a2 = a1 + row, *a3 = a2 + row;
    vec s00 = vzero(), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    for (size_t p = channels; p > 0; p--, a0++, a1++, a2++, a3++, b += HD_PANEL_FILTERS) {
        vec b0 = vload(b), b1 = vload(b + HD_VL), x;
        x = vset(*a0);
        s00 = vmadd(x, b0, s00);
        s01 = vmadd(x, b1, s01);
        x = vset(*a1);
        s10 = vmadd(x, b0, s10);
        s11 = vmadd(x, b1, s11);
        x = vset(*a2);
        s20 = vmadd(x, b0, s20);
        s21 = vmadd(x, b1, s21);
        x = vset(*a3);
        s30 = vmadd(x, b0, s30);
        s31 = vmadd(x, b1, s31);
    }
    const vec s[] = { s00, s01, s10, s11, s20, s21, s30, s31 };
    for (int i = 0; i < 8; i++) {
        vstore(m + i * HD_VL, s[i]);
    }
}

static __attribute__((noinline)) void multiply_point(const hd_point_product *o)
{
    const real *v = o->v;
    real *m = o->m;
    for (int q = o->quads; q > 0; q--, v += o->v_quad, m += o->m_quad) {
        const real *u = o->u;
        real *to = m;
        for (int i = o->panels; i > 0; i--, u += o->channels * HD_PANEL_FILTERS, to += o->m_panel) {
            multiply_quad(v, o->v_tile, u, o->channels, to);
        }
    }
}

#endif
