/* io/proc.h - child processes: started, waited for, and never left behind.
 *
 *            open            SIGTERM            grace           exit
 *   (none) -------> RUNNING ---------> STOPPING ------> SIGKILL ------> ENDED
 *                      \__________________\______________________________/
 *
 * A child leads a process group of its own, unless it shares our terminal: a kill
 * reaches what it has started, too.
 *
 * Order      Those who wait for its end wake in the order in which they came.
 * Ownership  neap_proc_free gives the struct up; it stays until the child is gone.
 * Errors     Those of the system; the end of a child is no error.
 * Thread     Scheduler thread.
 * Invariant  A child that runs is pending work of its loop, and is dead before its
 *            loop is freed.
 */
#ifndef NEAP_IO_PROC_H
#define NEAP_IO_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/task.h"
#include "io/loop.h"

/* What a child gets between SIGTERM and SIGKILL. */
#define NEAP_PROC_GRACE_NS UINT64_C(5000000000)

typedef struct neap_proc {
    neap_loop *loop;
    int        pid;
    bool       group;           /* it leads a group of its own */
    bool       ended;
    int        status;          /* what it returned; -1: ended by a signal */
    int        signal;          /* that one, or 0 */
    neap_link  waiters;
} neap_proc;

typedef struct neap_proc_options {
    char      **args;           /* ends with NULL; the first is the program */
    char      **env;            /* changes: "NAME=value", or "NAME" to leave it out; NULL: none */
    const char *cwd;            /* NULL: ours */
    int         fds[3];         /* its standard streams; -1: /dev/null */
    bool        group;
} neap_proc_options;

int neap_proc_open(neap_proc **opened, neap_loop *loop, const neap_proc_options *options);
/* Send `number`; NEAP_ESRCH when it has ended. */
int neap_proc_kill(neap_proc *proc, int number);
/* SIGTERM now and SIGKILL after `grace_ns`, if it has not ended by then. */
void neap_proc_stop(neap_proc *proc, uint64_t grace_ns);
/* `task`, which runs, waits for its end; not if `cancellable` is false may a
 * cancellation end that. */
void neap_proc_park(neap_proc *proc, neap_task *task, bool cancellable);
/* Nobody needs it any more: it is killed if it runs. */
void neap_proc_free(neap_proc *proc);

/* Both ends of a new pipe, closed in other programs. */
int neap_proc_pipe(int *read_end, int *write_end);

#endif
