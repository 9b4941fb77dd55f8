/* bind/cancel.c - cancellations as Lua sees them, and what a checkpoint is.
 *
 * One error object for each cancelled scope: whatever is raised inside is that
 * object, and by it a protected call knows a cancellation of the running task.
 */
#include <string.h>

#include "bind/scope.h"

static const char CANCELLATIONS;    /* registry key: scope's address -> error object */

static const char *const KINDS[] = { "", "cancelled", "deadline", "failed", "shutdown" };

static const char *message_of(neap_cancel_kind kind)
{
    switch (kind) {
    case NEAP_CANCEL_DEADLINE:
        return "the deadline has passed";
    case NEAP_CANCEL_FAILED:
        return "the scope has failed, and its error is raised where the scope is left; to handle "
               "the failure of one task alone, spawn it with { guard = true } and use "
               "task:outcome(), or put pcall around the scope";
    case NEAP_CANCEL_SHUTDOWN:
        return "the host is shutting down";
    default:
        return "cancelled";
    }
}

static double wall_seconds(lua_State *L, uint64_t at_ns)
{
    neap_clock *clock = neap_host_of(L)->sched.clock;
    uint64_t now_ns = clock->monotonic(clock);

    return (double)clock->wall(clock) / 1e6 - (double)(now_ns - at_ns) / 1e9;
}

void neap_bind_reason(lua_State *L, int idx)
{
    int top = lua_gettop(L);

    if (lua_isnil(L, idx))
        return;
    if (!lua_istable(L, idx))
        neap_bind_tostring(L, idx);
    else if (lua_getfield(L, idx, "message") != LUA_TSTRING &&
             luaL_getmetafield(L, idx, "__tostring") != LUA_TNIL)
        neap_bind_tostring(L, idx);
    else if (lua_type(L, -1) != LUA_TSTRING)
        lua_pushnil(L);
    lua_replace(L, idx);
    lua_settop(L, top);
}

/* Push the error object, by the reason at `reason`, a text or nil, and the task's box at
 * `by`, each 0 for none. */
static void push_object(lua_State *L, neap_cancel_kind kind, uint64_t at_ns, int reason, int by)
{
    neap_bind_checkstack(L, 10, NULL);
    neap_bind_push_error(L, "cancelled", NULL, NULL, "%s", message_of(kind));
    lua_createtable(L, 0, 4);
    lua_pushstring(L, KINDS[kind]);
    lua_setfield(L, -2, "kind");
    lua_pushnumber(L, wall_seconds(L, at_ns));
    lua_setfield(L, -2, "at");
    if (by != 0) {
        neap_bind_task_name(L, by);
        lua_setfield(L, -2, "by");
    }
    if (reason != 0 && !lua_isnil(L, reason)) {
        lua_pushfstring(L, "%s: %s", message_of(kind), lua_tostring(L, reason));
        lua_setfield(L, -3, "message");
        lua_pushvalue(L, reason);
    } else {
        lua_pushstring(L, message_of(kind));
    }
    lua_setfield(L, -2, "message");
    lua_setfield(L, -2, "reason");
}

void neap_bind_open_cancel(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &CANCELLATIONS);
}

static void push_table(lua_State *L)
{
    neap_bind_checkstack(L, 4, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &CANCELLATIONS);
}

void neap_bind_new_cancellation(lua_State *L, neap_cancel_kind kind, int reason, int by)
{
    neap_task *task = neap_host_of(L)->sched.running;
    int top = lua_gettop(L);

    if (by == 0 && task != NULL && !neap_task_ended(task)) {
        neap_bind_push_running(L);
        by = lua_gettop(L);
    }
    push_table(L);
    push_object(L, kind, neap_clock_now(neap_host_of(L)->sched.clock), reason, by);
    lua_rotate(L, top + 1, 2);
    lua_settop(L, top + 2);
}

/* [1] scope, [2] kind, [3] reason, [4] box of the task by which it is cancelled; each of
 * these two may be nil */
