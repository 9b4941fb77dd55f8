/* bind/scope.h - scopes, timeouts and shields as Lua has them.
 *
 *   box, what scripts see of a scope         record, the host's
 *     number 7, failures, name ... --------->  number 7, core/scope's record ...
 *
 * Each open scope, timeout and shield has a record. It is taken when it is opened
 * and given back when it is closed, to be used again; it is never freed before
 * the host, so that the box of a scope may always look: a record with another
 * number is another scope's, and its own has been left. Timeouts and shields have
 * no box. Nothing keeps the box of an open scope alive but its script, its tasks
 * and what has failed in it: who leaves an outer scope before says what that was.
 */
#ifndef NEAP_BIND_SCOPE_H
#define NEAP_BIND_SCOPE_H

#include "bind/bind.h"
#include "bind/task.h"

extern const neap_bind_type neap_bind_scope_type;

typedef enum neap_bind_scope_form {
    NEAP_SCOPE_FUNCTION, NEAP_SCOPE_BLOCK, NEAP_SCOPE_TIMEOUT, NEAP_SCOPE_TIMEOUT_OR,
    NEAP_SCOPE_TIMEOUT_OF, NEAP_SCOPE_SHIELD, NEAP_SCOPE_TASK
} neap_bind_scope_form;

typedef struct neap_bind_scope_box neap_bind_scope_box;

/* How the body of a scope ended, and what decides how it is left. */
typedef struct neap_bind_ending {
    neap_bind_scope_box *inside;    /* of one left before it, in which something failed */
    uint64_t allowed_ns;        /* its deadline as given */
    int      results;           /* of the body, on top of the stack */
    uint8_t  form;              /* neap_bind_scope_form */
    bool     ended;             /* the body has ended by itself */
    bool     cut;               /* the body ended by a cancellation */
    bool     waited;            /* leaving had to wait for tasks */
    bool     disorder;          /* left before one opened inside it */
    bool     out_of_memory;     /* a failure could not be noted: that is raised */
} neap_bind_ending;

typedef struct neap_bind_scope {
    neap_scope       core;
    lua_State       *L;         /* the coroutine it was opened in */
    uint64_t         number;    /* among all scopes and steps, as they began; 0: given back */
    neap_bind_ending ending;
    bool             hooked;    /* its box has a hook */
    neap_bind_scope_box *failed;    /* its box, in the registry, if it is held */
    struct neap_bind_scope *next;   /* of those given back, or of those orphaned */
} neap_bind_scope;

/* What a box may keep: fields of the table that is its user value, if it has any. */
enum { NEAP_SCOPE_FAILURES = 1, NEAP_SCOPE_GUARDED, NEAP_SCOPE_HOOK, NEAP_SCOPE_NAME,
       NEAP_SCOPE_OP,           /* the function that opened it, if not neap.scope */
       NEAP_SCOPE_BLAME };      /* an error that only who leaves an outer one before tells */

struct neap_bind_scope_box {
    const neap_bind_type *type;
    neap_bind_scope      *record;
    uint64_t              number;
    uint64_t              deadline_ns;  /* its own, or 0 */
    uint8_t               has;      /* bits 1 << NEAP_SCOPE_...: what it keeps */
    bool                  guards;   /* every task is guarded: supervisor, policy */
    bool                  wraps;    /* its hook has a function that runs each task's */
};

static inline neap_bind_scope *neap_bind_scope_of(neap_scope *scope)
{
    return neap_container(scope, neap_bind_scope, core);
}

/* The record of an open scope; NULL once it has been left. */
static inline neap_bind_scope *neap_bind_scope_record(const neap_bind_scope_box *box)
{
    return box->record->number == box->number ? box->record : NULL;
}

/* A timeout or a shield. */
static inline bool neap_bind_is_boundary(uint8_t form)
{
    return form == NEAP_SCOPE_TIMEOUT || form == NEAP_SCOPE_TIMEOUT_OR ||
           form == NEAP_SCOPE_TIMEOUT_OF || form == NEAP_SCOPE_SHIELD;
}

/* --- records: bind/scope_record.c ------------------------------------------------ */

/* A record of `form` with a number, not yet open. Raises without memory. */
neap_bind_scope *neap_bind_scope_take(lua_State *L, neap_bind_scope_form form);
/* The record that is taken next. Raises without memory. */
neap_bind_scope *neap_bind_scope_reserve(lua_State *L);
/* Close it; it is innermost and without tasks. Its memory is another's now. */
void neap_bind_scope_close(lua_State *L, neap_bind_scope *scope);
/* Its owner has been killed: its tasks are joined by `home`. */
void neap_bind_scope_orphan(lua_State *L, neap_bind_scope *scope, neap_scope *home);
/* `task` has ended as `state`: neap_task_end, and what it gives back. */
void neap_bind_scope_end_task(lua_State *L, neap_task *task, neap_task_state state);
/* Let go of the box that `*box` keeps in the registry, if any. Does not raise. */
void neap_bind_scope_let_go(lua_State *L, neap_bind_scope_box **box);
/* At the end of `host`, when no box is left. */
void neap_bind_scope_free_all(neap_host *host);

