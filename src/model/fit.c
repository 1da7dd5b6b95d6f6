/* Training in steps that the caller asks for. */
#include "model/fit.h"

#include "kern/elementwise.h"

#include <math.h>
#include <string.h>

enum { BATCH_SIZE, EPOCHS, SHUFFLE, SEED, INITIAL_EPOCH, BATCHES, ACCUMULATION };

static const hd_option options[] = {
    { "batchSize", HD_INT, .min = 1, .max = 1 << 24, .def = 32 },
    { "epochs", HD_INT, .min = 1, .max = 1e9, .def = 1 },
    { "shuffle", HD_BOOL, .def = 1 },
    { "seed", HD_INT, .min = 0, .max = 9007199254740991.0, .def = 0 },
    { "initialEpoch", HD_INT, .min = 0, .max = 1e9, .def = 0 },
    { "stepsPerEpoch", HD_INT, .min = 0, .max = 1e9, .def = 0 },
    { "gradientAccumulationSteps", HD_INT, .min = 0, .max = 1e9, .def = 1 },
    { 0 },
};

static hd_status check_model(hd_model *m)
{
    if (!m->built || !m->optimizer || !m->n_losses) {
        return hd_fail(m->c, HD_ERR_STATE, "fit: the model has no %s yet: build and compile it first",
                       !m->built ? "weights" : !m->optimizer ? "optimizer" : "loss");
    }
    if (m->fit) {
        return hd_fail(m->c, HD_ERR_STATE, "fit: another fit of this model is open");
    }
    for (int i = 0; i < m->n_weights; i++) {
        if (!m->weight[i]->frozen) {
            return HD_OK;
        }
    }
    return hd_fail(m->c, HD_ERR_STATE, "fit: every weight is frozen, there is nothing to train");
}

static hd_status check_data(hd_model *m, hd_data *d, int begin, int end)
{
    if (!d) {
        return m->optimizer->full_batch
                   ? hd_fail(m->c, HD_ERR_UNSUPPORTED, "fit: %s needs the whole data, not single batches", m->optimizer->name)
                   : HD_OK;
    }
    hd_status status = hd_data_range(m->c, d, begin, end);
    status = status ? status : hd_data_fits_inputs(m, d);
    return status ? status : hd_data_fits_targets(m, d, begin, end);
}

static void read_options(hd_fit *f, const hd_values *v, int begin, int end)
{
    f->batch_size = (int)v->number[BATCH_SIZE];
    f->epochs = (int)v->number[EPOCHS];
    f->shuffle = v->number[SHUFFLE] != 0;
    f->seed = (uint64_t)v->number[SEED];
    f->epoch = (int)v->number[INITIAL_EPOCH];
    f->batches = (int)v->number[BATCHES];
    f->group.size = (int)v->number[ACCUMULATION];
    f->base_rate = f->m->optimizer_opt.number[0];
    if (f->data) {
        f->begin = begin;
        f->end = end;
        if (f->batch_size > end - begin) {
            f->batch_size = end - begin;
        }
        f->batches = (end - begin + f->batch_size - 1) / f->batch_size;
    }
}

/* Weights whose learning rate is 0 while the fit runs need no gradient; L-BFGS knows no such factors. */
static void set_idle(hd_model *m, bool fitting)
{
    for (int i = 0; i < m->n_weights; i++) {
        hd_weight *w = m->weight[i];
        w->idle = fitting && !w->frozen && w->rate_factor == 0;
    }
    hd_weights_changed(m, true); /* what plans have prepared is of another set of weights that stay */
}

static hd_status allocate(hd_fit *f)
{
    hd_model *m = f->m;
    if (hd_score_new(m, &f->score) || hd_score_new(m, &f->last) || hd_gradients_ready(m)) {
        return HD_ERR_MEMORY;
    }
    if (f->data) {
        f->order = hd_alloc(m->c, (size_t)(f->end - f->begin) * sizeof *f->order, "row order");
        if (!f->order) {
            return HD_ERR_MEMORY;
        }
    }
    f->plan = hd_plan_new(m, HD_PLAN_TRAIN, NULL, 0, f->batch_size);
    if (f->plan && f->group.size != 1) {
        f->group.sum = hd_alloc(m->c, m->flat * sizeof(real), "gradients");
    }
    if (!f->plan || (f->group.size != 1 && !f->group.sum)) {
        return HD_ERR_MEMORY;
    }
    return m->optimizer->full_batch ? hd_full_batch_new(f) : hd_pieces_new(f);
}

