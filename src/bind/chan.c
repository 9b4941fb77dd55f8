/* bind/chan.c - neap.core.chan: channels and their ends as Lua sees them.
 *
 * Every method begins by putting the channel itself at index 1: in the place of
 * an end or, in the place of a closed end, one channel that was always closed.
 */
#include "bind/chan_value.h"

#include <math.h>
#include <string.h>

/* Most sends and receives neither wait nor meet anyone: one value goes into the buffer,
 * or comes out of it. The methods do that by themselves, in few instructions; a function
 * beside each does whatever comes, with all of chan_value.h in it. */
#define WHATEVER __attribute__((flatten, noinline))

static const neap_bind_type SENDER   = { "neap.channel.sender" };
static const neap_bind_type RECEIVER = { "neap.channel.receiver" };
static const neap_bind_type WITHIN   = { "neap.channel.within" };

static const char CLOSED;       /* registry key of the channel of closed ends */

/* User value 1 is the channel. */
struct end {
    const neap_bind_type *type;
    neap_bind_chan       *chan;
    bool                  closed;
};

/* A receive that a timer may end: a select of two arms. */
struct within {
    const neap_bind_type *type;
    neap_select           core;
    neap_arm              arms[2];      /* the channel, the timer */
};

/* --- whose method it is ---------------------------------------------------------- */

static neap_bind_chan *chan_of_end(lua_State *L, const neap_bind_type *side)
{
    struct end *end = neap_bind_test(L, 1, side);

    if (end == NULL)
        return neap_bind_arg(L, 1, &neap_bind_chan_type);      /* raises */
    if (end->closed)
        lua_rawgetp(L, LUA_REGISTRYINDEX, &CLOSED);
    else
        lua_getiuservalue(L, 1, 1);
    lua_replace(L, 1);
    return lua_touserdata(L, 1);
}

/* The channel that the method is called of, directly or of an end of `side`. */
static inline neap_bind_chan *chan_arg(lua_State *L, const neap_bind_type *side)
{
    neap_bind_chan *chan = neap_bind_test(L, 1, &neap_bind_chan_type);
    return chan != NULL ? chan : chan_of_end(L, side);
}

static neap_bind_chan *any_arg(lua_State *L)
{
    return chan_arg(L, neap_bind_test(L, 1, &SENDER) != NULL ? &SENDER : &RECEIVER);
}

/* --- send --------------------------------------------------------------------------- */

/* The values to send, from index 2 on: how many. */
static inline int check_values(lua_State *L)
{
    int count = lua_gettop(L) - 1;

    if (lua_isnoneornil(L, 2))
        neap_bind_usage(L, "channel:send: nil cannot be sent as the first value; a receiver "
                        "takes it for the end");
    if (count > NEAP_BIND_PACK_MAX)
        neap_bind_usage(L, "channel:send: %d values; at most %d can be sent at once, or one "
                        "table", count, NEAP_BIND_PACK_MAX);
    return count;
}

/* [1] channel; what lies above it does not matter. `ctx` is the wait. */
static int send_k(lua_State *L, int status, lua_KContext ctx)
{
    const neap_wait *wait = (const neap_wait *)ctx;
    (void)status;

    if (wait->result == NEAP_OK)
        return 0;
    if (wait->result == NEAP_ECLOSED)
        return neap_bind_chan_raise_closed(L, 1);
    return neap_bind_fail(L, wait->result, "channel:send");
}

/* `chan` may be NULL. */
WHATEVER static int send_any(lua_State *L, neap_bind_chan *chan)
{
    if (chan == NULL)
        chan = chan_of_end(L, &SENDER);
    int count = check_values(L);
    neap_task *task = neap_bind_checkpoint(L, "channel:send");

    switch (neap_bind_chan_put(L, 1, chan, count)) {
    case NEAP_CHAN_CLOSED:
        return neap_bind_chan_raise_closed(L, 1);
    case NEAP_CHAN_PARK:
        if (chan->core.capacity > 0)
            count = 1;
        neap_hand_offer(L, task, count);
        neap_chan_park_send(&chan->core, task, (uint32_t)count);
        return neap_bind_suspend(L, (lua_KContext)&task->wait, send_k);
    default:
        return neap_bind_return(L, 0);
    }
}

