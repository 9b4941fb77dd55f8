#include "core/barrier.h"

#include <assert.h>

#include "core/task.h"

static void leave(neap_node *node, void *object)
{
    neap_barrier *barrier = object;

    barrier->waiting--;
    neap_link_remove(&node->link);
}

static const neap_wait_class WAIT = { .what = "barrier:wait", .leave = leave };

void neap_barrier_init(neap_barrier *barrier, uint32_t parties)
{
    neap_link_init(&barrier->waiters);
    barrier->parties = parties;
    barrier->waiting = 0;
}

bool neap_barrier_arrive(neap_barrier *barrier)
{
    if (barrier->waiting + 1 < barrier->parties)
        return false;
    neap_wait_end_all(&barrier->waiters, NEAP_OK);
    return true;
}

void neap_barrier_park(neap_barrier *barrier, neap_task *task)
{
    assert(barrier->waiting + 1 < barrier->parties);
    neap_wait_park(task, &WAIT, barrier);
    neap_link_append(&barrier->waiters, &task->wait.node.link);
    barrier->waiting++;
}
