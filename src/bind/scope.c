/* bind/scope.c - neap.core.scope: scopes, timeouts and shields in Lua.
 *
 * All forms walk the same way: open, body, leave. The function form has the box at
 * [1] and the message handler at [2] of its own frame, a timeout or a shield the
 * handler at [1], unless what it is the timeout of comes before; the block form is
 * entered anew by __close, with the box at [1] and the error.
 */
#include "bind/scope.h"

#include <math.h>
#include <string.h>

#include "base/duration.h"
#include "base/nearest.h"

const neap_bind_type neap_bind_scope_type = { "neap.scope" };

/* Upvalues of a function. */
enum { UP_METATABLE = 1, UP_HANDLER };

/* A recursion through tasks meets no end of a stack, only that of the memory. */
enum { MAX_DEPTH = 100000 };

/* --- opening ------------------------------------------------------------------------- */

/* `duration_ns` from now, for which there is room. */
static void set_deadline(lua_State *L, neap_bind_scope *scope, uint64_t duration_ns)
{
    scope->ending.allowed_ns = duration_ns;
    neap_scope_set_deadline(&scope->core, neap_clock_after(
        neap_clock_now(neap_host_of(L)->sched.clock), duration_ns));
}

/* What the box on top keeps of the options at 1. */
static void keep_options(lua_State *L, neap_bind_scope_box *box)
{
    int at = lua_gettop(L);

    lua_getfield(L, 1, "name");
    neap_bind_scope_keep(L, at, NEAP_SCOPE_NAME);
    lua_getfield(L, 1, "op");
    neap_bind_scope_keep(L, at, NEAP_SCOPE_OP);
    lua_getfield(L, 1, "guards");
    box->guards = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (lua_getfield(L, 1, "policy") != LUA_TNIL)
        box->guards = true;
    else if (lua_getfield(L, 1, "hook") == LUA_TTABLE)
        box->wraps = lua_getfield(L, -1, "wrap") != LUA_TNIL, lua_pop(L, 1);
    neap_bind_scope_keep(L, at, NEAP_SCOPE_HOOK);
    lua_settop(L, at);
}

/* Open a scope, a timeout or a shield in the running task; that of a scope gets a
 * box, which is pushed, and keeps the `options` at 1, if there are any. Once it is
 * open nothing raises. Its number. */
static uint64_t open(lua_State *L, neap_bind_scope_form form, uint64_t duration_ns, bool options,
                     const char *what)
{
    neap_task *task = neap_host_of(L)->sched.running;
    neap_bind_scope_box *box = NULL;

    if (task == NULL)
        neap_bind_usage(L, "%s: called outside of a task", what);
    if ((form == NEAP_SCOPE_FUNCTION || form == NEAP_SCOPE_BLOCK) && !neap_bind_can_suspend(L))
        neap_bind_refuse(L, what);              /* leaving it may have to wait */
    if (task->scope->depth >= MAX_DEPTH)
        neap_bind_error(L, "limit", NULL, what, ": more than %d scopes, timeouts and shields are open "
                        "inside each other: a recursion has no end, or needs a loop", MAX_DEPTH);
    if (duration_ns != NEAP_DURATION_NONE)
        neap_bind_reserve(L);
    if (!neap_bind_is_boundary((uint8_t)form))
        box = neap_bind_new_at(L, &neap_bind_scope_type, sizeof *box, 1,
                               lua_upvalueindex(UP_METATABLE));
    if (options)
        keep_options(L, box);
    neap_bind_scope *scope = neap_bind_scope_take(L, form);
    neap_scope_open(&scope->core, task, form == NEAP_SCOPE_SHIELD);
    if (duration_ns != NEAP_DURATION_NONE)
        set_deadline(L, scope, duration_ns);
    if (box != NULL) {
        box->record = scope;
        box->number = scope->number;
        box->deadline_ns = scope->core.deadline.at_ns;
        scope->hooked = (box->has & (1 << NEAP_SCOPE_HOOK)) != 0;
        if (duration_ns != NEAP_DURATION_NONE)
            neap_bind_scope_give_fields(L, lua_gettop(L));
    }
    return scope->number;
}

/* The record `number`, which is most often the innermost; NULL if it has been left by others
 * than its function: one that was opened before has been closed inside of it. */
static neap_bind_scope *find_own(lua_State *L, uint64_t number)
{
    neap_task *task = neap_host_of(L)->sched.running;
    neap_scope *scope = task->scope;

    for (; scope->owner == task; scope = scope->parent)
        if (neap_bind_scope_of(scope)->number == number)
            return neap_bind_scope_of(scope);
    return NULL;
}

