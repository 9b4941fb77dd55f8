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
    uint32_t limit = (uint32_t)neap_bind_integer(L, 1, "neap.semaphore: slots", 1, UINT32_MAX);

    struct sem *sem = neap_bind_new(L, &SEM, sizeof *sem, 0);
    neap_sem_init(&sem->core, limit);
    return 1;
}

static uint32_t slots_argument(lua_State *L, const struct sem *sem, const char *name)
{
    return (uint32_t)neap_bind_opt_integer(L, 2, name, 1, 1, sem->core.limit);
}

/* sem:acquire([n]) -> permit. Parks while fewer than n slots are free. */
static int l_acquire(lua_State *L)
{
    struct sem *sem = neap_bind_arg(L, 1, &SEM);
    return neap_bind_permit_acquire(L, &sem->core, slots_argument(L, sem, "semaphore:acquire: n"),
                                    &ACQUIRE);
}

/* sem:try_acquire([n]) -> permit | nil, "locked" */
static int l_try_acquire(lua_State *L)
{
    struct sem *sem = neap_bind_arg(L, 1, &SEM);
    return neap_bind_permit_try(L, &sem->core, slots_argument(L, sem, "semaphore:try_acquire: n"),
                                &ACQUIRE);
}

static int on_acquire_now(lua_State *L, int arm)
{
    return neap_bind_permit_now(L, arm, &ACQUIRE);
}

static void on_acquire_prepare(lua_State *L, int arm)
{
    neap_bind_permit_prepare(L, arm, &ACQUIRE);
}

static void on_acquire_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_sem *sem = arm->object;
    neap_sem_queue(sem, neap_select_queue(select, index, &neap_sem_acquire_class, sem),
                   (uint32_t)arm->number);
}

static int on_acquire_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    (void)arm, (void)given, (void)result;
    return neap_bind_permit_finish(L, prepared);
}

static const neap_bind_arm_ops ON_ACQUIRE = {
    .now = on_acquire_now, .prepare = on_acquire_prepare, .queue = on_acquire_queue,
    .finish = on_acquire_finish };

/* sem:on_acquire([n,] [handler]) -> arm, which gives a permit */
static int l_on_acquire(lua_State *L)
{
    struct sem *sem = neap_bind_arg(L, 1, &SEM);
    bool counted = lua_type(L, 2) == LUA_TNUMBER || lua_isnil(L, 2);
    uint32_t n = counted ? slots_argument(L, sem, "semaphore:on_acquire: n") : 1;

    neap_bind_new_arm(L, &ON_ACQUIRE, &sem->core, counted ? 3 : 2,
                      "semaphore:on_acquire")->number = n;
    return 1;
}

int luaopen_neap_core_sem(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg sem[] = {
        { "acquire", l_acquire }, { "try_acquire", l_try_acquire },
        { "on_acquire", l_on_acquire }, { NULL, NULL } };

    neap_bind_permit_open(L);
    luaL_newlib(L, functions);
    neap_bind_methods(L, &SEM, sem, "methods");
    return 1;
}
