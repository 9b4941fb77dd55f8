/* spec/core/job_test.c - jobs on the pool: waited for, cancelled, dropped. */
#include "test.h"

#include <semaphore.h>
#include <stdatomic.h>

#include "io/job.h"
#include "io/loop.h"
#include "io/setup.h"

static neap_sched  sched;
static test_clock  test_time;
static neap_loop  *loop;
static test_task   waiter;
static int         frees, results;
static atomic_int  runs;        /* counted by threads */
static sem_t       gate;        /* a job waits here until the spec lets it go on */

static void run_at_once(neap_job *job)
{
    (void)job;
    runs++;
}

static void run_gated(neap_job *job)
{
    (void)job;
    sem_wait(&gate);
    runs++;
}

static void count_free(neap_job *job)
{
    (void)job;
    frees++;
}

static const neap_wait_class CLASS = { .what = "spec", .cancel = neap_job_cancel };

static void no_turn(neap_sched *unused)
{
    (void)unused;
}

static void begin(void)
{
    test_begin(&sched, &test_time);
    loop = neap_loop_new(&sched);
    neap_loop_on_turn(loop, no_turn, no_turn);
    sem_init(&gate, 0, 0);
    runs = 0;
    frees = 0;
    results = 1;
}

static void end(void)
{
    neap_loop_free(loop);
    neap_sched_deinit(&sched);
    sem_destroy(&gate);
}

/* Start the job, wait for it, note how that ended. */
static bool wait_for_job(test_task *task)
{
    neap_job *job = task->data;

    if (task->turns == 0) {
        neap_job_start(job, loop);
        neap_job_park(job, &CLASS, &task->core);
        return true;
    }
    results = task->core.wait.result;
    neap_job_drop(job);
    return false;
}

static void a_task_waits_until_its_job_is_back(void)
{
    neap_job job = { .run = run_at_once, .free = count_free };

    begin();
    test_spawn(&sched, &waiter, 'a', wait_for_job);
    waiter.data = &job;
    CHECK(!neap_loop_run(loop));        /* nothing left to come */
    CHECK(runs == 1 && frees == 1 && results == NEAP_OK);
    end();
}

static void a_cancelled_task_goes_on_while_its_job_runs(void)
{
    neap_job job = { .run = run_gated, .free = count_free };

    begin();
    test_spawn(&sched, &waiter, 'a', wait_for_job);
    waiter.data = &job;
    neap_sched_turn(&sched);
    neap_scope_cancel(&sched.root, NEAP_CANCEL_CANCELLED, 0);
    neap_sched_turn(&sched);
    CHECK(results == NEAP_ECANCELLED && waiter.core.state == NEAP_TASK_CANCELLED);
    /* Not begun it never runs; else it is given back when it is done. */
    sem_post(&gate);
    CHECK(!neap_loop_run(loop));
    CHECK(frees == 1);
    end();
}

/* A job that is back before the cancellation. */
static void cancel_when_ready(neap_sched *unused)
{
    (void)unused;
    if (waiter.turns == 1 && waiter.core.state == NEAP_TASK_READY)
        neap_scope_cancel(&sched.root, NEAP_CANCEL_CANCELLED, 0);
}

static void what_was_done_before_a_cancellation_counts(void)
{
    neap_job job = { .run = run_at_once, .free = count_free };

    begin();
    neap_loop_on_turn(loop, cancel_when_ready, no_turn);
    test_spawn(&sched, &waiter, 'a', wait_for_job);
    waiter.data = &job;
    CHECK(!neap_loop_run(loop));
    CHECK(neap_task_is_cancelled(&waiter.core) && results == NEAP_OK && frees == 1);
    end();
}

static void jobs_beyond_the_threads_wait_and_those_dropped_never_run(void)
{
    enum { MORE = 3 };
    neap_job jobs[NEAP_SETUP_THREADS + MORE];

    begin();
    for (int i = 0; i < NEAP_SETUP_THREADS + MORE; i++) {
        jobs[i] = (neap_job){ .run = run_gated, .free = count_free };
        neap_job_start(&jobs[i], loop);
    }
    for (int i = NEAP_SETUP_THREADS; i < NEAP_SETUP_THREADS + MORE; i++)
        neap_job_drop(&jobs[i]);        /* every thread has an earlier one */
    for (int i = 0; i < NEAP_SETUP_THREADS; i++)
        sem_post(&gate);
    CHECK(!neap_loop_run(loop));
    CHECK(runs == NEAP_SETUP_THREADS && frees == MORE);
    end();
}

int main(void)
{
    RUN(a_task_waits_until_its_job_is_back);
    RUN(a_cancelled_task_goes_on_while_its_job_runs);
    RUN(what_was_done_before_a_cancellation_counts);
    RUN(jobs_beyond_the_threads_wait_and_those_dropped_never_run);
    return REPORT();
}
