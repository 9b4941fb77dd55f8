/* bind/port.c - neap.core.port: an end of a channel between isolates as Lua sees it.
 *
 * Values are copied into a parcel before anything waits, so that what cannot cross
 * is refused first; the parcel lies in a box until it has been sent.
 */
#include "bind/port.h"

#include "bind/copy.h"
#include "bind/pack.h"
#include "bind/select.h"

const neap_bind_type neap_bind_port_type = { "neap.port" };

static const neap_bind_type PARCEL = { "neap.parcel" };

struct parcel {
    const neap_bind_type *type;
    neap_parcel          *core;         /* NULL once it is in other hands */
};

static neap_bind_port *port_arg(lua_State *L)
{
    return neap_bind_arg(L, 1, &neap_bind_port_type);
}

/* --- how it ends ---------------------------------------------------------------------- */

/* Push what the port of the box at `idx` was closed with; false if with nothing. */
static bool push_cause(lua_State *L, int idx)
{
    neap_bind_port *box = lua_touserdata(L, idx);
    const neap_buf *cause = neap_port_cause(box->core);

    if (cause->len == 0)
        return false;
    box->told = true;
    neap_copy_read(L, cause);
    return true;
}

static int raise_closed(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    neap_bind_checkstack(L, 8, NULL);
    neap_bind_push_error(L, "closed", "ECLOSED", "port:send", ": the other isolate has ended, or "
                         "closed the channel");
    if (push_cause(L, idx))
        lua_setfield(L, -2, "cause");
    return lua_error(L);
}

/* What a receive gives at the end; raises the cause. */
static int push_end(lua_State *L, int idx)
{
    neap_bind_checkstack(L, 8, NULL);
    if (push_cause(L, idx))
        return lua_error(L);
    lua_pushnil(L);
    lua_pushliteral(L, "closed");
    return 2;
}

/* --- parcels ------------------------------------------------------------------------------ */

static struct parcel *push_box(lua_State *L)
{
    neap_bind_checkstack(L, 8, NULL);
    return neap_bind_new(L, &PARCEL, sizeof(struct parcel), 0);
}

static struct parcel *push_new_parcel(lua_State *L)
{
    struct parcel *box = push_box(L);

    box->core = neap_parcel_new();
    if (box->core == NULL)
        neap_bind_memory(L);
    return box;
}

/* Push a box with copies of the `count` values from index `first` on; raises what
 * cannot cross. A box from port.pack is taken as it is. */
static struct parcel *push_parcel(lua_State *L, int first, int count)
{
    struct parcel *packed = neap_bind_test(L, first, &PARCEL);

    if (packed != NULL && packed->core != NULL) {
        lua_pushvalue(L, first);
        return packed;
    }
    first = lua_absindex(L, first);
    if (count < 1 || lua_isnil(L, first))
        neap_bind_usage(L, "port:send: nil cannot be sent as the first value; a receiver takes it "
                        "for the end");
    if (count > NEAP_BIND_PACK_MAX)
        neap_bind_usage(L, "port:send: %d values; at most %d can be sent at once, or one table",
                        count, NEAP_BIND_PACK_MAX);
    struct parcel *box = push_new_parcel(L);
    const char *wrong = neap_copy_write(L, &box->core->bytes, first, count, "value");
    if (wrong != NULL)
        neap_bind_usage(L, "port:send: %s", wrong);
    return box;
}

static void free_parcel(struct parcel *box)
{
    if (box->core != NULL)
        neap_parcel_free(box->core);
    box->core = NULL;
}

/* __gc */
static int l_free_parcel(lua_State *L)
{
    free_parcel(lua_touserdata(L, 1));
    return 0;
}

/* Push the values of the received parcel; how many. */
static int unpack(lua_State *L, struct parcel *box)
{
    int count = neap_copy_read(L, &box->core->bytes);

    free_parcel(box);
    return count;
}

/* port.pack(v, ...) -> parcel, which `send` and its like take instead of values; it
 * can be sent once */
static int l_pack(lua_State *L)
{
    push_parcel(L, 1, lua_gettop(L));
    return 1;
}

/* --- send ------------------------------------------------------------------------------------ */

/* [1] port; `ctx` is the box of the parcel, which is on the stack. */
static int send_k(lua_State *L, int status, lua_KContext ctx)
{
    struct parcel *box = (struct parcel *)ctx;
    neap_bind_port *port = lua_touserdata(L, 1);
    int result = neap_host_of(L)->sched.running->wait.result;

    (void)status;
    if (result == NEAP_OK)
        result = neap_port_send_reserved(port->core, box->core);
    if (result == NEAP_ECLOSED)
        return raise_closed(L, 1);
    if (result != NEAP_OK)
        return neap_bind_fail(L, result, "port:send");
    box->core = NULL;
    return 0;
}

