/* Running a plan. */
#include "model/plan.h"

#include <math.h>

static real *value_of(const hd_plan *p, int tensor)
{
    return p->arena + p->tensor[p->tensor[tensor].root].at;
}

/* NULL where no gradient is kept. */
static real *gradient_of(const hd_plan *p, int tensor)
{
    const hd_tensor *root = &p->tensor[p->tensor[tensor].root];
    return root->d_first >= 0 && p->tensor[tensor].wants_gradient ? p->arena + root->d_at : NULL;
}

static void gather(hd_plan *p, const hd_table *t, const uint32_t *index, int first, int n, int outer, real *to)
{
    hd_table table = *t;
    if (!index) {
        size_t skip = (size_t)first * (size_t)t->size;
        table.data = t->is_uint8 ? (const void *)((const uint8_t *)t->data + skip) : (const real *)t->data + skip;
    }
    hd_gather(p->m->c->pool, &table, index, n, outer, to);
}

void hd_plan_load(hd_plan *p, const hd_data *d, const uint32_t *index, int first, int n)
{
    const hd_model *m = p->m;
    for (int i = 0; i < m->n_inputs; i++) {
        int tensor = p->tensor_of[m->input[i]];
        if (tensor >= 0) {
            gather(p, &hd_data_find(d, HD_COLUMN_INPUT, i)->table, index, first, n, p->tensor[tensor].outer,
                   value_of(p, tensor));
        }
    }
    for (int i = 0; i < m->n_outputs && p->mode != HD_PLAN_PREDICT; i++) {
        if (p->output[i] >= 0) {
            gather(p, &hd_data_find(d, HD_COLUMN_TARGET, i)->table, index, first, n, 1, p->arena + p->target_at[i]);
        }
    }
    const hd_column *weights = hd_data_find(d, HD_COLUMN_WEIGHT, 0);
    if (weights && p->mode != HD_PLAN_PREDICT) {
        gather(p, &weights->table, index, first, n, 1, p->arena + p->weight_at);
    }
}

/* The loss, or the pooling that follows, wants the output of this node before its activation. */
static bool wants_logits(const hd_plan *p, const hd_op *op, const hd_node *node)
{
    return op->defer || (p->mode != HD_PLAN_PREDICT && node->output >= 0 && hd_output_logits(p->m, node->output));
}

static void set_after(hd_run *r, const hd_node *node)
{
    r->after = node->class->output_activation(&node->opt);
    r->after_alpha = node->class->output_alpha ? node->class->output_alpha(&node->opt) : 0;
}

static hd_run make_run(const hd_plan *p, const hd_op *op, const hd_pass *pass)
{
    const hd_model *m = p->m;
    const hd_node *node = m->node[op->node];
    const hd_node *last = op->fold < 0 ? node : m->node[op->fold]; /* whose output this is */
    bool training = pass->training && !hd_node_fixed(m, node);
    hd_run r = { .pool = m->c->pool, .opt = &node->opt, .state = node->state, .n = pass->n,
                 .outer = p->tensor[op->out].outer, .training = training, .logits = op->fold < 0 && wants_logits(p, op, node),
                 .rng = hd_rng_stream(pass->seed, HD_DRAW_LAYER + (uint32_t)op->node, pass->step), .n_in = op->n_in,
                 .in = node->in_shape, .out = node->out, .y = value_of(p, op->out),
                 .saved = op->backward ? p->arena + op->saved_at : NULL, .scratch = p->arena + p->scratch_at,
                 .prepared = p->arena + op->prepared_at,
                 .kept = training && pass->commits && node->kept ? p->arena + op->kept_at : NULL };
    for (int i = 0; i < op->n_in; i++) {
        r.x[i] = value_of(p, op->in[i]);
    }
    for (int i = 0; i < node->n_weights; i++) {
        r.w[i] = m->w + m->weight[node->first_weight + i]->offset;
    }
    if (op->fold >= 0) {
        r.scale = p->arena + op->scale_at;
        r.shift = r.scale + hd_shape_last(&node->out);
    }
    if (op->before >= 0 || (op->fold >= 0 && last->class->output_activation && !wants_logits(p, op, last))) {
        set_after(&r, op->before >= 0 ? m->node[op->before] : last);
    }
    return r;
}

