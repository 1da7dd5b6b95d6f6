#include "loss/loss_kit.h"

enum { BLOCK = 8192, MAX_BLOCKS = 256 }; /* elements a block; blocks a round */

typedef struct job {
    const hd_loss_run *r;
    hd_loss_block *block;
    int first, samples; /* of the round; a block */
    double sums[MAX_BLOCKS];
} job;

static void run_block(void *arg, int task, int thread)
{
    (void)thread;
    job *j = arg;
    int begin = j->first + task * j->samples, left = j->r->n - begin;
    j->sums[task] = j->block(j->r, begin, begin + (left < j->samples ? left : j->samples));
}

double hd_loss_sum(const hd_loss_run *r, hd_loss_block *block)
{
    double total = 0;
    job j = { .r = r, .block = block, .samples = r->size < BLOCK ? BLOCK / r->size : 1 };
    while (j.first < r->n) {
        int left = r->n - j.first, blocks = left / j.samples + (left % j.samples != 0);
        blocks = blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS;
        hd_pool_run(r->pool, blocks, run_block, &j);
        for (int i = 0; i < blocks; i++) {
            total += j.sums[i];
        }
        j.first = left < blocks * j.samples ? r->n : j.first + blocks * j.samples;
    }
    return total;
}