hd_fit *hd_fit_new(hd_model *m, hd_data *d, int begin, int end, const double *values, int n)
{
    hd_values v;
    if (check_model(m) || check_data(m, d, begin, end) || hd_options_read(m->c, "fit", options, values, n, &v)) {
        return NULL;
    }
    if (m->optimizer->full_batch && v.number[ACCUMULATION] != 1) {
        hd_fail(m->c, HD_ERR_UNSUPPORTED, "fit: gradientAccumulationSteps = %g, but each step of %s is of the whole data already",
                v.number[ACCUMULATION], m->optimizer->name);
        return NULL;
    }
    hd_fit *f = hd_alloc(m->c, sizeof *f, "fit");
    if (!f) {
        return NULL;
    }
    f->m = m;
    f->data = d;
    read_options(f, &v, begin, end);
    set_idle(m, !m->optimizer->full_batch);
    if (allocate(f)) {
        hd_fit_free(f);
        return NULL;
    }
    m->fit = f;
    return f;
}

void hd_fit_free(hd_fit *f)
{
    if (!f) {
        return;
    }
    hd_context *c = f->m->c;
    hd_full_batch_free(f);
    hd_plan_free(f->plan);
    hd_score_free(c, &f->score);
    hd_score_free(c, &f->last);
    hd_release(c, f->group.sum);
    hd_release(c, f->order);
    hd_release(c, f->piece);
    set_idle(f->m, false);
    if (f->m->fit == f) {
        f->m->fit = NULL;
    }
    hd_release(c, f);
}

int hd_fit_done(const hd_fit *f)
{
    return f->converged || f->epoch >= f->epochs;
}

/* Rows in the order of this epoch; it depends on seed and epoch only, so that a resumed fit goes on alike. */
void hd_fit_load_order(hd_fit *f)
{
    uint32_t n = (uint32_t)(f->end - f->begin);
    if (f->shuffle && !f->full) {
        hd_rng_permutation(hd_rng_stream(f->seed, HD_DRAW_SHUFFLE, (uint32_t)f->epoch), f->order, n);
    }
    for (uint32_t i = 0; i < n; i++) {
        f->order[i] = (f->shuffle && !f->full ? f->order[i] : i) + (uint32_t)f->begin;
    }
}

void hd_fit_finish_epoch(hd_fit *f)
{
    hd_score ended = f->score;
    f->score = f->last;
    f->last = ended;
    hd_score_clear(&f->score);
    f->epoch++;
    f->batch = 0;
}

static hd_status diverged(const hd_fit *f)
{
    return hd_fail(f->m->c, HD_ERR_DIVERGED, "fit: the loss is not finite in epoch %d, batch %d: use a smaller learning rate",
                   f->epoch, f->batch);
}

/* Forward, backward, and the step if all is finite and the group of batches complete. Returns the loss of n rows in *loss; if that
 * is finite, it is in the scores. */
static hd_status try_batch(hd_fit *f, const hd_data *d, const uint32_t *index, int n, double *loss)
{
    hd_model *m = f->m;
    const bool last = hd_group_ends(f);
    /* Batches of a group draw from streams of their own. */
    const uint32_t step = (uint32_t)m->step * (uint32_t)(f->group.size ? f->group.size : 1) + (uint32_t)f->group.batches;
    hd_pass pass = { .n = n, .training = true, .seed = f->seed, .step = step, .commits = true, .samples = n,
                     .activity = f->batches == 1 ? HD_ACTIVITY_BATCH : HD_ACTIVITY_RUNNING };
    hd_plan_load(f->plan, d, index, 0, n);
    *loss = hd_plan_forward(f->plan, &pass);
    *loss += isfinite(*loss) ? hd_plan_losses(f->plan, &pass, d, &f->score) : 0;
    if (!isfinite(*loss)) {
        return diverged(f); /* before the group has taken its gradient */
    }
    hd_plan_backward(f->plan, &pass);
    hd_group_take(f, n, last);
    double penalty = hd_penalties(m, last);
    if (!isfinite(penalty)) {
        f->group.batches = 0;
        return diverged(f);
    }
    *loss += penalty;
    if (last) {
        return hd_fit_apply(f, &pass);
    }
    hd_plan_commit(f->plan, &pass);
    return HD_OK;
}

/* A batch whose loss is not finite changes nothing. If the gradient is not, or a penalty, the batches of its group are lost with it. */
static hd_status train_batch(hd_fit *f, const hd_data *d, const uint32_t *index, int n)
{
    double loss;
    hd_status status = try_batch(f, d, index, n, &loss);
    f->score.total += isfinite(loss) ? loss * n : 0;
    if (!status) {
        f->batch_loss = loss;
        f->batch++;
    }
    return status;
}

static hd_status step_batch(hd_fit *f)
{
    if (f->full) {
        return hd_full_batch_step(f);
    }
    if (f->batch == 0) {
        hd_fit_load_order(f);
    }
    int at = f->batch * f->batch_size, left = f->end - f->begin - at;
    hd_status status = train_batch(f, f->data, f->order + at, left < f->batch_size ? left : f->batch_size);
    if (!status && f->batch == f->batches) {
        hd_fit_finish_epoch(f);
    }
    return status;
}

