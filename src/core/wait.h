/* core/wait.h - the only way to park, wake and cancel.
 *
 *   neap_task --waiting--> neap_wait --node--> [queue of a semaphore, channel ...]
 *
 * A task has at most one wait, and a wait ends exactly once. It stands in one
 * queue through its own node, or for a select in several through one node
 * each; its end, by whichever arm or by a cancellation, takes all nodes out
 * before anything else runs.
 *
 * Order      A wait that has ended makes its task ready, last in the queue.
 * Ownership  The caller owns the wait, which does not move between
 *            neap_wait_park and its end. A class is static.
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
typedef struct neap_wait neap_wait;

/* A wait's place in one queue. */
typedef struct neap_node {
    neap_link  link;
    neap_wait *wait;
    uint32_t   arm;     /* which arm of a select; else 0 */
    uint32_t   count;   /* the queue's: how many permits, values ... */
} neap_node;

/* What the primitive that a task waits for says about its waits. */
typedef struct neap_wait_class {
    const char *what;                   /* "channel:recv", for people */
    /* Take `node` out of the queue of `object`. NULL: out of a ring. */
    void (*leave)(neap_node *node, void *object);
    /* A node has left the queue of `object` without being served: whoever
     * stood behind it may be next. NULL: nobody is affected. */
    void (*left)(void *object);
    /* Asked to end by a cancellation. NULL: it ends at once. Else it ends it
     * now, later (a request that the kernel has), or not at all (a join). */
    void (*cancel)(neap_wait *wait);
} neap_wait_class;

struct neap_wait {
    neap_task             *task;
    const neap_wait_class *class;
    union {
        void *object;                   /* until it ends: what is waited for */
        struct {                        /* then: */
            int32_t  result;            /* NEAP_OK or a code */
            uint32_t arm;               /* which arm ended it */
        };
    };
    union {
        neap_node  node;                /* place in a queue, or ... */
        neap_timer timer;               /* ... when it ends by itself */
    };
};

/* `task`, which runs, waits; the caller then suspends it. The node is in no
 * queue yet: the caller puts it there. */
void neap_wait_park(neap_wait *wait, const neap_wait_class *class, void *object,
                    neap_task *task);
/* End `wait` by `arm`: out of all queues, result noted, its task ready. */
void neap_wait_end(neap_wait *wait, uint32_t arm, int result);
/* End the waits of all nodes of `queue`, in its order. */
void neap_wait_end_all(neap_link *queue, int result);
/* Ask `wait` to end with NEAP_ECANCELLED, as its class sees fit. */
void neap_wait_cancel(neap_wait *wait);
/* For neap_wait_class.cancel: a wait that no cancellation ends. */
void neap_wait_keep(neap_wait *wait);

/* Take a node out of the queue that it stands in for a wait of `class`. */
void neap_node_leave(neap_node *node, const neap_wait_class *class, void *object);

/* The first node of `queue`, which is not empty. */
static inline neap_node *neap_node_first(neap_link *queue)
{
    return neap_container(queue->next, neap_node, link);
}

#endif
