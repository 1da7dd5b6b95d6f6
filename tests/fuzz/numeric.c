/* Fuzz program: linear algebra, closed-form solvers, statistics and pictures, with any sizes, options and numbers. Arrays are
 * exactly as large as heddle.h says; a size is small, or one that must be refused. */
#include "fuzz.h"

/* Arrays of one input, freed at its end. */
typedef struct job {
    hd_context *c;
    fuzz_bytes *b;
    void *array[12];
    int n;
} job;

static void *keep(job *j, void *array)
{
    j->array[j->n++] = array;
    return array;
}

/* Elements of an array of these sides; 0 where a side is wrong. */
static size_t times(int x, int y)
{
    return x > 0 && y > 0 && x < 256 && y < 65536 ? (size_t)x * (size_t)y : 0;
}

/* x * y numbers of type HD_F32 or HD_F64; of an unknown type: none. */
static void *matrix(job *j, int type, int x, int y)
{
    const size_t n = type == HD_F32 || type == HD_F64 ? times(x, y) : 0;
    if (type == HD_F64) {
        double *a = keep(j, malloc(n * sizeof *a));
        fuzz_fill_double(j->b, n, a);
        return a;
    }
    hd_real *a = keep(j, malloc(n * sizeof *a));
    fuzz_fill(j->b, n, a, 0);
    return a;
}

/* To be written: whatever malloc leaves there. */
static void *room(job *j, int type, int x, int y)
{
    const size_t n = type == HD_F32 || type == HD_F64 ? times(x, y) : 0;
    return keep(j, malloc(n * (type == HD_F64 ? sizeof(double) : sizeof(hd_real))));
}

static int size(job *j)
{
    return fuzz_size(j->b, 12);
}

static double factor(job *j)
{
    return fuzz_rare(j->b, 8) ? fuzz_number(j->b) : fuzz_pick(j->b, 3) - 1;
}

static void linalg(job *j)
{
    fuzz_bytes *b = j->b;
    hd_context *c = j->c;
    const int type = fuzz_rare(b, 64) ? 7 : fuzz_pick(b, 2), m = size(j), n = size(j), k = size(j), flag = fuzz_pick(b, 4), r = m < n ? m : n;
    void *a = matrix(j, type, m, n), *x = matrix(j, type, m, k);
    double value, other = factor(j);
    switch (fuzz_pick(b, 13)) {
    case 0:
        GOOD(c, hd_linalg_gemm(c, type, flag & 1, flag & 2, m, k, n, other, a, matrix(j, type, n, k), factor(j), x));
        break;
    case 1:
        GOOD(c, hd_linalg_syrk(c, type, flag & 1, flag & 1 ? n : m, flag & 1 ? m : n, other, a, factor(j), matrix(j, type, flag & 1 ? n : m, flag & 1 ? n : m)));
        break;
    case 2:
        GOOD(c, hd_linalg_cholesky(c, type, k, matrix(j, type, k, k)));
        break;
    case 3:
        GOOD(c, hd_linalg_triangular_solve(c, type, flag & 1, flag & 2, m, k, matrix(j, type, m, m), x));
        break;
    case 4:
        GOOD(c, hd_linalg_spd_solve(c, type, m, k, matrix(j, type, m, m), x));
        break;
    case 5:
        GOOD(c, hd_linalg_qr(c, type, m, n, a, room(j, type, m, r), room(j, type, r, n)));
        break;
    case 6:
        GOOD(c, hd_linalg_least_squares(c, type, m, n, k, a, x, other - 1, room(j, type, n, k), &value));
        break;
    case 7:
        GOOD(c, hd_linalg_eigh(c, type, k, matrix(j, type, k, k), room(j, type, k, 1), flag & 1 ? room(j, type, k, k) : NULL));
        break;
    case 8:
        GOOD(c, hd_linalg_svd(c, type, m, n, a, room(j, type, r, 1), flag & 1 ? room(j, type, m, r) : NULL, flag & 2 ? room(j, type, r, n) : NULL));
        break;
    case 9:
        GOOD(c, hd_linalg_cond(c, type, m, n, a, &value));
        break;
    case 10:
        GOOD(c, hd_linalg_pinv(c, type, m, n, a, other - 1, room(j, type, n, m), &value));
        break;
    default:
        GOOD(c, hd_linalg_random_orthogonal(c, type, m, n, fuzz_number(b), room(j, type, m, n)));
    }
}

