/* Agreement of scores with ratings: values counted by hand, by sums over all pairs, and laws. */
#include "base/rng.h"
#include "check.h"
#include "heddle.h"

#include <stdlib.h>

enum { N = 300 };

static hd_context *c;

static double statistic(int which, int n, const double *q, const double *y)
{
    double values[HD_STATISTICS];
    CHECK(hd_statistics(c, n, q, y, NULL, values) == HD_OK);
    return values[which];
}

/* Tau-b by its definition, over all pairs. */
static double tau_of_pairs(int n, const double *q, const double *y)
{
    double sum = 0, q_differs = 0, y_differs = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            const double a = (q[i] > q[j]) - (q[i] < q[j]), b = (y[i] > y[j]) - (y[i] < y[j]);
            sum += a * b;
            q_differs += a * a;
            y_differs += b * b;
        }
    }
    return sum / sqrt(q_differs * y_differs);
}

/* 1 + rows below + half of the others that tie. */
static double rank_of(int n, const double *x, int i)
{
    double rank = 0.5;
    for (int j = 0; j < n; j++) {
        rank += x[j] < x[i] ? 1 : x[j] == x[i] ? 0.5 : 0;
    }
    return rank;
}

/* Related numbers; with `ties`, few distinct ones. */
static void fill(int n, int ties, double *q, double *y)
{
    const hd_rng rng = hd_rng_stream(3, 1, (uint32_t)ties);
    for (int i = 0; i < n; i++) {
        y[i] = hd_rng_normal(rng, (uint64_t)i);
        q[i] = y[i] + hd_rng_normal(rng, (uint64_t)(n + i));
        if (ties) {
            y[i] = floor(2 * y[i]);
            q[i] = floor(3 * q[i]);
        }
    }
}

static void check_by_hand(void)
{
    const double x[] = { 1, 2, 2, 3 }, y[] = { 1, 3, 2, 4 };
    NEAR(statistic(HD_STATISTIC_SROCC, 4, x, y), 0.9486832980505138, 1e-15);
    NEAR(statistic(HD_STATISTIC_KROCC, 4, x, y), 5 / sqrt(30), 1e-15);
    NEAR(statistic(HD_STATISTIC_RMSE, 4, x, y), sqrt(0.5), 1e-15);
    NEAR(statistic(HD_STATISTIC_MAE, 4, x, y), 0.5, 1e-15);
    NEAR(statistic(HD_STATISTIC_PLCC, 4, x, y), 3 / sqrt(2 * 5), 1e-15); /* sums of products 3, of squares 2 and 5 */
    const double up[] = { 10, 20, 30 }, down[] = { 3, 1, -1 };
    for (int which = HD_STATISTIC_PLCC; which <= HD_STATISTIC_KROCC; which++) {
        CHECK(statistic(which, 3, up, up) == 1);
        CHECK(statistic(which, 3, up, down) == -1);
    }
    const double spread[] = { 0.4, 0.5, 1, 0.49 };
    double values[HD_STATISTICS];
    CHECK(hd_statistics(c, 4, x, y, spread, values) == HD_OK); /* errors 0, 1, 0, 1 */
    CHECK(values[HD_STATISTIC_OUTLIER_RATIO] == 0.25);
    CHECK(isnan(statistic(HD_STATISTIC_OUTLIER_RATIO, 4, x, y)));
}

static void check_definitions(void)
{
    double q[N], y[N], rank_q[N], rank_y[N];
    for (int ties = 0; ties < 2; ties++) {
        for (int n = 2; n <= N; n = n < 9 ? n + 1 : n + 97) {
            fill(n, ties, q, y);
            for (int i = 0; i < n; i++) {
                rank_q[i] = rank_of(n, q, i);
                rank_y[i] = rank_of(n, y, i);
            }
            const double tau = tau_of_pairs(n, q, y), rho = statistic(HD_STATISTIC_PLCC, n, rank_q, rank_y);
            CHECK(isnan(tau) ? isnan(statistic(HD_STATISTIC_KROCC, n, q, y)) : fabs(statistic(HD_STATISTIC_KROCC, n, q, y) - tau) <= 1e-14);
            CHECK(isnan(rho) ? isnan(statistic(HD_STATISTIC_SROCC, n, q, y)) : fabs(statistic(HD_STATISTIC_SROCC, n, q, y) - rho) <= 1e-14);
        }
    }
}

/* Correlations do not change by scale and shift, rank correlations by no rising function. */
static void check_laws(void)
{
    double q[N], y[N], other[N], values[HD_STATISTICS], moved[HD_STATISTICS], risen[HD_STATISTICS];
    fill(N, 0, q, y);
    CHECK(hd_statistics(c, N, q, y, NULL, values) == HD_OK);
    for (int i = 0; i < N; i++) {
        other[i] = 1e6 + 3 * q[i];
    }
    CHECK(hd_statistics(c, N, other, y, NULL, moved) == HD_OK);
    for (int i = 0; i < N; i++) {
        other[i] = exp(q[i]) + q[i] * q[i] * q[i];
    }
    CHECK(hd_statistics(c, N, other, y, NULL, risen) == HD_OK);
    NEAR(moved[HD_STATISTIC_PLCC], values[HD_STATISTIC_PLCC], 1e-9);
    for (int which = HD_STATISTIC_SROCC; which <= HD_STATISTIC_KROCC; which++) {
        CHECK(moved[which] == values[which] && risen[which] == values[which]);
    }
    CHECK(fabs(risen[HD_STATISTIC_PLCC] - values[HD_STATISTIC_PLCC]) > 1e-3);
}

