#include "core/task.h"

#include <assert.h>
#include <stddef.h>

#include "core/sched.h"
#include "core/scope.h"

static void leave_awaiters(neap_node *node, void *object)
{
    neap_task *other = object;

    if (other->awaiters == &node->link)
        other->awaiters = neap_link_linked(&node->link) ? node->link.next : NULL;
    neap_link_remove(&node->link);
}

const neap_wait_class neap_task_await_class = { .what = "task:await", .leave = leave_awaiters };

void neap_task_adopt(neap_task *task, neap_scope *home, bool lazy)
{
    neap_sched *sched = home->sched;

    /* One by one: compilers clear a record of this size by an instruction that
     * takes longer than all the rest of this function. */
    task->scope = home;
    task->awaiters = NULL;
    task->wait.class = NULL;
    neap_link_init(&task->wait.node.link);
    task->busy = 0;
    task->seat = 0;
    task->id = ++sched->spawned & NEAP_TASK_ID_MAX;
    task->state = NEAP_TASK_LAZY;
    task->started = 0;
    task->raised = 0;
    task->held = 0;
    task->flags = 0;
    task->given = false;
    task->since = 0;
    task->place = 0;
    neap_link_append(&home->tasks, &task->link);
    if (!lazy)
        neap_task_start(task);
}

void neap_task_start(neap_task *task)
{
    if (task->started)
        return;
    task->started = 1;
    neap_task_home(task)->running++;
    neap_sched_ready(task);
}

void neap_task_stand_by(neap_task *task)
{
    neap_scope *home = neap_task_home(task);

    assert(task->started && !neap_task_ended(task));
    if (--home->running == 0)
        neap_scope_joined(home);
}

void neap_task_recall(neap_task *task)
{
    neap_task_home(task)->running++;
}

void neap_task_end(neap_task *task, neap_task_state state)
{
    neap_scope *home = neap_task_home(task);

    if (task->scope != home && task->scope->of_task)
        neap_scope_close(task->scope);
    assert(task->scope == home && "scopes that it opened have been left");
    neap_link_remove(&task->link);
    task->state = (uint8_t)state;
    home->sched->ended++;
    while (task->awaiters != NULL) {
        neap_node_end(neap_container(task->awaiters, neap_node, link), NEAP_OK);
    }
    if (task->started && --home->running == 0)
        neap_scope_joined(home);
}

void neap_task_park_await(neap_task *task, neap_task *other)
{
    neap_wait_park(task, &neap_task_await_class, other);
    neap_task_queue_await(&task->wait.node, other);
}

void neap_task_queue_await(neap_node *node, neap_task *other)
{
    neap_link_init(&node->link);
    if (other->awaiters == NULL)
        other->awaiters = &node->link;
    else    /* before the first is behind the last */
        neap_link_append(other->awaiters, &node->link);
}
