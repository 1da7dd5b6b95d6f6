/* Counter-based random numbers (Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", 2011). A value depends only on (seed, stream, counter), never on what was drawn before. */
#ifndef HD_BASE_RNG_H
#define HD_BASE_RNG_H

#include <stdint.h>

typedef struct hd_rng {
    uint64_t seed;   /* of the run */
    uint64_t stream; /* who draws and when: see hd_rng_stream */
} hd_rng;

/* A stream for one purpose (node or weight number) at one step. */
hd_rng hd_rng_stream(uint64_t seed, uint32_t purpose, uint32_t step);
/* Four independent words for one counter value. */
void hd_rng_block(hd_rng r, uint64_t counter, uint32_t out[4]);
/* Uniform in [0, 1) with 24 bits, and standard normal; `index` numbers the element. */
double hd_rng_uniform(hd_rng r, uint64_t index);
double hd_rng_normal(hd_rng r, uint64_t index);
/* The same from a word of hd_rng_block, for those who take all four: element i is word i % 4 of block i / 4. */
double hd_rng_word_uniform(uint32_t word);
double hd_rng_word_normal(uint32_t word);
/* out: a uniform random permutation of 0..n-1. */
void hd_rng_permutation(hd_rng r, uint32_t *out, uint32_t n);

#endif
