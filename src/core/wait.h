/* core/wait.h - the only way to park, wake and cancel.
 *
 *   neap_task.wait --node--> [queue of a semaphore, channel ...]
 *
 * A task has at most one wait, and a wait ends exactly once. It stands in one
 * queue through its own node, or for a select in several through one node
 * each; its end, by whichever arm or by a cancellation, takes all nodes out
 * before anything else runs.
 *
 * Order      A wait that has ended makes its task ready, last in the queue.
 * Ownership  The wait is a field of its task. A class is static.
 * Errors     `result` is NEAP_OK or why the wait ended otherwise, NEAP_ECANCELLED
 *            when the task was cancelled. Nothing allocates.
 * Thread     Scheduler thread.
 * Invariant  An end that has happened wins over a cancellation that comes later:
 *            what was handed over is never lost.
 */
#ifndef NEAP_CORE_WAIT_H
#define NEAP_CORE_WAIT_H

#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "core/timer.h"

typedef struct neap_task neap_task;

/* A wait's place in one queue. */
typedef struct neap_node {
    neap_link link;
    uint32_t  arm;      /* 0: a task's only one; else of a select, its number from 1 on */
    uint32_t  count;    /* the queue's: how many permits, values ... */
} neap_node;

/* What the primitive that a task waits for says about its waits. */
typedef struct neap_wait_class {
    const char *what;                   /* "channel:recv", for people */
    /* Take `node` out of the queue of `object`. NULL: out of a ring. */
    void (*leave)(neap_node *node, void *object);
    /* A node has left the queue of `object` without being served: whoever
     * stood behind it may be next. NULL: nobody is affected. */
    void (*left)(void *object);
    /* Asked to end by a cancellation of `task`. NULL: it ends at once. Else it ends it
     * now, later (a request that the kernel has), or not at all (a join). */
    void (*cancel)(neap_task *task);
} neap_wait_class;

/* A field of the task that waits. */
typedef struct neap_wait {
    const neap_wait_class *class;
    union {
        void *object;                   /* until it ends: what is waited for */
        struct {                        /* then: */
            int32_t  result;            /* NEAP_OK or a code */
            uint32_t arm;               /* which arm ended it, from 0 on */
        };
    };
    union {
        neap_node  node;                /* place in a queue, or ... */
        neap_timer timer;               /* ... when it ends by itself */
    };
} neap_wait;

/* To begin one: neap_wait_park, core/task.h. */
/* End the wait of `task` by `arm`: out of all queues, result noted, the task ready. */
void neap_wait_end(neap_task *task, uint32_t arm, int result);
/* The same by one of its nodes. */
void neap_node_end(neap_node *node, int result);
/* The same by all nodes of `queue`, in its order. */
void neap_wait_end_all(neap_link *queue, int result);
/* Ask the wait of `task` to end with NEAP_ECANCELLED, as its class sees fit. */
void neap_wait_cancel(neap_task *task);
/* For neap_wait_class.cancel: a wait that no cancellation ends. */
void neap_wait_keep(neap_task *task);

/* The task that waits by `node`. */
neap_task *neap_node_task(neap_node *node);
/* Take a node out of the queue that it stands in for a wait of `class`. */
void neap_node_leave(neap_node *node, const neap_wait_class *class, void *object);

/* The first node of `queue`, which is not empty. */
static inline neap_node *neap_node_first(neap_link *queue)
{
    return neap_container(queue->next, neap_node, link);
}

#endif