static int l_keep_cancellation(lua_State *L)
{
    neap_scope *scope = lua_touserdata(L, 1);

    neap_bind_new_cancellation(L, (neap_cancel_kind)lua_tointeger(L, 2), lua_isnil(L, 3) ? 0 : 3,
                               lua_isnil(L, 4) ? 0 : 4);
    if (scope->source == NULL)          /* unless by a finaliser meanwhile */
        lua_rawsetp(L, -2, scope);
    return 0;
}

bool neap_bind_scope_cancel(lua_State *L, neap_scope *scope, neap_cancel_kind kind, int reason,
                            int by)
{
    neap_task *task = by ? &((neap_bind_task *)lua_touserdata(L, by))->core
                         : neap_host_of(L)->sched.running;

    if (scope->source != NULL || !scope->open)
        return false;
    if (lua_checkstack(L, 6)) {
        lua_pushnil(L);
        lua_pushcfunction(L, l_keep_cancellation);
        lua_pushlightuserdata(L, scope);
        lua_pushinteger(L, kind);
        lua_pushvalue(L, reason ? reason : -4);
        lua_pushvalue(L, by ? by : -5);
        bool kept = lua_pcall(L, 4, 0, 0) == LUA_OK;
        lua_pop(L, kept ? 1 : 2);       /* the nil, and what it raised */
    }
    return neap_scope_cancel(scope, kind, task ? task->id : 0);
}

void neap_bind_push_cancellation(lua_State *L, neap_scope *source)
{
    push_table(L);
    if (lua_rawgetp(L, -1, source) == LUA_TNIL) {
        lua_pop(L, 1);
        push_object(L, source->kind, source->cancelled_at_ns, 0, 0);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, source);
    }
    lua_remove(L, -2);
}

void neap_bind_drop_cancellation(neap_host *host, neap_scope *scope)
{
    lua_State *L = host->L;     /* where there is room */

    if (scope->kind == NEAP_CANCEL_NONE)
        return;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &CANCELLATIONS);
    lua_pushnil(L);
    lua_rawsetp(L, -2, scope);
    lua_pop(L, 1);
}

bool neap_bind_is_cancellation(lua_State *L, int idx)
{
    neap_task *task = neap_host_of(L)->sched.running;

    if (task == NULL || !neap_task_is_cancelled(task) || lua_type(L, idx) != LUA_TTABLE)
        return false;
    idx = lua_absindex(L, idx);
    push_table(L);
    lua_rawgetp(L, -1, task->scope->source);
    bool is = lua_rawequal(L, -1, idx);
    lua_pop(L, 2);
    return is;
}

int neap_bind_raise_cancelled(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;

    if (task->raised < NEAP_BIND_PATIENCE) {
        task->raised++;
    } else if (neap_bind_can_suspend(L)) {
        task->flags |= NEAP_BIND_KILLED;
        neap_bind_checkstack(L, 4, NULL);
        neap_bind_where(L);
        lua_xmove(L, neap_host_of(L)->L, 1);
        return lua_yield(L, 0);         /* the scheduler does the rest */
    }
    neap_bind_push_cancellation(L, task->scope->source);
    return lua_error(L);
}

bool neap_bind_name_of_library(lua_State *L)
{
    static const char *const libraries[] = { "_G", "table", "string", "utf8", "os", "io", "math",
                                             "debug", "package", NULL };
    int function = lua_gettop(L);

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    for (int i = 0; libraries[i] != NULL; i++) {
        if (lua_getfield(L, -1, libraries[i]) == LUA_TTABLE)
            for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
                if (lua_rawequal(L, -1, function) && lua_type(L, -2) == LUA_TSTRING &&
                    strcmp(lua_tostring(L, -2), "pcall") != 0 &&
                    strcmp(lua_tostring(L, -2), "xpcall") != 0) {
                    if (i > 0)
                        lua_pushfstring(L, "%s.%s", libraries[i], lua_tostring(L, -2));
                    else
                        lua_pushvalue(L, -2);
                    lua_replace(L, function);
                    lua_settop(L, function);
                    return true;
                }
        lua_pop(L, 1);
    }
    lua_settop(L, function - 1);
    return false;
}

