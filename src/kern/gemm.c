#include "kern/gemm.h"

#include "kern/gemm_kernel.h"
#include "kern/elementwise.h"

/* Sizes of blocks, chosen by measurement; they fix the order of the sums. */
enum {
    K_BLOCK = 256,        /* a strip of B of this height stays in the first-level cache */
    STRIPE_SIZE = 2048,   /* elements of B that stay there while all rows of A pass */
    STRIPE_COLS = 64,
    TASK_WORK = 1 << 17,  /* multiply-adds worth a task of its own */
    PACK_ALONE = 1 << 13, /* elements of A */
    MAX_TASKS = 32,
    SPLIT_SIZE = 4096,    /* C this small with K_SPLIT or more terms is split over k */
    SPLIT_K = 1024,
    SPLIT_CHUNKS = 32,
    THIN_ROWS = 16,       /* C of so few rows and SPLIT_K or more terms reads B by whole rows, THIN_BLOCK of them at a time */
    THIN_BLOCK = 32,
    THIN_CHUNKS = 16,
    LOWER_K = 1024,       /* terms of k that a lower triangle packs at once: the longer, the fewer rows fit, the oftener B is packed */
    WHOLE = 1 << 30,
};

typedef struct matrix { /* op(A) or op(B) as stored: element (row, col) at data[row * row_step + col * col_step] */
    const real *data;
    size_t row_step, col_step;
} matrix;

typedef struct job {
    hd_pool *pool;
    int m, n, k;
    int diagonal;     /* of C only the elements with column <= row + diagonal exist; WHOLE: all */
    matrix a, b;
    real alpha, beta;
    real *c;
    size_t ldc;
    real *packed;     /* A in strips of 4 rows over the whole k, or B in strips of 8 columns; or NULL */
    int step;         /* rows, columns or terms a task */
    int k_block;      /* terms a tile sums before it adds them to C; 0: as many as suit the first-level cache */
    real *partial;    /* results of the chunks of k */
} job;

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* --- packing ---------------------------------------------------------------------------------------------- */

/* Element (i, p) of a strip of `width` vectors goes to out[p * width + i]; beyond the `count` that exist, 0. */
static void pack_plainly(int k, hd_strip x, int count, int width, real *out)
{
    for (int p = 0; p < k; p++) {
        for (int i = 0; i < width; i++) {
            out[p * width + i] = i < count ? x.data[(size_t)i * x.row + (size_t)p * x.step] : 0;
        }
    }
}

/* The same for whole strips with contiguous p. */
static void pack_transposed(int k, hd_strip x, int width, real *out)
{
    const int whole = k & ~(HD_VL - 1);
    for (int p = 0; p < whole; p += HD_VL) {
        for (int i = 0; i < width; i += HD_VL) {
            vec s[HD_VL];
            for (int l = 0; l < HD_VL; l++) {
                s[l] = vload(x.data + (size_t)(i + l) * x.row + p);
            }
            vtranspose(s);
            for (int l = 0; l < HD_VL; l++) {
                vstore(out + (p + l) * width + i, s[l]);
            }
        }
    }
    x.data += whole;
    pack_plainly(k - whole, x, width, width, out + whole * width);
}

/* `count` contiguous vectors as strips one after the other, all strips of one p before the next p: whole lines of x
 * are read once. */
HD_INLINE void pack_rows(int k, hd_strip x, int count, int width, real *out)
{
    const size_t next = (size_t)k * (size_t)width;
    for (int p = 0; p < k; p++, x.data += x.step, out += width) {
        real *o = out;
        for (const real *from = x.data, *end = from + count; from < end; from += width, o += next) {
            for (int l = 0; l < width; l += HD_VL) {
                vstore(o + l, vload(from + l));
            }
        }
    }
}

/* `count` vectors as strips of `width`, one after the other. */
static void pack(int k, hd_strip x, int count, int width, real *out)
{
    int done = 0;
    if (x.row == 1) {
        done = count / width * width;
        switch (width) { /* a constant for the loops */
        case HD_VL: pack_rows(k, x, done, HD_VL, out); break;
        case 2 * HD_VL: pack_rows(k, x, done, 2 * HD_VL, out); break;
        default: pack_rows(k, x, done, 3 * HD_VL, out);
        }
    }
    for (; done < count; done += width) {
        const hd_strip strip = { x.data + (size_t)done * x.row, x.row, x.step };
        if (x.step == 1 && count - done >= width) {
            pack_transposed(k, strip, width, out + (size_t)done * (size_t)k);
        } else {
            pack_plainly(k, strip, least(width, count - done), width, out + (size_t)done * (size_t)k);
        }
    }
}

