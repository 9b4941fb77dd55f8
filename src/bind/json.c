/* bind/json.c - neap.core.json: bind/value as Lua sees it. */
#include <limits.h>

#include "bind/bind.h"
#include "bind/value.h"

#define MAX_INDENT    16
#define PRETTY_INDENT 2

static const char *const LIMITS[] = { "max_depth", "max_bytes", NULL };
static const char *const LINES[] = { "max_depth", "max_bytes", "name", NULL };
static const char *const ENCODE[] = { "max_depth", "max_bytes", "pretty", "indent", NULL };

/* Read the options at `idx`, a table or nothing; above it the stack is cleared. */
static neap_value_options read_options(lua_State *L, int idx, const char *op,
    const char *const *names)
{
    neap_value_options options = neap_value_defaults(op);

    lua_settop(L, idx);
    if (lua_isnil(L, idx))
        return options;
    neap_bind_options(L, idx, op, names);
    options.max_depth = (int)neap_bind_option_integer(L, idx, op, "max_depth", options.max_depth,
        1, NEAP_VALUE_DEPTH_CEILING);
    options.max_bytes = (size_t)neap_bind_option_integer(L, idx, op, "max_bytes",
        (lua_Integer)options.max_bytes, 1, INT_MAX);
    if (names == ENCODE) {
        lua_getfield(L, idx, "pretty");
        options.indent = (int)neap_bind_option_integer(L, idx, op, "indent",
            lua_toboolean(L, -1) ? PRETTY_INDENT : 0, 0, MAX_INDENT);
    } else if (names == LINES && lua_getfield(L, idx, "name") != LUA_TNIL) {
        options.name = neap_bind_string(L, -1, "neap.json.lines: name", NULL);
    }
    return options;
}

static int decode(lua_State *L, const neap_value_options *options)
{
    size_t len;
    const char *text = neap_bind_string(L, 1, options->op, &len);

    neap_value_decode(L, text, len, options);
    return 1;
}

/* json.encode(value [, options]) -> text */
static int l_encode(lua_State *L)
{
    neap_value_options options = read_options(L, 2, "neap.json.encode", ENCODE);
    lua_settop(L, 1);

    neap_value_encode(L, 1, &options);
    return 1;
}

/* json.decode(text [, options]) -> value */
static int l_decode(lua_State *L)
{
    neap_value_options options = read_options(L, 2, "neap.json.decode", LIMITS);
    return decode(L, &options);
}

/* json.line_options([options]) -> max_depth, max_bytes, name: what json.lines was given */
static int l_line_options(lua_State *L)
{
    neap_value_options options = read_options(L, 1, "neap.json.lines", LINES);
    lua_pushinteger(L, options.max_depth);
    lua_pushinteger(L, (lua_Integer)options.max_bytes);
    lua_pushstring(L, options.name);
    return 3;
}

/* json.decode_line(text, number, max_depth, max_bytes [, name]) -> value. After the
 * text come the number of the line and what line_options gave. */
static int l_decode_line(lua_State *L)
{
    neap_value_options options = neap_value_defaults("neap.json.lines");
    options.line = lua_tointeger(L, 2);
    options.max_depth = (int)lua_tointeger(L, 3);
    options.max_bytes = (size_t)lua_tointeger(L, 4);
    options.name = lua_tostring(L, 5);
    return decode(L, &options);
}

/* json.array([table]) -> the table, marked as an array */
static int l_array(lua_State *L)
{
    if (lua_isnone(L, 1))
        lua_newtable(L);
    else if (!lua_istable(L, 1))
        return neap_bind_usage(L, "neap.json.array: table expected, got %s", luaL_typename(L, 1));
    lua_settop(L, 1);

    if (!neap_value_is_marked(L, 1)) {
        if (lua_getmetatable(L, 1))
            return neap_bind_usage(L, "neap.json.array: the table has a metatable");
        neap_value_mark_array(L, 1);
    }
    return 1;
}

/* json.is_array(value) -> true if it is written as an array: a marked table, or
 * one that begins with [1]. What else is in it is seen when it is written. */
static int l_is_array(lua_State *L)
{
    bool array = neap_value_is_marked(L, 1);
    if (!array && lua_istable(L, 1) && !lua_getmetatable(L, 1))
        array = lua_rawlen(L, 1) > 0;
    lua_pushboolean(L, array);
    return 1;
}

int luaopen_neap_core_json(lua_State *L)
{
    static const luaL_Reg functions[] = { { "encode", l_encode }, { "decode", l_decode },
        { "line_options", l_line_options }, { "decode_line", l_decode_line }, { "array", l_array },
        { "is_array", l_is_array }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_value_push_null(L);
    lua_setfield(L, -2, "null");
    return 1;
}