static void read_gram(job *j, hd_gram *g, int n, int q)
{
    hd_context *c = j->c;
    double *o = room(j, HD_F64, q, n), *lambda = matrix(j, HD_F64, 3, 1), value;
    for (int i = 0; i < 3 && !fuzz_rare(j->b, 8); i++) {
        lambda[i] = fabs(lambda[i]);
    }
    if (GOOD(c, hd_gram_ridge(g, factor(j), o, &value))) {
        hd_gram_cost(g, o);
    }
    GOOD(c, hd_gram_path(g, fuzz_rare(j->b, 32) ? 0 : 3, lambda, room(j, HD_F64, 3, 1), room(j, HD_F64, 3, 1), room(j, HD_F64, 3, 1)));
    GOOD(c, hd_gram_secular(g, fuzz_rare(j->b, 4) ? fuzz_number(j->b) : 0.5, o, &value));
    hd_admm *a = NULL;
    if (MADE(c, (a = hd_admm_new(g, factor(j), factor(j))) != NULL)) {
        for (int i = 0; i < 4; i++) {
            hd_status (*const parts[])(hd_admm *) = { hd_admm_local, hd_admm_project, hd_admm_dual };
            const int part = fuzz_pick(j->b, 4);
            GOOD(c, part < 3 ? parts[part](a) : hd_admm_step(a, fuzz_pick(j->b, 9) - 1));
            if (fuzz_rare(j->b, 8)) {
                hd_admm_values(a, fuzz_pick(j->b, 3))[0] = fuzz_number(j->b);
            }
            hd_admm_stat(a, fuzz_pick(j->b, 6) - 1);
        }
    }
    MUST(c, !a || (!hd_admm_values(a, 3) && !hd_admm_values(a, -1)));
    hd_admm_free(a);
}

static void gram(job *j)
{
    fuzz_bytes *b = j->b;
    hd_context *c = j->c;
    const int n = size(j), q = fuzz_size(b, 4), rows = 1 + fuzz_pick(b, 9);
    hd_gram *g = NULL;
    hd_data *d = hd_data_new(c, rows);
    if (d && MADE(c, (g = hd_gram_new(c, n, q)) != NULL)) {
        hd_real *x = hd_data_column(d, HD_COLUMN_INPUT, 0, HD_FLOAT, n, fuzz_rare(b, 16) ? 2 : 1, 0);
        const int labels = fuzz_pick(b, 2), width = fuzz_rare(b, 16) ? 2 : labels ? 1 : q;
        hd_real *t = hd_data_column(d, HD_COLUMN_TARGET, 0, HD_FLOAT, width, 1, 0);
        if (x && t) {
            fuzz_fill(b, times(rows, n), x, 0);
            fuzz_fill(b, times(rows, width), t, labels ? q : 0);
        }
        for (int i = fuzz_pick(b, 3); i >= 0; i--) {
            const int begin = fuzz_pick(b, rows) - fuzz_rare(b, 32), end = rows + fuzz_rare(b, 32);
            GOOD(c, hd_gram_add(g, NULL, 0, d, begin, end, fuzz_size(b, 5), fuzz_rare(b, 8) ? fuzz_pick(b, 3) - 1 : 1, fuzz_rare(b, 4) ? fuzz_pick(b, 9) : 0));
        }
        if (fuzz_rare(b, 16)) {
            hd_gram_values(g, fuzz_pick(b, 3))[0] = fuzz_number(b);
        }
        read_gram(j, g, n, q);
        GOOD(c, hd_gram_reset(g));
    }
    hd_gram_free(g);
    hd_data_free(d);
}

static void kernels(job *j)
{
    fuzz_bytes *b = j->b;
    hd_context *c = j->c;
    const int rows = size(j), n = size(j), q = fuzz_size(b, 3);
    hd_kernels *k = NULL;
    double median;
    if (MADE(c, (k = hd_kernels_new(c, rows)) != NULL)) {
        GOOD(c, hd_kernels_add(k, n, matrix(j, HD_F64, rows, n)));
        GOOD(c, hd_kernels_median(k, &median));
        GOOD(c, hd_kernels_add(k, 1, matrix(j, HD_F64, rows, 1)));
        GOOD(c, hd_kernels_ridge(k, fuzz_pick(b, 6) - 1, fuzz_rare(b, 4) ? fuzz_number(b) : 0.5, factor(j), q, matrix(j, HD_F64, rows, q),
                                 room(j, HD_F64, rows, q), fuzz_rare(b, 2) ? room(j, HD_F64, rows, q) : NULL));
    }
    hd_kernels_free(k);
}

