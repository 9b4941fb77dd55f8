#include "core/timer.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/list.h"

static const neap_timer *timer_of(const neap_heap_item *item)
{
    return (const neap_timer *)(const void *)item;
}

static bool earlier(const neap_heap_item *a, const neap_heap_item *b)
{
    const neap_timer *x = timer_of(a), *y = timer_of(b);
    return x->at_ns < y->at_ns || (x->at_ns == y->at_ns && x->order < y->order);
}

void neap_timers_init(neap_timers *timers)
{
    neap_heap_init(&timers->heap, earlier);
    timers->armed = 0;
}

void neap_timers_deinit(neap_timers *timers)
{
    neap_heap_deinit(&timers->heap);
}

bool neap_timers_reserve(neap_timers *timers)
{
    return neap_heap_reserve(&timers->heap);
}

void neap_timers_arm(neap_timers *timers, neap_timer *timer, uint64_t at_ns)
{
    timer->at_ns = at_ns;
    timer->order = timers->armed++;
    timer->item.slot = 0;
    neap_heap_push(&timers->heap, &timer->item);
}

void neap_timers_disarm(neap_timers *timers, neap_timer *timer)
{
    if (timer->item.slot != 0)
        neap_heap_remove(&timers->heap, &timer->item);
}

neap_timer *neap_timers_first(const neap_timers *timers)
{
    neap_heap_item *first = neap_heap_first(&timers->heap);
    return first == NULL ? NULL : neap_container(first, neap_timer, item);
}

uint64_t neap_timers_next(const neap_timers *timers)
{
    neap_timer *first = neap_timers_first(timers);
    return first == NULL ? NEAP_NEVER : first->at_ns;
}
