#include "model/model.h"

#include <math.h>

int hd_optimizer_slots(const hd_model *m)
{
    return m->optimizer ? m->optimizer->slots : 0;
}

hd_real *hd_optimizer_slot(hd_model *m, int slot, int weight)
{
    if (slot < 0 || slot >= hd_optimizer_slots(m) || weight < 0 || weight >= m->n_weights || m->weight[weight]->frozen ||
        !m->built || hd_slots_ready(m)) {
        return NULL;
    }
    return m->slots + (size_t)slot * m->flat + m->weight[weight]->offset;
}

hd_real *hd_activity_mean(hd_model *m, int node)
{
    return node >= 0 && node < m->n_nodes ? m->node[node]->activity.mean : NULL;
}

double hd_optimizer_step(const hd_model *m)
{
    return (double)m->step;
}

static bool all_finite(const real *x, size_t n)
{
    bool finite = true;
    for (size_t i = 0; i < n; i++) {
        finite &= isfinite(x[i]) != 0;
    }
    return finite;
}

hd_status hd_optimizer_restore(hd_model *m, double step)
{
    if (!m->optimizer || m->fit) {
        return hd_fail(m->c, HD_ERR_STATE, "optimizer: %s", m->fit ? "a fit of this model is open" : "the model is not compiled");
    }
    if (!(step >= 0 && step <= 9007199254740992.0 && step == floor(step))) {
        return hd_fail(m->c, HD_ERR_ARGUMENT, "optimizer: step = %g, expected a whole number 0..2^53", step);
    }
    for (int i = 0; i < m->n_weights && m->slots; i++) {
        const hd_weight *w = m->weight[i];
        for (int slot = 0; slot < m->optimizer->slots; slot++) {
            if (!all_finite(m->slots + (size_t)slot * m->flat + w->offset, w->size)) {
                return hd_fail(m->c, HD_ERR_ARGUMENT, "optimizer: slot %d of weight %s is not finite", slot, w->name);
            }
        }
    }
    for (int i = 0; i < m->n_nodes; i++) {
        const hd_node *node = m->node[i];
        if (node->activity.class && !all_finite(node->activity.mean, hd_shape_size(&node->out))) {
            return hd_fail(m->c, HD_ERR_ARGUMENT, "optimizer: the mean activity of %s is not finite", node->name);
        }
    }
    m->step = (uint64_t)step;
    return HD_OK;
}
