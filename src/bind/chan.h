/* bind/chan.h - a channel's box, and how values get into it and out of it.
 *
 * Values go from stack to stack. One that has to stay goes into the buffer, by the
 * slots of core/chan; several that were sent at once stay as one (bind/pack.h). A
 * small buffer is user values of the channel; a large one is a table, which takes
 * memory only for what is in it.
 *
 *   chan_value.c    values: put, get, discard
 *   chan.c          neap.core.chan: the methods
 *
 * Errors  A value is moved entirely or, when something raises, not at all.
 *         Between asking core/chan and acting nothing may allocate a Lua object:
 *         a finalizer of the script's would run and find the channel half-way.
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

/* Send the top `*count` values to the channel at `at` as far as it goes without
 * waiting. For PARK they are on top, perhaps as one now: `*count` says so. Else
 * what is on top is of no use. */
neap_chan_step neap_bind_chan_put(lua_State *L, int at, neap_bind_chan *chan, int *count);
/* Push what can be received of the channel at `at` without waiting, and return
 * how many values it is: 0 if nothing can. A closed channel counts as something.
 * Right under the values something else may have been pushed. */
int neap_bind_chan_get(lua_State *L, int at, neap_bind_chan *chan);
/* Forget what the buffer of the closed channel at `at` holds. Each value goes to
 * on_undelivered; the first error there is raised when all have been there. */
void neap_bind_chan_discard(lua_State *L, int at, neap_bind_chan *chan);
/* Push what a receive gives after the last value, or raise the cause. */
int neap_bind_chan_push_closed(lua_State *L, int at, const neap_bind_chan *chan);
/* Raise that nothing can be sent to the channel at `at` any more. */
int neap_bind_chan_raise_closed(lua_State *L, int at);

#endif
