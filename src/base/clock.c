#include "base/clock.h"

#include <time.h>

static uint64_t system_monotonic(neap_clock *clock)
{
    struct timespec t;
    (void)clock;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NEAP_SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint64_t system_wall(neap_clock *clock)
{
    struct timespec t;
    (void)clock;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

neap_clock neap_clock_system = { system_monotonic, system_wall };
