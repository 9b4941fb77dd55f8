/* bind/scope_leave.c - failures of a scope, and how a scope, a timeout or a shield is left.
 *
 * All forms are left the same way: join, close, outcome. The box of a scope is at
 * index 1 of the frame that leaves it; the block form's frame is that of __close.
 */
#include "bind/scope.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"

/* --- failures ------------------------------------------------------------------------ */

static bool has(const neap_bind_scope_box *box, int what)
{
    return (box->has & (1 << what)) != 0;
}

void neap_bind_scope_keep(lua_State *L, int idx, int what)
{
    neap_bind_scope_box *box = lua_touserdata(L, idx);

    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    if (lua_getiuservalue(L, idx, 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, NEAP_SCOPE_NAME, 0);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, idx, 1);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, what);
    lua_pop(L, 1);
    box->has |= (uint8_t)(1 << what);
    if (what == NEAP_SCOPE_FAILURES || what == NEAP_SCOPE_NAME)
        neap_bind_scope_give_fields(L, idx);
}

int neap_bind_scope_kept(lua_State *L, int idx, int what)
{
    if (!has(lua_touserdata(L, idx), what)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    lua_getiuservalue(L, idx, 1);
    lua_rawgeti(L, -1, what);
    lua_remove(L, -2);
    return lua_type(L, -1);
}

void neap_bind_scope_hold(lua_State *L, int idx)
{
    neap_bind_scope_box *box = lua_touserdata(L, idx);
    neap_bind_scope *scope = neap_bind_scope_record(box);

    if (scope == NULL || scope->failed != NULL)
        return;
    lua_pushvalue(L, idx);
    lua_rawsetp(L, LUA_REGISTRYINDEX, box);
    scope->failed = box;
}

void neap_bind_scope_blame(lua_State *L, int idx)
{
    neap_bind_scope_keep(L, idx, NEAP_SCOPE_BLAME);
    neap_bind_scope_hold(L, idx);
}

/* Append the value on top to the list `what`. Pops it. */
static void append(lua_State *L, int idx, int what)
{
    if (neap_bind_scope_kept(L, idx, what) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, -1);
        neap_bind_scope_keep(L, idx, what);
        neap_bind_scope_hold(L, idx);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

/* Cancel the scope whose box is at `idx`, unless it has been left. */
static void cancel(lua_State *L, int idx, neap_cancel_kind kind, int by)
{
    neap_bind_scope *scope = neap_bind_scope_record(lua_touserdata(L, idx));

    if (scope != NULL)
        neap_bind_scope_cancel(L, &scope->core, kind, 0, by);
}

void neap_bind_scope_lack_memory(neap_scope *scope, uint64_t by)
{
    while (scope->orphan)
        scope = scope->parent;
    if (scope->parent == NULL) {
        fputs("neap: not enough memory\n", stderr);
        return;
    }
    neap_bind_scope_of(scope)->ending.out_of_memory = true;
    neap_scope_cancel(scope, NEAP_CANCEL_FAILED, by);
}

/* The root was killed: nobody hears of what fails in its scopes, but who reads. */
static bool is_of_root(lua_State *L, int idx)
{
    neap_bind_scope *scope = neap_bind_scope_record(lua_touserdata(L, idx));

    return scope != NULL && scope->core.orphan && scope->core.parent->parent == NULL;
}

/* Push the box of the scope that joins the tasks of the one whose box is at `idx`, or nil if
 * there was no memory to hold it: that is what fails it then. False, and nothing, unless that
 * one was left behind by a task that was killed. */
static bool push_heir(lua_State *L, int idx)
{
    neap_bind_scope *scope = neap_bind_scope_record(lua_touserdata(L, idx));

    if (scope == NULL || !scope->core.orphan || scope->core.parent->parent == NULL)
        return false;
    neap_bind_scope *heir = neap_bind_scope_of(scope->core.parent);
    if (heir->failed != NULL) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, heir->failed);
        return true;
    }
    neap_bind_scope_lack_memory(&heir->core, 0);
    lua_pushnil(L);
    return true;
}

