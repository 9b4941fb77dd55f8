/* bind/traceback.c - the stack as text, as Lua writes it but for the names of functions.
 *
 * A function may stand in several modules: neap.scope is neap.core.scope.open, too. Lua
 * takes the name that comes first in package.loaded, in an order that changes from run to
 * run; here it is the one that a script writes.
 */
#include <limits.h>
#include <string.h>

#include "bind/bind.h"

/* How many levels of a deep stack are shown of each end. */
enum { INNERMOST = 10, OUTERMOST = 11 };

/* How the sources of the library begin. */
static const char LIBRARY[] = "=neap/";

/* Whose names go before whose. */
enum { GLOBAL, PUBLIC, MODULE, INSIDE };

static int rank(const char *module)
{
    if (strcmp(module, "_G") == 0)
        return GLOBAL;
    if (strcmp(module, "neap") == 0)
        return PUBLIC;
    if (strncmp(module, "neap.core.", 10) == 0 || strncmp(module, "cli.", 4) == 0)
        return INSIDE;
    return MODULE;
}

/* The function on top is `module.field`, or `module` itself without a field: unless it is
 * called in another way already, that is its name in the table at `names`, if it is there. */
static void give_name(lua_State *L, int names, const char *module, const char *field)
{
    lua_pushvalue(L, -1);
    if (lua_rawget(L, names) == LUA_TBOOLEAN) {
        lua_pushvalue(L, -2);
        if (field != NULL && rank(module) != GLOBAL)
            lua_pushfstring(L, "%s.%s", module, field);
        else
            lua_pushstring(L, field != NULL ? field : module);
        lua_rawset(L, names);
    }
    lua_pop(L, 1);
}

/* For the functions that are keys in the table at `names`: what a script calls them. */
static void find_names(lua_State *L, int names)
{
    int loaded = names + 1, module = names + 2, field = names + 4;

    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    for (int now = GLOBAL; now <= INSIDE; now++)
        for (lua_pushnil(L); lua_next(L, loaded); lua_pop(L, 1)) {
            if (lua_type(L, module) != LUA_TSTRING || rank(lua_tostring(L, module)) != now)
                continue;
            const char *name = lua_tostring(L, module);
            if (lua_isfunction(L, -1))
                give_name(L, names, name, NULL);
            if (!lua_istable(L, -1))
                continue;
            for (lua_pushnil(L); lua_next(L, module + 1); lua_pop(L, 1))
                if (lua_isfunction(L, -1) && lua_type(L, field) == LUA_TSTRING)
                    give_name(L, names, name, lua_tostring(L, field));
        }
    lua_settop(L, names);
}

/* The function on top becomes the name by which a script calls it, or false. */
static void name_function(lua_State *L)
{
    int names = lua_gettop(L) + 1;

    lua_newtable(L);
    lua_pushvalue(L, names - 1);
    lua_pushboolean(L, 0);
    lua_rawset(L, names);
    find_names(L, names);
    lua_insert(L, names - 1);
    lua_rawget(L, names - 1);
    lua_remove(L, names - 1);
}

/* Find the outermost function of the library's own Lua between the script's innermost line
 * and level 0 of `co`: the one that the script has called. */
static bool find_called(lua_State *co, lua_Debug *called)
{
    lua_Debug ar;
    bool found = false;

    for (int level = 0; lua_getstack(co, level, &ar); level++) {
        lua_getinfo(co, "S", &ar);
        if (*ar.what == 'C')
            continue;
        if (strncmp(ar.source, LIBRARY, strlen(LIBRARY)) != 0)
            break;
        *called = ar;
        found = true;
    }
    return found;
}

/* Methods are named by their file. */
bool neap_bind_push_called(lua_State *L, lua_State *co, int cache)
{
    lua_Debug called;

    if (!lua_checkstack(co, 2) || !find_called(co, &called))
        return false;
    lua_getinfo(co, "fn", &called);
    lua_xmove(co, L, 1);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, cache) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        name_function(L);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, cache);
    }
    lua_remove(L, -2);
    if (lua_isstring(L, -1))
        return true;
    lua_pop(L, 1);
    if (strcmp(called.namewhat, "method") != 0)
        return false;
    const char *noun = called.source + strlen(LIBRARY);
    lua_pushlstring(L, noun, strcspn(noun, "/."));
    lua_pushfstring(L, "%s:%s", lua_tostring(L, -1), called.name);
    lua_remove(L, -2);
    return true;
}

