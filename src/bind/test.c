/* bind/test.c - neap.core.test: virtual time and seeded schedules for specs. */
#include "base/ticks.h"
#include "bind/bind.h"
#include "bind/select.h"
#include "io/loop.h"

/* The virtual clock; raises where time is the machine's. */
static neap_virtual *clock_of(lua_State *L, const char *op)
{
    neap_host *host = neap_host_of(L);

    if (host->sched.clock != &host->virtual.clock)
        neap_bind_usage(L, "%s: only in specs, run by neap test", op);
    return &host->virtual;
}

/* test.begin(): from now on time is virtual. No timer is armed. */
static int l_begin(lua_State *L)
{
    neap_host *host = neap_host_of(L);

    neap_virtual_init(&host->virtual);
    neap_loop_set_virtual(host->loop, &host->virtual);
    return 0;
}

/* test.seed(n [, shuffle]): all that a later run could tell from an earlier one
 * begins anew: chance, time, the length of the turn, the turns of fair selects.
 * With `shuffle` the order of the ready queue is chance, too. */
static int l_seed(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    uint64_t seed = (uint64_t)neap_bind_integer(L, 1, "seed", LUA_MININTEGER, LUA_MAXINTEGER);

    bool awaited = neap_timers_first(&host->sched.timers) != NULL
        || neap_timers_first(&host->sched.deadlines) != NULL;

    neap_virtual_begin(clock_of(L, "neap.test.seed"), awaited);
    neap_bind_select_renew(L);
    neap_sched_renew(&host->sched);
    neap_random_seed(&host->random, seed);
    neap_random_seed(&host->shuffle, seed);
    host->last_uuid_us = 0;
    host->sched.shuffle = lua_toboolean(L, 2) ? &host->shuffle : NULL;
    return 0;
}

/* test.elapsed() -> seconds since the beginning */
static int l_elapsed(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)neap_virtual_elapsed(clock_of(L, "neap.test.elapsed")) / 1e9);
    return 1;
}

/* test.real(on) -> was it on. All clocks are the machine's while it is on. */
static int l_real(lua_State *L)
{
    neap_virtual *clock = clock_of(L, "neap.test.real_time");

    lua_pushboolean(L, (clock->reasons & NEAP_VIRTUAL_REAL) != 0);
    neap_virtual_run(clock, NEAP_VIRTUAL_REAL, lua_toboolean(L, 1));
    return 1;
}

/* test.is_real() -> boolean */
static int l_is_real(lua_State *L)
{
    lua_pushboolean(L, (clock_of(L, "neap.test.is_real")->reasons & NEAP_VIRTUAL_REAL) != 0);
    return 1;
}

/* test.run_until_idle(): all others run until nothing is ready, due or pending */
static int l_run_until_idle(lua_State *L)
{
    neap_task *task = neap_bind_checkpoint(L, "neap.test.run_until_idle");

    neap_loop_park_idle(neap_host_of(L)->loop, task);
    return neap_bind_wait(L, "neap.test.run_until_idle");
}

/* test.renew(): what follows is no part of the slice that the limit is for */
static int l_renew(lua_State *L)
{
    neap_host_of(L)->fatal_from = neap_ticks_now();
    return 0;
}

/* test.slice_limit(d): a longer slice is ended by an error of kind `limit` */
static int l_slice_limit(lua_State *L)
{
    uint64_t limit_ns = neap_bind_duration(L, 1, "--slice-limit");

    neap_host_of(L)->slice_fatal = limit_ns == NEAP_NEVER ? 0 : neap_ticks_from_ns(limit_ns);
    return 0;
}

int luaopen_neap_core_test(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "begin", l_begin }, { "seed", l_seed }, { "elapsed", l_elapsed }, { "real", l_real },
        { "is_real", l_is_real },
        { "run_until_idle", l_run_until_idle }, { "slice_limit", l_slice_limit },
        { "renew", l_renew }, { NULL, NULL } };

    luaL_newlib(L, functions);
    return 1;
}
