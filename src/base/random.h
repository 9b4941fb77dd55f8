/* base/random.h - replaceable "random": a seeded generator.
 *
 * xoshiro256** by Blackman and Vigna (2018), seeded through splitmix64: fast,
 * 256 bits of state, the same sequence for a seed on every machine. Not for
 * secrets; those come from neap_random_system.
 */
#ifndef NEAP_BASE_RANDOM_H
#define NEAP_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct neap_random {
    uint64_t state[4];
} neap_random;

void neap_random_seed(neap_random *random, uint64_t seed);
/* 64 random bits. */
uint64_t neap_random_next(neap_random *random);
/* Uniform in 0 .. bound - 1; `bound` is at least 1. */
uint64_t neap_random_below(neap_random *random, uint64_t bound);
/* Fill `size` bytes from the operating system; -1 if it gives none. */
int neap_random_system(void *bytes, size_t size);

#endif