/* --- s.failures, s.name, s.deadline_at: bind/scope_fields.c ------------------------ */

/* Once the metatable of scopes has been made. */
void neap_bind_scope_open_fields(lua_State *L);
/* The box at `idx` has fields from now on. Does not raise. */
void neap_bind_scope_give_fields(lua_State *L, int idx);

/* --- failures, leaving: bind/scope_leave.c ---------------------------------------- */

/* Keep the value on top as `what` of the box at `idx`. Pops it. */
void neap_bind_scope_keep(lua_State *L, int idx, int what);
/* Push `what` of the box at `idx`, or nil; its type. */
int neap_bind_scope_kept(lua_State *L, int idx, int what);
/* The box at `idx` has to be there when its scope is left, in whatever order, or when one
 * fails that a killed task of its has left behind. */
void neap_bind_scope_hold(lua_State *L, int idx);
/* The error on top is to blame if the scope whose box is at `idx` is left in disorder.
 * Pops it. */
void neap_bind_scope_blame(lua_State *L, int idx);
/* The error on top is a failure of the scope whose box is at `idx`: note it, and
 * cancel the rest. `by` is the box of the task that raised it, or 0. Pops it. */
void neap_bind_scope_fail(lua_State *L, int idx, int by);
/* There was no memory to do what `scope` takes: it fails by that. `by` is a task's id, or 0. */
void neap_bind_scope_lack_memory(neap_scope *scope, uint64_t by);
/* The guarded task at `task` has failed and nobody waits for it. */
void neap_bind_scope_note_guarded(lua_State *L, int idx, int task);
/* Tell the hook of the scope whose box is at `idx` that the task at `task` has ended. */
void neap_bind_scope_hook(lua_State *L, int idx, int task);
/* Cancel what its owner forgot to leave, or what stands in the way of leaving;
 * true if the running task has been parked to wait for its tasks. Does not raise. */
bool neap_bind_scope_wind_down(lua_State *L, neap_bind_scope *scope);
/* The box of the first scope in which something failed, of those left before `scope` and it, or
 * NULL. Who takes it lets go of it. */
neap_bind_scope_box *neap_bind_scope_take_failed(neap_bind_scope *scope);
/* Push the error of not having left a scope in time; `what` says of it. What failed in the
 * scope whose box `*inside` keeps in the registry, if any, is its cause, and is let go. */
void neap_bind_scope_push_disorder(lua_State *L, neap_bind_scope_box **inside, const char *what);
/* Put the error on top into the `others` of the error below, if that is an object and not its
 * cause. Pops it. */
void neap_bind_scope_add_other(lua_State *L);
/* The body has ended; an error is on top unless it `ended` well. Join, close, and
 * return what leaving gives. The box of a scope is at index 1. */
int neap_bind_scope_leave(lua_State *L, neap_bind_scope *scope, bool ended, int results);
/* Return what the function `name` of the policy of the box at 1 returns, if it has one. */
int neap_bind_scope_policy(lua_State *L, const char *name, bool *done);

/* --- cancellation: bind/cancel.c --------------------------------------------------- */

/* Turn the reason at `idx`, which is any value, into a text or nil. Runs code of the
 * script's, which may do anything: before what it is for has been looked at. */
void neap_bind_reason(lua_State *L, int idx);
/* Push the table of cancellations by their scope, and a new one. The reason at `reason`
 * (or 0) is a text or nil, `by` is a task's box or 0: the running task. */
void neap_bind_new_cancellation(lua_State *L, neap_cancel_kind kind, int reason, int by);
/* Cancel `scope`, with the same arguments. False if it had been cancelled. Does not raise:
 * without memory the reason is lost, and the object is made where it is raised. */
bool neap_bind_scope_cancel(lua_State *L, neap_scope *scope, neap_cancel_kind kind, int reason,
                            int by);
/* Push the cancellation that holds in `source`. */
void neap_bind_push_cancellation(lua_State *L, neap_scope *source);
/* Forget the cancellation of `scope`, which is left. Does not raise. */
void neap_bind_drop_cancellation(neap_host *host, neap_scope *scope);

/* --- bind/scope.c -------------------------------------------------------------------- */

/* Cancel one task; the reason at `reason` is a text or nil. */
bool neap_bind_scope_cancel_task(lua_State *L, neap_bind_task *box, int reason);
/* The innermost scope that the running task opened in coroutine `L`, or NULL. */
neap_bind_scope *neap_bind_open_scope(lua_State *L);
/* Push where `task` and the nearest ten of the tasks above it were spawned, a line each. */
void neap_bind_spawn_chain(lua_State *L, neap_task *task);

#endif
