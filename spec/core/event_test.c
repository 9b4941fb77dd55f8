/* Event, latch and barrier without Lua: what lets many go on at once. */
#include "core/barrier.h"
#include "core/event.h"
#include "core/latch.h"
#include "core/select.h"
#include "program.h"

static neap_event   event, other;
static neap_latch   latch;
static neap_barrier barrier;
static program      a, b, c, d;
static neap_select  choice;
static neap_arm     arms[2];

/* E waits for the event, s sets and c clears it, S selects on it and on another;
 * L waits for the latch, digits count it down; B arrives at the barrier; X
 * cancels b. */
static bool program_act(program *it, char letter)
{
    neap_task *task = &it->task.core;

    switch (letter) {
    case 'E':
        if (event.set)
            return true;
        neap_event_park(&event, task);
        return false;
    case 's':
        neap_event_set(&event);
        return true;
    case 'c':
        neap_event_clear(&event);
        return true;
    case 'S':
        neap_select_park(&choice, task, arms, 2);
        neap_event_queue(&other, neap_select_queue(&choice, 0, &neap_event_wait_class, &other));
        neap_event_queue(&event, neap_select_queue(&choice, 1, &neap_event_wait_class, &event));
        return false;
    case 'L':
        if (latch.count == 0)
            return true;
        neap_latch_park(&latch, task);
        return false;
    case 'B':
        if (neap_barrier_arrive(&barrier))
            return true;
        neap_barrier_park(&barrier, task);
        return false;
    case 'X':
        program_cancel(&b);
        return true;
    default:
        neap_latch_count_down(&latch, (uint32_t)(letter - '0'));
        return true;
    }
}

static void begin(void)
{
    program_begin();
    neap_event_init(&event);
    neap_event_init(&other);
    neap_latch_init(&latch, 3);
    neap_barrier_init(&barrier, 3);
}

static void end(void)
{
    CHECK(!neap_link_linked(&event.waiters) && !neap_link_linked(&other.waiters));
    CHECK(!neap_link_linked(&latch.waiters) && !neap_link_linked(&barrier.waiters));
    neap_sched_deinit(&sched);
}

static void an_event_lets_all_go_on_in_order(void)
{
    begin();
    program_spawn(&a, 'a', "E");
    program_spawn(&b, 'b', "E");
    program_spawn(&c, 'c', "ssE");
    CHECK(program_did("cs cs cE aE bE "));
    end();
}

static void a_clear_does_not_call_back_who_was_woken(void)
{
    begin();
    program_spawn(&a, 'a', "EE");
    program_spawn(&b, 'b', "sc");
    CHECK(program_did("bs bc aE "));
    neap_event_set(&event);
    CHECK(program_did("aE "));
    end();
}

static void a_cancelled_waiter_leaves_the_event(void)
{
    begin();
    program_spawn(&a, 'a', "E");
    program_spawn(&b, 'b', "E");
    program_spawn(&c, 'c', "Xs");
    CHECK(program_did("cX cs bECANCELLED aE "));
    end();
}

static void a_cancellation_comes_too_late_for_who_was_woken(void)
{
    begin();
    program_spawn(&b, 'b', "E");
    program_spawn(&c, 'c', "sX");
    CHECK(program_did("cs cX bE "));
    CHECK(b.task.core.state == NEAP_TASK_CANCELLED);
    end();
}

static void a_select_hears_of_the_event_that_came(void)
{
    begin();
    program_spawn(&a, 'a', "S");
    program_spawn(&b, 'b', "s");
    CHECK(program_did("bs aS "));
    CHECK(choice.task->wait.arm == 1);
    end();
}

static void a_latch_opens_at_zero_and_stays_open(void)
{
    begin();
    program_spawn(&a, 'a', "L");
    program_spawn(&b, 'b', "2yL");
    program_spawn(&c, 'c', "yyy1yL");
    CHECK(program_did("b2 c1 aL bL cL "));
    end();
}

static void a_latch_does_not_fall_below_zero(void)
{
    begin();
    program_spawn(&a, 'a', "9L9L");
    CHECK(program_did("a9 aL a9 aL "));
    CHECK(latch.count == 0);
    end();
}

static void a_cancelled_waiter_leaves_the_latch(void)
{
    begin();
    program_spawn(&a, 'a', "L");
    program_spawn(&b, 'b', "L");
    program_spawn(&c, 'c', "X3");
    CHECK(program_did("cX c3 bECANCELLED aL "));
    end();
}

static void a_latch_wakes_once_and_a_late_cancellation_changes_nothing(void)
{
    begin();
    program_spawn(&b, 'b', "L");
    program_spawn(&c, 'c', "3X");
    CHECK(program_did("c3 cX bL "));
    end();
}

