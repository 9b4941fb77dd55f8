#include "bind/chan_value.h"

const neap_bind_type neap_bind_chan_type = { "neap.channel" };

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

/* The value on top, perhaps a pack, meets a full buffer that drops. */
void neap_bind_chan_put_over(lua_State *L, int at, neap_bind_chan *chan, neap_chan_step step)
{
    if (step == NEAP_CHAN_REPLACE) {
        neap_bind_chan_load(L, at, chan, chan->core.head);
        lua_insert(L, -2);
        neap_bind_chan_store(L, at, chan, chan->core.head);
        neap_chan_replaced(&chan->core);
    }
    drop(L, at, chan, neap_bind_chan_unpack(L, chan));
}

neap_chan_step neap_bind_chan_put_many(lua_State *L, int at, neap_bind_chan *chan, int count)
{
    neap_node *peer;

    /* First, since a finalizer may run here and use the channel. */
    neap_bind_pack(L, count);
    chan->has_packs = true;
    if (neap_chan_offer(&chan->core, &peer) == NEAP_CHAN_MEET) {
        neap_bind_chan_meet(L, peer, neap_bind_unpack(L));
        return NEAP_CHAN_MEET;
    }
    return neap_bind_chan_put(L, at, chan, 1);
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
        neap_bind_chan_load(L, at, chan, slot);
        lua_pushnil(L);
        neap_bind_chan_store(L, at, chan, slot);
        if (!chan->has_on_undelivered) {
            lua_pop(L, 2);
        } else if (lua_pcall(L, neap_bind_chan_unpack(L, chan), 0, 0) != LUA_OK) {
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