/* ch:send(v, ...) */
static int l_send(lua_State *L)
{
    neap_bind_chan *chan = neap_bind_test(L, 1, &neap_bind_chan_type);
    neap_node *peer;

    if (chan == NULL || neap_chan_offer(&chan->core, &peer) != NEAP_CHAN_SLOT ||
        lua_gettop(L) != 2 || lua_isnil(L, 2) || !neap_bind_passes(L))
        return send_any(L, chan);
    neap_bind_chan_store(L, 1, chan, neap_chan_tail(&chan->core));
    neap_chan_stored(&chan->core);
    return 0;
}

/* ch:try_send(v, ...) -> true, or nil and "full" or "closed" */
static int l_try_send(lua_State *L)
{
    neap_bind_chan *chan = chan_arg(L, &SENDER);
    int count = check_values(L);

    switch (neap_bind_chan_put(L, 1, chan, count)) {
    case NEAP_CHAN_CLOSED:
        lua_pushnil(L);
        lua_pushliteral(L, "closed");
        return 2;
    case NEAP_CHAN_PARK:
        lua_pushnil(L);
        lua_pushliteral(L, "full");
        return 2;
    default:
        lua_pushboolean(L, true);
        return 1;
    }
}

/* --- receive ------------------------------------------------------------------------ */

/* What a wait that ended with `result` gives: `given` values are on top. */
static int received(lua_State *L, int at, uint32_t given, int result)
{
    if (result == NEAP_OK)
        return (int)given;
    if (result == NEAP_ECLOSED)
        return neap_bind_chan_push_closed(L, at, lua_touserdata(L, at));
    return neap_bind_fail(L, result, "channel:recv");
}

/* [1] channel; on top what was given. `ctx` is the wait. */
static int recv_k(lua_State *L, int status, lua_KContext ctx)
{
    const neap_wait *wait = (const neap_wait *)ctx;
    (void)status;
    return received(L, 1, wait->node.count, wait->result);
}

/* `chan` may be NULL. */
WHATEVER static int receive_any(lua_State *L, neap_bind_chan *chan)
{
    if (chan == NULL)
        chan = chan_of_end(L, &RECEIVER);
    neap_task *task = neap_bind_checkpoint(L, "channel:recv");
    int count = neap_bind_chan_get(L, 1, chan);
    if (count > 0)
        return neap_bind_return(L, count);
    neap_chan_park_recv(&chan->core, task);
    return neap_bind_suspend(L, (lua_KContext)&task->wait, recv_k);
}

/* ch:recv() -> values; also as the iterator of `for v in ch do` */
static int l_recv(lua_State *L)
{
    neap_bind_chan *chan = neap_bind_test(L, 1, &neap_bind_chan_type);
    neap_node *peer;

    if (chan == NULL || neap_chan_ask(&chan->core, &peer) != NEAP_CHAN_SLOT ||
        !neap_bind_passes(L))
        return receive_any(L, chan);
    return neap_bind_chan_take_slot(L, 1, chan);
}

/* ch:try_recv() -> values, or nil and "empty" or "closed" */
static int l_try_recv(lua_State *L)
{
    neap_bind_chan *chan = chan_arg(L, &RECEIVER);
    int count = neap_bind_chan_get(L, 1, chan);

    if (count > 0)
        return count;
    lua_pushnil(L);
    lua_pushliteral(L, "empty");
    return 2;
}

/* [1] channel, [2] box of the wait; on top what was given. `ctx` is the box. */
static int recv_within_k(lua_State *L, int status, lua_KContext ctx)
{
    const struct within *within = (const struct within *)ctx;
    const neap_wait *wait = &within->core.task->wait;
    (void)status;

    if (wait->result == NEAP_OK && wait->arm == 1) {
        lua_pushnil(L);
        lua_pushliteral(L, "timeout");
        return 2;
    }
    return received(L, 1, within->arms[0].node.count, wait->result);
}

