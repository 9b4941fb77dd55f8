#include "core/latch.h"

#include <assert.h>

#include "core/task.h"

static const neap_wait_class WAIT = { .what = "latch:wait" };

void neap_latch_init(neap_latch *latch, uint32_t count)
{
    neap_link_init(&latch->waiters);
    latch->count = count;
}

void neap_latch_count_down(neap_latch *latch, uint32_t n)
{
    latch->count -= n < latch->count ? n : latch->count;
    if (latch->count == 0)
        neap_wait_end_all(&latch->waiters, NEAP_OK);
}

void neap_latch_park(neap_latch *latch, neap_task *task)
{
    assert(latch->count > 0);
    neap_wait_park(task, &WAIT, latch);
    neap_link_append(&latch->waiters, &task->wait.node.link);
}
