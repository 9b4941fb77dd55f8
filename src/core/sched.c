#include "core/sched.h"

#include <assert.h>
#include <stddef.h>

#include "core/select.h"

static void leave_timer(neap_node *node, void *object)
{
    neap_task *task = neap_container(node, neap_task, wait.node);

    (void)object;
    neap_timers_disarm(&task->scope->sched->timers, &task->wait.timer);
}

static const neap_wait_class SLEEP = { .what = "neap.sleep", .leave = leave_timer };
static const neap_wait_class YIELD = { .what = "neap.yield" };   /* marks a task that yielded */

static neap_task *ready_task(neap_link *link)
{
    return neap_container(link, neap_task, wait.node.link);
}

/* A seed chooses among so many of the oldest: the queue is a list, and a walk
 * through ten thousand tasks for each of them would take a second. */
#define DRAWN 256

/* One of the ready tasks; but one that yielded lets those before it run first. */
neap_link *neap_sched_draw(neap_sched *sched)
{
    neap_link *at = sched->ready.next;
    uint32_t count = sched->ready_count < DRAWN ? sched->ready_count : DRAWN;

    if (count == 1)
        return at;
    for (uint64_t skip = neap_random_below(sched->shuffle, count); skip > 0; skip--)
        at = at->next;
    while (at != sched->ready.next && ready_task(at)->wait.class == &YIELD)
        at = at->prev;
    return at;
}

static void fire_timers(neap_sched *sched, uint64_t until_ns)
{
    neap_timer *timer;
    while ((timer = neap_timers_first(&sched->timers)) != NULL && timer->at_ns <= until_ns) {
        if (timer->class == NEAP_TIMER_WAIT)
            neap_wait_end(neap_container(timer, neap_task, wait.timer), 0, NEAP_OK);
        else
            neap_select_fire(timer);
    }
}

void neap_sched_expire(neap_sched *sched, uint64_t until_ns)
{
    neap_timer *timer;
    while ((timer = neap_timers_first(&sched->deadlines)) != NULL && timer->at_ns <= until_ns) {
        neap_timers_disarm(&sched->deadlines, timer);
        neap_scope_cancel(neap_container(timer, neap_scope, deadline), NEAP_CANCEL_DEADLINE, 0);
    }
}

void neap_sched_init(neap_sched *sched, neap_clock *clock, void (*run)(neap_sched *sched))
{
    *sched = (neap_sched){ .clock = clock, .run = run };
    neap_link_init(&sched->ready);
    for (int i = 0; i < NEAP_SCHED_HELD; i++)
        neap_link_init(&sched->held[i]);
    neap_timers_init(&sched->timers);
    neap_timers_init(&sched->deadlines);
    neap_scope_init_root(&sched->root, sched);
}

void neap_sched_deinit(neap_sched *sched)
{
    neap_timers_deinit(&sched->timers);
    neap_timers_deinit(&sched->deadlines);
}

bool neap_sched_reserve(neap_sched *sched)
{
    return neap_timers_reserve(&sched->timers) && neap_timers_reserve(&sched->deadlines);
}

void neap_sched_yield(neap_task *task)
{
    assert(task->state == NEAP_TASK_RUNNING);
    task->wait.class = &YIELD;
    neap_sched_ready(task);
}

void neap_sched_park_sleep(neap_task *task, uint64_t at_ns)
{
    neap_wait_park(task, &SLEEP, NULL);
    task->wait.timer.class = NEAP_TIMER_WAIT;
    neap_timers_arm(&task->scope->sched->timers, &task->wait.timer, at_ns);
}

void neap_sched_turn(neap_sched *sched)
{
    uint64_t now_ns = neap_clock_now(sched->clock);
    uint64_t deadline_ns = neap_timers_next(&sched->deadlines);

    fire_timers(sched, deadline_ns < now_ns ? deadline_ns : now_ns);
    neap_sched_renew(sched);
    sched->run(sched);
    sched->running = NULL;
    /* Looked at again: the clock of specs may have begun anew. */
    if (deadline_ns <= now_ns && deadline_ns <= neap_clock_now(sched->clock))
        neap_sched_expire(sched, deadline_ns);
}

uint64_t neap_sched_next(const neap_sched *sched)
{
    if (sched->ready_count > 0)
        return 0;
    uint64_t timer_ns = neap_timers_next(&sched->timers);
    uint64_t deadline_ns = neap_timers_next(&sched->deadlines);
    return timer_ns < deadline_ns ? timer_ns : deadline_ns;
}
