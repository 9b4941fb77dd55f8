/* bind/pack.h - several Lua values kept as one.
 *
 * One value stands for itself; none or several become a box that scripts never
 * see. A channel's slot, a deferred's result and an arm's values are kept so.
 *
 * Errors  neap_bind_pack and neap_bind_unpack raise without memory, before
 *         anything has changed.
 */
#ifndef NEAP_BIND_PACK_H
#define NEAP_BIND_PACK_H

#include "bind/bind.h"

/* As many values as one call may send or resolve with. */
#define NEAP_BIND_PACK_MAX 255

/* Replace the top `count` values by one. */
void neap_bind_pack(lua_State *L, int count);
/* Replace the one on top by the values that it stands for; how many. */
int neap_bind_unpack(lua_State *L);

#endif
