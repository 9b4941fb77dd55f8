/* Scheduler, timers and scopes without Lua: who runs when, what a cancellation
 * reaches, and that a deadline comes after what is ready at its instant. */
#include "test.h"

static neap_sched sched;
static test_clock test_time;

static bool yield_twice(test_task *task)
{
    if (task->turns == 2)
        return false;
    neap_sched_yield(&task->core);
    return true;
}

static void tasks_take_turns(void)
{
    test_task a, b;
    test_begin(&sched, &test_time);
    test_spawn(&sched, &a, 'a', yield_twice);
    test_spawn(&sched, &b, 'b', yield_twice);
    test_settle(&sched);
    CHECK(strcmp(test_trace, "ababab") == 0);
    CHECK(a.core.state == NEAP_TASK_DONE && sched.root.running == 0);
    neap_sched_deinit(&sched);
}

static void seeds_permute_and_repeat(void)
{
    char first[256];
    int differs = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        for (int round = 0; round < 2; round++) {
            neap_random random;
            test_task a, b, c;
            test_begin(&sched, &test_time);
            neap_random_seed(&random, seed);
            sched.shuffle = &random;
            test_spawn(&sched, &a, 'a', yield_twice);
            test_spawn(&sched, &b, 'b', yield_twice);
            test_spawn(&sched, &c, 'c', yield_twice);
            test_settle(&sched);
            if (round == 0)
                strcpy(first, test_trace);
            else
                CHECK(strcmp(first, test_trace) == 0);
            neap_sched_deinit(&sched);
        }
        differs += strcmp(first, "abcabcabc") != 0;
    }
    CHECK(differs > 10);
}

static bool sleep_for_tag(test_task *task)
{
    if (task->turns == 1)
        return false;
    CHECK(neap_sched_reserve(&sched));
    neap_sched_park_sleep(&task->core, test_time.now_ns + (uint64_t)(task->tag - 'a'));
    return true;
}

static void sleepers_wake_by_instant_then_in_order(void)
{
    test_task tasks[4];
    static const char tags[] = "caba";
    test_begin(&sched, &test_time);
    for (int i = 0; i < 4; i++)
        test_spawn(&sched, &tasks[i], tags[i], sleep_for_tag);
    test_exhaust(&sched, &test_time);
    CHECK(strcmp(test_trace, "cabaaabc") == 0);
    neap_sched_deinit(&sched);
}

static neap_scope inner;

static bool sleep_in_scope_with_deadline(test_task *task)
{
    if (task->turns == 0) {
        neap_scope_open(&inner, &task->core, false);
        CHECK(neap_sched_reserve(&sched));
        neap_scope_set_deadline(&inner, test_time.now_ns + 10);
        neap_sched_park_sleep(&task->core, test_time.now_ns + (uint64_t)(size_t)task->data);
        return true;
    }
    CHECK(task->core.wait.result == (task->tag == 't' ? NEAP_ECANCELLED : NEAP_OK));
    neap_scope_close(&inner);
    return false;
}

static void a_deadline_ends_a_later_wait(void)
{
    test_task task;
    test_begin(&sched, &test_time);
    test_spawn(&sched, &task, 't', sleep_in_scope_with_deadline);
    task.data = (void *)11;
    test_exhaust(&sched, &test_time);
    CHECK(test_time.now_ns == 1010 && task.core.state == NEAP_TASK_DONE);
    CHECK(inner.kind == NEAP_CANCEL_DEADLINE && inner.cancelled_at_ns == 1010);
    neap_sched_deinit(&sched);
}

static void what_is_ready_at_the_deadline_wins(void)
{
    test_task task;
    test_begin(&sched, &test_time);
    test_spawn(&sched, &task, 'w', sleep_in_scope_with_deadline);
    task.data = (void *)10;
    test_exhaust(&sched, &test_time);
    CHECK(test_time.now_ns == 1010 && inner.source == NULL);
    neap_sched_deinit(&sched);
}

static void instants_decide_also_in_a_late_turn(void)
{
    test_task task;
    test_begin(&sched, &test_time);
    test_spawn(&sched, &task, 't', sleep_in_scope_with_deadline);
    task.data = (void *)11;
    test_settle(&sched);
    test_time.now_ns += 1000;
    test_settle(&sched);
    CHECK(inner.kind == NEAP_CANCEL_DEADLINE);
    neap_sched_deinit(&sched);
}

static neap_scope shield;

static bool sleep_in_shield(test_task *task)
{
    if (task->turns == 0) {
        neap_scope_open(&inner, &task->core, false);
        neap_scope_open(&shield, &task->core, true);
        CHECK(neap_sched_reserve(&sched));
        neap_sched_park_sleep(&task->core, test_time.now_ns + 5);
        return true;
    }
    CHECK(task->core.wait.result == NEAP_OK);
    CHECK(!neap_task_is_cancelled(&task->core));
    neap_scope_close(&shield);
    CHECK(neap_task_is_cancelled(&task->core));
    neap_scope_close(&inner);
    return false;
}

