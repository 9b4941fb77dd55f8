/* bind/time.c - neap.core.time: clocks, sleep, yield, chance. */
#include <stdio.h>

#include "bind/scope.h"

static neap_clock *clock_of(lua_State *L)
{
    return neap_host_of(L)->sched.clock;
}

/* time.sleep(d) */
static int l_sleep(lua_State *L)
{
    uint64_t duration_ns = neap_bind_duration(L, 1, "neap.sleep");
    neap_task *task = neap_bind_checkpoint(L, "neap.sleep");

    neap_bind_reserve(L);
    neap_sched_park_sleep(task, neap_clock_after(neap_clock_now(clock_of(L)), duration_ns));
    return neap_bind_wait(L, "neap.sleep");
}

/* time.yield(): lets all others that are ready run first */
static int l_yield(lua_State *L)
{
    neap_sched_yield(neap_bind_checkpoint(L, "neap.yield"));
    return neap_bind_suspend(L, 0, NULL);
}

/* time.checkpoint(op): one that does not wait, for primitives written in Lua */
static int l_checkpoint(lua_State *L)
{
    neap_bind_checkpoint(L, lua_tostring(L, 1));
    return neap_bind_return(L, 0);
}

/* time.check(): raises if cancelled, and lets nobody run */
static int l_check(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;

    if (task != NULL && neap_task_is_cancelled(task))
        return neap_bind_raise_cancelled(L);
    return 0;
}

/* time.cancelled() -> the reason for which the running task is cancelled here, or nil */
static int l_cancelled(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;

    if (task == NULL || !neap_task_is_cancelled(task))
        return 0;
    neap_bind_push_cancellation(L, task->scope->source);
    lua_getfield(L, -1, "reason");
    return 1;
}

/* time.is_cancelled(value) -> is it the cancellation of the running task? */
static int l_is_cancelled(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushboolean(L, neap_bind_is_cancellation(L, 1));
    return 1;
}

/* time.now() -> seconds since the epoch */
static int l_now(lua_State *L)
{
    neap_clock *clock = clock_of(L);

    lua_pushnumber(L, (lua_Number)clock->wall(clock) / 1e6);
    return 1;
}

/* time.monotonic() -> seconds from an unspecified start */
static int l_monotonic(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)neap_clock_now(clock_of(L)) / 1e9);
    return 1;
}

/* time.remaining() -> seconds to the deadline that holds here, or nil */
static int l_remaining(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;
    uint64_t at_ns = task ? neap_scope_deadline(task->scope) : NEAP_NEVER;
    uint64_t now_ns = neap_clock_now(clock_of(L));

    if (at_ns == NEAP_NEVER)
        lua_pushnil(L);
    else
        lua_pushnumber(L, at_ns > now_ns ? (lua_Number)(at_ns - now_ns) / 1e9 : 0);
    return 1;
}

/* time.random() -> [0, 1); time.random(m) -> 1 .. m; time.random(m, n) -> m .. n;
 * time.random(0) -> any integer */
static int l_random(lua_State *L)
{
    neap_random *random = &neap_host_of(L)->random;
    lua_Integer low = 1, high;

    switch (lua_gettop(L)) {
    case 0:     /* 53 bits: all a float can hold below 1 */
        lua_pushnumber(L, (lua_Number)(neap_random_next(random) >> 11) * 0x1p-53);
        return 1;
    case 1:
        high = neap_bind_integer(L, 1, "neap.random: m", 0, LUA_MAXINTEGER);
        if (high == 0)
            low = LUA_MININTEGER, high = LUA_MAXINTEGER;
        break;
    default:
        low = neap_bind_integer(L, 1, "neap.random: m", LUA_MININTEGER, LUA_MAXINTEGER);
        high = neap_bind_integer(L, 2, "neap.random: n", low, LUA_MAXINTEGER);
    }
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t draw = span == UINT64_MAX ? neap_random_next(random)
                                       : neap_random_below(random, span + 1);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + draw));
    return 1;
}

/* time.uuid() -> version 7 of RFC 9562: 48 bits of milliseconds, then, so that
 * ids of one host rise within a millisecond, a 12-bit fraction of it, then
 * random bits. */
static int l_uuid(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    uint64_t wall_us = host->sched.clock->wall(host->sched.clock);
    char text[37];

    if (wall_us <= host->last_uuid_us)
        wall_us = host->last_uuid_us + 1;
    host->last_uuid_us = wall_us;
    uint64_t ms = wall_us / 1000, fraction = wall_us % 1000 * 4096 / 1000;
    uint64_t low = (neap_random_next(&host->random) & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000;
    snprintf(text, sizeof text, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(ms >> 16),
             (unsigned)(ms & 0xFFFF), (unsigned)fraction, (unsigned)(low >> 48),
             (unsigned long long)(low & 0xFFFFFFFFFFFF));
    lua_pushstring(L, text);
    return 1;
}

int luaopen_neap_core_time(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "sleep", l_sleep }, { "yield", l_yield }, { "check", l_check },
        { "checkpoint", l_checkpoint }, { "cancelled", l_cancelled },
        { "is_cancelled", l_is_cancelled }, { "now", l_now }, { "monotonic", l_monotonic },
        { "remaining", l_remaining },
        { "random", l_random }, { "uuid", l_uuid },
        { NULL, NULL } };

    luaL_newlib(L, functions);
    return 1;
}