/* port:send(v, ...) */
static int l_send(lua_State *L)
{
    neap_bind_port *port = port_arg(L);
    struct parcel *box = push_parcel(L, 2, lua_gettop(L) - 1);
    neap_task *task = neap_bind_checkpoint(L, "port:send");

    switch (neap_port_try_send(port->core, box->core)) {
    case NEAP_OK:
        box->core = NULL;
        return neap_bind_return(L, 0);
    case NEAP_ECLOSED:
        return raise_closed(L, 1);
    default:
        neap_port_park_send(port->core, task);
        return neap_bind_suspend(L, (lua_KContext)box, send_k);
    }
}

/* port:try_send(v, ...) -> true, or nil and "full" or "closed" */
static int l_try_send(lua_State *L)
{
    neap_bind_port *port = port_arg(L);
    struct parcel *box = push_parcel(L, 2, lua_gettop(L) - 1);
    int result = neap_port_try_send(port->core, box->core);

    if (result == NEAP_OK) {
        box->core = NULL;
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, result == NEAP_ECLOSED ? "closed" : "full");
    return 2;
}

/* --- receive ---------------------------------------------------------------------------------- */

/* [1] port; `ctx` is a box for the parcel, which is on the stack. */
static int recv_k(lua_State *L, int status, lua_KContext ctx)
{
    struct parcel *box = (struct parcel *)ctx;
    neap_bind_port *port = lua_touserdata(L, 1);
    int result = neap_host_of(L)->sched.running->wait.result;

    (void)status;
    if (result == NEAP_ECLOSED)
        return push_end(L, 1);
    if (result != NEAP_OK)
        return neap_bind_fail(L, result, "port:recv");
    box->core = neap_port_take_handed(port->core);
    return unpack(L, box);
}

/* port:recv() -> values; also as the iterator of `for v in port do` */
static int l_recv(lua_State *L)
{
    neap_bind_port *port = port_arg(L);
    neap_task *task = neap_bind_checkpoint(L, "port:recv");
    struct parcel *box = push_box(L);

    switch (neap_port_try_recv(port->core, &box->core)) {
    case NEAP_OK:
        return neap_bind_return(L, unpack(L, box));
    case NEAP_ECLOSED:
        return neap_bind_return(L, push_end(L, 1));
    default:
        neap_port_park_recv(port->core, task);
        return neap_bind_suspend(L, (lua_KContext)box, recv_k);
    }
}

/* port:try_recv() -> values, or nil and "empty" or "closed" */
static int l_try_recv(lua_State *L)
{
    neap_bind_port *port = port_arg(L);
    struct parcel *box = push_box(L);

    switch (neap_port_try_recv(port->core, &box->core)) {
    case NEAP_OK:
        return unpack(L, box);
    case NEAP_ECLOSED:
        return push_end(L, 1);
    default:
        lua_pushnil(L);
        lua_pushliteral(L, "empty");
        return 2;
    }
}

/* --- arms of a select ---------------------------------------------------------------------------- */

/* Push the box of the port that the arm is of. */
static neap_bind_port *push_port(lua_State *L, int arm)
{
    lua_getiuservalue(L, arm, 1);
    return lua_touserdata(L, -1);
}

static int on_recv_now(lua_State *L, int arm)
{
    neap_bind_port *port = push_port(L, arm);
    struct parcel *box = push_box(L);
    int at = lua_gettop(L) - 1, count = NEAP_BIND_ARM_WAITS;
    int result = neap_port_try_recv(port->core, &box->core);

    if (result == NEAP_OK)
        count = unpack(L, box);
    else if (result == NEAP_ECLOSED)
        count = push_end(L, at);
    lua_remove(L, at);
    lua_remove(L, at);
    return count;
}

/* Push a box for the parcel. */
static void on_recv_prepare(lua_State *L, int arm)
{
    (void)arm;
    push_box(L);
}

static void on_recv_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_port_queue_recv(arm->object, neap_select_queue(select, index, &neap_port_recv_class,
                                                        arm->object));
}

static int on_recv_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    neap_bind_port *port = push_port(L, arm);
    struct parcel *box = lua_touserdata(L, prepared);
    int at = lua_gettop(L), count;

    (void)given;
    if (result == NEAP_OK) {
        box->core = neap_port_take_handed(port->core);
        count = unpack(L, box);
    } else {
        count = push_end(L, at);
    }
    lua_remove(L, at);
    return count;
}

/* Push the parcel of an arm that sends. */
static void on_send_prepare(lua_State *L, int arm)
{
    lua_getiuservalue(L, arm, 3);
    push_parcel(L, -1, 1);
    lua_remove(L, -2);
}

