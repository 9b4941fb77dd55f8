#include "core/cond.h"

#include <assert.h>

static void send_back(neap_cond *cond, neap_wait *wait, int result)
{
    neap_link_remove(&wait->node.link);
    neap_mutex_requeue(cond->mutex, wait, result);
}

static void cancel(neap_wait *wait)
{
    send_back(wait->object, wait, NEAP_ECANCELLED);
}

static const neap_wait_class WAIT = { .what = "condition:wait", .cancel = cancel };

void neap_cond_init(neap_cond *cond, neap_mutex *mutex)
{
    cond->mutex = mutex;
    neap_link_init(&cond->waiters);
}

void neap_cond_park(neap_cond *cond, neap_wait *wait, neap_task *task)
{
    assert(neap_mutex_owner(cond->mutex) == task);
    neap_wait_park(wait, &WAIT, cond, task);
    neap_link_append(&cond->waiters, &wait->node.link);
    neap_mutex_unlock(cond->mutex);
}

void neap_cond_notify(neap_cond *cond, uint32_t n)
{
    for (; n > 0 && neap_link_linked(&cond->waiters); n--)
        send_back(cond, neap_node_first(&cond->waiters)->wait, NEAP_OK);
}