static void statistics(job *j)
{
    fuzz_bytes *b = j->b;
    hd_context *c = j->c;
    const int n = fuzz_size(b, 20);
    const double *q = matrix(j, HD_F64, n, 1), *y = matrix(j, HD_F64, n, 1), *spread = fuzz_rare(b, 2) ? matrix(j, HD_F64, n, 1) : NULL;
    double low[HD_STATISTICS], high[HD_STATISTICS], curve[HD_MAPPING_MOST], used;
    GOOD(c, hd_statistics(c, n, q, y, spread, low));
    GOOD(c, hd_statistics_intervals(c, n, q, y, spread, fuzz_size(b, 9), fuzz_rare(b, 4) ? fuzz_number(b) : 0.9, fuzz_rare(b, 4) ? fuzz_number(b) : 3, low, high));
    GOOD(c, hd_mapping_fit(c, fuzz_pick(b, 5) - 1, n, q, y, curve, &used));
}

/* --- pictures ----------------------------------------------------------------------------------------- */

typedef struct picture {
    int type, h, w, channels;
} picture;

static size_t elements(picture p)
{
    return times(p.h, p.w) * times(p.channels, 1);
}

static void *pixels(job *j, picture p, bool filled)
{
    const size_t n = elements(p), bytes = n * (p.type == HD_UINT8 ? 1 : sizeof(hd_real));
    void *x = keep(j, malloc(bytes));
    if (filled && p.type == HD_UINT8) {
        memset(x, fuzz_byte(j->b), bytes);
    } else if (filled) {
        fuzz_fill(j->b, n, x, 0);
    }
    return x;
}

static picture draw_picture(job *j)
{
    static const int channels[] = { 1, 3, 4, 2 };
    fuzz_bytes *b = j->b;
    picture p = { .type = fuzz_rare(b, 64) ? 9 : fuzz_pick(b, 2), .h = fuzz_size(b, 24), .w = fuzz_size(b, 24) };
    p.channels = fuzz_rare(b, 64) ? fuzz_size(b, 70) : channels[fuzz_pick(b, 4)];
    return p;
}

static void resize(job *j, picture p)
{
    fuzz_bytes *b = j->b;
    hd_context *c = j->c;
    picture to = { p.type, fuzz_size(b, 40), fuzz_size(b, 40), p.channels };
    const int method = fuzz_pick(b, 6) - 1;
    double scale = 0;
    if (fuzz_rare(b, 3)) {
        scale = fuzz_rare(b, 4) ? fuzz_number(b) : (1 + fuzz_pick(b, 8)) / 3.0;
        const double h = ceil(p.h * scale), w = ceil(p.w * scale);
        to.h = h >= 1 && h < 100 ? (int)h : to.h;
        to.w = w >= 1 && w < 100 ? (int)w : to.w;
    }
    const void *x = pixels(j, p, true);
    GOOD(c, hd_image_resize(c, p.type, p.h, p.w, p.channels, x, method, scale, to.h, to.w, pixels(j, to, false)));
    const int from = fuzz_rare(b, 32) ? fuzz_size(b, 9) : fuzz_pick(b, 40), until = from < 256 ? from + 1 + fuzz_pick(b, 5) : from;
    int reach[2];
    if (GOOD(c, hd_image_resize_reach(c, p.h, method, scale, to.h, from, until, reach))) {
        MUST(c, 0 <= reach[0] && reach[0] < reach[1] && reach[1] <= p.h);
        const int first = fuzz_rare(b, 16) ? fuzz_size(b, 9) : reach[0], rows = fuzz_rare(b, 16) ? fuzz_size(b, 9) : reach[1] - reach[0];
        picture given = { p.type, rows, p.w, p.channels }, band = { p.type, until - from, to.w, p.channels };
        const void *part = pixels(j, given, true);
        GOOD(c, hd_image_resize_rows(c, p.type, p.h, p.w, p.channels, first, rows, part, method, scale, to.h, to.w, from, until, pixels(j, band, false)));
    }
}

