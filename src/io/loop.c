#include "io/loop.h"

#include <assert.h>
#include <pthread.h>

#include "base/mem.h"
#include "io/setup.h"
#include "io/uverr.h"
#include "io/uvloop.h"

enum { NS_PER_MS = 1000000 };

static const neap_wait_class IDLE = { .what = "neap.test.run_until_idle" };

/* The scheduler's turn looks at the heap itself. uv_run fires a timer that is due
 * before it polls, and would then poll without a limit: a stop makes it return. */
static void on_timer(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* Wait for the outside world, until `at_ns` at the latest. */
static void wait(neap_loop *loop, uint64_t at_ns)
{
    if (at_ns != NEAP_NEVER) {
        uint64_t now_ns = neap_clock_now(loop->sched->clock);
        uint64_t left_ns = at_ns > now_ns ? at_ns - now_ns : 0;
        /* libuv's time is cached, and counts milliseconds: round up. */
        uv_update_time(&loop->uv);
        uv_timer_start(&loop->timer, on_timer, left_ns / NS_PER_MS + (left_ns % NS_PER_MS != 0), 0);
    }
    uv_run(&loop->uv, UV_RUN_ONCE);
    uv_timer_stop(&loop->timer);
}

static void end_idle(neap_loop *loop)
{
    neap_wait_end_all(&loop->idle, NEAP_OK);
}

/* Look at the outside world without waiting: true if a task is ready by it, or
 * a request has been begun by it, which holds the virtual clock. */
static bool brings_something(neap_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    return loop->sched->ready_count > 0 || loop->pending > 0;
}

static _Thread_local int lacks;

int neap_loop_lacks(void)
{
    return lacks;
}

neap_loop *neap_loop_new(neap_sched *sched)
{
    neap_loop *loop = neap_mem_try_realloc(NULL, sizeof *loop);

    lacks = loop == NULL ? NEAP_ENOMEM : NEAP_OK;
    if (loop == NULL)
        return NULL;
    *loop = (neap_loop){ .sched = sched };
    neap_link_init(&loop->idle);
    neap_link_init(&loop->ends);
    if ((lacks = neap_setup()) != NEAP_OK || (lacks = neap_setup_lay_by()) != NEAP_OK ||
        (lacks = neap_uverr(uv_loop_init(&loop->uv))) != NEAP_OK) {
        neap_mem_free(loop);
        loop = NULL;
    } else {
        uv_timer_init(&loop->uv, &loop->timer);
        if ((lacks = neap_uverr(neap_loop_open_posts(loop))) != NEAP_OK) {
            neap_loop_free(loop);
            loop = NULL;
        }
    }
    neap_setup_done();
    return loop;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void neap_loop_free(neap_loop *loop)
{
    if (loop == NULL)
        return;
    while (neap_link_linked(&loop->ends)) {
        neap_loop_end *first = neap_container(loop->ends.next, neap_loop_end, link);
        first->end(first);
    }
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int status = uv_loop_close(&loop->uv);
    assert(status == 0 && "every handle has been closed");
    (void)status;
    pthread_mutex_destroy(&loop->posts_lock);
    neap_mem_free(loop);
}

bool neap_loop_run(neap_loop *loop)
{
    neap_sched *sched = loop->sched;

    while (!loop->stopped) {
        loop->begin_turn(sched);
        neap_sched_turn(sched);
        loop->end_turn(sched);
        if (loop->stopped)
            break;

        uint64_t next_ns = neap_sched_next(sched);
        if (next_ns == 0 || next_ns <= neap_clock_now(sched->clock)) {
            uv_run(&loop->uv, UV_RUN_NOWAIT);
            continue;
        }
        if (neap_link_linked(&loop->idle)) {
            uv_run(&loop->uv, UV_RUN_NOWAIT);
            if (sched->ready_count == 0 && loop->pending == 0)
                end_idle(loop);
            if (sched->ready_count > 0)
                continue;
        }
        if (next_ns == NEAP_NEVER && loop->pending == 0 && loop->live == 0)
            return false;
        if (loop->virtual == NULL || loop->virtual->reasons != 0 || next_ns == NEAP_NEVER)
            wait(loop, next_ns);
        else if (!brings_something(loop))
            neap_virtual_skip(loop->virtual, next_ns);
    }
    return true;
}

void neap_loop_stop(neap_loop *loop)
{
    loop->stopped = true;
    neap_sched_stop(loop->sched);
}

void neap_loop_on_turn(neap_loop *loop, void (*begin)(neap_sched *sched),
                       void (*end)(neap_sched *sched))
{
    loop->begin_turn = begin;
    loop->end_turn = end;
}

void neap_loop_set_virtual(neap_loop *loop, neap_virtual *clock)
{
    loop->virtual = clock;
    loop->sched->clock = clock == NULL ? &neap_clock_system : &clock->clock;
    if (clock != NULL)
        neap_virtual_run(clock, NEAP_VIRTUAL_PENDING, loop->pending > 0);
}

void neap_loop_park_idle(neap_loop *loop, neap_task *task)
{
    neap_wait_park(task, &IDLE, loop);
    neap_link_append(&loop->idle, &task->wait.node.link);
}

void neap_loop_pending(neap_loop *loop, int change)
{
    loop->pending += change;
    assert(loop->pending >= 0);
    if (loop->virtual != NULL)
        neap_virtual_run(loop->virtual, NEAP_VIRTUAL_PENDING, loop->pending > 0);
}

void neap_loop_live(neap_loop *loop, int change)
{
    loop->live += change;
    assert(loop->live >= 0);
}
