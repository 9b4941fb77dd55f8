/* base/clock.h - replaceable "now".
 *
 * Everything that asks for the time asks a neap_clock, so that specs run in
 * virtual time. `monotonic` never goes back and counts nanoseconds from an
 * unspecified start; `wall` counts microseconds since the epoch in UTC.
 *
 * Thread  neap_clock_system from any thread; a clock of a scheduler from its own.
 */
#ifndef NEAP_BASE_CLOCK_H
#define NEAP_BASE_CLOCK_H

#include <stdint.h>

#define NEAP_SECOND_NS 1000000000u
#define NEAP_NEVER     UINT64_MAX

typedef struct neap_clock neap_clock;
struct neap_clock {
    uint64_t (*monotonic)(neap_clock *clock);
    uint64_t (*wall)(neap_clock *clock);
};

/* The clocks of the machine. */
extern neap_clock neap_clock_system;

static inline uint64_t neap_clock_now(neap_clock *clock)
{
    return clock->monotonic(clock);
}

/* `from_ns + duration_ns`, NEAP_NEVER where that does not fit. */
static inline uint64_t neap_clock_after(uint64_t from_ns, uint64_t duration_ns)
{
    return duration_ns > NEAP_NEVER - from_ns ? NEAP_NEVER : from_ns + duration_ns;
}

#endif
