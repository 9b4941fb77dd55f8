#include "core/wait.h"

#include <assert.h>
#include <stddef.h>

#include "core/sched.h"
#include "core/select.h"
#include "core/task.h"

void neap_node_leave(neap_node *node, const neap_wait_class *class, void *object)
{
    if (class->leave != NULL)
        class->leave(node, object);
    else
        neap_link_remove(&node->link);
}

neap_task *neap_node_task(neap_node *node)
{
    if (node->arm == 0)
        return neap_container(node, neap_task, wait.node);
    return neap_container(node, neap_arm, node)->select->task;
}

void neap_wait_end(neap_task *task, uint32_t arm, int result)
{
    const neap_wait_class *class = task->wait.class;
    void *object = task->wait.object;

    assert(task->state == NEAP_TASK_WAITING);
    if (class == &neap_select_class)
        neap_select_leave(object);
    else
        neap_node_leave(&task->wait.node, class, object);
    task->wait.result = result;
    task->wait.arm = arm;
    neap_sched_ready(task);
    if (class == &neap_select_class)
        neap_select_left(object, result == NEAP_OK ? arm : UINT32_MAX);
    else if (result != NEAP_OK && class->left != NULL)
        class->left(object);
}

void neap_node_end(neap_node *node, int result)
{
    neap_wait_end(neap_node_task(node), node->arm > 0 ? node->arm - 1 : 0, result);
}

void neap_wait_end_all(neap_link *queue, int result)
{
    /* From the front each time: an end may take out other nodes, of a select
     * that stands here twice. */
    while (neap_link_linked(queue))
        neap_node_end(neap_node_first(queue), result);
}

void neap_wait_cancel(neap_task *task)
{
    if (task->wait.class->cancel != NULL)
        task->wait.class->cancel(task);
    else
        neap_wait_end(task, 0, NEAP_ECANCELLED);
}

void neap_wait_keep(neap_task *task)
{
    (void)task;
}
