/* bind/bind.h - what every binding uses: arguments, boxes, checkpoints, errors.
 *
 * Every C primitive follows one order: check arguments, checkpoint, box, try,
 * park, continue, release. A box is a userdata whose first word points to its
 * neap_bind_type; looking at that word costs 3 ns (luaL_checkudata 21).
 *
 * Errors  Functions here raise; what must be released is boxed before.
 * Thread  The thread of the host that the lua_State belongs to.
 */
#ifndef NEAP_BIND_BIND_H
#define NEAP_BIND_BIND_H

#include <stdbool.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "bind/host.h"
#include "bind/modules.h"
#include "core/held.h"
#include "core/task.h"

/* Of functions that are called rarely, most of them once something went wrong: compilers
 * keep the code around such calls out of the way. */
#define NEAP_COLD __attribute__((cold))

typedef struct neap_bind_type {
    const char *name;                   /* "neap.sem" */
} neap_bind_type;

/* --- boxes ---------------------------------------------------------------- */

/* Push a new box of `type`, zeroed but for its first word. */
void *neap_bind_new(lua_State *L, const neap_bind_type *type, size_t size, int nuvalue);
/* The same for hot paths: the metatable is at `metatable`, an upvalue. */
void *neap_bind_new_at(lua_State *L, const neap_bind_type *type, size_t size, int nuvalue,
                       int metatable);
/* The box at `idx`; raises if it is no `type`, a method called with a dot says so. */
static inline void *neap_bind_arg(lua_State *L, int idx, const neap_bind_type *type);
/* The box at `idx`, or NULL. Any library's userdata may stand there; a light one
 * has no length. */
static inline void *neap_bind_test(lua_State *L, int idx, const neap_bind_type *type)
{
    const neap_bind_type **box = lua_touserdata(L, idx);
    bool is = box != NULL && lua_rawlen(L, idx) >= sizeof type && *box == type;
    return is ? (void *)box : NULL;
}
/* Make the metatable of `type`: names with __ go into it, others into its
 * __index table, which becomes field `field` (unless NULL) of the table on top. */
void neap_bind_methods(lua_State *L, const neap_bind_type *type, const luaL_Reg *methods,
                       const char *field);
/* Put the number `field` under `name` into the table `methods` of the module on top,
 * for a type whose __index is a function that gives fields, too. */
void neap_bind_field(lua_State *L, const char *name, int field);
/* Push the metatable of `type`. */
void neap_bind_metatable(lua_State *L, const neap_bind_type *type);

/* --- arguments; all raise kind `usage`, blamed on the caller's line --------- */

lua_Integer neap_bind_integer(lua_State *L, int idx, const char *name, lua_Integer min,
                              lua_Integer max);
lua_Integer neap_bind_opt_integer(lua_State *L, int idx, const char *name, lua_Integer def,
                                  lua_Integer min, lua_Integer max);
/* The option `name` in the table at `idx` of the function `op`, or `def`, also if
 * there is no table. */
lua_Integer neap_bind_option_integer(lua_State *L, int idx, const char *op, const char *name,
                                     lua_Integer def, lua_Integer min, lua_Integer max);
const char *neap_bind_string(lua_State *L, int idx, const char *name, size_t *len);
/* A function, or what can be called as one. */
static inline void neap_bind_function(lua_State *L, int idx, const char *name);
/* Nanoseconds; NEAP_DURATION_NONE for math.huge. */
uint64_t neap_bind_duration(lua_State *L, int idx, const char *name);
/* Refuse what is no option: `names` ends with NULL, `what` is the function. */
void neap_bind_options(lua_State *L, int idx, const char *what, const char *const *names);
/* True for a table in front of a body: one without __call. */
bool neap_bind_is_options(lua_State *L, int idx);

/* --- errors; none returns ---------------------------------------------------- */

NEAP_COLD int neap_bind_usage(lua_State *L, const char *fmt, ...);
/* Push an error object. Its message is `op`, the operation that failed as a script
 * writes it and a field of its own, and the text right behind it: ": it is closed", or
 * " FILE: it is a directory". Without an operation, NULL, it is the text alone. `code`
 * may be NULL, too. */
