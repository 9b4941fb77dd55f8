/* bind/sem.c - neap.core.sem: the semaphore as Lua sees it. Its permits are
 * those of bind/permit. */
#include "core/sem.h"

#include "bind/permit.h"

static const neap_bind_type SEM = { "neap.semaphore" };

struct sem {
    const neap_bind_type *type;
    neap_sem              core;
};

static const neap_bind_way ACQUIRE = {
    "semaphore:acquire", { "permit of a semaphore", neap_bind_permit_take_back },
    neap_sem_park, false };

/* sem.new(slots) -> sem */
static int l_new(lua_State *L)
{
    uint32_t limit = (uint32_t)neap_bind_integer(L, 1, "slots", 1, UINT32_MAX);

    struct sem *sem = neap_bind_new(L, &SEM, sizeof *sem, 0);
    neap_sem_init(&sem->core, limit);
    return 1;
}

static uint32_t slots_argument(lua_State *L, const struct sem *sem)
{
    return (uint32_t)neap_bind_opt_integer(L, 2, "n", 1, 1, sem->core.limit);
}

/* sem:acquire([n]) -> permit. Parks while fewer than n slots are free. */
static int l_acquire(lua_State *L)
{
    struct sem *sem = neap_bind_arg(L, 1, &SEM);
    return neap_bind_permit_acquire(L, &sem->core, slots_argument(L, sem), &ACQUIRE);
}

/* sem:try_acquire([n]) -> permit | nil, "locked" */
static int l_try_acquire(lua_State *L)
{
    struct sem *sem = neap_bind_arg(L, 1, &SEM);
    return neap_bind_permit_try(L, &sem->core, slots_argument(L, sem), &ACQUIRE);
}

int luaopen_neap_core_sem(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg sem[] = {
        { "acquire", l_acquire }, { "try_acquire", l_try_acquire }, { NULL, NULL } };

    neap_bind_permit_open(L);
    luaL_newlib(L, functions);
    neap_bind_methods(L, &SEM, sem, "methods");
    return 1;
}
