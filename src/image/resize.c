/* Separable resampling: one side, then the other, by the weights of axis.h. Bytes are rounded after each of both passes, as PIL and MATLAB
 * do. PIL computes in whole numbers of 22 bits behind the point: weights rounded to them, half of the last bit added to the sum of products,
 * then shifted down and saturated. */
#include "image/axis.h"
#include "kern/vec.h"

#include <math.h>
#include <string.h>

enum { ROWS = 16, LANES = 16, BLOCK = 64, HALF = 1 << (HD_FIXED_BITS - 1) };

typedef struct pass {
    const hd_axis *a;
    hd_pool *pool;
    int c;          /* channels */
    size_t n;       /* elements of a row of y */
    int rows;       /* of y */
    const void *x;
    void *y;
} pass;

/* y's row from the rows of x (n elements each) that reach it. */
#define DOWN(T, name, ROUND)                                                                                      \
    static void name(const pass *p, int i)                                                                        \
    {                                                                                                             \
        const hd_axis *a = p->a;                                                                                  \
        const double *w = a->weight + (size_t)i * (size_t)a->most;                                                \
        const T *from = (const T *)p->x + (size_t)a->first[i] * p->n;                                             \
        T *y = (T *)p->y + (size_t)i * p->n;                                                                      \
        for (size_t e0 = 0; e0 < p->n; e0 += BLOCK) {                                                             \
            const size_t n = p->n - e0 < BLOCK ? p->n - e0 : BLOCK;                                               \
            double sum[BLOCK] = { 0 };                                                                            \
            for (int k = 0; k < a->count[i]; k++) {                                                               \
                const T *x = from + (size_t)k * p->n + e0;                                                        \
                for (size_t e = 0; e < n; e++) {                                                                  \
                    sum[e] += x[e] * w[k];                                                                        \
                }                                                                                                 \
            }                                                                                                     \
            for (size_t e = 0; e < n; e++) {                                                                      \
                y[e0 + e] = ROUND(sum[e]);                                                                        \
            }                                                                                                     \
        }                                                                                                         \
    }
DOWN(uint8_t, down_byte, hd_to_byte)
DOWN(real, down_real, (real))

/* y's row from x's row of the same number; up to four channels at a time, whose sums do not wait for each other. */
#define ACROSS(T, name, ROUND)                                                                                    \
    HD_INLINE void name##_some(const hd_axis *a, size_t c, size_t n, const T *x, T *y)                            \
    {                                                                                                             \
        for (int i = 0; i < a->out; i++, y += c) {                                                                \
            const double *w = a->weight + (size_t)i * (size_t)a->most;                                            \
            const T *from = x + (size_t)a->first[i] * c;                                                          \
            double sum[4] = { 0 };                                                                                \
            for (int k = 0; k < a->count[i]; k++, from += c) {                                                    \
                for (size_t e = 0; e < n; e++) {                                                                  \
                    sum[e] += from[e] * w[k];                                                                     \
                }                                                                                                 \
            }                                                                                                     \
            for (size_t e = 0; e < n; e++) {                                                                      \
                y[e] = ROUND(sum[e]);                                                                             \
            }                                                                                                     \
        }                                                                                                         \
    }                                                                                                             \
    static void name(const pass *p, int row)                                                                      \
    {                                                                                                             \
        const size_t c = (size_t)p->c;                                                                            \
        const T *x = (const T *)p->x + (size_t)row * (size_t)p->a->in * c;                                        \
        T *y = (T *)p->y + (size_t)row * p->n;                                                                    \
        for (size_t e = 0; e < c; e += 4) {                                                                       \
            switch (c - e) {                                                                                      \
            case 1: name##_some(p->a, c, 1, x + e, y + e); break;                                                 \
            case 2: name##_some(p->a, c, 2, x + e, y + e); break;                                                 \
            case 3: name##_some(p->a, c, 3, x + e, y + e); break;                                                 \
            default: name##_some(p->a, c, 4, x + e, y + e);                                                       \
            }                                                                                                     \
        }                                                                                                         \
    }
ACROSS(uint8_t, across_byte, hd_to_byte)
ACROSS(real, across_real, (real))

