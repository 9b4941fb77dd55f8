/* Channels without Lua: who meets whom, which slot a value goes to, and what a
 * close or a cancellation leaves behind. The bind room's part, the moving of
 * values, is played by the steps: each value is one char. */
#include "test.h"

#include "core/chan.h"
#include "core/select.h"

static neap_sched sched;
static test_clock test_time;
static neap_chan chan;

static char   ring[8];          /* the caller's buffer, by slot */
static char   received[64];     /* in the order of the hand-offs */
static size_t received_count;
static char   dropped[64];
static size_t dropped_count;

static void note_received(char value)
{
    received[received_count++] = value;
    received[received_count] = 0;
}

static void note_dropped(char value)
{
    dropped[dropped_count++] = value;
    dropped[dropped_count] = 0;
}

static void begin(uint32_t capacity, neap_chan_full on_full)
{
    test_begin(&sched, &test_time);
    neap_chan_init(&chan, capacity, on_full);
    memset(ring, '.', sizeof ring);
    received_count = dropped_count = 0;
    received[0] = dropped[0] = 0;
}

/* The value that the sender in `node` has. */
static char value_of(neap_node *node)
{
    return (char)neap_container(neap_node_task(node), test_task, core)->tag;
}

/* Send `value` as far as it goes without waiting. */
static neap_chan_step try_send(char value)
{
    neap_node *peer;
    neap_chan_step step = neap_chan_offer(&chan, &peer);

    switch (step) {
    case NEAP_CHAN_MEET:
        note_received(value);
        neap_node_end(peer, NEAP_OK);
        break;
    case NEAP_CHAN_SLOT:
        ring[neap_chan_tail(&chan)] = value;
        neap_chan_stored(&chan);
        break;
    case NEAP_CHAN_REPLACE:
        note_dropped(ring[chan.head]);
        ring[chan.head] = value;
        neap_chan_replaced(&chan);
        break;
    case NEAP_CHAN_DROP:
        note_dropped(value);
        break;
    case NEAP_CHAN_PARK:
    case NEAP_CHAN_CLOSED:
        break;
    }
    return step;
}

static neap_chan_step try_recv(void)
{
    neap_node *peer;
    neap_chan_step step = neap_chan_ask(&chan, &peer);

    switch (step) {
    case NEAP_CHAN_MEET:
        note_received(value_of(peer));
        neap_node_end(peer, NEAP_OK);
        break;
    case NEAP_CHAN_REPLACE:
        note_received(ring[chan.head]);
        ring[chan.head] = value_of(peer);
        neap_chan_replaced(&chan);
        neap_node_end(peer, NEAP_OK);
        break;
    case NEAP_CHAN_SLOT:
        note_received(ring[chan.head]);
        ring[chan.head] = '.';
        neap_chan_taken(&chan);
        break;
    case NEAP_CHAN_DROP:
        CHECK(step != NEAP_CHAN_DROP);      /* a receive drops nothing */
        break;
    case NEAP_CHAN_PARK:
    case NEAP_CHAN_CLOSED:
        break;
    }
    return step;
}

/* Sends its tag, and ends. */
static bool send_tag(test_task *task)
{
    if (task->turns == 0 && try_send((char)task->tag) == NEAP_CHAN_PARK) {
        neap_chan_park_send(&chan, &task->core, 1);
        return true;
    }
    return false;
}

static bool recv_once(test_task *task)
{
    if (task->turns == 0 && try_recv() == NEAP_CHAN_PARK) {
        neap_chan_park_recv(&chan, &task->core);
        return true;
    }
    return false;
}

/* Receives until `data` counts three values. */
static bool recv_three(test_task *task)
{
    uintptr_t had = (uintptr_t)task->data;

    while (had < 3) {
        bool parks = try_recv() == NEAP_CHAN_PARK;
        task->data = (void *)++had;     /* one that parks is given its value */
        if (parks) {
            neap_chan_park_recv(&chan, &task->core);
            return true;
        }
    }
    return false;
}

static neap_scope cancelled;

static void cancel(test_task *task)
{
    neap_scope_wrap_task(&cancelled, &task->core);
    CHECK(neap_scope_cancel(&cancelled, NEAP_CANCEL_CANCELLED, 0));
}

static void a_rendezvous_meets_the_oldest_waiting_sender(void)
{
    test_task a, b, c, r;
    begin(0, NEAP_CHAN_WAIT);
    test_spawn(&sched, &a, 'a', send_tag);
    test_spawn(&sched, &b, 'b', send_tag);
    test_spawn(&sched, &c, 'c', send_tag);
    test_settle(&sched);
    CHECK(a.core.state == NEAP_TASK_WAITING && c.core.wait.node.count == 1);
    test_spawn(&sched, &r, 'r', recv_three);
    test_settle(&sched);
    CHECK(strcmp(received, "abc") == 0);
    CHECK(a.core.state == NEAP_TASK_DONE && a.core.wait.result == NEAP_OK);
    CHECK(sched.root.running == 0);
    neap_sched_deinit(&sched);
}