static void check_refusals(void)
{
    const double x[] = { 1, 2, NAN }, same[] = { 0.1, 0.1, 0.1 }, other[] = { 1, 2, 4 };
    double values[HD_STATISTICS], low[HD_STATISTICS], high[HD_STATISTICS];
    CHECK(hd_statistics(c, 3, x, other, NULL, values) == HD_ERR_ARGUMENT && strstr(hd_error(c), "q[2]"));
    CHECK(hd_statistics(c, 3, other, x, NULL, values) == HD_ERR_ARGUMENT && strstr(hd_error(c), "y[2]"));
    CHECK(hd_statistics(c, 3, other, other, (double[]){ 1, -1, 1 }, values) == HD_ERR_ARGUMENT && strstr(hd_error(c), "std[1]"));
    CHECK(hd_statistics(c, 1, other, other, NULL, values) == HD_ERR_ARGUMENT);
    CHECK(hd_statistics_intervals(c, 3, other, other, NULL, 0, 0.95, 0, low, high) == HD_ERR_ARGUMENT);
    CHECK(hd_statistics_intervals(c, 3, other, other, NULL, 9, NAN, 0, low, high) == HD_ERR_ARGUMENT);
    for (int which = HD_STATISTIC_PLCC; which <= HD_STATISTIC_KROCC; which++) {
        CHECK(isnan(statistic(which, 3, same, other)) && isnan(statistic(which, 3, other, same)));
    }
    CHECK(hd_statistics_intervals(c, 3, same, other, NULL, 9, 0.9, 0, low, high) == HD_OK);
    CHECK(isnan(low[HD_STATISTIC_SROCC]) && low[HD_STATISTIC_MAE] > 0);
    for (int i = 1; i <= 3; i++) {
        hd_context_fail_allocation(c, i);
        CHECK(hd_statistics_intervals(c, 3, x, other, NULL, 9, 0.9, 0, low, high) == HD_ERR_ARGUMENT);
        CHECK(hd_statistics_intervals(c, 3, other, other, NULL, 9, 0.9, 0, low, high) == HD_ERR_MEMORY);
        hd_context_fail_allocation(c, 0);
    }
}

/* The interval of a mean is known: mae of q against 0, where q > 0, is the mean of q. */
static void check_intervals(void)
{
    double q[N], zero[N], low[HD_STATISTICS], high[HD_STATISTICS], other_low[HD_STATISTICS], other_high[HD_STATISTICS], mean = 0, square = 0;
    const hd_rng rng = hd_rng_stream(9, 9, 9);
    for (int i = 0; i < N; i++) {
        q[i] = 1 + hd_rng_uniform(rng, (uint64_t)i);
        zero[i] = 0;
        mean += q[i] / N;
        square += q[i] * q[i] / N;
    }
    const double error = sqrt((square - mean * mean) / N);
    CHECK(hd_statistics_intervals(c, N, q, zero, NULL, 4000, 0.95, 5, low, high) == HD_OK);
    NEAR(low[HD_STATISTIC_MAE], mean - 1.96 * error, 0.15 * error);
    NEAR(high[HD_STATISTIC_MAE], mean + 1.96 * error, 0.15 * error);
    double ratings[N];
    fill(N, 1, q, ratings);
    CHECK(hd_statistics_intervals(c, N, q, ratings, NULL, 200, 0.9, 5, low, high) == HD_OK);
    CHECK(low[HD_STATISTIC_KROCC] < statistic(HD_STATISTIC_KROCC, N, q, ratings) && high[HD_STATISTIC_KROCC] > statistic(HD_STATISTIC_KROCC, N, q, ratings));
    CHECK(hd_context_set_threads(c, 3) == HD_OK);
    CHECK(hd_statistics_intervals(c, N, q, ratings, NULL, 200, 0.9, 5, other_low, other_high) == HD_OK);
    CHECK(!memcmp(low, other_low, 5 * sizeof *low) && !memcmp(high, other_high, 5 * sizeof *high)); /* the sixth is NaN */
    CHECK(hd_statistics_intervals(c, N, q, ratings, NULL, 200, 0.9, 6, other_low, other_high) == HD_OK);
    CHECK(memcmp(low, other_low, 5 * sizeof *low) != 0);
}

