/* bind/deferred.c - neap.core.deferred: a value that somebody else completes. */
#include "bind/bind.h"
#include "bind/pack.h"
#include "bind/select.h"

static const neap_bind_type DEFERRED = { "neap.deferred" };

static const neap_wait_class AWAIT = { .what = "deferred:await" };

enum deferred_state { PENDING, RESOLVED, REJECTED };

/* User value 1 is what it has come to: its values as one, or its error. */
struct deferred {
    const neap_bind_type *type;
    neap_link             waiters;
    enum deferred_state   state;
    bool                  claimed;  /* it can be completed only while somebody waits */
};

static int l_new(lua_State *L)
{
    struct deferred *deferred = neap_bind_new(L, &DEFERRED, sizeof *deferred, 1);

    neap_link_init(&deferred->waiters);
    return 1;
}

/* Can it still be completed? Not when it is claimed by a task that was cancelled: even
 * before that runs the value would be nobody's. */
static bool is_open(const struct deferred *deferred)
{
    return deferred->state == PENDING &&
           (!deferred->claimed || neap_link_linked(&deferred->waiters));
}

/* The value on top is what the deferred at 1 comes to. */
static void complete(lua_State *L, struct deferred *deferred, enum deferred_state state)
{
    lua_setiuservalue(L, 1, 1);
    deferred->state = state;            /* before anyone runs */
    neap_wait_end_all(&deferred->waiters, NEAP_OK);
}

/* d:resolve(...) -> true the first time */
static int l_resolve(lua_State *L)
{
    struct deferred *deferred = neap_bind_arg(L, 1, &DEFERRED);
    int count = lua_gettop(L) - 1;

    if (count > NEAP_BIND_PACK_MAX)
        neap_bind_usage(L, "deferred:resolve: %d values; at most %d are allowed, or one table",
                        count, NEAP_BIND_PACK_MAX);
    neap_bind_pack(L, count);           /* a finalizer may run here */
    bool first = is_open(deferred);
    if (first)
        complete(L, deferred, RESOLVED);
    lua_pushboolean(L, first);
    return 1;
}

/* d:reject(err) -> true the first time */
static int l_reject(lua_State *L)
{
    struct deferred *deferred = neap_bind_arg(L, 1, &DEFERRED);
    bool first = is_open(deferred);

    if (lua_isnoneornil(L, 2))
        neap_bind_usage(L, "deferred:reject: an error expected, got nil");
    if (first) {
        lua_settop(L, 2);
        complete(L, deferred, REJECTED);
    }
    lua_pushboolean(L, first);
    return 1;
}

/* Push what the completed deferred at `at` has come to, or raise it. */
static int outcome(lua_State *L, int at)
{
    const struct deferred *deferred = lua_touserdata(L, at);

    lua_getiuservalue(L, at, 1);
    if (deferred->state == REJECTED)
        return lua_error(L);
    return neap_bind_unpack(L);
}

/* [1] deferred. `ctx` is the wait. */
static int await_k(lua_State *L, int status, lua_KContext ctx)
{
    const neap_wait *wait = (const neap_wait *)ctx;
    (void)status;

    if (wait->result != NEAP_OK)
        return neap_bind_fail(L, wait->result, "deferred:await");
    return outcome(L, 1);
}

/* d:await() -> the values it was resolved with */
static int l_await(lua_State *L)
{
    struct deferred *deferred = neap_bind_arg(L, 1, &DEFERRED);
    neap_task *task = neap_bind_checkpoint(L, "deferred:await");

    lua_settop(L, 1);
    if (deferred->state != PENDING)
        return neap_bind_return(L, outcome(L, 1));
    neap_wait_park(task, &AWAIT, deferred);
    neap_link_append(&deferred->waiters, &task->wait.node.link);
    return neap_bind_suspend(L, (lua_KContext)&task->wait, await_k);
}

/* deferred.claim(d): from now on it can be completed only while somebody waits for it */
static int l_claim(lua_State *L)
{
    struct deferred *deferred = neap_bind_arg(L, 1, &DEFERRED);

    deferred->claimed = true;
    return 0;
}

/* deferred.is_open(d) -> can it still be completed? */
static int l_is_open(lua_State *L)
{
    lua_pushboolean(L, is_open(neap_bind_arg(L, 1, &DEFERRED)));
    return 1;
}

/* deferred.wait(d): claim and await, but what is there already is given to a cancelled
 * task, too: it has been handed over. */
static int l_wait(lua_State *L)
{
    struct deferred *deferred = neap_bind_arg(L, 1, &DEFERRED);

    deferred->claimed = true;
    return deferred->state == PENDING ? l_await(L) : outcome(L, 1);
}

/* --- an arm of a select ----------------------------------------------------------- */

/* Push what the deferred of the arm has come to. */
static int arm_outcome(lua_State *L, int arm)
{
    lua_getiuservalue(L, arm, 1);
    int at = lua_gettop(L);
    int count = outcome(L, at);
    lua_remove(L, at);
    return count;
}

static int on_await_now(lua_State *L, int idx)
{
    const neap_bind_arm *arm = lua_touserdata(L, idx);
    const struct deferred *deferred = arm->object;
    return deferred->state == PENDING ? NEAP_BIND_ARM_WAITS : arm_outcome(L, idx);
}

static void on_await_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    struct deferred *deferred = arm->object;
    neap_link_append(&deferred->waiters,
                     &neap_select_queue(select, index, &AWAIT, deferred)->link);
}

static int on_await_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    (void)prepared, (void)given, (void)result;
    return arm_outcome(L, arm);
}

static const neap_bind_arm_ops ON_AWAIT = { .now = on_await_now, .queue = on_await_queue,
                                            .finish = on_await_finish };

/* d:on_await([handler]) -> arm */
static int l_on_await(lua_State *L)
{
    neap_bind_new_arm(L, &ON_AWAIT, neap_bind_arg(L, 1, &DEFERRED), 2, "deferred:on_await");
    return 1;
}

int luaopen_neap_core_deferred(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { "wait", l_wait }, { "claim", l_claim },
        { "is_open", l_is_open }, { NULL, NULL } };
    static const luaL_Reg deferred[] = { { "resolve", l_resolve }, { "reject", l_reject },
        { "await", l_await }, { "on_await", l_on_await }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &DEFERRED, deferred, "methods");
    return 1;
}
