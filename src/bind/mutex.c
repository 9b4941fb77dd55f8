/* bind/mutex.c - neap.core.mutex: the mutex as Lua sees it.
 *
 * It is its own guard, so a lock costs no box: 184 ns a hand-over instead of
 * 270. The price is that a guard does not know for which lock it was given:
 * releasing it again is told from releasing what another task holds by who
 * unlocked it last, and __close never raises.
 */
#include "bind/mutex.h"

#include "bind/select.h"

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

static void refuse_again(lua_State *L, const neap_mutex *mutex, const neap_task *task,
                         const char *op)
{
    if (neap_mutex_owner(mutex) == task)
        neap_bind_usage(L, "%s: this task holds it already", op);
}

/* mutex:lock() -> mutex. Parks while another task holds it. */
static int l_lock(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_arg(L, 1, &neap_bind_mutex_type);
    neap_task *task = neap_bind_checkpoint(L, "mutex:lock");

    lua_settop(L, 1);
    if (neap_mutex_try_lock(&mutex->core, task))
        return neap_bind_return(L, 1);
    refuse_again(L, &mutex->core, task, "mutex:lock");
    neap_mutex_park(&mutex->core, task);
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
        neap_bind_owner(L, &mutex->core.held, "mutex:release");
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

static int on_lock_now(lua_State *L, int idx)
{
    const neap_bind_arm *arm = lua_touserdata(L, idx);
    neap_task *task = neap_bind_holder(L, "mutex:on_lock");

    refuse_again(L, arm->object, task, "mutex:on_lock");
    if (!neap_mutex_try_lock(arm->object, task))
        return NEAP_BIND_ARM_WAITS;
    lua_getiuservalue(L, idx, 1);
    return 1;
}

static void on_lock_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_mutex *mutex = arm->object;
    neap_mutex_queue(mutex, neap_select_queue(select, index, &neap_mutex_lock_class, mutex));
}

static int on_lock_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    (void)prepared, (void)given;
    if (result != NEAP_OK)
        return neap_bind_fail(L, result, "mutex:on_lock");
    lua_getiuservalue(L, arm, 1);
    return 1;
}

static const neap_bind_arm_ops ON_LOCK = { .now = on_lock_now, .queue = on_lock_queue,
                                           .finish = on_lock_finish };

/* mutex:on_lock([handler]) -> arm, which gives the mutex */
static int l_on_lock(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_arg(L, 1, &neap_bind_mutex_type);

    neap_bind_new_arm(L, &ON_LOCK, &mutex->core, 2, "mutex:on_lock");
    return 1;
}

int luaopen_neap_core_mutex(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg mutex[] = {
        { "lock", l_lock }, { "try_lock", l_try_lock }, { "release", l_release },
        { "on_lock", l_on_lock }, { "__close", l_close }, { "__gc", l_gc }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &neap_bind_mutex_type, mutex, "methods");
    return 1;
}
