#include "model/plan.h"

/* Larger blocks first; each at the lowest place that is free for its whole life. */
static void sort_by_size(const hd_block *b, int n, int *order)
{
    for (int i = 0; i < n; i++) {
        int k = i;
        for (; k > 0 && b[order[k - 1]].size < b[i].size; k--) {
            order[k] = order[k - 1];
        }
        order[k] = i;
    }
}

static bool clash(const hd_block *a, const hd_block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static uint64_t lowest_place(const hd_block *blocks, const int *order, int placed, const hd_block *b)
{
    uint64_t at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < placed; i++) {
            const hd_block *other = &blocks[order[i]];
            if (clash(b, other) && at < other->at + other->size && other->at < at + b->size) {
                at = other->at + other->size;
                moved = true;
            }
        }
    }
    return at;
}

uint64_t hd_arena_place(hd_block *blocks, int n, int *order)
{
    uint64_t total = 0;
    sort_by_size(blocks, n, order);
    for (int i = 0; i < n; i++) {
        hd_block *b = &blocks[order[i]];
        b->at = b->size ? lowest_place(blocks, order, i, b) : 0;
        if (b->at + b->size > total) {
            total = b->at + b->size;
        }
    }
    return total;
}
