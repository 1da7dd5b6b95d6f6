#include "model/model.h"
#include "model/registry.h"

hd_status hd_compile_reset(hd_model *m)
{
    if (m->fit) {
        return hd_fail(m->c, HD_ERR_STATE, "compile: a fit of this model is open");
    }
    hd_model_uncompile(m);
    return HD_OK;
}

static hd_status unknown(hd_model *m, const char *what, const char *kind)
{
    return hd_fail(m->c, HD_ERR_ARGUMENT, "compile: unknown %s \"%s\"", what, kind);
}

static hd_status closed(hd_model *m)
{
    return m->fit ? hd_fail(m->c, HD_ERR_STATE, "compile: a fit of this model is open") : HD_OK;
}

hd_status hd_loss_add(hd_model *m, int output, const char *kind, double weight, const double *options, int n_options)
{
    const hd_loss_class *class = hd_loss_class_find(kind);
    hd_status status = class ? closed(m) : unknown(m, "loss", kind);
    return status ? status : hd_loss_attach(m, output, class, weight, options, n_options);
}

int hd_metric_add(hd_model *m, int output, const char *kind, const double *options, int n_options)
{
    const hd_metric_class *class = hd_metric_class_find(kind);
    hd_status status = class ? closed(m) : unknown(m, "metric", kind);
    return status ? -1 : hd_metric_attach(m, output, class, options, n_options);
}

hd_status hd_optimizer_set(hd_model *m, const char *kind, const double *options, int n_options)
{
    const hd_optimizer_class *class = hd_optimizer_class_find(kind);
    hd_values values;
    hd_status status = class ? closed(m) : unknown(m, "optimizer", kind);
    status = status ? status : hd_options_read(m->c, kind, class->options, options, n_options, &values);
    if (!status) {
        hd_release(m->c, m->slots);
        m->slots = NULL;
        m->step = 0;
        m->optimizer = class;
        m->optimizer_opt = values;
    }
    return status;
}

hd_status hd_schedule_set(hd_model *m, const char *kind, const double *options, int n_options)
{
    const hd_schedule_class *class = hd_schedule_class_find(kind);
    hd_values values;
    hd_status status = class ? closed(m) : unknown(m, "schedule", kind);
    status = status ? status : hd_options_read(m->c, kind, class->options, options, n_options, &values);
    if (!status) {
        m->schedule = class;
        m->schedule_opt = values;
    }
    return status;
}

int hd_target_size(const hd_model *m, int output)
{
    for (int i = 0; i < m->n_losses + m->n_metrics; i++) {
        int of = i < m->n_losses ? m->loss[i].output : m->metric[i - m->n_losses].output;
        if (of == output) {
            return hd_output_target(m, output);
        }
    }
    return 0;
}

int hd_metric_size(const hd_model *m, int metric)
{
    return metric >= 0 && metric < m->n_metrics ? m->metric[metric].values : 0;
}
