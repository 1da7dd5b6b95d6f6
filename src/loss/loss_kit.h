/* How losses go over samples: in fixed blocks, each summed in float64 and the blocks added in order, so that the sum does
 * not depend on the number of threads. */
#ifndef HD_LOSS_LOSS_KIT_H
#define HD_LOSS_LOSS_KIT_H

#include "loss/loss.h"

/* Does sample s: returns its loss and writes (or adds) scale * its gradient; scale has the sample's weight in it. */
typedef double hd_loss_sample(const hd_loss_run *r, int s, double scale);

/* The weighted sum over all samples. */
double hd_loss_sum(const hd_loss_run *r, hd_loss_sample *sample);

/* Gradient element i of the batch. */
static inline void hd_loss_put(const hd_loss_run *r, size_t i, double d)
{
    if (r->dy) {
        r->dy[i] = (real)(r->add ? (double)r->dy[i] + d : d);
    }
}

#endif
