/* core/select.h - the first of several waits.
 *
 *   task.wait --> neap_select --arms[0]--> queue of a channel
 *                             --arms[1]--> queue of a semaphore
 *                             --arms[2]--> timer
 *
 * The caller asks each arm in listing order whether it can happen now; when
 * none can, it queues them all and parks. Whatever serves one of the nodes
 * ends the whole wait, and the task's `wait.arm` tells which it was.
 *
 * Order      An arm stands in its queue as any other wait does.
 * Ownership  The caller owns the struct and its arms, which do not move while
 *            the task waits.
 * Errors     A timer arm needs room (neap_sched_reserve for each). Nothing else.
 * Thread     Scheduler thread.
 * Invariant  Exactly one arm happens: all nodes are out of their queues before
 *            anything else runs.
 */
#ifndef NEAP_CORE_SELECT_H
#define NEAP_CORE_SELECT_H

#include <stdint.h>

#include "core/wait.h"

typedef struct neap_select neap_select;

typedef struct neap_arm {
    union {
        neap_node  node;
        neap_timer timer;
    };
    const neap_wait_class *class;   /* of the primitive; NULL: a timer */
    void                  *object;  /* what is waited for */
    neap_select           *select;
} neap_arm;

struct neap_select {
    neap_task *task;
    neap_arm  *arms;
    uint32_t   count;
};

extern const neap_wait_class neap_select_class;

/* `task`, which runs, waits for one of `count` arms; the caller then queues
 * each of them, by neap_select_queue or neap_select_after. */
void neap_select_park(neap_select *select, neap_task *task, neap_arm *arms, uint32_t count);
/* The node of arm `index`, for the primitive's queue. */
neap_node *neap_select_queue(neap_select *select, uint32_t index,
                             const neap_wait_class *class, void *object);
/* Arm `index` happens at `at_ns`. There is room. */
void neap_select_after(neap_select *select, uint32_t index, uint64_t at_ns);

/* For core/sched: the timer of an arm is due. */
void neap_select_fire(neap_timer *timer);
/* For core/wait: take all nodes out; tell those behind them but for `served`. */
void neap_select_leave(neap_select *select);
void neap_select_left(neap_select *select, uint32_t served);

#endif
