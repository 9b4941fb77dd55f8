/* Pool of threads without Lua: who is begun when, and whose a job is in the end. */
#include "io/pool.h"

#include <sched.h>

#include "test.h"

/* What a job of these specs is: it runs until the gate is open. */
typedef struct job {
    neap_pool_job core;
    int           tag;
} job;

static _Atomic bool gate, saw_revoked;
static _Atomic int  begun, freed, opened, closed;
static _Atomic int  refused;            /* so many states cannot be opened */
static _Atomic int  stateless;          /* jobs that ran without one */
static char         order[32];          /* tags, in the order of their beginning */

static void *open_thread(void)
{
    if (atomic_load(&refused) > 0) {
        atomic_fetch_sub(&refused, 1);
        return NULL;
    }
    return (void *)(intptr_t)(atomic_fetch_add(&opened, 1) + 1);
}

static void rest(void *state)
{
    (void)state;
}

static void close_thread(void *state)
{
    (void)state;
    atomic_fetch_add(&closed, 1);
}

static neap_pool pool = NEAP_POOL(pool, "spec", open_thread, rest, close_thread);

static void run_job(neap_pool_job *core, void *state)
{
    job *it = neap_container(core, job, core);

    atomic_fetch_add(&stateless, state == NULL);
    order[atomic_fetch_add(&begun, 1)] = (char)it->tag;
    while (!atomic_load(&gate) && !atomic_load(&core->revoked))
        sched_yield();
    if (atomic_load(&core->revoked))
        atomic_store(&saw_revoked, true);
}

static void free_job(neap_pool_job *core)
{
    free(neap_container(core, job, core));
    atomic_fetch_add(&freed, 1);
}

static neap_pool_job *new_job(int tag)
{
    job *it = calloc(1, sizeof *it);

    it->core.run = run_job;
    it->core.free_job = free_job;
    it->tag = tag;
    return &it->core;
}

/* --- a loop with tasks that submit -------------------------------------------------- */

static neap_sched sched;
static neap_loop *loop;

static void no_turn(neap_sched *of)
{
    (void)of;
}

static void begin(void)
{
    atomic_store(&gate, false);
    atomic_store(&saw_revoked, false);
    atomic_store(&begun, 0);
    atomic_store(&freed, 0);
    atomic_store(&stateless, 0);
    memset(order, 0, sizeof order);
    neap_sched_init(&sched, &neap_clock_system, test_run);
    loop = neap_loop_new(&sched);
    neap_loop_on_turn(loop, no_turn, no_turn);
    neap_pool_enter(&pool, 1);
}

static void end(void)
{
    neap_pool_leave(&pool);
    neap_loop_free(loop);
    neap_sched_deinit(&sched);
    CHECK(atomic_load(&opened) == atomic_load(&closed));    /* no thread is left */
}

static void await(_Atomic int *count, int value)
{
    while (atomic_load(count) < value)
        sched_yield();
}

/* Submits a job of its tag and waits for it; ends with it. */
static bool submit(test_task *task)
{
    neap_pool_job *it = task->data;

    if (task->turns == 0) {
        it = task->data = new_job(task->tag);
        if (neap_pool_submit(&pool, loop, it) != NEAP_OK)
            return false;
        neap_pool_park(it, &task->core);
        return true;
    }
    neap_pool_drop(it);
    task->data = NULL;
    return false;
}

/* The last task lets all jobs end, and the loop run until they have. */
static bool open_gate(test_task *task)
{
    (void)task;
    atomic_store(&gate, true);
    return false;
}

/* False: nothing more will come. */
static void run_all(void)
{
    CHECK(!neap_loop_run(loop));
}

