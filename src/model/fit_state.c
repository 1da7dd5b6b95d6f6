/* What a running fit knows beyond the weights and the optimiser's state of its model, to be put into another fit of the same
 * options and data, which then goes on to the same bits. The rows' order and all random draws follow from it. */
#include "model/fit.h"

#include "base/walk.h"

enum { VERSION = 1, MANY = 1 << 30 };

static void walk_score(hd_walk *w, const hd_model *m, hd_score *s)
{
    hd_walk_number(w, "samples", &s->samples, 0, 1e300);
    hd_walk_number(w, "batches of the score", &s->batches, 0, 1e300);
    hd_walk_numbers(w, 1, &s->total);
    hd_walk_numbers(w, (size_t)m->n_losses, s->loss);
    hd_walk_numbers(w, (size_t)s->n_sums, s->sums);
}

/* The sum of the gradients only while a group is incomplete. */
static void walk_group(hd_walk *w, const hd_fit *f, hd_group *group)
{
    int most = !group->sum ? 0 : group->size ? group->size - 1 : MANY;
    if (hd_walk_int(w, "batches of the group", &group->batches, 0, most)) {
        hd_walk_number(w, "rows of the group", &group->rows, 1, 1e300);
        hd_walk_values(w, f->m->flat, group->sum);
    }
}

static void walk_full_batch(hd_walk *w, const hd_fit *f, bool within)
{
    const hd_model *m = f->m;
    hd_full_batch *full = f->full;
    bool means = hd_walk_bool(w, "pass for means", &full->means);
    hd_walk_bool(w, "trial point", &full->trial);
    hd_walk_int(w, "batches of the iteration", &full->batches, 0, MANY);
    hd_walk_numbers(w, 1, &full->loss);
    hd_walk_numbers(w, 1, &full->penalty);
    hd_walk_values(w, m->flat, full->q);
    if (within) {
        hd_walk_numbers(w, m->flat, full->gradient);
    }
    for (int i = 0; i < m->n_nodes && within && means; i++) {
        hd_activity *a = &m->node[i]->activity;
        if (a->class) {
            hd_walk_numbers(w, 1, &a->rows);
            hd_walk_numbers(w, hd_shape_size(&m->node[i]->out), a->sums);
        }
    }
    hd_lbfgs_walk(full->lbfgs, w);
}

static void walk(hd_walk *w, hd_fit *f)
{
    int version = VERSION;
    hd_walk_int(w, "version", &version, VERSION, VERSION);
    hd_walk_int(w, "epoch", &f->epoch, 0, f->epochs);
    /* A fit that is fed with gradients ends its epochs when it is told to. */
    int batch = hd_walk_int(w, "batch", &f->batch, 0, f->batches && f->data ? f->batches - 1 : MANY);
    hd_walk_bool(w, "converged", &f->converged);
    hd_walk_number(w, "learning rate", &f->base_rate, 0, 1e6);
    hd_walk_numbers(w, 1, &f->batch_loss);
    hd_walk_numbers(w, 1, &f->rate);
    hd_walk_numbers(w, 1, &f->gradient_norm);
    walk_score(w, f->m, &f->score);
    walk_score(w, f->m, &f->last);
    walk_group(w, f, &f->group);
    if (f->full) {
        walk_full_batch(w, f, batch > 0);
    }
}

double hd_fit_state_size(const hd_fit *f, int values)
{
    hd_walk w = { .mode = HD_WALK_COUNT };
    walk(&w, (hd_fit *)f); /* counting changes nothing */
    return (double)(values ? w.value : w.number);
}

void hd_fit_save_state(const hd_fit *f, double *numbers, hd_real *values)
{
    hd_walk w = { .mode = HD_WALK_SAVE, .to_numbers = numbers, .to_values = values };
    walk(&w, (hd_fit *)f);
}

hd_status hd_fit_load_state(hd_fit *f, const double *numbers, int n_numbers, const hd_real *values, int n_values)
{
    hd_walk check = { .mode = HD_WALK_CHECK, .from_numbers = numbers, .n_numbers = n_numbers > 0 ? (size_t)n_numbers : 0 };
    walk(&check, f);
    if (check.wrong) {
        return hd_fail(f->m->c, HD_ERR_ARGUMENT, "fit: the state is not one of such a fit: %s = %g", check.wrong, check.found);
    }
    if (check.number != (size_t)n_numbers || n_values < 0 || check.value != (size_t)n_values) {
        return hd_fail(f->m->c, HD_ERR_ARGUMENT, "fit: the state is not one of such a fit: %d numbers and %d values, expected %z and %z",
                       n_numbers, n_values, check.number, check.value);
    }
    hd_walk load = { .mode = HD_WALK_LOAD, .from_numbers = numbers, .from_values = values };
    walk(&load, f);
    if (f->batch && f->data) {
        hd_fit_load_order(f);
    }
    return HD_OK;
}