void neap_bind_push_error(lua_State *L, const char *kind, const char *code, const char *op,
                          const char *fmt, ...);
/* The same, raised. */
int neap_bind_error(lua_State *L, const char *kind, const char *code, const char *op,
                    const char *fmt, ...);
/* A code of base/err as an error object; NEAP_ECANCELLED as the cancellation. `what` is the
 * file or program it is about, or NULL. */
int neap_bind_fail_about(lua_State *L, int code, const char *op, const char *what);
static inline int neap_bind_fail(lua_State *L, int code, const char *op);
NEAP_COLD int neap_bind_memory(lua_State *L);
/* True for an error object of `kind`; NULL: of any. */
bool neap_bind_is_error(lua_State *L, int idx, const char *kind);
/* Push "file:line:" of the innermost Lua function, or "". */
void neap_bind_where(lua_State *L);
/* One line for people, of any value; pushes it. */
const char *neap_bind_tostring(lua_State *L, int idx);
/* How many levels the stack of `co` has; level 0 counts as one in any case. */
int neap_bind_depth(lua_State *co);
/* Push the stack of `co` from level `first` on, as text: "stack traceback:", a line for each call. */
void neap_bind_push_stack(lua_State *L, lua_State *co, int first);
/* Push `neap.all` or `state:changed`: what the script has called in which `co` is. False, and
 * nothing, if that is no function of the library's own Lua, or has no name. The table at
 * `cache` keeps names of functions. */
bool neap_bind_push_called(lua_State *L, lua_State *co, int cache);
/* debug.traceback. */
int neap_bind_debug_traceback(lua_State *L);
/* Message handler: notes the traceback where an error begins. */
int neap_bind_handler(lua_State *L);
/* Add the text on top to the traceback noted for the error at `idx`, which is no
 * error object; once for each error. Pops it. */
void neap_bind_sign_traceback(lua_State *L, int idx);
/* Push the traceback noted for the error at `idx`, or nil. */
void neap_bind_traceback(lua_State *L, int idx);

/* For neap_bind_open: before anything can raise an error object. */
void neap_bind_open_error(lua_State *L);
void neap_bind_open_cancel(lua_State *L);

/* --- checkpoints, suspending -------------------------------------------------- */

/* The running task. Raises outside of one, where Lua cannot suspend, and if the
 * task is cancelled: all before any effect. `op` names the caller. */
static inline neap_task *neap_bind_checkpoint(lua_State *L, const char *op);
/* Checkpoints of one slice after which others run first. */
#define NEAP_BIND_FAIR 256

/* The last line of a checkpoint that did not wait: returns the top `n` values,
 * and at every 256th lets others run first. */
static inline int neap_bind_return(lua_State *L, int n);
/* Both at once, for what does not wait: false if either had something to do. */
static inline bool neap_bind_passes(lua_State *L);
/* Suspend the running task, whose wait has been parked; `k` continues, or nothing is
 * returned if it is NULL. In bind/turn.c. */
int neap_bind_suspend(lua_State *L, lua_KContext ctx, lua_KFunction k);
/* The same for a task that waits by its own neap_wait: returns nothing, or
 * raises what the wait ended with. The box that it waits for is on the stack. */
int neap_bind_wait(lua_State *L, const char *op);
/* Raise the cancellation of the running task. */
int neap_bind_raise_cancelled(lua_State *L);
/* Pop the C function on top, and push its name if it is one of Lua's libraries through
 * which nothing suspends; false for our own, which can. */
bool neap_bind_name_of_library(lua_State *L);
/* True if the value at `idx` is the cancellation of the running task. */
bool neap_bind_is_cancellation(lua_State *L, int idx);
/* Room for a timer, a deadline, or raise "not enough memory". */
void neap_bind_reserve(lua_State *L);
/* Room for `n` values on the stack. As luaL_checkstack, which calls lack of memory a stack
 * overflow, too: it is "not enough memory" here. */
void neap_bind_checkstack(lua_State *L, int n, const char *what);
/* Raise if an overrunning slice has to end; a load and a branch otherwise. For
 * C loops that run long. */
static inline void neap_bind_interrupt(lua_State *L);

/* --- what a task holds: bind/held.c --------------------------------------------- */

