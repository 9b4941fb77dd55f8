/* core/latch.h - a gate that opens once, when a count has come down to zero.
 *
 * Order      Those who wait when it opens go on in the order in which they came.
 * Ownership  The caller owns the struct, which outlives its waiters.
 * Errors     A wait ends with NEAP_OK or NEAP_ECANCELLED.
 * Thread     Scheduler thread.
 * Invariant  Nobody waits at count 0, and the count never rises.
 */
#ifndef NEAP_CORE_LATCH_H
#define NEAP_CORE_LATCH_H

#include <stdint.h>

#include "base/list.h"
#include "core/wait.h"

typedef struct neap_latch {
    neap_link waiters;
    uint32_t  count;
} neap_latch;

void neap_latch_init(neap_latch *latch, uint32_t count);
/* `n` less, but no less than zero. */
void neap_latch_count_down(neap_latch *latch, uint32_t n);
/* Queue `task` until the count, which is not zero, is. */
void neap_latch_park(neap_latch *latch, neap_task *task);

#endif