static void a_rendezvous_meets_the_oldest_waiting_receiver(void)
{
    test_task a, b, s, t;
    begin(0, NEAP_CHAN_WAIT);
    test_spawn(&sched, &a, 'A', recv_once);
    test_spawn(&sched, &b, 'B', recv_once);
    test_spawn(&sched, &s, 's', send_tag);
    test_spawn(&sched, &t, 't', send_tag);
    test_settle(&sched);
    CHECK(strcmp(received, "st") == 0);
    CHECK(strcmp(test_trace, "ABstAB") == 0);
    neap_sched_deinit(&sched);
}

static void values_leave_a_buffer_in_the_order_in_which_they_came(void)
{
    begin(3, NEAP_CHAN_WAIT);
    for (char value = 'a'; value <= 'c'; value++)
        CHECK(try_send(value) == NEAP_CHAN_SLOT);
    CHECK(try_recv() == NEAP_CHAN_SLOT && try_recv() == NEAP_CHAN_SLOT);
    /* Round the ring. */
    CHECK(try_send('d') == NEAP_CHAN_SLOT && try_send('e') == NEAP_CHAN_SLOT);
    CHECK(chan.count == 3 && strncmp(ring, "dec", 3) == 0);
    CHECK(try_send('x') == NEAP_CHAN_PARK);
    while (try_recv() == NEAP_CHAN_SLOT)
        ;
    CHECK(strcmp(received, "abcde") == 0);
    neap_sched_deinit(&sched);
}

static void an_empty_ring_begins_anew(void)
{
    begin(NEAP_CHAN_UNBOUNDED, NEAP_CHAN_WAIT);
    for (int i = 0; i < 20; i++) {
        CHECK(try_send('a') == NEAP_CHAN_SLOT && try_send('b') == NEAP_CHAN_SLOT);
        CHECK(try_recv() == NEAP_CHAN_SLOT && try_recv() == NEAP_CHAN_SLOT);
    }
    CHECK(chan.head == 0 && chan.count == 0);
    neap_sched_deinit(&sched);
}

static void a_taken_slot_goes_to_the_oldest_waiting_sender(void)
{
    test_task a, b, c, d, r;
    begin(2, NEAP_CHAN_WAIT);
    test_spawn(&sched, &a, 'a', send_tag);
    test_spawn(&sched, &b, 'b', send_tag);
    test_spawn(&sched, &c, 'c', send_tag);
    test_spawn(&sched, &d, 'd', send_tag);
    test_settle(&sched);
    CHECK(a.core.state == NEAP_TASK_DONE && c.core.state == NEAP_TASK_WAITING);
    test_spawn(&sched, &r, 'r', recv_once);
    test_settle(&sched);
    CHECK(strcmp(received, "a") == 0 && strncmp(ring, "cb", 2) == 0);
    CHECK(c.core.state == NEAP_TASK_DONE && d.core.state == NEAP_TASK_WAITING);
    /* Nobody overtakes the one that still waits. */
    CHECK(try_send('x') == NEAP_CHAN_PARK);
    while (chan.count > 0)
        try_recv();
    test_settle(&sched);
    CHECK(strcmp(received, "abcd") == 0 && sched.root.running == 0);
    neap_sched_deinit(&sched);
}

static void a_full_buffer_drops_the_oldest_value(void)
{
    begin(2, NEAP_CHAN_DROP_OLDEST);
    CHECK(try_send('a') == NEAP_CHAN_SLOT && try_send('b') == NEAP_CHAN_SLOT);
    CHECK(try_send('c') == NEAP_CHAN_REPLACE && try_send('d') == NEAP_CHAN_REPLACE);
    CHECK(try_send('e') == NEAP_CHAN_REPLACE);
    CHECK(strcmp(dropped, "abc") == 0 && chan.count == 2);
    while (try_recv() == NEAP_CHAN_SLOT)
        ;
    CHECK(strcmp(received, "de") == 0);
    neap_sched_deinit(&sched);
}

static void a_full_buffer_drops_the_newest_value(void)
{
    begin(2, NEAP_CHAN_DROP_NEWEST);
    try_send('a');
    try_send('b');
    CHECK(try_send('c') == NEAP_CHAN_DROP && strcmp(dropped, "c") == 0);
    CHECK(try_recv() == NEAP_CHAN_SLOT && try_send('d') == NEAP_CHAN_SLOT);
    CHECK(try_recv() == NEAP_CHAN_SLOT && try_recv() == NEAP_CHAN_SLOT);
    CHECK(strcmp(received, "abd") == 0);
    neap_sched_deinit(&sched);
}

