/* Monotonicity regulariser of the program that Li, Jiang, Jiang published with the Norm-in-Norm loss (ACM MM 2020): every pair of a batch whose
 * scores are in the wrong order costs their difference; the mean over pairs is divided by 1 + the largest of them. */
#include "kern/vec.h"
#include "loss/loss.h"

enum { DETACH };

typedef struct pairs {
    double sum;     /* over ordered pairs: each counts twice */
    double largest;
    int high, low;  /* the pair that has it: the score of `high` should be below that of `low` */
} pairs;

/* What the pair costs if i should be below j; else if j should be below i; 0 for labels that tie. */
HD_INLINE double cost(const hd_loss_run *r, int i, int j)
{
    const double d = (double)r->y[i] - (double)r->y[j], e = r->target[i] < r->target[j] ? d : r->target[i] > r->target[j] ? -d : 0;
    return e <= 0 ? 0 : e; /* NaN stays */
}

static pairs find_pairs(const hd_loss_run *r)
{
    pairs p = { 0 };
    for (int i = 0; i < r->n; i++) {
        p.sum += (double)r->y[i] - (double)r->y[i]; /* NaN of a score that is no number, also where there is no pair */
        for (int j = 0; j < r->n; j++) {
            const double e = cost(r, i, j);
            p.sum += e;
            if (e > p.largest && r->target[i] < r->target[j]) {
                p.largest = e;
                p.high = i;
                p.low = j;
            }
        }
    }
    return p;
}

static double slope(const hd_loss_run *r, int i)
{
    double sum = 0;
    for (int j = 0; j < r->n; j++) {
        sum += cost(r, i, j) > 0 ? (r->target[i] < r->target[j] ? 2 : -2) : 0;
    }
    return sum;
}

static double run(const hd_loss_run *r)
{
    const double count = r->n > 1 ? (double)r->n * (r->n - 1) : 1;
    const pairs p = find_pairs(r);
    const double by = 1 / (count * (1 + p.largest)), by_largest = r->opt->number[DETACH] != 0 ? 0 : p.sum * by / (1 + p.largest);
    for (int i = 0; r->dy && i < r->n; i++) {
        double d = slope(r, i) * by;
        d -= p.largest > 0 ? by_largest * ((i == p.high) - (i == p.low)) : 0;
        r->dy[i] = (real)(r->scale * r->n * d + (r->add ? (double)r->dy[i] : 0));
    }
    return r->n * p.sum * by;
}

static const hd_option options[] = {
    { .name = "detach", .type = HD_BOOL, .doc = "gradients as if the largest difference were a constant" },
    { 0 },
};

static const hd_loss_example examples[] = { { { 1, { 1 } }, 0, { 0 } }, { { 0 }, 0, { 0 } } };

const hd_loss_class hd_loss_monotonicity = {
    .name = "monotonicity",
    .doc = "of a batch: mean over its pairs of how far scores are in the wrong order, over 1 + the largest; O(n^2)",
    .options = options,
    .batch = true,
    .target_min = -1e30,
    .target_max = 1e30,
    .run = run,
    .examples = examples,
};
