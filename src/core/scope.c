#include "core/scope.h"

#include <assert.h>
#include <stddef.h>

#include "base/clock.h"
#include "core/sched.h"

static const neap_wait_class JOIN  = { .what = "scope:join" };
static const neap_wait_class LEAVE = { .what = "neap.scope", .cancel = neap_wait_keep };

static void wake(neap_task *task, neap_scope *scope)
{
    if (task != NULL && task->scope == scope && task->state == NEAP_TASK_WAITING)
        neap_wait_cancel(task);
}

/* Everything inside `source` that runs in no other scope hears of it, then what
 * is inside its inner scopes: the tree is walked once, in spawn order. */
static void mark(neap_scope *source)
{
    neap_link *link, *next;
    bool inside;

    for (neap_scope *at = source; at != NULL; at = neap_scope_next(source, at, inside)) {
        inside = at->source == NULL && (at == source || !at->shield);
        if (!inside)
            continue;
        at->source = source;
        wake(at->owner, at);
        for (link = at->tasks.next; link != &at->tasks; link = next) {
            next = link->next;
            wake(neap_container(link, neap_task, link), at);
        }
    }
}

static void init(neap_scope *scope, neap_sched *sched)
{
    /* One by one: compilers clear a record of this size by an instruction that
     * takes longer than all the rest of opening a scope. */
    scope->sched = sched;
    scope->parent = NULL;
    scope->owner = NULL;
    neap_link_init(&scope->link);
    neap_link_init(&scope->inner);
    neap_link_init(&scope->tasks);
    neap_link_init(&scope->joiners);
    scope->source = NULL;
    scope->deadline = (neap_timer){ .class = NEAP_TIMER_SCOPE };
    scope->cancelled_at_ns = 0;
    scope->cancelled_by = 0;
    scope->running = 0;
    scope->depth = 0;
    scope->kind = NEAP_CANCEL_NONE;
    scope->shield = false;
    scope->of_task = false;
    scope->orphan = false;
    scope->open = true;
}

void neap_scope_init_root(neap_scope *scope, neap_sched *sched)
{
    init(scope, sched);
}

void neap_scope_open(neap_scope *scope, neap_task *owner, bool shield)
{
    neap_scope *parent = owner->scope;

    init(scope, parent->sched);
    scope->parent = parent;
    scope->owner = owner;
    scope->depth = parent->depth + 1;
    scope->shield = shield;
    scope->source = shield ? NULL : parent->source;
    neap_link_append(&parent->inner, &scope->link);
    owner->scope = scope;
}

void neap_scope_set_deadline(neap_scope *scope, uint64_t at_ns)
{
    neap_timers_disarm(&scope->sched->deadlines, &scope->deadline);
    scope->deadline.at_ns = at_ns;
    if (at_ns != NEAP_NEVER)
        neap_timers_arm(&scope->sched->deadlines, &scope->deadline, at_ns);
}

bool neap_scope_cancel(neap_scope *scope, neap_cancel_kind kind, uint64_t by)
{
    if (scope->kind != NEAP_CANCEL_NONE || scope->source != NULL)
        return false;
    scope->kind = (uint8_t)kind;
    scope->cancelled_by = by;
    scope->cancelled_at_ns = neap_clock_now(scope->sched->clock);
    mark(scope);
    return true;
}

void neap_scope_wrap_task(neap_scope *scope, neap_task *task)
{
    neap_scope *home = neap_task_home(task);
    neap_scope *outermost = task->scope;

    init(scope, home->sched);
    scope->parent = home;
    scope->owner = task;
    scope->depth = home->depth;
    scope->of_task = true;
    neap_link_append(&home->inner, &scope->link);
    if (outermost == home) {
        task->scope = scope;
    } else {
        while (outermost->parent != home)
            outermost = outermost->parent;
        neap_link_remove(&outermost->link);
        neap_link_append(&scope->inner, &outermost->link);
        outermost->parent = scope;
    }
    scope->source = home->source;
}

void neap_scope_park_join(neap_scope *scope, neap_task *task, bool cancellable)
{
    neap_wait_park(task, cancellable ? &JOIN : &LEAVE, scope);
    neap_link_append(&scope->joiners, &task->wait.node.link);
}

void neap_scope_joined(neap_scope *scope)
{
    neap_wait_end_all(&scope->joiners, NEAP_OK);
    if (scope->orphan) {
        neap_timers_disarm(&scope->sched->deadlines, &scope->deadline);
        neap_link_remove(&scope->link);
        scope->open = false;
        if (--scope->parent->running == 0)
            neap_scope_joined(scope->parent);
    }
}

void neap_scope_orphan(neap_scope *scope, neap_scope *home)
{
    neap_timers_disarm(&scope->sched->deadlines, &scope->deadline);
    scope->owner->scope = scope->parent;
    scope->owner = NULL;
    neap_link_remove(&scope->link);
    scope->open = scope->running > 0;
    if (scope->open) {
        scope->orphan = true;
        scope->parent = home;
        neap_link_append(&home->inner, &scope->link);
        home->running++;
    }
}

void neap_scope_close(neap_scope *scope)
{
    assert(scope->owner->scope == scope);
    assert(!neap_link_linked(&scope->tasks) && !neap_link_linked(&scope->inner));
    neap_timers_disarm(&scope->sched->deadlines, &scope->deadline);
    neap_link_remove(&scope->link);
    scope->owner->scope = scope->parent;
    scope->open = false;
}

neap_scope *neap_scope_next(neap_scope *top, neap_scope *at, bool inside)
{
    if (inside && neap_link_linked(&at->inner))
        return neap_container(at->inner.next, neap_scope, link);
    while (at != top && at->link.next == &at->parent->inner)
        at = at->parent;
    return at == top ? NULL : neap_container(at->link.next, neap_scope, link);
}

uint64_t neap_scope_deadline(const neap_scope *scope)
{
    uint64_t earliest = NEAP_NEVER;
    for (; scope != NULL; scope = scope->parent) {
        if (scope->deadline.at_ns != 0 && scope->deadline.at_ns < earliest)
            earliest = scope->deadline.at_ns;
        if (scope->shield)
            break;
    }
    return earliest;
}
