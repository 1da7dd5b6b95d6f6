/* Losses and metrics of a model, and the sums kept of them. */
#include "model/plan.h"

#include <math.h>
#include <string.h>

/* An evaluation under way was planned for other losses and metrics: it must begin anew. */
static void stop_evaluation(hd_model *m)
{
    hd_plan_free(m->evaluate_plan);
    m->evaluate_plan = NULL;
}

void hd_model_uncompile(hd_model *m)
{
    stop_evaluation(m);
    m->n_losses = m->n_metrics = m->n_sums = 0;
    m->optimizer = NULL;
    m->schedule = NULL;
    hd_release(m->c, m->slots);
    m->slots = NULL;
    m->step = 0;
    hd_score_free(m->c, &m->result);
    for (int i = 0; i < m->n_nodes; i++) {
        hd_activity_reset(m->node[i]);
    }
}

static hd_status check_output(hd_model *m, const char *what, int output)
{
    if (!m->built) {
        return hd_fail(m->c, HD_ERR_STATE, "%s: the model is not built yet", what);
    }
    if (output < 0 || output >= m->n_outputs) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "%s: output = %d, expected 0..%d", what, output, m->n_outputs - 1);
    }
    return HD_OK;
}

hd_status hd_loss_attach(hd_model *m, int output, const hd_loss_class *class, double weight, const double *options,
                         int n_options)
{
    hd_target_loss loss = { .class = class, .output = output, .weight = weight };
    if (check_output(m, class->name, output) ||
        hd_options_read(m->c, class->name, class->options, options, n_options, &loss.opt)) {
        return m->c->status;
    }
    if (!(weight >= 0 && weight <= 1e9)) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "%s: weight = %g, expected 0..1e9", class->name, weight);
    }
    if (m->n_losses == HD_MAX_LOSSES) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "%s: at most %d losses", class->name, HD_MAX_LOSSES);
    }
    const char *refusal = class->refuses ? class->refuses(&loss.opt) : NULL;
    if (refusal) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "%s: %s", class->name, refusal);
    }
    const size_t size = hd_shape_size(&m->node[m->output[output]]->out);
    if (class->batch && size != 1) {
        return hd_fail(m->c, HD_ERR_SHAPE, "%s: output %d has %z elements a sample, expected 1: it compares the scores of a batch",
                       class->name, output, size);
    }
    for (int i = 0; i < m->n_losses; i++) {
        if (m->loss[i].output == output && m->loss[i].class->sparse != class->sparse) {
            return hd_fail(m->c, HD_ERR_UNSUPPORTED, "%s: output %d has %s, whose targets are of another kind",
                           class->name, output, m->loss[i].class->name);
        }
    }
    stop_evaluation(m);
    m->loss[m->n_losses++] = loss;
    return HD_OK;
}

int hd_metric_attach(hd_model *m, int output, const hd_metric_class *class, const double *options, int n_options)
{
    hd_target_metric metric = { .class = class, .output = output, .first_sum = m->n_sums };
    if (check_output(m, class->name, output) ||
        hd_options_read(m->c, class->name, class->options, options, n_options, &metric.opt)) {
        return -1;
    }
    int row = hd_shape_last(&m->node[m->output[output]]->out);
    metric.sums = class->sums(&metric.opt, row);
    metric.values = class->values(&metric.opt, row);
    if (metric.sums == 0 || m->n_metrics == HD_MAX_METRICS) {
        hd_fail(m->c, HD_ERR_ARGUMENT, "%s: not possible on output %d, whose last dimension is %d", class->name, output,
                row);
        return -1;
    }
    stop_evaluation(m);
    m->n_sums += metric.sums;
    m->metric[m->n_metrics] = metric;
    return m->n_metrics++;
}

bool hd_output_sparse(const hd_model *m, int output)
{
    for (int i = 0; i < m->n_losses; i++) {
        if (m->loss[i].output == output) {
            return m->loss[i].class->sparse;
        }
    }
    return false;
}

bool hd_output_logits(const hd_model *m, int output)
{
    const hd_node *node = m->node[m->output[output]];
    const hd_target_loss *only = NULL;
    for (int i = 0; i < m->n_losses; i++) {
        if (m->loss[i].output == output) {
            if (only) {
                return false;
            }
            only = &m->loss[i];
        }
    }
    return only && only->class->fuses != HD_LINEAR && !node->consumers && !node->activity.class && node->class &&
           node->class->output_activation && node->class->output_activation(&node->opt) == only->class->fuses;
}

int hd_output_target(const hd_model *m, int output)
{
    const hd_shape *out = &m->node[m->output[output]]->out;
    return (int)hd_shape_size(out) / (hd_output_sparse(m, output) ? hd_shape_last(out) : 1);
}

hd_status hd_score_new(hd_model *m, hd_score *s)
{
    memset(s, 0, sizeof *s);
    if (m->n_sums) {
        s->sums = hd_alloc(m->c, (size_t)m->n_sums * sizeof *s->sums, "metrics");
        if (!s->sums) {
            return HD_ERR_MEMORY;
        }
        s->n_sums = m->n_sums;
    }
    return HD_OK;
}

void hd_score_free(hd_context *c, hd_score *s)
{
    hd_release(c, s->sums);
    memset(s, 0, sizeof *s);
}

void hd_score_clear(hd_score *s)
{
    double *sums = s->sums;
    int n = s->n_sums;
    memset(s, 0, sizeof *s);
    s->sums = sums;
    s->n_sums = n;
    for (int i = 0; i < n; i++) {
        sums[i] = 0;
    }
}

double hd_score_loss(const hd_model *m, const hd_score *s, int loss)
{
    if (loss < 0 || loss >= m->n_losses) {
        return NAN;
    }
    return s->samples ? s->loss[loss] / s->samples : 0;
}

double hd_score_metric(const hd_model *m, const hd_score *s, int metric, int i)
{
    if (metric < 0 || metric >= m->n_metrics || i < 0 || i >= m->metric[metric].values) {
        return NAN;
    }
    const hd_target_metric *t = &m->metric[metric];
    return t->first_sum + t->sums <= s->n_sums ? t->class->value(s->sums + t->first_sum, i) : 0;
}