static int on_send_now(lua_State *L, int arm)
{
    neap_bind_port *port = push_port(L, arm);
    int at = lua_gettop(L);
    int result = neap_port_can_send(port->core);

    if (result == NEAP_ECLOSED)
        return raise_closed(L, at);
    if (result == NEAP_OK) {
        on_send_prepare(L, arm);
        struct parcel *box = lua_touserdata(L, -1);
        if (neap_port_try_send(port->core, box->core) != NEAP_OK)
            return raise_closed(L, at);         /* meanwhile, by the other thread */
        box->core = NULL;
    }
    lua_settop(L, at - 1);
    return result == NEAP_OK ? 0 : NEAP_BIND_ARM_WAITS;
}

static void on_send_queue(const neap_bind_arm *arm, neap_select *select, uint32_t index)
{
    neap_port_queue_send(arm->object, neap_select_queue(select, index, &neap_port_send_class,
                                                        arm->object));
}

static int on_send_finish(lua_State *L, int arm, int prepared, int given, int result)
{
    neap_bind_port *port = push_port(L, arm);
    struct parcel *box = lua_touserdata(L, prepared);

    (void)given;
    if (result == NEAP_OK)
        result = neap_port_send_reserved(port->core, box->core);
    if (result != NEAP_OK)
        return raise_closed(L, -1);
    box->core = NULL;
    lua_pop(L, 1);
    return 0;
}

static const neap_bind_arm_ops ON_RECV = {
    .now = on_recv_now, .prepare = on_recv_prepare, .queue = on_recv_queue,
    .finish = on_recv_finish };
static const neap_bind_arm_ops ON_SEND = {
    .now = on_send_now, .prepare = on_send_prepare, .queue = on_send_queue,
    .finish = on_send_finish, .gives = true };

/* port:on_recv([handler]) -> arm */
static int l_on_recv(lua_State *L)
{
    neap_bind_new_arm(L, &ON_RECV, port_arg(L)->core, 2, "port:on_recv");
    return 1;
}

/* port:on_send(v [, handler]) -> arm */
static int l_on_send(lua_State *L)
{
    neap_bind_port *port = port_arg(L);

    if (lua_isnoneornil(L, 2))
        neap_bind_usage(L, "port:on_send: nil cannot be sent");
    neap_bind_new_arm(L, &ON_SEND, port->core, 3, "port:on_send");
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 3);
    return 1;
}

/* --- the rest ----------------------------------------------------------------------- */

/* port:close([cause]) */
static int l_close(lua_State *L)
{
    neap_bind_port *port = port_arg(L);

    if (lua_isnoneornil(L, 2)) {
        neap_port_close(port->core, NULL);
        return 0;
    }
    struct parcel *box = push_new_parcel(L);
    neap_copy_write_error(L, &box->core->bytes, 2);
    neap_port_close(port->core, &box->core->bytes);
    return 0;
}

static int l_len(lua_State *L)
{
    lua_pushinteger(L, neap_port_len(port_arg(L)->core));
    return 1;
}

static int l_is_closed(lua_State *L)
{
    lua_pushboolean(L, neap_port_is_closed(port_arg(L)->core));
    return 1;
}

/* __gc: all that uses it is gone, or going */
static int l_free(lua_State *L)
{
    neap_bind_port *box = lua_touserdata(L, 1);

    if (box->core == NULL)
        return 0;
    neap_port_detach(box->core);
    if (box->release != NULL)
        box->release(box);
    box->core = NULL;
    return 0;
}

neap_bind_port *neap_bind_port_push(lua_State *L, neap_port *core)
{
    neap_bind_port *box = neap_bind_new(L, &neap_bind_port_type, sizeof *box, 0);

    box->core = core;
    neap_port_attach(core, neap_host_of(L)->loop);
    return box;
}

int luaopen_neap_core_port(lua_State *L)
{
    static const luaL_Reg functions[] = { { "pack", l_pack }, { NULL, NULL } };
    static const luaL_Reg port[] = {
        { "send", l_send }, { "try_send", l_try_send }, { "on_send", l_on_send },
        { "recv", l_recv }, { "try_recv", l_try_recv }, { "on_recv", l_on_recv },
        { "__call", l_recv }, { "close", l_close }, { "len", l_len },
        { "is_closed", l_is_closed }, { "__gc", l_free }, { NULL, NULL } };
    static const luaL_Reg parcel[] = { { "__gc", l_free_parcel }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &neap_bind_port_type, port, "methods");
    neap_bind_methods(L, &PARCEL, parcel, NULL);
    return 1;
}
