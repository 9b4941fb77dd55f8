/* core/rwlock.h - many readers or one writer.
 *
 * It is a semaphore with more slots than there can be tasks: a reader takes one
 * of them, a writer all. So it is as fair as a semaphore: a waiting writer stops
 * later readers, and nobody starves.
 *
 * Order      FIFO; readers that stand next to each other enter together.
 * Ownership  The caller owns the struct, which outlives its holders and waiters.
 * Errors     A wait ends with NEAP_OK or NEAP_ECANCELLED.
 * Thread     Scheduler thread.
 * Invariant  A writer is alone.
 */
#ifndef NEAP_CORE_RWLOCK_H
#define NEAP_CORE_RWLOCK_H

#include "core/sem.h"

typedef neap_sem neap_rwlock;

/* How many slots it takes: the `n` of neap_rwlock_park, neap_sem_try_acquire and
 * neap_sem_release. */
enum { NEAP_RWLOCK_READ = 1, NEAP_RWLOCK_WRITE = INT32_MAX };

void neap_rwlock_init(neap_rwlock *lock);
/* Queue `task`, after neap_sem_try_acquire has said no. */
void neap_rwlock_park(neap_rwlock *lock, neap_task *task, uint32_t n);

#endif
