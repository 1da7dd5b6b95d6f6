/* Agreement of scores with ratings, and curves between them, in public: checks, memory, and the bootstrap. */
#include "base/context.h"
#include "base/rng.h"
#include "metric/statistics.h"
#include "solve/logistic.h"

#include <math.h>
#include <string.h>

enum { MAX_ROWS = 1 << 24, MAX_RESAMPLES = 100000, DRAW_BOOTSTRAP = 5 << 28 };
#define LARGEST 1e60 /* sums of its fourth powers are still numbers */

typedef struct job {
    hd_pairs pairs;
    int *ints;     /* [4 n] lists of the pairs, and work */
    double *work;  /* [threads][(1 + HD_PAIRS_WORK) n]: weights, and work of the statistics */
    double *drawn; /* [HD_STATISTICS][resamples] */
    int resamples;
    uint64_t seed;
} job;

static hd_status check_list(hd_context *c, const char *name, int n, const double *x, double least)
{
    for (int i = 0; i < n; i++) {
        if (!(x[i] >= least && x[i] <= LARGEST)) {
            return hd_fail(c, HD_ERR_ARGUMENT, "statistics: %s[%d] = %g, expected a number %g..%g", name, i, x[i], least, LARGEST);
        }
    }
    return HD_OK;
}

static hd_status check(hd_context *c, int n, const double *q, const double *y, const double *spread)
{
    if (n < 2 || n > MAX_ROWS) {
        return hd_fail(c, HD_ERR_ARGUMENT, "statistics: %d pairs of score and rating, expected 2..%d", n, MAX_ROWS);
    }
    hd_status status = check_list(c, "q", n, q, -LARGEST);
    status = status ? status : check_list(c, "y", n, y, -LARGEST);
    return status || !spread ? status : check_list(c, "std", n, spread, 0);
}

static void job_free(hd_context *c, job *j)
{
    hd_release(c, j->ints);
    hd_release(c, j->work);
    hd_release(c, j->drawn);
}

static hd_status job_new(hd_context *c, job *j, int n, const double *q, const double *y, const double *spread, int resamples)
{
    const size_t rows = (size_t)n, threads = resamples ? (size_t)hd_pool_threads(c->pool) : 1;
    *j = (job){ .resamples = resamples, .pairs = { .n = n, .q = q, .y = y, .spread = spread } };
    j->ints = hd_reserve(c, 4 * rows * sizeof *j->ints, "statistics");
    j->work = j->ints ? hd_reserve(c, threads * (1 + HD_PAIRS_WORK) * rows * sizeof *j->work, "statistics") : NULL;
    j->drawn = j->work && resamples ? hd_reserve(c, HD_STATISTICS * (size_t)resamples * sizeof *j->drawn, "statistics") : NULL;
    if (!j->work || (resamples && !j->drawn)) {
        job_free(c, j);
        return HD_ERR_MEMORY;
    }
    j->pairs.by_q = j->ints;
    j->pairs.by_y = j->ints + rows;
    j->pairs.level = j->ints + 2 * rows;
    hd_pairs_sort(&j->pairs, j->ints + 3 * rows);
    return HD_OK;
}

hd_status hd_statistics(hd_context *c, int n, const double *q, const double *y, const double *spread, double *values)
{
    job j;
    if (check(c, n, q, y, spread) || job_new(c, &j, n, q, y, spread, 0)) {
        return c->status;
    }
    for (int i = 0; i < n; i++) {
        j.work[i] = 1;
    }
    hd_pairs_statistics(&j.pairs, j.work, j.work + n, values);
    job_free(c, &j);
    return HD_OK;
}

