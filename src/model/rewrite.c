/* Rewrites of a plan: fewer or cheaper steps, the same values. */
#include "model/plan.h"

static hd_activation activation_of(const hd_node *node)
{
    return node->class && node->class->output_activation ? node->class->output_activation(&node->opt) : HD_LINEAR;
}

/* Nobody but the one layer that reads it ever sees the node's value. */
static bool is_private(const hd_plan *p, int node)
{
    const hd_node *n = p->m->node[node];
    bool seen = !n->class || n->consumers != 1 || n->output >= 0 || n->activity.class;
    for (int i = 0; i < p->n_nodes; i++) {
        seen |= p->node[i] == node;
    }
    return !seen;
}

/* No gradient goes through this node, and training runs it as at inference. */
static bool is_settled(const hd_plan *p, const hd_node *node)
{
    return !p->tensor[p->tensor_of[node->in[0]]].wants_gradient && hd_node_still(p->m, node);
}

bool hd_plan_fold(hd_plan *p, int index)
{
    const hd_node *node = p->m->node[index];
    int before = node->in[0];
    if (!node->class->fold || (p->mode == HD_PLAN_TRAIN && !is_settled(p, node)) || node->activity.class || activation_of(node) == HD_SOFTMAX ||
        !is_private(p, before)) {
        return false;
    }
    const hd_node *maker = p->m->node[before];
    if (!(maker->class->flags & HD_TAKES_SCALE) || activation_of(maker) != HD_LINEAR || maker->layout != node->layout) {
        return false;
    }
    p->op[p->op_of[before]].fold = index;
    p->tensor_of[index] = p->tensor_of[before];
    p->op_of[index] = p->op_of[before];
    return true;
}

void hd_plan_defer(hd_plan *p, hd_op *op)
{
    const hd_node *node = p->m->node[op->node];
    if (!(node->class->flags & HD_TAKES_ACTIVATION) || !is_private(p, node->in[0])) {
        return;
    }
    hd_activation act = activation_of(p->m->node[node->in[0]]);
    if (act != HD_LINEAR && act != HD_SOFTMAX && p->tensor_of[node->in[0]] == op->in[0]) {
        p->op[p->op_of[node->in[0]]].defer = true;
        op->before = node->in[0];
    }
}
