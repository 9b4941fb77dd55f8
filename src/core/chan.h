/* core/chan.h - channel: values go from senders to receivers, in order.
 *
 *   senders -> C -> D    [ ][x][x][ ]    receivers -> (empty)
 *                           ^head         capacity 4, count 2
 *
 * The caller keeps the values: this says who meets whom, and which slot of the
 * caller's ring a value goes to or comes from. A send asks neap_chan_offer and
 * a receive asks neap_chan_ask; both only look. The caller then moves the
 * values, which may fail and leaves all as it was, and tells what it has done.
 *
 * Order      FIFO: of values, among senders, and among receivers. A value goes
 *            to the oldest receiver before anyone else can take it.
 * Ownership  The caller owns all structs. A neap_chan outlives its waiters. The
 *            values of a waiting sender are the sender's until they are taken.
 * Errors     A wait ends with NEAP_OK, the values moved; with NEAP_ECLOSED; or
 *            with NEAP_ECANCELLED. Nothing allocates.
 * Thread     Scheduler thread.
 * Invariant  Senders wait only while the buffer is full, receivers only while it
 *            is empty and no sender waits; nobody waits once it is closed.
 */
#ifndef NEAP_CORE_CHAN_H
#define NEAP_CORE_CHAN_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/sched.h"

/* Grows until memory ends. */
#define NEAP_CHAN_UNBOUNDED UINT32_MAX

/* What a send does when the buffer is full. */
typedef enum neap_chan_full {
    NEAP_CHAN_WAIT,
    NEAP_CHAN_DROP_OLDEST,
    NEAP_CHAN_DROP_NEWEST,
} neap_chan_full;

typedef enum neap_chan_side { NEAP_CHAN_SENDER, NEAP_CHAN_RECEIVER } neap_chan_side;

/* What a send or a receive comes to. */
typedef enum neap_chan_step {
    NEAP_CHAN_MEET,     /* a peer waits: move the values, end its wait with NEAP_OK */
    NEAP_CHAN_SLOT,     /* store in neap_chan_tail, or take from `head` */
    NEAP_CHAN_REPLACE,  /* the oldest value, in `head`, makes room for another one */
    NEAP_CHAN_DROP,     /* the value to be sent is dropped */
    NEAP_CHAN_PARK,     /* wait */
    NEAP_CHAN_CLOSED,   /* never again */
} neap_chan_step;

typedef struct neap_chan {
    neap_link senders;
    neap_link receivers;
    neap_link watchers;     /* who wait for room, with nothing to send */
    uint32_t  capacity;
    uint32_t  count;        /* values in the buffer */
    uint32_t  head;         /* slot of the oldest, 0 when there is none */
    uint32_t  ends[2];      /* open ends, by neap_chan_side */
    uint8_t   on_full;      /* neap_chan_full */
    bool      closed;
} neap_chan;

extern const neap_wait_class neap_chan_send_class;
extern const neap_wait_class neap_chan_recv_class;

/* A dropping channel has a capacity of 1 at least. */
void neap_chan_init(neap_chan *chan, uint32_t capacity, neap_chan_full on_full);

/* What happens to values that are sent now. MEET: `*peer` is the receiver, whose
 * `count` the caller may set to how many it has moved there. */
static inline neap_chan_step neap_chan_offer(const neap_chan *chan, neap_node **peer);
/* Where values come from that are received now. MEET: `*peer` is the sender.
 * REPLACE: take the value in `head`, put there what the waiting sender `*peer`
 * has, neap_chan_replaced, and end its wait with NEAP_OK. */
static inline neap_chan_step neap_chan_ask(const neap_chan *chan, neap_node **peer);

/* The slot after the newest value; there is room. */
static inline uint32_t neap_chan_tail(const neap_chan *chan)
{
    uint32_t to_end = chan->capacity - chan->head;
    return chan->count < to_end ? chan->head + chan->count : chan->count - to_end;
}

/* A value is now in the tail. */
static inline void neap_chan_stored(neap_chan *chan);
/* The value in `head` has been taken. */
static inline void neap_chan_taken(neap_chan *chan);
/* The value in `head` has been taken, and a newer one put in its slot. */
void neap_chan_replaced(neap_chan *chan);

