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

enum { HD_CONSTANTS = 8 };

/* Constants of the transforms for the points 0, +-a, +-b, inf with a = 3/4, b = 3/2. They are loaded, since V8 makes a
 * v128.const anew wherever it is used, inside loops too: that took as long as all the rest. */
static const real input_constants[HD_CONSTANTS] = {
    (real)-2.25, (real)-0.5625,    /* -b^2, -a^2 */
    (real)1.265625, (real)-2.8125, /* a^2 b^2, -(a^2 + b^2) */
    (real)0.75, (real)-0.75, (real)1.5, (real)-1.5,
};
static const real output_constants[HD_CONSTANTS] = {
    (real)0.75, (real)1.5, (real)0.5625, (real)2.25, (real)0.421875, (real)3.375, /* a, b, their squares and cubes */
};
/* Reciprocals of the products of differences of points: a^2 b^2, 2 a^2 (a^2 - b^2), 2 b^2 (b^2 - a^2); times the powers. */
static const real weight_constants[HD_CONSTANTS] = {
    (real)(64.0 / 81), (real)(-128.0 / 243), (real)(-32.0 / 81), (real)(-8.0 / 27), (real)(32.0 / 243), (real)(16.0 / 81),
    (real)(8.0 / 27), (real)0.5,
};

HD_INLINE void load_constants(const real *from, vec k[HD_CONSTANTS])
{
    for (int i = 0; i < HD_CONSTANTS; i++) {
        k[i] = vset(from[i]);
    }
}

/* B^T d */
HD_INLINE void input_points_4(const vec d[6], const vec k[HD_CONSTANTS], vec v[6])
{
    const vec even_a = vmadd(d[2], k[0], d[4]), odd_a = vmadd(d[1], k[0], d[3]);
    const vec even_b = vmadd(d[2], k[1], d[4]), odd_b = vmadd(d[1], k[1], d[3]);
    v[0] = vmadd(d[0], k[2], vmadd(d[2], k[3], d[4]));
    v[1] = vmadd(odd_a, k[4], even_a);
    v[2] = vmadd(odd_a, k[5], even_a);
    v[3] = vmadd(odd_b, k[6], even_b);
    v[4] = vmadd(odd_b, k[7], even_b);
    v[5] = vmadd(d[1], k[2], vmadd(d[3], k[3], d[5]));
}

HD_INLINE void input_points_2(const vec d[4], const vec k[HD_CONSTANTS], vec v[4])
{
    (void)k;
    v[0] = vsub(d[0], d[2]);
    v[1] = vadd(d[2], d[1]);
    v[2] = vsub(d[2], d[1]);
    v[3] = vsub(d[3], d[1]);
}

/* G g */
HD_INLINE void weight_points_4(const vec g[3], const vec k[HD_CONSTANTS], vec u[6])
{
    const vec even_a = vmadd(g[2], k[3], vmul(g[0], k[1])), odd_a = vmul(g[1], k[2]);
    const vec even_b = vmadd(g[2], k[6], vmul(g[0], k[4])), odd_b = vmul(g[1], k[5]);
    u[0] = vmul(g[0], k[0]);
    u[1] = vadd(even_a, odd_a);
    u[2] = vsub(even_a, odd_a);
    u[3] = vadd(even_b, odd_b);
    u[4] = vsub(even_b, odd_b);
    u[5] = g[2];
}

HD_INLINE void weight_points_2(const vec g[3], const vec k[HD_CONSTANTS], vec u[4])
{
    const vec even = vmul(vadd(g[0], g[2]), k[7]), odd = vmul(g[1], k[7]);
    u[0] = g[0];
    u[1] = vadd(even, odd);
    u[2] = vsub(even, odd);
    u[3] = g[2];
}