/* ch:recv_within(duration) -> values, or nil and "timeout" or "closed" */
static int l_recv_within(lua_State *L)
{
    neap_bind_chan *chan = chan_arg(L, &RECEIVER);
    uint64_t ns = neap_bind_duration(L, 2, "channel:recv_within");
    neap_task *task = neap_bind_checkpoint(L, "channel:recv_within");

    lua_settop(L, 1);
    struct within *within = neap_bind_new(L, &WITHIN, sizeof *within, 0);
    neap_bind_reserve(L);
    int count = neap_bind_chan_get(L, 1, chan);
    if (count > 0)
        return neap_bind_return(L, count);
    neap_select *select = &within->core;
    neap_clock *clock = neap_host_of(L)->sched.clock;
    neap_select_park(select, task, within->arms, 2);
    neap_chan_queue_recv(&chan->core,
                         neap_select_queue(select, 0, &neap_chan_recv_class, &chan->core));
    neap_select_after(select, 1, neap_clock_after(neap_clock_now(clock), ns));
    return neap_bind_suspend(L, (lua_KContext)within, recv_within_k);
}

/* --- arms of a select ------------------------------------------------------------------ */

static int on_recv_now(lua_State *L, int arm)
{
    lua_getiuservalue(L, arm, 1);
    int at = lua_gettop(L);
    int count = neap_bind_chan_get(L, at, lua_touserdata(L, at));
    lua_rotate(L, at, count);
    lua_settop(L, at - 1 + count);
    return count > 0 ? count : NEAP_BIND_ARM_WAITS;
}

static void on_recv_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_chan_queue_recv(arm->object, neap_select_queue(select, index, &neap_chan_recv_class,
                                                        arm->object));
}

static int on_recv_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    (void)prepared;
    if (result == NEAP_OK)
        return given;
    lua_getiuservalue(L, arm, 1);
    int at = lua_gettop(L);
    int count = neap_bind_chan_push_closed(L, at, lua_touserdata(L, at));
    lua_remove(L, at);
    return count;
}

static int on_send_now(lua_State *L, int arm)
{
    lua_getiuservalue(L, arm, 1);
    int at = lua_gettop(L);
    lua_getiuservalue(L, arm, 3);
    neap_chan_step step = neap_bind_chan_put(L, at, lua_touserdata(L, at), 1);
    if (step == NEAP_CHAN_CLOSED)
        return neap_bind_chan_raise_closed(L, at);
    lua_settop(L, at - 1);
    return step == NEAP_CHAN_PARK ? NEAP_BIND_ARM_WAITS : 0;
}

static void on_send_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_chan_queue_send(arm->object, neap_select_queue(select, index, &neap_chan_send_class,
                                                        arm->object), 1);
}

static int on_send_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    (void)prepared, (void)given;
    if (result == NEAP_OK)
        return 0;
    lua_getiuservalue(L, arm, 1);
    return neap_bind_chan_raise_closed(L, lua_gettop(L));
}

/* Arms of a rendezvous: a select cannot meet itself. */
static const neap_bind_arm_ops MEET_SEND = { .now = on_send_now, .queue = on_send_queue,
    .finish = on_send_finish, .gives = true };
static const neap_bind_arm_ops MEET_RECV = { .now = on_recv_now, .queue = on_recv_queue,
    .finish = on_recv_finish, .rival = &MEET_SEND, .takes = true };
static const neap_bind_arm_ops BUFFER_RECV = { .now = on_recv_now, .queue = on_recv_queue,
    .finish = on_recv_finish, .takes = true };
static const neap_bind_arm_ops BUFFER_SEND = { .now = on_send_now, .queue = on_send_queue,
    .finish = on_send_finish, .gives = true };

/* ch:on_recv([handler]) -> arm */
static int l_on_recv(lua_State *L)
{
    neap_bind_chan *chan = chan_arg(L, &RECEIVER);

    neap_bind_new_arm(L, chan->core.capacity > 0 ? &BUFFER_RECV : &MEET_RECV, &chan->core, 2,
                      "channel:on_recv");
    return 1;
}

