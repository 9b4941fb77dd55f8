/* bind/context.c - neap.core.context: values bound for a dynamic extent.
 *
 * A table in the registry holds, under the address of each task that sees any
 * bindings, the innermost extent that holds there; a task without has no entry
 * and no NEAP_BIND_CONTEXT in its flags, and pays nothing. Bindings never change:
 * an extent is a new table out of those around it and its own, so that a task
 * shares the extent of the one that spawned it.
 */
#include "bind/context.h"

static const neap_bind_type EXTENT = { "neap.context.extent" };

static const char EXTENTS;      /* registry key: task's address -> innermost extent */

/* User values of an extent: all that is bound in it, and the one around it. */
enum { BINDINGS = 1, OUTER, EXTENT_VALUES = OUTER };

struct extent {
    const neap_bind_type *type;
    const neap_task      *task;     /* an address: it may be gone */
    const lua_State      *L;        /* the coroutine that entered it */
};

/* Push the innermost extent of `task`, or nil. */
static struct extent *push_extent(lua_State *L, const neap_task *task)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &EXTENTS);
    lua_rawgetp(L, -1, task);
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

/* Pops the extent, or nil, on top. */
static void set_extent(lua_State *L, const neap_task *task)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &EXTENTS);
    lua_insert(L, -2);
    lua_rawsetp(L, -2, task);
    lua_pop(L, 1);
}

/* Copy the fields of the table at `from` into the one at `to`. */
static void copy(lua_State *L, int from, int to)
{
    for (lua_pushnil(L); lua_next(L, from);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
}

static neap_task *running(lua_State *L)
{
    return neap_host_of(L)->sched.running;
}

/* Push the extent that binds what the table at 1 holds, inside the present one. */
static void push_new_extent(lua_State *L, neap_task *task)
{
    struct extent *extent = neap_bind_new(L, &EXTENT, sizeof *extent, EXTENT_VALUES);
    int at = lua_gettop(L);

    extent->task = task;
    extent->L = L;
    lua_newtable(L);
    if (push_extent(L, task) != NULL) {
        lua_getiuservalue(L, -1, BINDINGS);
        copy(L, lua_gettop(L), at + 1);
        lua_pop(L, 1);
    }
    lua_setiuservalue(L, at, OUTER);
    copy(L, 1, at + 1);
    lua_setiuservalue(L, at, BINDINGS);
}

/* The innermost extent is left, in whatever way: what was around it holds again. Not by
 * __close, since Lua needs memory to call one. */
static int with_k(lua_State *L, int status, lua_KContext ctx)
{
    neap_task *task = running(L);
    lua_State *main = neap_host_of(L)->L;       /* where there is room */

    (void)ctx;
    push_extent(main, task);
    lua_getiuservalue(main, -1, OUTER);
    set_extent(main, task);
    lua_pop(main, 1);
    if (status != LUA_OK && status != LUA_YIELD)
        return lua_error(L);
    return lua_gettop(L) - 2;
}

/* context.with(bindings, fn, ...) -> what fn returned */
static int l_with(lua_State *L)
{
    neap_task *task = running(L);

    if (task == NULL)
        neap_bind_usage(L, "neap.with: called outside of a task");
    if (!lua_istable(L, 1))
        neap_bind_usage(L, "neap.with: table expected, got %s", luaL_typename(L, 1));
    neap_bind_function(L, 2, "neap.with");
    push_new_extent(L, task);
    lua_replace(L, 1);
    lua_pushcfunction(L, neap_bind_handler);
    lua_insert(L, 2);
    lua_pushvalue(L, 1);
    set_extent(L, task);                /* the last line that can raise */
    task->flags |= NEAP_BIND_CONTEXT;
    return with_k(L, lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 2, 0, with_k), 0);
}

/* context.get(key) -> the value that is bound, or nil */
static int l_get(lua_State *L)
{
    neap_task *task = running(L);

    lua_settop(L, 1);
    if (task == NULL || !(task->flags & NEAP_BIND_CONTEXT) || push_extent(L, task) == NULL)
        return 0;
    lua_getiuservalue(L, -1, BINDINGS);
    lua_pushvalue(L, 1);
    lua_rawget(L, -2);
    return 1;
}

void neap_bind_context_push(lua_State *L)
{
    neap_task *task = running(L);

    neap_bind_checkstack(L, 4, NULL);
    if (task == NULL || !(task->flags & NEAP_BIND_CONTEXT) || push_extent(L, task) == NULL) {
        lua_pushnil(L);
        return;
    }
    lua_getiuservalue(L, -1, BINDINGS);
    lua_remove(L, -2);
}

/* context.bindings() -> all that is bound, not to be changed; or nil */
static int l_bindings(lua_State *L)
{
    neap_bind_context_push(L);
    return 1;
}

bool neap_bind_context_inherit(lua_State *L, const neap_task *child)
{
    neap_task *parent = running(L);

    if (parent == NULL || !(parent->flags & NEAP_BIND_CONTEXT))
        return false;
    neap_bind_checkstack(L, 4, NULL);
    push_extent(L, parent);
    set_extent(L, child);
    return true;
}

void neap_bind_context_drop(lua_State *L, const neap_task *task)
{
    lua_pushnil(L);         /* of a key that is there: nothing is allocated */
    set_extent(L, task);
}

bool neap_bind_context_is_open(lua_State *L)
{
    neap_task *task = running(L);

    if (!(task->flags & NEAP_BIND_CONTEXT))
        return false;
    neap_bind_checkstack(L, 2, NULL);
    const struct extent *extent = push_extent(L, task);
    lua_pop(L, 1);
    return extent != NULL && extent->task == task && extent->L == L;
}

int luaopen_neap_core_context(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "with", l_with }, { "get", l_get }, { "bindings", l_bindings }, { NULL, NULL } };
    static const luaL_Reg extent[] = { { NULL, NULL } };

    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &EXTENTS);
    luaL_newlib(L, functions);
    neap_bind_methods(L, &EXTENT, extent, NULL);
    return 1;
}
