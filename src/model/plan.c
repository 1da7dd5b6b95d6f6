/* Planning: which steps, how long each value lives, where it lies.
 *
 * Time: step i of O runs forward at i and backward at 2 O - i, losses at O; inputs and targets are loaded at -1. */
#include "model/plan.h"

#include <stdint.h>

enum { ALIGN = 16 };

/* Some loss or metric compares this output with a target. */
static bool watched(const hd_model *m, int output)
{
    bool found = false;
    for (int i = 0; i < m->n_losses; i++) {
        found |= m->loss[i].output == output;
    }
    for (int i = 0; i < m->n_metrics; i++) {
        found |= m->metric[i].output == output;
    }
    return found;
}

static void mark_needed(const hd_model *m, const hd_plan *p, bool *needed)
{
    for (int i = 0; i < p->n_nodes; i++) {
        needed[p->node[i]] = true;
    }
    for (int i = 0; i < m->n_outputs && p->mode != HD_PLAN_PREDICT; i++) {
        needed[m->output[i]] |= watched(m, i);
    }
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        for (int k = 0; needed[i] && k < m->node[i]->n_in; k++) {
            needed[m->node[i]->in[k]] = true;
        }
    }
}

static int add_tensor(hd_plan *p, size_t size, int outer, int root, bool wants_gradient)
{
    int id = p->n_tensors++;
    p->tensor[id] = (hd_tensor){ .size = size, .outer = outer, .root = root < 0 ? id : root, .first = -1, .last = -1,
                                 .d_first = -1, .d_last = -1, .wants_gradient = wants_gradient };
    return id;
}

/* The node's value in the wanted layout: its own tensor, or that of a step which changes the layout. */
static int tensor_in(hd_plan *p, int node, hd_layout layout)
{
    const hd_node *n = p->m->node[node];
    int own = p->tensor_of[node];
    if (n->layout == layout) {
        return own;
    }
    if (p->other_layout[node] < 0) {
        hd_tensor t = p->tensor[own];
        int out = add_tensor(p, t.size, layout == HD_ROWS_FIRST ? n->out.dim[0] : 1, -1, t.wants_gradient);
        p->tensor[out].first = p->n_ops;
        p->op[p->n_ops++] = (hd_op){ .node = -1, .n_in = 1, .in = { own }, .out = out, .fold = -1, .before = -1 };
        p->other_layout[node] = out;
    }
    return p->other_layout[node];
}

static void plan_node(hd_plan *p, int index)
{
    const hd_node *node = p->m->node[index];
    size_t size = hd_shape_size(&node->out);
    if (!node->class) {
        p->tensor_of[index] = add_tensor(p, size, node->outer, -1, false);
        return;
    }
    if (hd_plan_fold(p, index)) {
        return;
    }
    hd_op op = { .node = index, .n_in = node->n_in, .fold = -1, .before = -1 };
    hd_layout layout = node->class->layout == HD_ANY_LAYOUT ? p->m->node[node->in[0]]->layout : node->class->layout;
    bool wants_gradient = hd_node_trains(p->m, node);
    for (int i = 0; i < node->n_in; i++) {
        op.in[i] = tensor_in(p, node->in[i], layout);
        wants_gradient |= p->tensor[op.in[i]].wants_gradient;
    }
    int root = node->class->flags & HD_ALIAS ? p->tensor[op.in[0]].root : -1;
    op.out = add_tensor(p, size, node->outer, root, wants_gradient && p->mode == HD_PLAN_TRAIN);
    p->tensor[op.out].first = p->n_ops;
    p->tensor_of[index] = op.out;
    p->op_of[index] = p->n_ops;
    hd_plan_defer(p, &op);
    p->op[p->n_ops++] = op;
}

static void plan_ops(hd_plan *p, const bool *needed)
{
    const hd_model *m = p->m;
    for (int i = 0; i < m->n_nodes; i++) {
        p->tensor_of[i] = p->op_of[i] = p->other_layout[i] = -1;
        if (needed[i]) {
            plan_node(p, i);
        }
    }
    for (int i = 0; i < m->n_outputs; i++) {
        p->output[i] = p->mode != HD_PLAN_PREDICT && watched(m, i) ? tensor_in(p, m->output[i], HD_BATCH_FIRST) : -1;
    }
    for (int i = 0; i < p->n_nodes; i++) {
        p->value[i] = tensor_in(p, p->node[i], HD_BATCH_FIRST);
    }
}

static void read_value(hd_plan *p, int tensor, int time)
{
    hd_tensor *root = &p->tensor[p->tensor[tensor].root];
    root->last = time > root->last ? time : root->last;
}

/* Somebody writes (part of) the gradient at this time. Returns whether another one did before. */
static bool write_gradient(hd_plan *p, int tensor, int time)
{
    hd_tensor *root = &p->tensor[p->tensor[tensor].root];
    bool before = root->d_first >= 0;
    if (!before) {
        root->d_first = time;
    }
    root->d_last = time > root->d_last ? time : root->d_last;
    return before;
}

