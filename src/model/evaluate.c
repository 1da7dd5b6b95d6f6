/* Inference: losses and metrics over rows, values of a node, gradients of one batch. */
#include "model/plan.h"

#include "kern/elementwise.h"

#include <math.h>
#include <string.h>

static const hd_pass inference = { .samples = 1, .activity = HD_ACTIVITY_COUNT };

hd_status hd_evaluate_begin(hd_model *m, int batch_size)
{
    if (!m->n_losses) {
        return hd_fail(m->c, HD_ERR_STATE, "evaluate: the model has no loss yet: compile it first");
    }
    if (batch_size < 1) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "evaluate: batch size = %d, expected at least 1", batch_size);
    }
    hd_plan_free(m->evaluate_plan);
    m->evaluate_plan = hd_plan_new(m, HD_PLAN_EVALUATE, NULL, 0, batch_size);
    if (!m->evaluate_plan) {
        return HD_ERR_MEMORY;
    }
    hd_score_free(m->c, &m->result);
    if (hd_score_new(m, &m->result)) {
        hd_plan_free(m->evaluate_plan);
        m->evaluate_plan = NULL;
        return HD_ERR_MEMORY;
    }
    hd_activity_begin(m);
    return HD_OK;
}

hd_status hd_evaluate_rows(hd_model *m, hd_data *d, int begin, int end)
{
    hd_plan *plan = m->evaluate_plan;
    if (!plan) {
        return hd_fail(m->c, HD_ERR_STATE, "evaluate: hd_evaluate_begin must come first");
    }
    if (hd_data_range(m->c, d, begin, end) || hd_data_fits_inputs(m, d) || hd_data_fits_targets(m, d, begin, end)) {
        return m->c->status;
    }
    for (int at = begin; at < end; at += plan->capacity) {
        hd_pass pass = inference;
        pass.n = end - at < plan->capacity ? end - at : plan->capacity;
        hd_plan_load(plan, d, NULL, at, pass.n);
        hd_plan_forward(plan, &pass);
        m->result.total += hd_plan_losses(plan, &pass, d, &m->result);
    }
    return HD_OK;
}

hd_status hd_evaluate_end(hd_model *m)
{
    if (!m->evaluate_plan) {
        return hd_fail(m->c, HD_ERR_STATE, "evaluate: hd_evaluate_begin must come first");
    }
    hd_plan_free(m->evaluate_plan);
    m->evaluate_plan = NULL;
    m->penalty = hd_penalties(m, false) + hd_activity_end(m, false);
    return HD_OK;
}

double hd_evaluate_total(const hd_model *m)
{
    return m->result.samples ? m->result.total / m->result.samples + m->penalty : NAN;
}

double hd_evaluate_loss(const hd_model *m, int loss)
{
    return hd_score_loss(m, &m->result, loss);
}

double hd_evaluate_metric(const hd_model *m, int metric, int i)
{
    return hd_score_metric(m, &m->result, metric, i);
}

static hd_plan *predict_plan(hd_model *m, const int *nodes, int n_nodes, int batch_size)
{
    hd_plan *p = m->predict_plan;
    if (!p || p->n_nodes != n_nodes || memcmp(p->node, nodes, (size_t)n_nodes * sizeof *nodes) || p->capacity != batch_size) {
        hd_plan_free(m->predict_plan); /* first: two at a time may be too large */
        p = m->predict_plan = hd_plan_new(m, HD_PLAN_PREDICT, nodes, n_nodes, batch_size);
    }
    return p;
}

static hd_status check_predict(hd_model *m, const int *nodes, int n_nodes, int batch_size)
{
    if (!m->built) {
        return hd_fail(m->c, HD_ERR_STATE, "predict: the model is not built yet");
    }
    if (n_nodes < 1) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "predict: %d nodes, expected at least one", n_nodes);
    }
    for (int i = 0; i < n_nodes; i++) {
        if (nodes[i] < 0 || nodes[i] >= m->n_nodes || batch_size < 1) {
            return hd_fail(m->c, HD_ERR_ARGUMENT, "predict: node = %d, batch size = %d, expected a node 0..%d and a size of at least 1",
                           nodes[i], batch_size, m->n_nodes - 1);
        }
    }
    return HD_OK;
}

hd_status hd_predict_nodes(hd_model *m, hd_data *d, const int *nodes, int n_nodes, int begin, int end, int batch_size,
                           hd_real *out)
{
    if (check_predict(m, nodes, n_nodes, batch_size) || hd_data_range(m->c, d, begin, end) || hd_data_fits_inputs(m, d)) {
        return m->c->status;
    }
    hd_plan *plan = predict_plan(m, nodes, n_nodes, batch_size < end - begin ? batch_size : end - begin);
    if (!plan) {
        return HD_ERR_MEMORY;
    }
    for (int at = begin; at < end; at += plan->capacity) {
        hd_pass pass = inference;
        pass.n = end - at < plan->capacity ? end - at : plan->capacity;
        hd_plan_load(plan, d, NULL, at, pass.n);
        hd_plan_forward(plan, &pass);
        hd_real *to = out;
        for (int i = 0; i < n_nodes; i++) {
            size_t size = hd_shape_size(&m->node[nodes[i]]->out);
            hd_copy(m->c->pool, size * (size_t)pass.n, hd_plan_value(plan, i), to + (size_t)(at - begin) * size);
            to += (size_t)(end - begin) * size;
        }
    }
    return HD_OK;
}

hd_status hd_predict(hd_model *m, hd_data *d, int node, int begin, int end, int batch_size, hd_real *out)
{
    return hd_predict_nodes(m, d, &node, 1, begin, end, batch_size, out);
}

hd_status hd_gradients(hd_model *m, hd_data *d, int begin, int end, int training, double seed, double *loss)
{
    if (!m->n_losses || m->fit) {
        return hd_fail(m->c, HD_ERR_STATE, m->fit ? "gradients: a fit of this model is open"
                                                  : "gradients: the model has no loss yet: compile it first");
    }
    if (hd_data_range(m->c, d, begin, end) || hd_data_fits_inputs(m, d) || hd_data_fits_targets(m, d, begin, end)) {
        return m->c->status;
    }
    if (!(seed >= 0 && seed <= 9007199254740992.0)) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "gradients: seed = %g, expected a number 0..2^53", seed);
    }
    hd_score score;
    int n = end - begin;
    if (hd_gradients_ready(m) || hd_score_new(m, &score)) {
        return HD_ERR_MEMORY;
    }
    hd_plan *plan = hd_plan_new(m, HD_PLAN_TRAIN, NULL, 0, n);
    if (plan) {
        hd_pass pass = { .n = n, .training = training != 0, .seed = (uint64_t)seed, .samples = n,
                         .activity = HD_ACTIVITY_BATCH };
        hd_plan_load(plan, d, NULL, begin, n);
        *loss = hd_plan_forward(plan, &pass);
        *loss += hd_plan_losses(plan, &pass, d, &score);
        hd_plan_backward(plan, &pass);
        *loss += hd_penalties(m, true);
    }
    hd_plan_free(plan);
    hd_score_free(m->c, &score);
    return plan ? HD_OK : HD_ERR_MEMORY;
}
