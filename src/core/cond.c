#include "core/cond.h"

#include <assert.h>

#include "core/task.h"

static void send_back(neap_cond *cond, neap_task *task, int result)
{
    neap_link_remove(&task->wait.node.link);
    neap_mutex_requeue(cond->mutex, task, result);
}

static void cancel(neap_task *task)
{
    send_back(task->wait.object, task, NEAP_ECANCELLED);
}

static const neap_wait_class WAIT = { .what = "condition:wait", .cancel = cancel };

void neap_cond_init(neap_cond *cond, neap_mutex *mutex)
{
    cond->mutex = mutex;
    neap_link_init(&cond->waiters);
}

void neap_cond_park(neap_cond *cond, neap_task *task)
{
    assert(neap_mutex_owner(cond->mutex) == task);
    neap_wait_park(task, &WAIT, cond);
    neap_link_append(&cond->waiters, &task->wait.node.link);
    neap_mutex_unlock(cond->mutex);
}

void neap_cond_notify(neap_cond *cond, uint32_t n)
{
    for (; n > 0 && neap_link_linked(&cond->waiters); n--)
        send_back(cond, neap_node_task(neap_node_first(&cond->waiters)), NEAP_OK);
}
