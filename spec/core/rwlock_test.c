/* Read-write lock without Lua: who is inside with whom, and that nobody starves.
 * What it has in common with a semaphore is in sem_test.c. */
#include "core/rwlock.h"
#include "program.h"

static neap_rwlock lock;

/* r reads, w writes, u leaves. */
static bool program_act(program *it, char letter)
{
    neap_task *task = &it->task.core;

    if (letter == 'u') {
        neap_sem_release(&lock, it->count);
        return true;
    }
    it->count = letter == 'r' ? NEAP_RWLOCK_READ : NEAP_RWLOCK_WRITE;
    if (neap_sem_try_acquire(&lock, it->count))
        return true;
    neap_rwlock_park(&lock, task, it->count);
    CHECK(strcmp(task->wait.class->what, letter == 'r' ? "rwlock:read" : "rwlock:write") == 0);
    return false;
}

static void readers_share_and_a_writer_is_alone(void)
{
    program a, b, c, d;
    program_begin();
    neap_rwlock_init(&lock);
    program_spawn(&a, 'a', "ryu");
    program_spawn(&b, 'b', "ryu");
    program_spawn(&c, 'c', "wyu");
    program_spawn(&d, 'd', "wu");
    CHECK(program_did("ar br au bu cw cu dw du "));
    neap_sched_deinit(&sched);
}

static void a_waiting_writer_stops_later_readers(void)
{
    program a, b, c, d;
    program_begin();
    neap_rwlock_init(&lock);
    program_spawn(&a, 'a', "ryyu");
    program_spawn(&b, 'b', "wyu");
    program_spawn(&c, 'c', "ryu");
    program_spawn(&d, 'd', "ryu");
    CHECK(program_did("ar au bw bu cr dr cu du "));
    neap_sched_deinit(&sched);
}

static void readers_enter_when_the_writer_before_them_gives_up(void)
{
    program a, b, c;
    program_begin();
    neap_rwlock_init(&lock);
    program_spawn(&a, 'a', "r");
    program_spawn(&b, 'b', "w");
    program_spawn(&c, 'c', "r");
    CHECK(program_did("ar "));
    program_cancel(&b);
    CHECK(program_did("bECANCELLED cr "));
    neap_sched_deinit(&sched);
}

static void a_lock_handed_over_survives_a_cancellation(void)
{
    program a, b;
    program_begin();
    neap_rwlock_init(&lock);
    program_spawn(&a, 'a', "r");
    program_spawn(&b, 'b', "wu");
    CHECK(program_did("ar "));
    neap_sem_release(&lock, NEAP_RWLOCK_READ);
    program_cancel(&b);
    CHECK(program_did("bw bu "));
    neap_sched_deinit(&sched);
}

int main(void)
{
    RUN(readers_share_and_a_writer_is_alone);
    RUN(a_waiting_writer_stops_later_readers);
    RUN(readers_enter_when_the_writer_before_them_gives_up);
    RUN(a_lock_handed_over_survives_a_cancellation);
    return REPORT();
}