/* Push on `L` the name of the innermost C function in `co` through which Lua cannot suspend,
 * and the place that called it, or "" if there is none; false without such a function. */
static bool find_blocker(lua_State *L, lua_State *co)
{
    lua_Debug ar;

    if (!lua_checkstack(co, 4))
        return false;
    for (int level = 1; lua_getstack(co, level, &ar); level++) {
        lua_getinfo(co, "Sf", &ar);
        lua_xmove(co, L, 1);
        if (*ar.what != 'C') {
            lua_pop(L, 1);
        } else if (neap_bind_name_of_library(L)) {
            while (lua_getstack(co, ++level, &ar) && lua_getinfo(co, "Sl", &ar))
                if (ar.currentline > 0) {
                    lua_pushfstring(L, ", called at %s:%d", ar.short_src, ar.currentline);
                    return true;
                }
            lua_pushliteral(L, "");
            return true;
        }
    }
    return false;
}

/* The same for `co`, a coroutine of the running task, and all that it has resumed. */
static bool find_blocker_within(lua_State *L, lua_State *co)
{
    lua_State *inner;
    lua_Debug ar;

    /* Who waits for a coroutine is a C function whose first value it is. */
    if (co != L && lua_checkstack(co, 1) && lua_getstack(co, 0, &ar) &&
        lua_getlocal(co, &ar, 1) != NULL) {
        inner = lua_tothread(co, -1);
        lua_pop(co, 1);
        if (inner != NULL && find_blocker_within(L, inner))
            return true;
    }
    return find_blocker(L, co);
}

/* Names the C function that stands in the way, and the line that called it: a sort's
 * comparator, a gsub's callback, __tostring, a module's body, or what these resumed. */
static int cannot_suspend(lua_State *L, const char *op)
{
    neap_bind_checkstack(L, 12, NULL);
    if (find_blocker_within(L, neap_bind_task_of(neap_host_of(L)->sched.running)->co))
        return neap_bind_usage(L, "%s: cannot suspend inside %s%s: it is a C function that has to "
                               "return first", op, lua_tostring(L, -2), lua_tostring(L, -1));
    return neap_bind_usage(L, "%s: cannot suspend here, below a C function, in a hook or in a "
                           "finaliser", op);
}

/* What the script has called, if that has come to `op`. */
static const char *called(lua_State *L, const char *op)
{
    neap_bind_checkstack(L, LUA_MINSTACK, NULL);
    lua_newtable(L);
    return neap_bind_push_called(L, L, lua_gettop(L)) ? lua_tostring(L, -1) : op;
}

neap_task *neap_bind_refuse(lua_State *L, const char *op)
{
    neap_host *host = neap_host_of(L);

    if (host->apart != NULL)
        neap_bind_usage(L, "%s: cannot suspend in %s", called(L, op), host->apart);
    if (host->sched.running == NULL)
        neap_bind_usage(L, "%s: called outside of a task", called(L, op));
    if (lua_isyieldable(L) && L != host->running)
        neap_bind_usage(L, "%s: cannot suspend in a coroutine that neap.raw or a C module resumed: "
                        "use coroutine.resume", called(L, op));
    if (!neap_bind_can_suspend(L))
        cannot_suspend(L, called(L, op));
    neap_bind_raise_cancelled(L);
    return NULL;
}

static int return_k(lua_State *L, int status, lua_KContext n)
{
    (void)L, (void)status;
    return (int)n;
}

int neap_bind_let_others_run(lua_State *L, int n)
{
    neap_sched_yield(neap_host_of(L)->sched.running);
    return neap_bind_suspend(L, n, return_k);
}

static int wait_k(lua_State *L, int status, lua_KContext op)
{
    int result = neap_host_of(L)->sched.running->wait.result;

    (void)status;
    return result == NEAP_OK ? 0 : neap_bind_fail(L, result, (const char *)op);
}

int neap_bind_wait(lua_State *L, const char *op)
{
    return neap_bind_suspend(L, (lua_KContext)op, wait_k);
}

void neap_bind_reserve(lua_State *L)
{
    if (!neap_sched_reserve(&neap_host_of(L)->sched))
        neap_bind_memory(L);
}
