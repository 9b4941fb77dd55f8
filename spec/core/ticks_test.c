/* ticks_test.c - ticks, with a counter and without one. */
#include "base/ticks.h"
#include "base/clock.h"
#include "test.h"

/* How many ns of ticks pass while the clock passes `ns`. */
static uint64_t measured(uint64_t ns)
{
    uint64_t until_ns = neap_clock_now(&neap_clock_system) + ns, from = neap_ticks_now();
    while (neap_clock_now(&neap_clock_system) < until_ns)
        ;
    return neap_ticks_to_ns(neap_ticks_now() - from);
}

/* The clock may be read late on a busy machine, on either side: one of some is enough. */
static bool agrees_with_the_clock(void)
{
    for (int tries = 0; tries < 20; tries++) {
        uint64_t ns = measured(10000000);
        if (ns > 9900000 && ns < 10200000)
            return true;
    }
    return false;
}

static void the_counter_is_calibrated_against_the_clock(void)
{
    neap_ticks_calibrate();
    CHECK(agrees_with_the_clock());
    CHECK(neap_ticks_to_ns(neap_ticks_from_ns(1000000000)) > 999999000);
}

static void without_a_counter_a_tick_is_a_nanosecond_of_the_clock(void)
{
    neap_ticks_without_counter();
    CHECK(!neap_ticks_counter);
    CHECK(neap_ticks_from_ns(12345) == 12345 && neap_ticks_to_ns(12345) == 12345);
    uint64_t before_ns = neap_clock_now(&neap_clock_system);
    uint64_t tick = neap_ticks_now();
    CHECK(before_ns <= tick && tick <= neap_clock_now(&neap_clock_system));
    CHECK(agrees_with_the_clock());
}

int main(void)
{
    RUN(the_counter_is_calibrated_against_the_clock);
    RUN(without_a_counter_a_tick_is_a_nanosecond_of_the_clock);
    return REPORT();
}
