/* bind/scope.h - a scope's box: what Lua adds to the bookkeeping of core/scope.
 *
 * One record serves a scope, a timeout and a shield. The function form keeps it on
 * the stack of the call; the block form in a table of open boxes, since a
 * script may drop the variable.
 */
#ifndef NEAP_BIND_SCOPE_H
#define NEAP_BIND_SCOPE_H

#include "bind/bind.h"
#include "bind/task.h"

extern const neap_bind_type neap_bind_scope_type;

typedef enum neap_bind_scope_form {
    NEAP_SCOPE_FUNCTION, NEAP_SCOPE_BLOCK, NEAP_SCOPE_TIMEOUT, NEAP_SCOPE_TIMEOUT_OR,
    NEAP_SCOPE_SHIELD, NEAP_SCOPE_TASK
} neap_bind_scope_form;

/* User values of a box. */
enum { NEAP_SCOPE_FAILURES = 1, NEAP_SCOPE_GUARDED, NEAP_SCOPE_HOOK, NEAP_SCOPE_NAME };

typedef struct neap_bind_scope {
    const neap_bind_type *type;
    neap_scope            core;
    lua_State            *L;            /* the coroutine it was opened in */
    lua_Integer           anchor;       /* of a block form: its place in the table of open ones */
    uint64_t              number;       /* among all scopes and steps, as they began */
    uint8_t               form;
    uint8_t               has;          /* bits 1 << NEAP_SCOPE_...: user values that are set */
    uint64_t              allowed_ns;   /* its deadline as given */
    bool                  guards;       /* every task is guarded: supervisor, policy */
    bool                  wraps;        /* its hook has a function that runs each task's */
    bool                  ended;        /* its body has ended by itself */
    bool                  cut;          /* its body ended by a cancellation */
    bool                  waited;       /* leaving had to wait for tasks */
    bool                  disorder;     /* left before one opened inside it */
    bool                  out_of_memory; /* a failure could not be noted */
} neap_bind_scope;

static inline neap_bind_scope *neap_bind_scope_of(neap_scope *scope)
{
    return neap_container(scope, neap_bind_scope, core);
}

/* The error on top is a failure of the scope whose box is at `idx`: note it, and
 * cancel the rest. `by` is the box of the task that raised it, or 0. Pops it. */
void neap_bind_scope_fail(lua_State *L, int idx, int by);
/* The guarded task at `task` has failed and nobody waits for it. */
void neap_bind_scope_note_guarded(lua_State *L, int idx, int task);
/* Tell the scope's hook, if it has one, that the task at `task` has ended. */
void neap_bind_scope_hook(lua_State *L, int idx, int task);
/* Cancel `scope`; the reason at `reason` (or 0) is a text or a table, `by` is a
 * task's box or 0. False if it had been cancelled. */
bool neap_bind_scope_cancel(lua_State *L, neap_scope *scope, neap_cancel_kind kind, int reason,
                            int by);
/* Cancel one task; the reason at `reason`. */
bool neap_bind_scope_cancel_task(lua_State *L, neap_bind_task *box, int reason);
/* Push the cancellation that holds in `source`. */
void neap_bind_push_cancellation(lua_State *L, neap_scope *source);
/* Forget the cancellation of `scope`, which is left. */
void neap_bind_drop_cancellation(lua_State *L, neap_scope *scope);
/* Cancel what its owner forgot to leave, or what stands in the way of leaving;
 * true if the running task has been parked to wait for its tasks. */
bool neap_bind_scope_wind_down(lua_State *L, neap_bind_scope *box);
/* Close it; it is innermost and without tasks. */
void neap_bind_scope_close(lua_State *L, neap_bind_scope *box);
/* Its owner has been killed: its tasks are joined by `home`. */
void neap_bind_scope_orphan(lua_State *L, neap_bind_scope *box, neap_scope *home);
/* At the end of `host`: the records of timeouts and shields. */
void neap_bind_scope_free_boundaries(neap_host *host);
/* The innermost scope that the running task opened in coroutine `L`, or NULL. */
neap_bind_scope *neap_bind_open_scope(lua_State *L);
/* Push where `task` and the tasks above it were spawned, a line each. */
void neap_bind_spawn_chain(lua_State *L, neap_task *task);

#endif