static void plan_backward_op(hd_plan *p, int i)
{
    hd_op *op = &p->op[i];
    const hd_node *node = op->node < 0 ? NULL : p->m->node[op->node];
    int time = 2 * p->n_ops - i;
    bool written = p->tensor[p->tensor[op->out].root].d_first >= 0, activity = node && node->activity.class;
    op->backward = p->tensor[op->out].wants_gradient && (written || activity);
    if (!op->backward) {
        return;
    }
    op->fresh = !write_gradient(p, op->out, time);
    unsigned flags = node ? node->class->flags : 0;
    if (flags & HD_ALIAS) {
        return;
    }
    if (flags & HD_NEEDS_Y) {
        read_value(p, op->out, time);
    }
    for (int k = 0; k < op->n_in; k++) {
        if (flags & HD_NEEDS_X) {
            read_value(p, op->in[k], time);
        }
        if (p->tensor[op->in[k]].wants_gradient) {
            op->add[k] = write_gradient(p, op->in[k], time);
        }
    }
}

static void plan_lifetimes(hd_plan *p)
{
    for (int i = 0; i < p->n_ops; i++) {
        read_value(p, p->op[i].out, i);
        for (int k = 0; k < p->op[i].n_in; k++) {
            read_value(p, p->op[i].in[k], i);
        }
    }
    for (int i = 0; i < HD_MAX_OUTPUTS; i++) {
        if (p->output[i] >= 0) {
            read_value(p, p->output[i], p->n_ops);
        }
    }
    for (int i = 0; i < p->n_nodes; i++) {
        read_value(p, p->value[i], p->n_ops);
    }
    if (p->mode != HD_PLAN_TRAIN) {
        return;
    }
    for (int i = 0; i < p->m->n_losses; i++) {
        int output = p->output[p->m->loss[i].output];
        if (p->tensor[output].wants_gradient) {
            write_gradient(p, output, p->n_ops);
        }
    }
    for (int i = p->n_ops - 1; i >= 0; i--) {
        plan_backward_op(p, i);
    }
}

static hd_block block(uint64_t a_sample, int capacity, uint64_t fixed, int first, int last)
{
    uint64_t size = a_sample * (uint64_t)capacity + fixed;
    return (hd_block){ (size + ALIGN - 1) / ALIGN * ALIGN, 0, first, last };
}

/* What a step keeps for its backward pass, while it runs, or for good. */
static hd_block *list_op_blocks(const hd_plan *p, int i, hd_block *b)
{
    const hd_op *op = &p->op[i];
    static const hd_node none;
    const hd_node *node = op->node < 0 ? &none : p->m->node[op->node];
    int end = 2 * p->n_ops + 1;
    bool train = p->mode == HD_PLAN_TRAIN;
    *b++ = block(op->backward ? node->saved : 0, p->capacity, op->backward ? node->saved_fixed : 0, i, 2 * p->n_ops - i);
    *b++ = block(0, 0, node->prepared, -1, end);
    *b++ = block(0, 0, train ? node->kept : 0, -1, end);
    *b++ = block(0, 0, op->fold < 0 ? 0 : 2 * (uint64_t)hd_shape_last(&node->out), -1, end);
    return b;
}

/* Blocks in a fixed order: values, gradients, those of steps, targets, sample weights, scratch. */
static int list_blocks(const hd_plan *p, hd_block *b)
{
    int n = 0, end = 2 * p->n_ops + 1;
    uint64_t scratch = 0;
    for (int i = 0; i < p->n_tensors; i++) {
        const hd_tensor *t = &p->tensor[i];
        b[n++] = block(t->root == i ? t->size : 0, p->capacity, 0, t->first, t->last);
        b[n++] = block(t->root == i && t->d_first >= 0 ? t->size : 0, p->capacity, 0, t->d_first, t->d_last);
    }
    for (int i = 0; i < p->n_ops; i++) {
        n = (int)(list_op_blocks(p, i, b + n) - b);
        if (p->op[i].node >= 0) {
            const hd_node *node = p->m->node[p->op[i].node];
            uint64_t size = block(node->scratch, p->capacity, node->scratch_fixed, 0, 0).size;
            scratch = size > scratch ? size : scratch;
        }
    }
    for (int i = 0; i < p->m->n_outputs; i++) {
        b[n++] = block(p->output[i] >= 0 ? (uint64_t)hd_output_target(p->m, i) : 0, p->capacity, 0, -1, p->n_ops);
    }
    b[n++] = block(p->mode != HD_PLAN_PREDICT, p->capacity, 0, -1, p->n_ops);
    b[n++] = block(0, 0, scratch, -1, end);
    return n;
}

