/* bind/cond.c - neap.core.cond: the condition of a mutex as Lua sees it. */
#include "core/cond.h"

#include "bind/mutex.h"

static const neap_bind_type COND = { "neap.condition" };

struct cond {
    const neap_bind_type *type;
    neap_cond             core;     /* its mutex is kept alive by user value 1 */
};

/* cond.new(mutex) -> cond */
static int l_new(lua_State *L)
{
    neap_bind_mutex *mutex = neap_bind_test(L, 1, &neap_bind_mutex_type);

    if (mutex == NULL)
        neap_bind_usage(L, "neap.condition: neap.mutex expected, got %s", luaL_typename(L, 1));
    lua_settop(L, 1);
    struct cond *cond = neap_bind_new(L, &COND, sizeof *cond, 1);
    neap_cond_init(&cond->core, &mutex->core);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 2, 1);
    return 1;
}

/* cond:wait(). Parks until notified; the mutex is given up meanwhile, and held
 * again when this returns or raises. */
static int l_wait(lua_State *L)
{
    struct cond *cond = neap_bind_arg(L, 1, &COND);
    neap_task *task = neap_bind_checkpoint(L, "condition:wait");

    if (neap_mutex_owner(cond->core.mutex) != task)
        neap_bind_usage(L, "condition:wait: this task does not hold the mutex; lock it before");
    lua_settop(L, 1);
    neap_cond_park(&cond->core, task);
    return neap_bind_wait(L, "condition:wait");
}

/* cond:notify([n]): wakes the n who have waited longest, 1 by default. */
static int l_notify(lua_State *L)
{
    struct cond *cond = neap_bind_arg(L, 1, &COND);

    neap_cond_notify(&cond->core, (uint32_t)neap_bind_opt_integer(L, 2, "condition:notify: n", 1,
                                                                  0, UINT32_MAX));
    return 0;
}

/* cond:notify_all() */
static int l_notify_all(lua_State *L)
{
    struct cond *cond = neap_bind_arg(L, 1, &COND);

    neap_cond_notify(&cond->core, UINT32_MAX);
    return 0;
}

int luaopen_neap_core_cond(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg cond[] = {
        { "wait", l_wait }, { "notify", l_notify }, { "notify_all", l_notify_all },
        { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &COND, cond, "methods");
    return 1;
}