/* The body of the scope `number` has ended. `base` is how many values stand below what
 * it gives. */
static int leave_body(lua_State *L, int status, uint64_t number, int base)
{
    bool ended = status == LUA_OK || status == LUA_YIELD;
    neap_bind_scope *scope = find_own(L, number);

    if (scope != NULL)
        return neap_bind_scope_leave(L, scope, ended, ended ? lua_gettop(L) - base : 0);
    if (ended)
        neap_bind_error(L, "structure", NULL, NULL, "a scope, timeout or shield was left before its "
                        "function had ended: one around it was closed inside of it");
    return lua_error(L);
}

/* Of the options at 1, for `op`. */
static uint64_t option_deadline(lua_State *L, const char *op)
{
    int top = lua_gettop(L);
    uint64_t duration_ns = NEAP_DURATION_NONE;

    if (lua_getfield(L, 1, "deadline") != LUA_TNIL)
        duration_ns = neap_bind_duration(L, top + 1, lua_pushfstring(L, "%s: deadline", op));
    if (lua_getfield(L, 1, "deadline_at") != LUA_TNIL) {
        if (duration_ns != NEAP_DURATION_NONE)
            neap_bind_usage(L, "%s: either deadline or deadline_at", op);
        if (lua_type(L, -1) != LUA_TNUMBER)
            neap_bind_usage(L, "%s: deadline_at: seconds since the epoch expected, got %s", op,
                            luaL_typename(L, -1));
        neap_clock *clock = neap_host_of(L)->sched.clock;
        lua_pushnumber(L, lua_tonumber(L, -1) - (double)clock->wall(clock) / 1e6);
        lua_pushfstring(L, "%s: deadline_at", op);
        duration_ns = neap_bind_duration(L, -2, lua_tostring(L, -1));
    }
    lua_settop(L, top);
    return duration_ns;
}

static int scope_k(lua_State *L, int status, lua_KContext ctx)
{
    return leave_body(L, status, (uint64_t)ctx, 2);
}

enum { POLICY_FUNCTIONS = 3 };
static const char *const POLICY[POLICY_FUNCTIONS] = { "on_done", "result", "on_timeout" };

/* The policy on top is a plain table: beside its functions it may keep what it likes, but
 * for functions that nobody would call. */
static void check_functions(lua_State *L)
{
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (!lua_isfunction(L, -1) || lua_type(L, -2) != LUA_TSTRING)
            continue;
        const char *name = lua_tostring(L, -2);
        int nearest = neap_nearest(name, POLICY, POLICY_FUNCTIONS);
        if (nearest >= 0 && strcmp(name, POLICY[nearest]) == 0)
            continue;
        if (nearest >= 0)
            neap_bind_usage(L, "neap.scope: policy: unknown function \"%s\"; did you mean \"%s\"?", name,
                            POLICY[nearest]);
        neap_bind_usage(L, "neap.scope: policy: unknown function \"%s\"", name);
    }
}

static void check_policy(lua_State *L, int options)
{
    int type = lua_getfield(L, options, "policy");
    bool useful = false;

    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (type != LUA_TTABLE)
        neap_bind_usage(L, "neap.scope: policy: table expected, got %s", lua_typename(L, type));
    if (lua_getmetatable(L, -1))
        lua_pop(L, 1);          /* an object: it may have methods of its own */
    else
        check_functions(L);
    for (int i = 0; i < POLICY_FUNCTIONS; i++) {
        if (lua_getfield(L, -1, POLICY[i]) != LUA_TNIL) {
            lua_pushfstring(L, "neap.scope: policy: %s", POLICY[i]);
            neap_bind_function(L, -2, lua_tostring(L, -1));
            lua_pop(L, 1);
            useful = true;
        }
        lua_pop(L, 1);
    }
    if (!useful)
        neap_bind_usage(L, "neap.scope: policy: it has neither on_done nor result nor on_timeout");
    lua_pop(L, 1);
}

