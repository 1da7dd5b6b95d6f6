/* Full-batch training. An evaluation goes over all rows in batches, its gradient summed in float64; each call of
 * hd_fit_step takes one batch, so that it can be stopped at any. An accepted iterate of L-BFGS is an epoch.
 *
 * Activity regularisers need the means of the whole set before the first gradient, so they cost a forward pass more.
 * Constrained weights are w = project(q), and L-BFGS is free in q. */
#include "model/fit.h"

#include "kern/elementwise.h"

#include <math.h>
#include <string.h>

static bool has_activity(const hd_model *m)
{
    for (int i = 0; i < m->n_nodes; i++) {
        if (m->node[i]->activity.class) {
            return true;
        }
    }
    return false;
}

static hd_status check_constraints(const hd_model *m)
{
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        if (!w->frozen && w->constraint && !w->constraint->pull_back) {
            return hd_fail(m->c, HD_ERR_UNSUPPORTED, "fit: weight %s: %s can't be used with %s, expected unitNorm or none",
                           w->name, w->constraint->name, m->optimizer->name);
        }
    }
    return HD_OK;
}

/* Statistics of a batch are no function of the weights and one sample, which the sum over batches supposes. */
static hd_status check_layers(const hd_model *m)
{
    for (int i = 0; i < m->n_nodes; i++) {
        bool fixed = false;
        for (int k = 0; k < m->node[i]->n_weights; k++) {
            fixed |= m->weight[m->node[i]->first_weight + k]->fixed;
        }
        if (m->node[i]->kept && !fixed) {
            char path[HD_PATH_SIZE];
            hd_node_path(m, i, path);
            return hd_fail(m->c, HD_ERR_UNSUPPORTED, "fit: %s can't be trained with %s, which adds up batches: freeze it, or use adam",
                           path, m->optimizer->name);
        }
    }
    return HD_OK;
}

hd_status hd_full_batch_new(hd_fit *f)
{
    hd_model *m = f->m;
    hd_status status = check_constraints(m);
    status = status ? status : check_layers(m);
    if (status) {
        return status;
    }
    hd_full_batch *full = f->full = hd_alloc(m->c, sizeof *full, "lbfgs");
    if (!full) {
        return HD_ERR_MEMORY;
    }
    full->gradient = hd_alloc(m->c, m->flat * sizeof *full->gradient, "lbfgs");
    full->q = hd_alloc(m->c, m->flat * sizeof *full->q, "lbfgs");
    full->lbfgs = hd_lbfgs_new(m->c, m->flat, &m->optimizer_opt);
    if (!full->gradient || !full->q || !full->lbfgs) {
        return HD_ERR_MEMORY;
    }
    hd_copy(m->c->pool, m->flat, m->w, full->q);
    full->means = has_activity(m);
    return HD_OK;
}

/* weights = project(q). Frozen weights keep theirs. */
static void weights_from(hd_fit *f, const real *q)
{
    hd_model *m = f->m;
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        if (w->frozen) {
            continue;
        }
        hd_copy(m->c->pool, w->size, q + w->offset, m->w + w->offset);
        if (w->constraint) {
            hd_weight_view view = hd_weight_as_matrix(m, w, &w->constraint_opt);
            w->constraint->project(&view, m->w + w->offset);
        }
    }
    hd_weights_changed(m, false);
}

void hd_full_batch_free(hd_fit *f)
{
    hd_full_batch *full = f->full;
    if (!full) {
        return;
    }
    if (full->trial) {
        hd_lbfgs_restore(full->lbfgs, full->q);
        weights_from(f, full->q);
    }
    hd_context *c = f->m->c;
    hd_lbfgs_free(c, full->lbfgs);
    hd_release(c, full->gradient);
    hd_release(c, full->q);
    hd_release(c, full);
    f->full = NULL;
}

static void begin_pass(hd_fit *f)
{
    hd_full_batch *full = f->full;
    weights_from(f, full->q);
    full->loss = 0;
    full->trial = hd_lbfgs_evaluations(full->lbfgs) > 0;
    memset(full->gradient, 0, f->m->flat * sizeof *full->gradient);
    hd_score_clear(&f->score);
    hd_fit_load_order(f);
    if (full->means) {
        hd_activity_begin(f->m);
    }
}

/* The whole gradient, in q, from the sums of the pass. */
static double end_evaluation(hd_fit *f)
{
    hd_model *m = f->m;
    for (size_t i = 0; i < m->flat; i++) {
        m->g[i] = (real)f->full->gradient[i];
    }
    double loss = f->full->loss + f->full->penalty + hd_penalties(m, true);
    double squares = 0;
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        if (!w->frozen && w->constraint) {
            hd_weight_view view = hd_weight_as_matrix(m, w, &w->constraint_opt);
            w->constraint->pull_back(&view, f->full->q + w->offset, m->g + w->offset);
        }
        for (size_t k = 0; k < w->size; k++) {
            squares += (double)m->g[w->offset + k] * (double)m->g[w->offset + k];
        }
    }
    f->gradient_norm = sqrt(squares);
    return loss;
}

static hd_status end_pass(hd_fit *f)
{
    hd_full_batch *full = f->full;
    hd_model *m = f->m;
    f->batch = 0;
    if (full->means) {
        full->penalty = hd_activity_end(m, true);
        full->means = false;
        return HD_OK;
    }
    double loss = end_evaluation(f);
    if (!full->trial && !isfinite(loss)) {
        return hd_fail(m->c, HD_ERR_DIVERGED, "fit: the loss is not finite at the start");
    }
    f->batch_loss = full->trial ? f->batch_loss : loss;
    hd_lbfgs_state state = hd_lbfgs_next(full->lbfgs, m->c->pool, loss, m->g, full->q);
    full->means = has_activity(m);
    m->step = (uint64_t)hd_lbfgs_iterations(full->lbfgs);
    f->converged = state == HD_LBFGS_CONVERGED || state == HD_LBFGS_STALLED;
    if (f->converged) {
        weights_from(f, full->q);
    }
    if (state != HD_LBFGS_EVALUATE) {
        full->trial = false;
        f->batch_loss = f->converged ? hd_lbfgs_restore(full->lbfgs, full->q) : loss;
        f->score.total = f->batch_loss * f->score.samples;
        full->batches = 0;
        hd_fit_finish_epoch(f);
    }
    return HD_OK;
}

hd_status hd_full_batch_step(hd_fit *f)
{
    hd_full_batch *full = f->full;
    hd_model *m = f->m;
    if (f->batch == 0) {
        begin_pass(f);
    }
    int rows = f->end - f->begin, at = f->batch * f->batch_size;
    int n = rows - at < f->batch_size ? rows - at : f->batch_size;
    hd_pass pass = { .n = n, .training = true, .seed = f->seed, .step = (uint32_t)f->batch, .samples = rows,
                     .activity = full->means ? HD_ACTIVITY_COUNT : HD_ACTIVITY_GIVEN };
    hd_plan_load(f->plan, f->data, f->order + at, 0, n);
    hd_plan_forward(f->plan, &pass);
    if (!full->means) {
        full->loss += hd_plan_losses(f->plan, &pass, f->data, &f->score);
        hd_plan_backward(f->plan, &pass);
        for (size_t i = 0; i < m->flat; i++) {
            full->gradient[i] += (double)m->g[i];
        }
    }
    f->batch++;
    full->batches++;
    return f->batch == f->batches ? end_pass(f) : HD_OK;
}