static hd_strip a_strip(const job *j, int row, int k0)
{
    return (hd_strip){ j->a.data + (size_t)row * j->a.row_step + (size_t)k0 * j->a.col_step, j->a.row_step,
                       j->a.col_step };
}

static hd_strip b_strip(const job *j, int col, int k0)
{
    return (hd_strip){ j->b.data + (size_t)col * j->b.col_step + (size_t)k0 * j->b.row_step, j->b.col_step,
                       j->b.row_step };
}

/* --- one block of C -------------------------------------------------------------------------------------- */

/* C block [i0, i1) x [j0, j1), summed over [k0, k1), with beta; c points to its (0, 0) of the whole. */
typedef struct block {
    int i0, i1, j0, j1, k0, k1;
    real *c;
    size_t ldc;
    real alpha, beta;
} block;

/* A of rows from `row`, terms from k0: packed, or as it is stored. */
static hd_strip a_from(const job *j, int row, int k0)
{
    if (!j->packed) {
        return a_strip(j, row, k0);
    }
    return (hd_strip){ j->packed + (size_t)row * (size_t)j->k + (size_t)k0 * HD_TILE_ROWS, 1, HD_TILE_ROWS };
}

/* Columns of the next tiles when `left` are left: 1 to 3 vectors. */
static int tile_width(const job *j, int left)
{
    const bool by_rows = !j->packed && j->a.row_step != 1;
    if (by_rows && left > 2 * HD_VL && left <= 3 * HD_VL) {
        return 3 * HD_VL;
    }
    return left > HD_VL ? 2 * HD_VL : HD_VL;
}

/* Columns to do in one stripe: so many that a row of tiles writes whole cache lines of C, and few enough for B's part to
 * stay in the first-level cache; tiles of one width. */
static int stripe_columns(const job *j, int k, int left)
{
    const int most = least(STRIPE_SIZE / k, STRIPE_COLS) & ~(2 * HD_TILE_COLS - 1);
    int cols = 0;
    while (cols < most && tile_width(j, left - cols) == HD_TILE_COLS) {
        cols += HD_TILE_COLS;
    }
    return least(cols ? cols : tile_width(j, left), left);
}

/* All rows of a block times k terms of the columns [col, col + cols) of B; a tile's columns begin b_next after those
 * of the tile before it. */
typedef struct stripe {
    int k0, k, col, cols;
    const real *b;
    size_t b_step, b_next;
} stripe;

typedef void tile_kernel(size_t k, hd_strip a, const real *a_next, const real *b, size_t b_step, const hd_tile *o);

/* What exists of a tile that the diagonal cuts: `first` elements (or less than none) of its first row, one more in each next. */
static void store_cut(const hd_tile *o, int first, real beta, real *c, size_t ldc)
{
    const real *t = o->c;
    for (int i = 0; i < o->rows; i++, t += o->ldc, c += ldc) {
        for (int j = 0; j < o->cols && j < first + i; j++) {
            c[j] = beta == 0 ? t[j] : t[j] + beta * c[j];
        }
    }
}

HD_INLINE void tile_stripe(const job *j, const block *x, const stripe *s, int rows, int width, tile_kernel *kernel)
{
    real cut[HD_TILE_MOST];
    const real beta = s->k0 == x->k0 ? x->beta : 1;
    const int above = s->col - j->diagonal - x->i0; /* rows of the block without a column in the stripe */
    for (int row = above < rows ? x->i0 : x->i0 + above / rows * rows; row < x->i1; row += rows) {
        const hd_strip a = a_from(j, row, s->k0);
        hd_tile o = { .alpha = x->alpha, .rows = least(rows, x->i1 - row) };
        const real *a_next = o.rows > HD_TILE_ROWS ? a_from(j, row + HD_TILE_ROWS, s->k0).data : NULL, *b = s->b;
        real *c = x->c + (size_t)row * x->ldc + s->col;
        int exist = row + j->diagonal + 1 - s->col; /* columns from here on that do, in this row */
        for (int left = s->cols; left > 0 && exist > 1 - rows; left -= width, exist -= width, c += width, b += s->b_next) {
            o.cols = least(width, left);
            const bool is_cut = exist < o.cols;
            o.c = is_cut ? cut : c;
            o.ldc = is_cut ? (size_t)width : x->ldc;
            o.beta = is_cut ? 0 : beta;
            kernel((size_t)s->k, a, a_next, b, s->b_step, &o);
            if (is_cut) {
                store_cut(&o, exist, beta, c, x->ldc);
            }
        }
    }
}

