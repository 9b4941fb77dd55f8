/* core/timer.h - instants in a heap, driven by a clock.
 *
 * Order      By instant, then in the order in which they were armed.
 * Ownership  The caller owns a neap_timer, which does not move while it is armed.
 * Errors     neap_timers_reserve is the only function that allocates.
 * Thread     Scheduler thread.
 * Invariant  A timer never fires early, and once for each time it is armed.
 */
#ifndef NEAP_CORE_TIMER_H
#define NEAP_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"

typedef struct neap_timer neap_timer;
struct neap_timer {
    neap_heap_item item;        /* slot 0: not armed */
    uint32_t       class;       /* whose it is: NEAP_TIMER_... */
    uint64_t       at_ns;       /* monotonic */
    uint64_t       order;
};

/* What a timer is a field of; core/sched fires it accordingly. */
enum { NEAP_TIMER_WAIT, NEAP_TIMER_ARM, NEAP_TIMER_SCOPE };

typedef struct neap_timers {
    neap_heap heap;
    uint64_t  armed;            /* how many ever: the next `order` */
} neap_timers;

void neap_timers_init(neap_timers *timers);
void neap_timers_deinit(neap_timers *timers);
/* Make room for one more timer; false without memory. */
bool neap_timers_reserve(neap_timers *timers);
/* Arm `timer`, which is not armed and for which there is room. */
void neap_timers_arm(neap_timers *timers, neap_timer *timer, uint64_t at_ns);
/* Harmless when it is not armed. */
void neap_timers_disarm(neap_timers *timers, neap_timer *timer);
/* The next timer, or NULL. */
neap_timer *neap_timers_first(const neap_timers *timers);
/* The next instant, or NEAP_NEVER. */
uint64_t neap_timers_next(const neap_timers *timers);

#endif