/* `names` are the options that it may have. */
static int open_form(lua_State *L, const char *const *names)
{
    const char *op = "neap.scope";
    uint64_t duration_ns = NEAP_DURATION_NONE;
    int options = neap_bind_is_options(L, 1) ? 1 : 0;

    if (options) {
        neap_bind_options(L, 1, op, names);
        if (lua_getfield(L, 1, "op") == LUA_TSTRING)
            op = lua_tostring(L, -1);       /* the table keeps it */
        lua_pop(L, 1);
        duration_ns = option_deadline(L, op);
        check_policy(L, 1);
    } else if (lua_isnil(L, 1) && lua_gettop(L) > 1) {
        lua_remove(L, 1);
    }
    bool block = lua_isnoneornil(L, options + 1);
    if (block)
        lua_settop(L, options);
    else
        neap_bind_function(L, options + 1, op);

    uint64_t number = open(L, block ? NEAP_SCOPE_BLOCK : NEAP_SCOPE_FUNCTION, duration_ns,
                           options != 0, op);
    if (options)
        lua_remove(L, 1);
    if (block)
        return 1;
    lua_pushvalue(L, lua_upvalueindex(UP_HANDLER));
    lua_rotate(L, 1, 2);                /* box, handler, fn, arguments */
    lua_pushvalue(L, 1);
    lua_insert(L, 4);                   /* the body gets its scope first */
    int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 2, (lua_KContext)number, scope_k);
    return leave_body(L, status, number, 2);
}

/* scope.open([options]) -> scope; scope.open([options,] fn, ...) -> what fn returned */
static int l_open(lua_State *L)
{
    static const char *const names[] = { "name", "deadline", "deadline_at", "policy", NULL };

    return open_form(L, names);
}

/* scope.open_with(options [, fn, ...]): the same, with options of the library's own */
static int l_open_with(lua_State *L)
{
    static const char *const names[] = { "name", "deadline", "deadline_at", "policy", "guards",
                                         "hook", "op", NULL };

    return open_form(L, names);
}

/* Where the handler is in the frame of a timeout or a shield. */
static int handler_at(uint8_t form)
{
    return form == NEAP_SCOPE_TIMEOUT_OF ? 2 : 1;
}

static int boundary_k(lua_State *L, int status, lua_KContext ctx)
{
    return leave_body(L, status, (uint64_t)ctx, handler_at(NEAP_SCOPE_TIMEOUT));
}

static int timeout_of_k(lua_State *L, int status, lua_KContext ctx)
{
    return leave_body(L, status, (uint64_t)ctx, handler_at(NEAP_SCOPE_TIMEOUT_OF));
}

/* From where the handler will be: duration, fn, arguments. */
static int boundary(lua_State *L, neap_bind_scope_form form, const char *what)
{
    int at = handler_at((uint8_t)form);
    uint64_t duration_ns = neap_bind_duration(L, at, what);

    neap_bind_function(L, at + 1, what);
    uint64_t number = open(L, form, duration_ns, false, what);
    lua_copy(L, lua_upvalueindex(UP_HANDLER), at);
    int status = lua_pcallk(L, lua_gettop(L) - at - 1, LUA_MULTRET, at, (lua_KContext)number,
                            form == NEAP_SCOPE_TIMEOUT_OF ? timeout_of_k : boundary_k);
    return leave_body(L, status, number, at);
}

/* scope.timeout(d, fn, ...) -> what fn returned; raises kind `timeout` */
static int l_timeout(lua_State *L)
{
    return boundary(L, NEAP_SCOPE_TIMEOUT, "neap.timeout");
}

/* scope.timeout_or(d, fn, ...) -> what fn returned | nil, "timeout" */
static int l_timeout_or(lua_State *L)
{
    return boundary(L, NEAP_SCOPE_TIMEOUT_OR, "neap.timeout_or");
}

/* scope.timeout_of(what, d, fn, ...): a timeout whose error names `what` instead */
static int l_timeout_of(lua_State *L)
{
    return boundary(L, NEAP_SCOPE_TIMEOUT_OF, neap_bind_string(L, 1, "what", NULL));
}

/* scope.shield(d, fn, ...) -> what fn returned */
static int l_shield(lua_State *L)
{
    if (neap_bind_duration(L, 1, "neap.shield") == NEAP_DURATION_NONE)
        neap_bind_usage(L, "neap.shield: a shield needs a deadline; math.huge is none");
    return boundary(L, NEAP_SCOPE_SHIELD, "neap.shield");
}

/* scope.mask(fn, ...): a shield without a deadline, for the undos of a saga */
static int l_mask(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)HUGE_VAL);
    lua_insert(L, 1);
    return boundary(L, NEAP_SCOPE_SHIELD, "mask");
}

/* --- methods --------------------------------------------------------------------------------- */

static neap_bind_scope_box *box_arg(lua_State *L)
{
    return neap_bind_arg(L, 1, &neap_bind_scope_type);
}

/* The record of the scope at 1; NULL once it has been left. */
static neap_bind_scope *scope_arg(lua_State *L)
{
    return neap_bind_scope_record(box_arg(L));
}

