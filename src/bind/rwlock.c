/* bind/rwlock.c - neap.core.rwlock: many readers or one writer, as Lua sees it.
 * Its guards are permits: bind/permit. */
#include "core/rwlock.h"

#include "bind/permit.h"

static const neap_bind_type RWLOCK = { "neap.rwlock" };

struct rwlock {
    const neap_bind_type *type;
    neap_rwlock           core;
};

static const neap_bind_way READ = {
    "rwlock:read", { "read lock", neap_bind_permit_take_back }, neap_rwlock_park, true };
static const neap_bind_way WRITE = {
    "rwlock:write", { "write lock", neap_bind_permit_take_back }, neap_rwlock_park, true };

/* rwlock.new() -> lock */
static int l_new(lua_State *L)
{
    struct rwlock *lock = neap_bind_new(L, &RWLOCK, sizeof *lock, 0);
    neap_rwlock_init(&lock->core);
    return 1;
}

/* lock:read() -> guard. Parks while someone writes, or waits for that. */
static int l_read(lua_State *L)
{
    struct rwlock *lock = neap_bind_arg(L, 1, &RWLOCK);
    return neap_bind_permit_acquire(L, &lock->core, NEAP_RWLOCK_READ, &READ);
}

/* lock:write() -> guard. Parks until it is alone. */
static int l_write(lua_State *L)
{
    struct rwlock *lock = neap_bind_arg(L, 1, &RWLOCK);
    return neap_bind_permit_acquire(L, &lock->core, NEAP_RWLOCK_WRITE, &WRITE);
}

/* lock:try_read() -> guard | nil, "locked" */
static int l_try_read(lua_State *L)
{
    struct rwlock *lock = neap_bind_arg(L, 1, &RWLOCK);
    return neap_bind_permit_try(L, &lock->core, NEAP_RWLOCK_READ, &READ);
}

/* lock:try_write() -> guard | nil, "locked" */
static int l_try_write(lua_State *L)
{
    struct rwlock *lock = neap_bind_arg(L, 1, &RWLOCK);
    return neap_bind_permit_try(L, &lock->core, NEAP_RWLOCK_WRITE, &WRITE);
}

int luaopen_neap_core_rwlock(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg lock[] = {
        { "read", l_read }, { "write", l_write }, { "try_read", l_try_read },
        { "try_write", l_try_write }, { NULL, NULL } };

    neap_bind_permit_open(L);
    luaL_newlib(L, functions);
    neap_bind_methods(L, &RWLOCK, lock, "methods");
    return 1;
}
