/* Semaphore without Lua: who enters when, and that nothing is lost or overtaken,
 * whoever leaves the queue. */
#include "core/select.h"
#include "core/sem.h"
#include "program.h"

static neap_sem sem, other;

/* Digits acquire so many slots, R gives back what the last digit took, T is a
 * digit 1 that does not wait, S selects one slot of `sem` or of `other`. */
static bool program_act(program *it, char letter)
{
    neap_task *task = &it->task.core;
    static neap_select select;
    static neap_arm arms[2];

    switch (letter) {
    case 'R':
        neap_sem_release(&sem, it->count);
        return true;
    case 'T':
        CHECK(neap_sem_try_acquire(&sem, 1));
        return true;
    case 't':
        CHECK(!neap_sem_try_acquire(&sem, 1));
        return true;
    case 'S':
        neap_select_park(&select, task, arms, 2);
        neap_sem_queue(&sem, neap_select_queue(&select, 0, &neap_sem_acquire_class, &sem), 3);
        neap_sem_queue(&other, neap_select_queue(&select, 1, &neap_sem_acquire_class, &other), 1);
        return false;
    default:
        it->count = (uint32_t)(letter - '0');
        if (neap_sem_try_acquire(&sem, it->count))
            return true;
        neap_sem_park(&sem, task, it->count);
        return false;
    }
}

static void slots_are_taken_until_none_is_left(void)
{
    program a, b, c;
    program_begin();
    neap_sem_init(&sem, 3);
    program_spawn(&a, 'a', "2yR");
    program_spawn(&b, 'b', "1yyR");
    program_spawn(&c, 'c', "1R");
    CHECK(program_did("a2 b1 aR c1 cR bR "));
    CHECK(sem.held == 0 && !neap_link_linked(&sem.waiters));
    neap_sched_deinit(&sched);
}

static void a_released_slot_cannot_be_overtaken(void)
{
    program a, b;
    program_begin();
    neap_sem_init(&sem, 1);
    program_spawn(&a, 'a', "1yRt1R");
    program_spawn(&b, 'b', "1yR");
    CHECK(program_did("a1 aR at b1 bR a1 aR "));
    neap_sched_deinit(&sched);
}

static void a_small_wish_waits_behind_a_large_one(void)
{
    program a, b, c;
    program_begin();
    neap_sem_init(&sem, 3);
    program_spawn(&a, 'a', "2yyR");
    program_spawn(&b, 'b', "3R");
    program_spawn(&c, 'c', "1R");
    CHECK(program_did("a2 aR b3 bR c1 cR "));
    neap_sched_deinit(&sched);
}

static void one_release_serves_all_that_it_suffices_for(void)
{
    program a, b, c, d;
    program_begin();
    neap_sem_init(&sem, 3);
    program_spawn(&a, 'a', "3yR");
    program_spawn(&b, 'b', "1y");
    program_spawn(&c, 'c', "1y");
    program_spawn(&d, 'd', "2");
    CHECK(program_did("a3 aR b1 c1 "));
    CHECK(sem.held == 2 && d.task.core.state == NEAP_TASK_WAITING);
    program_cancel(&d);
    CHECK(program_did("dECANCELLED "));
    neap_sched_deinit(&sched);
}

static void who_stood_behind_a_cancelled_waiter_is_served(void)
{
    program a, b, c;
    program_begin();
    neap_sem_init(&sem, 3);
    program_spawn(&a, 'a', "2");
    program_spawn(&b, 'b', "3");
    program_spawn(&c, 'c', "1");
    CHECK(program_did("a2 "));
    program_cancel(&b);
    CHECK(program_did("bECANCELLED c1 "));
    CHECK(sem.held == 3);
    neap_sched_deinit(&sched);
}

static void a_slot_handed_over_survives_a_cancellation(void)
{
    program a, b, c;
    program_begin();
    neap_sem_init(&sem, 1);
    program_spawn(&a, 'a', "1");
    program_spawn(&b, 'b', "1yR");
    program_spawn(&c, 'c', "1R");
    CHECK(program_did("a1 "));
    neap_sem_release(&sem, 1);
    program_cancel(&b);
    program_cancel(&c);
    CHECK(program_did("b1 cECANCELLED bR "));
    CHECK(b.task.core.state == NEAP_TASK_CANCELLED && sem.held == 0);
    neap_sched_deinit(&sched);
}

