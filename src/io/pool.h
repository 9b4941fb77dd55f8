/* io/pool.h - a bounded number of threads that work off one queue.
 *
 *   loop     submit ......................... arrive: ends the task's wait
 *              |                                 ^
 *   queue    [job][job][job]                     | post
 *              |                                 |
 *   threads  run(job, state) --------------------+
 *
 *              submit        a thread        run has returned
 *     (none) ---------> QUEUED -----> RUNNING --------------> DONE
 *                          |             |                      |
 *     drop:              freed     revoked; freed by it       freed
 *
 * A pool belongs to the process and serves several loops; each uses it from
 * neap_pool_enter to neap_pool_leave. Threads are started when jobs wait and none
 * is idle, up to the limit, and end when the last loop has left.
 *
 * Order      First submitted, first begun.
 * Ownership  A job is its owner's until neap_pool_drop; then the pool frees it,
 *            at once or, if it is running, when `run` returns. A pool is static.
 * Errors     neap_pool_submit: NEAP_ENOMEM, when there is no thread at all.
 * Thread     Submit, park, drop: that of the job's loop. `run` and `free_job` are
 *            called on others.
 * Invariant  A job that has not been dropped counts as pending in its loop until
 *            it has arrived.
 */
#ifndef NEAP_IO_POOL_H
#define NEAP_IO_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/task.h"
#include "io/post.h"
#include "io/thread.h"

typedef struct neap_pool neap_pool;
typedef struct neap_pool_job  neap_pool_job;

struct neap_pool {
    neap_wait_class waits;                  /* what its waits are */
    void         *(*open)(void);            /* a thread's state; NULL: asked again for the next job */
    void          (*rest)(void *state);     /* it has nothing to do */
    void          (*close)(void *state);
    pthread_mutex_t lock;
    pthread_cond_t  work;                   /* for idle threads */
    pthread_cond_t  ended;                  /* for who waits for their end */
    neap_link       queue;
    neap_link       running;
    uint32_t        limit;                  /* threads at most; 0: not set yet */
    uint32_t        threads, idle, queued;
    uint32_t        users;
    bool            stopping;
    bool            reported;               /* that all threads are kept */
};

/* For NEAP_POOL: a wait for `job` has ended. */
void neap_pool_unpark(neap_node *node, void *job);

#define NEAP_POOL(pool, name, open, rest, close)                                        \
    { { .what = name, .leave = neap_pool_unpark }, open, rest, close,                   \
      PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER,    \
      { &pool.queue, &pool.queue },                                                     \
      { &pool.running, &pool.running }, 0, 0, 0, 0, 0, false, false }

struct neap_pool_job {
    neap_post   post;
    neap_link   link;           /* in the queue, or with those running */
    neap_pool  *pool;           /* NULL until it is submitted */
    neap_loop  *loop;
    void      (*run)(neap_pool_job *job, void *state);
    void      (*free_job)(neap_pool_job *job);
    neap_task  *waiter;         /* or NULL */
    uint64_t    dropped_ns;     /* when it was dropped while it ran; 0: it was not */
    _Atomic bool revoked;       /* `run` should come to an end */
    uint8_t     state;
    bool        counted;        /* as pending */
};

typedef struct neap_pool_stats {
    uint32_t limit, threads, busy, kept, queued;    /* kept: busy with dropped jobs */
} neap_pool_stats;

/* How many processors this process may use. */
uint32_t neap_pool_cores(void);
/* At most `limit` threads; what is set first holds. */
void neap_pool_enter(neap_pool *pool, uint32_t limit);
/* All jobs of the caller's have been dropped. The last one waits a second for the
 * threads to end; one that does not is left to itself. */
void neap_pool_leave(neap_pool *pool);
void neap_pool_look(neap_pool *pool, neap_pool_stats *stats);

/* `run` and `free_job` are set; all else is zero. */
int neap_pool_submit(neap_pool *pool, neap_loop *loop, neap_pool_job *job);
/* `task`, which runs, waits until the job is done. */
void neap_pool_park(neap_pool_job *job, neap_task *task);
/* The owner gives the job up, in whatever state, also if it was never submitted. */
void neap_pool_drop(neap_pool_job *job);

#endif
