/* bind/bind.c - arguments, boxes, and the list of neap.core.* modules. */
#include "bind/bind.h"

#include <string.h>

#include "base/duration.h"
#include "base/nearest.h"
#include "bind/embed.h"

/* --- boxes -------------------------------------------------------------------- */

void neap_bind_metatable(lua_State *L, const neap_bind_type *type)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, type);
}

void *neap_bind_new_at(lua_State *L, const neap_bind_type *type, size_t size, int nuvalue,
                       int metatable)
{
    const neap_bind_type **box = lua_newuserdatauv(L, size, nuvalue);

    memset(box, 0, size);
    *box = type;
    lua_pushvalue(L, metatable);
    lua_setmetatable(L, -2);
    return box;
}

void *neap_bind_new(lua_State *L, const neap_bind_type *type, size_t size, int nuvalue)
{
    neap_bind_metatable(L, type);
    void *box = neap_bind_new_at(L, type, size, nuvalue, lua_gettop(L));
    lua_remove(L, -2);
    return box;
}

void *neap_bind_refuse_arg(lua_State *L, int idx, const neap_bind_type *type)
{
    if (idx == 1)
        neap_bind_usage(L, "%s expected, got %s; call a method with a colon, as in x:name()",
                        type->name, luaL_typename(L, idx));
    neap_bind_usage(L, "argument %d: %s expected, got %s", idx, type->name, luaL_typename(L, idx));
    return NULL;
}

void neap_bind_methods(lua_State *L, const neap_bind_type *type, const luaL_Reg *methods,
                       const char *field)
{
    /* Sparse: a collision would cost each call of a method some ns. */
    lua_createtable(L, 0, 32);              /* the metatable */
    lua_createtable(L, 0, 64);              /* what stands behind __index */
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    for (; methods->name != NULL; methods++) {
        bool meta = strncmp(methods->name, "__", 2) == 0;
        lua_pushvalue(L, -1);               /* upvalue 1: the methods */
        lua_pushcclosure(L, methods->func, 1);
        lua_setfield(L, meta ? -3 : -2, methods->name);
    }
    lua_pushstring(L, type->name);
    lua_setfield(L, -3, "__name");
    /* Scripts see a name, never the metatable. */
    lua_pushstring(L, type->name);
    lua_setfield(L, -3, "__metatable");
    if (field != NULL)
        lua_setfield(L, -3, field);
    else
        lua_pop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, type);
}

