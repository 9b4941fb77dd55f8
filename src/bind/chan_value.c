#include "bind/chan.h"

#include "bind/pack.h"
#include "bind/select.h"

const neap_bind_type neap_bind_chan_type = { "neap.channel" };

/* Move the value on top into `slot` of the buffer of the channel at `at`. */
static void store(lua_State *L, int at, const neap_bind_chan *chan, uint32_t slot)
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

/* Push what is in `slot`. */
static void load(lua_State *L, int at, const neap_bind_chan *chan, uint32_t slot)
{
    if (chan->core.capacity <= NEAP_CHAN_SMALL) {
        lua_getiuservalue(L, at, NEAP_CHAN_BUFFER + (int)slot);
        return;
    }
    lua_getiuservalue(L, at, NEAP_CHAN_BUFFER);
    lua_rawgeti(L, -1, (lua_Integer)slot + 1);
    lua_replace(L, -2);
}

/* The value on top came out of the buffer: in place of a pack, push what is in it.
 * How many values it is. */
static inline int unpack(lua_State *L, const neap_bind_chan *chan)
{
    return chan->has_packs ? neap_bind_unpack(L) : 1;
}

/* Hand the top `count` values, which nobody will receive, to on_undelivered of the
 * channel at `at`. They are popped. */
static void drop(lua_State *L, int at, const neap_bind_chan *chan, int count)
{
    if (!chan->has_on_undelivered) {
        lua_pop(L, count);
        return;
    }
    neap_bind_checkstack(L, 1, NULL);
    lua_getiuservalue(L, at, NEAP_CHAN_ON_UNDELIVERED);
    lua_insert(L, -count - 1);
    lua_call(L, count, 0);
}

/* Push the values of the waiting sender in `peer`, which lose their owner: its
 * wait is then ended. */
static int take(lua_State *L, neap_node *peer)
{
    if (peer->arm > 0) {
        neap_bind_select_take(L, peer);
        return 1;
    }
    int count = (int)peer->count;
    if (!neap_bind_take(L, neap_node_task(peer), count))
        neap_bind_memory(L);
    return count;
}

neap_chan_step neap_bind_chan_put(lua_State *L, int at, neap_bind_chan *chan, int *count)
{
    neap_node *peer;
    bool packed = *count > 1 && chan->core.capacity > 0
                  && !neap_link_linked(&chan->core.receivers);

    /* First, since a finalizer may run here and use the channel. */
    if (packed) {
        neap_bind_pack(L, *count);
        chan->has_packs = true;
        *count = 1;
    }
    neap_chan_step step = neap_chan_offer(&chan->core, &peer);
    switch (step) {
    case NEAP_CHAN_MEET:
        if (packed)
            *count = neap_bind_unpack(L);
        if (!neap_bind_give(L, neap_node_task(peer), *count))
            neap_bind_memory(L);
        peer->count = (uint32_t)*count;
        neap_node_end(peer, NEAP_OK);
        break;
    case NEAP_CHAN_SLOT:
        store(L, at, chan, neap_chan_tail(&chan->core));
        neap_chan_stored(&chan->core);
        break;
    case NEAP_CHAN_REPLACE:
        load(L, at, chan, chan->core.head);
        lua_insert(L, -2);
        store(L, at, chan, chan->core.head);
        neap_chan_replaced(&chan->core);
        drop(L, at, chan, unpack(L, chan));
        break;
    case NEAP_CHAN_DROP:
        drop(L, at, chan, packed ? neap_bind_unpack(L) : *count);
        break;
    case NEAP_CHAN_PARK:
    case NEAP_CHAN_CLOSED:
        break;
    }
    return step;
}

int neap_bind_chan_get(lua_State *L, int at, neap_bind_chan *chan)
{
    neap_node *peer;
    neap_chan_step step = neap_chan_ask(&chan->core, &peer);
    int count;

    switch (step) {
    case NEAP_CHAN_MEET:
        count = take(L, peer);
        neap_node_end(peer, NEAP_OK);
        return count;
    case NEAP_CHAN_SLOT:
    case NEAP_CHAN_REPLACE:
        load(L, at, chan, chan->core.head);
        count = unpack(L, chan);
        if (step == NEAP_CHAN_SLOT) {
            lua_pushnil(L);
            store(L, at, chan, chan->core.head);
            neap_chan_taken(&chan->core);
        } else {
            /* The slot is in use, so nothing allocates once it was taken. */
            neap_bind_checkstack(L, 4, NULL);
            take(L, peer);
            store(L, at, chan, chan->core.head);
            neap_chan_replaced(&chan->core);
            neap_node_end(peer, NEAP_OK);
        }
        return count;
    case NEAP_CHAN_CLOSED:
        return neap_bind_chan_push_closed(L, at, chan);
    case NEAP_CHAN_DROP:
    case NEAP_CHAN_PARK:
        break;
    }
    return 0;
}

void neap_bind_chan_discard(lua_State *L, int at, neap_bind_chan *chan)
{
    uint32_t slot = chan->core.head, count = chan->core.count;

    if (count == 0)
        return;
    neap_bind_checkstack(L, 8 + NEAP_BIND_PACK_MAX, NULL);   /* the last line that can raise */
    neap_chan_discard(&chan->core);     /* closed, so nothing is stored any more */
    lua_pushnil(L);
    int first_error = lua_gettop(L);
    bool failed = false;
    for (; count > 0; count--, slot = slot + 1 < chan->core.capacity ? slot + 1 : 0) {
        lua_getiuservalue(L, at, NEAP_CHAN_ON_UNDELIVERED);
        load(L, at, chan, slot);
        lua_pushnil(L);
        store(L, at, chan, slot);
        if (!chan->has_on_undelivered) {
            lua_pop(L, 2);
        } else if (lua_pcall(L, unpack(L, chan), 0, 0) != LUA_OK) {
            if (!failed)
                lua_copy(L, -1, first_error);
            failed = true;
            lua_pop(L, 1);
        }
    }
    if (failed)
        lua_error(L);
    lua_pop(L, 1);
}

int neap_bind_chan_push_closed(lua_State *L, int at, const neap_bind_chan *chan)
{
    if (chan->has_cause) {
        lua_getiuservalue(L, at, NEAP_CHAN_CAUSE);
        return lua_error(L);
    }
    lua_pushnil(L);
    lua_pushliteral(L, "closed");
    return 2;
}

int neap_bind_chan_raise_closed(lua_State *L, int at)
{
    const neap_bind_chan *chan = lua_touserdata(L, at);

    neap_bind_checkstack(L, 8, NULL);
    neap_bind_push_error(L, "closed", "ECLOSED", "channel:send", ": the channel is closed");
    if (chan->has_cause) {
        lua_getiuservalue(L, at, NEAP_CHAN_CAUSE);
        lua_setfield(L, -2, "cause");
    }
    return lua_error(L);
}
