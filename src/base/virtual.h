/* base/virtual.h - virtual time: a clock that stands until it is moved.
 *
 * It begins at 2000-01-01T00:00:00Z. It runs with the clock of the machine
 * while there is a reason to: requests of the outside world that are under way,
 * or somebody who wants real time. Of the second nothing remains afterwards:
 * the clock goes on where it stood.
 *
 * Errors  None.
 * Thread  That of the scheduler whose clock it is.
 */
#ifndef NEAP_BASE_VIRTUAL_H
#define NEAP_BASE_VIRTUAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Reasons to run; bits. */
enum { NEAP_VIRTUAL_PENDING = 1, NEAP_VIRTUAL_REAL = 2 };

typedef struct neap_virtual {
    neap_clock clock;
    unsigned   reasons;
    uint64_t   stood_ns;        /* where it stood when it was last moved or set running */
    uint64_t   machine_ns;      /* the machine's clock at that moment */
    uint64_t   begun_ns;        /* its monotonic time at the beginning of 2000 */
    uint64_t   resume_ns;       /* where it goes on after real time */
} neap_virtual;

/* It stands at the beginning, for no reason to run. */
void neap_virtual_init(neap_virtual *clock);
/* It is the beginning of 2000 again. The monotonic clock begins anew, too, or goes
 * on, if there are instants on it that somebody waits for. */
void neap_virtual_begin(neap_virtual *clock, bool awaited);
/* Nanoseconds since the beginning. */
uint64_t neap_virtual_elapsed(neap_virtual *clock);
/* Move it to a monotonic instant, while it stands; never back. */
void neap_virtual_skip(neap_virtual *clock, uint64_t at_ns);
/* True for any clock but a virtual one that nobody has made real. */
bool neap_virtual_is_real(const neap_clock *clock);
/* A reason to run holds, or holds no more. */
void neap_virtual_run(neap_virtual *clock, unsigned reason, bool holds);

#endif