/* Functions of their own: engines assign registers badly in one that holds them all. */
#define HD_NOINLINE __attribute__((noinline))

static HD_NOINLINE void stripe_1(const job *j, const block *x, const stripe *s)
{
    tile_stripe(j, x, s, 8, HD_VL, tile_8x1);
}

static HD_NOINLINE void stripe_2(const job *j, const block *x, const stripe *s)
{
    tile_stripe(j, x, s, HD_TILE_ROWS, HD_TILE_COLS, tile_4x2);
}

static HD_NOINLINE void stripe_3(const job *j, const block *x, const stripe *s)
{
    tile_stripe(j, x, s, 3, 3 * HD_VL, tile_3x3);
}

/* B is read where it is if its rows are contiguous and whole, and if it is not read so often, or from lines that evict
 * each other (steps of a multiple of 512 bytes use an eighth of a cache of 64 sets), that a packed copy pays. */
static bool packs_b(hd_strip b, int k, int rows, int cols, int width)
{
    return b.row != 1 || cols % width ||
           (rows > 8 && (b.step * sizeof(real) % 512 == 0 || (rows > 32 && k > 64)));
}

static void tile_block(const job *j, const block *x, real *scratch)
{
    /* Unpacked strips of A along columns come with more of their lines than a packed one. */
    const int k_block = j->k_block ? j->k_block : j->packed || j->a.col_step == 1 ? K_BLOCK : K_BLOCK / 2;
    for (int k0 = x->k0; k0 < x->k1; k0 += k_block) {
        const int k = least(k_block, x->k1 - k0);
        for (int col = x->j0, cols; col < x->j1; col += cols) {
            const int width = tile_width(j, x->j1 - col);
            const hd_strip b = b_strip(j, col, k0);
            cols = stripe_columns(j, k, x->j1 - col);
            stripe s = { k0, k, col, cols, b.data, b.step, (size_t)width };
            if (packs_b(b, k, x->i1 - x->i0, cols, width)) {
                s.b = scratch;
                s.b_step = (size_t)width;
                s.b_next = (size_t)(k * width);
                pack(k, b, cols, width, scratch);
            }
            (width == HD_VL ? stripe_1 : width == 2 * HD_VL ? stripe_2 : stripe_3)(j, x, &s);
        }
    }
}

static HD_NOINLINE void dot_block(const job *j, const block *x)
{
    for (int k0 = x->k0; k0 < x->k1; k0 += HD_GEMM_CHUNK) {
        size_t k = (size_t)least(HD_GEMM_CHUNK, x->k1 - k0);
        for (int row = x->i0; row < x->i1; row += HD_TILE_ROWS) {
            for (int col = x->j0; col < x->j1; col += 2) {
                hd_tile o = { x->c + (size_t)row * x->ldc + col, x->ldc, x->alpha, k0 == x->k0 ? x->beta : 1,
                              least(HD_TILE_ROWS, x->i1 - row), least(2, x->j1 - col) };
                tile_dot(k, a_strip(j, row, k0).data, j->a.row_step, b_strip(j, col, k0).data, j->b.col_step, &o);
            }
        }
    }
}

/* All of C, both operands contiguous in k, and too few rows to pay for packing B. */
static bool suits_dot(const job *j)
{
    return j->diagonal == WHOLE && j->a.col_step == 1 && j->b.row_step == 1 && j->k >= 64 && (j->m <= 32 || j->n <= 16);
}

static void compute(const job *j, const block *x, int thread)
{
    if (suits_dot(j)) {
        dot_block(j, x);
    } else {
        tile_block(j, x, hd_pool_scratch(j->pool, thread));
    }
}