static void jobs_begin_in_the_order_of_their_submission(void)
{
    test_task tasks[5], last;

    begin();
    for (int i = 0; i < 5; i++)
        test_spawn(&sched, &tasks[i], 'a' + i, submit);
    test_spawn(&sched, &last, 0, open_gate);
    run_all();
    CHECK(strcmp(order, "abcde") == 0);
    CHECK(atomic_load(&freed) == 5);
    for (int i = 0; i < 5; i++)
        CHECK(tasks[i].core.state == NEAP_TASK_DONE);
    end();
}

static void no_more_threads_run_than_the_limit(void)
{
    test_task tasks[3];
    neap_pool_stats stats;

    begin();
    for (int i = 0; i < 3; i++)
        test_spawn(&sched, &tasks[i], 'a' + i, submit);
    neap_sched_turn(&sched);
    await(&begun, 1);
    neap_pool_look(&pool, &stats);
    CHECK(stats.limit == 1 && stats.threads == 1 && stats.busy == 1 && stats.queued == 2);
    atomic_store(&gate, true);
    run_all();
    neap_pool_look(&pool, &stats);
    CHECK(stats.busy == 0 && stats.queued == 0);
    end();
}

static void a_queued_job_that_is_dropped_never_runs(void)
{
    test_task first, second;

    begin();
    test_spawn(&sched, &first, 'a', submit);
    test_spawn(&sched, &second, 'b', submit);
    neap_sched_turn(&sched);
    await(&begun, 1);
    neap_wait_cancel(&second.core);
    neap_sched_turn(&sched);            /* it drops its job */
    CHECK(atomic_load(&freed) == 1);
    atomic_store(&gate, true);
    run_all();
    CHECK(strcmp(order, "a") == 0);
    CHECK(atomic_load(&freed) == 2);
    end();
}

static void a_running_job_that_is_dropped_is_revoked_and_freed_by_its_thread(void)
{
    test_task task;

    begin();
    test_spawn(&sched, &task, 'a', submit);
    neap_sched_turn(&sched);
    await(&begun, 1);
    neap_wait_cancel(&task.core);
    run_all();                          /* nothing is pending: the loop waits for nobody */
    CHECK(task.core.state == NEAP_TASK_DONE);
    await(&freed, 1);
    CHECK(atomic_load(&saw_revoked));
    end();
}

static void a_job_that_is_done_can_be_dropped_before_it_arrives(void)
{
    test_task task;

    begin();
    atomic_store(&gate, true);
    test_spawn(&sched, &task, 'a', submit);
    neap_sched_turn(&sched);
    neap_pool_stats stats;
    do
        neap_pool_look(&pool, &stats);
    while (stats.queued + stats.busy > 0);
    neap_wait_cancel(&task.core);
    run_all();
    CHECK(atomic_load(&freed) == 1);
    CHECK(task.core.state == NEAP_TASK_DONE);
    end();
}

static void a_job_that_was_never_submitted_is_freed_at_once(void)
{
    begin();
    neap_pool_drop(new_job('a'));
    CHECK(atomic_load(&freed) == 1);
    end();
}

static void a_thread_that_has_no_state_opens_one_for_its_next_job(void)
{
    test_task first, second, last;

    begin();
    atomic_store(&refused, 2);          /* when it starts, and for its first job */
    test_spawn(&sched, &first, 'a', submit);
    test_spawn(&sched, &second, 'b', submit);
    test_spawn(&sched, &last, 0, open_gate);
    run_all();
    CHECK(atomic_load(&begun) == 2 && atomic_load(&stateless) == 1);
    end();
}

int main(void)
{
    RUN(jobs_begin_in_the_order_of_their_submission);
    RUN(no_more_threads_run_than_the_limit);
    RUN(a_queued_job_that_is_dropped_never_runs);
    RUN(a_running_job_that_is_dropped_is_revoked_and_freed_by_its_thread);
    RUN(a_job_that_is_done_can_be_dropped_before_it_arrives);
    RUN(a_job_that_was_never_submitted_is_freed_at_once);
    RUN(a_thread_that_has_no_state_opens_one_for_its_next_job);
    return REPORT();
}
