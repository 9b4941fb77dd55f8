/* bind/select.c - neap.core.select: the first of several arms. */
#include "bind/select.h"

#include <string.h>

#include "base/nearest.h"
#include "bind/hand.h"

static const char *const OPTIONS[] = { "default", "fair" };

static const neap_bind_type ARM    = { "neap.arm" };
static const neap_bind_type SELECT = { "neap.select" };

/* User value i is arm i, user value count + i what it has prepared. */
struct select {
    const neap_bind_type *type;
    neap_select           core;
    neap_arm              arms[];
};

/* Where a fair select begins, for each place that selects: with one counter for
 * all, two selects that take turns would always begin at the same arms. */
#define PLACES 256
struct rotation {
    uint64_t spawned;               /* tasks before it was renewed: ids count from there */
    uint32_t first[PLACES];
};
static const char ROTATION;     /* registry key of its box */

neap_bind_arm *neap_bind_new_arm(lua_State *L, const neap_bind_arm_ops *ops, void *object,
                                 int handler, const char *op)
{
    bool handled = !lua_isnoneornil(L, handler);

    if (handled)
        neap_bind_function(L, handler, op);
    neap_bind_arm *arm = neap_bind_new(L, &ARM, sizeof *arm, ops->gives ? 3 : 2);
    arm->ops = ops;
    arm->object = object;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    if (handled) {
        lua_pushvalue(L, handler);
        lua_setiuservalue(L, -2, 2);
    }
    return arm;
}

void neap_bind_select_take(lua_State *L, neap_node *node)
{
    /* It has parked with its own box as the value to be taken. */
    if (!lua_checkstack(L, 2) || !neap_hand_take(L, neap_node_task(node), 1))
        neap_bind_memory(L);
    lua_getiuservalue(L, -1, (int)node->arm);
    lua_getiuservalue(L, -1, 3);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

void neap_bind_select_renew(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ROTATION);
    struct rotation *rotation = lua_touserdata(L, -1);
    if (rotation != NULL)       /* the module was opened */
        *rotation = (struct rotation){ .spawned = neap_host_of(L)->sched.spawned };
    lua_pop(L, 1);
}

/* --- neap.after ------------------------------------------------------------------- */

/* `number` is the duration in nanoseconds. */
static int after_now(lua_State *L, int idx)
{
    const neap_bind_arm *arm = lua_touserdata(L, idx);
    return arm->number == 0 ? 0 : NEAP_BIND_ARM_WAITS;
}

static void after_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_clock *clock = select->task->scope->sched->clock;
    neap_select_after(select, index, neap_clock_after(neap_clock_now(clock), arm->number));
}

static int after_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    (void)L, (void)arm, (void)prepared, (void)given, (void)result;
    return 0;
}

static const neap_bind_arm_ops AFTER = { .now = after_now, .queue = after_queue,
                                         .finish = after_finish };

/* select.after(duration [, handler]) -> arm, which happens so long after the
 * beginning of its select */
static int l_after(lua_State *L)
{
    uint64_t ns = neap_bind_duration(L, 1, "neap.after");

    neap_bind_new_arm(L, &AFTER, NULL, 2, "neap.after")->number = ns;
    return 1;
}

/* --- select ------------------------------------------------------------------------- */

/* Raises if an arm of `rival` on the object of `arm` is in the table. */
static void refuse_rival(lua_State *L, const neap_bind_arm *arm, lua_Integer count)
{
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        const neap_bind_arm *other = neap_bind_test(L, -1, &ARM);
        if (other != NULL && other->ops == arm->ops->rival && other->object == arm->object)
            neap_bind_usage(L, "neap.select: the same unbuffered channel to send to and to receive "
                            "from can never meet itself");
        lua_pop(L, 1);
    }
}

/* What stands at `i` in the list of arms is on top, and is none. */
static int refuse_arm(lua_State *L, lua_Integer i)
{
    return neap_bind_usage(L, "neap.select: arm %I: expected an arm as ch:on_recv() makes one, got %s",
                           (LUAI_UACINT)i, luaL_typename(L, -1));
}

/* The number of arms in the table at 1; `*fair` is set, and true is in
 * `*has_default`, by the options of that name. */
