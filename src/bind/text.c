/* bind/text.c - neap.core.text: what Lua modules need to read what people type. */
#include <math.h>

#include "base/duration.h"
#include "base/nearest.h"
#include "bind/bind.h"

/* text.nearest(name, list) -> the string of the list that `name` was most likely
 * meant to be, or nil. Items that are no strings are passed over. */
static int l_nearest(lua_State *L)
{
    size_t name_len, best = NEAP_NEAREST_FAR;
    const char *name = neap_bind_string(L, 1, "name", &name_len);
    if (!lua_istable(L, 2))
        return neap_bind_usage(L, "list: a table expected, got %s", luaL_typename(L, 2));

    lua_settop(L, 2);
    lua_pushnil(L);                     /* [3] the nearest so far */
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
        if (lua_type(L, -1) == LUA_TSTRING) {
            size_t known_len;
            const char *known = lua_tolstring(L, -1, &known_len);
            size_t distance = neap_nearest_distance(name, name_len, known, known_len);
            if (distance < best) {
                best = distance;
                lua_copy(L, -1, 3);
            }
        }
        lua_pop(L, 1);
    }
    lua_settop(L, 3);
    return 1;
}

/* text.duration(value, name) -> seconds, math.huge for none; raises what is no
 * duration, by this name. */
static int l_duration(lua_State *L)
{
    uint64_t ns = neap_bind_duration(L, 1, neap_bind_string(L, 2, "name", NULL));
    lua_pushnumber(L, ns == NEAP_DURATION_NONE ? (lua_Number)HUGE_VAL : (lua_Number)ns / 1e9);
    return 1;
}

int luaopen_neap_core_text(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "nearest", l_nearest }, { "duration", l_duration }, { NULL, NULL } };

    luaL_newlib(L, functions);
    return 1;
}
