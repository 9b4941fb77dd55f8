/* bind/saga.c - neap.core.saga: what a saga has to know of scopes.
 *
 * Scopes and steps are numbered together, as they begin: by these numbers the
 * undos of a scope's tasks find their place among the undos of its owner.
 */
#include "bind/scope.h"

/* saga.number() -> a number higher than those of all scopes that are open */
static int l_number(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)++neap_host_of(L)->numbers);
    return 1;
}

/* saga.lineage() -> { task, scope, task, scope ... }: the id of the running task, the
 * number of the scope that it was spawned into, the id of the task that opened that,
 * and so on up to the root task */
static int l_lineage(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;

    lua_newtable(L);
    for (lua_Integer i = 1; task != NULL; i += 2) {
        neap_scope *home = neap_task_home(task);
        lua_pushinteger(L, (lua_Integer)task->id);
        lua_rawseti(L, -2, i);
        if (home->owner == NULL)
            break;
        lua_pushinteger(L, (lua_Integer)neap_bind_scope_of(home)->number);
        lua_rawseti(L, -2, i + 1);
        task = home->owner;
    }
    return 1;
}

/* saga.harden(scope): from here on no cancellation from outside reaches into it */
static int l_harden(lua_State *L)
{
    neap_bind_scope *scope = neap_bind_scope_record(neap_bind_arg(L, 1, &neap_bind_scope_type));

    if (scope != NULL)
        scope->core.shield = true;
    return 0;
}

int luaopen_neap_core_saga(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "number", l_number }, { "lineage", l_lineage }, { "harden", l_harden }, { NULL, NULL } };

    luaL_newlib(L, functions);
    return 1;
}