/* A^T m */
HD_INLINE void output_points_4(const vec m[6], const vec k[HD_CONSTANTS], vec y[4])
{
    const vec sum_a = vadd(m[1], m[2]), dif_a = vsub(m[1], m[2]), sum_b = vadd(m[3], m[4]), dif_b = vsub(m[3], m[4]);
    y[0] = vadd(m[0], vadd(sum_a, sum_b));
    y[1] = vmadd(dif_a, k[0], vmul(dif_b, k[1]));
    y[2] = vmadd(sum_a, k[2], vmul(sum_b, k[3]));
    y[3] = vmadd(dif_a, k[4], vmadd(dif_b, k[5], m[5]));
}

HD_INLINE void output_points_2(const vec m[4], const vec k[HD_CONSTANTS], vec y[2])
{
    (void)k;
    y[0] = vadd(m[0], vadd(m[1], m[2]));
    y[1] = vadd(m[3], vsub(m[1], m[2]));
}

/* --- two dimensions --------------------------------------------------------------------------------------- */

enum {
    HD_WINDOW_CHANNELS = 32,                  /* transformed at once: what lies between the passes stays in the L1 cache */
    HD_WINDOW = 36 * HD_WINDOW_CHANNELS,
};

/* `count` channels of a window, whose pixel (i, j) is at[j * side + i], to v[point * step + channel]; the last vector is
 * filled up. between: HD_WINDOW elements. */
typedef void hd_input_transform(const real *constants, const real *const *at, size_t count, real *between, real *v,
                                size_t step);
/* The products of a quad and panel, m: (point, HD_QUAD_PANEL), to y: (output, HD_QUAD_PANEL), which may be m. */
typedef void hd_output_transform(const real *constants, const real *m, real *between, real *y);
/* The taps g[a * 3 + b] to u[point * step]. */
typedef void hd_weight_transform(const real *constants, const vec *g, real *u, size_t step);

/* One vector of channels of a column; load: vload, or of the elements that are left. */
#define HD_INPUT_COLUMN(side, transform, load)                                                                    \
    do {                                                                                                          \
        vec d_[side], v_[side];                                                                                   \
        for (int i_ = 0; i_ < (side); i_++) {                                                                     \
            d_[i_] = load(from[i_] + c);                                                                          \
        }                                                                                                         \
        transform(d_, k, v_);                                                                                        \
        for (int i_ = 0; i_ < (side); i_++) {                                                                     \
            vstore(to + i_ * (side) * HD_WINDOW_CHANNELS + c, v_[i_]);                                            \
        }                                                                                                         \
    } while (0)
#define HD_PART(p) vload_part(p, count - c)

#define HD_DEFINE_INPUT_TRANSFORM(name, side, transform)                                                          \
    static void name(const real *constants, const real *const *at, size_t count, real *between, real *v, size_t step) \
    {                                                                                                             \
        vec k[HD_CONSTANTS];                                                                                  \
        load_constants(constants, k);                                                                         \
        for (int j = 0; j < (side); j++, at += (side)) {                                                          \
            real *to = between + j * HD_WINDOW_CHANNELS;                                                          \
            const real *from[side];                                                                               \
            for (int i = 0; i < (side); i++) {                                                                    \
                from[i] = at[i];                                                                                  \
            }                                                                                                     \
            size_t c = 0;                                                                                         \
            for (; c + HD_VL <= count; c += HD_VL) {                                                              \
                HD_INPUT_COLUMN(side, transform, vload);                                                          \
            }                                                                                                     \
            if (c < count) {                                                                                      \
                HD_INPUT_COLUMN(side, transform, HD_PART);                                                        \
            }                                                                                                     \
        }                                                                                                         \
        for (int i = 0; i < (side); i++, v += (side) * step, between += (side) * HD_WINDOW_CHANNELS) {            \
            for (size_t c = 0; c < count; c += HD_VL) {                                                           \
                vec d_[side], v_[side];                                                                           \
                for (int j = 0; j < (side); j++) {                                                                \
                    d_[j] = vload(between + j * HD_WINDOW_CHANNELS + c);                                          \
                }                                                                                                 \
                transform(d_, k, v_);                                                                                \
                real *to = v + c;                                                                                 \
                for (int j = 0; j < (side); j++, to += step) {                                                    \
                    vstore(to, v_[j]);                                                                            \
                }                                                                                                 \
            }                                                                                                     \
        }                                                                                                         \
    }