/* Push what a level of the stack is called. */
static void push_name(lua_State *L, int names, lua_Debug *ar)
{
    lua_getinfo(L, "f", ar);
    if (lua_rawget(L, names) == LUA_TSTRING)
        lua_pushfstring(L, "function '%s'", lua_tostring(L, -1));
    else if (*ar->namewhat != '\0')
        lua_pushfstring(L, "%s '%s'", ar->namewhat, ar->name);
    else if (*ar->what == 'm')
        lua_pushliteral(L, "main chunk");
    else if (*ar->what == 'C')
        lua_pushliteral(L, "?");
    else
        lua_pushfstring(L, "function <%s:%d>", ar->short_src, ar->linedefined);
    lua_remove(L, -2);
}

int neap_bind_depth(lua_State *co)
{
    lua_Debug ar;
    int inside = 0, outside = 1;

    /* Each look costs as much as its level is deep: not one for every level. */
    while (lua_getstack(co, outside, &ar)) {
        inside = outside;
        outside *= 2;
    }
    while (outside - inside > 1) {
        int middle = inside + (outside - inside) / 2;
        *(lua_getstack(co, middle, &ar) ? &inside : &outside) = middle;
    }
    return outside;
}

/* The level shown after `level` of those from `first` on. */
static int next_shown(int level, int first, int skipped)
{
    return level + 1 == first + INNERMOST ? level + 1 + skipped : level + 1;
}

/* Called by a message handler when the stack is full, too: it makes do with the slots that
 * every C function has. */
void neap_bind_push_stack(lua_State *L, lua_State *co, int first)
{
    int skipped = neap_bind_depth(co) - first - INNERMOST - OUTERMOST, names = lua_gettop(L) + 1;
    luaL_Buffer text;
    lua_Debug ar;

    if (skipped < 0)
        skipped = 0;
    lua_newtable(L);
    for (int at = first; lua_getstack(co, at, &ar); at = next_shown(at, first, skipped)) {
        lua_getinfo(L, "f", &ar);
        lua_pushboolean(L, 0);
        lua_rawset(L, names);
    }
    find_names(L, names);

    luaL_buffinit(L, &text);
    luaL_addstring(&text, "stack traceback:");
    for (int at = first; lua_getstack(co, at, &ar); at = next_shown(at, first, skipped)) {
        if (skipped > 0 && at == first + INNERMOST + skipped) {
            lua_pushfstring(L, "\n\t...\t(skipping %d levels)", skipped);
            luaL_addvalue(&text);
        }
        lua_getinfo(co, "Slnt", &ar);
        if (ar.currentline > 0)
            lua_pushfstring(L, "\n\t%s:%d: in ", ar.short_src, ar.currentline);
        else
            lua_pushfstring(L, "\n\t%s: in ", ar.short_src);
        luaL_addvalue(&text);
        push_name(L, names, &ar);
        luaL_addvalue(&text);
        if (ar.istailcall)
            luaL_addstring(&text, "\n\t(...tail calls...)");
    }
    luaL_pushresult(&text);
    lua_remove(L, names);
}

int neap_bind_debug_traceback(lua_State *L)
{
    lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
    int message = lua_isthread(L, 1) ? 2 : 1;

    lua_settop(L, message + 1);
    if (!lua_isnil(L, message) && !lua_isstring(L, message)) {
        lua_settop(L, message);         /* untouched: it is no message */
        return 1;
    }
    lua_Integer level = luaL_optinteger(L, message + 1, co == L ? 1 : 0);
    if (level < 0 || level > INT_MAX / 4)
        level = INT_MAX / 4;
    lua_settop(L, message);
    bool has_message = lua_isstring(L, message);
    if (has_message)
        lua_pushliteral(L, "\n");
    neap_bind_push_stack(L, co, (int)level);
    if (has_message)
        lua_concat(L, 3);
    return 1;
}
