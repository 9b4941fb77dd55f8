#include "core/rwlock.h"

#include "core/task.h"

static const neap_wait_class READ  = { .what = "rwlock:read",  .left = neap_sem_left };
static const neap_wait_class WRITE = { .what = "rwlock:write", .left = neap_sem_left };

void neap_rwlock_init(neap_rwlock *lock)
{
    neap_sem_init(lock, NEAP_RWLOCK_WRITE);
}

void neap_rwlock_park(neap_rwlock *lock, neap_task *task, uint32_t n)
{
    neap_wait_park(task, n == NEAP_RWLOCK_READ ? &READ : &WRITE, lock);
    neap_sem_queue(lock, &task->wait.node, n);
}