static double curve(int kind, const double *b, double x)
{
    return kind == HD_MAPPING_LINEAR      ? b[0] + b[1] * x
           : kind == HD_MAPPING_LOGISTIC4 ? (b[0] - b[1]) / (1 + exp(-(x - b[2]) / b[3])) + b[1]
                                          : b[0] * (0.5 - 1 / (1 + exp(b[1] * (x - b[2])))) + b[3] * x + b[4];
}

static double fit(int kind, int n, const double *q, const double *y, double *b, double *used)
{
    double sum = 0;
    CHECK(hd_mapping_fit(c, kind, n, q, y, b, used) == HD_OK);
    for (int i = 0; i < n; i++) {
        sum += pow(y[i] - curve((int)*used, b, q[i]), 2);
    }
    return sum;
}

/* What a curve made is found again, rising or falling, in any unit; errors of a line are orthogonal to it and to 1. */
static void check_mappings(void)
{
    static const double curves[][6] = { { HD_MAPPING_LINEAR, 3, -2 }, { HD_MAPPING_LOGISTIC4, 90, 10, 520, 40 }, { HD_MAPPING_LOGISTIC4, 1, 5, 480, 15 },
                                        { HD_MAPPING_LOGISTIC5, 60, 0.03, 530, 0.05, 20 }, { HD_MAPPING_LOGISTIC5, -2, 0.05, 470, -0.004, 3 } };
    double q[N], y[N], b[HD_MAPPING_MOST], used;
    for (int k = 0; k < 5; k++) {
        const int kind = (int)curves[k][0];
        for (int i = 0; i < N; i++) {
            q[i] = 500 + 50 * hd_rng_normal(hd_rng_stream(1, 2, 3), (uint64_t)i);
            y[i] = curve(kind, curves[k] + 1, q[i]);
        }
        const double scale = fabs(curves[k][1]) + fabs(curves[k][2]);
        CHECK(fit(kind, N, q, y, b, &used) <= 1e-12 * N * scale * scale && used == kind);
        for (int i = 0; i < N; i++) {
            y[i] += 0.05 * scale * hd_rng_normal(hd_rng_stream(2, 2, 3), (uint64_t)i);
        }
        double line[HD_MAPPING_MOST], is_line, along[2] = { 0 };
        const double errors = fit(kind, N, q, y, b, &used), by_line = fit(HD_MAPPING_LINEAR, N, q, y, line, &is_line);
        CHECK(is_line == HD_MAPPING_LINEAR && errors <= by_line);
        for (int i = 0; i < N; i++) {
            along[0] += y[i] - curve(HD_MAPPING_LINEAR, line, q[i]);
            along[1] += (y[i] - curve(HD_MAPPING_LINEAR, line, q[i])) * (q[i] - 500);
        }
        NEAR(along[0], 0, 1e-9 * N * scale);
        NEAR(along[1], 0, 1e-9 * N * scale * 50);
        for (int i = 0; used == kind && kind != HD_MAPPING_LINEAR && i < 5 - (kind == HD_MAPPING_LOGISTIC4); i++) { /* a minimum */
            double moved[HD_MAPPING_MOST], sum = 0;
            memcpy(moved, b, sizeof b);
            moved[i] *= 1.001;
            for (int r = 0; r < N; r++) {
                sum += pow(y[r] - curve(kind, moved, q[r]), 2);
            }
            CHECK(sum >= errors);
        }
    }
}

static void check_plain_mappings(void)
{
    const double q[] = { 1, 2, 3, 4 }, same[] = { 2, 2, 2, 2 }, y[] = { 2, 4, 6, 8 };
    double b[HD_MAPPING_MOST], used;
    for (int kind = HD_MAPPING_LINEAR; kind <= HD_MAPPING_LOGISTIC5; kind++) { /* nothing fits better than a line that fits */
        CHECK(hd_mapping_fit(c, kind, 4, q, y, b, &used) == HD_OK && used == HD_MAPPING_LINEAR && b[0] == 0 && b[1] == 2);
        CHECK(hd_mapping_fit(c, kind, 4, same, y, b, &used) == HD_OK);
        NEAR(curve((int)used, b, 2), 5, 1e-9); /* scores that do not vary: the mean */
    }
    CHECK(hd_mapping_fit(c, 3, 4, q, y, b, &used) == HD_ERR_ARGUMENT && hd_mapping_fit(c, 0, 1, q, y, b, &used) == HD_ERR_ARGUMENT);
    CHECK(hd_mapping_fit(c, 0, 2, q, (double[]){ 1, INFINITY }, b, &used) == HD_ERR_ARGUMENT);
    hd_context_fail_allocation(c, 1);
    CHECK(hd_mapping_fit(c, HD_MAPPING_LOGISTIC4, 4, q, y, b, &used) == HD_ERR_MEMORY);
    hd_context_fail_allocation(c, 0);
}

int main(void)
{
    c = hd_context_new(1);
    const double before = hd_context_memory(c, 0);
    check_by_hand();
    check_definitions();
    check_laws();
    check_refusals();
    check_mappings();
    check_plain_mappings();
    CHECK(hd_context_memory(c, 0) == before);
    check_intervals();
    hd_context_free(c);
    return check_result("statistics");
}
