/* bind/task.c - neap.core.task: what others see of a task. */
#include "bind/task.h"

#include "bind/scope.h"

const neap_bind_type neap_bind_task_type = { "neap.task" };

enum { FIELD_ID, FIELD_NAME };

void neap_bind_task_name(lua_State *L, int idx)
{
    neap_bind_task *box = lua_touserdata(L, idx);

    if (box->core.flags & NEAP_BIND_NAMED)
        lua_getiuservalue(L, idx, 2);
    else
        lua_pushfstring(L, "task %I", (LUAI_UACINT)box->core.id);
}

static int push_values(lua_State *L, int idx, const neap_bind_task *box)
{
    if (!(box->core.flags & (NEAP_BIND_ONE | NEAP_BIND_MANY)))
        return 0;
    lua_getiuservalue(L, idx, 1);
    if (box->core.flags & NEAP_BIND_ONE)
        return 1;
    int table = lua_gettop(L);
    lua_getfield(L, table, "n");
    int count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    neap_bind_checkstack(L, count, "too many results");
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, table, i);
    lua_remove(L, table);
    return count;
}

/* The error of an ended task. Awaiting somebody's cancelled task must not cancel
 * the awaiter: it gets an ordinary error of kind `cancelled`. */
static void push_error(lua_State *L, int idx, neap_bind_task *box)
{
    if (box->core.state == NEAP_TASK_FAILED) {
        lua_getiuservalue(L, idx, 1);
        return;
    }
    neap_bind_task_name(L, idx);
    neap_bind_push_error(L, "cancelled", NULL, NULL, "%s was cancelled", lua_tostring(L, -1));
    lua_getiuservalue(L, idx, 1);
    if (lua_istable(L, -1)) {
        lua_pushliteral(L, "reason");
        lua_rawget(L, -2);
        lua_setfield(L, -3, "reason");
    }
    lua_pop(L, 1);
    lua_remove(L, -2);
}

int neap_bind_task_result(lua_State *L, int idx)
{
    neap_bind_task *box = lua_touserdata(L, idx);

    box->core.flags |= NEAP_BIND_AWAITED;
    if (box->core.state == NEAP_TASK_DONE)
        return push_values(L, idx, box);
    push_error(L, idx, box);
    return lua_error(L);
}

/* Push true and its values, or false and its error; number of values. */
static int outcome(lua_State *L, int idx)
{
    neap_bind_task *box = lua_touserdata(L, idx);

    box->core.flags |= NEAP_BIND_AWAITED;
    lua_pushboolean(L, box->core.state == NEAP_TASK_DONE);
    if (box->core.state == NEAP_TASK_DONE)
        return 1 + push_values(L, idx, box);
    push_error(L, idx, box);
    return 2;
}

/* The three ways of waiting for the end of a task; `ctx` of a continuation. */
enum { AWAIT, OUTCOME, JOIN };

/* `box`, at 1, has ended. */
static int awaited(lua_State *L, neap_bind_task *box, lua_KContext how)
{
    box->core.flags |= NEAP_BIND_AWAITED;
    if (how == AWAIT)
        return neap_bind_return(L, neap_bind_task_result(L, 1));
    return neap_bind_return(L, how == OUTCOME ? outcome(L, 1) : 0);
}

static int await_k(lua_State *L, int status, lua_KContext how)
{
    (void)status;
    if (neap_host_of(L)->sched.running->wait.result != NEAP_OK)
        return neap_bind_raise_cancelled(L);
    return awaited(L, lua_touserdata(L, 1), how);
}

static int wait_for(lua_State *L, const char *op, lua_KContext how)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);
    neap_task *task = neap_bind_checkpoint(L, op);

    if (task == &box->core)
        neap_bind_usage(L, "%s: a task cannot wait for its own end", op);
    if (neap_task_ended(&box->core))
        return awaited(L, box, how);
    neap_task_start(&box->core);
    neap_task_park_await(task, &box->core);
    return neap_bind_suspend(L, how, await_k);
}

/* task:await() -> what it returned; raises what it raised */
static int l_await(lua_State *L)
{
    return wait_for(L, "task:await", AWAIT);
}

/* task:outcome() -> true, ... | false, error */
static int l_outcome(lua_State *L)
{
    return wait_for(L, "task:outcome", OUTCOME);
}

