/* What the optimiser keeps can be read and put into another model, which then trains on to the same bits. */
#include "fit_kit.h"

#include <math.h>

enum { SIZE_H = 3 * 2 };

static void train(hd_model *m, hd_data *d, double first, double end)
{
    double options[] = { 7, end, 1, 5, first };
    hd_fit *f = hd_fit_new(m, d, 0, ROWS, options, COUNT(options));
    while (f && !hd_fit_done(f)) {
        kit_must(c, hd_fit_step(f, 3));
    }
    CHECK(f != NULL);
    hd_fit_free(f);
}

static void copy_state(hd_model *to, hd_model *from)
{
    for (int i = 0; i < hd_weight_count(from); i++) {
        size_t bytes = kit_size(from, hd_weight_name(from, i)) * sizeof(hd_real);
        memcpy(hd_weight_data(to, i), hd_weight_data(from, i), bytes);
        for (int slot = 0; slot < hd_optimizer_slots(from); slot++) {
            memcpy(hd_optimizer_slot(to, slot, i), hd_optimizer_slot(from, slot, i), bytes);
        }
    }
    int h = hd_node_find(from, "h");
    memcpy(hd_activity_mean(to, h), hd_activity_mean(from, h), SIZE_H * sizeof(hd_real));
    kit_must(c, hd_weights_check(to));
    kit_must(c, hd_optimizer_restore(to, hd_optimizer_step(from)));
}

static hd_model *make_sparse(const char *optimizer)
{
    hd_model *m = make_graph();
    kit_must(c, hd_activity_set(m, "h", "klSparsity", NULL, 0));
    kit_must(c, hd_model_build(m, 4));
    compile(m, optimizer, 0.01, 1, 0.5);
    return m;
}

static void test_goes_on(const char *optimizer, int slots)
{
    hd_data *d = make_rows(0, ROWS);
    hd_model *whole = make_sparse(optimizer), *half = make_sparse(optimizer), *rest = make_sparse(optimizer);
    CHECK(hd_optimizer_slots(whole) == slots);
    train(whole, d, 0, 6);
    train(half, d, 0, 3);
    copy_state(rest, half);
    train(rest, d, 3, 6);
    CHECK(hd_optimizer_step(rest) == hd_optimizer_step(whole) && hd_optimizer_step(rest) == 30);
    for (int i = 0; i < hd_weight_count(whole); i++) {
        CHECK(!memcmp(hd_weight_data(rest, i), hd_weight_data(whole, i), kit_size(whole, hd_weight_name(whole, i)) * sizeof(hd_real)));
    }
    hd_model_free(whole);
    hd_model_free(half);
    hd_model_free(rest);
    hd_data_free(d);
}

static void test_refusals(void)
{
    hd_model *m = make_graph();
    CHECK(hd_optimizer_slots(m) == 0 && !hd_optimizer_slot(m, 0, 0) && !hd_activity_mean(m, 1) && !hd_activity_mean(m, 99));
    CHECK(hd_optimizer_restore(m, 0) == HD_ERR_STATE);
    kit_must(c, hd_weight_set(m, "h/U", "frozen", (double[]){ 1 }, 1));
    kit_must(c, hd_model_build(m, 4));
    compile(m, "adam", 0.01, 1, 1);
    CHECK(!hd_optimizer_slot(m, 0, 0) && !hd_optimizer_slot(m, 2, 1) && !hd_optimizer_slot(m, -1, 1) && !hd_optimizer_slot(m, 0, 99));
    hd_context_fail_allocation(c, 1);
    CHECK(!hd_optimizer_slot(m, 1, 1) && hd_error_status(c) == HD_ERR_MEMORY);
    hd_real *slot = hd_optimizer_slot(m, 1, 1);
    CHECK(slot && slot[0] == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(hd_optimizer_restore(m, ((double[]){ -1, 0.5, NAN })[i]) == HD_ERR_ARGUMENT);
    }
    slot[0] = (hd_real)INFINITY;
    CHECK(hd_optimizer_restore(m, 3) == HD_ERR_ARGUMENT && strstr(hd_error(c), "slot 1 of weight h/V") && hd_optimizer_step(m) == 0);
    hd_model_free(m);
}

int main(void)
{
    c = hd_context_new(1);
    test_goes_on("adam", 2);
    test_goes_on("sgd", 1);
    test_refusals();
    hd_context_free(c);
    return check_result("optimizer state");
}