static void a_barrier_lets_go_on_when_all_are_there(void)
{
    begin();
    program_spawn(&a, 'a', "B");
    program_spawn(&b, 'b', "yB");
    program_spawn(&c, 'c', "yyyB");
    CHECK(program_did("cB aB bB "));
    end();
}

static void a_barrier_has_rounds(void)
{
    begin();
    program_spawn(&a, 'a', "BBB");
    program_spawn(&b, 'b', "BBB");
    program_spawn(&c, 'c', "BBB");
    CHECK(program_did("cB aB bB bB cB aB aB bB cB "));
    end();
}

static void a_barrier_of_one_never_waits(void)
{
    begin();
    neap_barrier_init(&barrier, 1);
    program_spawn(&a, 'a', "BB");
    CHECK(program_did("aB aB "));
    end();
}

static void a_cancelled_task_is_missing_in_its_round(void)
{
    begin();
    program_spawn(&a, 'a', "B");
    program_spawn(&b, 'b', "B");
    program_spawn(&c, 'c', "XB");
    program_spawn(&d, 'd', "yyyB");
    CHECK(program_did("cX bECANCELLED dB aB cB "));
    CHECK(barrier.waiting == 0);
    end();
}

static void a_cancellation_comes_too_late_for_a_full_round(void)
{
    begin();
    program_spawn(&a, 'a', "B");
    program_spawn(&b, 'b', "B");
    program_spawn(&c, 'c', "BX");
    CHECK(program_did("cB cX aB bB "));
    end();
}

/* Rounds of a barrier, of a latch each, and of an event, with many tasks. */

enum { TASKS = 50, ROUNDS = 100 };

static neap_random random_state;
static program     many[TASKS];

static bool stumble(test_task *task)
{
    program *it = neap_container(task, program, task);

    if (it->parked) {
        CHECK(task->core.wait.result == NEAP_OK || neap_task_is_cancelled(&task->core));
        it->parked = false;
    }
    if (neap_task_is_cancelled(&task->core) || task->turns >= ROUNDS)
        return false;
    switch (neap_random_below(&random_state, 6)) {
    case 0:
        neap_event_set(&event);
        break;
    case 1:
        neap_event_clear(&event);
        break;
    case 2:
        neap_latch_count_down(&latch, 1);
        break;
    case 3:
        if (event.set)
            break;
        it->parked = true;
        neap_event_park(&event, &task->core);
        return true;
    case 4:
        if (latch.count == 0) {
            neap_latch_init(&latch, 20);
            break;
        }
        it->parked = true;
        neap_latch_park(&latch, &task->core);
        return true;
    default:
        if (neap_barrier_arrive(&barrier))
            break;
        it->parked = true;
        neap_barrier_park(&barrier, &task->core);
        return true;
    }
    neap_sched_yield(&task->core);
    return true;
}

static void check_books(void)
{
    uint32_t waiting = 0;
    for (neap_link *at = barrier.waiters.next; at != &barrier.waiters; at = at->next)
        waiting++;
    CHECK(waiting == barrier.waiting && waiting < barrier.parties);
    CHECK(!event.set || !neap_link_linked(&event.waiters));
    CHECK(latch.count > 0 || !neap_link_linked(&latch.waiters));
}

static void nobody_waits_for_what_has_come_among_many(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin();
        neap_random_seed(&random_state, seed);
        for (int i = 0; i < TASKS; i++) {
            memset(&many[i], 0, sizeof many[i]);
            test_spawn(&sched, &many[i].task, 0, stumble);
        }
        while (sched.root.running > 0) {
            neap_sched_turn(&sched);
            check_books();
            program *victim = &many[neap_random_below(&random_state, TASKS)];
            if ((neap_random_below(&random_state, 4) == 0 || sched.ready_count == 0) &&
                !neap_task_ended(&victim->task.core) && !neap_task_is_cancelled(&victim->task.core))
                program_cancel(victim);
            check_books();
        }
        end();
    }
}

int main(void)
{
    RUN(an_event_lets_all_go_on_in_order);
    RUN(a_clear_does_not_call_back_who_was_woken);
    RUN(a_cancelled_waiter_leaves_the_event);
    RUN(a_cancellation_comes_too_late_for_who_was_woken);
    RUN(a_select_hears_of_the_event_that_came);
    RUN(a_latch_opens_at_zero_and_stays_open);
    RUN(a_latch_does_not_fall_below_zero);
    RUN(a_cancelled_waiter_leaves_the_latch);
    RUN(a_latch_wakes_once_and_a_late_cancellation_changes_nothing);
    RUN(a_barrier_lets_go_on_when_all_are_there);
    RUN(a_barrier_has_rounds);
    RUN(a_barrier_of_one_never_waits);
    RUN(a_cancelled_task_is_missing_in_its_round);
    RUN(a_cancellation_comes_too_late_for_a_full_round);
    RUN(nobody_waits_for_what_has_come_among_many);
    return REPORT();
}