/* task:join(): waits for its end, and never raises its error */
static int l_join(lua_State *L)
{
    return wait_for(L, "task:join", JOIN);
}

/* task:result() -> nil, "pending" | as outcome. Does not wait. */
static int l_result(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    if (neap_task_ended(&box->core))
        return outcome(L, 1);
    lua_pushnil(L);
    lua_pushliteral(L, "pending");
    return 2;
}

/* task:start() -> task. A lazy one becomes ready. */
static int l_start(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    if (!neap_task_ended(&box->core))
        neap_task_start(&box->core);
    lua_settop(L, 1);
    return 1;
}

/* task:cancel([reason]) -> true if it was open and not cancelled yet */
static int l_cancel(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);
    neap_host *host = neap_host_of(L);

    lua_settop(L, 2);
    neap_bind_reason(L, 2);
    if (neap_task_ended(&box->core)) {
        lua_pushboolean(L, 0);
    } else if (!box->core.started) {
        neap_bind_end_unstarted(host, box);
        lua_pushboolean(L, 1);
    } else {
        lua_pushboolean(L, neap_bind_scope_cancel_task(L, box, 2));
    }
    return 1;
}

/* task:status() -> "lazy" "ready" "running" "waiting" "done" "failed" "cancelled" */
static int l_status(lua_State *L)
{
    static const char *const names[] = { "lazy", "ready", "running", "waiting", "done", "failed",
                                         "cancelled" };
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    lua_pushstring(L, names[box->core.state]);
    return 1;
}

/* A method, task.id or task.name. Among the methods, which come first since they are
 * hot, a field is a number. */
static int l_index(lua_State *L)
{
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNUMBER)
        return 1;
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);
    if (lua_tointeger(L, -1) == FIELD_ID)
        lua_pushinteger(L, (lua_Integer)box->core.id);
    else
        neap_bind_task_name(L, 1);
    return 1;
}

static int l_tostring(lua_State *L)
{
    neap_bind_arg(L, 1, &neap_bind_task_type);
    neap_bind_task_name(L, 1);
    return 1;
}

/* task.current() -> the running task, or nothing */
static int l_current(lua_State *L)
{
    if (neap_host_of(L)->sched.running == NULL)
        return 0;
    neap_bind_push_running(L);
    return 1;
}

/* task.stand_by(task, recall): the task does not keep its scope from being joined or
 * left. When all others have ended that is left, recall() tells it to end; or recall(true),
 * if it never ran and never will. */
static int l_stand_by(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    if (neap_task_ended(&box->core))
        return 0;
    lua_settop(L, 2);
    lua_setiuservalue(L, 1, 1);
    box->core.flags |= NEAP_BIND_STANDBY;
    neap_task_stand_by(&box->core);
    return 0;
}

/* task.set_awaited(task): its failure has reached somebody */
static int l_set_awaited(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    box->core.flags |= NEAP_BIND_AWAITED;
    return 0;
}

/* task.set_given(task): the failure that it is about to raise has reached whom it belongs
 * to, and fails nothing */
static int l_set_given(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    box->core.given = true;
    return 0;
}

/* task.is_given(task) -> boolean */
static int l_is_given(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    lua_pushboolean(L, box->core.given);
    return 1;
}

/* task.is_awaited(task) -> did anybody wait for its end, or ask for its result? */
static int l_is_awaited(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    lua_pushboolean(L, (box->core.flags & NEAP_BIND_AWAITED) != 0);
    return 1;
}

int luaopen_neap_core_task(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "current", l_current }, { "is_awaited", l_is_awaited },
        { "set_awaited", l_set_awaited }, { "set_given", l_set_given }, { "is_given", l_is_given },
        { "stand_by", l_stand_by }, { NULL, NULL } };
    static const luaL_Reg task[] = {
        { "await", l_await }, { "outcome", l_outcome }, { "join", l_join },
        { "result", l_result }, { "on_await", neap_bind_task_on_await },
        { "start", l_start }, { "cancel", l_cancel },
        { "status", l_status }, { "__index", l_index }, { "__tostring", l_tostring },
        { NULL, NULL } };

    neap_bind_open_tasks(L);
    luaL_newlib(L, functions);
    neap_bind_methods(L, &neap_bind_task_type, task, "methods");
    neap_bind_field(L, "id", FIELD_ID);
    neap_bind_field(L, "name", FIELD_NAME);
    return 1;
}