void neap_bind_scope_fail(lua_State *L, int idx, int by)
{
    if (push_heir(L, idx)) {
        lua_insert(L, -2);
        if (lua_isnil(L, -2))
            lua_pop(L, 1);
        else
            neap_bind_scope_fail(L, lua_gettop(L) - 1, by);
        lua_pop(L, 1);
        return;
    }
    if (is_of_root(L, idx)) {
        fprintf(stderr, "neap: %s\n", neap_bind_tostring(L, -1));
        lua_pop(L, 2);          /* its text, too */
        return;
    }
    append(L, idx, NEAP_SCOPE_FAILURES);
    cancel(L, idx, NEAP_CANCEL_FAILED, by);
}

static bool is_awaited(lua_State *L, int task)
{
    return (((neap_bind_task *)lua_touserdata(L, task))->core.flags & NEAP_BIND_AWAITED) != 0;
}

/* Of the tasks in the list on top those that somebody has heard of go, whenever it has
 * become twice as long: a scope that lives for long may have many. */
static void forget_awaited(lua_State *L)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1), left = 0;

    if ((count & (count - 1)) != 0)
        return;
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        if (is_awaited(L, -1))
            lua_pop(L, 1);
        else
            lua_rawseti(L, -2, ++left);
    }
    while (count > left) {
        lua_pushnil(L);
        lua_rawseti(L, -2, count--);
    }
}

void neap_bind_scope_note_guarded(lua_State *L, int idx, int task)
{
    if (((neap_bind_scope_box *)lua_touserdata(L, idx))->guards)
        return;                 /* its supervisor or policy hears of it */
    if (push_heir(L, idx)) {
        if (!lua_isnil(L, -1))
            neap_bind_scope_note_guarded(L, lua_gettop(L), task);
        lua_pop(L, 1);
        return;
    }
    if (is_of_root(L, idx)) {
        lua_getiuservalue(L, task, 1);
        neap_bind_scope_fail(L, idx, task);
        return;
    }
    if (neap_bind_scope_kept(L, idx, NEAP_SCOPE_GUARDED) == LUA_TTABLE)
        forget_awaited(L);
    lua_pop(L, 1);
    lua_pushvalue(L, task);
    append(L, idx, NEAP_SCOPE_GUARDED);
}

void neap_bind_scope_hook(lua_State *L, int idx, int task)
{
    int type = neap_bind_scope_kept(L, idx, NEAP_SCOPE_HOOK);
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
        cancel(L, idx, NEAP_CANCEL_CANCELLED, task);
    lua_settop(L, task > idx ? task : idx);
}

