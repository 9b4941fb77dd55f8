/* bind/context.h - values bound for a dynamic extent, as core/task cannot know them.
 *
 * Errors  neap_bind_context_inherit raises without memory; the others never do.
 */
#ifndef NEAP_BIND_CONTEXT_H
#define NEAP_BIND_CONTEXT_H

#include "bind/task.h"

/* The new task, whose record is `child`, sees what the running task sees. Call it
 * before the task is adopted; true if there is something: NEAP_BIND_CONTEXT. */
bool neap_bind_context_inherit(lua_State *L, const neap_task *child);
/* `task` has ended. */
void neap_bind_context_drop(lua_State *L, const neap_task *task);
/* True if coroutine `L` of the running task is inside a `with` that it entered. */
bool neap_bind_context_is_open(lua_State *L);

/* Push all that the running task sees, not to be changed, or nil. */
void neap_bind_context_push(lua_State *L);

#endif
