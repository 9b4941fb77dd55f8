/* core/task.h - a task's record and states.
 *
 *             adopt            turn              return, raise
 *   (none) ----------> READY -----> RUNNING -------------------> DONE, FAILED,
 *      \                 ^             |                         CANCELLED
 *       \ lazy           | end         | park
 *        +--> LAZY       +-- WAITING <-+        a cancellation ends a wait, too
 *
 * A task belongs to the scope that it was spawned into, its home, and runs
 * inside the innermost scope that it has opened itself, or else in its home.
 *
 * Ownership  The caller owns the record, which does not move and outlives the
 *            task's end.
 * Errors     None; nothing allocates.
 * Thread     Scheduler thread.
 * Invariant  A task is in the list of its home until it has ended, and in the
 *            ready queue, in a wait, or running; a lazy one in none.
 */
#ifndef NEAP_CORE_TASK_H
#define NEAP_CORE_TASK_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/wait.h"

typedef struct neap_scope neap_scope;

typedef enum neap_task_state {
    NEAP_TASK_LAZY,
    NEAP_TASK_READY,
    NEAP_TASK_RUNNING,
    NEAP_TASK_WAITING,
    NEAP_TASK_DONE,         /* the first of the ends */
    NEAP_TASK_FAILED,
    NEAP_TASK_CANCELLED,
} neap_task_state;

/* Ids begin anew after 2^40 tasks: 60 hours of nothing but spawning. */
#define NEAP_TASK_ID_MAX ((UINT64_C(1) << 40) - 1)

/* 300 days of a processor. */
#define NEAP_TASK_BUSY_MAX ((UINT64_C(1) << 56) - 1)

/* neap_task.since counts in 2^24 ticks, about 7 ms: enough for people, and it
 * lasts for months. */
#define NEAP_TASK_SINCE_SHIFT 24

struct neap_task {
    neap_scope *scope;      /* innermost: where cancellation is looked for */
    neap_link   link;       /* in its home's list */
    neap_link  *awaiters;   /* ring of the nodes of those who wait for its end */
    /* While the task is READY no queue uses its node, whose link then stands in the
     * ready queue. */
    neap_wait   wait;
    uint64_t    busy : 56;  /* ticks of the time-stamp counter that it ran */
    uint64_t    seat : 8;   /* the host's: bind/turn.h */
    uint64_t    id : 40;
    uint64_t    place : 24; /* where it was spawned; the host's number */
    uint32_t    since;      /* when it was last suspended */
    /* Each switch writes the state: a byte of its own, since a processor waits where a
     * load is wider than the store before it. */
    uint8_t     state;      /* neap_task_state */
    uint8_t     flags;      /* the host's */
    uint16_t    raised : 10; /* how often its present cancellation was raised */
    uint16_t    held : 2;   /* how much it holds: core/held.h */
    uint16_t    started : 1;
    uint16_t    given : 1;  /* the host's: its failure has reached whom it belongs to */
};

/* Put a new task into `home` as its last; ready to run, or waiting for its
 * start if `lazy`. */
void neap_task_adopt(neap_task *task, neap_scope *home, bool lazy);
/* A lazy task becomes ready; harmless when it has been started. */
void neap_task_start(neap_task *task);
/* `task`, which has been started, stands by: who joins its home does not wait for
 * it. Whoever leaves the home recalls it, and then waits for its end. */
void neap_task_stand_by(neap_task *task);
/* It counts again; before its end, too. */
void neap_task_recall(neap_task *task);
/* The running task, or one that has not run yet, has ended as `state`: out of
 * its home, whose joiners may be done, and those who wait for it are woken. */
void neap_task_end(neap_task *task, neap_task_state state);
/* Wait for the end of `other`: its state is one of the ends when this ends. */
void neap_task_park_await(neap_task *task, neap_task *other);
/* The node of a select's arm joins those who wait for the end of `other`. */
void neap_task_queue_await(neap_node *node, neap_task *other);

extern const neap_wait_class neap_task_await_class;

/* `task`, which runs, waits; the caller then suspends it. Its node is in no
 * queue yet: the caller puts it there. */
static inline void neap_wait_park(neap_task *task, const neap_wait_class *class, void *object)
{
    assert(task->state == NEAP_TASK_RUNNING);
    task->state = NEAP_TASK_WAITING;
    task->wait.class = class;
    task->wait.object = object;
    task->wait.node.arm = 0;
}

static inline bool neap_task_ended(const neap_task *task)
{
    return task->state >= NEAP_TASK_DONE;
}

#endif
