/* Sums over samples: against plain loops in float64, for every way to hand the samples in, and after errors. */
#include "solve_kit.h"

#include <stdbool.h>

/* Largest difference of the sums from those of rows [begin, end), relative to the largest of them. */
static double sums_error(const problem *p, hd_gram *gram, int begin, int end)
{
    const double *g = hd_gram_values(gram, HD_GRAM_G), *c = hd_gram_values(gram, HD_GRAM_C);
    double worst = 0, most = 0;
    for (int i = 0; i < p->n + p->q; i++) {
        for (int j = 0; j <= (i < p->n ? i : p->n - 1); j++) {
            double sum = 0;
            for (int r = begin; r < end; r++) {
                sum += (double)(i < p->n ? p->y[r * p->n + i] : p->t[r * p->q + i - p->n]) * (double)p->y[r * p->n + j];
            }
            double error = fabs(sum - (i < p->n ? g[i * p->n + j] : c[(i - p->n) * p->n + j]));
            worst = error <= worst ? worst : error; /* NaN stays */
            most = fabs(sum) > most ? fabs(sum) : most;
        }
    }
    return worst / most;
}

static void check_totals(const problem *p, hd_gram *g, int begin, int end)
{
    double squares = 0;
    for (int i = begin * p->q; i < end * p->q; i++) {
        squares += (double)p->t[i] * (double)p->t[i];
    }
    NEAR(hd_gram_values(g, HD_GRAM_TOTALS)[0], end - begin, 0);
    NEAR(hd_gram_values(g, HD_GRAM_TOTALS)[1], squares, 1e-6 * squares);
}

/* In one call, in many, in batches of any size; more rows than are summed in float32. */
static void test_chunks(void)
{
    static const int batches[] = { 1, 7, 512, 4096 };
    problem p = make_problem(1, 5000, 21, 4, 3, 1);
    hd_gram *g = hd_gram_new(p.c, p.n, p.q);
    for (int i = 0; i < 4; i++) {
        CHECK(hd_gram_reset(g) == HD_OK && hd_gram_add(g, NULL, 0, p.d, 0, p.rows, batches[i], 1, 0) == HD_OK);
        CHECK(sums_error(&p, g, 0, p.rows) <= 2e-6);
        check_totals(&p, g, 0, p.rows);
    }
    CHECK(hd_gram_reset(g) == HD_OK);
    for (int at = 0; at < p.rows; at += 1250) {
        CHECK(hd_gram_add(g, NULL, 0, p.d, at, at + 1250, 100, 1, 0) == HD_OK);
    }
    CHECK(sums_error(&p, g, 0, p.rows) <= 2e-6);
    CHECK(hd_gram_add(g, NULL, 0, p.d, 1000, p.rows, 300, -1, 0) == HD_OK); /* all but the first 1,000 are taken away */
    CHECK(sums_error(&p, g, 0, 1000) <= 2e-5);
    check_totals(&p, g, 0, 1000);
    hd_gram_free(g);
    free_problem(&p);
}

/* Features that are added to others: only their sums are missing. A known feature that is not finite is noticed. */
static void test_known(bool labels)
{
    enum { ROWS = 5000, N = 290, Q = 3, KNOWN = 20 };
    problem p = make_problem(2, ROWS, N, Q, 4, 2);
    hd_data *numbered = hd_data_new(p.c, ROWS), *d = labels ? numbered : p.d;
    hd_real *y = hd_data_column(numbered, HD_COLUMN_INPUT, 0, HD_FLOAT, N, 1, 0);
    hd_real *classes = hd_data_column(numbered, HD_COLUMN_TARGET, 0, HD_FLOAT, 1, 1, 0);
    memcpy(y, p.y, (size_t)ROWS * N * sizeof *y);
    for (int i = 0; i < ROWS; i++) {
        classes[i] = (hd_real)(i * 7 / 5 % Q);
        for (int k = 0; labels && k < Q; k++) {
            p.t[i * Q + k] = i * 7 / 5 % Q == k;
        }
    }
    hd_gram *whole = hd_gram_new(p.c, N, Q), *grown = hd_gram_new(p.c, N, Q);
    CHECK(hd_gram_add(whole, NULL, 0, d, 0, ROWS, 300, 1, 0) == HD_OK);
    static const int rows[] = { KNOWN, Q, 1 }, widths[] = { N, N, 2 }, cols[] = { KNOWN, KNOWN, 2 };
    for (int which = HD_GRAM_G; which <= HD_GRAM_TOTALS; which++) {
        for (int i = 0; i < rows[which]; i++) {
            const size_t at = (size_t)(i * widths[which]);
            memcpy(hd_gram_values(grown, which) + at, hd_gram_values(whole, which) + at, (size_t)cols[which] * sizeof(double));
        }
    }
    CHECK(hd_gram_add(grown, NULL, 0, d, 0, ROWS, 300, 1, KNOWN) == HD_OK && sums_error(&p, grown, 0, ROWS) <= 2e-6);
    check_totals(&p, grown, 0, ROWS);
    (labels ? y : p.y)[4500 * N + 3] = (hd_real)INFINITY;
    CHECK(hd_gram_add(grown, NULL, 0, d, 0, ROWS, 300, 1, KNOWN) == HD_ERR_DIVERGED && strstr(hd_error(p.c), "features of row 4500 are not finite"));
    CHECK(hd_gram_add(grown, NULL, 0, d, 0, ROWS, 300, 1, N) == HD_ERR_ARGUMENT && strstr(hd_error(p.c), "290 known features, expected 0..289"));
    check_totals(&p, grown, 0, ROWS);
    hd_gram_free(whole), hd_gram_free(grown);
    hd_data_free(numbered);
    free_problem(&p);
}

