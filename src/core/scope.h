/* core/scope.h - the tree of scopes: who owns whose tasks, and what is cancelled.
 *
 *   scope A                    opened by task t0
 *     |-- tasks  t1, t2        spawned into A; A is their home
 *     `-- inner  B, C          opened inside A: B by t0, C by t1
 *                              t0 runs in B, t1 in C, t2 in A
 *
 * A scope, a timeout and a shield are one thing here: a place in a task's
 * stack of open scopes, with a deadline and a cancellation. Cancelling marks
 * the scope and everything inside it, down to shields, and ends the waits of
 * the tasks that are there; the mark is what a checkpoint looks at.
 *
 * Order      Tasks are cancelled in the order in which they were spawned.
 * Ownership  The caller owns a neap_scope, which does not move while it is open.
 * Errors     Nothing fails; a deadline needs room (neap_sched_reserve).
 * Thread     Scheduler thread.
 * Invariant  A scope that was opened in a cancelled one is cancelled, unless it
 *            is a shield. The first cancellation stays.
 */
#ifndef NEAP_CORE_SCOPE_H
#define NEAP_CORE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/task.h"
#include "core/timer.h"

typedef struct neap_sched neap_sched;

/* Why; the names are those of a reason's `kind` in Lua. */
typedef enum neap_cancel_kind {
    NEAP_CANCEL_NONE,
    NEAP_CANCEL_CANCELLED,
    NEAP_CANCEL_DEADLINE,
    NEAP_CANCEL_FAILED,
    NEAP_CANCEL_SHUTDOWN,
} neap_cancel_kind;

struct neap_scope {
    neap_sched *sched;
    neap_scope *parent;         /* NULL of the root */
    neap_task  *owner;          /* in whose stack it is; NULL of the root */
    neap_link   link;           /* in parent->inner */
    neap_link   inner;
    neap_link   tasks;
    neap_link   joiners;        /* nodes of those who wait until running is 0 */
    neap_scope *source;         /* whose cancellation holds here, or NULL */
    neap_timer  deadline;
    uint64_t    cancelled_at_ns;
    uint64_t    cancelled_by;   /* id of a task, or 0 */
    uint32_t    running;        /* tasks started and not ended, but for those that stand by */
    uint32_t    depth;          /* so many scopes are around it, but for those of tasks */
    uint8_t     kind;           /* neap_cancel_kind of its own cancellation */
    bool        shield;
    bool        of_task;        /* made by neap_scope_wrap_task */
    bool        orphan;         /* without owner: closed by its last task's end */
    bool        open;
};

/* The outermost scope, which nobody leaves. */
void neap_scope_init_root(neap_scope *scope, neap_sched *sched);
/* `owner`, which runs, opens `scope` inside the scope it is in. */
void neap_scope_open(neap_scope *scope, neap_task *owner, bool shield);
/* The instant at which it is cancelled (NEAP_CANCEL_DEADLINE); anew replaces the
 * one before; NEAP_NEVER: none. There is room (neap_sched_reserve). */
void neap_scope_set_deadline(neap_scope *scope, uint64_t at_ns);
/* Cancel `scope` and what is inside; false if it had been cancelled. `by` is
 * the id of the task that did it, or 0. */
bool neap_scope_cancel(neap_scope *scope, neap_cancel_kind kind, uint64_t by);
/* Put `scope`, a record of the caller's, around all that `task` has opened, so
 * that it can be cancelled alone: at once, and once only (neap_task_is_doomed). It is
 * closed by the end of the task. */
void neap_scope_wrap_task(neap_scope *scope, neap_task *task);
/* `task`, which runs, waits until no started task is left. Not if `cancellable`
 * is false, as in leaving, may a cancellation end that. */
void neap_scope_park_join(neap_scope *scope, neap_task *task, bool cancellable);
/* For core/task: the last started task has ended. */
void neap_scope_joined(neap_scope *scope);
/* Leave `scope`: the innermost of its owner, and without tasks. */
void neap_scope_close(neap_scope *scope);

/* The owner of `scope`, its innermost, is gone. What still runs in it is waited
 * for by `home` as one task. */
void neap_scope_orphan(neap_scope *scope, neap_scope *home);

/* The scope after `at` of those inside `top`: in the order in which they were opened, each
 * before those inside it, which are left out unless `inside`. NULL after the last. Start
 * with `top`; a recursion would need the C stack for as many scopes as are nested. */
neap_scope *neap_scope_next(neap_scope *top, neap_scope *at, bool inside);

/* The earliest deadline that holds in `scope`, down from the innermost shield. */
uint64_t neap_scope_deadline(const neap_scope *scope);

/* The scope that `task` was spawned into. */
static inline neap_scope *neap_task_home(const neap_task *task)
{
    neap_scope *scope = task->scope;
    while (scope->owner == task)
        scope = scope->parent;
    return scope;
}

/* Is the task cancelled as a whole, alone or with its home? What it is in itself may
 * be shielded from that, and may be cancelled without it. */
static inline bool neap_task_is_doomed(const neap_task *task)
{
    const neap_scope *scope = task->scope;
    for (; scope->owner == task; scope = scope->parent)
        if (scope->of_task)
            return true;
    return scope->source != NULL;
}

/* What a checkpoint asks. */
static inline bool neap_task_is_cancelled(const neap_task *task)
{
    return task->scope->source != NULL;
}

#endif
