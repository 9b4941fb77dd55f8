/* core/held.h - what a task has to give back before it ends: locks and permits.
 *
 *   sched->held[0]  -> mutex (task 64) -> permit (task 128) -> permit (task 64)
 *   sched->held[1]  -> permit (task 1)
 *
 * A record is a field of what is held. It stands in one of a scheduler's lists,
 * chosen by the id of the task that holds it, and the task counts its records:
 * the end of one that holds nothing looks at the count and at no list.
 *
 * Ownership  The caller owns a neap_held, which does not move while it is held.
 * Errors     None; nothing allocates.
 * Thread     Scheduler thread.
 * Invariant  A task's `held` is not less than how many records it has, up to
 *            NEAP_HELD_MANY; there it stays. At 0 it holds nothing.
 */
#ifndef NEAP_CORE_HELD_H
#define NEAP_CORE_HELD_H

#include "base/list.h"
#include "core/task.h"

typedef struct neap_held neap_held;

/* What fits into the field of a task. */
#define NEAP_HELD_MANY 3

typedef struct neap_held_class {
    const char *what;                       /* "mutex", for people */
    /* Its task has ended without giving it back: remove it, free what it is. */
    void (*take_back)(neap_held *held);
} neap_held_class;

struct neap_held {
    neap_link              link;
    neap_task             *task;            /* who holds it, or NULL */
    const neap_held_class *class;
};

void neap_held_init(neap_held *held, const neap_held_class *class);
/* `task` holds it from now on; nobody did. */
void neap_held_add(neap_held *held, neap_task *task);
/* Nobody holds it any more. */
void neap_held_remove(neap_held *held);
/* The memory of `held` goes away, and perhaps that of its task has. Nobody will
 * ask for it: it only leaves its list. */
void neap_held_forget(neap_held *held);
/* The newest record of `task`, or the one before `before`; NULL: no more. */
neap_held *neap_held_newest(const neap_task *task, const neap_held *before);

#endif
