#include "core/sem.h"

#include <assert.h>

#include "core/task.h"

/* Called when slots come back, and when the oldest waiter has given up. */
static void serve_waiters(neap_sem *sem)
{
    while (neap_link_linked(&sem->waiters)) {
        neap_node *oldest = neap_node_first(&sem->waiters);
        if (oldest->count > sem->limit - sem->held)
            return;
        /* Take before waking: between its wake and its turn a running task
         * would find the slots free and overtake it. */
        sem->held += oldest->count;
        neap_node_end(oldest, NEAP_OK);
    }
}

void neap_sem_left(void *sem)
{
    serve_waiters(sem);
}

const neap_wait_class neap_sem_acquire_class = { .what = "semaphore:acquire",
                                                 .left = neap_sem_left };

void neap_sem_init(neap_sem *sem, uint32_t limit)
{
    sem->limit = limit;
    sem->held = 0;
    neap_link_init(&sem->waiters);
}

bool neap_sem_try_acquire(neap_sem *sem, uint32_t n)
{
    assert(n <= sem->limit);
    if (!neap_sem_is_free(sem, n))
        return false;
    sem->held += n;
    return true;
}

void neap_sem_park(neap_sem *sem, neap_task *task, uint32_t n)
{
    neap_wait_park(task, &neap_sem_acquire_class, sem);
    neap_sem_queue(sem, &task->wait.node, n);
}

void neap_sem_queue(neap_sem *sem, neap_node *node, uint32_t n)
{
    node->count = n;
    neap_link_append(&sem->waiters, &node->link);
}

void neap_sem_release(neap_sem *sem, uint32_t n)
{
    assert(sem->held >= n);
    sem->held -= n;
    serve_waiters(sem);
}
