#include "core/select.h"

#include <stddef.h>

#include "core/sched.h"

const neap_wait_class neap_select_class = { .what = "neap.select" };

void neap_select_park(neap_select *select, neap_task *task, neap_arm *arms, uint32_t count)
{
    select->task = task;
    select->arms = arms;
    select->count = count;
    neap_wait_park(task, &neap_select_class, select);
}

static neap_arm *set_arm(neap_select *select, uint32_t index, const neap_wait_class *class,
                         void *object)
{
    neap_arm *arm = &select->arms[index];

    arm->class = class;
    arm->object = object;
    arm->select = select;
    return arm;
}

neap_node *neap_select_queue(neap_select *select, uint32_t index,
                             const neap_wait_class *class, void *object)
{
    neap_node *node = &set_arm(select, index, class, object)->node;

    node->arm = index + 1;
    return node;
}

void neap_select_after(neap_select *select, uint32_t index, uint64_t at_ns)
{
    neap_timer *timer = &set_arm(select, index, NULL, NULL)->timer;

    timer->class = NEAP_TIMER_ARM;
    neap_timers_arm(&select->task->scope->sched->timers, timer, at_ns);
}

void neap_select_fire(neap_timer *timer)
{
    neap_arm *arm = neap_container(timer, neap_arm, timer);
    neap_select *select = arm->select;

    neap_wait_end(select->task, (uint32_t)(arm - select->arms), NEAP_OK);
}

void neap_select_leave(neap_select *select)
{
    neap_timers *timers = &select->task->scope->sched->timers;

    for (uint32_t i = 0; i < select->count; i++) {
        neap_arm *arm = &select->arms[i];
        if (arm->class == NULL)
            neap_timers_disarm(timers, &arm->timer);
        else
            neap_node_leave(&arm->node, arm->class, arm->object);
    }
}

void neap_select_left(neap_select *select, uint32_t served)
{
    for (uint32_t i = 0; i < select->count; i++) {
        neap_arm *arm = &select->arms[i];
        if (i != served && arm->class != NULL && arm->class->left != NULL)
            arm->class->left(arm->object);
    }
}
