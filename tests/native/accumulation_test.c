/* One step from several batches is the step of one large batch; gradients from elsewhere make the same step. */
#include "fit_kit.h"

static hd_real *weights_of(hd_model *m, size_t *n)
{
    hd_real *all = NULL;
    *n = 0;
    for (int i = 0; i < hd_weight_count(m); i++) {
        int dims[6], rank = hd_weight_shape(m, i, dims);
        size_t size = 1;
        for (int k = 0; k < rank; k++) {
            size *= (size_t)dims[k];
        }
        all = realloc(all, (*n + size) * sizeof *all);
        memcpy(all + *n, hd_weight_data(m, i), size * sizeof *all);
        *n += size;
    }
    return all;
}

static void same_weights(hd_model *a, hd_model *b, double tolerance)
{
    size_t n, k;
    hd_real *x = weights_of(a, &n), *y = weights_of(b, &k);
    double difference = kit_difference(n, x, y);
    CHECK(n == k && difference <= tolerance);
    free(x);
    free(y);
}

static hd_model *trained(hd_data *d, double batch, double epochs, double group)
{
    hd_model *m = make_model("adam", 0.01);
    CHECK(hd_weight_set(m, "h/U", "l2", (double[]){ 0.1 }, 1) == HD_OK);
    double options[] = { batch, epochs, 1, 5, 0, 0, group };
    hd_fit *f = hd_fit_new(m, d, 0, ROWS, options, COUNT(options));
    while (f && !hd_fit_done(f)) {
        kit_must(c, hd_fit_step(f, 1));
    }
    CHECK(f && hd_fit_stat(f, HD_FIT_STEP) == epochs * (group ? ceil(ceil(ROWS / batch) / group) : 1));
    hd_fit_free(f);
    return m;
}

/* 30 rows: as one batch, as 4 uneven ones of a whole epoch, and in groups; with other threads, the same bits. */
static void test_groups(void)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *whole = trained(d, ROWS, 3, 1), *epoch = trained(d, 8, 3, 0), *many = trained(d, 8, 3, 9);
    same_weights(epoch, whole, TOL(1e-5));
    same_weights(many, epoch, 0);
    hd_model *pairs = trained(d, 5, 3, 2), *tens = trained(d, 10, 3, 1);
    same_weights(pairs, tens, TOL(1e-5));
    kit_must(c, hd_context_set_threads(c, 3));
    hd_model *again = trained(d, 8, 3, 0);
    same_weights(again, epoch, 0);
    kit_must(c, hd_context_set_threads(c, 1));
    hd_model *all[] = { whole, epoch, many, pairs, tens, again };
    for (int i = 0; i < COUNT(all); i++) {
        hd_model_free(all[i]);
    }
    hd_data_free(d);
}

/* Fed batches: the end of the epoch closes a group that is not complete. */
static void test_fed(void)
{
    hd_data *d = make_rows(0, ROWS), *part[] = { make_rows(0, 12), make_rows(12, 24), make_rows(24, 30) };
    hd_model *whole = make_model("adam", 0.01), *fed = make_model("adam", 0.01);
    double all[] = { ROWS, 1, 0 }, options[] = { 12, 1, 0, 0, 0, 0, 5 };
    hd_fit *f = hd_fit_new(whole, d, 0, ROWS, all, COUNT(all)), *g = hd_fit_new(fed, NULL, 0, 0, options, COUNT(options));
    kit_must(c, hd_fit_step(f, 1));
    for (int i = 0; i < 3; i++) {
        kit_must(c, hd_fit_batch(g, part[i]));
        CHECK(hd_fit_stat(g, HD_FIT_STEP) == 0);
        hd_data_free(part[i]);
    }
    kit_must(c, hd_fit_end_epoch(g));
    CHECK(hd_fit_stat(g, HD_FIT_STEP) == 1 && hd_fit_done(g));
    NEAR(hd_fit_stat(g, HD_FIT_LOSS), hd_fit_stat(f, HD_FIT_LOSS), TOL(1e-6));
    same_weights(fed, whole, TOL(1e-5));
    hd_fit_free(f);
    hd_fit_free(g);
    hd_model_free(whole);
    hd_model_free(fed);
    hd_data_free(d);
}

/* Two workers with half of the rows each: the mean of their gradients makes the step of all rows. */
static void test_gradients_from_elsewhere(void)
{
    hd_data *d = make_rows(0, ROWS), *half[] = { make_rows(0, ROWS / 2), make_rows(ROWS / 2, ROWS) };
    hd_model *whole = make_model("adam", 0.01), *m = make_model("adam", 0.01), *worker = make_model("adam", 0.01);
    double all[] = { ROWS, 1, 0 }, loss[2], options[] = { 1, 2 };
    hd_fit *f = hd_fit_new(whole, d, 0, ROWS, all, COUNT(all));
    kit_must(c, hd_fit_step(f, 1));
    CHECK(!hd_gradient_data(m, 0));
    hd_fit *g = hd_fit_new(m, NULL, 0, 0, options, COUNT(options));
    for (int h = 0; h < 2; h++) {
        kit_must(c, hd_gradients(worker, half[h], 0, ROWS / 2, 0, 0, &loss[h]));
        for (int i = 0; i < hd_weight_count(m); i++) {
            int dims[6], rank = hd_weight_shape(m, i, dims);
            const hd_real *from = hd_weight_gradient(worker, i);
            hd_real *to = hd_gradient_data(m, i);
            for (int k = 0, n = rank == 1 ? dims[0] : dims[0] * dims[1]; k < n; k++) {
                to[k] = (h ? to[k] : 0) + from[k] / 2;
            }
        }
        hd_data_free(half[h]);
    }
    CHECK(hd_fit_apply_gradients(g, NAN, ROWS) == HD_ERR_ARGUMENT);
    kit_must(c, hd_fit_apply_gradients(g, (loss[0] + loss[1]) / 2, ROWS));
    NEAR(hd_fit_stat(g, HD_FIT_LOSS), hd_fit_stat(f, HD_FIT_LOSS), TOL(1e-6));
    same_weights(m, whole, TOL(1e-5));
    hd_gradient_data(m, 0)[0] = (hd_real)INFINITY;
    CHECK(hd_fit_apply_gradients(g, 1, ROWS) == HD_ERR_DIVERGED);
    same_weights(m, whole, TOL(1e-5));
    CHECK(hd_fit_apply_gradients(f, 1, ROWS) == HD_ERR_STATE);
    hd_fit_free(f);
    hd_fit_free(g);
    hd_model_free(whole);
    hd_model_free(m);
    hd_model_free(worker);
    hd_data_free(d);
}

static void test_refusals(void)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *m = make_model("adam", 0.01);
    double negative[] = { 8, 1, 1, 0, 0, 0, -1 }, two[] = { 8, 1, 1, 0, 0, 0, 2 };
    CHECK(!hd_fit_new(m, d, 0, ROWS, negative, COUNT(negative)) && hd_error_status(c) == HD_ERR_ARGUMENT);
    kit_must(c, hd_optimizer_set(m, "lbfgs", NULL, 0));
    CHECK(!hd_fit_new(m, d, 0, ROWS, two, COUNT(two)) && hd_error_status(c) == HD_ERR_UNSUPPORTED);
    hd_model_free(m);
    hd_data_free(d);
}

int main(void)
{
    c = hd_context_new(1);
    test_groups();
    test_fed();
    test_gradients_from_elsewhere();
    test_refusals();
    hd_context_free(c);
    return check_result("accumulation");
}
