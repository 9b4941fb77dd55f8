/* spec/core/loop_test.c - the loop waits no longer than until the next timer. */
#include "test.h"

#include <unistd.h>

#include "io/loop.h"
#include "io/proc.h"
#include "io/stream.h"

enum { SLEEPS = 32, HANGS_S = 10 };

static neap_sched   sched;
static neap_loop   *loop;
static neap_stream *stream;
static uint64_t     now_ns;

/* Time goes on by 1 ns at each look, so that between two of them a timer gets due. */
static uint64_t creep(neap_clock *unused)
{
    (void)unused;
    return ++now_ns;
}

static neap_clock creeping = { creep, creep };

static void no_turn(neap_sched *unused)
{
    (void)unused;
}

/* What the loop waits for without a limit, if it does not wait for a timer. */
static bool read_what_nobody_writes(test_task *task)
{
    int code = task->turns == 0 ? neap_stream_fill(stream) : NEAP_OK;

    if (code == NEAP_EAGAIN)
        neap_stream_park_read(stream, &task->core);
    return code == NEAP_EAGAIN;
}

static bool sleep_longer_and_longer(test_task *task)
{
    if (task->turns == SLEEPS) {
        neap_loop_stop(loop);
        return false;
    }
    CHECK(neap_sched_reserve(&sched));
    neap_sched_park_sleep(&task->core, now_ns + (uint64_t)task->turns);
    return true;
}

static void a_timer_that_gets_due_before_the_poll_ends_it(void)
{
    test_task reader, sleeper;
    test_clock unused;
    int near_end, far_end;

    test_begin(&sched, &unused);
    sched.clock = &creeping;
    loop = neap_loop_new(&sched);
    neap_loop_on_turn(loop, no_turn, no_turn);
    CHECK(neap_proc_pipe(&near_end, &far_end) == NEAP_OK);
    CHECK(neap_stream_open(&stream, loop, near_end, NEAP_STREAM_READS) == NEAP_OK);
    test_spawn(&sched, &reader, 'r', read_what_nobody_writes);
    test_spawn(&sched, &sleeper, 's', sleep_longer_and_longer);

    alarm(HANGS_S);
    CHECK(neap_loop_run(loop));
    alarm(0);
    CHECK(sleeper.core.state == NEAP_TASK_DONE && sleeper.turns == SLEEPS);

    neap_stream_close(stream);
    neap_stream_free(stream);
    close(far_end);
    neap_loop_free(loop);
    neap_sched_deinit(&sched);
}

int main(void)
{
    RUN(a_timer_that_gets_due_before_the_poll_ends_it);
    return REPORT();
}
