#include "core/rwlock.h"

static const neap_wait_class READ  = { .what = "rwlock:read",  .left = neap_sem_left };
static const neap_wait_class WRITE = { .what = "rwlock:write", .left = neap_sem_left };

void neap_rwlock_init(neap_rwlock *lock)
{
    neap_sem_init(lock, NEAP_RWLOCK_WRITE);
}

void neap_rwlock_park(neap_rwlock *lock, neap_wait *wait, neap_task *task, uint32_t n)
{
    neap_wait_park(wait, n == NEAP_RWLOCK_READ ? &READ : &WRITE, lock, task);
    neap_sem_queue(lock, &wait->node, n);
}