static void change_layout(const hd_plan *p, const hd_op *op, int n, const real *from, real *to, bool backward, bool add)
{
    const hd_tensor *in = &p->tensor[op->in[0]], *out = &p->tensor[op->out];
    int rows = in->outer > out->outer ? in->outer : out->outer, inner = (int)in->size / rows;
    bool to_rows = (out->outer == rows && out->outer != 1) != backward;
    int dims[3] = { to_rows ? n : rows, to_rows ? rows : n, inner }, order[3] = { 1, 0, 2 };
    hd_permute(p->m->c->pool, dims, order, from, to, add);
}

/* Scale and shift of the folded batch normalisation. */
static void prepare_fold(const hd_plan *p, const hd_op *op)
{
    const hd_model *m = p->m;
    const hd_node *norm = m->node[op->fold];
    const real *w[HD_MAX_WEIGHTS] = { NULL };
    for (int i = 0; i < norm->n_weights; i++) {
        w[i] = m->w + m->weight[norm->first_weight + i]->offset;
    }
    int channels = hd_shape_last(&norm->out);
    norm->class->fold(&norm->opt, channels, w, p->arena + op->scale_at, p->arena + op->scale_at + channels);
}

/* Makes anew what was made from weights that have changed since. */
static void prepare(const hd_plan *p, hd_op *op, const hd_run *r)
{
    const hd_model *m = p->m;
    const hd_node *node = m->node[op->node];
    bool still = hd_node_still(m, node) && (op->fold < 0 || hd_node_still(m, m->node[op->fold]));
    uint64_t version = still ? m->frozen_version : m->version;
    if (op->version == version) {
        return;
    }
    op->version = version;
    if (node->class->prepare) {
        node->class->prepare(r);
    }
    if (op->fold >= 0) {
        prepare_fold(p, op);
    }
}

double hd_plan_forward(hd_plan *p, const hd_pass *pass)
{
    double penalty = 0;
    for (int i = 0; i < p->n_ops; i++) {
        hd_op *op = &p->op[i];
        if (op->node < 0) {
            change_layout(p, op, pass->n, value_of(p, op->in[0]), value_of(p, op->out), false, false);
            continue;
        }
        hd_node *node = p->m->node[op->node];
        if (!(node->class->flags & HD_ALIAS)) {
            hd_run r = make_run(p, op, pass);
            prepare(p, op, &r);
            node->class->forward(&r);
        }
        if (node->activity.class && p->mode != HD_PLAN_PREDICT) {
            penalty += hd_activity_forward(p->m, node, pass->activity, value_of(p, op->out), pass->n);
        }
    }
    return penalty;
}

static void run_metrics(hd_plan *p, int n, const real *weight, hd_score *score)
{
    const hd_model *m = p->m;
    for (int i = 0; i < m->n_metrics; i++) {
        const hd_target_metric *t = &m->metric[i];
        const hd_shape *shape = &m->node[m->output[t->output]]->out;
        hd_metric_run r = { .opt = &t->opt, .n = n, .size = (int)hd_shape_size(shape), .row = hd_shape_last(shape),
                            .labels = hd_output_sparse(m, t->output), .y = value_of(p, p->output[t->output]),
                            .target = p->arena + p->target_at[t->output], .weight = weight,
                            .sums = score->sums + t->first_sum };
        t->class->update(&r);
    }
}

/* An earlier loss has written the gradient that this one writes: of the same output, or of one that it reinterprets. */
static bool adds(const hd_plan *p, int loss)
{
    const hd_target_loss *losses = p->m->loss;
    int root = p->tensor[p->output[losses[loss].output]].root;
    for (int i = 0; i < loss; i++) {
        if (p->tensor[p->output[losses[i].output]].root == root) {
            return true;
        }
    }
    return false;
}

