/* The convolution and its two gradients as they are defined, accumulated in float64. */
#include "kern/conv.h"

/* Number of the output row (column) that reads input `x` by tap `a`; -1: none. */
static int output_of(int x, int a, int stride, int dilation, int pad, int outputs)
{
    const int at = x + pad - a * dilation;
    return at >= 0 && at % stride == 0 && at / stride < outputs ? at / stride : -1;
}

static size_t at4(int n, int i, int j, int o, int h, int w, int c)
{
    return (((size_t)n * (size_t)h + (size_t)i) * (size_t)w + (size_t)j) * (size_t)c + (size_t)o;
}

/* The sum of one output. */
static double output_sum(const hd_conv_shape *s, int n, int i, int j, int o, const real *x, const real *w)
{
    const int cg = s->c / s->groups, first = o / (s->k / s->groups) * cg;
    double sum = 0;
    for (int a = 0; a < s->kh; a++) {
        for (int b = 0; b < s->kw; b++) {
            const int y = i * s->sh + a * s->dh - s->top, z = j * s->sw + b * s->dw - s->left;
            for (int c = 0; c < cg && y >= 0 && y < s->h && z >= 0 && z < s->w; c++) {
                sum += (double)x[at4(n, y, z, first + c, s->h, s->w, s->c)] * w[at4(o, a, b, c, s->kh, s->kw, cg)];
            }
        }
    }
    return sum;
}

void hd_conv_forward_ref(const hd_conv_shape *s, int n, const real *x, const real *w, real *y)
{
    for (int m = 0; m < n; m++) {
        for (int i = 0; i < s->oh; i++) {
            for (int j = 0; j < s->ow; j++) {
                for (int o = 0; o < s->k; o++) {
                    y[at4(m, i, j, o, s->oh, s->ow, s->k)] = (real)output_sum(s, m, i, j, o, x, w);
                }
            }
        }
    }
}

/* The gradient of one input. */
static double input_sum(const hd_conv_shape *s, int n, int y, int x, int c, const real *dy, const real *w)
{
    const int cg = s->c / s->groups, kg = s->k / s->groups, first = c / cg * kg;
    double sum = 0;
    for (int a = 0; a < s->kh; a++) {
        for (int b = 0; b < s->kw; b++) {
            const int i = output_of(y, a, s->sh, s->dh, s->top, s->oh), j = output_of(x, b, s->sw, s->dw, s->left, s->ow);
            for (int o = first; o < first + kg && i >= 0 && j >= 0; o++) {
                sum += (double)dy[at4(n, i, j, o, s->oh, s->ow, s->k)] * w[at4(o, a, b, c % cg, s->kh, s->kw, cg)];
            }
        }
    }
    return sum;
}

void hd_conv_back_data_ref(const hd_conv_shape *s, int n, const real *dy, const real *w, real *dx, bool add)
{
    for (int m = 0; m < n; m++) {
        for (int y = 0; y < s->h; y++) {
            for (int x = 0; x < s->w; x++) {
                for (int c = 0; c < s->c; c++) {
                    real *d = dx + at4(m, y, x, c, s->h, s->w, s->c);
                    *d = (real)((add ? (double)*d : 0) + input_sum(s, m, y, x, c, dy, w));
                }
            }
        }
    }
}

/* The gradient of one weight: the channel c of the group of o. */
static double weight_sum(const hd_conv_shape *s, int n, int o, int a, int b, int c, const real *x, const real *dy)
{
    const int from = o / (s->k / s->groups) * (s->c / s->groups) + c;
    double sum = 0;
    for (int m = 0; m < n; m++) {
        for (int i = 0; i < s->oh; i++) {
            for (int j = 0; j < s->ow; j++) {
                const int y = i * s->sh + a * s->dh - s->top, z = j * s->sw + b * s->dw - s->left;
                if (y >= 0 && y < s->h && z >= 0 && z < s->w) {
                    sum += (double)dy[at4(m, i, j, o, s->oh, s->ow, s->k)] * x[at4(m, y, z, from, s->h, s->w, s->c)];
                }
            }
        }
    }
    return sum;
}

void hd_conv_back_weights_ref(const hd_conv_shape *s, int n, const real *x, const real *dy, real *dw)
{
    const int cg = s->c / s->groups;
    for (int o = 0; o < s->k; o++) {
        for (int a = 0; a < s->kh; a++) {
            for (int b = 0; b < s->kw; b++) {
                for (int c = 0; c < cg; c++) {
                    dw[at4(o, a, b, c, s->kh, s->kw, cg)] = (real)weight_sum(s, n, o, a, b, c, x, dy);
                }
            }
        }
    }
}