/* ch:on_send(v [, handler]) -> arm */
static int l_on_send(lua_State *L)
{
    neap_bind_chan *chan = chan_arg(L, &SENDER);

    if (lua_isnoneornil(L, 2))
        neap_bind_usage(L, "channel:on_send: nil cannot be sent");
    neap_bind_new_arm(L, chan->core.capacity > 0 ? &BUFFER_SEND : &MEET_SEND, &chan->core, 3,
                      "channel:on_send");
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 3);
    return 1;
}

/* --- the rest of a channel, and its ends ------------------------------------------------ */

/* ch:close([cause]) */
static int l_close(lua_State *L)
{
    neap_bind_chan *chan = neap_bind_arg(L, 1, &neap_bind_chan_type);

    if (!chan->core.closed && !lua_isnoneornil(L, 2)) {
        lua_pushvalue(L, 2);
        lua_setiuservalue(L, 1, NEAP_CHAN_CAUSE);
        chan->has_cause = true;
    }
    neap_chan_close(&chan->core);
    return 0;
}

/* ch:abort([cause]) */
static int l_abort(lua_State *L)
{
    l_close(L);
    neap_bind_chan_discard(L, 1, lua_touserdata(L, 1));
    return 0;
}

static int l_len(lua_State *L)
{
    lua_pushinteger(L, any_arg(L)->core.count);
    return 1;
}

static int l_is_closed(lua_State *L)
{
    lua_pushboolean(L, any_arg(L)->core.closed);
    return 1;
}

static int new_end(lua_State *L, const neap_bind_type *type, neap_chan_side side)
{
    neap_bind_chan *chan = neap_bind_arg(L, 1, &neap_bind_chan_type);
    struct end *end = neap_bind_new(L, type, sizeof *end, 1);

    end->chan = chan;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    neap_chan_open_end(&chan->core, side);
    return 1;
}

/* ch:sender() -> end */
static int l_sender(lua_State *L)
{
    return new_end(L, &SENDER, NEAP_CHAN_SENDER);
}

/* ch:receiver() -> end */
static int l_receiver(lua_State *L)
{
    return new_end(L, &RECEIVER, NEAP_CHAN_RECEIVER);
}

/* The end at 1 is closed, once. True if it was the last of its side. */
static bool close_end(lua_State *L, const neap_bind_type *type, neap_chan_side side)
{
    struct end *end = neap_bind_arg(L, 1, type);

    if (end->closed)
        return false;
    end->closed = true;
    return neap_chan_close_end(&end->chan->core, side);
}

/* sender:close() and __close */
static int l_close_sender(lua_State *L)
{
    close_end(L, &SENDER, NEAP_CHAN_SENDER);
    return 0;
}

/* receiver:close() and __close */
static int l_close_receiver(lua_State *L)
{
    if (close_end(L, &RECEIVER, NEAP_CHAN_RECEIVER)) {
        lua_getiuservalue(L, 1, 1);
        neap_bind_chan_discard(L, lua_gettop(L), lua_touserdata(L, -1));
    }
    return 0;
}

/* --- the module --------------------------------------------------------------------------- */

static uint32_t check_capacity(lua_State *L, int idx)
{
    if (lua_isnoneornil(L, idx))
        return 0;
    if (lua_type(L, idx) == LUA_TNUMBER && isinf(lua_tonumber(L, idx)) && lua_tonumber(L, idx) > 0)
        return NEAP_CHAN_UNBOUNDED;
    return (uint32_t)neap_bind_integer(L, idx, "neap.channel: capacity", 0,
                                       NEAP_CHAN_UNBOUNDED - 1);
}

static neap_chan_full check_on_full(lua_State *L, int idx)
{
    static const char *const names[] = { "wait", "drop_oldest", "drop_newest" };

    if (lua_isnoneornil(L, idx))
        return NEAP_CHAN_WAIT;
    const char *name = neap_bind_string(L, idx, "neap.channel: on_full", NULL);
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            return (neap_chan_full)i;
    return (neap_chan_full)neap_bind_usage(L, "neap.channel: on_full: \"wait\", "
        "\"drop_oldest\" or \"drop_newest\" expected, got \"%s\"", name);
}

