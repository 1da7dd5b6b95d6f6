/* Nodes: adding them with all checks, and the layout of their outputs. */
#include "model/model.h"

#include "base/format.h"

#include <string.h>

void hd_node_path(const hd_model *m, int node, char path[HD_PATH_SIZE])
{
    const hd_node *n = m->node[node];
    hd_format(path, HD_PATH_SIZE, "layer %d \"%s\" (%s)", node, n->name, n->class ? n->class->name : "input");
}

static hd_status check_name(hd_model *m, const char *what, const char *name)
{
    size_t length = name ? strlen(name) : 0;
    if (length == 0 || length >= HD_NAME_SIZE || strchr(name, '/')) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "%s: name \"%s\", expected 1..%d bytes without '/'", what,
                       name ? name : "", HD_NAME_SIZE - 1);
    }
    for (int i = 0; i < m->n_nodes; i++) {
        if (!strcmp(m->node[i]->name, name)) {
            return hd_fail(m->c, HD_ERR_ARGUMENT, "%s: name \"%s\" is taken by layer %d", what, name, i);
        }
    }
    return m->built ? hd_fail(m->c, HD_ERR_STATE, "%s \"%s\": the model is already built", what, name) : HD_OK;
}

/* Room for one more pointer in a growing list. */
static hd_status grow(hd_context *c, void ***list, int count, int *space)
{
    if (count < *space) {
        return HD_OK;
    }
    int wanted = *space ? 2 * *space : 16;
    void **larger = hd_alloc(c, (size_t)wanted * sizeof *larger, "model");
    if (!larger) {
        return HD_ERR_MEMORY;
    }
    if (count) {
        memcpy(larger, *list, (size_t)count * sizeof *larger);
    }
    hd_release(c, *list);
    *list = larger;
    *space = wanted;
    return HD_OK;
}

/* A new node at the end, not yet counted: the caller does m->n_nodes++ when all is well, or releases it. */
static hd_node *new_node(hd_model *m, const char *name)
{
    if (grow(m->c, (void ***)&m->node, m->n_nodes, &m->node_space)) {
        return NULL;
    }
    hd_node *node = hd_alloc(m->c, sizeof *node, "layer");
    if (node) {
        memcpy(node->name, name, strlen(name));
        node->output = -1;
        node->first_weight = m->n_weights;
        m->node[m->n_nodes] = node;
    }
    return node;
}

static void drop_node(hd_model *m)
{
    hd_node *node = m->node[m->n_nodes];
    while (m->n_weights > node->first_weight) {
        hd_release(m->c, m->weight[--m->n_weights]);
    }
    hd_activity_free(m->c, &node->activity);
    hd_release(m->c, node);
}

static hd_status check_shape(hd_context *c, const char *path, const hd_shape *s)
{
    bool good = s->rank >= 0 && s->rank <= HD_MAX_RANK;
    for (int i = 0; good && i < s->rank; i++) {
        good = s->dim[i] >= 1;
    }
    if (good && hd_shape_size(s)) {
        return HD_OK;
    }
    char text[96] = "of too high a rank";
    if (s->rank >= 0 && s->rank <= HD_MAX_RANK) {
        hd_shape_text(s, text, sizeof text);
    }
    return hd_fail(c, HD_ERR_SHAPE, "%s: shape %s, expected at most %d dims, each >= 1, of less than 2^30 elements", path,
                   text, HD_MAX_RANK);
}

int hd_node_add_input(hd_model *m, const char *name, const hd_shape *shape)
{
    char path[HD_PATH_SIZE];
    hd_format(path, sizeof path, "input \"%s\"", name ? name : "");
    if (check_name(m, "input", name) || check_shape(m->c, path, shape)) {
        return -1;
    }
    if (m->n_inputs == HD_MAX_INPUTS) {
        hd_fail(m->c, HD_ERR_ARGUMENT, "%s: a model has at most %d inputs", path, HD_MAX_INPUTS);
        return -1;
    }
    hd_node *node = new_node(m, name);
    if (!node) {
        return -1;
    }
    node->out = *shape;
    m->input[m->n_inputs++] = m->n_nodes;
    return m->n_nodes++;
}

static hd_status check_inputs(hd_model *m, const hd_layer_class *class, const char *name, const int *inputs, int n)
{
    if (n < class->min_inputs || n > class->max_inputs) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "layer %d \"%s\" (%s): %d inputs, expected %d..%d", m->n_nodes, name,
                       class->name, n, class->min_inputs, class->max_inputs);
    }
    for (int i = 0; i < n; i++) {
        if (inputs[i] < 0 || inputs[i] >= m->n_nodes) {
            return hd_fail(m->c, HD_ERR_ARGUMENT, "layer %d \"%s\" (%s): input %d is node %d, expected 0..%d",
                           m->n_nodes, name, class->name, i, inputs[i], m->n_nodes - 1);
        }
    }
    return HD_OK;
}

/* Lets the class check shapes and declare its weights. */
static hd_status shape_node(hd_model *m, hd_node *node, const char *path)
{
    hd_build b = { .c = m->c, .path = path, .opt = &node->opt, .n_in = node->n_in, .in = node->in_shape,
                   .node = node, .model = m };
    hd_status status = node->class->shape(&b);
    if (!status) {
        status = check_shape(m->c, path, &b.out);
    }
    if (!status) {
        node->out = b.out;
        node->saved = b.saved;
        node->saved_fixed = b.saved_fixed;
        node->scratch = b.scratch;
        node->scratch_fixed = b.scratch_fixed;
        node->prepared = b.prepared;
        node->kept = b.kept;
        memcpy(node->state, b.state, sizeof node->state);
    }
    return status;
}

