/* Mutex and condition without Lua: one owner, handed on in order, and what
 * becomes of those who wait when the owner ends without unlocking. */
#include "core/cond.h"
#include "core/select.h"
#include "program.h"

static neap_mutex mutex;
static neap_cond  cond;
static program    a, b, c, d;

/* L locks, T and t try it and do or do not get it, U unlocks, S selects on the
 * mutex twice; W waits for the condition, N notifies one, A all; X cancels b. */
static bool program_act(program *it, char letter)
{
    neap_task *task = &it->task.core;
    static neap_select select;
    static neap_arm arms[2];

    switch (letter) {
    case 'T':
    case 't':
        CHECK(neap_mutex_try_lock(&mutex, task) == (letter == 'T'));
        return true;
    case 'U':
        CHECK(neap_mutex_owner(&mutex) == task);
        neap_mutex_unlock(&mutex);
        return true;
    case 'S':
        neap_select_park(&select, task, arms, 2);
        for (uint32_t i = 0; i < 2; i++)
            neap_mutex_queue(&mutex, neap_select_queue(&select, i, &neap_mutex_lock_class, &mutex));
        return false;
    case 'W':
        neap_cond_park(&cond, task);
        return false;
    case 'N':
    case 'A':
        neap_cond_notify(&cond, letter == 'N' ? 1 : UINT32_MAX);
        return true;
    case 'X':
        program_cancel(&b);
        return true;
    default:
        if (neap_mutex_try_lock(&mutex, task))
            return true;
        neap_mutex_park(&mutex, task);
        return false;
    }
}

static void begin(void)
{
    program_begin();
    neap_mutex_init(&mutex);
    neap_cond_init(&cond, &mutex);
}

static void end(void)
{
    CHECK(neap_mutex_owner(&mutex) == NULL && !neap_link_linked(&mutex.waiters));
    CHECK(!neap_link_linked(&cond.waiters));
    neap_sched_deinit(&sched);
}

static void it_is_handed_on_in_the_order_of_asking(void)
{
    begin();
    program_spawn(&a, 'a', "LyU");
    program_spawn(&b, 'b', "LyU");
    program_spawn(&c, 'c', "LyU");
    CHECK(program_did("aL aU bL bU cL cU "));
    end();
}

static void it_cannot_be_overtaken_on_its_way(void)
{
    begin();
    program_spawn(&a, 'a', "LytUtLU");
    program_spawn(&b, 'b', "LyU");
    CHECK(program_did("aL at aU at bL bU aL aU "));
    end();
}

static void a_cancelled_waiter_does_not_get_it(void)
{
    begin();
    program_spawn(&a, 'a', "LyXU");
    program_spawn(&b, 'b', "LU");
    program_spawn(&c, 'c', "LU");
    CHECK(program_did("aL aX aU bECANCELLED cL cU "));
    end();
}

static void what_was_handed_over_survives_a_cancellation(void)
{
    begin();
    program_spawn(&a, 'a', "LyUX");
    program_spawn(&b, 'b', "LyU");
    program_spawn(&c, 'c', "LU");
    CHECK(program_did("aL aU aX bL bU cL cU "));
    CHECK(b.task.core.state == NEAP_TASK_CANCELLED);
    end();
}

static void an_owner_that_ends_breaks_those_who_wait(void)
{
    begin();
    program_spawn(&a, 'a', "Ly");
    program_spawn(&b, 'b', "L|LU");
    program_spawn(&c, 'c', "L");
    CHECK(program_did("aL amutex bEABANDONED bL bU cEABANDONED "));
    end();
}

static void one_that_was_handed_it_and_never_ran_on_breaks_it_too(void)
{
    begin();
    program_spawn(&a, 'a', "LyU");
    program_spawn(&b, 'b', "L");
    program_spawn(&c, 'c', "L");
    CHECK(program_did("aL aU bL bmutex cEABANDONED "));
    end();
}

static void a_select_gets_it_once(void)
{
    begin();
    program_spawn(&a, 'a', "LyU");
    program_spawn(&b, 'b', "SyU");
    program_spawn(&c, 'c', "LU");
    CHECK(program_did("aL aU bS bU cL cU "));
    end();
}

static void a_select_hears_of_a_break_once(void)
{
    begin();
    program_spawn(&a, 'a', "Ly");
    program_spawn(&b, 'b', "S");
    program_spawn(&c, 'c', "L");
    CHECK(program_did("aL amutex bEABANDONED cEABANDONED "));
    end();
}

static void a_condition_gives_the_mutex_up_and_back(void)
{
    begin();
    program_spawn(&a, 'a', "LWU");
    program_spawn(&b, 'b', "LNyU");
    CHECK(program_did("aL bL bN bU aW aU "));
    end();
}

static void notify_wakes_so_many_and_the_oldest_first(void)
{
    begin();
    program_spawn(&a, 'a', "LWU");
    program_spawn(&b, 'b', "LWU");
    program_spawn(&c, 'c', "LWU");
    program_spawn(&d, 'd', "NyyyA");
    CHECK(program_did("aL bL cL dN aW aU dA bW bU cW cU "));
    end();
}