double hd_plan_losses(hd_plan *p, const hd_pass *pass, const hd_data *d, hd_score *score)
{
    const hd_model *m = p->m;
    const real *weight = hd_data_find(d, HD_COLUMN_WEIGHT, 0) ? p->arena + p->weight_at : NULL;
    double total = 0, sum[HD_MAX_LOSSES];
    for (int i = 0; i < m->n_losses; i++) {
        const hd_target_loss *t = &m->loss[i];
        int tensor = p->output[t->output];
        const hd_shape *shape = &m->node[m->output[t->output]]->out;
        hd_loss_run r = { .pool = m->c->pool, .opt = &t->opt, .n = pass->n, .size = (int)hd_shape_size(shape),
                          .row = hd_shape_last(shape), .logits = hd_output_logits(m, t->output),
                          .y = value_of(p, tensor), .target = p->arena + p->target_at[t->output], .weight = weight,
                          .scale = t->weight / pass->samples, .dy = p->mode == HD_PLAN_TRAIN ? gradient_of(p, tensor) : NULL,
                          .add = adds(p, i) };
        sum[i] = t->class->run(&r);
        total += t->weight * sum[i] / pass->samples;
    }
    if (pass->commits && !isfinite(total)) {
        return total;
    }
    for (int i = 0; i < m->n_losses; i++) {
        score->loss[i] += sum[i];
    }
    run_metrics(p, pass->n, weight, score);
    score->samples += pass->n;
    return total;
}

/* Weights that no gradient reaches. */
static void zero_idle_gradients(hd_plan *p)
{
    const hd_model *m = p->m;
    for (int i = 0; i < m->n_weights; i++) {
        const hd_weight *w = m->weight[i];
        int op = p->op_of[w->node];
        if (op < 0 || !p->op[op].backward || w->frozen || w->idle) {
            hd_fill(m->c->pool, w->size, 0, m->g + w->offset);
        }
    }
}

static void backward_op(hd_plan *p, const hd_op *op, const hd_pass *pass)
{
    hd_model *m = p->m;
    const hd_node *node = m->node[op->node];
    real *dy = gradient_of(p, op->out);
    if (op->fresh) {
        hd_fill(m->c->pool, p->tensor[op->out].size * (size_t)pass->n, 0, dy);
    }
    if (node->activity.class) {
        hd_activity_backward(node, dy, pass->n, 1 / pass->samples);
    }
    if (node->class->flags & HD_ALIAS) {
        return;
    }
    hd_run r = make_run(p, op, pass);
    r.dy = dy;
    for (int i = 0; i < op->n_in; i++) {
        r.dx[i] = gradient_of(p, op->in[i]);
        r.add[i] = op->add[i];
    }
    for (int i = 0; i < node->n_weights; i++) {
        const hd_weight *w = m->weight[node->first_weight + i];
        r.dw[i] = w->frozen || w->idle ? NULL : m->g + w->offset;
    }
    node->class->backward(&r);
}

void hd_plan_backward(hd_plan *p, const hd_pass *pass)
{
    zero_idle_gradients(p);
    for (int i = p->n_ops - 1; i >= 0; i--) {
        const hd_op *op = &p->op[i];
        if (!op->backward) {
            continue;
        }
        if (op->node >= 0) {
            backward_op(p, op, pass);
        } else {
            change_layout(p, op, pass->n, gradient_of(p, op->out), gradient_of(p, op->in[0]), true, op->add[0]);
        }
    }
}

void hd_plan_commit(hd_plan *p, const hd_pass *pass)
{
    const hd_model *m = p->m;
    for (int i = 0; i < p->n_ops; i++) {
        const hd_node *node = p->op[i].node < 0 ? NULL : m->node[p->op[i].node];
        if (!node || !node->class->commit) {
            continue;
        }
        hd_run r = make_run(p, &p->op[i], pass);
        for (int k = 0; k < node->n_weights; k++) {
            const hd_weight *w = m->weight[node->first_weight + k];
            r.state_w[k] = w->state ? m->w + w->offset : NULL;
        }
        if (r.kept) {
            node->class->commit(&r);
        }
    }
}

const real *hd_plan_value(const hd_plan *p, int i)
{
    return value_of(p, p->value[i]);
}