/* s:spawn([options,] fn, ...) -> task */
static int l_spawn(lua_State *L)
{
    static const char *const names[] = { "name", "guard", "lazy", NULL };
    neap_bind_scope_box *box = box_arg(L);
    neap_bind_scope *scope = neap_bind_scope_record(box);
    neap_bind_spawn_options options = { .metatable = lua_upvalueindex(2), .guard = box->guards };
    int first = 2;

    if (scope == NULL || !scope->core.open)
        neap_bind_usage(L, "scope:spawn: the scope has ended");
    int type = lua_type(L, 2);
    if (type == LUA_TTABLE && neap_bind_is_options(L, 2)) {
        neap_bind_options(L, 2, "scope:spawn", names);
        first = 3;
        neap_bind_function(L, 3, "scope:spawn");
        lua_getfield(L, 2, "guard");
        options.guard |= (bool)lua_toboolean(L, -1);
        lua_getfield(L, 2, "lazy");
        options.lazy = lua_toboolean(L, -1);
        lua_pop(L, 2);
        if (lua_getfield(L, 2, "name") != LUA_TNIL) {
            neap_bind_string(L, -1, "scope:spawn: name", NULL);
            lua_replace(L, 2);
            options.name = 2;
        } else {
            lua_pop(L, 1);
        }
    } else if (type != LUA_TFUNCTION) {
        neap_bind_callable(L, 2, "scope:spawn");
    }
    if (box->wraps) {
        neap_bind_scope_kept(L, 1, NEAP_SCOPE_HOOK);
        lua_getfield(L, -1, "wrap");
        lua_insert(L, first);
        lua_pop(L, 1);
    }
    neap_bind_spawn(L, &scope->core, first, &options);
    return 1;
}

/* s:cancel([reason]) -> true if it was not cancelled before */
static int l_cancel(lua_State *L)
{
    neap_bind_scope_box *box = box_arg(L);

    lua_settop(L, 2);
    neap_bind_reason(L, 2);
    neap_bind_scope *scope = neap_bind_scope_record(box);
    lua_pushboolean(L, scope != NULL && neap_bind_scope_cancel(L, &scope->core,
                                                               NEAP_CANCEL_CANCELLED, 2, 0));
    return 1;
}

bool neap_bind_scope_cancel_task(lua_State *L, neap_bind_task *box, int reason)
{
    neap_task *by = neap_host_of(L)->sched.running;

    /* What can raise, or run a finaliser, comes before any effect. */
    neap_bind_new_cancellation(L, NEAP_CANCEL_CANCELLED, reason, 0);
    neap_scope *scope = &neap_bind_scope_reserve(L)->core;
    if (neap_task_is_doomed(&box->core)) {
        lua_pop(L, 2);
        return false;
    }
    lua_rawsetp(L, -2, scope);
    lua_pop(L, 1);
    neap_bind_scope_take(L, NEAP_SCOPE_TASK);       /* that one */
    neap_scope_wrap_task(scope, &box->core);
    return neap_scope_cancel(scope, NEAP_CANCEL_CANCELLED, by ? by->id : 0);
}

static int join_k(lua_State *L, int status, lua_KContext ctx);

/* Wait until the scope at 1 has no task that was started; others who waited may have started
 * some meanwhile. */
static int join(lua_State *L, neap_task *task)
{
    neap_bind_scope *scope = scope_arg(L);

    if (scope == NULL || scope->core.running == 0)
        return neap_bind_return(L, 0);
    neap_scope_park_join(&scope->core, task, true);
    return neap_bind_suspend(L, 0, join_k);
}

static int join_k(lua_State *L, int status, lua_KContext ctx)
{
    neap_task *task = neap_host_of(L)->sched.running;

    (void)status, (void)ctx;
    if (task->wait.result != NEAP_OK)
        return neap_bind_raise_cancelled(L);
    return join(L, task);
}

/* s:join(): waits until no started task is left; the scope stays open */
static int l_join(lua_State *L)
{
    neap_bind_scope *scope = scope_arg(L);
    neap_task *task = neap_bind_checkpoint(L, "scope:join");

    lua_settop(L, 1);
    if (scope != NULL && neap_task_home(task) == &scope->core)
        neap_bind_usage(L, "scope:join: called by a task of that scope, which would wait for itself");
    return join(L, task);
}

