#include "core/mutex.h"

#include <assert.h>
#include <stddef.h>

#include "core/task.h"

const neap_wait_class neap_mutex_lock_class = { .what = "mutex:lock" };

/* Of those whose wait went on here: they come out as owners or not at all. */
static const neap_wait_class REQUEUED = { .what = "mutex:lock", .cancel = neap_wait_keep };

/* A node's `count` is what its wait ends with, as a positive number. */
static void say(neap_node *node, int result)
{
    node->count = (uint32_t)-result;
}

/* The mutex, which is free, goes to the oldest waiter. */
static void hand_over(neap_mutex *mutex)
{
    if (!neap_link_linked(&mutex->waiters))
        return;
    neap_node *oldest = neap_node_first(&mutex->waiters);
    neap_held_add(&mutex->held, neap_node_task(oldest));
    neap_node_end(oldest, -(int)oldest->count);
}

/* Its owner has ended. */
static void break_mutex(neap_held *held)
{
    neap_mutex *mutex = neap_container(held, neap_mutex, held);
    neap_link *last = &mutex->waiters;      /* of those who stay, or the head */

    while (last->next != &mutex->waiters) {
        neap_node *node = neap_container(last->next, neap_node, link);
        if (neap_node_task(node)->wait.class == &REQUEUED) {
            say(node, NEAP_EABANDONED);
            last = &node->link;
        } else {
            neap_node_end(node, NEAP_EABANDONED);
        }
    }
    neap_mutex_unlock(mutex);
}

static const neap_held_class HELD = { .what = "mutex", .take_back = break_mutex };

void neap_mutex_init(neap_mutex *mutex)
{
    neap_held_init(&mutex->held, &HELD);
    neap_link_init(&mutex->waiters);
    mutex->last = 0;
}

bool neap_mutex_try_lock(neap_mutex *mutex, neap_task *task)
{
    if (neap_mutex_owner(mutex) != NULL)
        return false;
    neap_held_add(&mutex->held, task);
    return true;
}

void neap_mutex_park(neap_mutex *mutex, neap_task *task)
{
    neap_wait_park(task, &neap_mutex_lock_class, mutex);
    neap_mutex_queue(mutex, &task->wait.node);
}

void neap_mutex_queue(neap_mutex *mutex, neap_node *node)
{
    assert(neap_mutex_owner(mutex) != NULL && neap_mutex_owner(mutex) != neap_node_task(node));
    say(node, NEAP_OK);
    neap_link_append(&mutex->waiters, &node->link);
}

void neap_mutex_requeue(neap_mutex *mutex, neap_task *task, int result)
{
    task->wait.class = &REQUEUED;
    task->wait.object = mutex;
    say(&task->wait.node, result);
    neap_link_append(&mutex->waiters, &task->wait.node.link);
    if (neap_mutex_owner(mutex) == NULL)
        hand_over(mutex);
}

void neap_mutex_unlock(neap_mutex *mutex)
{
    mutex->last = neap_mutex_owner(mutex)->id;
    neap_held_remove(&mutex->held);
    hand_over(mutex);
}
