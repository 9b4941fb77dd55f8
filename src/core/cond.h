/* core/cond.h - condition variable: wait for a change of what a mutex guards.
 *
 *   task  owner --park--> waiters --notify, cancel--> queue of the mutex --> owner
 *
 * Whoever waits gives the mutex up meanwhile and is its owner again when the
 * wait ends, however it ends: the way back cannot be cancelled. A notified
 * task does not run before it has the mutex.
 *
 * Order      FIFO, here and on the way back.
 * Ownership  The caller owns the structs. The mutex outlives the condition, which
 *            outlives its waiters.
 * Errors     A wait ends with NEAP_OK when notified, with NEAP_ECANCELLED when
 *            cancelled before that, or with NEAP_EABANDONED if the mutex broke
 *            while it was on its way back.
 * Thread     Scheduler thread.
 * Invariant  A wait ends exactly when its task has become the owner.
 */
#ifndef NEAP_CORE_COND_H
#define NEAP_CORE_COND_H

#include <stdint.h>

#include "base/list.h"
#include "core/mutex.h"

typedef struct neap_cond {
    neap_mutex *mutex;
    neap_link   waiters;
} neap_cond;

void neap_cond_init(neap_cond *cond, neap_mutex *mutex);
/* Queue `task`, the owner of the mutex, until it is notified, and unlock. */
void neap_cond_park(neap_cond *cond, neap_task *task);
/* Send the `n` oldest waiters on their way back. */
void neap_cond_notify(neap_cond *cond, uint32_t n);

#endif
