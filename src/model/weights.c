/* What hangs on weights: attaching it, first values, penalties. */
#include "model/model.h"

#include "kern/reduce.h"
#include "model/registry.h"

#include <string.h>

enum { ALIGN = 16 }; /* elements; weights start on whole cache lines */

hd_weight_view hd_weight_as_matrix(const hd_model *m, const hd_weight *w, const hd_values *opt)
{
    return (hd_weight_view){ m->c->pool, opt, w->rows, w->cols };
}

static hd_status attach_initializer(hd_model *m, hd_weight *w, const hd_initializer_class *class,
                                    const double *options, int n_options)
{
    if (m->built) {
        return hd_fail(m->c, HD_ERR_STATE, "%s: initialisers can't be set after the model is built", w->name);
    }
    hd_values opt;
    hd_status status = hd_options_read(m->c, w->name, class->options, options, n_options, &opt);
    if (!status) {
        w->initializer = class;
        w->initializer_opt = opt;
        w->initializer_set = true;
    }
    return status;
}

static hd_status refuse_state(hd_model *m, const hd_weight *w, const char *kind)
{
    return hd_fail(m->c, HD_ERR_UNSUPPORTED, "%s: %s can't be set: the layer itself keeps this weight", w->name, kind);
}

static hd_status attach_penalty(hd_model *m, hd_weight *w, const hd_regularizer_class *class, const double *options,
                                int n_options)
{
    hd_penalty p = { .class = class };
    if (w->n_penalties == HD_MAX_PENALTIES) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "%s: at most %d regularisers", w->name, HD_MAX_PENALTIES);
    }
    hd_status status = hd_options_read(m->c, w->name, class->options, options, n_options, &p.opt);
    if (!status) {
        w->penalty[w->n_penalties++] = p;
    }
    return status;
}

static hd_status attach_number(hd_model *m, hd_weight *w, const char *kind, const double *options, int n_options)
{
    bool factor = !strcmp(kind, "learningRateFactor");
    double v = n_options == 1 ? options[0] : -1;
    if (factor ? !(v >= 0 && v <= 1e6) : !(v == 0 || v == 1)) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "%s: %s = %g, expected %s", w->name, kind, v,
                       factor ? "one number 0..1e6" : "0 or 1");
    }
    if (factor && m->fit && (v == 0) != (w->rate_factor == 0)) {
        return hd_fail(m->c, HD_ERR_STATE, "%s: learningRateFactor can't become 0, nor another than 0, while a fit runs", w->name);
    }
    if (factor) {
        w->rate_factor = v;
    } else if (m->fit) {
        return hd_fail(m->c, HD_ERR_STATE, "%s: frozen can't change while a fit runs", w->name);
    } else {
        w->fixed = w->state && v == 1;
        w->frozen = w->state || v == 1;
        hd_weights_changed(m, true);
    }
    return HD_OK;
}

hd_status hd_weight_attach(hd_model *m, hd_weight *w, const char *kind, const double *options, int n_options)
{
    const hd_initializer_class *initializer = hd_initializer_class_find(kind);
    if (initializer) {
        return attach_initializer(m, w, initializer, options, n_options);
    }
    const hd_regularizer_class *regularizer = hd_regularizer_class_find(kind);
    const hd_constraint_class *constraint = hd_constraint_class_find(kind);
    if (w->state && (regularizer || constraint)) {
        return refuse_state(m, w, kind);
    }
    if (regularizer) {
        return attach_penalty(m, w, regularizer, options, n_options);
    }
    if (!strcmp(kind, "learningRateFactor") || !strcmp(kind, "frozen")) {
        return attach_number(m, w, kind, options, n_options);
    }
    if (!constraint) {
        return hd_fail(m->c, HD_ERR_ARGUMENT,
                       "%s: \"%s\" is no initialiser, regulariser, constraint, \"learningRateFactor\" or \"frozen\"",
                       w->name, kind);
    }
    if (m->fit && m->optimizer->full_batch) { /* it searches in the constraint's parameters */
        return hd_fail(m->c, HD_ERR_STATE, "%s: a constraint can't change while a fit of %s runs", w->name, m->optimizer->name);
    }
    hd_values opt;
    hd_status status = hd_options_read(m->c, w->name, constraint->options, options, n_options, &opt);
    if (!status) {
        w->constraint = constraint;
        w->constraint_opt = opt;
    }
    return status;
}