/* The values of a MEET have been moved: the wait of `peer` ends. */
static inline void neap_chan_met(neap_node *peer);

/* Queue `task`, which has `count` values to send; after PARK. */
static inline void neap_chan_park_send(neap_chan *chan, neap_task *task, uint32_t count);
static inline void neap_chan_park_recv(neap_chan *chan, neap_task *task);
/* Queue `task` until there is room for a value, which it does not reserve. */
void neap_chan_park_room(neap_chan *chan, neap_task *task);
/* The same for an arm of a select, of neap_chan_send_class or _recv_class. */
void neap_chan_queue_send(neap_chan *chan, neap_node *node, uint32_t count);
void neap_chan_queue_recv(neap_chan *chan, neap_node *node);

/* Whoever waits is refused (NEAP_ECLOSED); what is in the buffer can still be
 * received. False, and nothing changes, when it was closed before. */
bool neap_chan_close(neap_chan *chan);
/* What is in the buffer of a closed channel is nobody's any more. */
void neap_chan_discard(neap_chan *chan);

void neap_chan_open_end(neap_chan *chan, neap_chan_side side);
/* One end less; the last of its side closes the channel. True if it was the last. */
bool neap_chan_close_end(neap_chan *chan, neap_chan_side side);

static inline neap_chan_step neap_chan_offer(const neap_chan *chan, neap_node **peer)
{
    /* A closed channel has no receivers, so the usual case is asked first. */
    if (neap_link_linked(&chan->receivers)) {
        *peer = neap_container(chan->receivers.next, neap_node, link);
        return NEAP_CHAN_MEET;
    }
    if (chan->closed)
        return NEAP_CHAN_CLOSED;
    if (chan->count < chan->capacity)
        return NEAP_CHAN_SLOT;
    switch ((neap_chan_full)chan->on_full) {
    case NEAP_CHAN_DROP_OLDEST: return NEAP_CHAN_REPLACE;
    case NEAP_CHAN_DROP_NEWEST: return NEAP_CHAN_DROP;
    case NEAP_CHAN_WAIT:        break;
    }
    return NEAP_CHAN_PARK;
}

static inline void neap_chan_stored(neap_chan *chan)
{
    assert(chan->count < chan->capacity);
    chan->count++;
}

static inline void neap_chan_taken(neap_chan *chan)
{
    assert(chan->count > 0);
    /* An empty ring begins anew: a large one uses as few slots as it can. */
    if (--chan->count == 0 || ++chan->head == chan->capacity)
        chan->head = 0;
    if (neap_link_linked(&chan->watchers))
        neap_wait_end_all(&chan->watchers, NEAP_OK);
}

static inline void neap_chan_met(neap_node *peer)
{
    if (peer->arm > 0) {
        neap_node_end(peer, NEAP_OK);
        return;
    }
    neap_task *task = neap_container(peer, neap_task, wait.node);
    neap_link_remove(&peer->link);
    task->wait.result = NEAP_OK;
    task->wait.arm = 0;
    neap_sched_ready(task);
}

static inline void neap_chan_park_send(neap_chan *chan, neap_task *task, uint32_t count)
{
    neap_wait_park(task, &neap_chan_send_class, chan);
    task->wait.node.count = count;
    neap_link_append(&chan->senders, &task->wait.node.link);
}

static inline void neap_chan_park_recv(neap_chan *chan, neap_task *task)
{
    neap_wait_park(task, &neap_chan_recv_class, chan);
    neap_link_append(&chan->receivers, &task->wait.node.link);
}

static inline neap_chan_step neap_chan_ask(const neap_chan *chan, neap_node **peer)
{
    if (neap_link_linked(&chan->senders)) {
        *peer = neap_container(chan->senders.next, neap_node, link);
        return chan->count > 0 ? NEAP_CHAN_REPLACE : NEAP_CHAN_MEET;
    }
    if (chan->count > 0)
        return NEAP_CHAN_SLOT;
    return chan->closed ? NEAP_CHAN_CLOSED : NEAP_CHAN_PARK;
}

#endif