static lua_Integer check_arms(lua_State *L, bool *fair, bool *has_default)
{
    if (!lua_istable(L, 1))
        neap_bind_usage(L, "neap.select: table of arms expected, got %s", luaL_typename(L, 1));
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1), arms = 0;

    if (count > NEAP_BIND_ARMS_MAX)
        neap_bind_usage(L, "neap.select: %I arms; at most %d are allowed", (LUAI_UACINT)count,
                        NEAP_BIND_ARMS_MAX);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            const char *name = lua_tostring(L, -2);
            if (strcmp(name, "default") == 0) {
                neap_bind_function(L, -1, "neap.select: default");
                *has_default = true;
                continue;
            }
            if (strcmp(name, "fair") == 0) {
                *fair = lua_toboolean(L, -1);
                continue;
            }
            int nearest = neap_nearest(name, OPTIONS, (int)(sizeof OPTIONS / sizeof *OPTIONS));
            if (nearest >= 0)
                neap_bind_usage(L, "neap.select: unknown option \"%s\"; did you mean \"%s\"?", name,
                                OPTIONS[nearest]);
        }
        const neap_bind_arm *arm = neap_bind_test(L, -1, &ARM);
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 || lua_tointeger(L, -2) > count)
            neap_bind_usage(L, "neap.select: unknown option %s; arms are listed, options are "
                            "`default` and `fair`", neap_bind_tostring(L, -2));
        if (arm == NULL)
            return refuse_arm(L, lua_tointeger(L, -2));
        if (arm->ops->rival != NULL)
            refuse_rival(L, arm, count);
        arms++;
    }
    if (arms < count) {                 /* there are holes */
        lua_Integer first = 1;
        for (; lua_rawgeti(L, 1, first) != LUA_TNIL; first++)
            lua_pop(L, 1);
        return refuse_arm(L, first);
    }
    if (count == 0 && !*has_default)
        neap_bind_usage(L, "neap.select: no arm, so it would never end");
    return count;
}

/* Where the running task begins at the line that called the select. */
static uint32_t *rotation_here(lua_State *L)
{
    const neap_task *task = neap_host_of(L)->sched.running;
    lua_Debug ar = { .currentline = 0 };
    /* Level 1 is neap/select.lua. */
    if (lua_getstack(L, 2, &ar))
        lua_getinfo(L, "l", &ar);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ROTATION);
    struct rotation *rotation = lua_touserdata(L, -1);
    lua_pop(L, 1);
    uint64_t id = task != NULL ? task->id : 0;
    if (id > rotation->spawned)
        id -= rotation->spawned;
    return &rotation->first[(id * 31 + (uint64_t)ar.currentline) % PLACES];
}

/* Try arm `i`: if it happens now, how many values stand on top: the handler or
 * nil, the index, and what the arm gives. Else 0, and the stack as it was. */
static int try_arm(lua_State *L, lua_Integer i)
{
    int at = lua_gettop(L) + 1;
    lua_rawgeti(L, 1, i);
    const neap_bind_arm *arm = neap_bind_test(L, at, &ARM);

    if (arm == NULL)        /* a finalizer has changed the table */
        neap_bind_usage(L, "neap.select: the list of arms was changed");
    lua_getiuservalue(L, at, 2);
    lua_pushinteger(L, i);
    int given = arm->ops->now(L, at);
    if (given == NEAP_BIND_ARM_WAITS) {
        lua_settop(L, at - 1);
        return 0;
    }
    return given + 2;
}

/* In the order of the list, or from the arm after the one chosen last. */
static int try_all(lua_State *L, lua_Integer count, uint32_t *rotation)
{
    lua_Integer first = rotation != NULL ? *rotation % count : 0;

    for (lua_Integer n = 0; n < count; n++) {
        lua_Integer i = (first + n) % count;
        int values = try_arm(L, i + 1);
        if (values > 0) {
            if (rotation != NULL)
                *rotation = (uint32_t)(i + 1);
            return values;
        }
    }
    return 0;
}

/* Push the box of a select with the arms of the table at 1. `*gives` is set if
 * one of them has a value to give. */
