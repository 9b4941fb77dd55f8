/* bind/latch.c - neap.core.latch: the latch as Lua sees it. */
#include "core/latch.h"

#include "bind/bind.h"

static const neap_bind_type LATCH = { "neap.latch" };

struct latch {
    const neap_bind_type *type;
    neap_latch            core;
};

/* latch.new(count) -> latch */
static int l_new(lua_State *L)
{
    uint32_t count = (uint32_t)neap_bind_integer(L, 1, "neap.latch: count", 0, UINT32_MAX);

    struct latch *latch = neap_bind_new(L, &LATCH, sizeof *latch, 0);
    neap_latch_init(&latch->core, count);
    return 1;
}

/* latch:count_down([n]): by 1 by default; at zero whoever waits goes on. */
static int l_count_down(lua_State *L)
{
    struct latch *latch = neap_bind_arg(L, 1, &LATCH);

    neap_latch_count_down(&latch->core,
                          (uint32_t)neap_bind_opt_integer(L, 2, "latch:count_down: n", 1, 0,
                                                          UINT32_MAX));
    return 0;
}

/* latch:wait(). Parks until the count is zero. */
static int l_wait(lua_State *L)
{
    struct latch *latch = neap_bind_arg(L, 1, &LATCH);
    neap_task *task = neap_bind_checkpoint(L, "latch:wait");

    if (latch->core.count == 0)
        return neap_bind_return(L, 0);
    lua_settop(L, 1);
    neap_latch_park(&latch->core, task);
    return neap_bind_wait(L, "latch:wait");
}

int luaopen_neap_core_latch(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg latch[] = {
        { "count_down", l_count_down }, { "wait", l_wait }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &LATCH, latch, "methods");
    return 1;
}