static void patches(job *j, picture p)
{
    fuzz_bytes *b = j->b;
    hd_context *c = j->c;
    const int ph = fuzz_size(b, 6), pw = fuzz_size(b, 6), count = fuzz_size(b, 9);
    int *at = keep(j, malloc(times(count, 2) * sizeof *at));
    for (int i = 0; i < (int)times(count, 2); i++) {
        at[i] = fuzz_rare(b, 64) ? fuzz_size(b, 4) : fuzz_pick(b, 8);
    }
    const picture all = { p.type, count, (int)times(ph, pw), p.channels }, floats = { HD_FLOAT, count, (int)times(ph, pw), p.channels };
    const picture whole = { HD_FLOAT, p.h, p.w, p.channels };
    GOOD(c, hd_image_patches(c, p.type, p.h, p.w, p.channels, pixels(j, p, true), ph, pw, count, at, pixels(j, all, false)));
    GOOD(c, hd_image_blend(c, p.h, p.w, p.channels, pixels(j, floats, true), ph, pw, count, at, fuzz_rare(b, 2) ? matrix(j, HD_F64, ph, pw) : NULL,
                           pixels(j, whole, false)));
}

static void windows(job *j, picture p)
{
    fuzz_bytes *b = j->b;
    const int planes = fuzz_size(b, 3), ph = fuzz_size(b, 5), pw = fuzz_size(b, 5), rows = fuzz_size(b, 4), cols = fuzz_size(b, 4);
    const int from = fuzz_pick(b, 16), to = from + fuzz_pick(b, 9), margin = ph > 0 && ph < 256 ? ph - 1 : 0;
    const int above = from - margin, below = to + margin;
    int first = above > 0 ? above : 0, given = p.h > 0 ? (below < p.h ? below : p.h) - first : 1;
    if (fuzz_rare(b, 16)) {
        first = fuzz_size(b, 9);
        given = fuzz_size(b, 9);
    }
    const picture band = { HD_FLOAT, to - from, p.w, 1 }, in = { HD_FLOAT, given, p.w, planes };
    const size_t weights = times(planes, 1) * (times(rows, ph) + times(cols, pw)) + times(rows, cols) + times(ph, rows) + times(pw, cols) + times(ph, pw);
    const int n = weights < 256 ? (int)weights : 255;
    if (weights > 255) {
        return;
    }
    const hd_real *x = pixels(j, in, true), *w = matrix(j, HD_F32, n, 1);
    GOOD(j->c, hd_image_matnet(j->c, planes, p.h, p.w, first, given, x, ph, pw, rows, cols, fuzz_pick(b, 10) - 1, fuzz_pick(b, 10) - 1, w, from, to,
                               pixels(j, band, false)));
}

static void image(job *j)
{
    fuzz_bytes *b = j->b;
    hd_context *c = j->c;
    const picture p = draw_picture(j), floats = { HD_FLOAT, p.h, p.w, p.channels };
    double value;
    const int what = fuzz_pick(b, 8);
    if (what < 2) {
        resize(j, p);
    } else if (what == 2) {
        GOOD(c, hd_image_compare(c, p.type, p.h, p.w, p.channels, pixels(j, p, true), pixels(j, p, true), fuzz_pick(b, 5) - 1, fuzz_pick(b, 2),
                                 fuzz_rare(b, 8) ? fuzz_number(b) : 1, &value));
    } else if (what == 3) {
        GOOD(c, hd_image_distort(c, p.type, p.h, p.w, p.channels, pixels(j, p, true), fuzz_pick(b, 10) - 1, fuzz_pick(b, 8) - 1,
                                 fuzz_rare(b, 8) ? fuzz_number(b) : 5, pixels(j, p, false)));
    } else if (what == 4) {
        GOOD(c, hd_image_ycbcr(c, p.type, p.h, p.w, p.channels, pixels(j, p, true), fuzz_pick(b, 2), fuzz_pick(b, 2), pixels(j, p, false)));
    } else if (what == 5) {
        const int kh = 1 + fuzz_pick(b, 12), kw = fuzz_size(b, 12);
        GOOD(c, hd_image_filter(c, p.h, p.w, p.channels, pixels(j, floats, true), kh, kw, matrix(j, HD_F64, kh, kw), fuzz_pick(b, 5) - 1,
                                pixels(j, floats, false)));
    } else if (what == 6) {
        patches(j, p);
    } else {
        windows(j, p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_bytes b = { bytes, length };
    job j = { .c = fuzz_context(), .b = &b };
    const double before = hd_context_memory(j.c, 0);
    void (*const parts[])(job *) = { linalg, linalg, image, image, gram, kernels, statistics };
    fuzz_fail_allocation(&b, j.c);
    if (fuzz_rare(&b, 16)) {
        GOOD(j.c, hd_context_set_threads(j.c, 2));
    }
    parts[fuzz_pick(&b, 7)](&j);
    while (j.n) {
        free(j.array[--j.n]);
    }
    fuzz_finish(j.c, before);
    return 0;
}
