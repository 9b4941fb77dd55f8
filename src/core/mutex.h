/* core/mutex.h - mutual exclusion with an owner.
 *
 *   free --try_lock--> owned by A --unlock--> owned by B, the oldest waiter
 *    ^                     |                        (or free)
 *    |                     | A ends holding it: it breaks, waiters end with
 *    +---------------------+ NEAP_EABANDONED
 *
 * The mutex is its own guard: the record of its being held is a field of it.
 *
 * Order      FIFO. It is handed to the oldest waiter before anyone else can
 *            take it.
 * Ownership  The caller owns the struct, which outlives its waiters;
 *            neap_held_forget is for one whose owner may be gone.
 * Errors     A wait ends with NEAP_OK, with NEAP_ECANCELLED, or with
 *            NEAP_EABANDONED: whoever held the mutex ended without unlocking it,
 *            so what it guards may be half changed. That says it once, to those
 *            who wait; then the mutex is free.
 * Thread     Scheduler thread.
 * Invariant  Who waits is not the owner; a free mutex has no waiters.
 */
#ifndef NEAP_CORE_MUTEX_H
#define NEAP_CORE_MUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/held.h"
#include "core/wait.h"

typedef struct neap_mutex {
    neap_held held;
    neap_link waiters;
    uint64_t  last;         /* id of the task that unlocked it last, or 0 */
} neap_mutex;

void neap_mutex_init(neap_mutex *mutex);

/* Make `task` the owner; false when there is one, be it `task`. Never parks. */
bool neap_mutex_try_lock(neap_mutex *mutex, neap_task *task);
/* Queue `task`, not the owner, after neap_mutex_try_lock has said no. Once the
 * wait ends with NEAP_OK it is the owner. */
void neap_mutex_park(neap_mutex *mutex, neap_task *task);
/* The same for the node of a select's arm, of class neap_mutex_lock_class. */
void neap_mutex_queue(neap_mutex *mutex, neap_node *node);
/* The wait of `task` goes on, in this queue: when it has become the owner, and not
 * before, it ends with `result`, or with NEAP_EABANDONED if the mutex broke on
 * the way. No cancellation ends it. It is parked and in no queue. */
void neap_mutex_requeue(neap_mutex *mutex, neap_task *task, int result);
/* The owner gives it back, or on to the oldest waiter. */
void neap_mutex_unlock(neap_mutex *mutex);

/* NULL when it is free. */
static inline neap_task *neap_mutex_owner(const neap_mutex *mutex)
{
    return mutex->held.task;
}

extern const neap_wait_class neap_mutex_lock_class;

#endif