int hd_node_add_layer(hd_model *m, const hd_layer_class *class, const char *name, const int *inputs, int n_inputs,
                      const double *options, int n_options)
{
    if (check_name(m, class->name, name) || check_inputs(m, class, name, inputs, n_inputs)) {
        return -1;
    }
    hd_node *node = new_node(m, name);
    if (!node) {
        return -1;
    }
    node->class = class;
    node->n_in = n_inputs;
    for (int i = 0; i < n_inputs; i++) {
        node->in[i] = inputs[i];
        node->in_shape[i] = m->node[inputs[i]]->out;
    }
    char path[HD_PATH_SIZE];
    hd_node_path(m, m->n_nodes, path);
    if (hd_options_read(m->c, path, class->options, options, n_options, &node->opt) || shape_node(m, node, path)) {
        drop_node(m);
        return -1;
    }
    for (int i = 0; i < n_inputs; i++) {
        m->node[inputs[i]]->consumers++;
    }
    return m->n_nodes++;
}

hd_status hd_build_weight(hd_build *b, const char *name, hd_shape shape, const char *initializer, int fan_in,
                          int fan_out)
{
    hd_model *m = b->model;
    size_t size = hd_shape_size(&shape);
    if (!size) {
        return hd_fail(m->c, HD_ERR_SHAPE, "%s: weight %s has 2^30 elements or more", b->path, name);
    }
    if (grow(m->c, (void ***)&m->weight, m->n_weights, &m->weight_space)) {
        return HD_ERR_MEMORY;
    }
    hd_weight *w = hd_alloc(m->c, sizeof *w, "weight");
    if (!w) {
        return HD_ERR_MEMORY;
    }
    hd_format(w->name, sizeof w->name, "%s/%s", b->node->name, name);
    w->node = m->n_nodes;
    w->shape = shape;
    w->size = size;
    w->rows = shape.rank ? shape.dim[0] : 1;
    w->cols = (int)(size / (size_t)w->rows);
    w->fan_in = fan_in;
    w->fan_out = fan_out;
    w->rate_factor = 1;
    m->weight[m->n_weights++] = w;
    b->node->n_weights++;
    hd_status status = hd_weight_attach(m, w, initializer, NULL, 0);
    w->initializer_set = false; /* the layer's own */
    return status;
}

hd_status hd_build_state(hd_build *b, const char *name, hd_shape shape, const char *initializer)
{
    hd_status status = hd_build_weight(b, name, shape, initializer, 1, 1);
    if (!status) {
        hd_weight *w = b->model->weight[b->model->n_weights - 1];
        w->state = w->frozen = true;
    }
    return status;
}

hd_status hd_build_attach(hd_build *b, const char *kind, const double *options, int n_options)
{
    return hd_weight_attach(b->model, b->model->weight[b->model->n_weights - 1], kind, options, n_options);
}

hd_status hd_output_add(hd_model *m, int node)
{
    if (node < 0 || node >= m->n_nodes || m->node[node]->output >= 0 || m->n_outputs == HD_MAX_OUTPUTS) {
        return hd_fail(m->c, HD_ERR_ARGUMENT,
                       "output: node %d, expected one of 0..%d that is no output yet, and at most %d outputs", node,
                       m->n_nodes - 1, HD_MAX_OUTPUTS);
    }
    m->node[node]->output = m->n_outputs;
    m->output[m->n_outputs++] = node;
    return HD_OK;
}

/* An input lies rows-first if it is a matrix that only such layers read. */
static hd_layout input_layout(const hd_model *m, int input)
{
    for (int i = 0; i < m->n_nodes; i++) {
        const hd_node *node = m->node[i];
        for (int k = 0; k < node->n_in; k++) {
            if (node->in[k] == input && node->class->layout != HD_ROWS_FIRST) {
                return HD_BATCH_FIRST;
            }
        }
    }
    return m->node[input]->consumers ? HD_ROWS_FIRST : HD_BATCH_FIRST;
}

hd_status hd_graph_close(hd_model *m)
{
    if (m->n_inputs == 0 || m->n_nodes == m->n_inputs) {
        return hd_fail(m->c, HD_ERR_STATE, "model: %d inputs and %d layers, expected at least one of each",
                       m->n_inputs, m->n_nodes - m->n_inputs);
    }
    if (m->n_outputs == 0 && hd_output_add(m, m->n_nodes - 1)) {
        return m->c->status;
    }
    for (int i = 0; i < m->n_nodes; i++) {
        hd_node *node = m->node[i];
        if (!node->class) {
            node->layout = input_layout(m, i);
        } else {
            node->layout = node->class->out_layout == HD_ANY_LAYOUT ? m->node[node->in[0]]->layout
                                                                    : node->class->out_layout;
        }
        node->outer = node->layout == HD_ROWS_FIRST ? node->out.dim[0] : 1;
    }
    return HD_OK;
}

void hd_nodes_free(hd_model *m)
{
    for (int i = 0; i < m->n_weights; i++) {
        hd_release(m->c, m->weight[i]);
    }
    for (int i = 0; i < m->n_nodes; i++) {
        hd_activity_free(m->c, &m->node[i]->activity);
        hd_release(m->c, m->node[i]);
    }
    hd_release(m->c, m->weight);
    hd_release(m->c, m->node);
}