/* --- tasks ------------------------------------------------------------------------------------------------ */

static void rows_task(void *arg, int task, int thread)
{
    const job *j = arg;
    int i0 = task * j->step;
    compute(j, &(block){ i0, least(i0 + j->step, j->m), 0, j->n, 0, j->k, j->c, j->ldc, j->alpha, j->beta }, thread);
}

static void columns_task(void *arg, int task, int thread)
{
    const job *j = arg;
    int j0 = task * j->step;
    compute(j, &(block){ 0, j->m, j0, least(j0 + j->step, j->n), 0, j->k, j->c, j->ldc, j->alpha, j->beta }, thread);
}

static void chunk_task(void *arg, int task, int thread)
{
    const job *j = arg;
    int k0 = task * j->step;
    real *c = j->partial + (size_t)task * j->m * j->n;
    compute(j, &(block){ 0, j->m, 0, j->n, k0, least(k0 + j->step, j->k), c, (size_t)j->n, 1, 0 }, thread);
}

static void pack_a_task(void *arg, int task, int thread)
{
    (void)thread;
    const job *j = arg;
    int row = task * HD_TILE_ROWS;
    pack(j->k, a_strip(j, row, 0), least(HD_TILE_ROWS, j->m - row), HD_TILE_ROWS, j->packed + (size_t)row * j->k);
}

/* --- plans: which task for which shape ------------------------------------------------------------------- */

static int ceil_div(int a, int b)
{
    return a / b + (a % b != 0);
}

/* Length of a task's share of `size`, a multiple of `unit`, for tasks of about TASK_WORK multiply-adds. */
static int share(const job *j, int size, int unit)
{
    double work = (double)j->m * j->n * j->k / TASK_WORK;
    int tasks = work >= MAX_TASKS ? MAX_TASKS : work < 1 ? 1 : (int)work;
    return ceil_div(ceil_div(size, tasks), unit) * unit;
}

static void add_chunks(const job *j, int chunks)
{
    for (int row = 0; row < j->m; row++) {
        for (int col = 0; col < j->n && col <= row + j->diagonal; col++) {
            real sum = 0, *c = j->c + (size_t)row * j->ldc + col;
            for (int i = 0; i < chunks; i++) {
                sum += j->partial[((size_t)i * j->m + row) * j->n + col];
            }
            sum *= j->alpha;
            *c = j->beta == 0 ? sum : sum + j->beta * *c;
        }
    }
}

/* Small C, long k: every task sums a chunk of k; `parts` of them at a time. */
static void split_k(job *j, int parts)
{
    const matrix a = j->a, b = j->b;
    const int k = j->k, most = HD_GEMM_CHUNK * parts;
    j->partial = hd_pool_shared(j->pool);
    for (int k0 = 0; k0 < k; k0 += most) {
        j->k = least(most, k - k0);
        j->a.data = a.data + (size_t)k0 * a.col_step;
        j->b.data = b.data + (size_t)k0 * b.row_step;
        j->step = (ceil_div(j->k, parts) + 255) & ~255;
        int chunks = ceil_div(j->k, j->step);
        hd_pool_run(j->pool, chunks, chunk_task, j);
        add_chunks(j, chunks);
        j->beta = 1;
    }
}

/* Few rows, long k, such as the gradient of a few outputs from many samples: what it costs is reading B, once and in its order. */
static bool is_thin(const job *j)
{
    return j->diagonal == WHOLE && j->m <= THIN_ROWS && j->k >= SPLIT_K && j->b.col_step == 1 && j->a.col_step != 1;
}

static void thin(const job *whole)
{
    const int most = (int)(HD_SHARED_SCRATCH / sizeof(real) / THIN_CHUNKS / (size_t)whole->m);
    for (int col = 0; col < whole->n; col += most) {
        job j = *whole;
        j.n = least(most, whole->n - col);
        j.b.data += col;
        j.c += col;
        j.k_block = THIN_BLOCK;
        split_k(&j, THIN_CHUNKS);
    }
}

/* What the calling thread has packed before others would have begun, it packs alone: it is in its cache then. */
static void pack_a(job *j)
{
    const int tasks = ceil_div(j->m, HD_TILE_ROWS), alone = (size_t)j->m * (size_t)j->k > PACK_ALONE ? 0 : tasks;
    for (int i = 0; i < alone; i++) {
        pack_a_task(j, i, 0);
    }
    hd_pool_run(j->pool, tasks - alone, pack_a_task, j);
}

