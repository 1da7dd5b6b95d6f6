#include "base/format.h"
#include "model/model.h"
#include "model/registry.h"

/* Takes the nodes out of a model that was empty. */
static void clear(hd_model *m)
{
    hd_nodes_free(m);
    m->node = NULL;
    m->weight = NULL;
    m->n_nodes = m->node_space = m->n_weights = m->weight_space = m->n_inputs = m->n_outputs = 0;
}

hd_status hd_recipe(hd_model *m, const char *name, const double *options, int n_options)
{
    const hd_recipe_class *class = hd_recipe_class_find(name);
    if (!class) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "recipe: unknown name \"%s\"", name);
    }
    char path[HD_NAME_SIZE];
    hd_format(path, sizeof path, "recipe %s", name);
    if (m->n_nodes) {
        return hd_fail(m->c, HD_ERR_STATE, "%s: the model has %d nodes, expected an empty one", path, m->n_nodes);
    }
    hd_values values;
    hd_status status = hd_options_read(m->c, path, class->options, options, n_options, &values);
    if (status) {
        return status;
    }
    hd_recipe_build b = { .m = m, .c = m->c, .path = path, .opt = &values, .find = hd_layer_class_find };
    int node = class->build(&b);
    status = b.status ? b.status : hd_output_add(m, node);
    if (status) {
        clear(m);
    }
    return status;
}

int hd_node_inputs(const hd_model *m, int node, int *inputs)
{
    if (node < 0 || node >= m->n_nodes) {
        return -1;
    }
    const hd_node *n = m->node[node];
    for (int i = 0; i < n->n_in; i++) {
        inputs[i] = n->in[i];
    }
    return n->n_in;
}

int hd_node_options(const hd_model *m, int node, double *values)
{
    if (node < 0 || node >= m->n_nodes) {
        return -1;
    }
    const hd_node *n = m->node[node];
    return n->class ? hd_options_write(n->class->options, &n->opt, values) : 0;
}
