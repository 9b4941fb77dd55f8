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

void neap_wait_park(neap_wait *wait, const neap_wait_class *class, void *object,
                    neap_task *task)
{
    assert(task->state == NEAP_TASK_RUNNING);
    wait->task = task;
    wait->class = class;
    wait->node.wait = wait;
    wait->node.arm = 0;
    task->state = NEAP_TASK_WAITING;
    task->boxed = wait != &task->wait;
    if (task->boxed)
        task->wait.object = wait;
    wait->object = object;
}

void neap_wait_end(neap_wait *wait, uint32_t arm, int result)
{
    const neap_wait_class *class = wait->class;
    void *object = wait->object;

    assert(neap_task_waiting(wait->task) == wait);
    if (class == &neap_select_class)
        neap_select_leave(object);
    else
        neap_node_leave(&wait->node, class, object);
    wait->result = result;
    wait->arm = arm;
    neap_sched_ready(wait->task);
    if (class == &neap_select_class)
        neap_select_left(object, result == NEAP_OK ? arm : UINT32_MAX);
    else if (result != NEAP_OK && class->left != NULL)
        class->left(object);
}

void neap_wait_end_all(neap_link *queue, int result)
{
    /* From the front each time: an end may take out other nodes, of a select
     * that stands here twice. */
    while (neap_link_linked(queue)) {
        neap_node *first = neap_node_first(queue);
        neap_wait_end(first->wait, first->arm, result);
    }
}

void neap_wait_cancel(neap_wait *wait)
{
    if (wait->class->cancel != NULL)
        wait->class->cancel(wait);
    else
        neap_wait_end(wait, 0, NEAP_ECANCELLED);
}

void neap_wait_keep(neap_wait *wait)
{
    (void)wait;
}