static void closing_refuses_senders_and_lets_receivers_drain(void)
{
    test_task a, b, c;
    begin(1, NEAP_CHAN_WAIT);
    test_spawn(&sched, &a, 'a', send_tag);
    test_spawn(&sched, &b, 'b', send_tag);
    test_spawn(&sched, &c, 'c', send_tag);
    test_settle(&sched);
    CHECK(neap_chan_close(&chan));
    test_settle(&sched);
    CHECK(b.core.wait.result == NEAP_ECLOSED && c.core.wait.result == NEAP_ECLOSED);
    CHECK(strcmp(test_trace, "abcbc") == 0);
    CHECK(try_send('x') == NEAP_CHAN_CLOSED);
    CHECK(try_recv() == NEAP_CHAN_SLOT && try_recv() == NEAP_CHAN_CLOSED);
    CHECK(strcmp(received, "a") == 0);
    neap_sched_deinit(&sched);
}

static void closing_ends_the_receivers_that_wait(void)
{
    test_task a, b;
    begin(0, NEAP_CHAN_WAIT);
    test_spawn(&sched, &a, 'a', recv_once);
    test_spawn(&sched, &b, 'b', recv_once);
    test_settle(&sched);
    CHECK(neap_chan_close(&chan));
    CHECK(try_send('x') == NEAP_CHAN_CLOSED);
    test_settle(&sched);
    CHECK(a.core.wait.result == NEAP_ECLOSED && b.core.wait.result == NEAP_ECLOSED);
    CHECK(sched.root.running == 0);
    neap_sched_deinit(&sched);
}

static void a_second_close_changes_nothing(void)
{
    begin(1, NEAP_CHAN_WAIT);
    try_send('a');
    CHECK(neap_chan_close(&chan) && !neap_chan_close(&chan));
    CHECK(chan.count == 1);
    neap_chan_discard(&chan);
    CHECK(try_recv() == NEAP_CHAN_CLOSED);
    neap_sched_deinit(&sched);
}

static void the_last_end_of_a_side_closes_the_channel(void)
{
    begin(1, NEAP_CHAN_WAIT);
    neap_chan_open_end(&chan, NEAP_CHAN_SENDER);
    neap_chan_open_end(&chan, NEAP_CHAN_SENDER);
    neap_chan_open_end(&chan, NEAP_CHAN_RECEIVER);
    CHECK(!neap_chan_close_end(&chan, NEAP_CHAN_SENDER) && !chan.closed);
    CHECK(neap_chan_close_end(&chan, NEAP_CHAN_SENDER) && chan.closed);
    CHECK(neap_chan_close_end(&chan, NEAP_CHAN_RECEIVER));
    neap_sched_deinit(&sched);
}

static void a_cancelled_sender_keeps_its_value(void)
{
    test_task a, b, r;
    begin(0, NEAP_CHAN_WAIT);
    test_spawn(&sched, &a, 'a', send_tag);
    test_spawn(&sched, &b, 'b', send_tag);
    test_settle(&sched);
    cancel(&a);
    test_settle(&sched);
    CHECK(a.core.wait.result == NEAP_ECANCELLED && a.core.state == NEAP_TASK_CANCELLED);
    test_spawn(&sched, &r, 'r', recv_once);
    test_settle(&sched);
    CHECK(strcmp(received, "b") == 0 && b.core.wait.result == NEAP_OK);
    neap_sched_deinit(&sched);
}

static void a_cancelled_receiver_is_passed_over(void)
{
    test_task a, b;
    begin(0, NEAP_CHAN_WAIT);
    test_spawn(&sched, &a, 'a', recv_once);
    test_spawn(&sched, &b, 'b', recv_once);
    test_settle(&sched);
    cancel(&a);
    CHECK(try_send('x') == NEAP_CHAN_MEET);
    CHECK(b.core.wait.result == NEAP_OK && b.core.state == NEAP_TASK_READY);
    CHECK(try_send('y') == NEAP_CHAN_PARK);
    test_settle(&sched);
    CHECK(strcmp(test_trace, "abab") == 0);
    neap_sched_deinit(&sched);
}

static void a_hand_off_wins_over_a_later_cancellation(void)
{
    test_task r, s;
    begin(0, NEAP_CHAN_WAIT);
    test_spawn(&sched, &r, 'r', recv_once);
    test_settle(&sched);
    CHECK(try_send('x') == NEAP_CHAN_MEET);
    cancel(&r);
    CHECK(r.core.wait.result == NEAP_OK && strcmp(received, "x") == 0);
    test_settle(&sched);

    test_spawn(&sched, &s, 's', send_tag);
    test_settle(&sched);
    CHECK(try_recv() == NEAP_CHAN_MEET);
    cancel(&s);
    CHECK(s.core.wait.result == NEAP_OK && strcmp(received, "xs") == 0);
    test_settle(&sched);
    neap_sched_deinit(&sched);
}

