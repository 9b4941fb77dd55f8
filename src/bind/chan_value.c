#include "bind/chan.h"

#include "bind/pack.h"
#include "bind/select.h"

const neap_bind_type neap_bind_chan_type = { "neap.channel" };

/* Hand the top `count` values, which nobody will receive, to on_undelivered of the
 * channel at `at`. They are popped. */
static void drop(lua_State *L, int at, const neap_bind_chan *chan, int count)
{
    if (!chan->has_on_undelivered) {
        lua_pop(L, count);
        return;
    }
    luaL_checkstack(L, 1, NULL);
    lua_getiuservalue(L, at, NEAP_CHAN_ON_UNDELIVERED);
    lua_insert(L, -count - 1);
    lua_call(L, count, 0);
}

/* Push the values of the waiting sender in `peer`, which lose their owner: its
 * wait is then ended. */
static int take(lua_State *L, neap_node *peer)
{
    if (peer->wait->class == &neap_select_class) {
        neap_bind_select_take(L, peer);
        return 1;
    }
    int count = (int)peer->count;
    if (!neap_bind_take(L, peer->wait->task, count))
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
        *count = 1;
    }
    neap_chan_step step = neap_chan_offer(&chan->core, &peer);
    switch (step) {
    case NEAP_CHAN_MEET:
        if (packed)
            *count = neap_bind_unpack(L);
        if (!neap_bind_give(L, peer->wait->task, *count))
            neap_bind_memory(L);
        peer->count = (uint32_t)*count;
        neap_wait_end(peer->wait, peer->arm, NEAP_OK);
        break;
    case NEAP_CHAN_SLOT:
        lua_getiuservalue(L, at, NEAP_CHAN_BUFFER);
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, (lua_Integer)neap_chan_tail(&chan->core) + 1);
        neap_chan_stored(&chan->core);
        break;
    case NEAP_CHAN_REPLACE:
        lua_getiuservalue(L, at, NEAP_CHAN_BUFFER);
        lua_rawgeti(L, -1, (lua_Integer)chan->core.head + 1);
        lua_pushvalue(L, -3);
        lua_rawseti(L, -3, (lua_Integer)chan->core.head + 1);
        neap_chan_replaced(&chan->core);
        drop(L, at, chan, neap_bind_unpack(L));
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
        neap_wait_end(peer->wait, peer->arm, NEAP_OK);
        return count;
    case NEAP_CHAN_SLOT:
    case NEAP_CHAN_REPLACE:
        lua_getiuservalue(L, at, NEAP_CHAN_BUFFER);
        lua_rawgeti(L, -1, (lua_Integer)chan->core.head + 1);
        count = neap_bind_unpack(L);
        if (step == NEAP_CHAN_SLOT) {
            lua_pushnil(L);
            lua_rawseti(L, -count - 2, (lua_Integer)chan->core.head + 1);
            neap_chan_taken(&chan->core);
        } else {
            /* The slot is in use, so nothing allocates once it was taken. */
            luaL_checkstack(L, 4, NULL);
            take(L, peer);
            lua_rawseti(L, -count - 2, (lua_Integer)chan->core.head + 1);
            neap_chan_replaced(&chan->core);
            neap_wait_end(peer->wait, peer->arm, NEAP_OK);
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
    uint64_t slot = chan->core.head, count = chan->core.count;

    if (count == 0)
        return;
    luaL_checkstack(L, 8, NULL);
    neap_chan_discard(&chan->core);
    lua_getiuservalue(L, at, NEAP_CHAN_BUFFER);
    int buffer = lua_gettop(L);
    lua_pushnil(L);
    lua_setiuservalue(L, at, NEAP_CHAN_BUFFER);     /* closed, so nothing is stored any more */
    lua_pushnil(L);                                 /* the first error */
    bool failed = false;
    for (; chan->has_on_undelivered && count > 0; count--) {
        lua_getiuservalue(L, at, NEAP_CHAN_ON_UNDELIVERED);
        lua_rawgeti(L, buffer, (lua_Integer)slot + 1);
        slot = (slot + 1) % chan->core.capacity;
        if (lua_pcall(L, neap_bind_unpack(L), 0, 0) == LUA_OK)
            continue;
        if (!failed)
            lua_copy(L, -1, buffer + 1);
        failed = true;
        lua_pop(L, 1);
    }
    if (failed)
        lua_error(L);
    lua_pop(L, 2);
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

    luaL_checkstack(L, 8, NULL);
    neap_bind_push_error(L, "closed", "ECLOSED", "chan.send: the channel is closed");
    if (chan->has_cause) {
        lua_getiuservalue(L, at, NEAP_CHAN_CAUSE);
        lua_setfield(L, -2, "cause");
    }
    return lua_error(L);
}
