/* core/barrier.h - a meeting of `parties` tasks, round after round.
 *
 *   parties 3:  A waits, B waits, C arrives -> A, B go on; the next round begins
 *
 * Order      Those who wait go on in the order in which they came.
 * Ownership  The caller owns the struct, which outlives its waiters.
 * Errors     A wait ends with NEAP_OK, or with NEAP_ECANCELLED: then that task is
 *            missing, and the round waits for another in its place.
 * Thread     Scheduler thread.
 * Invariant  waiting < parties; it is how many stand in the queue.
 */
#ifndef NEAP_CORE_BARRIER_H
#define NEAP_CORE_BARRIER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/wait.h"

typedef struct neap_barrier {
    neap_link waiters;
    uint32_t  parties;
    uint32_t  waiting;
} neap_barrier;

/* `parties` is at least 1. */
void neap_barrier_init(neap_barrier *barrier, uint32_t parties);
/* The last one of a round arrives: true, and those who wait go on. False if
 * others are missing: then the caller parks. */
bool neap_barrier_arrive(neap_barrier *barrier);
/* Queue `task`, after neap_barrier_arrive has said no, until the round is full. */
void neap_barrier_park(neap_barrier *barrier, neap_task *task);

#endif
