/* bind/tree.c - neap.core.tree: the tasks of a host, as a tree.
 *
 * What a task waits for is named as its script has written it: by the function of the
 * library that it called, or else by the wait itself.
 *
 * The tree of scopes is walked once. A table of nodes by the address of their
 * task finds the parent of a scope's tasks: the task that opened it.
 */
#include <stddef.h>
#include <string.h>

#include "base/ticks.h"
#include "bind/place.h"
#include "bind/scope.h"

/* Stack of the walk. In the table are the names of functions, too. */
enum { NODES = 1, ROOT };

/* Push "file:line" of the innermost Lua function of `co`, the script's if there
 * is one of it, or nil. */
static void push_place(lua_State *L, lua_State *co)
{
    lua_Debug ar;

    neap_place_find(co, 0, &ar);
    if (ar.currentline > 0)
        lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
    else
        lua_pushnil(L);
}

/* Push what `task`, which waits in `co`, waits for, or nil. */
static void push_waiting(lua_State *L, neap_task *task, lua_State *co)
{
    const neap_wait *wait = &task->wait;
    lua_Debug ar;

    if (task->state != NEAP_TASK_WAITING) {
        lua_pushnil(L);
    } else if (neap_bind_push_called(L, co, NODES)) {
        return;
    } else if (wait->class == &neap_task_await_class) {
        bool named = lua_getstack(co, 0, &ar) && lua_getinfo(co, "n", &ar) &&
                     strcmp(ar.namewhat, "method") == 0;
        neap_bind_push_task(L, wait->object);
        lua_pop(L, 1);
        neap_bind_task_name(L, lua_gettop(L));
        if (named)
            lua_pushfstring(L, "task:%s %s", ar.name, lua_tostring(L, -1));
        else
            lua_pushfstring(L, "%s %s", wait->class->what, lua_tostring(L, -1));
        lua_replace(L, -3);
        lua_pop(L, 1);
    } else {
        lua_pushstring(L, wait->class->what);
    }
}

/* The instant at which `task` was last suspended, to 7 ms. */
static double since(neap_host *host, const neap_task *task)
{
    uint32_t now = (uint32_t)(neap_ticks_now() >> NEAP_TASK_SINCE_SHIFT);
    uint64_t ago_ns = neap_ticks_to_ns((uint64_t)(now - task->since) << NEAP_TASK_SINCE_SHIFT);
    neap_clock *clock = host->sched.clock;

    return (double)clock->wall(clock) / 1e6 - (double)ago_ns / 1e9;
}

static void push_node(lua_State *L, neap_task *task)
{
    static const char *const states[] = { "lazy", "ready", "running", "waiting" };
    neap_host *host = neap_host_of(L);

    lua_createtable(L, 0, 10);
    int node = lua_gettop(L);
    lua_pushinteger(L, (lua_Integer)task->id);
    lua_setfield(L, node, "id");
    neap_bind_push_task(L, task);
    if (!lua_isnil(L, -1)) {
        neap_bind_scope_kept(L, lua_gettop(L), NEAP_SCOPE_NAME);
        lua_setfield(L, node, "scope");
    }
    neap_bind_task_name(L, node + 1);
    lua_setfield(L, node, "name");
    lua_settop(L, node);
    lua_pushstring(L, states[task->state]);
    lua_setfield(L, node, "status");
    lua_State *co = host->sched.running == task ? L
                  : neap_bind_innermost(neap_bind_task_of(task)->co);
    push_waiting(L, task, co);
    lua_setfield(L, node, "waiting");
    if (task->state == NEAP_TASK_WAITING) {
        lua_pushnumber(L, since(host, task));
        lua_setfield(L, node, "since");
    }
    push_place(L, co);
    lua_setfield(L, node, "place");
    lua_pushnumber(L, (lua_Number)neap_ticks_to_ns(task->busy) / 1e9);
    lua_setfield(L, node, "busy");
    if (task->place != 0) {
        lua_pushstring(L, neap_places_name(host->places, task->place));
        lua_setfield(L, node, "spawned_at");
    }
    lua_newtable(L);
    lua_setfield(L, node, "children");
}

/* In place of a root task that was killed. */
static void push_killed_root(lua_State *L)
{
    lua_createtable(L, 0, 3);
    lua_pushliteral(L, "main");
    lua_setfield(L, -2, "name");
    lua_pushliteral(L, "failed");
    lua_setfield(L, -2, "status");
    lua_newtable(L);
    lua_setfield(L, -2, "children");
}

/* The tasks of `scope` become children of the node of the task that opened it,
 * or the root's node. */
static void add_tasks(lua_State *L, neap_scope *scope)
{
    bool has_root = !neap_host_of(L)->root_failed;
    neap_scope *owned = scope;

    while (owned->owner == NULL && owned->parent != NULL)
        owned = owned->parent;          /* of a killed task */

    for (neap_link *at = scope->tasks.next; at != &scope->tasks; at = at->next) {
        neap_task *task = neap_container(at, neap_task, link);
        push_node(L, task);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, NODES, task);
        if (owned->owner == NULL && has_root) {
            lua_replace(L, ROOT);
            continue;
        }
        if (owned->owner == NULL)
            lua_pushvalue(L, ROOT);
        else
            lua_rawgetp(L, NODES, owned->owner);
        lua_getfield(L, -1, "children");
        lua_pushvalue(L, -3);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_settop(L, ROOT);
    }
}

/* tree.tasks() -> the root task's node: { id, name, status, waiting, since, place,
 * busy, spawned_at, scope, children } */
static int l_tasks(lua_State *L)
{
    neap_scope *root = &neap_host_of(L)->sched.root;

    lua_settop(L, 0);
    lua_newtable(L);
    if (neap_host_of(L)->root_failed)
        push_killed_root(L);
    else
        lua_pushnil(L);
    for (neap_scope *at = root; at != NULL; at = neap_scope_next(root, at, true))
        add_tasks(L, at);
    lua_settop(L, ROOT);
    return 1;
}

int luaopen_neap_core_tree(lua_State *L)
{
    static const luaL_Reg functions[] = { { "tasks", l_tasks }, { NULL, NULL } };

    luaL_newlib(L, functions);
    return 1;
}
