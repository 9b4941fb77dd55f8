/* bind/turn.c - one turn: the only place where Lua is resumed. */
#include "bind/turn.h"

#include <sys/resource.h>

#include "base/ticks.h"
#include "bind/slice.h"
#include "bind/task.h"

/* --- slices --------------------------------------------------------------------------- */

static inline void begin_slice(neap_host *host, lua_State *co)
{
    host->checkpoints = 0;
    host->running = co;
    host->suspends = co;
    neap_slice_begin(&host->slice);
}

static inline void end_slice(neap_host *host, neap_task *task)
{
    uint64_t tick = neap_ticks_now(), ticks = tick - host->tick;

    task->busy = (task->busy + ticks) & NEAP_TASK_BUSY_MAX;
    task->since = (uint32_t)(tick >> NEAP_TASK_SINCE_SHIFT);
    host->tick = tick;
    if (ticks > host->slice_limit)
        neap_bind_slice_over(host, ticks);
}

/* Of one that has no seat. */
static inline bool has_begun(neap_task *task)
{
    return lua_status(neap_bind_task_of(task)->co) != LUA_OK;
}

static inline void resume(neap_host *host, neap_task *task)
{
    neap_bind_task *box = neap_bind_task_of(task);
    lua_State *co = box->co;
    bool fresh = !has_begun(task);
    int yielded;

    if (fresh && neap_task_is_cancelled(task)) {
        neap_bind_end_unstarted(host, box);
        return;
    }
    begin_slice(host, co);
    int status = lua_resume(co, host->L, fresh ? lua_gettop(co) - 2 : 0, &yielded);
    if (host->turn.clearing)
        return;
    end_slice(host, task);
    if (status != LUA_YIELD || (task->flags & NEAP_BIND_KILLED) != 0)
        neap_bind_end(host, box, status);
}

/* --- seats ---------------------------------------------------------------------------- */

static inline void change_seat(neap_turn *turn, unsigned to)
{
    neap_stack *from = turn->seats[turn->seat].stack;

    turn->seat = to;
    neap_stack_switch(from, turn->seats[to].stack);
}

/* What a seat without a task does: the turn, until there is a task that has a seat. */
static void serve(void *arg)
{
    neap_host *host = arg;
    neap_turn *turn = &host->turn;

    turn->seats[turn->seat].base = (uintptr_t)__builtin_frame_address(0);
    for (;;) {
        neap_task *task = turn->next;
        if (task != NULL)
            host->sched.running = task;
        else if (!turn->clearing)
            task = neap_sched_take(&host->sched);
        turn->next = NULL;
        if (task != NULL && task->seat == 0) {
            resume(host, task);
            continue;
        }
        turn->free[turn->free_count++] = (uint8_t)turn->seat;
        change_seat(turn, task == NULL ? 0 : task->seat);
    }
}

/* A seat without a task, or 0. */
static unsigned free_seat(neap_host *host)
{
    neap_turn *turn = &host->turn;

    if (turn->free_count > 0)
        return turn->free[--turn->free_count];
    if (turn->count == turn->most)
        return 0;
    neap_stack *stack = neap_stack_new(serve, host);
    if (stack == NULL) {
        turn->most = turn->count;
        return 0;
    }
    turn->seats[++turn->count].stack = stack;
    return turn->count;
}

/* Whoever has waited for so many turns may as well yield. */
enum { LONG_TURNS = 64 };

static void clear_seats(neap_host *host)
{
    neap_turn *turn = &host->turn;

    turn->clearing = true;
    for (unsigned seat = 1; seat <= turn->count; seat++) {
        neap_task *task = turn->seats[seat].task;
        if (task != NULL && turn->number - turn->seats[seat].since >= LONG_TURNS) {
            host->sched.running = task;
            change_seat(turn, seat);
        }
    }
    turn->clearing = false;
    for (unsigned i = 0; i < turn->free_count; i++)
        neap_stack_trim(turn->seats[turn->free[i]].stack);
}

/* Where addresses are limited, most of them are for what scripts keep. */
static unsigned most_seats(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return NEAP_TURN_SEATS;
    rlim_t most = limit.rlim_cur / 16 / NEAP_STACK_SIZE;
    return most < NEAP_TURN_SEATS ? (unsigned)most : NEAP_TURN_SEATS;
}

void neap_bind_run(neap_sched *sched)
{
    neap_host *host = neap_container(sched, neap_host, sched);
    neap_turn *turn = &host->turn;
    neap_task *task;

    if (turn->number++ == 0) {
        turn->seats[0].stack = &turn->loop;
        turn->most = host->apart == NULL ? most_seats() : 0;
    }
    while ((task = neap_sched_take(sched)) != NULL) {
        unsigned seat = task->seat;
        if (seat == 0 && (seat = free_seat(host)) != 0)
            turn->next = task;
        if (seat == 0)
            resume(host, task);
        else
            change_seat(turn, seat);
    }
    if (turn->number % LONG_TURNS == 0)
        clear_seats(host);
}

/* Lua allows 200 nested C calls, which take 200 bytes at least; after a yield none is left.
 * A recursion that waits on its way may not meet that bound by not yielding. */
enum { SHALLOW_BYTES = 2048 };

/* May the running task, which waits on `L`, keep its seat? */
static inline bool may_stay(lua_State *L, const neap_host *host)
{
    const neap_turn *turn = &host->turn;
    uintptr_t depth = turn->seats[turn->seat].base - (uintptr_t)__builtin_frame_address(0);

    return turn->seat != 0 && neap_bind_task_of(host->sched.running)->co == L &&
           depth < SHALLOW_BYTES;
}

/* The seat of `next`, or one for it that is better than that its predecessor yields; or 0. */
static inline unsigned seat_for(neap_host *host, neap_task *next)
{
    if (next->seat != 0)
        return next->seat;
    host->turn.next = next;
    return has_begun(next) ? free_seat(host) : 0;
}

int neap_bind_suspend(lua_State *L, lua_KContext ctx, lua_KFunction k)
{
    neap_host *host = neap_host_of(L);
    neap_turn *turn = &host->turn;
    neap_task *task = host->sched.running, *next;
    unsigned mine = turn->seat, to = mine;

    if (!may_stay(L, host) || (next = neap_sched_take(&host->sched)) == NULL)
        return lua_yieldk(L, 0, ctx, k);
    host->sched.running = task;         /* until it has left */
    if (next != task && (to = seat_for(host, next)) == 0)
        return lua_yieldk(L, 0, ctx, k);

    end_slice(host, task);
    if (to != mine) {
        neap_seat *seat = &turn->seats[mine];
        seat->task = task;
        seat->since = turn->number;
        task->seat = (uint8_t)mine;
        host->sched.running = next;
        change_seat(turn, to);
        task->seat = 0;
        seat->task = NULL;
        if (turn->clearing)
            return lua_yieldk(L, 0, ctx, k);
    }
    begin_slice(host, L);
    return k == NULL ? 0 : k(L, LUA_YIELD, ctx);
}

void neap_turn_deinit(neap_turn *turn)
{
    for (unsigned seat = 1; seat <= turn->count; seat++)
        neap_stack_free(turn->seats[seat].stack);
}
