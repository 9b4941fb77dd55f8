/* bind/task_arm.c - task:on_await, the end of a task as an arm of a select. */
#include "bind/select.h"
#include "bind/task.h"

/* Push what the ended task of the arm gave, or raise its error. */
static int push_result(lua_State *L, int arm)
{
    lua_getiuservalue(L, arm, 1);
    int task = lua_gettop(L);
    int count = neap_bind_task_result(L, task);
    lua_remove(L, task);
    return count;
}

static int on_await_now(lua_State *L, int arm)
{
    neap_task *task = ((const neap_bind_arm *)lua_touserdata(L, arm))->object;

    if (neap_task_ended(task))
        return push_result(L, arm);
    if (task == neap_host_of(L)->sched.running)
        neap_bind_usage(L, "neap.select: a task cannot wait for its own end");
    neap_task_start(task);
    return NEAP_BIND_ARM_WAITS;
}

static void on_await_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_task *task = arm->object;

    neap_task_queue_await(neap_select_queue(select, index, &neap_task_await_class, task), task);
}

static int on_await_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    (void)prepared, (void)given, (void)result;
    return push_result(L, arm);
}

static const neap_bind_arm_ops ON_AWAIT = { .now = on_await_now, .queue = on_await_queue,
                                            .finish = on_await_finish };

int neap_bind_task_on_await(lua_State *L)
{
    neap_bind_task *box = neap_bind_arg(L, 1, &neap_bind_task_type);

    neap_bind_new_arm(L, &ON_AWAIT, &box->core, 2, "task:on_await");
    return 1;
}
