/* bind/error.c - neap.core.error: error objects, and where an error began.
 *
 * An error object is a table with `kind` and `message` and one shared
 * metatable. A script may raise any value; what it raises is handed on as it is.
 */
#include <stdarg.h>
#include <string.h>

#include "base/err.h"
#include "bind/bind.h"
#include "bind/place.h"

static const char ERROR_METATABLE;      /* registry keys: their addresses */
static const char LAST_ERROR;
static const char LAST_TRACEBACK;
static const char LAST_SIGNED;          /* its traceback says where its task was spawned */

static void push_metatable(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ERROR_METATABLE);
}

static void set_text(lua_State *L, const char *field, const char *text)
{
    if (text != NULL) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, field);
    }
}

/* Turns what the top of the stack holds into the message of a new object. */
static void wrap_message(lua_State *L, const char *kind, const char *code, const char *op)
{
    lua_createtable(L, 0, 4);
    lua_insert(L, -2);
    lua_setfield(L, -2, "message");
    set_text(L, "kind", kind);
    set_text(L, "code", code);
    set_text(L, "op", op);
    push_metatable(L);
    lua_setmetatable(L, -2);
}

static void push_error(lua_State *L, const char *kind, const char *code, const char *op,
                       const char *fmt, va_list args)
{
    neap_bind_checkstack(L, 8, NULL);
    lua_pushstring(L, op != NULL ? op : "");
    lua_pushvfstring(L, fmt, args);
    lua_concat(L, 2);
    wrap_message(L, kind, code, op);
}

void neap_bind_push_error(lua_State *L, const char *kind, const char *code, const char *op,
                          const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    push_error(L, kind, code, op, fmt, args);
    va_end(args);
}

int neap_bind_error(lua_State *L, const char *kind, const char *code, const char *op,
                    const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    push_error(L, kind, code, op, fmt, args);
    va_end(args);
    return lua_error(L);
}

/* Does a finaliser run? Not looked for any further: a look costs as much as it is deep. */
static bool in_finaliser(lua_State *L)
{
    lua_Debug ar;

    for (int level = 0; level < 32 && lua_getstack(L, level, &ar); level++)
        if (lua_getinfo(L, "n", &ar) && ar.name != NULL && strcmp(ar.name, "__gc") == 0 &&
            strcmp(ar.namewhat, "metamethod") == 0)
            return true;
    return false;
}

int neap_bind_usage(lua_State *L, const char *fmt, ...)
{
    va_list args;

    neap_bind_checkstack(L, 8, NULL);
    neap_bind_where(L);
    va_start(args, fmt);
    lua_pushvfstring(L, fmt, args);
    va_end(args);
    lua_concat(L, 2);
    if (!in_finaliser(L))       /* there Lua shows the message only if it is all there is */
        wrap_message(L, "usage", NULL, NULL);
    return lua_error(L);
}

int neap_bind_memory(lua_State *L)
{
    lua_pushliteral(L, "not enough memory");    /* as Lua's own: made at start */
    return lua_error(L);
}

void neap_bind_checkstack(lua_State *L, int n, const char *what)
{
    const neap_host *host = neap_host_of(L);
    uint64_t refusals = host->refusals;

    if (lua_checkstack(L, n))
        return;
    if (host->refusals != refusals)
        neap_bind_memory(L);
    luaL_error(L, what != NULL ? "stack overflow (%s)" : "stack overflow", what);
}

int neap_bind_fail_about(lua_State *L, int code, const char *op, const char *what)
{
    if (code == NEAP_ECANCELLED)
        return neap_bind_raise_cancelled(L);
    if (code == NEAP_ENOMEM)
        return neap_bind_memory(L);
    return neap_bind_error(L, neap_err_kind(code), neap_err_name(code), op, "%s%s: %s",
                           what == NULL ? "" : " ", what == NULL ? "" : what, neap_err_text(code));
}

bool neap_bind_is_error(lua_State *L, int idx, const char *kind)
{
    bool is;

    idx = lua_absindex(L, idx);
    if (!lua_istable(L, idx) || !lua_getmetatable(L, idx))
        return false;
    push_metatable(L);
    is = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    if (is && kind != NULL) {
        lua_pushliteral(L, "kind");
        lua_rawget(L, idx);
        is = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), kind) == 0;
        lua_pop(L, 1);
    }
    return is;
}

void neap_bind_where(lua_State *L)
{
    lua_Debug ar;

    if (neap_place_find(L, 1, &ar))
        lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
    else
        lua_pushliteral(L, "");
}

const char *neap_bind_tostring(lua_State *L, int idx)
{
    const char *text = luaL_tolstring(L, idx, NULL);

    if (strchr(text, '\n') != NULL)
        text = luaL_gsub(L, text, "\n", "\\n"), lua_remove(L, -2);
    return text;
}

/* In the handler: is the error handed on, by a scope, by whoever waits, or by the library's
 * own Lua? A script and Lua's functions raise a new one. */
