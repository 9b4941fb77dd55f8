/* bind/coroutine.c - neap.core.coroutine: pcall, xpcall and coroutines that a
 * suspension and a cancellation of the running task pass through.
 *
 * A primitive that suspends inside a script's own coroutine yields to whoever
 * resumed it, here; that yields on, down to the scheduler, and resumes its way
 * back when the task goes on. While it waits such a coroutine is `normal`, as a
 * task's own always is to others: marks in its extra space say so.
 */
#include "bind/context.h"
#include "bind/scope.h"

#define WAITING_MESSAGE "cannot resume non-suspended coroutine"

static bool has_mark(lua_State *co, uintptr_t marks)
{
    return (*(uintptr_t *)lua_getextraspace(co) & marks) != 0;
}

static void set_waiting(lua_State *co, bool waiting)
{
    uintptr_t *space = lua_getextraspace(co);
    *space = waiting ? *space | NEAP_HOST_WAITS : *space & ~(uintptr_t)NEAP_HOST_WAITS;
}

lua_State *neap_bind_innermost(lua_State *co)
{
    lua_Debug ar;

    /* Waiting for a coroutine is a C function whose first value it is. */
    while (lua_status(co) == LUA_YIELD && lua_checkstack(co, 2) && lua_getstack(co, 0, &ar) &&
           lua_getlocal(co, &ar, 1) != NULL) {
        lua_State *inner = lua_tothread(co, -1);
        lua_pop(co, 1);
        if (inner == NULL || !has_mark(inner, NEAP_HOST_WAITS))
            break;
        co = inner;
    }
    return co;
}

/* --- protected calls -------------------------------------------------------------------- */

/* `below` values stand under what the call gave. */
static int pcall_k(lua_State *L, int status, lua_KContext below)
{
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - (int)below;
    if (neap_bind_is_cancellation(L, -1))
        return lua_error(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* pcall(fn, ...) */
static int l_pcall(lua_State *L)
{
    if (lua_gettop(L) == 0)
        return luaL_argerror(L, 1, "value expected");
    neap_bind_interrupt(L);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_k);
    return pcall_k(L, status, 0);
}

/* The script's handler at upvalue 1, but not for a cancellation. */
static int handle(lua_State *L)
{
    if (neap_bind_is_cancellation(L, 1))
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* xpcall(fn, handler, ...) */
static int l_xpcall(lua_State *L)
{
    int count = lua_gettop(L);

    luaL_checktype(L, 2, LUA_TFUNCTION);
    neap_bind_interrupt(L);
    if (lua_tocfunction(L, 2) != neap_bind_handler) {   /* which looks for itself */
        lua_pushvalue(L, 2);
        lua_pushcclosure(L, handle, 1);
        lua_replace(L, 2);
    }
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);            /* fn, handler, true, fn, arguments */
    int status = lua_pcallk(L, count - 2, LUA_MULTRET, 2, 2, pcall_k);
    return pcall_k(L, status, 2);
}

/* try(fn, ...) -> true, ... | false, error */
static int l_try(lua_State *L)
{
    neap_bind_function(L, 1, "neap.try");
    return l_pcall(L);
}

/* --- coroutines ---------------------------------------------------------------------------- */

static int co_body_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - 1;
    return lua_error(L);
}

/* What every coroutine of a script runs: [1] handler, [2] fn, arguments. The
 * protected call lets __close handlers suspend while an error unwinds. */
static int co_body(lua_State *L)
{
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, co_body_k);
    return co_body_k(L, status, 0);
}

/* On the stack of one that has not begun: co_body, handler, fn. */
enum { FN = 3 };

static int l_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushcfunction(co, co_body);
    lua_pushcfunction(co, neap_bind_handler);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static lua_State *thread_arg(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    if (co == NULL)
        luaL_typeerror(L, 1, "coroutine");
    return co;
}

/* The values that `L`'s frame has above `below` go to `co`, which runs. Returns
 * the number of results, left on co; -1 with an error message on co; or
 * SUSPENDED: the caller has to yield on. */
enum { SUSPENDED = -2 };

static int resume(lua_State *L, lua_State *co, int below)
{
    neap_host *host = neap_host_of(L);
    lua_State *suspends = host->suspends;
    int count = lua_gettop(L) - below, results = 0;

    if (!lua_checkstack(co, count + 4))
        return luaL_error(L, "too many arguments to resume");
    bool fresh = lua_status(co) == LUA_OK;
    if (fresh) {                            /* handler and fn wait there */
        lua_pushvalue(co, FN);
        lua_xmove(co, L, 1);
        lua_insert(L, below + 1);
    }
    lua_xmove(L, co, count);
    set_waiting(co, false);
    host->running = co;
    host->suspends = neap_bind_can_suspend(L) ? co : NULL;
    int status = lua_resume(co, L, fresh ? count + FN - 1 : count, &results);
    if (fresh && status == LUA_ERRRUN && lua_status(co) == LUA_OK) {
        /* No C stack is left, so it has not begun, but all that it was given is gone. */
        lua_pushcfunction(co, neap_bind_handler);
        lua_xmove(L, co, 1);
        lua_rotate(co, FN - 1, FN - 1);     /* the message on top */
    } else if (fresh) {
        lua_remove(L, below + 1);           /* not on top if the task parked with values */
    }
    host->running = L;
    host->suspends = suspends;
    if (status == LUA_YIELD && host->sched.running != NULL &&
        neap_bind_suspended(host->sched.running)) {
        lua_pop(co, results);
        set_waiting(co, true);
        return SUSPENDED;
    }
    return status == LUA_OK || status == LUA_YIELD ? results : -1;
}