static void assign_blocks(hd_plan *p, const hd_block *b)
{
    for (int i = 0; i < p->n_tensors; i++) {
        p->tensor[i].at = (size_t)(b++)->at;
        p->tensor[i].d_at = (size_t)(b++)->at;
    }
    for (int i = 0; i < p->n_ops; i++) {
        p->op[i].saved_at = (size_t)(b++)->at;
        p->op[i].prepared_at = (size_t)(b++)->at;
        p->op[i].kept_at = (size_t)(b++)->at;
        p->op[i].scale_at = (size_t)(b++)->at;
    }
    for (int i = 0; i < p->m->n_outputs; i++) {
        p->target_at[i] = (size_t)(b++)->at;
    }
    p->weight_at = (size_t)(b++)->at;
    p->scratch_at = (size_t)b->at;
}

static hd_status place(hd_plan *p)
{
    hd_context *c = p->m->c;
    int most = 2 * p->n_tensors + 4 * p->n_ops + p->m->n_outputs + 2;
    hd_block *blocks = hd_alloc(c, (size_t)most * sizeof *blocks, "plan");
    int *order = hd_alloc(c, (size_t)most * sizeof *order, "plan");
    hd_status status = HD_ERR_MEMORY;
    if (blocks && order) {
        int n = list_blocks(p, blocks);
        uint64_t total = hd_arena_place(blocks, n, order), limit = SIZE_MAX / sizeof(real) / 2;
        if (total > limit) {
            hd_fail(c, HD_ERR_MEMORY, "plan: a batch of %d samples needs %g MB of work memory: use a smaller batch",
                    p->capacity, (double)total * sizeof(real) / 1e6);
        } else {
            assign_blocks(p, blocks);
            p->arena_size = (size_t)total;
            p->arena = hd_alloc(c, p->arena_size * sizeof(real), "work memory of a batch");
            status = p->arena ? HD_OK : HD_ERR_MEMORY;
        }
    }
    hd_release(c, blocks);
    hd_release(c, order);
    return status;
}

/* Sizes of matrices, images and rows are ints in the kernels. */
static hd_status check_sizes(const hd_plan *p)
{
    for (int i = 0; i < p->n_ops; i++) {
        uint64_t size = p->tensor[p->op[i].out].size;
        if (size * (uint64_t)p->capacity > HD_MOST_ELEMENTS) {
            char path[HD_PATH_SIZE] = "plan";
            if (p->op[i].node >= 0) {
                hd_node_path(p->m, p->op[i].node, path);
            }
            return hd_fail(p->m->c, HD_ERR_MEMORY,
                           "%s: a batch of %d samples has %g elements, expected less than 2^30: use a smaller batch", path,
                           p->capacity, (double)size * p->capacity);
        }
    }
    return HD_OK;
}

/* Room for every node's step and, at most, one change of layout for each. */
static hd_status allocate(hd_plan *p)
{
    hd_context *c = p->m->c;
    size_t n = (size_t)p->m->n_nodes;
    p->tensor = hd_alloc(c, 2 * n * sizeof *p->tensor, "plan");
    p->op = hd_alloc(c, 2 * n * sizeof *p->op, "plan");
    p->tensor_of = hd_alloc(c, n * sizeof(int), "plan");
    p->op_of = hd_alloc(c, n * sizeof(int), "plan");
    p->other_layout = hd_alloc(c, n * sizeof(int), "plan");
    p->node = hd_alloc(c, 2 * (size_t)p->n_nodes * sizeof(int), "plan");
    return p->tensor && p->op && p->tensor_of && p->op_of && p->other_layout && p->node ? HD_OK : HD_ERR_MEMORY;
}

/* What hd_plan_new does after allocating the plan. needed: [nodes], false */
static hd_status make(hd_plan *p, const int *nodes, bool *needed)
{
    hd_status status = allocate(p);
    if (status) {
        return status;
    }
    p->value = p->node + p->n_nodes;
    for (int i = 0; i < p->n_nodes; i++) {
        p->node[i] = nodes[i];
    }
    mark_needed(p->m, p, needed);
    plan_ops(p, needed);
    plan_lifetimes(p);
    status = check_sizes(p);
    return status ? status : place(p);
}

hd_plan *hd_plan_new(hd_model *m, hd_plan_mode mode, const int *nodes, int n_nodes, int capacity)
{
    hd_plan *p = hd_alloc(m->c, sizeof *p, "plan");
    bool *needed = hd_alloc(m->c, (size_t)m->n_nodes * sizeof *needed, "plan");
    hd_status status = HD_ERR_MEMORY;
    if (p && needed) {
        p->m = m;
        p->mode = mode;
        p->n_nodes = n_nodes;
        p->capacity = capacity;
        for (int i = 0; i < HD_MAX_OUTPUTS; i++) {
            p->output[i] = -1;
        }
        status = make(p, nodes, needed);
    }
    hd_release(m->c, needed);
    if (status && p) {
        p->m = m;
        hd_plan_free(p);
    }
    return status ? NULL : p;
}

void hd_plan_free(hd_plan *p)
{
    if (p) {
        hd_context *c = p->m->c;
        hd_release(c, p->arena);
        hd_release(c, p->tensor);
        hd_release(c, p->op);
        hd_release(c, p->tensor_of);
        hd_release(c, p->op_of);
        hd_release(c, p->other_layout);
        hd_release(c, p->node);
        hd_release(c, p);
    }
}
