#include "bind/pack.h"

static const neap_bind_type PACK = { "neap.pack" };

struct pack {
    const neap_bind_type *type;
    int                   count;    /* of user values: the values */
};

void neap_bind_pack(lua_State *L, int count)
{
    if (count == 1)
        return;
    int at = lua_gettop(L) - count + 1;
    neap_bind_checkstack(L, 1, NULL);
    struct pack *pack = lua_newuserdatauv(L, sizeof *pack, count);
    *pack = (struct pack){ .type = &PACK, .count = count };
    lua_insert(L, at);
    for (int i = count; i > 0; i--)
        lua_setiuservalue(L, at, i);
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