/* Class numbers, as float or as bytes, are one-hot targets; bytes are scaled. */
static void test_labels(void)
{
    enum { ROWS = 900, N = 300, Q = 3 };
    problem p = make_problem(2, ROWS, N, Q, 1, 2);
    hd_data *bytes = hd_data_new(p.c, ROWS), *floats = hd_data_new(p.c, ROWS);
    uint8_t *y = hd_data_column(bytes, HD_COLUMN_INPUT, 0, HD_UINT8, N, 0.25, -1), *label = hd_data_column(bytes, HD_COLUMN_TARGET, 0, HD_UINT8, 1, 1, 0);
    hd_real *same = hd_data_column(floats, HD_COLUMN_INPUT, 0, HD_FLOAT, N, 1, 0), *number = hd_data_column(floats, HD_COLUMN_TARGET, 0, HD_FLOAT, 1, 1, 0);
    must(p.c, y && label && same && number);
    for (int i = 0; i < ROWS; i++) {
        label[i] = (uint8_t)(i * 7 % Q);
        number[i] = (hd_real)label[i];
        for (int k = 0; k < Q; k++) {
            p.t[i * Q + k] = k == label[i];
        }
        for (int k = 0; k < N; k++) {
            y[i * N + k] = (uint8_t)((i * 31 + k * 17) % 11);
            same[i * N + k] = p.y[i * N + k] = (hd_real)(y[i * N + k] * 0.25 - 1);
        }
    }
    hd_data *sources[] = { p.d, bytes, floats };
    hd_gram *g = hd_gram_new(p.c, N, Q);
    for (int i = 0; i < 3; i++) { /* all numbers are small multiples of 1/4: the sums are exact */
        CHECK(hd_gram_reset(g) == HD_OK && hd_gram_add(g, NULL, 0, sources[i], 0, ROWS, 256, 1, 0) == HD_OK);
        CHECK(sums_error(&p, g, 0, ROWS) == 0);
        check_totals(&p, g, 0, ROWS);
    }
    number[5] = 3;
    CHECK(hd_gram_add(g, NULL, 0, floats, 0, ROWS, 256, 1, 0) == HD_ERR_ARGUMENT && strstr(hd_error(p.c), "label of row 5 = 3, expected a class 0..2"));
    number[5] = (hd_real)NAN;
    CHECK(hd_gram_add(g, NULL, 0, floats, 0, ROWS, 256, 1, 0) == HD_ERR_ARGUMENT);
    number[5] = (hd_real)0.5;
    CHECK(hd_gram_add(g, NULL, 0, floats, 0, ROWS, 256, 1, 0) == HD_ERR_ARGUMENT && sums_error(&p, g, 0, ROWS) == 0);
    hd_data_free(bytes), hd_data_free(floats), hd_gram_free(g);
    free_problem(&p);
}

