/* core/event.h - a flag that tasks wait for.
 *
 * Order      Those who wait when it is set go on in the order in which they came,
 *            also if it is cleared before they run.
 * Ownership  The caller owns the struct, which outlives its waiters.
 * Errors     A wait ends with NEAP_OK or NEAP_ECANCELLED.
 * Thread     Scheduler thread.
 * Invariant  Nobody waits for one that is set.
 */
#ifndef NEAP_CORE_EVENT_H
#define NEAP_CORE_EVENT_H

#include <stdbool.h>

#include "base/list.h"
#include "core/wait.h"

typedef struct neap_event {
    neap_link waiters;
    bool      set;
} neap_event;

void neap_event_init(neap_event *event);
/* Set it; harmless when it is. */
void neap_event_set(neap_event *event);
void neap_event_clear(neap_event *event);
/* Queue `task` until it is set, which it is not. */
void neap_event_park(neap_event *event, neap_task *task);
/* The same for the node of a select's arm, of class neap_event_wait_class. */
void neap_event_queue(neap_event *event, neap_node *node);

extern const neap_wait_class neap_event_wait_class;

#endif
