#include "core/chan.h"

#include <assert.h>

#include "core/task.h"

const neap_wait_class neap_chan_send_class = { .what = "channel:send" };
const neap_wait_class neap_chan_recv_class = { .what = "channel:recv" };
static const neap_wait_class ROOM = { .what = "broadcast:publish" };

void neap_chan_init(neap_chan *chan, uint32_t capacity, neap_chan_full on_full)
{
    assert(capacity > 0 || on_full == NEAP_CHAN_WAIT);
    *chan = (neap_chan){ .capacity = capacity, .on_full = (uint8_t)on_full };
    neap_link_init(&chan->senders);
    neap_link_init(&chan->receivers);
    neap_link_init(&chan->watchers);
}

void neap_chan_replaced(neap_chan *chan)
{
    assert(chan->count == chan->capacity);
    if (++chan->head == chan->capacity)
        chan->head = 0;
}

void neap_chan_park_room(neap_chan *chan, neap_task *task)
{
    assert(chan->capacity > 0 && chan->count == chan->capacity && !chan->closed);
    neap_wait_park(task, &ROOM, chan);
    neap_link_append(&chan->watchers, &task->wait.node.link);
}

void neap_chan_queue_send(neap_chan *chan, neap_node *node, uint32_t count)
{
    node->count = count;
    neap_link_append(&chan->senders, &node->link);
}

void neap_chan_queue_recv(neap_chan *chan, neap_node *node)
{
    neap_link_append(&chan->receivers, &node->link);
}

bool neap_chan_close(neap_chan *chan)
{
    if (chan->closed)
        return false;
    chan->closed = true;
    neap_wait_end_all(&chan->senders, NEAP_ECLOSED);
    neap_wait_end_all(&chan->receivers, NEAP_ECLOSED);
    neap_wait_end_all(&chan->watchers, NEAP_ECLOSED);
    return true;
}

void neap_chan_discard(neap_chan *chan)
{
    assert(chan->closed);
    chan->head = chan->count = 0;
}

void neap_chan_open_end(neap_chan *chan, neap_chan_side side)
{
    chan->ends[side]++;
}

bool neap_chan_close_end(neap_chan *chan, neap_chan_side side)
{
    assert(chan->ends[side] > 0);
    if (--chan->ends[side] > 0)
        return false;
    neap_chan_close(chan);
    return true;
}
