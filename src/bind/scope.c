/* bind/scope.c - neap.core.scope: scopes, timeouts and shields in Lua.
 *
 * All forms walk the same way: open, body, join, close, outcome. The function
 * form has the box at [1] and the message handler at [2] of its own frame; the
 * block form is entered anew by __close, with the box at [1] and the error.
 *
 * Scripts never see the record of a timeout or a shield, so it is no box but
 * memory of the host's, used again: that halves what a timeout costs. Every way
 * out of the frame that has it passes through leaving, or through a kill.
 */
#include "bind/scope.h"

#include <math.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"

const neap_bind_type neap_bind_scope_type = { "neap.scope" };

static const char OPEN;             /* registry key: boxes of open block forms, by anchor */

enum { UP_METHODS = 1, UP_METATABLE = 1 };

/* --- failures ------------------------------------------------------------------------ */

static void append(lua_State *L, int idx, int list)
{
    neap_bind_scope *box = lua_touserdata(L, idx);

    box->has |= (uint8_t)(1 << list);
    if (lua_getiuservalue(L, idx, list) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, idx, list);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

static bool has(const neap_bind_scope *box, int value)
{
    return (box->has & (1 << value)) != 0;
}

void neap_bind_scope_fail(lua_State *L, int idx, int by)
{
    neap_bind_scope *box = lua_touserdata(L, idx);

    append(L, idx, NEAP_SCOPE_FAILURES);
    neap_bind_scope_cancel(L, &box->core, NEAP_CANCEL_FAILED, 0, by);
}

void neap_bind_scope_note_guarded(lua_State *L, int idx, int task)
{
    if (((neap_bind_scope *)lua_touserdata(L, idx))->guards)
        return;                 /* its supervisor or policy hears of it */
    lua_pushvalue(L, task);
    append(L, idx, NEAP_SCOPE_GUARDED);
}

void neap_bind_scope_hook(lua_State *L, int idx, int task)
{
    neap_bind_scope *box = lua_touserdata(L, idx);

    if (!has(box, NEAP_SCOPE_HOOK))
        return;
    int type = lua_getiuservalue(L, idx, NEAP_SCOPE_HOOK);
    if (type == LUA_TTABLE)
        type = lua_getfield(L, -1, "on_done");
    if (type == LUA_TNIL) {
        lua_settop(L, task > idx ? task : idx);
        return;
    }
    lua_pushvalue(L, task);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
        neap_bind_scope_fail(L, idx, task);
    else if (lua_toboolean(L, -1))
        neap_bind_scope_cancel(L, &box->core, NEAP_CANCEL_CANCELLED, 0, task);
    lua_settop(L, task > idx ? task : idx);
}

/* Raise the first failure, the further ones in its `others`; not itself, which may
 * have reached a second task. */
static void raise_failures(lua_State *L)
{
    lua_getiuservalue(L, 1, NEAP_SCOPE_FAILURES);
    int list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    lua_rawgeti(L, list, 1);
    if (count > 1 && neap_bind_is_error(L, -1, NULL)) {
        lua_createtable(L, (int)count - 1, 0);
        for (lua_Integer i = 2; i <= count; i++) {
            lua_rawgeti(L, list, i);
            if (lua_rawequal(L, -1, -3))
                lua_pop(L, 1);
            else
                lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        }
        if (lua_rawlen(L, -1) > 0)
            lua_setfield(L, -2, "others");
        else
            lua_pop(L, 1);
    }
    lua_error(L);
}

/* Raise the first guarded failure that nobody awaited, if there is one. */
static void raise_unawaited(lua_State *L)
{
    lua_getiuservalue(L, 1, NEAP_SCOPE_GUARDED);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        neap_bind_task *task = lua_touserdata(L, -1);
        if (!(task->core.flags & NEAP_BIND_AWAITED)) {
            lua_getiuservalue(L, -1, 1);
            lua_error(L);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void push_timeout(lua_State *L, neap_bind_scope *box)
{
    char text[NEAP_DURATION_SIZE];

    neap_duration_format(box->allowed_ns, text);
    lua_pushfstring(L, "not done within %s", text);
    neap_bind_push_error(L, "timeout", NULL, lua_tostring(L, -1));
    lua_remove(L, -2);
}

/* --- leaving --------------------------------------------------------------------------- */

static bool is_boundary(const neap_bind_scope *box)
{
    return box->form == NEAP_SCOPE_TIMEOUT || box->form == NEAP_SCOPE_TIMEOUT_OR ||
           box->form == NEAP_SCOPE_SHIELD;
}

static bool has_own_deadline_passed(const neap_bind_scope *box)
{
    return box->core.kind == NEAP_CANCEL_DEADLINE;
}

/* The last of the tasks that stand by is told to end; false without. One after the
 * other, so that an actor can still tell those that were there before it. */
static bool recall_last(lua_State *L, neap_bind_scope *box)
{
    if (!neap_link_linked(&box->core.tasks))
        return false;
    neap_task *task = neap_container(box->core.tasks.prev, neap_task, link);
    int top = lua_gettop(L);
    neap_bind_push_task(L, task);
    lua_getiuservalue(L, top + 1, 1);
    neap_bind_task_recall(neap_bind_task_of(task));
    lua_call(L, 0, 0);
    lua_settop(L, top);
    return true;
}

/* End what has not begun; true if the running task was parked for what has. */
static bool wait_for_tasks(lua_State *L, neap_bind_scope *box)
{
    neap_host *host = neap_host_of(L);
    neap_link *at, *next;

    for (at = box->core.tasks.next; at != &box->core.tasks; at = next) {
        neap_task *task = neap_container(at, neap_task, link);
        next = at->next;
        if (!task->started)
            neap_bind_end_unstarted(host, neap_bind_task_of(task));
    }
    if (box->core.running == 0 && !recall_last(L, box))
        return false;
    box->waited = true;
    neap_scope_park_join(&box->core, host->sched.running, false);
    return true;
}

bool neap_bind_scope_wind_down(lua_State *L, neap_bind_scope *box)
{
    neap_bind_scope_cancel(L, &box->core, NEAP_CANCEL_CANCELLED, 0, 0);
    return wait_for_tasks(L, box);
}

/* Keep the box on top alive until it is forgotten. An array and no hash: every
 * block form passes here. */
static void anchor(lua_State *L, neap_bind_scope *box)
{
    neap_host *host = neap_host_of(L);

    lua_rawgetp(L, LUA_REGISTRYINDEX, &OPEN);
    lua_Integer at = host->free_anchor;
    if (at == 0) {
        at = (lua_Integer)lua_rawlen(L, -1) + 1;
    } else {
        lua_rawgeti(L, -1, at);
        host->free_anchor = lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, at);
    lua_pop(L, 1);
    box->anchor = at;
}

static void forget(lua_State *L, neap_bind_scope *box)
{
    neap_host *host = neap_host_of(L);

    if (box->anchor != 0) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &OPEN);
        lua_pushinteger(L, host->free_anchor);
        lua_rawseti(L, -2, box->anchor);
        lua_pop(L, 1);
        host->free_anchor = box->anchor;
    }
}

/* The next of the records that wait to be used again. */
static neap_bind_scope **next_spare(neap_bind_scope *box)
{
    return (neap_bind_scope **)(void *)&box->core;
}

static neap_bind_scope *take_boundary(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    neap_bind_scope *box = host->spare;

    if (box != NULL) {
        host->spare = *next_spare(box);
        host->spare_count--;
    } else if ((box = neap_mem_try_realloc(NULL, sizeof *box)) == NULL) {
        neap_bind_memory(L);
    }
    memset(box, 0, sizeof *box);
    lua_pushlightuserdata(L, box);
    return box;
}

static void give_back_boundary(neap_host *host, neap_bind_scope *box)
{
    if (!is_boundary(box))
        return;
    if (host->spare_count == NEAP_HOST_IDLE) {
        neap_mem_free(box);
        return;
    }
    *next_spare(box) = host->spare;
    host->spare = box;
    host->spare_count++;
}

static void free_open_boundaries(neap_scope *scope)
{
    for (neap_link *at = scope->inner.next, *next; at != &scope->inner; at = next) {
        neap_scope *inner = neap_container(at, neap_scope, link);
        next = at->next;
        free_open_boundaries(inner);
        if (is_boundary(neap_bind_scope_of(inner)))
            neap_mem_free(neap_bind_scope_of(inner));
    }
}

void neap_bind_scope_free_boundaries(neap_host *host)
{
    neap_bind_scope *box;

    free_open_boundaries(&host->sched.root);
    while ((box = host->spare) != NULL) {
        host->spare = *next_spare(box);
        neap_mem_free(box);
    }
}

void neap_bind_scope_close(lua_State *L, neap_bind_scope *box)
{
    neap_host_of(L)->sched.running->raised = 0;
    neap_scope_close(&box->core);
    neap_bind_drop_cancellation(L, &box->core);
    forget(L, box);
}

void neap_bind_scope_orphan(lua_State *L, neap_bind_scope *box, neap_scope *home)
{
    neap_host *host = neap_host_of(L);
    neap_link *at, *next;

    neap_scope_cancel(&box->core, NEAP_CANCEL_FAILED, 0);
    for (at = box->core.tasks.next; at != &box->core.tasks; at = next) {
        neap_task *task = neap_container(at, neap_task, link);
        next = at->next;
        if (!task->started)
            neap_bind_end_unstarted(host, neap_bind_task_of(task));
        else
            neap_bind_task_recall(neap_bind_task_of(task));
    }
    neap_scope_orphan(&box->core, home);
    forget(L, box);
    give_back_boundary(host, box);
}

/* The body's error is on top. */
static void note_error(lua_State *L, neap_bind_scope *box)
{
    if (neap_bind_is_cancellation(L, -1)) {
        box->cut = true;
    } else if (box->form == NEAP_SCOPE_FUNCTION || box->form == NEAP_SCOPE_BLOCK) {
        lua_pushvalue(L, -1);
        neap_bind_scope_fail(L, 1, 0);
    }
}

static int policy_k(lua_State *L, int status, lua_KContext first)
{
    (void)status;
    return lua_gettop(L) - (int)first;
}

/* Return what the policy's function `name` returns, if it has one. */
static int policy_result(lua_State *L, const char *name, bool *done)
{
    int top = lua_gettop(L);

    *done = false;
    if (lua_getiuservalue(L, 1, NEAP_SCOPE_HOOK) == LUA_TTABLE &&
        lua_getfield(L, -1, name) != LUA_TNIL) {
        int below = lua_gettop(L) - 1;
        *done = true;
        lua_callk(L, 0, LUA_MULTRET, below, policy_k);
        return policy_k(L, LUA_OK, below);
    }
    lua_settop(L, top);
    return 0;
}

/* The scope has been closed: what its leaving gives. In order of weight: failures,
 * its own deadline, guarded failures, a cancellation from outside, its own. */
static int scope_outcome(lua_State *L, neap_bind_scope *box, int results)
{
    neap_task *task = neap_host_of(L)->sched.running;
    bool own = box->core.source == &box->core, done;

    if (has_own_deadline_passed(box)) {
        int count = policy_result(L, "on_timeout", &done);
        if (done)
            return count;
        push_timeout(L, box);
        append(L, 1, NEAP_SCOPE_FAILURES);
    }
    if (box->out_of_memory)
        neap_bind_memory(L);
    if (has(box, NEAP_SCOPE_FAILURES))
        raise_failures(L);
    if (has(box, NEAP_SCOPE_GUARDED))
        raise_unawaited(L);
    if (neap_task_is_cancelled(task) && (box->cut || box->waited))
        neap_bind_raise_cancelled(L);
    if (box->form == NEAP_SCOPE_FUNCTION && has(box, NEAP_SCOPE_HOOK)) {
        int count = policy_result(L, "result", &done);
        if (done)
            return count;
    }
    if (box->cut && own) {
        if (box->form == NEAP_SCOPE_BLOCK)
            return neap_bind_error(L, "cancelled", NULL, "the scope was cancelled");
        lua_pushnil(L);
        lua_pushliteral(L, "cancelled");
        return 2;
    }
    return results;
}

/* Of a timeout or a shield: no tasks, no failures of others. */
static int boundary_outcome(lua_State *L, neap_bind_scope *box, int results)
{
    neap_task *task = neap_host_of(L)->sched.running;
    bool failed = !box->ended && !box->cut;

    if (has_own_deadline_passed(box)) {
        if (failed) {
            if (neap_bind_is_error(L, -1, NULL)) {
                int error = lua_gettop(L);
                lua_pushliteral(L, "others");
                if (lua_rawget(L, error) != LUA_TTABLE) {
                    lua_pop(L, 1);
                    lua_newtable(L);
                    lua_pushvalue(L, -1);
                    lua_setfield(L, error, "others");
                }
                push_timeout(L, box);
                lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
                lua_settop(L, error);
            }
            return lua_error(L);
        }
        if (box->form == NEAP_SCOPE_SHIELD && neap_task_is_cancelled(task))
            return neap_bind_raise_cancelled(L);
        if (box->form == NEAP_SCOPE_TIMEOUT_OR) {
            lua_pushnil(L);
            lua_pushliteral(L, "timeout");
            return 2;
        }
        push_timeout(L, box);
        return lua_error(L);
    }
    if (failed)
        return lua_error(L);
    if (neap_task_is_cancelled(task) && (box->cut || box->form == NEAP_SCOPE_SHIELD))
        return neap_bind_raise_cancelled(L);
    if (box->cut)
        return lua_error(L);
    return results;
}

static void push_disorder(lua_State *L)
{
    neap_bind_push_error(L, "structure", NULL, "a scope was left before one that was opened inside "
        "it: write local s <close> = neap.scope(), or use the function form");
}

/* The body has ended. `ctx` counts its results, which are on top; of a body that
 * ended by an error, and of the block form, it is 0. */
static int leave_k(lua_State *L, int status, lua_KContext ctx)
{
    neap_bind_scope *box = lua_touserdata(L, 1);
    neap_task *task = neap_host_of(L)->sched.running;
    int results = (int)ctx;

    (void)status;
    while (task->scope != &box->core) {         /* opened inside, not left */
        neap_bind_scope *inner = neap_bind_scope_of(task->scope);
        if (neap_bind_scope_wind_down(L, inner))
            return neap_bind_suspend(L, ctx, leave_k);
        neap_bind_scope_close(L, inner);
        box->disorder = true;
    }
    if (wait_for_tasks(L, box))
        return neap_bind_suspend(L, ctx, leave_k);
    neap_bind_scope_close(L, box);
    if (!is_boundary(box)) {
        if (box->disorder) {
            push_disorder(L);
            append(L, 1, NEAP_SCOPE_FAILURES);
        }
        return scope_outcome(L, box, results);
    }
    neap_bind_scope copy = *box;
    give_back_boundary(neap_host_of(L), box);
    if (copy.disorder) {
        push_disorder(L);
        return lua_error(L);
    }
    return boundary_outcome(L, &copy, results);
}

static int body_k(lua_State *L, int status, lua_KContext ctx)
{
    neap_bind_scope *box = (neap_bind_scope *)ctx;

    box->ended = status == LUA_OK || status == LUA_YIELD;
    if (!box->ended)
        note_error(L, box);
    return leave_k(L, LUA_OK, box->ended ? lua_gettop(L) - 2 : 0);
}

/* --- opening ----------------------------------------------------------------------------- */

static void set_deadline(lua_State *L, neap_bind_scope *box, uint64_t duration_ns)
{
    box->allowed_ns = duration_ns;
    neap_scope_set_deadline(&box->core, neap_clock_after(
        neap_clock_now(neap_host_of(L)->sched.clock), duration_ns));
}

/* Push a box and open it in the running task. What can raise is behind us. */
static neap_bind_scope *open(lua_State *L, neap_bind_scope_form form, uint64_t duration_ns)
{
    neap_host *host = neap_host_of(L);
    neap_task *task = host->sched.running;

    if (task == NULL)
        neap_bind_usage(L, "a scope can be opened only in a task");
    if ((form == NEAP_SCOPE_FUNCTION || form == NEAP_SCOPE_BLOCK) && !neap_bind_can_suspend(L))
        neap_bind_refuse(L, "neap.scope");      /* leaving it may have to wait */
    if (duration_ns != NEAP_DURATION_NONE)
        neap_bind_reserve(L);
    neap_bind_scope *box = form == NEAP_SCOPE_FUNCTION || form == NEAP_SCOPE_BLOCK
        ? neap_bind_new_at(L, &neap_bind_scope_type, sizeof *box, NEAP_SCOPE_NAME,
                           lua_upvalueindex(UP_METATABLE))
        : take_boundary(L);
    box->form = (uint8_t)form;
    box->number = ++host->numbers;
    box->L = L;
    if (form == NEAP_SCOPE_BLOCK)
        anchor(L, box);
    neap_scope_open(&box->core, task, form == NEAP_SCOPE_SHIELD);
    if (duration_ns != NEAP_DURATION_NONE)
        set_deadline(L, box, duration_ns);
    return box;
}

/* Call the body: [1] box, [2] handler, [3] fn, arguments. */
static int run_body(lua_State *L, neap_bind_scope *box)
{
    int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 2, (lua_KContext)box, body_k);
    return body_k(L, status, (lua_KContext)box);
}

