#include "model/model.h"
#include "model/plan.h"
#include "model/registry.h"

#include "base/format.h"

#include <math.h>
#include <string.h>

hd_model *hd_model_new(hd_context *c)
{
    hd_model *m = hd_alloc(c, sizeof *m, "model");
    if (m) {
        m->c = c;
    }
    return m;
}

void hd_model_free(hd_model *m)
{
    if (!m) {
        return;
    }
    hd_context *c = m->c;
    hd_fit_free(m->fit);
    hd_plan_free(m->predict_plan);
    hd_plan_free(m->evaluate_plan);
    hd_score_free(c, &m->result);
    hd_nodes_free(m);
    hd_release(c, m->w);
    hd_release(c, m->g);
    hd_release(c, m->slots);
    hd_release(c, m);
}

int hd_input(hd_model *m, const char *name, const int *dims, int rank)
{
    hd_shape shape = { .rank = rank };
    for (int i = 0; i < rank && i < HD_MAX_RANK; i++) {
        shape.dim[i] = dims[i];
    }
    return hd_node_add_input(m, name, &shape);
}

int hd_layer(hd_model *m, const char *kind, const char *name, const int *inputs, int n_inputs, const double *options,
             int n_options)
{
    const hd_layer_class *class = hd_layer_class_find(kind);
    if (!class) {
        hd_fail(m->c, HD_ERR_ARGUMENT, "layer %d \"%s\": unknown kind \"%s\"", m->n_nodes, name, kind);
        return -1;
    }
    return hd_node_add_layer(m, class, name, inputs, n_inputs, options, n_options);
}

hd_status hd_weight_set(hd_model *m, const char *weight, const char *kind, const double *options, int n_options)
{
    for (int i = 0; i < m->n_weights; i++) {
        if (!strcmp(m->weight[i]->name, weight)) {
            return hd_weight_attach(m, m->weight[i], kind, options, n_options);
        }
    }
    return hd_fail(m->c, HD_ERR_ARGUMENT, "weight \"%s\": there is none of this name", weight);
}

hd_status hd_activity_set(hd_model *m, const char *layer, const char *kind, const double *options, int n_options)
{
    const hd_activity_class *class = hd_activity_class_find(kind);
    int node = hd_node_find(m, layer);
    if (!class || node < 0) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "layer \"%s\": unknown %s \"%s\"", layer,
                       class ? "layer" : "activity regulariser", class ? layer : kind);
    }
    if (m->fit) {
        return hd_fail(m->c, HD_ERR_STATE, "layer \"%s\": can't change while a fit runs", layer);
    }
    return hd_activity_attach(m, node, class, options, n_options);
}

hd_status hd_output(hd_model *m, int node)
{
    if (m->built) {
        return hd_fail(m->c, HD_ERR_STATE, "output: the model is already built");
    }
    return hd_output_add(m, node);
}

hd_status hd_model_build(hd_model *m, double seed)
{
    if (m->built) {
        return hd_fail(m->c, HD_ERR_STATE, "model: it is already built");
    }
    if (!(seed >= 0 && seed <= 9007199254740991.0 && seed == floor(seed))) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "model: seed = %g, expected an integer 0..2^53 - 1", seed);
    }
    m->seed = (uint64_t)seed;
    hd_status status = hd_graph_close(m);
    status = status ? status : hd_weights_init(m);
    m->built = !status;
    return status;
}

double hd_model_memory(const hd_model *m)
{
    int copies = (m->w != NULL) + (m->g != NULL) + (m->slots ? m->optimizer->slots : 0);
    return (double)copies * (double)m->flat * sizeof(real);
}

int hd_input_count(const hd_model *m)
{
    return m->n_inputs;
}

int hd_output_count(const hd_model *m)
{
    return m->n_outputs;
}

int hd_input_node(const hd_model *m, int input)
{
    return input >= 0 && input < m->n_inputs ? m->input[input] : -1;
}

