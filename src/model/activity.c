/* Activity regularisers: a penalty R(mean) on the mean activation of each element of a layer's output, such as KL
 * sparsity (MatNet 3.2). Exact when the means are of the whole set; for mini-batches the penalty is taken at a
 * running estimate  mean <- (1 - smoothing) mean + smoothing batch mean,  and its gradient at that estimate is
 * given to the batch as if it were the batch's own mean: (1/N) R'(mean) for each sample (the usual heuristic). */
#include "model/model.h"

#include "kern/elementwise.h"

#include <string.h>

enum { SMOOTHING_OPTION = 2, TARGET_OPTION = 0 }; /* in the tables of all activity classes */

hd_status hd_activity_attach(hd_model *m, int node, const hd_activity_class *class, const double *options,
                             int n_options)
{
    hd_node *n = m->node[node];
    char path[HD_PATH_SIZE];
    hd_node_path(m, node, path);
    hd_values opt;
    if (hd_options_read(m->c, path, class->options, options, n_options, &opt)) {
        return m->c->status;
    }
    hd_activation act = n->class && n->class->output_activation ? n->class->output_activation(&n->opt) : HD_LINEAR;
    if (class->unit_interval && act != HD_SIGMOID && act != HD_SOFTMAX) {
        return hd_fail(m->c, HD_ERR_UNSUPPORTED, "%s: %s needs activations in (0, 1): use the sigmoid", path,
                       class->name);
    }
    size_t size = hd_shape_size(&n->out);
    hd_activity a = { .class = class, .opt = opt };
    a.mean = hd_alloc(m->c, size * sizeof *a.mean, path);
    a.d_mean = hd_alloc(m->c, size * sizeof *a.d_mean, path);
    a.sums = hd_alloc(m->c, size * sizeof *a.sums, path);
    if (!a.mean || !a.d_mean || !a.sums) {
        hd_activity_free(m->c, &a);
        return HD_ERR_MEMORY;
    }
    hd_activity_free(m->c, &n->activity);
    n->activity = a;
    hd_activity_reset(n);
    return HD_OK;
}

void hd_activity_reset(hd_node *node)
{
    const hd_activity *a = &node->activity;
    size_t size = hd_shape_size(&node->out);
    for (size_t i = 0; a->class && i < size; i++) {
        a->mean[i] = (real)a->opt.number[TARGET_OPTION];
    }
}

void hd_activity_free(hd_context *c, hd_activity *a)
{
    hd_release(c, a->mean);
    hd_release(c, a->d_mean);
    hd_release(c, a->sums);
    memset(a, 0, sizeof *a);
}

double hd_activity_forward(hd_model *m, hd_node *node, hd_activity_mode mode, const real *y, int n)
{
    hd_activity *a = &node->activity;
    int size = (int)hd_shape_size(&node->out);
    if (mode != HD_ACTIVITY_GIVEN) {
        real *batch = a->d_mean; /* free until the penalty is computed */
        hd_sum_rows(m->c->pool, (size_t)node->outer, (size_t)n, (size_t)(size / node->outer), y, batch, false);
        double eta = mode == HD_ACTIVITY_RUNNING ? a->opt.number[SMOOTHING_OPTION] : 1;
        for (int i = 0; i < size; i++) {
            a->sums[i] += (double)batch[i];
            /* A batch that overflowed is refused later; it must not stay in the running mean. */
            bool keep = mode == HD_ACTIVITY_RUNNING && !(batch[i] - batch[i] == 0);
            if (mode != HD_ACTIVITY_COUNT && !keep) {
                a->mean[i] = (real)((1 - eta) * (double)a->mean[i] + eta * (double)batch[i] / n);
            }
        }
        a->rows += n;
    }
    return mode == HD_ACTIVITY_COUNT ? 0 : a->class->run(&a->opt, size, a->mean, a->d_mean);
}

void hd_activity_backward(const hd_node *node, real *dy, int n, double scale)
{
    size_t size = hd_shape_size(&node->out), inner = size / (size_t)node->outer;
    for (size_t g = 0; g < (size_t)node->outer; g++) {
        const real *d = node->activity.d_mean + g * inner;
        for (size_t s = 0; s < (size_t)n; s++) {
            real *row = dy + (g * (size_t)n + s) * inner;
            for (size_t i = 0; i < inner; i++) {
                row[i] += (real)scale * d[i];
            }
        }
    }
}

void hd_activity_begin(hd_model *m)
{
    for (int i = 0; i < m->n_nodes; i++) {
        hd_activity *a = &m->node[i]->activity;
        if (a->class) {
            memset(a->sums, 0, hd_shape_size(&m->node[i]->out) * sizeof *a->sums);
            a->rows = 0;
        }
    }
}

double hd_activity_end(hd_model *m, bool set)
{
    double penalty = 0;
    for (int i = 0; i < m->n_nodes; i++) {
        hd_activity *a = &m->node[i]->activity;
        if (!a->class || a->rows == 0) {
            continue;
        }
        int size = (int)hd_shape_size(&m->node[i]->out);
        real *mean = set ? a->mean : a->d_mean;
        for (int k = 0; k < size; k++) {
            mean[k] = (real)(a->sums[k] / a->rows);
        }
        penalty += a->class->run(&a->opt, size, mean, set ? a->d_mean : NULL);
    }
    return penalty;
}
