#include "loss/loss_kit.h"

enum { BLOCK = 64, MAX_BLOCKS = 256 }; /* samples a block; blocks a round */

typedef struct round {
    const hd_loss_run *r;
    hd_loss_sample *sample;
    int first;
    double sums[MAX_BLOCKS];
} round_t;

static void run_block(void *arg, int task, int thread)
{
    (void)thread;
    round_t *round = arg;
    const hd_loss_run *r = round->r;
    int begin = round->first + task * BLOCK, end = begin + BLOCK < r->n ? begin + BLOCK : r->n;
    double sum = 0;
    for (int s = begin; s < end; s++) {
        double weight = r->weight ? (double)r->weight[s] : 1;
        sum += weight * round->sample(r, s, r->scale * weight);
    }
    round->sums[task] = sum;
}

double hd_loss_sum(const hd_loss_run *r, hd_loss_sample *sample)
{
    double total = 0;
    round_t round = { r, sample, 0, { 0 } };
    for (; round.first < r->n; round.first += BLOCK * MAX_BLOCKS) {
        int blocks = (r->n - round.first + BLOCK - 1) / BLOCK;
        blocks = blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS;
        hd_pool_run(r->pool, blocks, run_block, &round);
        for (int i = 0; i < blocks; i++) {
            total += round.sums[i];
        }
    }
    return total;
}
