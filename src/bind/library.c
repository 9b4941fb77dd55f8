/* bind/library.c - Lua's standard libraries, with ours in the place of what would
 * break a promise: protected calls and coroutines (cancellation passes, and tasks
 * suspend through them), pattern functions (deadlines reach them), os.exit (it leaves the
 * running Lua as it is), debug.traceback (it names functions as scripts do), what loads
 * code (source only). The originals stay in neap.raw, but for the last two.
 */
#include <lualib.h>

#include "bind/bind.h"

/* Copy the fields of the table on top into the one below it; pops it. */
static void copy_fields(lua_State *L)
{
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_settable(L, -6);
    }
    lua_pop(L, 1);
}

/* Set field `name` of the table on top to a copy of library `name`. */
static void keep_library(lua_State *L, const char *name)
{
    lua_newtable(L);
    lua_getglobal(L, name);
    copy_fields(L);
    lua_setfield(L, -2, name);
}

/* Put what `open` returns over the fields of library `name`. */
static void replace_in(lua_State *L, const char *name, lua_CFunction open)
{
    lua_getglobal(L, name);
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
    copy_fields(L);
    lua_pop(L, 1);
}

/* Take field `name` out of table coroutine; pushes it. */
static void take_from_coroutine(lua_State *L, const char *name)
{
    lua_getglobal(L, "coroutine");
    lua_getfield(L, -1, name);
    lua_pushnil(L);
    lua_setfield(L, -3, name);
    lua_remove(L, -2);
}

int neap_bind_open_libraries(lua_State *L)
{
    luaL_openlibs(L);
    neap_bind_open_source(L);
    neap_bind_open(L);

    lua_newtable(L);
    keep_library(L, "coroutine");
    keep_library(L, "io");
    keep_library(L, "os");
    keep_library(L, "string");
    lua_getglobal(L, "pcall");
    lua_setfield(L, -2, "pcall");
    lua_getglobal(L, "xpcall");
    lua_setfield(L, -2, "xpcall");
    lua_setfield(L, LUA_REGISTRYINDEX, "neap.raw");

    /* Opened here and not by require, so that a traceback says string.gsub. */
    replace_in(L, "string", luaopen_neap_core_pattern);
    replace_in(L, "coroutine", luaopen_neap_core_coroutine);
    take_from_coroutine(L, "pcall");
    lua_setglobal(L, "pcall");
    take_from_coroutine(L, "xpcall");
    lua_setglobal(L, "xpcall");
    take_from_coroutine(L, "try");          /* it is neap.try */
    lua_getglobal(L, "os");
    lua_pushcfunction(L, neap_bind_exit);
    lua_setfield(L, -2, "exit");
    lua_getglobal(L, "debug");
    lua_pushcfunction(L, neap_bind_debug_traceback);
    lua_setfield(L, -2, "traceback");
    return 0;
}