/* Leave the scope at 1, if it is open; at 2 stands the error that left its block, or nil. */
static int leave(lua_State *L, bool by_hand)
{
    neap_bind_scope *scope = scope_arg(L);
    neap_task *task = neap_host_of(L)->sched.running;

    lua_settop(L, 2);
    if (scope == NULL || !scope->core.open)
        return 0;
    if (task == NULL || scope->core.owner != task)
        return neap_bind_usage(L, "scope:close: only the task that opened a scope leaves it");
    if (scope->ending.form != NEAP_SCOPE_BLOCK)
        return neap_bind_usage(L, "scope:close: the function form is left by its function");
    if (!neap_bind_can_suspend(L) && by_hand)
        neap_bind_refuse(L, "scope:close");
    if (!neap_bind_can_suspend(L))
        return 0;               /* a killed task: its home takes over */
    return neap_bind_scope_leave(L, scope, lua_isnil(L, 2), 0);
}

/* s:close() */
static int l_close(lua_State *L)
{
    return leave(L, true);
}

/* __close(scope, error) */
static int l_leave(lua_State *L)
{
    return leave(L, false);
}

/* s:extend(d): its own deadline is `d` from now */
static int l_extend(lua_State *L)
{
    neap_bind_scope_box *box = box_arg(L);
    neap_bind_scope *scope = neap_bind_scope_record(box);
    uint64_t duration_ns = neap_bind_duration(L, 2, "scope:extend");

    neap_bind_reserve(L);
    if (scope != NULL && scope->core.open && scope->core.kind == NEAP_CANCEL_NONE) {
        set_deadline(L, scope, duration_ns);
        box->deadline_ns = scope->core.deadline.at_ns;
        neap_bind_scope_give_fields(L, 1);
    }
    return 0;
}

/* s:result() -> what its policy's result() returns */
static int l_result(lua_State *L)
{
    bool done;

    box_arg(L);
    lua_settop(L, 1);
    int count = neap_bind_scope_policy(L, "result", &done);
    if (!done)
        return neap_bind_usage(L, "scope:result: this scope has no policy with a result");
    return count;
}

/* scope.blame(s, err): what failed if `s` is left in disorder; leaving it does not raise it */
static int l_blame(lua_State *L)
{
    box_arg(L);
    lua_settop(L, 2);
    neap_bind_scope_blame(L, 1);
    return 0;
}

neap_bind_scope *neap_bind_open_scope(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;

    if (task == NULL)
        return NULL;
    for (neap_scope *scope = task->scope; scope->owner == task; scope = scope->parent)
        if (!scope->of_task && neap_bind_scope_of(scope)->L == L)
            return neap_bind_scope_of(scope);
    return NULL;
}

/* Tasks may be nested without end; a traceback is as short. */
enum { CHAIN = 11 };

void neap_bind_spawn_chain(lua_State *L, neap_task *task)
{
    neap_host *host = neap_host_of(L);
    luaL_Buffer text;
    int count = 0;

    luaL_buffinit(L, &text);
    for (; task != NULL && task->place != 0; task = neap_task_home(task)->owner) {
        if (count++ == CHAIN) {
            luaL_addstring(&text, "\nspawned at ...");
            break;
        }
        luaL_addstring(&text, "\nspawned at ");
        luaL_addstring(&text, neap_places_name(host->places, task->place));
    }
    luaL_pushresult(&text);
}

int luaopen_neap_core_scope(lua_State *L)
{
    static const luaL_Reg scope[] = {
        { "spawn", l_spawn }, { "cancel", l_cancel }, { "join", l_join }, { "close", l_close },
        { "extend", l_extend }, { "result", l_result }, { "__close", l_leave },
        { NULL, NULL } };
    static const luaL_Reg functions[] = {
        { "open", l_open }, { "open_with", l_open_with }, { "timeout", l_timeout },
        { "timeout_or", l_timeout_or }, { "timeout_of", l_timeout_of }, { "shield", l_shield },
        { "mask", l_mask }, { "blame", l_blame }, { NULL, NULL } };

    luaL_newlibtable(L, functions);
    neap_bind_methods(L, &neap_bind_scope_type, scope, "methods");
    neap_bind_scope_open_fields(L);
    /* spawn makes boxes of tasks: their metatable is its second upvalue */
    lua_getfield(L, -1, "methods");
    lua_pushnil(L);
    neap_bind_metatable(L, &neap_bind_task_type);
    lua_pushcclosure(L, l_spawn, 2);
    lua_setfield(L, -2, "spawn");
    lua_pop(L, 1);
    neap_bind_metatable(L, &neap_bind_scope_type);
    lua_pushcfunction(L, neap_bind_handler);
    luaL_setfuncs(L, functions, 2);
    return 1;
}