int hd_output_node(const hd_model *m, int output)
{
    return output >= 0 && output < m->n_outputs ? m->output[output] : -1;
}

int hd_node_count(const hd_model *m)
{
    return m->n_nodes;
}

static const hd_node *node_at(const hd_model *m, int node)
{
    return node >= 0 && node < m->n_nodes ? m->node[node] : NULL;
}

const char *hd_node_name(const hd_model *m, int node)
{
    const hd_node *n = node_at(m, node);
    return n ? n->name : NULL;
}

const char *hd_node_kind(const hd_model *m, int node)
{
    const hd_node *n = node_at(m, node);
    return !n ? NULL : n->class ? n->class->name : "input";
}

static int shape_out(const hd_shape *s, int *dims)
{
    for (int i = 0; i < s->rank; i++) {
        dims[i] = s->dim[i];
    }
    return s->rank;
}

int hd_node_shape(const hd_model *m, int node, int *dims)
{
    const hd_node *n = node_at(m, node);
    return n ? shape_out(&n->out, dims) : -1;
}

int hd_node_find(const hd_model *m, const char *name)
{
    for (int i = 0; i < m->n_nodes; i++) {
        if (!strcmp(m->node[i]->name, name)) {
            return i;
        }
    }
    return -1;
}

int hd_weight_count(const hd_model *m)
{
    return m->n_weights;
}

static const hd_weight *weight_at(const hd_model *m, int weight)
{
    return weight >= 0 && weight < m->n_weights ? m->weight[weight] : NULL;
}

const char *hd_weight_name(const hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    return w ? w->name : NULL;
}

int hd_weight_shape(const hd_model *m, int weight, int *dims)
{
    const hd_weight *w = weight_at(m, weight);
    return w ? shape_out(&w->shape, dims) : -1;
}

int hd_weight_node(const hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    return w ? w->node : -1;
}

int hd_weight_frozen(const hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    return w && w->frozen;
}

int hd_weight_state(const hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    return w && w->state;
}

const char *hd_weight_initializer(const hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    return w && w->initializer_set ? w->initializer->name : "";
}

int hd_weight_initializer_options(const hd_model *m, int weight, double *values)
{
    const hd_weight *w = weight_at(m, weight);
    return w && w->initializer_set ? hd_options_write(w->initializer->options, &w->initializer_opt, values) : 0;
}

const char *hd_weight_regularizer(const hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    return w && w->n_penalties ? w->penalty[0].class->name : "";
}

int hd_weight_regularizer_options(const hd_model *m, int weight, double *values)
{
    const hd_weight *w = weight_at(m, weight);
    return w && w->n_penalties ? hd_options_write(w->penalty[0].class->options, &w->penalty[0].opt, values) : 0;
}

const char *hd_node_activity(const hd_model *m, int node)
{
    const hd_node *n = node_at(m, node);
    return n && n->activity.class ? n->activity.class->name : "";
}

int hd_node_activity_options(const hd_model *m, int node, double *values)
{
    const hd_node *n = node_at(m, node);
    return n && n->activity.class ? hd_options_write(n->activity.class->options, &n->activity.opt, values) : 0;
}

hd_real *hd_weight_data(hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    hd_weights_changed(m, true); /* the caller may write */
    return w && m->w ? m->w + w->offset : NULL;
}

const hd_real *hd_weight_gradient(const hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    return w && m->g && !w->frozen ? m->g + w->offset : NULL;
}

hd_real *hd_gradient_data(hd_model *m, int weight)
{
    const hd_weight *w = weight_at(m, weight);
    return w && m->fit && !w->frozen ? m->g + w->offset : NULL;
}

hd_status hd_weights_check(hd_model *m)
{
    hd_weights_changed(m, true);
    return m->built ? hd_weights_finite(m) : hd_fail(m->c, HD_ERR_STATE, "model: it is not built yet");
}