/* The running task; raises outside of one. For what does not wait. */
neap_task *neap_bind_holder(lua_State *L, const char *op);
/* `task` holds `held`, a field of the box at `idx`, which stays alive until it
 * is dropped or taken back. Raises only without memory, before any effect. */
void neap_bind_hold(lua_State *L, int idx, neap_task *task, neap_held *held);
/* It is held no more. Does not raise. */
void neap_bind_drop(lua_State *L, neap_held *held);
/* Raise if another task than the running one holds it. */
void neap_bind_owner(lua_State *L, const neap_held *held, const char *op);
/* For bind/task: `task`, called `name` (or NULL), has ended; what it still holds
 * is reported and taken back. Does not raise. */
void neap_bind_take_back(lua_State *L, neap_task *task, const char *name);

/* --- values ---------------------------------------------------------------------- */

/* Of a task's coroutine that is suspended: the one inside it that waits. */
lua_State *neap_bind_innermost(lua_State *co);

/* --- the modules ---------------------------------------------------------------- */

/* Open Lua's libraries and ours. A lua_CFunction: it raises. */
int neap_bind_open_libraries(lua_State *L);
/* load, loadfile, dofile and require of Lua source only. For neap_bind_open_libraries,
 * which calls it before neap_bind_open. */
void neap_bind_open_source(lua_State *L);
/* Push package.path and package.cpath, by which another Lua state is to require as this
 * one does; raise if one is no string. */
void neap_bind_push_paths(lua_State *L, const char *op);
/* Print the warnings of Lua and of scripts on standard error. */
void neap_bind_open_warn(neap_host *host);
/* os.exit. */
int neap_bind_exit(lua_State *L);
/* Make `require` find neap.core.*, and neap.* in the binary. */
void neap_bind_open(lua_State *L);

/* Not for callers: the rest of neap_bind_arg, _function, _interrupt, _checkpoint and
 * _return, which stand here so that each costs a few loads and branches. */
NEAP_COLD void *neap_bind_refuse_arg(lua_State *L, int idx, const neap_bind_type *type);
void neap_bind_callable(lua_State *L, int idx, const char *name);
NEAP_COLD void neap_bind_interrupted(lua_State *L);
NEAP_COLD neap_task *neap_bind_refuse(lua_State *L, const char *op);
NEAP_COLD int neap_bind_let_others_run(lua_State *L, int n);

static inline void *neap_bind_arg(lua_State *L, int idx, const neap_bind_type *type)
{
    void *box = neap_bind_test(L, idx, type);

    return box != NULL ? box : neap_bind_refuse_arg(L, idx, type);
}

static inline int neap_bind_fail(lua_State *L, int code, const char *op)
{
    return neap_bind_fail_about(L, code, op, NULL);
}

static inline void neap_bind_function(lua_State *L, int idx, const char *name)
{
    if (lua_type(L, idx) != LUA_TFUNCTION)
        neap_bind_callable(L, idx, name);
}

static inline void neap_bind_interrupt(lua_State *L)
{
    if (neap_host_of(L)->overrun)
        neap_bind_interrupted(L);
}

/* Every coroutine from `L` down to the task's own has to yield. */
static inline bool neap_bind_can_suspend(lua_State *L)
{
    return neap_host_of(L)->suspends == L && lua_isyieldable(L);
}

static inline bool neap_bind_may_go_on(lua_State *L, const neap_task *task)
{
    return task != NULL && neap_host_of(L)->apart == NULL && !neap_task_is_cancelled(task) &&
           neap_bind_can_suspend(L);
}

static inline bool neap_bind_passes(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    return neap_bind_may_go_on(L, host->sched.running) && ++host->checkpoints < NEAP_BIND_FAIR;
}

static inline neap_task *neap_bind_checkpoint(lua_State *L, const char *op)
{
    neap_task *task = neap_host_of(L)->sched.running;

    return neap_bind_may_go_on(L, task) ? task : neap_bind_refuse(L, op);
}

static inline int neap_bind_return(lua_State *L, int n)
{
    if (++neap_host_of(L)->checkpoints < NEAP_BIND_FAIR)
        return n;
    return neap_bind_let_others_run(L, n);
}

#endif