HD_DEFINE_INPUT_TRANSFORM(input_transform_2, 4, input_points_2)
HD_DEFINE_INPUT_TRANSFORM(input_transform_4, 6, input_points_4)

#undef HD_PART

#define HD_DEFINE_OUTPUT_TRANSFORM(name, in, out, transform)                                                      \
    static void name(const real *constants, const real *m, real *between, real *y)                                \
    {                                                                                                             \
        vec k[HD_CONSTANTS];                                                                                  \
        load_constants(constants, k);                                                                         \
        for (int j = 0; j < (in); j++) {                                                                          \
            for (int l = 0; l < HD_QUAD_PANEL; l += HD_VL) {                                                      \
                vec m_[in], y_[out];                                                                              \
                for (int i = 0; i < (in); i++) {                                                                  \
                    m_[i] = vload(m + (i * (in) + j) * HD_QUAD_PANEL + l);                                        \
                }                                                                                                 \
                transform(m_, k, y_);                                                                                \
                for (int i = 0; i < (out); i++) {                                                                 \
                    vstore(between + (i * (in) + j) * HD_QUAD_PANEL + l, y_[i]);                                  \
                }                                                                                                 \
            }                                                                                                     \
        }                                                                                                         \
        for (int i = 0; i < (out); i++, between += (in) * HD_QUAD_PANEL, y += (out) * HD_QUAD_PANEL) {            \
            for (int l = 0; l < HD_QUAD_PANEL; l += HD_VL) {                                                      \
                vec m_[in], y_[out];                                                                              \
                for (int j = 0; j < (in); j++) {                                                                  \
                    m_[j] = vload(between + j * HD_QUAD_PANEL + l);                                               \
                }                                                                                                 \
                transform(m_, k, y_);                                                                                \
                for (int j = 0; j < (out); j++) {                                                                 \
                    vstore(y + j * HD_QUAD_PANEL + l, y_[j]);                                                     \
                }                                                                                                 \
            }                                                                                                     \
        }                                                                                                         \
    }

HD_DEFINE_OUTPUT_TRANSFORM(output_transform_2, 4, 2, output_points_2)
HD_DEFINE_OUTPUT_TRANSFORM(output_transform_4, 6, 4, output_points_4)

#define HD_DEFINE_WEIGHT_TRANSFORM(name, side, transform)                                                         \
    static void name(const real *constants, const vec *g, real *u, size_t step)                                   \
    {                                                                                                             \
        vec k[HD_CONSTANTS];                                                                                  \
        load_constants(constants, k);                                                                         \
        vec t[side][3], from[3], to[side];                                                                        \
        for (int j = 0; j < 3; j++) {                                                                             \
            for (int i = 0; i < 3; i++) {                                                                         \
                from[i] = g[i * 3 + j];                                                                           \
            }                                                                                                     \
            transform(from, k, to);                                                                                  \
            for (int i = 0; i < (side); i++) {                                                                    \
                t[i][j] = to[i];                                                                                  \
            }                                                                                                     \
        }                                                                                                         \
        for (int i = 0; i < (side); i++) {                                                                        \
            transform(t[i], k, to);                                                                                  \
            for (int j = 0; j < (side); j++, u += step) {                                                         \
                vstore(u, to[j]);                                                                                 \
            }                                                                                                     \
        }                                                                                                         \
    }

HD_DEFINE_WEIGHT_TRANSFORM(weight_transform_2, 4, weight_points_2)
HD_DEFINE_WEIGHT_TRANSFORM(weight_transform_4, 6, weight_points_4)

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
