/* bind/barrier.c - neap.core.barrier: the barrier as Lua sees it. */
#include "core/barrier.h"

#include "bind/bind.h"

static const neap_bind_type BARRIER = { "neap.barrier" };

struct barrier {
    const neap_bind_type *type;
    neap_barrier          core;
};

/* barrier.new(parties) -> barrier */
static int l_new(lua_State *L)
{
    uint32_t parties = (uint32_t)neap_bind_integer(L, 1, "neap.barrier: parties", 1, UINT32_MAX);

    struct barrier *barrier = neap_bind_new(L, &BARRIER, sizeof *barrier, 0);
    neap_barrier_init(&barrier->core, parties);
    return 1;
}

/* The wait has ended. [1] barrier. */
static int wait_k(lua_State *L, int status, lua_KContext ctx)
{
    int result = neap_host_of(L)->sched.running->wait.result;
    (void)status, (void)ctx;

    if (result != NEAP_OK)
        return neap_bind_fail(L, result, "barrier:wait");
    lua_pushboolean(L, 0);
    return 1;
}

/* barrier:wait() -> true for the last to arrive. Parks until all are there. */
static int l_wait(lua_State *L)
{
    struct barrier *barrier = neap_bind_arg(L, 1, &BARRIER);
    neap_task *task = neap_bind_checkpoint(L, "barrier:wait");

    lua_settop(L, 1);
    if (neap_barrier_arrive(&barrier->core)) {
        lua_pushboolean(L, 1);
        return neap_bind_return(L, 1);
    }
    neap_barrier_park(&barrier->core, task);
    return neap_bind_suspend(L, 0, wait_k);
}

int luaopen_neap_core_barrier(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg barrier[] = { { "wait", l_wait }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &BARRIER, barrier, "methods");
    return 1;
}