static uint64_t option_deadline(lua_State *L, int options, const char *what)
{
    uint64_t duration_ns = NEAP_DURATION_NONE;

    if (lua_getfield(L, options, "deadline") != LUA_TNIL)
        duration_ns = neap_bind_duration(L, -1, "deadline");
    if (lua_getfield(L, options, "deadline_at") != LUA_TNIL) {
        if (duration_ns != NEAP_DURATION_NONE)
            neap_bind_usage(L, "%s: either deadline or deadline_at", what);
        if (lua_type(L, -1) != LUA_TNUMBER)
            neap_bind_usage(L, "deadline_at: seconds since the epoch expected, got %s",
                            luaL_typename(L, -1));
        neap_clock *clock = neap_host_of(L)->sched.clock;
        lua_pushnumber(L, lua_tonumber(L, -1) - (double)clock->wall(clock) / 1e6);
        duration_ns = neap_bind_duration(L, -1, "deadline_at");
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return duration_ns;
}

/* scope.open([options]) -> scope; scope.open([options,] fn, ...) -> what fn returned */
static int l_open(lua_State *L)
{
    static const char *const names[] = { "name", "deadline", "deadline_at", "policy", "guards",
                                         "hook", NULL };
    uint64_t duration_ns = NEAP_DURATION_NONE;
    int options = neap_bind_is_options(L, 1) ? 1 : 0;

    if (options) {
        neap_bind_options(L, 1, "neap.scope", names);
        duration_ns = option_deadline(L, 1, "neap.scope");
    } else if (lua_isnil(L, 1) && lua_gettop(L) > 1) {
        lua_remove(L, 1);
    }
    bool block = lua_isnoneornil(L, options + 1);
    if (block)
        lua_settop(L, options);
    else
        neap_bind_function(L, options + 1, "neap.scope: body");

    neap_bind_scope *box = open(L, block ? NEAP_SCOPE_BLOCK : NEAP_SCOPE_FUNCTION, duration_ns);
    if (options) {
        int at = lua_gettop(L);
        lua_getfield(L, 1, "name");
        lua_setiuservalue(L, at, NEAP_SCOPE_NAME);
        lua_getfield(L, 1, "guards");
        box->guards = lua_toboolean(L, -1);
        lua_pop(L, 1);
        if (lua_getfield(L, 1, "policy") != LUA_TNIL)
            box->guards = true;
        else if (lua_getfield(L, 1, "hook") == LUA_TTABLE)
            box->wraps = lua_getfield(L, -1, "wrap") != LUA_TNIL, lua_pop(L, 1);
        if (!lua_isnil(L, -1))
            box->has |= 1 << NEAP_SCOPE_HOOK;
        lua_setiuservalue(L, at, NEAP_SCOPE_HOOK);
        lua_settop(L, at);
        lua_remove(L, 1);
    }
    if (block)
        return 1;
    lua_pushcfunction(L, neap_bind_handler);
    lua_rotate(L, 1, 2);                /* box, handler, fn, arguments */
    lua_pushvalue(L, 1);
    lua_insert(L, 4);                   /* the body gets its scope first */
    return run_body(L, box);
}

static int boundary(lua_State *L, neap_bind_scope_form form, const char *what)
{
    uint64_t duration_ns = neap_bind_duration(L, 1, what);

    neap_bind_function(L, 2, what);
    neap_bind_scope *box = open(L, form, duration_ns);
    lua_replace(L, 1);
    lua_pushcfunction(L, neap_bind_handler);
    lua_insert(L, 2);
    return run_body(L, box);
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

static neap_bind_scope *scope_arg(lua_State *L)
{
    return neap_bind_arg(L, 1, &neap_bind_scope_type);
}

/* s:spawn([options,] fn, ...) -> task */
static int l_spawn(lua_State *L)
{
    static const char *const names[] = { "name", "guard", "lazy", NULL };
    neap_bind_scope *box = scope_arg(L);
    neap_bind_spawn_options options = { .metatable = lua_upvalueindex(2), .guard = box->guards };
    int first = 2;

    if (!box->core.open)
        neap_bind_usage(L, "spawn: the scope has ended");
    if (lua_type(L, 2) == LUA_TTABLE && neap_bind_is_options(L, 2)) {
        neap_bind_options(L, 2, "spawn", names);
        first = 3;
        neap_bind_function(L, 3, "spawn: task");
        lua_getfield(L, 2, "guard");
        options.guard |= (bool)lua_toboolean(L, -1);
        lua_getfield(L, 2, "lazy");
        options.lazy = lua_toboolean(L, -1);
        lua_pop(L, 2);
        if (lua_getfield(L, 2, "name") != LUA_TNIL) {
            neap_bind_string(L, -1, "name", NULL);
            lua_replace(L, 2);
            options.name = 2;
        } else {
            lua_pop(L, 1);
        }
    } else {
        neap_bind_function(L, 2, "spawn: task");
    }
    if (box->wraps) {
        lua_getiuservalue(L, 1, NEAP_SCOPE_HOOK);
        lua_getfield(L, -1, "wrap");
        lua_insert(L, first);
        lua_pop(L, 1);
    }
    neap_bind_spawn(L, &box->core, first, &options);
    return 1;
}

/* s:cancel([reason]) -> true if it was not cancelled before */
static int l_cancel(lua_State *L)
{
    neap_bind_scope *box = scope_arg(L);

    lua_settop(L, 2);
    lua_pushboolean(L, neap_bind_scope_cancel(L, &box->core, NEAP_CANCEL_CANCELLED, 2, 0));
    return 1;
}

bool neap_bind_scope_cancel_task(lua_State *L, neap_bind_task *box, int reason)
{
    if (neap_task_is_cancelled(&box->core))
        return false;
    neap_bind_scope *own = neap_bind_new(L, &neap_bind_scope_type, sizeof *own, 1);
    own->form = NEAP_SCOPE_TASK;
    anchor(L, own);
    neap_scope_wrap_task(&own->core, &box->core);
    return neap_bind_scope_cancel(L, &own->core, NEAP_CANCEL_CANCELLED, reason, 0);
}

static int join_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status, (void)ctx;
    if (neap_host_of(L)->sched.running->wait.result != NEAP_OK)
        return neap_bind_raise_cancelled(L);
    return neap_bind_return(L, 0);
}

/* s:join(): waits until no started task is left; the scope stays open */
static int l_join(lua_State *L)
{
    neap_bind_scope *box = scope_arg(L);
    neap_task *task = neap_bind_checkpoint(L, "scope:join");

    lua_settop(L, 1);
    if (box->core.open && neap_task_home(task) == &box->core)
        neap_bind_usage(L, "scope:join: called by a task of that scope, which would wait for itself");
    if (box->core.running == 0)
        return neap_bind_return(L, 0);
    neap_scope_park_join(&box->core, task, true);
    return neap_bind_suspend(L, 0, join_k);
}

/* __close(scope, error) and s:close() */
static int l_close(lua_State *L)
{
    neap_bind_scope *box = scope_arg(L);
    neap_task *task = neap_host_of(L)->sched.running;

    lua_settop(L, 2);
    if (!box->core.open)
        return 0;
    if (task == NULL || box->core.owner != task)
        return neap_bind_usage(L, "scope:close: only the task that opened a scope leaves it");
    if (box->form != NEAP_SCOPE_BLOCK)
        return neap_bind_usage(L, "scope:close: the function form is left by its function");
    if (!neap_bind_can_suspend(L))
        return 0;               /* a killed task: its home takes over */
    box->ended = lua_isnil(L, 2);
    if (!box->ended)
        note_error(L, box);
    return leave_k(L, LUA_OK, 0);
}

/* s:extend(d): its own deadline is `d` from now */
static int l_extend(lua_State *L)
{
    neap_bind_scope *box = scope_arg(L);
    uint64_t duration_ns = neap_bind_duration(L, 2, "extend");

    neap_bind_reserve(L);
    if (box->core.open && box->core.kind == NEAP_CANCEL_NONE)
        set_deadline(L, box, duration_ns);
    return 0;
}

/* s:result() -> what its policy's result() returns */
static int l_result(lua_State *L)
{
    bool done;

    scope_arg(L);
    lua_settop(L, 1);
    int count = policy_result(L, "result", &done);
    if (!done)
        return neap_bind_usage(L, "scope:result: this scope has no policy with a result");
    return count;
}

/* s.failures, s.name, s.deadline_at, or a method. Methods come first, and cost
 * little: every s:spawn passes here. */
static int l_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(UP_METHODS)) != LUA_TNIL || lua_type(L, 2) != LUA_TSTRING)
        return 1;
    neap_bind_scope *box = scope_arg(L);
    const char *name = lua_tostring(L, 2);
    if (strcmp(name, "failures") == 0) {
        if (lua_getiuservalue(L, 1, NEAP_SCOPE_FAILURES) == LUA_TNIL)
            lua_newtable(L);
    } else if (strcmp(name, "name") == 0) {
        lua_getiuservalue(L, 1, NEAP_SCOPE_NAME);
    } else if (strcmp(name, "deadline_at") == 0 && box->core.deadline.at_ns != 0 &&
               box->core.deadline.at_ns != NEAP_NEVER) {
        neap_clock *clock = neap_host_of(L)->sched.clock;
        lua_pushnumber(L, (double)clock->wall(clock) / 1e6 +
                       ((double)box->core.deadline.at_ns - (double)clock->monotonic(clock)) / 1e9);
    }
    return 1;
}