static bool watch(test_task *task)
{
    if (task->turns == 0) {
        neap_chan_park_room(&chan, &task->core);
        return true;
    }
    return false;
}

static void watchers_are_told_of_room_and_of_the_close(void)
{
    test_task a, b;
    begin(1, NEAP_CHAN_WAIT);
    try_send('x');
    test_spawn(&sched, &a, 'a', watch);
    test_settle(&sched);
    try_recv();
    CHECK(a.core.state == NEAP_TASK_READY && a.core.wait.result == NEAP_OK);
    CHECK(try_send('y') == NEAP_CHAN_SLOT);     /* room is not reserved */
    test_spawn(&sched, &b, 'b', watch);
    test_settle(&sched);
    neap_chan_close(&chan);
    CHECK(b.core.wait.result == NEAP_ECLOSED);
    test_settle(&sched);
    neap_sched_deinit(&sched);
}

static void watchers_wait_on_while_a_sender_takes_the_room(void)
{
    test_task s, w;
    begin(1, NEAP_CHAN_WAIT);
    try_send('x');
    test_spawn(&sched, &s, 's', send_tag);
    test_spawn(&sched, &w, 'w', watch);
    test_settle(&sched);
    CHECK(try_recv() == NEAP_CHAN_REPLACE && w.core.state == NEAP_TASK_WAITING);
    test_settle(&sched);
    CHECK(try_recv() == NEAP_CHAN_SLOT && w.core.state == NEAP_TASK_READY);
    test_settle(&sched);
    neap_sched_deinit(&sched);
}

static neap_chan other;
static neap_select choice;
static neap_arm arms[2];

/* Receives from `other` or sends its tag to `chan`. */
static bool recv_or_send(test_task *task)
{
    if (task->turns == 1)
        return false;
    neap_select_park(&choice, &task->core, arms, 2);
    neap_chan_queue_recv(&other, neap_select_queue(&choice, 0, &neap_chan_recv_class, &other));
    neap_chan_queue_send(&chan, neap_select_queue(&choice, 1, &neap_chan_send_class, &chan), 1);
    return true;
}

static void exactly_one_arm_of_a_select_happens(void)
{
    test_task s;
    begin(0, NEAP_CHAN_WAIT);
    neap_chan_init(&other, 0, NEAP_CHAN_WAIT);
    test_spawn(&sched, &s, 's', recv_or_send);
    test_settle(&sched);
    CHECK(try_recv() == NEAP_CHAN_MEET && strcmp(received, "s") == 0);
    CHECK(choice.task->wait.result == NEAP_OK && choice.task->wait.arm == 1);
    CHECK(!neap_link_linked(&other.receivers) && !neap_link_linked(&chan.senders));
    test_settle(&sched);
    neap_sched_deinit(&sched);
}

static void a_closed_arm_ends_the_select(void)
{
    test_task s;
    begin(0, NEAP_CHAN_WAIT);
    neap_chan_init(&other, 0, NEAP_CHAN_WAIT);
    test_spawn(&sched, &s, 's', recv_or_send);
    test_settle(&sched);
    neap_chan_close(&other);
    CHECK(choice.task->wait.result == NEAP_ECLOSED && choice.task->wait.arm == 0);
    CHECK(!neap_link_linked(&chan.senders));
    test_settle(&sched);
    neap_sched_deinit(&sched);
}

int main(void)
{
    RUN(a_rendezvous_meets_the_oldest_waiting_sender);
    RUN(a_rendezvous_meets_the_oldest_waiting_receiver);
    RUN(values_leave_a_buffer_in_the_order_in_which_they_came);
    RUN(an_empty_ring_begins_anew);
    RUN(a_taken_slot_goes_to_the_oldest_waiting_sender);
    RUN(a_full_buffer_drops_the_oldest_value);
    RUN(a_full_buffer_drops_the_newest_value);
    RUN(closing_refuses_senders_and_lets_receivers_drain);
    RUN(closing_ends_the_receivers_that_wait);
    RUN(a_second_close_changes_nothing);
    RUN(the_last_end_of_a_side_closes_the_channel);
    RUN(a_cancelled_sender_keeps_its_value);
    RUN(a_cancelled_receiver_is_passed_over);
    RUN(a_hand_off_wins_over_a_later_cancellation);
    RUN(watchers_are_told_of_room_and_of_the_close);
    RUN(watchers_wait_on_while_a_sender_takes_the_room);
    RUN(exactly_one_arm_of_a_select_happens);
    RUN(a_closed_arm_ends_the_select);
    return REPORT();
}