/* Wide C: tasks over columns; A, packed by all, is shared. */
static void by_columns(job *j)
{
    const matrix a = j->a, b = j->b;
    const int m = j->m, k = j->k;
    real *const c = j->c, *const room = hd_pool_shared(j->pool);
    const real beta = j->beta;
    const bool lower = j->diagonal != WHOLE;
    const int k_most = lower ? LOWER_K : HD_GEMM_CHUNK;
    for (int k0 = 0; k0 < k; k0 += k_most) {
        j->k = least(k_most, k - k0);
        const int m_most = (int)(HD_SHARED_SCRATCH / sizeof(real) / (size_t)j->k) & ~(HD_TILE_ROWS - 1);
        for (int i0 = 0; i0 < m; i0 += m_most) {
            j->m = least(m_most, m - i0);
            if (lower) {
                j->diagonal = i0;
                j->n = i0 + j->m;
            }
            j->a.data = a.data + (size_t)i0 * a.row_step + (size_t)k0 * a.col_step;
            j->b.data = b.data + (size_t)k0 * b.row_step;
            j->c = c + (size_t)i0 * j->ldc;
            j->beta = k0 ? 1 : beta;
            j->packed = room;
            pack_a(j);
            j->step = share(j, j->n, HD_TILE_COLS);
            hd_pool_run(j->pool, ceil_div(j->n, j->step), columns_task, j);
        }
    }
}

static void by_rows(job *j)
{
    j->step = share(j, j->m, HD_TILE_ROWS);
    hd_pool_run(j->pool, ceil_div(j->m, j->step), rows_task, j);
}

static void scale(const job *j)
{
    for (int i = 0; i < j->m; i++) {
        for (int l = 0; l < j->n && l <= i + j->diagonal; l++) {
            real *c = j->c + (size_t)i * j->ldc + l;
            *c = j->beta == 0 ? 0 : j->beta * *c;
        }
    }
}

static void multiply(job *j)
{
    if (j->m <= 0 || j->n <= 0) {
        return;
    }
    if (j->k <= 0 || j->alpha == 0) {
        scale(j);
    } else if ((double)j->m * j->n <= SPLIT_SIZE && j->k >= SPLIT_K) {
        split_k(j, SPLIT_CHUNKS);
    } else if (is_thin(j)) {
        thin(j);
    } else if (suits_dot(j) || (j->diagonal == WHOLE && j->a.col_step == 1 && j->n <= 64 && j->m >= j->n)) {
        by_rows(j);
    } else {
        by_columns(j);
    }
}

/* op(X) as stored, with `ld` elements from row to row. */
static matrix stored(bool transposed, const real *x, int ld)
{
    return (matrix){ x, transposed ? 1 : (size_t)ld, transposed ? (size_t)ld : 1 };
}

void hd_gemm(hd_pool *p, bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta, real *c, int ldc)
{
    multiply(&(job){ .pool = p, .m = m, .n = n, .k = k, .diagonal = WHOLE, .a = stored(ta, a, lda), .b = stored(tb, b, ldb),
                     .alpha = alpha, .beta = beta, .c = c, .ldc = (size_t)ldc });
}

void hd_gemm_lower(hd_pool *p, bool ta, bool tb, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb, real beta,
                   real *c, int ldc)
{
    multiply(&(job){ .pool = p, .m = n, .n = n, .k = k, .diagonal = 0, .a = stored(ta, a, lda), .b = stored(tb, b, ldb),
                     .alpha = alpha, .beta = beta, .c = c, .ldc = (size_t)ldc });
}

void hd_gemm_ref(bool ta, bool tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb,
                 real beta, real *c, int ldc)
{
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int p = 0; p < k && alpha != 0; p++) {
                real x = ta ? a[(size_t)p * lda + i] : a[(size_t)i * lda + p];
                real y = tb ? b[(size_t)j * ldb + p] : b[(size_t)p * ldb + j];
                sum += (double)x * y;
            }
            real *out = c + (size_t)i * ldc + j;
            *out = (real)(alpha * sum + (beta == 0 ? 0 : beta * (double)*out));
        }
    }
}
