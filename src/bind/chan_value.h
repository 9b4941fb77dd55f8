/* bind/chan_value.h - how values get into a channel and out of it.
 *
 * Values go from stack to stack. One that has to stay goes into the buffer, by the
 * slots of core/chan; several that were sent at once stay as one (bind/pack.h). A
 * small buffer is user values of the channel; a large one is a table, which takes
 * memory only for what is in it.
 *
 * Inline: send and receive are what tasks do most.
 *
 * Errors  A value is moved entirely or, when something raises, not at all.
 *         Between asking core/chan and acting nothing may allocate a Lua object:
 *         a finalizer of the script's would run and find the channel half-way.
 */
#ifndef NEAP_BIND_CHAN_VALUE_H
#define NEAP_BIND_CHAN_VALUE_H

#include "bind/chan.h"
#include "bind/hand.h"
#include "bind/pack.h"
#include "bind/select.h"

/* Move the value on top into `slot` of the buffer of the channel at `at`. */
static inline void neap_bind_chan_store(lua_State *L, int at, const neap_bind_chan *chan,
                                        uint32_t slot)
{
    if (chan->core.capacity <= NEAP_CHAN_SMALL) {
        lua_setiuservalue(L, at, NEAP_CHAN_BUFFER + (int)slot);
        return;
    }
    lua_getiuservalue(L, at, NEAP_CHAN_BUFFER);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)slot + 1);
    lua_pop(L, 2);
}

/* Push what is in `slot`, and return its type. */
static inline int neap_bind_chan_load(lua_State *L, int at, const neap_bind_chan *chan,
                                      uint32_t slot)
{
    if (chan->core.capacity <= NEAP_CHAN_SMALL)
        return lua_getiuservalue(L, at, NEAP_CHAN_BUFFER + (int)slot);
    lua_getiuservalue(L, at, NEAP_CHAN_BUFFER);
    int type = lua_rawgeti(L, -1, (lua_Integer)slot + 1);
    lua_replace(L, -2);
    return type;
}

/* The value on top came out of the buffer: in place of a pack, push what is in it.
 * How many values it is. */
static inline int neap_bind_chan_unpack(lua_State *L, const neap_bind_chan *chan)
{
    return chan->has_packs ? neap_bind_unpack(L) : 1;
}

/* Push what is in the oldest slot, which is free then, and return how many values it is. */
static inline int neap_bind_chan_take_slot(lua_State *L, int at, neap_bind_chan *chan)
{
    int type = neap_bind_chan_load(L, at, chan, chan->core.head);
    int count = neap_bind_chan_unpack(L, chan);

    if (type > LUA_TNUMBER) {           /* what a collector may free does not stay behind */
        lua_pushnil(L);
        neap_bind_chan_store(L, at, chan, chan->core.head);
    }
    neap_chan_taken(&chan->core);
    return count;
}

/* Move the top `count` values to the waiting receiver `peer`. */
static inline void neap_bind_chan_meet(lua_State *L, neap_node *peer, int count)
{
    if (!neap_hand_give(L, neap_node_task(peer), count))
        neap_bind_memory(L);
    peer->count = (uint32_t)count;
    neap_chan_met(peer);
}

/* Of neap_bind_chan_put, what is rare: several values for a buffer; a buffer that drops. */
neap_chan_step neap_bind_chan_put_many(lua_State *L, int at, neap_bind_chan *chan, int count);
void neap_bind_chan_put_over(lua_State *L, int at, neap_bind_chan *chan, neap_chan_step step);

/* Push the values of the waiting sender in `peer`, which lose their owner: its
 * wait is then ended. */
static inline int neap_bind_chan_take_from(lua_State *L, neap_node *peer)
{
    if (peer->arm > 0) {
        neap_bind_select_take(L, peer);
        return 1;
    }
    int count = (int)peer->count;
    if (!neap_hand_take(L, neap_node_task(peer), count))
        neap_bind_memory(L);
    return count;
}

/* Send the top `count` values to the channel at `at` as far as it goes without
 * waiting. For PARK they are on top, those for a buffer as one. Else what is on top is
 * of no use. */
static inline neap_chan_step neap_bind_chan_put(lua_State *L, int at, neap_bind_chan *chan,
                                                int count)
{
    neap_node *peer;

    if (count > 1 && chan->core.capacity > 0 && !neap_link_linked(&chan->core.receivers))
        return neap_bind_chan_put_many(L, at, chan, count);
    neap_chan_step step = neap_chan_offer(&chan->core, &peer);
    switch (step) {
    case NEAP_CHAN_MEET:
        neap_bind_chan_meet(L, peer, count);
        break;
    case NEAP_CHAN_SLOT:
        neap_bind_chan_store(L, at, chan, neap_chan_tail(&chan->core));
        neap_chan_stored(&chan->core);
        break;
    case NEAP_CHAN_REPLACE:
    case NEAP_CHAN_DROP:
        neap_bind_chan_put_over(L, at, chan, step);
        break;
    case NEAP_CHAN_PARK:
    case NEAP_CHAN_CLOSED:
        break;
    }
    return step;
}

/* Push what can be received of the channel at `at` without waiting, and return
 * how many values it is: 0 if nothing can. A closed channel counts as something.
 * Right under the values something else may have been pushed. */
static inline int neap_bind_chan_get(lua_State *L, int at, neap_bind_chan *chan)
{
    neap_node *peer;
    int count;

    switch (neap_chan_ask(&chan->core, &peer)) {
    case NEAP_CHAN_MEET:
        count = neap_bind_chan_take_from(L, peer);
        neap_chan_met(peer);
        return count;
    case NEAP_CHAN_SLOT:
        return neap_bind_chan_take_slot(L, at, chan);
    case NEAP_CHAN_REPLACE:
        neap_bind_chan_load(L, at, chan, chan->core.head);
        count = neap_bind_chan_unpack(L, chan);
        /* The slot is in use, so nothing allocates once it was taken. */
        neap_bind_checkstack(L, 4, NULL);
        neap_bind_chan_take_from(L, peer);
        neap_bind_chan_store(L, at, chan, chan->core.head);
        neap_chan_replaced(&chan->core);
        neap_chan_met(peer);
        return count;
    case NEAP_CHAN_CLOSED:
        return neap_bind_chan_push_closed(L, at, chan);
    case NEAP_CHAN_DROP:
    case NEAP_CHAN_PARK:
        break;
    }
    return 0;
}

#endif
