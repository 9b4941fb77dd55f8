/* base/ticks.h - the time-stamp counter: the cheapest clock there is.
 *
 * Ticks measure how long tasks run. Where the machine has no counter that runs
 * at a constant rate across cores, a tick is a nanosecond of the monotonic
 * clock, and reading it costs what that costs.
 *
 * Errors  None.
 * Thread  Any, after neap_ticks_calibrate.
 */
#ifndef NEAP_BASE_TICKS_H
#define NEAP_BASE_TICKS_H

#include <stdbool.h>
#include <stdint.h>

/* Find out whether there is a steady counter, and its rate, against the
 * monotonic clock. Takes about 1 ms, once in a process. */
void neap_ticks_calibrate(void);
/* From now on a tick is a nanosecond of the clock. */
void neap_ticks_without_counter(void);
uint64_t neap_ticks_to_ns(uint64_t ticks);
uint64_t neap_ticks_from_ns(uint64_t ns);

/* True if neap_ticks_now reads a counter, false if it reads the clock. */
extern bool neap_ticks_counter;
uint64_t neap_ticks_clock(void);

static inline uint64_t neap_ticks_now(void)
{
#if defined(__x86_64__) || defined(__i386__)
    if (neap_ticks_counter)
        return __builtin_ia32_rdtsc();
#endif
    return neap_ticks_clock();
}

#endif
