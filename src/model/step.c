/* One step of a first-order optimiser on all weights: clip, keep to the constraints' tangent spaces, step, project. */
#include "model/fit.h"

#include "kern/elementwise.h"
#include "kern/reduce.h"

#include <math.h>

hd_status hd_slots_ready(hd_model *m)
{
    if (m->optimizer->slots && !m->slots) {
        m->slots = hd_alloc(m->c, (size_t)m->optimizer->slots * m->flat * sizeof(real), "optimizer state");
    }
    return m->slots || !m->optimizer->slots ? HD_OK : HD_ERR_MEMORY;
}

hd_status hd_pieces_new(hd_fit *f)
{
    hd_model *m = f->m;
    size_t most = (size_t)m->n_weights + m->flat / HD_BLOCK + 1;
    f->piece = hd_alloc(m->c, most * sizeof *f->piece, "optimizer");
    if (!f->piece) {
        return HD_ERR_MEMORY;
    }
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        for (size_t at = 0; at < w->size && !w->frozen && !w->idle; at += HD_BLOCK) {
            f->piece[f->n_pieces++] = (hd_piece){ i, at, w->size - at < HD_BLOCK ? w->size - at : HD_BLOCK };
        }
    }
    return hd_slots_ready(m);
}

static void clip_values(hd_model *m, real limit)
{
    for (size_t i = 0; i < m->flat; i++) {
        real g = m->g[i];
        m->g[i] = g > limit ? limit : g < -limit ? -limit : g;
    }
}

static hd_status clip(hd_fit *f)
{
    hd_model *m = f->m;
    double norm = sqrt(hd_sum_squares(m->c->pool, m->flat, m->g));
    f->gradient_norm = norm;
    if (!(norm <= 1e300)) {
        return hd_fail(m->c, HD_ERR_DIVERGED, "fit: the gradient is not finite at step %z: use a smaller learning rate",
                       (size_t)m->step + 1);
    }
    int option = m->optimizer->clip_option;
    double max_norm = option ? m->optimizer_opt.number[option] : 0;
    double max_value = option ? m->optimizer_opt.number[option + 1] : 0;
    if (max_norm > 0 && norm > max_norm) {
        hd_scale(m->c->pool, m->flat, (real)(max_norm / norm), m->g);
    }
    if (max_value > 0) {
        clip_values(m, (real)max_value);
    }
    return HD_OK;
}

static void keep_to_tangent(hd_model *m)
{
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        if (w->frozen || w->idle || !w->constraint || !w->constraint->tangent) {
            continue;
        }
        hd_weight_view view = hd_weight_as_matrix(m, w, &w->constraint_opt);
        w->constraint->tangent(&view, m->w + w->offset, m->g + w->offset);
        if (m->optimizer->momentum) {
            w->constraint->tangent(&view, m->w + w->offset, m->slots + w->offset);
        }
    }
}

typedef struct step_job {
    const hd_fit *f;
    hd_optimizer_run run;
} step_job;

static void run_piece(void *arg, int task, int thread)
{
    (void)thread;
    const step_job *job = arg;
    const hd_model *m = job->f->m;
    const hd_piece *piece = &job->f->piece[task];
    const hd_weight *w = m->weight[piece->weight];
    hd_optimizer_run r = job->run;
    size_t at = w->offset + piece->start;
    r.rate *= w->rate_factor;
    r.n = piece->n;
    r.w = m->w + at;
    r.g = m->g + at;
    for (int i = 0; i < m->optimizer->slots; i++) {
        r.slot[i] = m->slots + (size_t)i * m->flat + at;
    }
    m->optimizer->step(&r);
}

static double learning_rate(const hd_fit *f)
{
    const hd_model *m = f->m;
    double part = f->batches ? (double)f->batch / f->batches : 0;
    return f->base_rate *
           (m->schedule ? m->schedule->factor(&m->schedule_opt, f->epoch + part, f->epochs) : 1);
}

hd_status hd_fit_apply(hd_fit *f, const hd_pass *pass)
{
    hd_model *m = f->m;
    hd_status status = clip(f);
    if (status) {
        return status;
    }
    if (pass) {
        hd_plan_commit(f->plan, pass);
    }
    keep_to_tangent(m);
    f->rate = learning_rate(f);
    step_job job = { f, { .opt = &m->optimizer_opt, .step = ++m->step, .rate = f->rate } };
    if (m->optimizer->prepare) {
        m->optimizer->prepare(&job.run);
    }
    if (m->flat > HD_BLOCK) {
        hd_pool_run(m->c->pool, f->n_pieces, run_piece, &job);
    } else { /* waking threads would take longer */
        for (int i = 0; i < f->n_pieces; i++) {
            run_piece(&job, i, 0);
        }
    }
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        if (!w->frozen && !w->idle && w->constraint) {
            hd_weight_view view = hd_weight_as_matrix(m, w, &w->constraint_opt);
            w->constraint->project(&view, m->w + w->offset);
        }
    }
    hd_weights_changed(m, false);
    return HD_OK;
}

bool hd_group_ends(const hd_fit *f)
{
    return f->group.batches + 1 == f->group.size || (f->batches && f->batch + 1 == f->batches);
}

static void take_mean(hd_fit *f)
{
    hd_model *m = f->m;
    hd_copy(m->c->pool, m->flat, f->group.sum, m->g);
    hd_scale(m->c->pool, m->flat, (real)(1 / f->group.rows), m->g);
    f->group.batches = 0;
}

void hd_group_take(hd_fit *f, int n, bool last)
{
    hd_group *group = &f->group;
    hd_model *m = f->m;
    hd_pool *p = m->c->pool;
    if (!group->sum || (last && !group->batches)) {
        return; /* a group of one batch */
    }
    if (!group->batches) {
        hd_fill(p, m->flat, 0, group->sum);
        group->rows = 0;
    }
    hd_axpy(p, m->flat, (real)n, m->g, group->sum);
    group->rows += n;
    group->batches++;
    if (last) {
        take_mean(f);
    }
}

hd_status hd_group_close(hd_fit *f)
{
    if (!f->group.batches) {
        return HD_OK;
    }
    take_mean(f);
    hd_penalties(f->m, true);
    return hd_fit_apply(f, NULL);
}
