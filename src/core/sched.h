/* core/sched.h - the ready queue and one turn of it.
 *
 *   turn:  timers due -> ready tasks run -> deadlines due
 *
 * What is ready in the same turn as a deadline wins: at one instant every
 * other timer comes before deadlines, and deadlines are looked at after the
 * tasks so woken have run. Deadlines and timers of different instants go by
 * their instants, also in a turn that comes late.
 *
 * Order      FIFO, or a seeded permutation (`shuffle`): drawn from the 256 oldest,
 *            and a task that yields still comes after those that were ready then.
 * Ownership  The caller owns the struct; it outlives its scopes and tasks.
 * Errors     neap_sched_reserve is the only function that allocates.
 * Thread     The one that made it, its scheduler thread.
 * Invariant  A task is resumed from neap_sched_turn and nowhere else.
 */
#ifndef NEAP_CORE_SCHED_H
#define NEAP_CORE_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/random.h"
#include "core/scope.h"
#include "core/task.h"
#include "core/timer.h"

/* Lists that what tasks hold is spread over. */
#define NEAP_SCHED_HELD 64

/* Resumed tasks of a turn after which the loop looks at the outside world, if
 * as many were not ready at its beginning. A look costs about 500 ns: 4 ns of
 * each resume. */
#define NEAP_SCHED_BATCH 128

struct neap_sched {
    neap_link    ready;
    uint32_t     ready_count;
    uint32_t     left;          /* tasks that this turn may still resume */
    neap_task   *running;       /* NULL between tasks */
    neap_timers  timers;
    neap_timers  deadlines;
    neap_clock  *clock;
    neap_random *shuffle;       /* NULL: FIFO */
    neap_scope   root;
    neap_link    held[NEAP_SCHED_HELD];     /* core/held.h; by the id of the holder */
    uint64_t     spawned;       /* tasks ever; also the last id */
    uint64_t     ended;
    /* Run the tasks that neap_sched_take gives, each until it waits or ends. The
     * host's: core knows no Lua. It has the loop, since a return out of a task that
     * waits is one that processors predict wrong. */
    void (*run)(neap_sched *sched);
};

void neap_sched_init(neap_sched *sched, neap_clock *clock, void (*run)(neap_sched *sched));
void neap_sched_deinit(neap_sched *sched);
/* Room for one more timer and one more deadline; false without memory. */
bool neap_sched_reserve(neap_sched *sched);
/* `task` runs in its turn. */
static inline void neap_sched_ready(neap_task *task);
/* The running task stays ready: others run first. */
void neap_sched_yield(neap_task *task);
/* `task`, which runs, sleeps until `at_ns`. There is room. */
void neap_sched_park_sleep(neap_task *task, uint64_t at_ns);
/* For `run`: the next task, which runs from now on; NULL when no other may. */
static inline neap_task *neap_sched_take(neap_sched *sched);
/* The turn ends after the running task. */
static inline void neap_sched_stop(neap_sched *sched);
/* The turn is as long from now on as one that begins: schedules that repeat must not
 * depend on how many tasks it resumed before. */
static inline void neap_sched_renew(neap_sched *sched);
/* One turn. */
void neap_sched_turn(neap_sched *sched);
/* When the next turn has something to do: 0 now, NEAP_NEVER if nothing is due. */
uint64_t neap_sched_next(const neap_sched *sched);
/* The deadlines up to `until_ns` have passed: their scopes are cancelled. A turn does
 * that; not while a task holds the loop. */
void neap_sched_expire(neap_sched *sched, uint64_t until_ns);

/* Not for callers: one of the ready tasks, at random. */
neap_link *neap_sched_draw(neap_sched *sched);

static inline void neap_sched_ready(neap_task *task)
{
    neap_sched *sched = task->scope->sched;

    task->state = NEAP_TASK_READY;
    neap_link_append(&sched->ready, &task->wait.node.link);
    sched->ready_count++;
}

static inline neap_task *neap_sched_take(neap_sched *sched)
{
    if (sched->ready_count == 0 || sched->left == 0)
        return NULL;
    neap_link *at = sched->shuffle == NULL ? sched->ready.next : neap_sched_draw(sched);
    neap_link_remove(at);
    sched->ready_count--;
    sched->left--;
    sched->running = neap_container(at, neap_task, wait.node.link);
    sched->running->state = NEAP_TASK_RUNNING;
    return sched->running;
}

static inline void neap_sched_stop(neap_sched *sched)
{
    sched->left = 0;
}

static inline void neap_sched_renew(neap_sched *sched)
{
    sched->left = sched->ready_count > NEAP_SCHED_BATCH ? sched->ready_count : NEAP_SCHED_BATCH;
}

#endif