/* Features of a node: those that hd_predict gives. */
static void test_model(void)
{
    problem p = make_problem(1, 700, 6, 2, 1, 3), f = { .rows = 700, .n = 18, .q = 2, .t = p.t };
    hd_model *m = hd_model_new(p.c);
    int x = hd_input(m, "x", &p.n, 1), h = hd_layer(m, "dense", "h", &x, 1, (double[]){ 18, 2 }, 2);
    hd_layer(m, "dense", "y", &h, 1, (double[]){ 2 }, 1);
    hd_gram *g = hd_gram_new(p.c, 18, 2);
    CHECK(hd_gram_add(g, m, h, p.d, 0, 10, 5, 1, 0) == HD_ERR_STATE);
    must(p.c, hd_model_build(m, 1) == HD_OK);
    f.y = malloc(sizeof *f.y * 700 * 18);
    CHECK(hd_predict(m, p.d, h, 0, 700, 700, f.y) == HD_OK);
    CHECK(hd_gram_add(g, m, h, p.d, 0, 700, 64, 1, 0) == HD_OK && sums_error(&f, g, 0, 700) <= 1e-6);
    CHECK(hd_gram_add(g, m, h + 9, p.d, 0, 700, 64, 1, 0) == HD_ERR_ARGUMENT && hd_gram_add(g, m, x, p.d, 0, 700, 64, 1, 0) == HD_ERR_SHAPE);
    CHECK(strstr(hd_error(p.c), "6 features a row, expected 18") && sums_error(&f, g, 0, 700) <= 1e-6);
    hd_gram_free(g), hd_model_free(m), free(f.y);
    free_problem(&p);
}

/* An error leaves the sums as they were: of the rows before the culprit, those already added are taken out again. */
static void test_errors(void)
{
    problem p = make_problem(1, 6000, 5, 2, 1, 4);
    double *g = hd_gram_values(p.g, HD_GRAM_G), before[25];
    memcpy(before, g, sizeof before);
    const hd_real feature = p.y[5900 * 5 + 3], target = p.t[5000 * 2 + 1];
    p.y[5900 * 5 + 3] = (hd_real)NAN;
    CHECK(hd_gram_add(p.g, NULL, 0, p.d, 0, 6000, 100, 1, 0) == HD_ERR_DIVERGED && strstr(hd_error(p.c), "features of row 5900 are not finite"));
    p.y[5900 * 5 + 3] = feature;
    p.t[5000 * 2 + 1] = (hd_real)INFINITY;
    CHECK(hd_gram_add(p.g, NULL, 0, p.d, 0, 6000, 100, 1, 0) == HD_ERR_DIVERGED && strstr(hd_error(p.c), "targets of row 5000 are not finite"));
    p.t[5000 * 2 + 1] = target;
#ifndef HD_FLOAT64
    p.y[5900 * 5 + 3] = (hd_real)1e30;
    CHECK(hd_gram_add(p.g, NULL, 0, p.d, 0, 6000, 100, 1, 0) == HD_ERR_DIVERGED && strstr(hd_error(p.c), "rows up to 5999: squares too large"));
    p.y[5900 * 5 + 3] = feature;
#endif
    for (int i = 0; i < 25; i++) {
        NEAR(g[i], before[i], 1e-12 * fabs(before[0]));
    }
    NEAR(hd_gram_values(p.g, HD_GRAM_TOTALS)[0], 6000, 0);
    static const int wrong[][4] = { { 0, 10, 0, 1 }, { 0, 10, 5000, 1 }, { 0, 10, 5, 2 }, { 5, 5, 5, 1 }, { 0, 6001, 5, 1 }, { -1, 5, 5, 1 } };
    for (int i = 0; i < 6; i++) {
        CHECK(hd_gram_add(p.g, NULL, 0, p.d, wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3], 0) == HD_ERR_ARGUMENT);
    }
    hd_context_fail_allocation(p.c, 1);
    CHECK(hd_gram_add(p.g, NULL, 0, p.d, 0, 10, 5, 1, 0) == HD_ERR_MEMORY);
    CHECK(!hd_gram_new(p.c, 0, 1) && !hd_gram_new(p.c, 1, 0) && !hd_gram_new(p.c, 16385, 1) && hd_error_status(p.c) == HD_ERR_ARGUMENT);
    hd_gram *narrow = hd_gram_new(p.c, 4, 2), *other = hd_gram_new(p.c, 5, 3);
    CHECK(hd_gram_add(narrow, NULL, 0, p.d, 0, 10, 5, 1, 0) == HD_ERR_SHAPE && strstr(hd_error(p.c), "5 features a row, expected 4"));
    CHECK(hd_gram_add(other, NULL, 0, p.d, 0, 10, 5, 1, 0) == HD_ERR_SHAPE && strstr(hd_error(p.c), "2 targets a row, expected 3, or a class number"));
    CHECK(!hd_gram_values(p.g, 3));
    hd_gram_free(narrow), hd_gram_free(other);
    free_problem(&p);
}

int main(void)
{
    test_chunks();
    test_known(false);
    test_known(true);
    test_labels();
    test_model();
    test_errors();
    return check_result("gram");
}
