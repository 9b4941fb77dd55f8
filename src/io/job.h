/* io/job.h - a call that blocks, on a thread of libuv's pool.
 *
 *               start                thread is free         back in the loop
 *   (maker's) ---------> [queue] --------------------> run -----------------> ended
 *                           |                           |                       |
 *                      drop |                      drop |                  drop |
 *                           v                           v                       v
 *                     never runs, freed        freed when it is back          freed
 *
 * A job has memory of its own and outlives the task that waits for it: when the
 * task is cancelled, the tie from job to task is cut, and what the thread still
 * reads and writes is the job's.
 *
 * Order      Jobs begin in the order of their start, NEAP_SETUP_THREADS at once.
 * Ownership  The maker's, who ends with neap_job_drop; `free` is called once, in
 *            neap_job_drop or when the thread is back.
 * Errors     NEAP_ENOMEM at the start; the maker's struct says what came of it.
 * Thread     Scheduler thread, but for `run`.
 */
#ifndef NEAP_IO_JOB_H
#define NEAP_IO_JOB_H

#include <stdbool.h>

#include "core/wait.h"
#include "io/loop.h"

typedef struct neap_job neap_job;
struct neap_job {
    void (*run)(neap_job *job);     /* on a thread: touches the job alone */
    void (*done)(neap_job *job);    /* back, and not dropped; NULL: nothing to do */
    void (*free)(neap_job *job);
    neap_loop *loop;
    neap_task *waiter;              /* NULL: nobody waits */
    void      *request;             /* libuv's, while it is queued or runs */
    bool       dropped;
};

/* NEAP_OK, or NEAP_ENOMEM: it has not been started. */
int neap_job_start(neap_job *job, neap_loop *loop);
/* `task`, which runs, waits until `job` is back. The class is one whose `cancel`
 * is neap_job_cancel. */
void neap_job_park(neap_job *job, const neap_wait_class *class, neap_task *task);
/* For neap_wait_class.cancel: ends the wait now. A job that has not begun never
 * runs. */
void neap_job_cancel(neap_task *task);
/* Nobody needs `job` any more. */
void neap_job_drop(neap_job *job);

#endif