static uint8_t fixed_byte(int32_t sum)
{
    sum >>= HD_FIXED_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void down_fixed(const pass *p, int i)
{
    const hd_axis *a = p->a;
    const int32_t *w = a->fixed + (size_t)i * (size_t)a->most;
    const uint8_t *from = (const uint8_t *)p->x + (size_t)a->first[i] * p->n;
    uint8_t *y = (uint8_t *)p->y + (size_t)i * p->n;
    size_t e = 0;
    for (; e + LANES <= p->n; e += LANES) {
        const v128_t half = wasm_i32x4_splat(HALF);
        v128_t s[4] = { half, half, half, half };
        for (int k = 0; k < a->count[i]; k++) {
            const v128_t x = wasm_v128_load(from + (size_t)k * p->n + e), v = wasm_i32x4_splat(w[k]);
            const v128_t low = wasm_u16x8_extend_low_u8x16(x), high = wasm_u16x8_extend_high_u8x16(x);
            s[0] = wasm_i32x4_add(s[0], wasm_i32x4_mul(wasm_u32x4_extend_low_u16x8(low), v));
            s[1] = wasm_i32x4_add(s[1], wasm_i32x4_mul(wasm_u32x4_extend_high_u16x8(low), v));
            s[2] = wasm_i32x4_add(s[2], wasm_i32x4_mul(wasm_u32x4_extend_low_u16x8(high), v));
            s[3] = wasm_i32x4_add(s[3], wasm_i32x4_mul(wasm_u32x4_extend_high_u16x8(high), v));
        }
        const v128_t low = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(s[0], HD_FIXED_BITS), wasm_i32x4_shr(s[1], HD_FIXED_BITS));
        const v128_t high = wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(s[2], HD_FIXED_BITS), wasm_i32x4_shr(s[3], HD_FIXED_BITS));
        wasm_v128_store(y + e, wasm_u8x16_narrow_i16x8(low, high));
    }
    for (; e < p->n; e++) {
        int32_t sum = HALF;
        for (int k = 0; k < a->count[i]; k++) {
            sum += from[(size_t)k * p->n + e] * w[k];
        }
        y[e] = fixed_byte(sum);
    }
}

/* Three or four channels: a pixel is a vector. x: a row with one byte more behind it. */
HD_INLINE void pixels(const hd_axis *a, size_t c, const uint8_t *x, uint8_t *y)
{
    for (int i = 0; i < a->out; i++, y += c) {
        const int32_t *w = a->fixed + (size_t)i * (size_t)a->most;
        const uint8_t *from = x + (size_t)a->first[i] * c;
        v128_t s = wasm_i32x4_splat(HALF);
        for (int k = 0; k < a->count[i]; k++, from += c) {
            const v128_t v = wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(from)));
            s = wasm_i32x4_add(s, wasm_i32x4_mul(v, wasm_v128_load32_splat(w + k)));
        }
        s = wasm_i32x4_shr(s, HD_FIXED_BITS);
        s = wasm_i16x8_narrow_i32x4(s, s);
        s = wasm_u8x16_narrow_i16x8(s, s);
        wasm_v128_store16_lane(y, s, 0);
        if (c == 4) {
            wasm_v128_store16_lane(y + 2, s, 1);
        } else {
            wasm_v128_store8_lane(y + 2, s, 2);
        }
    }
}

static void across_fixed(const pass *p, int row, void *scratch)
{
    const hd_axis *a = p->a;
    const size_t c = (size_t)p->c, n = (size_t)a->in * c;
    const uint8_t *x = (const uint8_t *)p->x + (size_t)row * n;
    uint8_t *y = (uint8_t *)p->y + (size_t)row * p->n;
    if ((c == 3 || c == 4) && n < HD_THREAD_SCRATCH) {
        uint8_t *copy = memcpy(scratch, x, n);
        copy[n] = 0;
        c == 3 ? pixels(a, 3, copy, y) : pixels(a, 4, copy, y);
        return;
    }
    for (int i = 0; i < a->out; i++) {
        const int32_t *w = a->fixed + (size_t)i * (size_t)a->most;
        for (size_t e = 0; e < c; e++) {
            const uint8_t *from = x + (size_t)a->first[i] * c + e;
            int32_t sum = HALF;
            for (int k = 0; k < a->count[i]; k++) {
                sum += from[(size_t)k * c] * w[k];
            }
            *y++ = fixed_byte(sum);
        }
    }
}

#define TASK(name, call)                                                                                          \
    static void name##_task(void *arg, int task, int thread)                                                      \
    {                                                                                                             \
        const pass *p = arg;                                                                                      \
        (void)thread;                                                                                             \
        for (int row = task * ROWS; row < p->rows && row < (task + 1) * ROWS; row++) {                            \
            call;                                                                                                 \
        }                                                                                                         \
    }