static hd_status fill_weight(hd_model *m, int index)
{
    hd_weight *w = m->weight[index];
    hd_weight_view view = hd_weight_as_matrix(m, w, &w->initializer_opt);
    hd_status status = w->initializer->fill(m->c, &view, w->fan_in, w->fan_out,
                                            hd_rng_stream(m->seed, HD_DRAW_WEIGHT + (uint32_t)index, 0), m->w + w->offset);
    if (!status && w->constraint) {
        view.opt = &w->constraint_opt;
        w->constraint->project(&view, m->w + w->offset);
    }
    return status;
}

hd_status hd_weights_init(hd_model *m)
{
    size_t flat = 0;
    for (int i = 0; i < m->n_weights; i++) {
        m->weight[i]->offset = flat;
        flat += (m->weight[i]->size + ALIGN - 1) / ALIGN * ALIGN;
        if (flat > SIZE_MAX / 2 / sizeof(real)) {
            return hd_fail(m->c, HD_ERR_MEMORY, "model: the weights need more memory than can be addressed");
        }
    }
    m->w = hd_alloc(m->c, flat * sizeof(real), "weights");
    if (!m->w) {
        return HD_ERR_MEMORY;
    }
    m->flat = flat;
    for (int i = 0; i < m->n_weights; i++) {
        hd_status status = fill_weight(m, i);
        if (status) {
            hd_release(m->c, m->w);
            m->w = NULL;
            return status;
        }
    }
    hd_weights_changed(m, true);
    return HD_OK;
}

hd_status hd_gradients_ready(hd_model *m)
{
    if (!m->g) {
        m->g = hd_alloc(m->c, m->flat * sizeof(real), "gradients");
    }
    return m->g ? HD_OK : HD_ERR_MEMORY;
}

void hd_weights_changed(hd_model *m, bool frozen)
{
    m->version++;
    if (frozen) {
        m->frozen_version = m->version;
    }
}

hd_status hd_weights_finite(hd_model *m)
{
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        if (!hd_all_finite(m->c->pool, w->size, m->w + w->offset)) {
            return hd_fail(m->c, HD_ERR_ARGUMENT, "weight %s: has values that are NaN or infinite", w->name);
        }
    }
    return HD_OK;
}

double hd_penalties(hd_model *m, bool gradient)
{
    double sum = 0;
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        for (int k = 0; k < w->n_penalties && !w->frozen; k++) {
            hd_weight_view view = hd_weight_as_matrix(m, w, &w->penalty[k].opt);
            sum += w->penalty[k].class->run(&view, m->w + w->offset, gradient && !w->idle ? m->g + w->offset : NULL);
        }
    }
    return sum;
}

bool hd_node_trains(const hd_model *m, const hd_node *node)
{
    bool trains = false;
    for (int i = 0; i < node->n_weights; i++) {
        const hd_weight *w = m->weight[node->first_weight + i];
        trains |= !w->frozen && !w->idle;
    }
    return trains;
}

bool hd_node_fixed(const hd_model *m, const hd_node *node)
{
    bool fixed = false;
    for (int i = 0; i < node->n_weights; i++) {
        fixed |= m->weight[node->first_weight + i]->fixed;
    }
    return fixed;
}

bool hd_node_still(const hd_model *m, const hd_node *node)
{
    return !hd_node_trains(m, node) && (!node->kept || hd_node_fixed(m, node));
}
