/* bind/scope_fields.c - what a scope has beside its methods: s.failures, s.name, s.deadline_at.
 *
 * Most scopes have none of them, and find their methods in a table; a function that looks for
 * a field would cost each spawn 30 ns. A scope gets the metatable that has one with its first
 * failure, name or deadline.
 */
#include "bind/scope.h"

#include <limits.h>
#include <string.h>

static const char FIELDS;       /* registry key of the metatable of those that have fields */

static int push_deadline_at(lua_State *L, uint64_t at_ns)
{
    neap_clock *clock = neap_host_of(L)->sched.clock;

    if (at_ns == 0 || at_ns == NEAP_NEVER)
        return 0;
    lua_pushnumber(L, (double)clock->wall(clock) / 1e6 +
                      ((double)at_ns - (double)clock->monotonic(clock)) / 1e9);
    return 1;
}

/* A copy: what a scope raises is decided by its own list, which no script can change. */
static void push_failures(lua_State *L)
{
    lua_Integer count = 0;

    if (neap_bind_scope_kept(L, 1, NEAP_SCOPE_FAILURES) != LUA_TNIL)
        count = (lua_Integer)lua_rawlen(L, -1);
    lua_createtable(L, count < INT_MAX ? (int)count : INT_MAX, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -2, i);
        lua_rawseti(L, -2, i);
    }
}

static bool is_key(lua_State *L, const char *name)
{
    return lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), name) == 0;
}

/* A method, s.failures, s.name or s.deadline_at. */
static int l_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    neap_bind_scope_box *box = neap_bind_arg(L, 1, &neap_bind_scope_type);
    if (is_key(L, "deadline_at"))
        return push_deadline_at(L, box->deadline_ns);
    if (is_key(L, "failures"))
        push_failures(L);
    else if (is_key(L, "name"))
        neap_bind_scope_kept(L, 1, NEAP_SCOPE_NAME);
    return 1;
}

/* Of a scope without fields, what is no method. */
static int l_index_plain(lua_State *L)
{
    if (!is_key(L, "failures"))
        return 0;
    lua_newtable(L);
    return 1;
}

void neap_bind_scope_open_fields(lua_State *L)
{
    neap_bind_metatable(L, &neap_bind_scope_type);
    int plain = lua_gettop(L);
    lua_getfield(L, plain, "__index");
    int methods = lua_gettop(L);

    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_index_plain);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, methods);

    lua_createtable(L, 0, 32);             /* sparse, as neap_bind_methods */
    for (lua_pushnil(L); lua_next(L, plain);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_pushvalue(L, methods);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &FIELDS);
    lua_settop(L, plain - 1);
}

void neap_bind_scope_give_fields(lua_State *L, int idx)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &FIELDS);
    lua_setmetatable(L, idx);
}
