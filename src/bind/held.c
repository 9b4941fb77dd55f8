/* bind/held.c - what a task holds, and that its end takes it back.
 *
 * A guard may be dropped by the script while it holds something, so a table
 * keeps its box alive until then: the collector only frees memory.
 */
#include <stdio.h>

#include "bind/bind.h"

static const char KEPT;     /* registry key: a record's address -> its box */

static void push_kept(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &KEPT) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &KEPT);
    }
}

/* Harmless for what is not kept. */
static void let_go(lua_State *L, neap_held *held)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &KEPT) == LUA_TTABLE) {
        lua_pushnil(L);
        lua_rawsetp(L, -2, held);
    }
    lua_pop(L, 1);
}

neap_task *neap_bind_holder(lua_State *L, const char *op)
{
    neap_task *task = neap_host_of(L)->sched.running;

    if (task == NULL)
        neap_bind_usage(L, "%s: called outside of a task", op);
    return task;
}

void neap_bind_hold(lua_State *L, int idx, neap_task *task, neap_held *held)
{
    idx = lua_absindex(L, idx);
    push_kept(L);
    lua_pushvalue(L, idx);
    lua_rawsetp(L, -2, held);
    lua_pop(L, 1);
    neap_held_add(held, task);
}

void neap_bind_drop(lua_State *L, neap_held *held)
{
    neap_held_remove(held);
    let_go(L, held);
}

void neap_bind_owner(lua_State *L, const neap_held *held, const char *op)
{
    if (held->task != NULL && held->task != neap_host_of(L)->sched.running)
        neap_bind_usage(L, "%s: this %s is held by another task, which alone can release it", op,
                        held->class->what);
}

void neap_bind_take_back(lua_State *L, neap_task *task, const char *name)
{
    neap_held *held;
    char       number[32];

    snprintf(number, sizeof number, "task %llu", (unsigned long long)task->id);
    while ((held = neap_held_newest(task, NULL)) != NULL) {
        fprintf(stderr, "neap: %s ended without releasing a %s: it is taken back\n",
                name != NULL ? name : number, held->class->what);
        held->class->take_back(held);
        let_go(L, held);
    }
}
