/* Convolution and its gradients against float64 loops over random shapes, on 1 to 4 threads. */
#include "conv_kit.h"

/* Largest error relative to the bound's element. */
static double worst_error(size_t n, const real *got, const real *expected, const real *bound)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)got[i] - expected[i]) / (1e-30 + (double)bound[i]);
        worst = !(e <= worst) ? e : worst;
    }
    return worst;
}

/* An output of Winograd's algorithm shares the rounding errors of its tile: the largest bound is that of all. */
static void share_bound(size_t n, real *bound)
{
    real most = 0;
    for (size_t i = 0; i < n; i++) {
        most = bound[i] > most ? bound[i] : most;
    }
    for (size_t i = 0; i < n; i++) {
        bound[i] = most;
    }
}

static void check(const hd_conv_shape *s, const char *what, size_t n, real *got[POOLS], const real *expected, const real *bound)
{
    const double worst = worst_error(n, got[0], expected, bound);
    NEAR(worst, 0, TOLERANCE);
    bool same = true;
    for (int t = 1; t < POOLS; t++) {
        same = same && !memcmp(got[t], got[0], n * sizeof **got);
    }
    CHECK(same);
    if (!(worst <= TOLERANCE) || !same) {
        printf("  %s: %dx%dx%d -> %dx%dx%d, kernel %dx%d, stride %d %d, dilation %d %d, pad %d %d, groups %d\n", what, s->h, s->w,
               s->c, s->oh, s->ow, s->k, s->kh, s->kw, s->sh, s->sw, s->dh, s->dw, s->top, s->left, s->groups);
    }
    for (int t = 0; t < POOLS; t++) {
        free(got[t]);
    }
}

static void check_forward(const hd_conv *v, int n, const real *x, const real *w)
{
    const hd_conv_shape *s = &v->s;
    const sizes z = sizes_of(s, n);
    real *expected = new_array(z.y), *bound = new_array(z.y), *got[POOLS];
    real *ax = magnitudes(z.x, x), *aw = magnitudes(z.w, w), *scale = random_array(s->k, 5), *shift = random_array(s->k, 6);
    hd_conv_forward_ref(s, n, x, w, expected);
    hd_conv_forward_ref(s, n, ax, aw, bound);
    if (v->forward == HD_CONV_WINOGRAD) {
        share_bound(z.y, bound);
    }
    for (int t = 0; t < POOLS; t++) {
        got[t] = forward(pools[t], v, n, x, w, NULL);
    }
    check(s, "forward", z.y, got, expected, bound);
    for (size_t i = 0; i < z.y; i++) {
        const size_t o = i % s->k;
        const real sum = scale[o] * expected[i] + shift[o];
        expected[i] = sum > 0 ? sum : 0;
        bound[i] = (real)fabs((double)(scale[o] * bound[i])) + (real)fabs((double)shift[o]);
    }
    for (int t = 0; t < POOLS; t++) {
        got[t] = forward(pools[t], v, n, x, w, &(hd_epilogue){ .scale = scale, .shift = shift, .act = HD_RELU });
    }
    check(s, "with epilogue", z.y, got, expected, bound);
    free(expected);
    free(bound);
    free(ax);
    free(aw);
    free(scale);
    free(shift);
}

static void check_back_data(const hd_conv *v, int n, const real *dy, const real *w, bool add)
{
    const hd_conv_shape *s = &v->s;
    const sizes z = sizes_of(s, n);
    real *expected = random_array(z.x, 9), *old = random_array(z.x, 9), *bound = magnitudes(z.x, old), *got[POOLS];
    real *ady = magnitudes(z.y, dy), *aw = magnitudes(z.w, w);
    hd_conv_back_data_ref(s, n, dy, w, expected, add);
    hd_conv_back_data_ref(s, n, ady, aw, bound, add);
    if (v->back_data == HD_CONV_WINOGRAD) {
        share_bound(z.x, bound);
    }
    for (int t = 0; t < POOLS; t++) {
        got[t] = back_data(pools[t], v, n, dy, w, add ? old : NULL);
    }
    check(s, add ? "back_data, added" : "back_data", z.x, got, expected, bound);
    free(expected);
    free(old);
    free(bound);
    free(ady);
    free(aw);
}

static void check_back_weights(const hd_conv *v, int n, const real *x, const real *dy)
{
    const hd_conv_shape *s = &v->s;
    const sizes z = sizes_of(s, n);
    real *expected = new_array(z.w), *bound = new_array(z.w), *got[POOLS];
    real *ax = magnitudes(z.x, x), *ady = magnitudes(z.y, dy);
    hd_conv_back_weights_ref(s, n, x, dy, expected);
    hd_conv_back_weights_ref(s, n, ax, ady, bound);
    for (int t = 0; t < POOLS; t++) {
        got[t] = back_weights(pools[t], v, n, x, dy);
    }
    check(s, "back_weights", z.w, got, expected, bound);
    free(expected);
    free(bound);
    free(ax);
    free(ady);
}