/* Push the first guarded failure that nobody awaited; false if there is none. */
static bool push_unawaited(lua_State *L, int idx)
{
    if (neap_bind_scope_kept(L, idx, NEAP_SCOPE_GUARDED) == LUA_TTABLE) {
        lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(L, -1, i);
            if (!is_awaited(L, -1)) {
                lua_getiuservalue(L, -1, 1);
                return true;
            }
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return false;
}

/* Push what the scope whose box is at `idx` would have raised; false without. */
static bool push_blamed(lua_State *L, int idx)
{
    if (neap_bind_scope_kept(L, idx, NEAP_SCOPE_FAILURES) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        return true;
    }
    return push_unawaited(L, idx) || neap_bind_scope_kept(L, idx, NEAP_SCOPE_BLAME) != LUA_TNIL;
}

void neap_bind_scope_push_disorder(lua_State *L, neap_bind_scope_box **inside, const char *what)
{
    int top = lua_gettop(L);

    neap_bind_checkstack(L, 12, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, *inside);     /* nil for none */
    neap_bind_scope_let_go(L, inside);
    bool failed = !lua_isnil(L, -1) && push_blamed(L, top + 1);
    neap_bind_push_error(L, "structure", NULL, NULL, "%s: write local s <close> = neap.scope(), "
                         "or use the function form", what);
    if (failed) {
        lua_pushvalue(L, -2);
        lua_setfield(L, -2, "cause");
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

/* True if the value at `idx` is an object with the value at `cause` as its cause. */
static bool is_caused_by(lua_State *L, int idx, int cause)
{
    if (!neap_bind_is_error(L, idx, NULL))
        return false;
    lua_pushliteral(L, "cause");
    lua_rawget(L, idx);
    bool is = lua_rawequal(L, -1, cause);
    lua_pop(L, 1);
    return is;
}

void neap_bind_scope_add_other(lua_State *L)
{
    int error = lua_gettop(L) - 1;

    neap_bind_checkstack(L, 4, NULL);
    if (neap_bind_is_error(L, error, NULL) && !is_caused_by(L, error + 1, error)) {
        lua_pushliteral(L, "others");
        if (lua_rawget(L, error) != LUA_TTABLE) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_setfield(L, error, "others");
        }
        lua_pushvalue(L, error + 1);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    lua_settop(L, error);
}

/* Raise the first failure, the further ones among its `others`. */
static void raise_failures(lua_State *L)
{
    neap_bind_scope_kept(L, 1, NEAP_SCOPE_FAILURES);
    int list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    lua_rawgeti(L, list, 1);
    for (lua_Integer i = 2; i <= count; i++) {
        lua_rawgeti(L, list, i);
        if (lua_rawequal(L, -1, -2))
            lua_pop(L, 1);
        else
            neap_bind_scope_add_other(L);
    }
    lua_error(L);
}

static void push_disorder(lua_State *L, neap_bind_ending *ending)
{
    neap_bind_scope_push_disorder(L, &ending->inside,
                                  "a scope was left before one that was opened inside it");
}

/* Push what is left, as a script has written it: `neap.scope`, `neap.step "charge"`. */
static const char *push_what(lua_State *L, const neap_bind_ending *ending)
{
    switch (ending->form) {
    case NEAP_SCOPE_TIMEOUT:
        return lua_pushliteral(L, "neap.timeout");
    case NEAP_SCOPE_TIMEOUT_OR:
        return lua_pushliteral(L, "neap.timeout_or");
    case NEAP_SCOPE_TIMEOUT_OF:
        lua_pushvalue(L, 1);
        return lua_tostring(L, -1);
    case NEAP_SCOPE_SHIELD:
        return lua_pushliteral(L, "neap.shield");
    default:
        if (neap_bind_scope_kept(L, 1, NEAP_SCOPE_OP) == LUA_TSTRING)
            return lua_tostring(L, -1);
        lua_pop(L, 1);
        return lua_pushliteral(L, "neap.scope");
    }
}

static void push_timeout(lua_State *L, const neap_bind_ending *ending)
{
    char text[NEAP_DURATION_SIZE];

    neap_bind_checkstack(L, 4, NULL);
    const char *what = push_what(L, ending);
    const char *op = lua_pushlstring(L, what, strcspn(what, " "));
    neap_duration_format(ending->allowed_ns, text);
    neap_bind_push_error(L, "timeout", NULL, op, "%s: not done within %s", what + strlen(op), text);
    lua_insert(L, -3);
    lua_pop(L, 2);
}

/* --- what leaving gives ----------------------------------------------------------------- */

static int policy_k(lua_State *L, int status, lua_KContext first)
{
    (void)status;
    return lua_gettop(L) - (int)first;
}

int neap_bind_scope_policy(lua_State *L, const char *name, bool *done)
{
    int top = lua_gettop(L);

    *done = false;
    if (neap_bind_scope_kept(L, 1, NEAP_SCOPE_HOOK) == LUA_TTABLE &&
        lua_getfield(L, -1, name) != LUA_TNIL) {
        int below = lua_gettop(L) - 1;
        *done = true;
        lua_callk(L, 0, LUA_MULTRET, below, policy_k);
        return policy_k(L, LUA_OK, below);
    }
    lua_settop(L, top);
    return 0;
}

/* A scope's. In order of weight: failures, its own deadline, guarded failures, a
 * cancellation from outside, its own, which is of `kind`. */
static int scope_outcome(lua_State *L, const neap_bind_ending *ending, neap_cancel_kind kind,
                         bool own)
{
    const neap_bind_scope_box *box = lua_touserdata(L, 1);
    neap_task *task = neap_host_of(L)->sched.running;
    bool done;

    if (ending->out_of_memory)
        neap_bind_memory(L);
    if (kind == NEAP_CANCEL_DEADLINE) {
        if (!has(box, NEAP_SCOPE_FAILURES)) {
            int count = neap_bind_scope_policy(L, "on_timeout", &done);
            if (done && !(ending->cut && ending->form == NEAP_SCOPE_BLOCK))
                return count;           /* a block that was cut has no result */
        }
        push_timeout(L, ending);
        append(L, 1, NEAP_SCOPE_FAILURES);
    }
    if (has(box, NEAP_SCOPE_FAILURES))
        raise_failures(L);
    if (has(box, NEAP_SCOPE_GUARDED) && push_unawaited(L, 1))
        lua_error(L);
    if (neap_task_is_cancelled(task) && (ending->cut || ending->waited))
        neap_bind_raise_cancelled(L);
    if (ending->form == NEAP_SCOPE_FUNCTION && has(box, NEAP_SCOPE_HOOK)) {
        int count = neap_bind_scope_policy(L, "result", &done);
        if (done)
            return count;
    }
    if (ending->cut && own) {
        if (ending->form == NEAP_SCOPE_BLOCK)
            return neap_bind_error(L, "cancelled", NULL, push_what(L, ending),
                                   ": the scope was cancelled");
        lua_pushnil(L);
        lua_pushliteral(L, "cancelled");
        return 2;
    }
    return ending->results;
}

/* Of a timeout or a shield: no tasks, no failures of others. */
static int boundary_outcome(lua_State *L, neap_bind_ending *ending, neap_cancel_kind kind)
{
    neap_task *task = neap_host_of(L)->sched.running;
    bool failed = !ending->ended && !ending->cut;

    if (ending->disorder) {
        push_disorder(L, ending);
        if (failed)
            neap_bind_scope_add_other(L);
        return lua_error(L);
    }
    if (kind == NEAP_CANCEL_DEADLINE) {
        if (failed) {
            push_timeout(L, ending);
            neap_bind_scope_add_other(L);
            return lua_error(L);
        }
        if (ending->form == NEAP_SCOPE_SHIELD && neap_task_is_cancelled(task))
            return neap_bind_raise_cancelled(L);
        if (ending->form == NEAP_SCOPE_TIMEOUT_OR) {
            lua_pushnil(L);
            lua_pushliteral(L, "timeout");
            return 2;
        }
        push_timeout(L, ending);
        return lua_error(L);
    }
    if (failed)
        return lua_error(L);
    if (neap_task_is_cancelled(task) && (ending->cut || ending->form == NEAP_SCOPE_SHIELD))
        return neap_bind_raise_cancelled(L);
    if (ending->cut)
        return lua_error(L);
    return ending->results;
}

/* --- leaving ----------------------------------------------------------------------------- */

static void fail_without_memory(neap_bind_scope *scope)
{
    neap_bind_scope_lack_memory(&scope->core, scope->core.owner->id);
}

/* [1] task */
static int l_recall(lua_State *L)
{
    neap_bind_push_task(L, lua_touserdata(L, 1));
    lua_getiuservalue(L, 2, 1);
    lua_call(L, 0, 0);
    return 0;
}

/* The last of the tasks that stand by is told to end; false without. One after the
 * other, so that an actor can still tell those that were there before it. */
static bool recall_last(lua_State *L, neap_bind_scope *scope)
{
    if (!neap_link_linked(&scope->core.tasks))
        return false;
    neap_task *task = neap_container(scope->core.tasks.prev, neap_task, link);
    neap_bind_task_recall(neap_bind_task_of(task));
    if (!lua_checkstack(L, 2)) {
        fail_without_memory(scope);
        return true;
    }
    lua_pushcfunction(L, l_recall);
    lua_pushlightuserdata(L, task);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        fail_without_memory(scope);
        lua_pop(L, 1);
    }
    return true;
}

/* End what has not begun; true if the running task was parked for what has. */
static bool wait_for_tasks(lua_State *L, neap_bind_scope *scope)
{
    neap_host *host = neap_host_of(L);
    neap_link *at, *next;

    for (at = scope->core.tasks.next; at != &scope->core.tasks; at = next) {
        neap_task *task = neap_container(at, neap_task, link);
        next = at->next;
        if (!task->started)
            neap_bind_end_unstarted(host, neap_bind_task_of(task));
    }
    if (scope->core.running == 0 && !recall_last(L, scope))
        return false;
    scope->ending.waited = true;
    neap_scope_park_join(&scope->core, host->sched.running, false);
    return true;
}

neap_bind_scope_box *neap_bind_scope_take_failed(neap_bind_scope *scope)
{
    neap_bind_ending *ending = &scope->ending;
    neap_bind_scope_box **first = ending->inside != NULL ? &ending->inside : &scope->failed;
    neap_bind_scope_box *box = *first;

    *first = NULL;
    return box;
}

bool neap_bind_scope_wind_down(lua_State *L, neap_bind_scope *scope)
{
    neap_bind_scope_cancel(L, &scope->core, NEAP_CANCEL_CANCELLED, 0, 0);
    return wait_for_tasks(L, scope);
}

static int leave_k(lua_State *L, int status, lua_KContext ctx)
{
    neap_bind_scope *scope = (neap_bind_scope *)ctx;
    neap_task *task = neap_host_of(L)->sched.running;

    (void)status;
    while (task->scope != &scope->core) {       /* opened inside, not left */
        neap_bind_scope *inner = neap_bind_scope_of(task->scope);
        if (neap_bind_scope_wind_down(L, inner))
            return neap_bind_suspend(L, ctx, leave_k);
        if (scope->ending.inside == NULL)
            scope->ending.inside = neap_bind_scope_take_failed(inner);
        neap_bind_scope_close(L, inner);
        scope->ending.disorder = true;
    }
    if (wait_for_tasks(L, scope))
        return neap_bind_suspend(L, ctx, leave_k);

    neap_bind_ending ending = scope->ending;
    scope->ending.inside = NULL;
    neap_cancel_kind kind = scope->core.kind;
    bool own = scope->core.source == &scope->core;
    if (kind == NEAP_CANCEL_DEADLINE && ending.form == NEAP_SCOPE_SHIELD)
        neap_sched_expire(scope->core.sched, scope->core.deadline.at_ns);   /* what it kept off */
    neap_bind_scope_close(L, scope);
    if (neap_bind_is_boundary(ending.form))
        return boundary_outcome(L, &ending, kind);
    if (ending.disorder) {
        push_disorder(L, &ending);
        append(L, 1, NEAP_SCOPE_FAILURES);
    }
    return scope_outcome(L, &ending, kind, own);
}

/* [1] box, [2] error */
static int l_fail(lua_State *L)
{
    neap_bind_scope_fail(L, 1, 0);
    return 0;
}

int neap_bind_scope_leave(lua_State *L, neap_bind_scope *scope, bool ended, int results)
{
    scope->ending.ended = ended;
    scope->ending.results = results;
    if (!ended) {
        if (neap_bind_is_cancellation(L, -1)) {
            scope->ending.cut = true;
        } else if (!neap_bind_is_boundary(scope->ending.form)) {
            lua_pushcfunction(L, l_fail);
            lua_pushvalue(L, 1);
            lua_pushvalue(L, -3);
            if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
                fail_without_memory(scope);
                lua_pop(L, 1);
            }
        }
    }
    return leave_k(L, LUA_OK, (lua_KContext)scope);
}
