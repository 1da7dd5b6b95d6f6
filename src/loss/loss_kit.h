/* How losses go over a batch: in fixed blocks of samples, each summed in float64 and the blocks added in order, so that the
 * sum does not depend on the number of threads. */
#ifndef HD_LOSS_LOSS_KIT_H
#define HD_LOSS_LOSS_KIT_H

#include "kern/vec.h"
#include "loss/loss.h"

/* Does samples [begin, end): returns the sum of weight * loss, writes (or adds) the gradient. */
typedef double hd_loss_block(const hd_loss_run *r, int begin, int end);

/* The sum over all samples. */
double hd_loss_sum(const hd_loss_run *r, hd_loss_block *block);

HD_INLINE double hd_loss_weight(const hd_loss_run *r, int s)
{
    return r->weight ? (double)r->weight[s] : 1;
}

/* The first n lanes, each to its own sum: the processor needs not wait for one addition to begin the next. */
HD_INLINE void hd_add_lanes(double sums[HD_VL], vec v, size_t n)
{
    real t[HD_VL];
    vstore(t, v);
    for (size_t i = 0; i < HD_VL; i++) {
        sums[i] += i < n ? (double)t[i] : 0;
    }
}

HD_INLINE double hd_sum_lanes(const double sums[HD_VL])
{
    double total = 0;
    for (int i = 0; i < HD_VL; i++) {
        total += sums[i];
    }
    return total;
}

/* Loss of an element and its derivative for y; k: constants of the class. May change y (to its activation). */
typedef vec hd_loss_term(vec *y, vec t, const vec *k, vec *slope);

/* A block of a loss that goes element by element: factor * sum of its terms. activates: the term changes y. */
HD_INLINE double hd_loss_terms(const hd_loss_run *r, int begin, int end, hd_loss_term *term, const vec *k, double factor,
                               bool activates)
{
    const size_t size = (size_t)r->size;
    double total = 0;
    for (int s = begin; s < end; s++) {
        const size_t at = (size_t)s * size;
        const double weight = factor * hd_loss_weight(r, s);
        const vec scale = vset((real)(r->scale * weight));
        double sums[HD_VL] = { 0 };
        for (size_t i = at, left = size; left; i += HD_VL) {
            vec y = vload_upto(r->y + i, left), slope;
            hd_add_lanes(sums, term(&y, vload_upto(r->target + i, left), k, &slope), left);
            if (activates) {
                vstore_upto(r->y + i, y, left);
            }
            if (r->dy) {
                vec d = vmul(scale, slope);
                vstore_upto(r->dy + i, r->add ? vadd(vload_upto(r->dy + i, left), d) : d, left);
            }
            left -= left < HD_VL ? left : HD_VL;
        }
        total += weight * hd_sum_lanes(sums);
    }
    return total;
}

/* The average over a sample's elements, as Keras has it. */
HD_INLINE double hd_loss_mean(const hd_loss_run *r, int begin, int end, hd_loss_term *term, const vec *k)
{
    return hd_loss_terms(r, begin, end, term, k, 1.0 / r->size, false);
}

#endif
