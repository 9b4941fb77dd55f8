#include "bind/pack.h"

static const neap_bind_type PACK = { "neap.pack" };

struct pack {
    const neap_bind_type *type;
    int                   count;    /* of user values: the values */
};

void neap_bind_pack_new(lua_State *L, int count)
{
    struct pack *pack = lua_newuserdatauv(L, sizeof *pack, count);

    *pack = (struct pack){ .type = &PACK, .count = count };
}

void neap_bind_pack_fill(lua_State *L, int pack)
{
    for (int i = lua_gettop(L) - pack; i > 0; i--)
        lua_setiuservalue(L, pack, i);
}

void neap_bind_pack(lua_State *L, int count)
{
    if (count == 1)
        return;
    int pack = lua_gettop(L) - count + 1;
    neap_bind_checkstack(L, 1, NULL);
    neap_bind_pack_new(L, count);
    lua_insert(L, pack);
    neap_bind_pack_fill(L, pack);
}

int neap_bind_unpack(lua_State *L)
{
    const struct pack *pack = neap_bind_test(L, -1, &PACK);

    if (pack == NULL)
        return 1;
    int at = lua_gettop(L), count = pack->count;
    neap_bind_checkstack(L, count, NULL);
    for (int i = 1; i <= count; i++)
        lua_getiuservalue(L, at, i);
    lua_remove(L, at);
    return count;
}
