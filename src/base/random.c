#include "base/random.h"

#include <sys/random.h>

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void neap_random_seed(neap_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        random->state[i] = z ^ (z >> 31);
    }
}

uint64_t neap_random_next(neap_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t neap_random_below(neap_random *random, uint64_t bound)
{
    /* Draws beyond the largest multiple of `bound` would favour small results. */
    uint64_t excess = (UINT64_MAX % bound + 1) % bound;
    uint64_t draw;
    do
        draw = neap_random_next(random);
    while (draw > UINT64_MAX - excess);
    return draw % bound;
}

int neap_random_system(void *bytes, size_t size)
{
    unsigned char *at = bytes;
    while (size > 0) {
        size_t part = size < 256 ? size : 256;
        if (getrandom(at, part, 0) != (ssize_t)part)
            return -1;
        at += part;
        size -= part;
    }
    return 0;
}