/* It runs, has resumed another one, or somebody else is going to resume it. */
static bool is_normal(lua_State *co)
{
    lua_Debug ar;

    return has_mark(co, NEAP_HOST_MARKS) || (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar));
}

/* A coroutine that can be resumed; else the reason why not. */
static const char *refuse_resume(lua_State *L, lua_State *co)
{
    if (co == L || is_normal(co))
        return WAITING_MESSAGE;
    if (lua_status(co) == LUA_OK && lua_gettop(co) == 0)
        return "cannot resume dead coroutine";
    if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD)
        return "cannot resume dead coroutine";
    return NULL;
}

static int give_results(lua_State *L, lua_State *co, int results)
{
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        return luaL_error(L, "too many results to resume");
    }
    lua_xmove(co, L, results);
    return results;
}

/* [1] coroutine; what the task was given meanwhile stands above. */
static int resume_k(lua_State *L, int status, lua_KContext ctx)
{
    lua_State *co = lua_tothread(L, 1);
    int results = resume(L, co, 1);

    (void)status, (void)ctx;
    if (results == SUSPENDED)
        return lua_yieldk(L, 0, 0, resume_k);
    if (results < 0) {
        lua_xmove(co, L, 1);
        if (neap_bind_is_cancellation(L, -1))
            return lua_error(L);
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1 + give_results(L, co, results);
}

static int l_resume(lua_State *L)
{
    lua_State *co = thread_arg(L);
    const char *refused = refuse_resume(L, co);

    if (refused != NULL) {
        lua_pushboolean(L, 0);
        lua_pushstring(L, refused);
        return 2;
    }
    return resume_k(L, LUA_OK, 0);
}

/* [1] coroutine, as resume_k; raises what it raises. */
static int wrap_k(lua_State *L, int status, lua_KContext ctx)
{
    lua_State *co = lua_tothread(L, 1);
    int results = resume(L, co, 1);

    (void)status, (void)ctx;
    if (results == SUSPENDED)
        return lua_yieldk(L, 0, 0, wrap_k);
    if (results >= 0)
        return give_results(L, co, results);
    lua_xmove(co, L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {       /* as Lua's own: add the place */
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrapped(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_State *co = lua_tothread(L, 1);
    const char *refused = refuse_resume(L, co);
    if (refused != NULL)
        return luaL_error(L, "%s", refused);
    return wrap_k(L, LUA_OK, 0);
}

static int l_wrap(lua_State *L)
{
    l_create(L);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

/* coroutine.yield(...): never out of a task, whose coroutine is the host's */
static int l_yield(lua_State *L)
{
    neap_host *host = neap_host_of(L);

    if (host->sched.running != NULL) {
        if (neap_bind_task_of(host->sched.running)->co == L)
            return neap_bind_usage(L, "coroutine.yield: outside of a coroutine of the script's "
                                   "own; neap.yield() lets other tasks run");
        if (neap_bind_open_scope(L) != NULL)
            return neap_bind_error(L, "structure", NULL, "coroutine.yield",
                " while a scope, timeout or shield that this coroutine opened is "
                "open: nobody could close it if the coroutine is dropped; use neap.flow");
        if (neap_bind_context_is_open(L))
            return neap_bind_error(L, "structure", NULL, "coroutine.yield",
                " inside a neap.with that this coroutine entered: what is bound "
                "there would hold outside of it; use neap.flow");
    }
    return lua_yield(L, lua_gettop(L));
}

static int l_status(lua_State *L)
{
    lua_State *co = thread_arg(L);
    const char *status = "dead";

    if (co == L)
        status = "running";
    else if (is_normal(co))
        status = "normal";
    else if (lua_status(co) == LUA_YIELD || (lua_status(co) == LUA_OK && lua_gettop(co) > 0))
        status = "suspended";
    lua_pushstring(L, status);
    return 1;
}

/* coroutine.running() -> coroutine, is it a task's own */
static int l_running(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;

    lua_pushthread(L);
    lua_pushboolean(L, task != NULL && neap_bind_task_of(task)->co == L);
    return 2;
}

static int l_isyieldable(lua_State *L)
{
    lua_State *co = lua_isnone(L, 1) ? L : thread_arg(L);

    lua_pushboolean(L, lua_isyieldable(co));
    return 1;
}

static int l_close(lua_State *L)
{
    lua_State *co = thread_arg(L);

    if (co == L || is_normal(co))
        return luaL_error(L, "%s", WAITING_MESSAGE);
    if (lua_resetthread(co) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

int luaopen_neap_core_coroutine(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "pcall", l_pcall }, { "xpcall", l_xpcall }, { "try", l_try }, { "create", l_create },
        { "resume", l_resume }, { "wrap", l_wrap }, { "yield", l_yield },
        { "status", l_status }, { "running", l_running }, { "isyieldable", l_isyieldable },
        { "close", l_close }, { NULL, NULL } };

    luaL_newlib(L, functions);
    return 1;
}
