/* Any bytes are refused as JSON, or mean a value that is written and read back as
 * the same value: one whose text is the same again, on one line and on many. What
 * goes wrong is an error of kind "json" and nothing else. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "bind/bind.h"
#include "bind/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "json_fuzz: %s\n", what);
        abort();
    }
}

static void push_error(lua_State *L, const char *kind, const char *fmt, va_list args)
{
    lua_createtable(L, 2, 0);
    lua_pushstring(L, kind);
    lua_rawseti(L, -2, 1);
    lua_pushvfstring(L, fmt, args);
    lua_rawseti(L, -2, 2);
}

/* What bind/value needs of a host: here an error is a table { kind, message }. */
void neap_bind_push_error(lua_State *L, const char *kind, const char *code, const char *op,
                          const char *fmt, ...)
{
    va_list args;

    (void)code, (void)op;
    va_start(args, fmt);
    push_error(L, kind, fmt, args);
    va_end(args);
}

int neap_bind_error(lua_State *L, const char *kind, const char *code, const char *op,
                    const char *fmt, ...)
{
    va_list args;

    (void)code, (void)op;
    va_start(args, fmt);
    push_error(L, kind, fmt, args);
    va_end(args);
    return lua_error(L);
}

int neap_bind_memory(lua_State *L)
{
    return luaL_error(L, "not enough memory");
}

void neap_bind_checkstack(lua_State *L, int n, const char *what)
{
    luaL_checkstack(L, n, what);
}

static int l_decode(lua_State *L)
{
    neap_value_options options = neap_value_defaults("decode");
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    neap_value_decode(L, text, len, &options);
    return 1;
}

/* (value, indent) */
static int l_encode(lua_State *L)
{
    neap_value_options options = neap_value_defaults("encode");
    options.indent = (int)lua_tointeger(L, 2);
    neap_value_encode(L, 1, &options);
    return 1;
}

/* Replace the `n` arguments on top by what `function` gives; false if it raised. */
static bool call(lua_State *L, lua_CFunction function, int n)
{
    lua_pushcfunction(L, function);
    lua_insert(L, -n - 1);
    if (lua_pcall(L, n, 1, 0) == LUA_OK)
        return true;
    check(lua_istable(L, -1), "an error is no error object");
    lua_rawgeti(L, -1, 1);
    check(strcmp(lua_tostring(L, -1), "json") == 0, "an error has another kind");
    lua_rawgeti(L, -2, 2);
    check(lua_rawlen(L, -1) > 0, "an error has no message");
    lua_pop(L, 2);
    return false;
}

static bool same(lua_State *L, int a, int b);

static bool same_numbers(lua_State *L, int a, int b)
{
    lua_Number x = lua_tonumber(L, a), y = lua_tonumber(L, b);
    if (lua_isinteger(L, a) || lua_isinteger(L, b))
        return lua_isinteger(L, a) && lua_isinteger(L, b) && lua_rawequal(L, a, b);
    return memcmp(&x, &y, sizeof x) == 0;   /* 0.0 is not -0.0 */
}

static bool same_tables(lua_State *L, int a, int b)
{
    int fields = 0;

    if (neap_value_is_marked(L, a) != neap_value_is_marked(L, b))
        return false;
    for (lua_pushnil(L); lua_next(L, a); lua_pop(L, 2)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        if (!same(L, lua_gettop(L) - 1, lua_gettop(L)))
            return false;
        fields++;
    }
    for (lua_pushnil(L); lua_next(L, b); lua_pop(L, 1))
        fields--;
    return fields == 0;
}

static bool same(lua_State *L, int a, int b)
{
    luaL_checkstack(L, 8, NULL);
    if (lua_type(L, a) != lua_type(L, b))
        return false;
    switch (lua_type(L, a)) {
    case LUA_TNUMBER: return same_numbers(L, a, b);
    case LUA_TTABLE:  return same_tables(L, a, b);
    default:          return lua_rawequal(L, a, b);
    }
}

/* Write the value at `value` and read it back: the same value, the same text. */
static void check_round_trip(lua_State *L, int value, int indent)
{
    int text = lua_gettop(L) + 1, again = text + 1;

    lua_pushvalue(L, value);
    lua_pushinteger(L, indent);
    check(call(L, l_encode, 2), "what was read is not written");
    lua_pushvalue(L, text);
    check(call(L, l_decode, 1), "what was written is not read");
    check(same(L, value, again), "another value came back");
    lua_pushvalue(L, again);
    lua_pushinteger(L, indent);
    check(call(L, l_encode, 2) && lua_rawequal(L, text, -1), "another text came back");
    lua_settop(L, text - 1);
}

static void check_text(lua_State *L, const char *text, size_t len)
{
    lua_pushlstring(L, text, len);
    if (call(L, l_decode, 1)) {
        check_round_trip(L, 1, 0);
        check_round_trip(L, 1, 2);
    }
    lua_settop(L, 0);
}

/* The bytes as a string and as a key: refused, or kept. */
static void check_string(lua_State *L, const char *text, size_t len)
{
    lua_newtable(L);
    lua_pushlstring(L, text, len);
    lua_pushvalue(L, -1);
    lua_rawset(L, 1);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    if (call(L, l_encode, 2))
        check_round_trip(L, 1, 0);
    lua_settop(L, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* A state of its own, so that an input breaks alone and each call frees what it allocates:
     * libFuzzer looks for leaks after one that does not. */
    lua_State *L = luaL_newstate();

    check(L != NULL, "not enough memory");
    check_text(L, (const char *)bytes, size);
    check_string(L, (const char *)bytes, size);
    lua_close(L);
    return 0;
}
