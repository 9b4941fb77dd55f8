/* bind/value.c - what writing and reading values share. */
#include "bind/value.h"

#include <lauxlib.h>

#include "base/utf8.h"
#include "bind/bind.h"
#include "bind/value_place.h"

/* Bytes of a key that a path shows, and keys at either end of a path. */
#define SHOWN_KEY  40
#define SHOWN_ENDS 8

/* Its address is the registry's key to the metatable that marks an array. */
static const char ARRAY_MARK = 0;

static bool is_word(const char *key, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = key[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return len > 0;
}

/* ["two words"], with bytes that would spoil a line of text as \xNN. */
static void add_quoted(luaL_Buffer *out, const char *key, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t valid = neap_utf8_valid(key, len);

    luaL_addstring(out, "[\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)key[i];
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && i >= valid)) {
            luaL_addstring(out, "\\x");
            luaL_addchar(out, hex[c >> 4]);
            luaL_addchar(out, hex[c & 15]);
        } else {
            if (c == '"' || c == '\\')
                luaL_addchar(out, '\\');
            luaL_addchar(out, (char)c);
        }
    }
}

static void add_key(luaL_Buffer *out, const char *key, size_t len)
{
    if (len <= SHOWN_KEY && is_word(key, len)) {
        luaL_addchar(out, '.');
        luaL_addlstring(out, key, len);
    } else if (len <= SHOWN_KEY) {
        add_quoted(out, key, len);
        luaL_addstring(out, "\"]");
    } else {
        /* Cut where a character ends, unless the key is no text anyway. */
        size_t shown = neap_utf8_valid(key, SHOWN_KEY);
        add_quoted(out, key, shown > SHOWN_KEY - 4 ? shown : SHOWN_KEY);
        luaL_addstring(out, "...\"]");
    }
}

/* Add the path to `at`, which is part of one to a place that is `depth` deep. */
static void add_path(luaL_Buffer *out, const neap_place *at, int depth)
{
    if (at->up == NULL) {
        luaL_addchar(out, '$');
        return;
    }
    add_path(out, at->up, depth);
    if (at->depth > SHOWN_ENDS && at->depth <= depth - SHOWN_ENDS) {
        if (at->depth == SHOWN_ENDS + 1)
            luaL_addstring(out, "...");
        return;
    }
    if (at->key != NULL) {
        add_key(out, at->key, at->key_len);
    } else {
        lua_pushfstring(out->L, "[%I]", (LUAI_UACINT)at->index);
        luaL_addvalue(out);
    }
}

/* Push the metatable of marked arrays; it is made when it is first needed. */
static void push_mark(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &ARRAY_MARK) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "neap.json.array");
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ARRAY_MARK);
}

neap_place neap_place_field(const neap_place *up, const char *key, size_t key_len)
{
    return (neap_place){ .up = up, .key = key, .key_len = key_len, .depth = up->depth + 1 };
}

neap_place neap_place_item(const neap_place *up, lua_Integer index)
{
    return (neap_place){ .up = up, .index = index, .depth = up->depth + 1 };
}

const char *neap_place_push(lua_State *L, const neap_place *at)
{
    luaL_Buffer out;
    neap_bind_checkstack(L, LUA_MINSTACK, "no room for a message");
    luaL_buffinit(L, &out);
    add_path(&out, at, at->depth);
    luaL_pushresult(&out);
    return lua_tostring(L, -1);
}

neap_value_options neap_value_defaults(const char *op)
{
    return (neap_value_options){
        .op = op,
        .max_bytes = NEAP_VALUE_MAX_BYTES,
        .max_depth = NEAP_VALUE_MAX_DEPTH,
        .line = 1,
    };
}

void neap_value_push_null(lua_State *L)
{
    lua_pushlightuserdata(L, NULL);
}

void neap_value_mark_array(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    push_mark(L);
    lua_setmetatable(L, idx);
}

bool neap_value_is_marked(lua_State *L, int idx)
{
    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx))
        return false;
    push_mark(L);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}
