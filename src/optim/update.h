/* How first-order optimisers go over a weight: in one pass, as memory is what bounds them. */
#ifndef HD_OPTIM_UPDATE_H
#define HD_OPTIM_UPDATE_H

#include "kern/vec.h"
#include "optim/optimizer.h"

/* New w and slots from gradient g; k: constants of the step. */
typedef void hd_update(const vec *k, vec g, vec *w, vec *slot);

/* `slots` and `f` must be constants where this is called. */
HD_INLINE void hd_update_all(const hd_optimizer_run *r, int slots, const vec *k, hd_update *f)
{
    for (size_t i = 0; i < r->n; i += HD_VL) {
        const size_t left = r->n - i;
        vec slot[HD_MAX_SLOTS], w = vload_upto(r->w + i, left);
        for (int s = 0; s < slots; s++) {
            slot[s] = vload_upto(r->slot[s] + i, left);
        }
        f(k, vload_upto(r->g + i, left), &w, slot);
        vstore_upto(r->w + i, w, left);
        for (int s = 0; s < slots; s++) {
            vstore_upto(r->slot[s] + i, slot[s], left);
        }
    }
}

/* a, or 0 where it is denormal: averages of a gradient that has become 0 for good (dead units) decay into the denormals and
 * stay there, and these take a processor a hundred times longer. */
HD_INLINE vec hd_flush(vec a)
{
#ifdef HD_FLOAT64
    const vec tiny = vset(2.2250738585072014e-308);
#else
    const vec tiny = vset(1.17549435e-38f);
#endif
    return vandnot(a, vlt(vabs(a), tiny));
}

#endif
