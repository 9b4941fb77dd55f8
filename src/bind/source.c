/* bind/source.c - load, loadfile, dofile and require, for Lua source only.
 *
 * Lua does not check compiled code: a wrong byte in it reads or writes anywhere. A host
 * runs scripts that share one process, so nothing loads it. (What neap.work carries to
 * another thread was compiled by this process and comes from nowhere else.)
 */
#include <string.h>

#include "bind/bind.h"

/* Lua's own message for what is no source, behind which its mode stands. */
#define REFUSED "attempt to load a binary chunk"

/* If the error on top is Lua's about compiled code, replace it by one that says why, and
 * what to do. A reader of load's may have raised anything. */
static void explain(lua_State *L, const char *name)
{
    if (lua_type(L, -1) != LUA_TSTRING || strstr(lua_tostring(L, -1), REFUSED) == NULL)
        return;
    lua_pushfstring(L, "%s%scompiled Lua (bytecode) is refused: Lua does not check it, and it "
                    "could break the host; load the source", name != NULL ? name : "",
                    name != NULL ? ": " : "");
    lua_replace(L, -2);
}

/* load(chunk, name, mode, env) and loadfile(file, mode, env), by the original in upvalue 1.
 * Upvalue 2 is where the mode stands. */
static int l_load(lua_State *L)
{
    int mode = (int)lua_tointeger(L, lua_upvalueindex(2));
    int count = lua_gettop(L) <= mode ? mode : mode + 1;

    if (mode == 3 && lua_type(L, 1) != LUA_TSTRING)
        luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_optstring(L, 2, NULL);
    luaL_optstring(L, mode, NULL);
    lua_settop(L, count);       /* no further: an environment that is nil is one */
    if (!lua_isnil(L, mode) && strchr(lua_tostring(L, mode), 't') == NULL) {
        lua_pushnil(L);
        lua_pushliteral(L, REFUSED);
    } else {
        lua_pushvalue(L, lua_upvalueindex(1));
        for (int i = 1; i <= count; i++)
            lua_pushvalue(L, i);
        lua_pushliteral(L, "t");
        lua_replace(L, count + 1 + mode);
        lua_call(L, count, 2);
    }
    if (!lua_isnil(L, -2)) {
        lua_pop(L, 1);
        return 1;
    }
    explain(L, mode == 2 ? lua_tostring(L, 1) : NULL);
    return 2;
}

static int dofile_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status, (void)ctx;
    return lua_gettop(L) - 1;
}

/* dofile([file]) -> what it returns */
static int l_dofile(lua_State *L)
{
    const char *name = luaL_optstring(L, 1, NULL);

    lua_settop(L, 1);
    if (luaL_loadfilex(L, name, "t") != LUA_OK) {
        explain(L, name);
        return lua_error(L);
    }
    lua_callk(L, 0, LUA_MULTRET, 0, dofile_k);
    return dofile_k(L, LUA_OK, 0);
}

void neap_bind_push_paths(lua_State *L, const char *op)
{
    static const char *const names[] = { "path", "cpath" };

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "package");
    lua_replace(L, -2);
    for (int i = 0; i < 2; i++)
        if (lua_getfield(L, -1 - i, names[i]) != LUA_TSTRING)
            neap_bind_usage(L, "%s: package.%s: string expected, got %s", op, names[i],
                            luaL_typename(L, -1));
    lua_remove(L, -3);
}

/* What require asks for a file that package.path leads to. Upvalue 1 is package. */
static int l_search(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    lua_settop(L, 1);
    lua_getfield(L, lua_upvalueindex(1), "searchpath");
    lua_pushvalue(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING)
        return luaL_error(L, "'package.path' must be a string");
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2))
        return 1;               /* where it was looked for */
    lua_settop(L, 2);
    const char *file = lua_tostring(L, 2);
    if (luaL_loadfilex(L, file, "t") != LUA_OK) {
        explain(L, file);
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file,
                          lua_tostring(L, -1));
    }
    lua_insert(L, 2);
    return 2;
}

/* Put l_load in the place of the global `name`. */
static void replace(lua_State *L, const char *name, int mode)
{
    lua_getglobal(L, name);
    lua_pushinteger(L, mode);
    lua_pushcclosure(L, l_load, 2);
    lua_setglobal(L, name);
}

void neap_bind_open_source(lua_State *L)
{
    replace(L, "load", 3);
    replace(L, "loadfile", 2);
    lua_pushcfunction(L, l_dofile);
    lua_setglobal(L, "dofile");
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, l_search, 1);
    lua_rawseti(L, -2, 2);      /* [1] looks for what is preloaded */
    lua_pop(L, 2);
}
