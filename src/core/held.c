#include "core/held.h"

#include <assert.h>
#include <stddef.h>

#include "core/sched.h"

static neap_link *list_of(const neap_task *task)
{
    return &task->scope->sched->held[task->id % NEAP_SCHED_HELD];
}

void neap_held_init(neap_held *held, const neap_held_class *class)
{
    neap_link_init(&held->link);
    held->task = NULL;
    held->class = class;
}

void neap_held_add(neap_held *held, neap_task *task)
{
    assert(held->task == NULL);
    held->task = task;
    neap_link_append(list_of(task), &held->link);
    if (task->held < NEAP_HELD_MANY)
        task->held++;
}

void neap_held_remove(neap_held *held)
{
    neap_task *task = held->task;

    if (task->held < NEAP_HELD_MANY)
        task->held--;
    held->task = NULL;
    neap_link_remove(&held->link);
}

void neap_held_forget(neap_held *held)
{
    held->task = NULL;
    neap_link_remove(&held->link);
}

neap_held *neap_held_newest(const neap_task *task, const neap_held *before)
{
    if (task->held == 0)
        return NULL;
    neap_link *list = list_of(task);
    neap_link *at = before != NULL ? before->link.prev : list->prev;
    for (; at != list; at = at->prev) {
        neap_held *held = neap_container(at, neap_held, link);
        if (held->task == task)
            return held;
    }
    return NULL;
}
