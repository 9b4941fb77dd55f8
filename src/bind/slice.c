/* bind/slice.c - a slice that runs too long obeys deadlines and cancellations. */
#include "bind/bind.h"

/* The scope whose deadline has passed first, of those that hold in `scope`. */
static neap_scope *overdue(neap_scope *scope, uint64_t now_ns)
{
    neap_scope *first = NULL;

    for (; scope != NULL; scope = scope->parent) {
        uint64_t at_ns = scope->deadline.at_ns;
        if (at_ns != 0 && at_ns <= now_ns && (first == NULL || at_ns < first->deadline.at_ns))
            first = scope;
        if (scope->shield)
            break;
    }
    return first;
}

void neap_bind_interrupted(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    neap_task *task = host->sched.running;

    if (task == NULL)
        return;
    neap_scope *late = overdue(task->scope, neap_clock_now(host->sched.clock));
    if (late != NULL)
        neap_scope_cancel(late, NEAP_CANCEL_DEADLINE, 0);
    if (neap_task_is_cancelled(task))
        neap_bind_raise_cancelled(L);
}
