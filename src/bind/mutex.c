/* bind/mutex.c - neap.core.mutex: the mutex as Lua sees it.
 *
 * It is its own guard, so a lock costs no box: 184 ns a hand-over instead of
 * 270. The price is that a guard does not know for which lock it was given:
 * releasing it again is told from releasing what another task holds by who
 * unlocked it last, and __close never raises.
 */
#include "bind/mutex.h"

const neap_bind_type neap_bind_mutex_type = { "neap.mutex" };

/* mutex.new() -> mutex */
static int l_new(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_new(L, &neap_bind_mutex_type, sizeof *mutex, 0);
    neap_mutex_init(&mutex->core);
    return 1;
}

/* The wait has ended. [1] mutex. */
static int lock_k(lua_State *L, int status, lua_KContext ctx)
{
    int result = neap_host_of(L)->sched.running->wait.result;
    (void)status, (void)ctx;

    return result == NEAP_OK ? 1 : neap_bind_fail(L, result, "mutex:lock");
}

/* mutex:lock() -> mutex. Parks while another task holds it. */
static int l_lock(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_arg(L, 1, &neap_bind_mutex_type);
    neap_task *task = neap_bind_checkpoint(L, "mutex:lock");

    lua_settop(L, 1);
    if (neap_mutex_try_lock(&mutex->core, task))
        return neap_bind_return(L, 1);
    if (neap_mutex_owner(&mutex->core) == task)
        neap_bind_usage(L, "mutex:lock: this task holds it already");
    neap_mutex_park(&mutex->core, &task->wait, task);
    return neap_bind_suspend(L, 0, lock_k);
}

/* mutex:try_lock() -> mutex | nil, "locked" */
static int l_try_lock(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_arg(L, 1, &neap_bind_mutex_type);
    neap_task *task = neap_bind_holder(L, "mutex:try_lock");

    lua_settop(L, 1);
    if (neap_mutex_try_lock(&mutex->core, task))
        return 1;
    lua_pushnil(L);
    lua_pushliteral(L, "locked");
    return 2;
}

/* mutex:release(): harmless for whoever has just released it. */
static int l_release(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_arg(L, 1, &neap_bind_mutex_type);
    neap_task *task = neap_bind_holder(L, "mutex:release");

    if (neap_mutex_owner(&mutex->core) == task)
        neap_mutex_unlock(&mutex->core);
    else if (mutex->core.last != task->id)
        neap_bind_owner(L, &mutex->core.held);
    return 0;
}

/* __close: releases it unless that has been done. */
static int l_close(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_arg(L, 1, &neap_bind_mutex_type);
    neap_task *owner = neap_mutex_owner(&mutex->core);

    if (owner != NULL && owner == neap_host_of(L)->sched.running)
        neap_mutex_unlock(&mutex->core);
    return 0;
}

/* __gc: nobody can lock it, nobody waits for it; its owner may be gone, too. */
static int l_gc(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_arg(L, 1, &neap_bind_mutex_type);

    neap_held_forget(&mutex->core.held);
    return 0;
}

int luaopen_neap_core_mutex(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg mutex[] = {
        { "lock", l_lock }, { "try_lock", l_try_lock }, { "release", l_release },
        { "__close", l_close }, { "__gc", l_gc }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &neap_bind_mutex_type, mutex, "methods");
    return 1;
}
