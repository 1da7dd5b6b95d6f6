#include "metric/statistics.h"

#include <math.h>
#include <string.h>

/* Merges the ordered [begin, middle) and [middle, end) of `from` into `to`. */
static void merge(const double *x, const int *from, int begin, int middle, int end, int *to)
{
    int a = begin, b = middle;
    for (int i = begin; i < end; i++) {
        to[i] = b == end || (a < middle && x[from[a]] <= x[from[b]]) ? from[a++] : from[b++];
    }
}

/* Merge sort from below; `long long`, for 2 * width may pass an int. */
static void sort(int n, const double *x, int *order, int *work)
{
    for (int i = 0; i < n; i++) {
        order[i] = i;
    }
    for (long long width = 1; width < n; width *= 2) {
        for (long long begin = 0; begin < n; begin += 2 * width) {
            const long long middle = begin + width < n ? begin + width : n, end = middle + width < n ? middle + width : n;
            merge(x, order, (int)begin, (int)middle, (int)end, work);
        }
        memcpy(order, work, (size_t)n * sizeof *order);
    }
}

/* Where the rows that tie with the one at `begin` end. */
static int ties_end(int n, const double *x, const int *order, int begin)
{
    int end = begin + 1;
    while (end < n && x[order[end]] == x[order[begin]]) {
        end++;
    }
    return end;
}

void hd_pairs_sort(hd_pairs *p, int *work)
{
    sort(p->n, p->q, p->by_q, work);
    sort(p->n, p->y, p->by_y, work);
    for (int begin = 0, end, level = 1; begin < p->n; begin = end, level++) {
        end = ties_end(p->n, p->y, p->by_y, begin);
        for (int i = begin; i < end; i++) {
            p->level[p->by_y[i]] = level;
        }
    }
}

static double weight_of(const int *order, int begin, int end, const double *weight)
{
    double sum = 0;
    for (int i = begin; i < end; i++) {
        sum += weight[order[i]];
    }
    return sum;
}

/* Ranks from 1; rows that tie share the mean of their places. Returns the number of pairs that tie. */
static double mid_ranks(int n, const double *x, const int *order, const double *weight, double *rank)
{
    double before = 0, tied = 0;
    for (int begin = 0, end; begin < n; begin = end) {
        end = ties_end(n, x, order, begin);
        const double here = weight_of(order, begin, end, weight);
        for (int i = begin; i < end; i++) {
            rank[order[i]] = before + (here + 1) / 2;
        }
        before += here;
        tied += here * (here - 1) / 2;
    }
    return tied;
}

static double mean(int n, const double *x, const double *weight)
{
    double sum = 0, count = 0;
    for (int i = 0; i < n; i++) {
        sum += weight[i] * x[i];
        count += weight[i];
    }
    return sum / count;
}

/* All that counts is the same number: rounding of the mean would make it seem to vary. */
static int is_constant(int n, const double *x, const double *weight)
{
    int first = 0;
    while (first < n && weight[first] == 0) {
        first++;
    }
    int i = first;
    while (i < n && (weight[i] == 0 || x[i] == x[first])) {
        i++;
    }
    return i == n;
}

/* Pearson's correlation from centred sums; NaN if a or b does not vary. */
static double correlation(int n, const double *a, const double *b, const double *weight)
{
    if (is_constant(n, a, weight) || is_constant(n, b, weight)) {
        return NAN;
    }
    const double mean_a = mean(n, a, weight), mean_b = mean(n, b, weight);
    double aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < n; i++) {
        const double u = a[i] - mean_a, v = b[i] - mean_b;
        aa += weight[i] * u * u;
        bb += weight[i] * v * v;
        ab += weight[i] * u * v;
    }
    const double product = aa * bb, r = ab / (product > 1e-290 ? sqrt(product) : sqrt(aa) * sqrt(bb)); /* exactly 1 for a = b */
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

static double tree_sum(const double *tree, int i)
{
    double sum = 0;
    for (; i > 0; i -= i & -i) {
        sum += tree[i - 1];
    }
    return sum;
}

static void tree_add(double *tree, int n, int i, double value)
{
    for (; i <= n; i += i & -i) {
        tree[i - 1] += value;
    }
}

/* Concordant minus discordant pairs in O(n log n), as Knight's algorithm ("A computer method for calculating Kendall's tau with ungrouped
 * data", 1966), with sums by rating in a binary indexed tree [n] where it merges, so that rows may have weights. */
static double concordance(const hd_pairs *p, const double *weight, double *tree)
{
    double sum = 0, seen = 0;
    memset(tree, 0, (size_t)p->n * sizeof *tree);
    for (int begin = 0, end; begin < p->n; begin = end) {
        end = ties_end(p->n, p->q, p->by_q, begin);
        for (int i = begin; i < end; i++) {
            const int row = p->by_q[i], level = p->level[row];
            if (weight[row] != 0) {
                sum += weight[row] * (tree_sum(tree, level - 1) - (seen - tree_sum(tree, level)));
            }
        }
        for (int i = begin; i < end; i++) {
            tree_add(tree, p->n, p->level[p->by_q[i]], weight[p->by_q[i]]);
        }
        seen += weight_of(p->by_q, begin, end, weight);
    }
    return sum;
}

static void differences(const hd_pairs *p, const double *weight, double *values)
{
    double squares = 0, sum = 0, outliers = 0, count = 0;
    for (int i = 0; i < p->n; i++) {
        const double e = fabs(p->q[i] - p->y[i]);
        squares += weight[i] * e * e;
        sum += weight[i] * e;
        outliers += p->spread && e > 2 * p->spread[i] ? weight[i] : 0;
        count += weight[i];
    }
    values[HD_STATISTIC_RMSE] = sqrt(squares / count);
    values[HD_STATISTIC_MAE] = sum / count;
    values[HD_STATISTIC_OUTLIER_RATIO] = p->spread ? outliers / count : NAN;
}

void hd_pairs_statistics(const hd_pairs *p, const double *weight, double *work, double *values)
{
    double *rank_q = work, *rank_y = work + p->n, *tree = work + 2 * (size_t)p->n, count = 0;
    const double tied_q = mid_ranks(p->n, p->q, p->by_q, weight, rank_q), tied_y = mid_ranks(p->n, p->y, p->by_y, weight, rank_y);
    for (int i = 0; i < p->n; i++) {
        count += weight[i];
    }
    const double pairs = count * (count - 1) / 2, product = (pairs - tied_q) * (pairs - tied_y);
    values[HD_STATISTIC_PLCC] = correlation(p->n, p->q, p->y, weight);
    values[HD_STATISTIC_SROCC] = correlation(p->n, rank_q, rank_y, weight);
    values[HD_STATISTIC_KROCC] = product > 0 ? concordance(p, weight, tree) / sqrt(product) : NAN;
    differences(p, weight, values);
}