TASK(down_byte, down_byte(p, row))
TASK(down_real, down_real(p, row))
TASK(down_fixed, down_fixed(p, row))
TASK(across_byte, across_byte(p, row))
TASK(across_real, across_real(p, row))
TASK(across_fixed, across_fixed(p, row, hd_pool_scratch(p->pool, thread)))

hd_image hd_resample(hd_pool *pool, const hd_axis *a, bool down, int way, hd_image from, const void *x, void *y)
{
    static hd_task *const tasks[2][3] = { { across_byte_task, across_real_task, across_fixed_task },
                                          { down_byte_task, down_real_task, down_fixed_task } };
    hd_image to = from;
    *(down ? &to.h : &to.w) = a->out;
    if (a->same) {
        memcpy(y, x, hd_image_bytes(to));
    } else {
        pass p = { a, pool, from.c, (size_t)to.w * (size_t)to.c, to.h, x, y };
        hd_pool_run(pool, (to.h + ROWS - 1) / ROWS, tasks[down][way], &p);
    }
    return to;
}

/* The axis of outputs [from, to) alone, whose inputs begin at number `low`. */
static hd_axis cut(const hd_axis *a, int from, int to, int low)
{
    hd_axis part = *a;
    part.out = to - from;
    part.first += from;
    part.count += from;
    part.weight += (size_t)from * (size_t)a->most;
    part.fixed += (size_t)from * (size_t)a->most;
    for (int i = 0; i < part.out; i++) {
        part.first[i] -= low;
    }
    return part;
}

/* Inputs [low, high) that outputs [from, to) read. */
static void reach(const hd_axis *a, int from, int to, int *low, int *high)
{
    *low = a->in;
    *high = 0;
    for (int i = from; i < to; i++) {
        *low = a->first[i] < *low ? a->first[i] : *low;
        *high = a->first[i] + a->count[i] > *high ? a->first[i] + a->count[i] : *high;
    }
}

static double scale_of(double scale, int from, int to)
{
    return scale > 0 ? scale : (double)to / from;
}

hd_status hd_resize_reach(hd_context *c, int h, int method, double scale, int to_h, int from, int to, int *low, int *high)
{
    hd_axis rows = { 0 };
    const hd_status status = hd_axis_new(c, &rows, method, h, to_h, scale_of(scale, h, to_h));
    if (!status) {
        reach(&rows, from, to, low, high);
    }
    hd_axis_free(c, &rows);
    return status;
}

hd_status hd_resize_rows(hd_context *c, hd_image size, int first, const void *x, int method, double scale, int to_h, int to_w, int from, int to, void *y)
{
    const double down = scale_of(scale, size.h, to_h), across = scale_of(scale, size.w, to_w);
    /* PIL begins with the width; imresize with the side of the smaller scale, of equal ones the height. */
    const bool down_first = method == HD_RESIZE_BICUBIC && down <= across;
    const int way = size.type != HD_UINT8 ? HD_PASS_REALS : method == HD_RESIZE_BILINEAR ? HD_PASS_FIXED : HD_PASS_BYTES;
    hd_axis rows = { 0 }, cols = { 0 };
    void *half = NULL;
    int low = 0, high = 0;
    hd_image middle = size;
    hd_status status = hd_axis_new(c, &rows, method, size.h, to_h, down);
    if (!status && !(status = hd_axis_new(c, &cols, method, size.w, to_w, across))) {
        reach(&rows, from, to, &low, &high);
        middle.h = down_first ? to - from : high - low;
        middle.w = down_first ? size.w : to_w;
        half = hd_reserve(c, hd_image_bytes(middle), "resize");
        status = half ? HD_OK : HD_ERR_MEMORY;
    }
    if (!status) {
        const hd_axis part = cut(&rows, from, to, low);
        const hd_image given = { size.type, high - low, size.w, size.c }, row = { size.type, 1, size.w, size.c };
        x = (const char *)x + (size_t)(low - first) * hd_image_bytes(row);
        middle = hd_resample(c->pool, down_first ? &part : &cols, down_first, way, given, x, half);
        hd_resample(c->pool, down_first ? &cols : &part, !down_first, way, middle, half, y);
    }
    hd_release(c, half);
    hd_axis_free(c, &cols);
    hd_axis_free(c, &rows);
    return status;
}

hd_status hd_resize(hd_context *c, hd_image size, const void *x, int method, double scale, int to_h, int to_w, void *y)
{
    return hd_resize_rows(c, size, 0, x, method, scale, to_h, to_w, 0, to_h, y);
}
