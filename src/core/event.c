#include "core/event.h"

#include <assert.h>

#include "core/task.h"

const neap_wait_class neap_event_wait_class = { .what = "event:wait" };

void neap_event_init(neap_event *event)
{
    neap_link_init(&event->waiters);
    event->set = false;
}

void neap_event_set(neap_event *event)
{
    event->set = true;
    neap_wait_end_all(&event->waiters, NEAP_OK);
}

void neap_event_clear(neap_event *event)
{
    event->set = false;
}

void neap_event_park(neap_event *event, neap_task *task)
{
    neap_wait_park(task, &neap_event_wait_class, event);
    neap_event_queue(event, &task->wait.node);
}

void neap_event_queue(neap_event *event, neap_node *node)
{
    assert(!event->set);
    neap_link_append(&event->waiters, &node->link);
}
