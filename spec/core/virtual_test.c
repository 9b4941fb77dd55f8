/* virtual_test.c - a clock that stands until it is moved. */
#include "base/virtual.h"
#include "test.h"

#define EPOCH_US (UINT64_C(946684800) * 1000000)

static neap_virtual it;

static uint64_t now(void)
{
    return neap_clock_now(&it.clock);
}

static uint64_t wall(void)
{
    return it.clock.wall(&it.clock);
}

static void spin(uint64_t ns)
{
    uint64_t until_ns = neap_clock_now(&neap_clock_system) + ns;
    while (neap_clock_now(&neap_clock_system) < until_ns)
        ;
}

static void begins_in_2000_and_stands(void)
{
    neap_virtual_init(&it);
    CHECK(wall() == EPOCH_US);
    CHECK(neap_virtual_elapsed(&it) == 0);
    CHECK(now() > 0);
    spin(100000);
    CHECK(wall() == EPOCH_US);
}

static void moves_to_an_instant_and_never_back(void)
{
    neap_virtual_init(&it);
    uint64_t from_ns = now();
    neap_virtual_skip(&it, from_ns + 5000);
    CHECK(now() == from_ns + 5000);
    CHECK(wall() == EPOCH_US + 5);
    CHECK(neap_virtual_elapsed(&it) == 5000);
    neap_virtual_skip(&it, from_ns);
    CHECK(now() == from_ns + 5000);
}

static void begins_again_with_all_clocks(void)
{
    neap_virtual_init(&it);
    uint64_t from_ns = now();
    neap_virtual_skip(&it, from_ns + NEAP_SECOND_NS);
    neap_virtual_begin(&it, false);
    CHECK(now() == from_ns);
    CHECK(wall() == EPOCH_US);
    CHECK(neap_virtual_elapsed(&it) == 0);
}

static void begins_again_while_an_awaited_clock_goes_on(void)
{
    neap_virtual_init(&it);
    neap_virtual_skip(&it, now() + NEAP_SECOND_NS);
    uint64_t from_ns = now();
    neap_virtual_begin(&it, true);
    CHECK(now() == from_ns);
    CHECK(wall() == EPOCH_US);
    CHECK(neap_virtual_elapsed(&it) == 0);
}

static void runs_while_something_is_pending_and_keeps_that_time(void)
{
    neap_virtual_init(&it);
    neap_virtual_run(&it, NEAP_VIRTUAL_PENDING, true);
    spin(100000);
    neap_virtual_run(&it, NEAP_VIRTUAL_PENDING, true);      /* holds already */
    uint64_t passed_ns = neap_virtual_elapsed(&it);
    CHECK(passed_ns >= 100000);
    CHECK(wall() >= EPOCH_US + 100 && wall() < EPOCH_US + 10000000);
    neap_virtual_run(&it, NEAP_VIRTUAL_PENDING, false);
    passed_ns = neap_virtual_elapsed(&it);
    spin(100000);
    CHECK(neap_virtual_elapsed(&it) == passed_ns);
}

static void tells_real_time_and_forgets_it(void)
{
    neap_virtual_init(&it);
    uint64_t from_ns = now();
    neap_virtual_run(&it, NEAP_VIRTUAL_REAL, true);
    spin(100000);
    CHECK(now() >= from_ns + 100000);
    CHECK(wall() > EPOCH_US + UINT64_C(600000000000000));   /* 19 years */
    neap_virtual_run(&it, NEAP_VIRTUAL_REAL, false);
    CHECK(now() == from_ns);
    CHECK(wall() == EPOCH_US);
}

static void runs_on_after_real_time_while_something_is_pending(void)
{
    neap_virtual_init(&it);
    uint64_t from_ns = now();
    neap_virtual_run(&it, NEAP_VIRTUAL_REAL, true);
    neap_virtual_run(&it, NEAP_VIRTUAL_PENDING, true);
    spin(50000);
    neap_virtual_run(&it, NEAP_VIRTUAL_REAL, false);
    CHECK(now() >= from_ns && now() < from_ns + 10 * (uint64_t)NEAP_SECOND_NS);
    spin(50000);
    CHECK(now() >= from_ns + 50000);
    CHECK(wall() < EPOCH_US + 10000000);
}

int main(void)
{
    RUN(begins_in_2000_and_stands);
    RUN(moves_to_an_instant_and_never_back);
    RUN(begins_again_with_all_clocks);
    RUN(begins_again_while_an_awaited_clock_goes_on);
    RUN(runs_while_something_is_pending_and_keeps_that_time);
    RUN(tells_real_time_and_forgets_it);
    RUN(runs_on_after_real_time_while_something_is_pending);
    return REPORT();
}