static bool is_handed_on(lua_State *L)
{
    lua_Debug ar;

    if (!lua_getstack(L, 1, &ar))
        return false;
    lua_getinfo(L, "Sf", &ar);
    if (*ar.what != 'C') {
        lua_pop(L, 1);
        return false;
    }
    if (!neap_bind_name_of_library(L))
        return true;
    lua_pop(L, 1);
    return lua_getstack(L, 2, &ar) && lua_getinfo(L, "S", &ar) && neap_place_is_ours(ar.source);
}

/* In the handler: has the error at 1 been noted where it began? Two texts that are equal may
 * be two errors. */
static bool is_noted(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &LAST_ERROR);
    bool same = !lua_isnil(L, 1) && lua_rawequal(L, 1, -1);
    lua_pop(L, 1);
    return same && (lua_type(L, 1) > LUA_TSTRING || is_handed_on(L));
}

int neap_bind_handler(lua_State *L)
{
    if (neap_bind_is_cancellation(L, 1) || is_noted(L))
        return 1;
    lua_settop(L, 1);
    neap_bind_push_stack(L, L, 1);
    if (neap_bind_is_error(L, 1, NULL)) {
        lua_pushliteral(L, "traceback");
        if (lua_rawget(L, 1) == LUA_TNIL) {
            lua_pushliteral(L, "traceback");
            lua_pushvalue(L, 2);
            lua_rawset(L, 1);
        }
        lua_settop(L, 2);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &LAST_TRACEBACK);
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &LAST_ERROR);
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &LAST_SIGNED);
    return 1;
}

void neap_bind_sign_traceback(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    int chain = lua_gettop(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &LAST_ERROR);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &LAST_SIGNED);
    if (lua_rawequal(L, idx, chain + 1) && !lua_toboolean(L, chain + 2)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &LAST_TRACEBACK);
        lua_pushvalue(L, chain);
        lua_concat(L, 2);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &LAST_TRACEBACK);
        lua_pushboolean(L, 1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &LAST_SIGNED);
    }
    lua_settop(L, chain - 1);
}

void neap_bind_traceback(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    if (neap_bind_is_error(L, idx, NULL)) {
        lua_pushliteral(L, "traceback");
        lua_rawget(L, idx);
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &LAST_ERROR);
    bool same = lua_rawequal(L, idx, -1);
    lua_pop(L, 1);
    if (same)
        lua_rawgetp(L, LUA_REGISTRYINDEX, &LAST_TRACEBACK);
    else
        lua_pushnil(L);
}

/* error.new(kind, message [, fields]) -> error object */
static int l_new(lua_State *L)
{
    static const char *const names[] = { "code", "cause", "data", "op", "others", "task",
                                         "traceback", NULL };
    const char *kind = neap_bind_string(L, 1, "neap.error: kind", NULL);

    neap_bind_string(L, 2, "neap.error: message", NULL);
    if (!lua_isnoneornil(L, 3))
        neap_bind_options(L, 3, "neap.error", names);
    lua_settop(L, 3);
    lua_pushvalue(L, 2);
    wrap_message(L, kind, NULL, NULL);
    for (int i = 0; lua_istable(L, 3) && names[i] != NULL; i++) {
        lua_getfield(L, 3, names[i]);
        lua_setfield(L, -2, names[i]);
    }
    return 1;
}

/* error.is(value [, kind]) -> boolean */
static int l_is(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, neap_bind_is_error(L, 1, lua_tostring(L, 2)));
    return 1;
}

/* error.usage(message): raise it, blamed on the script's line */
static int l_usage(lua_State *L)
{
    return neap_bind_usage(L, "%s", neap_bind_string(L, 1, "message", NULL));
}

static int tolstring(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* error.describe(value) -> its tostring; a string also if that raises, or would wait */
static int l_describe(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    lua_pushcfunction(L, tolstring);
    lua_pushvalue(L, 1);
    int status = lua_pcall(L, 1, 1, 0);
    if (status == LUA_ERRMEM)
        return lua_error(L);
    if (status != LUA_OK)
        lua_pushfstring(L, "a %s whose __tostring fails", luaL_typename(L, 1));
    return 1;
}

static int l_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "kind");
    lua_getfield(L, 1, "message");
    if (!lua_isstring(L, 2) || !lua_isstring(L, 3)) {
        lua_pushliteral(L, "error without a message");
        return 1;
    }
    const char *kind = lua_tostring(L, 2);
    if (strcmp(kind, "error") != 0 && strcmp(kind, "usage") != 0)
        lua_pushfstring(L, "%s: %s", kind, lua_tostring(L, 3));
    if (strchr(lua_tostring(L, -1), '\n') != NULL)
        luaL_gsub(L, lua_tostring(L, -1), "\n", "\\n");
    return 1;
}

int luaopen_neap_core_error(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "new", l_new }, { "is", l_is }, { "usage", l_usage }, { "handler", neap_bind_handler },
        { "describe", l_describe }, { NULL, NULL } };

    luaL_newlib(L, functions);
    return 1;
}

void neap_bind_open_error(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, l_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "neap.error");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ERROR_METATABLE);
}