/* One resample: n rows drawn with replacement, as how often each was. */
static void resample(void *arg, int task, int thread)
{
    job *j = arg;
    const int n = j->pairs.n;
    double *weight = j->work + (size_t)thread * (1 + HD_PAIRS_WORK) * (size_t)n, values[HD_STATISTICS];
    const hd_rng rng = hd_rng_stream(j->seed, DRAW_BOOTSTRAP, (uint32_t)task);
    for (int i = 0; i < n; i++) {
        weight[i] = 0;
    }
    for (int i = 0; i < n; i += 4) {
        uint32_t word[4];
        hd_rng_block(rng, (uint64_t)(i / 4), word);
        for (int k = 0; k < 4 && i + k < n; k++) {
            weight[(uint64_t)word[k] * (uint64_t)n >> 32]++;
        }
    }
    hd_pairs_statistics(&j->pairs, weight, weight + n, values);
    for (int s = 0; s < HD_STATISTICS; s++) {
        j->drawn[(size_t)s * (size_t)j->resamples + (size_t)task] = values[s];
    }
}

/* Shell's sort: the lists are short. */
static void sort(int n, double *x)
{
    int gap = 1;
    while (gap < n / 3) {
        gap = 3 * gap + 1;
    }
    for (; gap >= 1; gap /= 3) {
        for (int i = gap; i < n; i++) {
            const double value = x[i];
            int k = i;
            for (; k >= gap && x[k - gap] > value; k -= gap) {
                x[k] = x[k - gap];
            }
            x[k] = value;
        }
    }
}

/* x ascending; between two values a line, as NumPy's default. */
static double quantile(int n, const double *x, double part)
{
    const double at = part * (n - 1);
    const int low = (int)at, high = low + 1 < n ? low + 1 : low;
    return x[low] + (at - low) * (x[high] - x[low]);
}

hd_status hd_statistics_intervals(hd_context *c, int n, const double *q, const double *y, const double *spread, int resamples,
                                  double confidence, double seed, double *low, double *high)
{
    if (check(c, n, q, y, spread)) {
        return c->status;
    }
    if (resamples < 1 || resamples > MAX_RESAMPLES || !(confidence > 0 && confidence < 1) || !(seed >= 0 && seed <= 9007199254740992.0)) {
        return hd_fail(c, HD_ERR_ARGUMENT,
                       "statistics: resamples = %d, confidence = %g, seed = %g, expected 1..%d, a number between 0 and 1, and 0..2^53",
                       resamples, confidence, seed, MAX_RESAMPLES);
    }
    job j;
    if (job_new(c, &j, n, q, y, spread, resamples)) {
        return c->status;
    }
    j.seed = (uint64_t)seed;
    hd_pool_run(c->pool, resamples, resample, &j);
    for (int s = 0; s < HD_STATISTICS; s++) {
        double *x = j.drawn + (size_t)s * (size_t)resamples;
        int kept = 0;
        for (int i = 0; i < resamples; i++) {
            if (x[i] == x[i]) { /* a resample of one row alone has no correlation */
                x[kept++] = x[i];
            }
        }
        sort(kept, x);
        low[s] = kept ? quantile(kept, x, (1 - confidence) / 2) : NAN;
        high[s] = kept ? quantile(kept, x, (1 + confidence) / 2) : NAN;
    }
    job_free(c, &j);
    return HD_OK;
}

hd_status hd_mapping_fit(hd_context *c, int kind, int n, const double *q, const double *y, double *b, double *used)
{
    if (kind < HD_MAPPING_LINEAR || kind > HD_MAPPING_LOGISTIC5) {
        return hd_fail(c, HD_ERR_ARGUMENT, "mapping: kind = %d, expected %d..%d", kind, HD_MAPPING_LINEAR, HD_MAPPING_LOGISTIC5);
    }
    if (check(c, n, q, y, NULL)) {
        return c->status;
    }
    double line[HD_MAPPING_MOST] = { 0 };
    const double errors = hd_line_fit(n, q, y, line);
    *used = HD_MAPPING_LINEAR;
    memcpy(b, line, sizeof line);
    if (kind == HD_MAPPING_LINEAR) {
        return HD_OK;
    }
    double *work = hd_reserve(c, (size_t)n * sizeof *work, "mapping");
    if (!work) {
        return HD_ERR_MEMORY;
    }
    if (hd_logistic_fit(c->pool, kind, n, q, y, work, b) < errors) {
        *used = kind;
    } else {
        memcpy(b, line, sizeof line);
    }
    hd_release(c, work);
    return HD_OK;
}
