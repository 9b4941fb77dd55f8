/* bind/event.c - neap.core.event: the event as Lua sees it. */
#include "core/event.h"

#include "bind/select.h"

static const neap_bind_type EVENT = { "neap.event" };

struct event {
    const neap_bind_type *type;
    neap_event            core;
};

/* event.new() -> event */
static int l_new(lua_State *L)
{
    struct event *event = neap_bind_new(L, &EVENT, sizeof *event, 0);
    neap_event_init(&event->core);
    return 1;
}

/* event:set(): whoever waits goes on. */
static int l_set(lua_State *L)
{
    struct event *event = neap_bind_arg(L, 1, &EVENT);

    neap_event_set(&event->core);
    return 0;
}

/* event:clear() */
static int l_clear(lua_State *L)
{
    struct event *event = neap_bind_arg(L, 1, &EVENT);

    neap_event_clear(&event->core);
    return 0;
}

/* event:is_set() -> boolean */
static int l_is_set(lua_State *L)
{
    struct event *event = neap_bind_arg(L, 1, &EVENT);

    lua_pushboolean(L, event->core.set);
    return 1;
}

/* event:wait(). Parks while it is not set. */
static int l_wait(lua_State *L)
{
    struct event *event = neap_bind_arg(L, 1, &EVENT);
    neap_task *task = neap_bind_checkpoint(L, "event:wait");

    if (event->core.set)
        return neap_bind_return(L, 0);
    lua_settop(L, 1);
    neap_event_park(&event->core, task);
    return neap_bind_wait(L, "event:wait");
}

static int on_wait_now(lua_State *L, int idx)
{
    const neap_bind_arm *arm = lua_touserdata(L, idx);
    const neap_event *event = arm->object;
    return event->set ? 0 : NEAP_BIND_ARM_WAITS;
}

static void on_wait_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_event *event = arm->object;
    neap_event_queue(event, neap_select_queue(select, index, &neap_event_wait_class, event));
}

static int on_wait_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    (void)L, (void)arm, (void)prepared, (void)given, (void)result;
    return 0;
}

static const neap_bind_arm_ops ON_WAIT = { .now = on_wait_now, .queue = on_wait_queue,
                                           .finish = on_wait_finish };

/* event:on_wait([handler]) -> arm */
static int l_on_wait(lua_State *L)
{
    struct event *event = neap_bind_arg(L, 1, &EVENT);

    neap_bind_new_arm(L, &ON_WAIT, &event->core, 2, "event:on_wait");
    return 1;
}

int luaopen_neap_core_event(lua_State *L)
{
    static const luaL_Reg functions[] = { { "new", l_new }, { NULL, NULL } };
    static const luaL_Reg event[] = {
        { "set", l_set }, { "clear", l_clear }, { "is_set", l_is_set }, { "wait", l_wait },
        { "on_wait", l_on_wait },
        { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &EVENT, event, "methods");
    return 1;
}
