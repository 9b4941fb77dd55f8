/* core/sem.h - counting semaphore: at most `limit` slots held at once.
 *
 *   slots    [#][#][ ]     limit 3, held 2
 *   waiters  -> A -> B     A wants more than what is free
 *
 * Order      FIFO. A released slot is handed to the oldest waiter before
 *            anyone else can take it.
 * Ownership  The caller owns the struct, which outlives its holders and waiters.
 * Errors     A wait ends with NEAP_OK, or with NEAP_ECANCELLED when its scope is
 *            cancelled. Nothing allocates, so nothing else can fail.
 * Thread     Scheduler thread.
 * Invariant  held <= limit; the oldest waiter needs more than limit - held. A
 *            later, smaller one never overtakes it.
 */
#ifndef NEAP_CORE_SEM_H
#define NEAP_CORE_SEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/wait.h"

typedef struct neap_sem {
    uint32_t  limit;
    uint32_t  held;
    neap_link waiters;
} neap_sem;

void neap_sem_init(neap_sem *sem, uint32_t limit);

/* True if `n` slots, at most `limit`, are free and nobody waits. */
static inline bool neap_sem_is_free(const neap_sem *sem, uint32_t n)
{
    return n <= sem->limit - sem->held && !neap_link_linked(&sem->waiters);
}
/* Take `n` slots; false when they are not free or someone waits. Never parks. */
bool neap_sem_try_acquire(neap_sem *sem, uint32_t n);
/* Queue `task` for `n` slots, after neap_sem_try_acquire has said no. Once the
 * wait ends with NEAP_OK they are the task's, whether or not it ever runs again. */
void neap_sem_park(neap_sem *sem, neap_task *task, uint32_t n);
/* The same for the node of a select's arm, of class neap_sem_acquire_class. */
void neap_sem_queue(neap_sem *sem, neap_node *node, uint32_t n);
/* Give `n` held slots back, or on to the waiters that they now suffice for. */
void neap_sem_release(neap_sem *sem, uint32_t n);

extern const neap_wait_class neap_sem_acquire_class;
/* For the class of a wait that stands in the queue of a neap_sem: its `left`. */
void neap_sem_left(void *sem);

#endif
