/* bind/chan.h - a channel's box.
 *
 *   chan_value.h    values: put, get
 *   chan_value.c    values: discard; what a closed channel gives and raises
 *   chan.c          neap.core.chan: the methods
 */
#ifndef NEAP_BIND_CHAN_H
#define NEAP_BIND_CHAN_H

#include "bind/bind.h"
#include "core/chan.h"

extern const neap_bind_type neap_bind_chan_type;

/* User values of a channel: the last are the table, or the first slot and all others. */
enum { NEAP_CHAN_CAUSE = 1, NEAP_CHAN_ON_UNDELIVERED, NEAP_CHAN_BUFFER };

/* Slots of a small buffer, which take 16 bytes each from the beginning. */
#define NEAP_CHAN_SMALL 128

typedef struct neap_bind_chan {
    const neap_bind_type *type;
    neap_chan             core;
    bool                  has_cause;            /* user value NEAP_CHAN_CAUSE */
    bool                  has_on_undelivered;   /* user value NEAP_CHAN_ON_UNDELIVERED */
    bool                  has_packs;            /* some of its values may be packs */
} neap_bind_chan;

/* Forget what the buffer of the closed channel at `at` holds. Each value goes to
 * on_undelivered; the first error there is raised when all have been there. */
void neap_bind_chan_discard(lua_State *L, int at, neap_bind_chan *chan);
/* Push what a receive gives after the last value, or raise the cause. */
NEAP_COLD int neap_bind_chan_push_closed(lua_State *L, int at, const neap_bind_chan *chan);
/* Raise that nothing can be sent to the channel at `at` any more. */
NEAP_COLD int neap_bind_chan_raise_closed(lua_State *L, int at);

#endif