static struct select *new_select(lua_State *L, int count, bool *gives)
{
    size_t size = sizeof(struct select) + (size_t)count * sizeof(neap_arm);
    struct select *select = neap_bind_new(L, &SELECT, size, 2 * count);

    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        const neap_bind_arm *arm = neap_bind_test(L, -1, &ARM);
        if (arm == NULL)
            neap_bind_usage(L, "neap.select: the list of arms was changed");
        *gives |= arm->ops->gives;
        if (arm->ops->prepare != NULL) {
            arm->ops->prepare(L, lua_gettop(L));
            lua_setiuservalue(L, 2, count + i);
        }
        lua_setiuservalue(L, 2, i);
    }
    return select;
}

static const neap_bind_arm *arm_of(lua_State *L, int index)
{
    lua_getiuservalue(L, 2, index);
    const neap_bind_arm *arm = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return arm;             /* the box at 2 keeps it */
}

/* Queue all arms; of those of neap.after the earliest, so that there is room
 * for it: no other one can be the first. */
static void queue_all(lua_State *L, neap_select *select)
{
    const neap_bind_arm *earliest = NULL;
    uint32_t earliest_index = 0;

    for (uint32_t i = 0; i < select->count; i++) {
        const neap_bind_arm *arm = arm_of(L, (int)i + 1);
        if (arm->ops != &AFTER) {
            arm->ops->queue(arm, select, i);
        } else if (earliest == NULL || arm->number < earliest->number) {
            earliest = arm;
            earliest_index = i;
        }
    }
    if (earliest != NULL)
        earliest->ops->queue(earliest, select, earliest_index);
}

/* [2] box of the select; on top what was given. `ctx` is the box. */
static int select_k(lua_State *L, int status, lua_KContext ctx)
{
    struct select *select = (struct select *)ctx;
    const neap_wait *wait = &select->core.task->wait;
    int result = wait->result, index = (int)wait->arm + 1;
    (void)status;

    if (result == NEAP_ECANCELLED)
        return neap_bind_fail(L, result, "neap.select");
    neap_bind_checkstack(L, 8, NULL);
    lua_getiuservalue(L, 2, index);
    const neap_bind_arm *arm = lua_touserdata(L, -1);
    lua_getiuservalue(L, 2, (int)select->core.count + index);
    lua_getiuservalue(L, -2, 2);
    lua_pushinteger(L, index);
    int given = arm->ops->takes && result == NEAP_OK
              ? (int)select->arms[index - 1].node.count : 0;
    lua_rotate(L, -given - 4, 4);       /* arm, prepared, handler, index, given */
    int at = lua_gettop(L) - given - 3;
    return arm->ops->finish(L, at, at + 1, given, result) + 2;
}

/* select.select(arms) -> handler, index, values of the one that happened */
static int l_select(lua_State *L)
{
    bool fair = false, has_default = false, gives = false;
    neap_task *task = NULL;

    lua_settop(L, 1);
    lua_Integer count = check_arms(L, &fair, &has_default);
    if (!has_default)
        task = neap_bind_checkpoint(L, "neap.select");
    uint32_t *rotation = fair && count > 0 ? rotation_here(L) : NULL;
    int values = try_all(L, count, rotation);
    if (has_default) {
        if (values == 0)
            values = lua_getfield(L, 1, "default") == LUA_TNIL ? 0 : 1;
        return values;
    }
    if (values > 0)
        return neap_bind_return(L, values);

    struct select *select = new_select(L, (int)count, &gives);
    neap_bind_reserve(L);
    /* A finalizer may have run, and have made an arm ready. */
    values = try_all(L, count, rotation);
    if (values > 0)
        return neap_bind_return(L, values);
    if (gives) {
        lua_pushvalue(L, 2);
        neap_hand_offer(L, task, 1);
    }
    neap_bind_checkstack(L, 1, NULL);        /* the last line that can raise */
    neap_select_park(&select->core, task, select->arms, (uint32_t)count);
    queue_all(L, &select->core);
    return neap_bind_suspend(L, (lua_KContext)select, select_k);
}

int luaopen_neap_core_select(lua_State *L)
{
    static const luaL_Reg functions[] = { { "after", l_after }, { "select", l_select },
                                          { NULL, NULL } };
    static const luaL_Reg none[] = { { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &ARM, none, NULL);
    neap_bind_methods(L, &SELECT, none, NULL);
    struct rotation *rotation = lua_newuserdatauv(L, sizeof *rotation, 0);
    *rotation = (struct rotation){ .spawned = 0 };
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ROTATION);
    return 1;
}