static void check_shape(const hd_conv_shape *s, int n, uint64_t seed)
{
    const sizes z = sizes_of(s, n);
    hd_conv v;
    hd_conv_plan(s, &v);
    real *x = random_array(z.x, seed), *y = random_array(z.y, seed + 1), *w = random_array(z.w, seed + 2);
    check_forward(&v, n, x, w);
    check_back_data(&v, n, y, w, false);
    check_back_data(&v, n, y, w, true);
    check_back_weights(&v, n, x, y);
    free(x);
    free(y);
    free(w);
}

typedef struct draw {
    hd_rng r;
    uint64_t next;
} draw;

static int pick(draw *d, const int *list, int count)
{
    return list[(int)(hd_rng_uniform(d->r, d->next++) * count)];
}

#define PICK(...) pick(&d, (const int[]){ __VA_ARGS__ }, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)))

/* Padding may be negative (a crop) or larger than the kernel. */
static void random_shapes(void)
{
    draw d = { hd_rng_stream(3, 2, 0), 0 };
    int done = 0;
    for (int i = 0; i < 1500; i++) {
        hd_conv_shape s = { 0 }; /* one by one: an initialiser may draw in any order */
        s.h = PICK(1, 2, 3, 5, 7, 8, 11);
        s.w = PICK(1, 2, 4, 5, 6, 9, 13);
        s.kh = PICK(1, 1, 2, 3, 3, 4, 5);
        s.kw = PICK(1, 1, 2, 3, 3, 4, 5);
        s.sh = PICK(1, 1, 1, 2, 3);
        s.sw = PICK(1, 1, 1, 2, 4);
        s.dh = PICK(1, 1, 1, 2, 3);
        s.dw = PICK(1, 1, 1, 2, 4);
        s.top = PICK(-1, 0, 0, 1, 2, 4);
        s.left = PICK(-1, 0, 0, 1, 2, 5);
        s.groups = PICK(1, 1, 1, 1, 2, 3, 4);
        s.c = s.groups * PICK(1, 2, 3, 4, 5, 8, 9, 13);
        s.k = s.groups * PICK(1, 2, 3, 4, 5, 8, 10, 12, 17);
        if (PICK(0, 0, 0, 1)) { /* depthwise */
            s.groups = s.c;
            s.k = s.c * PICK(1, 1, 2, 3);
        }
        const int bottom = PICK(-1, 0, 1, 2), right = PICK(0, 1, 3), n = PICK(1, 2, 3);
        if (output_size(&s, bottom, right)) {
            check_shape(&s, n, (uint64_t)i * 3);
            done++;
        }
    }
    CHECK(done > 700);
}

/* Long sums in several parts, many pixels, many filters, batches; as in real networks but smaller. */
static void larger_shapes(void)
{
    static const struct { int n, h, w, c, k, kernel, stride, dilation, pad, groups; } list[] = {
        { 2, 16, 16, 3, 32, 3, 1, 1, 1, 1 },   { 2, 12, 12, 32, 33, 3, 1, 1, 1, 1 }, { 1, 28, 28, 1, 6, 5, 1, 1, 2, 1 },
        { 3, 6, 6, 64, 20, 3, 1, 1, 1, 1 },    { 1, 7, 7, 130, 150, 3, 1, 1, 1, 1 }, { 1, 9, 8, 410, 12, 1, 1, 1, 0, 1 },
        { 2, 9, 9, 70, 24, 3, 2, 1, 1, 1 },    { 1, 30, 31, 3, 16, 7, 2, 1, 3, 1 },  { 1, 13, 13, 65, 9, 3, 1, 2, 2, 1 },
        { 1, 40, 40, 3, 8, 11, 4, 1, 2, 1 },   { 2, 10, 10, 32, 64, 3, 1, 1, 1, 8 }, { 1, 12, 12, 24, 24, 3, 2, 1, 1, 24 },
        { 1, 5, 6, 500, 8, 2, 1, 1, 0, 1 },    { 1, 8, 8, 16, 300, 1, 2, 1, 0, 1 },  { 1, 24, 24, 16, 16, 3, 1, 1, 1, 1 },
        { 1, 6, 6, 120, 8, 3, 1, 1, 1, 2 },    { 1, 6, 7, 96, 12, 5, 1, 1, 2, 3 },
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        hd_conv_shape s = { .h = list[i].h, .w = list[i].w, .c = list[i].c, .k = list[i].k, .kh = list[i].kernel,
                            .kw = list[i].kernel, .sh = list[i].stride, .sw = list[i].stride, .dh = list[i].dilation,
                            .dw = list[i].dilation, .top = list[i].pad, .left = list[i].pad, .groups = list[i].groups };
        CHECK(output_size(&s, s.top, s.left));
        check_shape(&s, list[i].n, 1000 + i);
    }
}

int main(void)
{
    open_pools();
    random_shapes();
    larger_shapes();
    close_pools();
    return check_result("kern_conv");
}
