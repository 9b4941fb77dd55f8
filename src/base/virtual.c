#include "base/virtual.h"

#include <assert.h>

#include "base/list.h"

#define EPOCH_US (UINT64_C(946684800) * 1000000)    /* 2000-01-01T00:00:00Z */

static neap_virtual *virtual_of(neap_clock *clock)
{
    return neap_container(clock, neap_virtual, clock);
}

static uint64_t monotonic(neap_clock *clock)
{
    neap_virtual *self = virtual_of(clock);

    if (self->reasons == 0)
        return self->stood_ns;
    return self->stood_ns + (neap_clock_now(&neap_clock_system) - self->machine_ns);
}

static uint64_t wall(neap_clock *clock)
{
    neap_virtual *self = virtual_of(clock);

    if (self->reasons & NEAP_VIRTUAL_REAL)
        return neap_clock_system.wall(&neap_clock_system);
    return EPOCH_US + (monotonic(clock) - self->begun_ns) / 1000;
}

void neap_virtual_init(neap_virtual *clock)
{
    *clock = (neap_virtual){ .clock = { monotonic, wall } };
    neap_virtual_begin(clock, false);
}

void neap_virtual_begin(neap_virtual *clock, bool awaited)
{
    if (!awaited) {
        /* Not 0, which deadlines take for "none". */
        clock->stood_ns = clock->resume_ns = NEAP_SECOND_NS;
        clock->machine_ns = neap_clock_now(&neap_clock_system);
    }
    clock->begun_ns = monotonic(&clock->clock);
}

uint64_t neap_virtual_elapsed(neap_virtual *clock)
{
    return monotonic(&clock->clock) - clock->begun_ns;
}

void neap_virtual_skip(neap_virtual *clock, uint64_t at_ns)
{
    assert(clock->reasons == 0);
    if (at_ns > clock->stood_ns)
        clock->stood_ns = at_ns;
}

bool neap_virtual_is_real(const neap_clock *clock)
{
    const neap_virtual *self = neap_container(clock, neap_virtual, clock);

    return clock->monotonic != monotonic || (self->reasons & NEAP_VIRTUAL_REAL) != 0;
}

void neap_virtual_run(neap_virtual *clock, unsigned reason, bool holds)
{
    bool held = (clock->reasons & reason) != 0;

    if (held == holds)
        return;
    clock->stood_ns = monotonic(&clock->clock);
    clock->machine_ns = neap_clock_now(&neap_clock_system);
    if (reason == NEAP_VIRTUAL_REAL) {
        if (holds)
            clock->resume_ns = clock->stood_ns;
        else
            clock->stood_ns = clock->resume_ns;
    }
    clock->reasons = holds ? clock->reasons | reason : clock->reasons & ~reason;
}
