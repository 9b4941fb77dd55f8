/* bind/blocking.c - neap.core.blocking: C functions that block, on threads of their
 * own kind, since they may sit there for long.
 *
 *   errand->call   arguments
 */
#include <dlfcn.h>

#include "bind/copy.h"
#include "bind/errand.h"

/* Calls that wait for something outside, mostly: more than there are cores. */
#define THREADS 16

static void *open_thread(void)
{
    return neap_errand_new_host("neap.blocking");
}

static neap_pool POOL = NEAP_POOL(POOL, "neap.blocking", open_thread, neap_errand_rest,
                                  neap_errand_free_host);

/* --- on the thread ---------------------------------------------------------------------- */

static int perform(lua_State *L)
{
    neap_errand *errand = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_pushcfunction(L, errand->function);
    lua_call(L, neap_copy_read(L, &errand->call), LUA_MULTRET);
    neap_errand_return(L, errand, 0);
    return 0;
}

/* (error, errand) */
static int fail(lua_State *L)
{
    neap_errand *errand = lua_touserdata(L, 2);

    lua_settop(L, 1);
    neap_errand_raise(L, errand);
    return 0;
}

static void run(neap_pool_job *base, void *state)
{
    neap_errand *errand = neap_container(base, neap_errand, job);
    neap_host *host = state;

    if (host == NULL) {
        neap_errand_lacks_host(errand);
        return;
    }
    lua_State *L = host->L;
    lua_pushcfunction(L, perform);
    lua_pushlightuserdata(L, errand);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        lua_pushcfunction(L, fail);
        lua_insert(L, -2);
        lua_pushlightuserdata(L, errand);
        lua_pcall(L, 2, 0, 0);
    }
    lua_settop(L, 0);
}

/* --- in the host --------------------------------------------------------------------------- */

static void check(lua_State *L)
{
    if (!lua_isfunction(L, 1))
        neap_bind_usage(L, "neap.blocking: C function expected, got %s", luaL_typename(L, 1));
    if (!lua_iscfunction(L, 1))
        neap_bind_usage(L, "neap.blocking: a Lua function; neap.work runs those");
    if (lua_getupvalue(L, 1, 1) != NULL)
        neap_bind_usage(L, "neap.blocking: the C function has upvalues, which stay on this thread");
}

/* The library of a function that may outlive the host's Lua must not go with it. */
static void pin_library(lua_CFunction function)
{
    Dl_info info;
    union { lua_CFunction function; void *address; } pointer = { function };

    if (dladdr(pointer.address, &info) == 0 || info.dli_fname == NULL)
        return;
    void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    if (library != NULL)
        dlclose(library);
}

static const char *pack(lua_State *L, neap_errand *errand, int first)
{
    errand->function = lua_tocfunction(L, first);
    pin_library(errand->function);
    return neap_copy_write(L, &errand->call, first + 1, lua_gettop(L) - first, "argument");
}

static uint32_t threads(void)
{
    return THREADS;
}

int luaopen_neap_core_blocking(lua_State *L)
{
    static const neap_errand_class blocking = {
        .op = "neap.blocking", .variable = "NEAP_BLOCKING_THREADS", .pool = &POOL,
        .threads = threads, .check = check, .pack = pack, .run = run };

    lua_newtable(L);
    neap_errand_open(L, &blocking);
    return 1;
}
