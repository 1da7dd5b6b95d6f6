#include "layer/activate.h"

hd_status hd_activator_check(hd_build *b, int option)
{
    hd_activation kind = (hd_activation)b->opt->number[option];
    double alpha = b->opt->number[option + 1];
    if (alpha != 0 && kind != HD_LEAKY_RELU && kind != HD_ELU) {
        return hd_fail(b->c, HD_ERR_ARGUMENT, "%s: alpha = %g with activation %s, only leakyRelu and elu have one",
                       b->path, alpha, hd_activation_names[kind]);
    }
    return HD_OK;
}

real hd_activator_alpha(const hd_values *opt, int option)
{
    double alpha = opt->number[option + 1];
    return alpha != 0 ? (real)alpha : hd_activation_alpha((hd_activation)opt->number[option]);
}

hd_activator hd_activator_of(const hd_run *r, int option)
{
    hd_activation kind = r->logits ? HD_LINEAR : (hd_activation)r->opt->number[option];
    return (hd_activator){ kind, hd_activator_alpha(r->opt, option) };
}

void hd_activator_back(const hd_run *r, hd_activator a, size_t rows, size_t row)
{
    if (a.kind != HD_LINEAR) {
        hd_activate_back(r->pool, a.kind, a.alpha, r->y, r->dy, r->dy, rows, row, false);
    }
}