void neap_bind_field(lua_State *L, const char *name, int field)
{
    lua_getfield(L, -1, "methods");
    lua_pushinteger(L, field);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* --- arguments ------------------------------------------------------------------ */

lua_Integer neap_bind_integer(lua_State *L, int idx, const char *name, lua_Integer min,
                              lua_Integer max)
{
    int is_integer;
    lua_Integer value = lua_tointegerx(L, idx, &is_integer);

    if (!is_integer || lua_type(L, idx) != LUA_TNUMBER)
        neap_bind_usage(L, "%s: whole number expected, got %s", name, neap_bind_tostring(L, idx));
    if (value < min || value > max)
        neap_bind_usage(L, "%s: %I is not in %I .. %I", name, (LUAI_UACINT)value,
                        (LUAI_UACINT)min, (LUAI_UACINT)max);
    return value;
}

lua_Integer neap_bind_opt_integer(lua_State *L, int idx, const char *name, lua_Integer def,
                                  lua_Integer min, lua_Integer max)
{
    return lua_isnoneornil(L, idx) ? def : neap_bind_integer(L, idx, name, min, max);
}

lua_Integer neap_bind_option_integer(lua_State *L, int idx, const char *op, const char *name,
                                     lua_Integer def, lua_Integer min, lua_Integer max)
{
    if (lua_isnoneornil(L, idx))
        return def;
    lua_getfield(L, idx, name);
    const char *what = lua_pushfstring(L, "%s: %s", op, name);
    lua_Integer value = neap_bind_opt_integer(L, -2, what, def, min, max);
    lua_pop(L, 2);
    return value;
}

const char *neap_bind_string(lua_State *L, int idx, const char *name, size_t *len)
{
    if (lua_type(L, idx) != LUA_TSTRING)
        neap_bind_usage(L, "%s: string expected, got %s", name, luaL_typename(L, idx));
    return lua_tolstring(L, idx, len);
}

void neap_bind_callable(lua_State *L, int idx, const char *name)
{
    if (luaL_getmetafield(L, idx, "__call") == LUA_TNIL)
        neap_bind_usage(L, "%s: function expected, got %s", name, luaL_typename(L, idx));
    lua_pop(L, 1);
}

/* What is wrong with the text at `idx`, or NULL. */
static const char *read_duration(lua_State *L, int idx, uint64_t *ns)
{
    neap_host *host = neap_host_of(L);
    size_t size;
    const char *text = lua_tolstring(L, idx, &size);

    if (size > 0 && size == host->duration_size && memcmp(text, host->duration, size) == 0) {
        *ns = host->duration_ns;
        return NULL;
    }
    const char *wrong = neap_duration_parse(text, size, ns);
    if (wrong == NULL && size <= sizeof host->duration) {
        memcpy(host->duration, text, size);
        host->duration_size = size;
        host->duration_ns = *ns;
    }
    return wrong;
}

uint64_t neap_bind_duration(lua_State *L, int idx, const char *name)
{
    const char *wrong = NULL;
    uint64_t ns = 0;

    switch (lua_type(L, idx)) {
    case LUA_TNUMBER:
        wrong = neap_duration_from_seconds(lua_tonumber(L, idx), &ns);
        break;
    case LUA_TSTRING:
        wrong = read_duration(L, idx, &ns);
        break;
    default:
        neap_bind_usage(L, "%s: a duration is seconds or a text as \"1m30s\", got %s", name,
                        luaL_typename(L, idx));
    }
    if (wrong != NULL)
        neap_bind_usage(L, "%s: %s: %s", name, neap_bind_tostring(L, idx), wrong);
    return ns;
}

/* True if `name` is one of `names`; else `*count` tells how many there are. */
static bool is_known(const char *name, const char *const *names, int *count)
{
    for (*count = 0; names[*count] != NULL; ++*count)
        if (strcmp(name, names[*count]) == 0)
            return true;
    return false;
}

void neap_bind_options(lua_State *L, int idx, const char *what, const char *const *names)
{
    int count = 0;

    idx = lua_absindex(L, idx);
    if (!lua_istable(L, idx))
        neap_bind_usage(L, "%s: options are a table, got %s", what, luaL_typename(L, idx));
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (is_known(name, names, &count))
            continue;
        int nearest = neap_nearest(name, names, count);
        if (nearest < 0)
            neap_bind_usage(L, "%s: unknown option %s", what, neap_bind_tostring(L, -2));
        neap_bind_usage(L, "%s: unknown option \"%s\"; did you mean \"%s\"?", what, name,
                        names[nearest]);
    }
}

bool neap_bind_is_options(lua_State *L, int idx)
{
    if (!lua_istable(L, idx))
        return false;
    if (luaL_getmetafield(L, idx, "__call") == LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

/* --- modules ---------------------------------------------------------------------- */

/* lua-cjson, which has no header. */
int luaopen_cjson(lua_State *L);
int luaopen_cjson_safe(lua_State *L);

/* package.searchers[2]: what is in the binary. */
static int search_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const neap_embed *file = neap_embed_module(name);

    if (file == NULL) {
        lua_pushfstring(L, "no file '%s' in the neap binary", name);
        return 1;
    }
    lua_pushfstring(L, "=%s", file->name);
    if (luaL_loadbufferx(L, file->bytes, file->size, lua_tostring(L, -1), "t") != LUA_OK)
        return lua_error(L);
    lua_pushfstring(L, "neap:%s", file->name);
    return 2;
}

void neap_bind_open(lua_State *L)
{
    static const luaL_Reg modules[] = {
#define ROW(name) { "neap.core." #name, luaopen_neap_core_##name },
        NEAP_BIND_MODULES(ROW)
#undef ROW
        { "cjson", luaopen_cjson },
        { "cjson.safe", luaopen_cjson_safe },
        { NULL, NULL }
    };

    neap_bind_open_error(L);
    neap_bind_open_cancel(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    luaL_setfuncs(L, modules, 0);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, search_embedded);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 3);
}
