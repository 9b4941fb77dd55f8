/* bind/hand.h - values go from stack to stack, of a task that runs and one that waits.
 *
 * Inline, since whoever sends and receives in turn does little else.
 *
 * Errors  Without stack space false, or "not enough memory", before anything has moved.
 */
#ifndef NEAP_BIND_HAND_H
#define NEAP_BIND_HAND_H

#include "bind/task.h"

/* Every C function has LUA_MINSTACK free slots when it is called, of which those that give
 * and take leave so many: no call for that. */
#define NEAP_HAND_FEW 4

static inline bool neap_hand_has_room(lua_State *L, int n)
{
    return n <= NEAP_HAND_FEW || lua_checkstack(L, n + NEAP_HAND_FEW);
}

/* Move the top `n` values of `L` to `receiver`, which waits and finds them on
 * top of its stack when it goes on; false without stack space. */
static inline bool neap_hand_give(lua_State *L, neap_task *receiver, int n)
{
    lua_State *co = neap_bind_task_of(receiver)->co;

    if (!neap_hand_has_room(co, n))
        return false;
    lua_xmove(L, co, n);
    return true;
}

/* The running task parks with the top `n` values of `L` to be taken ... */
static inline void neap_hand_offer(lua_State *L, neap_task *task, int n)
{
    lua_State *co = neap_bind_task_of(task)->co;

    if (co == L)
        return;
    if (!lua_checkstack(co, n + NEAP_HAND_FEW))
        neap_bind_memory(L);
    neap_bind_checkstack(L, n, NULL);
    for (int i = 0; i < n; i++)
        lua_pushvalue(L, -n);
    lua_xmove(L, co, n);
}

/* ... by `L`, where they become the top; they leave `sender`. */
static inline bool neap_hand_take(lua_State *L, neap_task *sender, int n)
{
    if (!neap_hand_has_room(L, n))
        return false;
    lua_xmove(neap_bind_task_of(sender)->co, L, n);
    return true;
}

#endif