static void an_arm_that_another_beat_makes_way(void)
{
    program a, b, c;
    program_begin();
    neap_sem_init(&sem, 3);
    neap_sem_init(&other, 1);
    program_spawn(&a, 'a', "2");
    program_spawn(&b, 'b', "S");
    program_spawn(&c, 'c', "1");
    CHECK(neap_sem_try_acquire(&other, 1));
    CHECK(program_did("a2 "));
    neap_sem_release(&other, 1);
    CHECK(program_did("bS c1 "));
    CHECK(b.task.core.state == NEAP_TASK_DONE && other.held == 1 && sem.held == 3);
    neap_sched_deinit(&sched);
}

/* Many tasks acquire, hold, release and are cancelled at random. */

enum { TASKS = 60, LIMIT = 7, ROUNDS = 400 };

static neap_random random_state;
static program     many[TASKS];
static uint32_t    owned[TASKS];    /* as the tasks see it */

static bool stumble(test_task *task)
{
    program *it = neap_container(task, program, task);
    uint32_t *mine = &owned[it - many];

    if (it->parked && task->core.wait.result == NEAP_OK)
        *mine = it->count;
    it->parked = false;
    if (*mine > 0 && neap_random_below(&random_state, 2) == 0) {
        neap_sem_release(&sem, *mine);
        *mine = 0;
    }
    if (neap_task_is_cancelled(&task->core) || task->turns >= ROUNDS) {
        if (*mine > 0)
            neap_sem_release(&sem, *mine);
        *mine = 0;
        return false;
    }
    if (*mine > 0 || neap_random_below(&random_state, 4) == 0) {
        neap_sched_yield(&task->core);
        return true;
    }
    it->count = 1 + (uint32_t)neap_random_below(&random_state, LIMIT);
    if (neap_sem_try_acquire(&sem, it->count)) {
        *mine = it->count;
        neap_sched_yield(&task->core);
    } else {
        it->parked = true;
        neap_sem_park(&sem, &task->core, it->count);
    }
    return true;
}

/* What the struct says is what the tasks have, or have been handed. */
static void check_books(void)
{
    uint32_t held = 0;
    for (int i = 0; i < TASKS; i++) {
        bool handed = many[i].parked && many[i].task.core.state == NEAP_TASK_READY &&
                      many[i].task.core.wait.result == NEAP_OK;
        held += owned[i] + (handed ? many[i].count : 0);
    }
    CHECK(held == sem.held && held <= LIMIT);
    if (neap_link_linked(&sem.waiters))
        CHECK(neap_node_first(&sem.waiters)->count > LIMIT - held);
}

static void no_slot_is_lost_among_many(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        program_begin();
        neap_random_seed(&random_state, seed);
        neap_sem_init(&sem, LIMIT);
        memset(owned, 0, sizeof owned);
        for (int i = 0; i < TASKS; i++) {
            memset(&many[i], 0, sizeof many[i]);
            test_spawn(&sched, &many[i].task, 0, stumble);
        }
        while (sched.ready_count > 0) {
            neap_sched_turn(&sched);
            check_books();
            uint64_t victim = neap_random_below(&random_state, TASKS * 4);
            if (victim < TASKS && !neap_task_ended(&many[victim].task.core) &&
                !neap_task_is_cancelled(&many[victim].task.core))
                program_cancel(&many[victim]);
            check_books();
        }
        CHECK(sched.root.running == 0 && sem.held == 0);
        neap_sched_deinit(&sched);
    }
}

int main(void)
{
    RUN(slots_are_taken_until_none_is_left);
    RUN(a_released_slot_cannot_be_overtaken);
    RUN(a_small_wish_waits_behind_a_large_one);
    RUN(one_release_serves_all_that_it_suffices_for);
    RUN(who_stood_behind_a_cancelled_waiter_is_served);
    RUN(a_slot_handed_over_survives_a_cancellation);
    RUN(an_arm_that_another_beat_makes_way);
    RUN(no_slot_is_lost_among_many);
    return REPORT();
}