/* chan.new([capacity [, on_full [, on_undelivered]]]) -> channel */
static int l_new(lua_State *L)
{
    uint32_t capacity = check_capacity(L, 1);
    neap_chan_full on_full = check_on_full(L, 2);
    bool has_on_undelivered = !lua_isnoneornil(L, 3);

    if (capacity == 0 && on_full != NEAP_CHAN_WAIT)
        neap_bind_usage(L, "neap.channel: on_full: a channel that drops needs a capacity of at "
                        "least 1");
    if (has_on_undelivered)
        neap_bind_function(L, 3, "neap.channel: on_undelivered");
    lua_settop(L, 3);
    bool is_small = capacity > 0 && capacity <= NEAP_CHAN_SMALL;
    int values = NEAP_CHAN_BUFFER + (is_small ? (int)capacity - 1 : 0);
    neap_bind_chan *chan = neap_bind_new(L, &neap_bind_chan_type, sizeof *chan, values);
    neap_chan_init(&chan->core, capacity, on_full);
    chan->has_on_undelivered = has_on_undelivered;
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, 4, NEAP_CHAN_ON_UNDELIVERED);
    if (capacity > NEAP_CHAN_SMALL) {
        lua_newtable(L);
        lua_setiuservalue(L, 4, NEAP_CHAN_BUFFER);
    }
    return 1;
}

static int room_k(lua_State *L, int status, lua_KContext ctx)
{
    const neap_wait *wait = (const neap_wait *)ctx;
    (void)status;

    if (wait->result == NEAP_ECANCELLED)
        return neap_bind_fail(L, wait->result, "broadcast:publish");
    return 0;
}

/* chan.room(ch): wait until there is room for a value, or it is closed */
static int l_room(lua_State *L)
{
    neap_bind_chan *chan = any_arg(L);
    neap_task *task = neap_bind_checkpoint(L, "broadcast:publish");
    neap_node *peer;

    lua_settop(L, 1);
    if (chan->core.capacity == 0 || neap_chan_offer(&chan->core, &peer) != NEAP_CHAN_PARK)
        return neap_bind_return(L, 0);
    neap_chan_park_room(&chan->core, task);
    return neap_bind_suspend(L, (lua_KContext)&task->wait, room_k);
}

int luaopen_neap_core_chan(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { "room", l_room }, { NULL, NULL } };
    static const luaL_Reg chan[] = {
        { "send", l_send }, { "try_send", l_try_send }, { "on_send", l_on_send },
        { "recv", l_recv }, { "recv_within", l_recv_within }, { "try_recv", l_try_recv },
        { "on_recv", l_on_recv }, { "__call", l_recv }, { "close", l_close },
        { "abort", l_abort }, { "len", l_len }, { "is_closed", l_is_closed },
        { "sender", l_sender }, { "receiver", l_receiver }, { NULL, NULL } };
    static const luaL_Reg sender[] = {
        { "send", l_send }, { "try_send", l_try_send }, { "on_send", l_on_send },
        { "len", l_len }, { "is_closed", l_is_closed }, { "close", l_close_sender },
        { "__close", l_close_sender }, { NULL, NULL } };
    static const luaL_Reg receiver[] = {
        { "recv", l_recv }, { "recv_within", l_recv_within }, { "try_recv", l_try_recv },
        { "on_recv", l_on_recv }, { "__call", l_recv }, { "len", l_len },
        { "is_closed", l_is_closed }, { "close", l_close_receiver },
        { "__close", l_close_receiver }, { NULL, NULL } };
    static const luaL_Reg none[] = { { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &neap_bind_chan_type, chan, "methods");
    neap_bind_methods(L, &SENDER, sender, "sender");
    neap_bind_methods(L, &RECEIVER, receiver, "receiver");
    neap_bind_methods(L, &WITHIN, none, NULL);
    neap_bind_chan *closed = neap_bind_new(L, &neap_bind_chan_type, sizeof *closed, NEAP_CHAN_BUFFER);
    /* With a capacity: it stands for ends of many channels, which are no rivals in a select. */
    neap_chan_init(&closed->core, 1, NEAP_CHAN_WAIT);
    neap_chan_close(&closed->core);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &CLOSED);
    return 1;
}