hd_status hd_fit_step(hd_fit *f, int batches)
{
    if (!f->data) {
        return hd_fail(f->m->c, HD_ERR_STATE, "fit: it has no data of its own: feed it with hd_fit_batch");
    }
    int epoch = f->epoch;
    hd_status status = HD_OK;
    for (int i = 0; i < batches && !status && !hd_fit_done(f) && f->epoch == epoch; i++) {
        status = step_batch(f);
    }
    return status;
}

hd_status hd_fit_batch(hd_fit *f, hd_data *d)
{
    hd_model *m = f->m;
    if (f->data || hd_fit_done(f)) {
        return hd_fail(m->c, HD_ERR_STATE, f->data ? "fit: it has data of its own" : "fit: all epochs are done");
    }
    if (d->rows > f->batch_size) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "fit: a batch of %d rows, expected at most %d", d->rows, f->batch_size);
    }
    hd_status status = check_data(m, d, 0, d->rows);
    status = status ? status : train_batch(f, d, NULL, d->rows);
    if (!status && f->batch == f->batches) {
        hd_fit_finish_epoch(f);
    }
    return status;
}

hd_status hd_fit_end_epoch(hd_fit *f)
{
    if (f->data) {
        return hd_fail(f->m->c, HD_ERR_STATE, "fit: epochs end by themselves where the fit has its data");
    }
    hd_status status = hd_group_close(f);
    if (!status && f->batch) {
        hd_fit_finish_epoch(f);
    }
    return status;
}

hd_status hd_fit_skip(hd_fit *f)
{
    if (f->full || hd_fit_done(f)) {
        return hd_fail(f->m->c, HD_ERR_STATE, f->full ? "fit: %s needs every batch" : "fit: all epochs are done", f->m->optimizer->name);
    }
    if (f->batch == 0 && f->data) {
        hd_fit_load_order(f);
    }
    if (f->batch + 1 == f->batches) {
        hd_group_close(f); /* if its gradient is not finite, all of the group is passed over */
        f->batch++;
        hd_fit_finish_epoch(f);
    } else {
        f->batch++;
    }
    return HD_OK;
}

hd_status hd_fit_apply_gradients(hd_fit *f, double loss, int samples)
{
    hd_context *c = f->m->c;
    if (f->data || hd_fit_done(f)) {
        return hd_fail(c, HD_ERR_STATE, f->data ? "fit: it has data of its own" : "fit: all epochs are done");
    }
    if (!isfinite(loss) || samples < 1) {
        return hd_fail(c, HD_ERR_ARGUMENT, "fit: loss = %g of %d samples, expected a finite number of at least 1", loss, samples);
    }
    for (int i = 0; i < f->m->n_weights; i++) {
        const hd_weight *w = f->m->weight[i];
        if (w->idle) { /* as if it had not been given: no part of the norm that is clipped */
            hd_fill(c->pool, w->size, 0, f->m->g + w->offset);
        }
    }
    hd_status status = hd_fit_apply(f, NULL);
    if (!status) {
        f->batch_loss = loss;
        f->score.total += loss * samples;
        f->score.samples += samples;
        f->batch++;
    }
    return status;
}

/* Statistics are of the ended epoch right after its end; in full-batch training always, as what runs may be a trial point. */
static const hd_score *current_score(const hd_fit *f)
{
    return f->full || f->score.samples == 0 ? &f->last : &f->score;
}

double hd_fit_stat(const hd_fit *f, int which)
{
    const hd_score *s = current_score(f);
    switch (which) {
    case HD_FIT_EPOCH:
        return f->epoch;
    case HD_FIT_BATCH:
        return f->full ? f->full->batches : f->batch;
    case HD_FIT_BATCHES:
        return f->full ? 0 : f->batches;
    case HD_FIT_STEP:
        return (double)f->m->step;
    case HD_FIT_LOSS:
        return f->full ? f->batch_loss : s->samples ? s->total / s->samples : 0;
    case HD_FIT_BATCH_LOSS:
        return f->batch_loss;
    case HD_FIT_LEARNING_RATE:
        return f->rate;
    case HD_FIT_GRADIENT_NORM:
        return f->gradient_norm;
    case HD_FIT_SAMPLES:
        return s->samples;
    case HD_FIT_ARENA:
        return (double)(f->plan->arena_size * sizeof(real));
    case HD_FIT_BASE_RATE:
        return f->base_rate;
    default:
        return NAN;
    }
}

double hd_fit_loss(const hd_fit *f, int loss)
{
    return hd_score_loss(f->m, current_score(f), loss);
}

double hd_fit_metric(const hd_fit *f, int metric, int i)
{
    return hd_score_metric(f->m, current_score(f), metric, i);
}

hd_status hd_fit_set_learning_rate(hd_fit *f, double rate)
{
    if (!(rate >= 0 && rate <= 1e6)) {
        return hd_fail(f->m->c, HD_ERR_ARGUMENT, "fit: learning rate = %g, expected 0..1e6", rate);
    }
    f->base_rate = rate;
    return HD_OK;
}