static void a_notice_that_nobody_waits_for_is_gone(void)
{
    begin();
    program_spawn(&a, 'a', "NALWU");
    program_spawn(&b, 'b', "yN");
    CHECK(program_did("aN aA aL bN aW aU "));
    end();
}

static void a_cancelled_wait_ends_with_the_mutex(void)
{
    begin();
    program_spawn(&b, 'b', "LW|yU");
    program_spawn(&a, 'a', "LXyyU");
    program_spawn(&c, 'c', "LU");
    CHECK(program_did("bL aL aX aU bECANCELLED bU cL cU "));
    CHECK(b.task.core.state == NEAP_TASK_CANCELLED);
    end();
}

static void a_cancelled_wait_takes_a_free_mutex_at_once(void)
{
    begin();
    program_spawn(&b, 'b', "LW|U");
    program_spawn(&a, 'a', "Xt");
    CHECK(program_did("bL aX at bECANCELLED bU "));
    end();
}

static void a_notified_wait_is_not_cancelled_on_its_way_back(void)
{
    begin();
    program_spawn(&b, 'b', "LWU");
    program_spawn(&a, 'a', "LNXyU");
    CHECK(program_did("bL aL aN aX aU bW bU "));
    end();
}

static void a_wait_on_its_way_back_survives_a_break_and_hears_of_it(void)
{
    begin();
    program_spawn(&a, 'a', "LW|yU");
    program_spawn(&b, 'b', "yL");
    program_spawn(&c, 'c', "LW|U");
    program_spawn(&d, 'd', "LyA");
    CHECK(program_did("aL cL dL dA dmutex bEABANDONED aEABANDONED aU cEABANDONED cU "));
    end();
}

/* Many tasks lock, wait, notify, are cancelled and forget to unlock at random. */

enum { TASKS = 60, ROUNDS = 300 };

static neap_random random_state;
static program     many[TASKS];

static bool chance(uint64_t of)
{
    return neap_random_below(&random_state, of) == 0;
}

static void check_owner(const program *it, bool owner)
{
    CHECK((neap_mutex_owner(&mutex) == &it->task.core) == owner);
    CHECK(it->task.core.held == owner);
}

static bool stumble(test_task *task)
{
    program *it = neap_container(task, program, task);
    bool owner = it->count != 0;

    if (it->parked) {
        bool locking = task->core.wait.class == &neap_mutex_lock_class;
        owner = !locking || task->core.wait.result == NEAP_OK;
        it->parked = false;
    }
    check_owner(it, owner);
    it->count = 0;
    if (neap_task_is_cancelled(&task->core) || task->turns >= ROUNDS || chance(200)) {
        if (!chance(4) && owner)
            neap_mutex_unlock(&mutex);
        program_log[0] = 0;
        program_end(it);
        return false;
    }
    if (owner && chance(2)) {
        neap_mutex_unlock(&mutex);
        owner = false;
    }
    if (chance(3))
        neap_cond_notify(&cond, chance(3) ? UINT32_MAX : 1);
    if (owner && chance(4)) {
        it->parked = true;
        neap_cond_park(&cond, &task->core);
    } else if (owner || chance(4) || neap_mutex_try_lock(&mutex, &task->core)) {
        it->count = neap_mutex_owner(&mutex) == &task->core;
        neap_sched_yield(&task->core);
    } else {
        it->parked = true;
        neap_mutex_park(&mutex, &task->core);
    }
    return true;
}

static void there_is_one_owner_among_many(void)
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
            CHECK(neap_mutex_owner(&mutex) != NULL || !neap_link_linked(&mutex.waiters));
            program *victim = &many[neap_random_below(&random_state, TASKS)];
            if ((chance(4) || sched.ready_count == 0) && !neap_task_ended(&victim->task.core) &&
                !neap_task_is_cancelled(&victim->task.core))
                program_cancel(victim);
        }
        end();
    }
}

int main(void)
{
    RUN(it_is_handed_on_in_the_order_of_asking);
    RUN(it_cannot_be_overtaken_on_its_way);
    RUN(a_cancelled_waiter_does_not_get_it);
    RUN(what_was_handed_over_survives_a_cancellation);
    RUN(an_owner_that_ends_breaks_those_who_wait);
    RUN(one_that_was_handed_it_and_never_ran_on_breaks_it_too);
    RUN(a_select_gets_it_once);
    RUN(a_select_hears_of_a_break_once);
    RUN(a_condition_gives_the_mutex_up_and_back);
    RUN(notify_wakes_so_many_and_the_oldest_first);
    RUN(a_notice_that_nobody_waits_for_is_gone);
    RUN(a_cancelled_wait_ends_with_the_mutex);
    RUN(a_cancelled_wait_takes_a_free_mutex_at_once);
    RUN(a_notified_wait_is_not_cancelled_on_its_way_back);
    RUN(a_wait_on_its_way_back_survives_a_break_and_hears_of_it);
    RUN(there_is_one_owner_among_many);
    return REPORT();
}