static void a_shield_keeps_a_cancellation_out(void)
{
    test_task task;
    test_begin(&sched, &test_time);
    test_spawn(&sched, &task, 't', sleep_in_shield);
    test_settle(&sched);
    CHECK(neap_scope_cancel(&sched.root, NEAP_CANCEL_SHUTDOWN, 0));
    CHECK(!neap_scope_cancel(&sched.root, NEAP_CANCEL_CANCELLED, 0));
    test_exhaust(&sched, &test_time);
    CHECK(task.core.state == NEAP_TASK_CANCELLED);
    neap_sched_deinit(&sched);
}

static bool sleep_long(test_task *task)
{
    if (task->turns == 1)
        return false;
    CHECK(neap_sched_reserve(&sched));
    neap_sched_park_sleep(&task->core, test_time.now_ns + 1000);
    return true;
}

static void one_task_is_cancelled_alone(void)
{
    test_task a, b;
    neap_scope own;
    test_begin(&sched, &test_time);
    test_spawn(&sched, &a, 'a', sleep_long);
    test_spawn(&sched, &b, 'b', sleep_in_shield);
    test_settle(&sched);
    neap_scope_wrap_task(&own, &b.core);
    CHECK(neap_scope_cancel(&own, NEAP_CANCEL_CANCELLED, a.core.id));
    CHECK(!neap_task_is_cancelled(&a.core));
    CHECK(neap_task_home(&b.core) == &sched.root && inner.source == &own);
    test_time.now_ns += 5;
    neap_sched_turn(&sched);
    CHECK(b.core.state == NEAP_TASK_CANCELLED && b.core.scope == &sched.root);
    neap_sched_deinit(&sched);
}

static test_task *awaited;

static bool await_other(test_task *task)
{
    if (task->turns == 1) {
        CHECK(awaited->core.state == NEAP_TASK_DONE);
        return false;
    }
    neap_task_park_await(&task->core, &awaited->core);
    return true;
}

static void all_who_await_a_task_wake_in_order(void)
{
    test_task a, b, c;
    test_begin(&sched, &test_time);
    test_spawn(&sched, &a, 'a', await_other);
    test_spawn(&sched, &b, 'b', await_other);
    test_spawn(&sched, &c, 'c', yield_twice);
    awaited = &c;
    test_settle(&sched);
    CHECK(strcmp(test_trace, "abcccab") == 0);
    neap_sched_deinit(&sched);
}

static test_task worker, standing;

static void adopt(test_task *task, int tag, bool (*step)(test_task *))
{
    memset(task, 0, sizeof *task);
    neap_task_adopt(&task->core, &inner, false);
    task->step = step;
    task->tag = tag;
}

/* Joins a scope with one task that works and one that stands by; then both. */
static bool join_twice(test_task *task)
{
    switch (task->turns) {
    case 0:
        neap_scope_open(&inner, &task->core, false);
        adopt(&standing, 's', sleep_long);
        adopt(&worker, 'w', yield_twice);
        neap_task_stand_by(&standing.core);
        neap_scope_park_join(&inner, &task->core, true);
        return true;
    case 1:
        CHECK(neap_task_ended(&worker.core) && !neap_task_ended(&standing.core));
        CHECK(test_time.now_ns == 1000);
        neap_task_recall(&standing.core);
        neap_scope_park_join(&inner, &task->core, true);
        return true;
    default:
        CHECK(neap_task_ended(&standing.core) && test_time.now_ns == 2000);
        neap_scope_close(&inner);
        return false;
    }
}

static void a_join_waits_for_no_task_that_stands_by(void)
{
    test_task task;
    test_begin(&sched, &test_time);
    test_spawn(&sched, &task, 'j', join_twice);
    test_exhaust(&sched, &test_time);
    CHECK(task.core.state == NEAP_TASK_DONE && task.turns == 2);
    CHECK(sched.root.running == 0);
    neap_sched_deinit(&sched);
}

int main(void)
{
    RUN(tasks_take_turns);
    RUN(seeds_permute_and_repeat);
    RUN(sleepers_wake_by_instant_then_in_order);
    RUN(a_deadline_ends_a_later_wait);
    RUN(what_is_ready_at_the_deadline_wins);
    RUN(instants_decide_also_in_a_late_turn);
    RUN(a_shield_keeps_a_cancellation_out);
    RUN(one_task_is_cancelled_alone);
    RUN(all_who_await_a_task_wake_in_order);
    RUN(a_join_waits_for_no_task_that_stands_by);
    return REPORT();
}