neap_bind_scope *neap_bind_open_scope(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;

    if (task == NULL)
        return NULL;
    for (neap_scope *scope = task->scope; scope->owner == task; scope = scope->parent)
        if (neap_bind_scope_of(scope)->L == L)
            return neap_bind_scope_of(scope);
    return NULL;
}

void neap_bind_spawn_chain(lua_State *L, neap_task *task)
{
    neap_host *host = neap_host_of(L);
    luaL_Buffer text;

    luaL_buffinit(L, &text);
    for (; task != NULL && task->place != 0; task = neap_task_home(task)->owner) {
        luaL_addstring(&text, "\nspawned at ");
        luaL_addstring(&text, neap_places_name(host->places, task->place));
    }
    luaL_pushresult(&text);
}

int luaopen_neap_core_scope(lua_State *L)
{
    static const luaL_Reg scope[] = {
        { "spawn", l_spawn }, { "cancel", l_cancel }, { "join", l_join }, { "close", l_close },
        { "extend", l_extend }, { "result", l_result }, { "__close", l_close },
        { "__index", l_index }, { NULL, NULL } };
    static const luaL_Reg functions[] = {
        { "open", l_open }, { "timeout", l_timeout }, { "timeout_or", l_timeout_or },
        { "shield", l_shield }, { "mask", l_mask }, { NULL, NULL } };

    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &OPEN);
    luaL_newlibtable(L, functions);
    neap_bind_methods(L, &neap_bind_scope_type, scope, "methods");
    /* spawn makes boxes of tasks: their metatable is its second upvalue */
    lua_getfield(L, -1, "methods");
    lua_pushnil(L);
    neap_bind_metatable(L, &neap_bind_task_type);
    lua_pushcclosure(L, l_spawn, 2);
    lua_setfield(L, -2, "spawn");
    lua_pop(L, 1);
    neap_bind_metatable(L, &neap_bind_scope_type);
    luaL_setfuncs(L, functions, 1);
    return 1;
}
