#include "base/ticks.h"

#include "base/clock.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

enum { CALIBRATION_NS = 1000000 };

bool neap_ticks_counter;
static double ns_per_tick = 1;

/* CPUID 80000007h, EDX bit 8: the counter has one rate in all power states and
 * on all cores (Intel SDM vol. 3, "invariant TSC"). */
static bool has_steady_counter(void)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8));
#else
    return false;
#endif
}

uint64_t neap_ticks_clock(void)
{
    return neap_clock_now(&neap_clock_system);
}

void neap_ticks_without_counter(void)
{
    neap_ticks_counter = false;
    ns_per_tick = 1;
}

void neap_ticks_calibrate(void)
{
    neap_ticks_without_counter();
    if (!has_steady_counter())
        return;

    neap_ticks_counter = true;
    uint64_t begin_ns = neap_clock_now(&neap_clock_system), now_ns;
    uint64_t begin = neap_ticks_now(), now;
    do {
        now_ns = neap_clock_now(&neap_clock_system);
        now = neap_ticks_now();
    } while (now_ns - begin_ns < CALIBRATION_NS);
    if (now > begin)
        ns_per_tick = (double)(now_ns - begin_ns) / (double)(now - begin);
    else
        neap_ticks_without_counter();
}

uint64_t neap_ticks_to_ns(uint64_t ticks)
{
    return (uint64_t)((double)ticks * ns_per_tick);
}

uint64_t neap_ticks_from_ns(uint64_t ns)
{
    return (uint64_t)((double)ns / ns_per_tick);
}
