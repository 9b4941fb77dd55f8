/* bind/isolate.c - neap.core.isolate: hosts on threads of their own.
 *
 *   starter's task     serve(port) ----- starts the thread, waits for its end, joins it
 *                        | cancelled: revokes
 *   isolate's thread   host; its root task: require(module)(port)
 *
 * The module's function ends the isolate by returning; what it raises is what its
 * end of the channel is closed with.
 */
#include <assert.h>

#include "base/err.h"
#include "base/mem.h"
#include "bind/copy.h"
#include "bind/port.h"
#include "bind/scope.h"
#include "io/loop.h"
#include "io/thread.h"

/* How long the end of a host waits for an isolate that was not joined. */
#define PATIENCE_S 1

/* Of descriptors, of the process and of the system. */
enum { LIMITS = 2 };
static const int limits[LIMITS] = { NEAP_EMFILE, NEAP_ENFILE };

/* What the thread is given; it frees it. */
struct order {
    neap_port *port;
    neap_buf   text;            /* values: package.path, package.cpath, module,
                                 and where it was asked for, "file:line: " */
    neap_buf   fallback;        /* what the channel is closed with without memory */
    neap_buf   no_files[LIMITS];    /* and without descriptors: limits[i] */
};

/* The starter's end. User values: where it was made, and where `require` looks there. */
enum { WHERE = 1, PATH, CPATH };

struct starter {
    neap_bind_port port;
    neap_port     *far;         /* the isolate's end, while its thread has not begun */
    pthread_t      thread;
    bool           begun, joined;
};

/* --- in the isolate's thread -------------------------------------------------------------- */

/* Close the channel with the error on top of the stack. */
static void close_with(lua_State *L, neap_port *port)
{
    neap_parcel *parcel = neap_parcel_new();

    if (parcel == NULL)
        neap_bind_memory(L);
    neap_copy_write_error(L, &parcel->bytes, -1);
    neap_port_fail(port, &parcel->bytes);
    neap_parcel_free(parcel);
}

static int performed_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)L, (void)status, (void)ctx;
    return 0;
}

/* (order) */
static int perform(lua_State *L)
{
    const struct order *order = lua_touserdata(L, 1);

    lua_settop(L, 0);
    neap_copy_read(L, &order->text);
    lua_getglobal(L, "package");
    lua_pushvalue(L, 1);
    lua_setfield(L, 5, "path");
    lua_pushvalue(L, 2);
    lua_setfield(L, 5, "cpath");
    lua_getglobal(L, "require");
    lua_pushvalue(L, 3);
    lua_call(L, 1, 1);
    if (!lua_isfunction(L, -1))
        return neap_bind_error(L, "usage", NULL, NULL, "%sneap.isolates: module %s returned a %s, not a "
                               "function", lua_tostring(L, 4), lua_tostring(L, 3),
                               luaL_typename(L, -1));
    luaL_requiref(L, "neap.core.port", luaopen_neap_core_port, 0);
    lua_pop(L, 1);
    neap_bind_port_push(L, order->port);
    lua_callk(L, 1, 0, 0, performed_k);
    return 0;
}

static int ended_k(lua_State *L, int status, lua_KContext ctx)
{
    const struct order *order = (const struct order *)ctx;

    if (status == LUA_OK || status == LUA_YIELD || neap_bind_is_cancellation(L, -1))
        neap_port_close(order->port, NULL);
    else
        close_with(L, order->port);
    neap_loop_stop(neap_host_of(L)->loop);
    return 0;
}

/* What the root task runs: (order). */
static int root(lua_State *L)
{
    struct order *order = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_pushcfunction(L, neap_bind_handler);
    lua_pushcfunction(L, perform);
    lua_pushlightuserdata(L, order);
    int status = lua_pcallk(L, 1, 0, 1, (lua_KContext)order, ended_k);
    return ended_k(L, status, (lua_KContext)order);
}

/* Spawn the root task: (order). */
static int spawn(lua_State *L)
{
    struct order *order = lua_touserdata(L, 1);

    lua_settop(L, 0);
    neap_copy_read(L, &order->text);
    const char *name = lua_pushfstring(L, "isolate of %s", lua_tostring(L, 3));
    lua_pushcfunction(L, root);
    lua_pushlightuserdata(L, order);
    neap_bind_spawn_root(L, lua_gettop(L) - 1, name);
    return 0;
}

/* (order) */
static int close_by_deadlock(lua_State *L)
{
    const struct order *order = lua_touserdata(L, 1);

    neap_bind_push_error(L, "deadlock", NULL, "neap.isolates", ": every task of the isolate waits, and "
                         "nothing that could wake one will come");
    close_with(L, order->port);
    return 0;
}

static bool call(lua_State *L, lua_CFunction function, struct order *order)
{
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, order);
    return lua_pcall(L, 1, 0, 0) == LUA_OK;
}

static void run_host(neap_host *host, struct order *order)
{
    host->revoked = &order->port->revoked;
    if (call(host->L, spawn, order) && !neap_host_run(host) &&
        !atomic_load(&order->port->revoked))
        call(host->L, close_by_deadlock, order);
    /* Unless it is closed. One that is revoked was killed, and has said so. */
    neap_port_close(order->port, atomic_load(&order->port->revoked) ? NULL : &order->fallback);
    neap_host_free(host);
}

static void free_order(struct order *order)
{
    neap_buf_deinit(&order->text);
    neap_buf_deinit(&order->fallback);
    for (int i = 0; i < LIMITS; i++)
        neap_buf_deinit(&order->no_files[i]);
    neap_mem_free(order);
}

/* Why there is no host. */
static neap_buf *lack(struct order *order)
{
    for (int i = 0; i < LIMITS; i++)
        if (neap_loop_lacks() == limits[i])
            return &order->no_files[i];
    return &order->fallback;
}

static void *run_isolate(void *arg)
{
    struct order *order = arg;
    neap_port *port = order->port;
    neap_host *host = neap_host_new();

    if (host != NULL)
        run_host(host, order);
    else
        neap_port_close(port, lack(order));
    free_order(order);
    neap_port_hang_up(port);
    return NULL;
}

/* --- in the starter ------------------------------------------------------------------------- */

static const neap_bind_type ORDER = { "neap.isolate.order" };

struct order_box {
    const neap_bind_type *type;
    struct order         *order;        /* NULL: the thread has it */
};

static int l_free_order(lua_State *L)
{
    struct order_box *box = lua_touserdata(L, 1);

    if (box->order != NULL)
        free_order(box->order);
    box->order = NULL;
    return 0;
}

/* The starter's end goes. Its isolate has been joined, unless the whole host ends. */
static void release(neap_bind_port *box)
{
    struct starter *starter = neap_container(box, struct starter, port);

    if (!starter->begun) {
        neap_port_hang_up(starter->far);
    } else if (!starter->joined) {
        neap_port_revoke_other(box->core);
        if (neap_port_await_end(box->core, PATIENCE_S))
            pthread_join(starter->thread, NULL);
        else
            pthread_detach(starter->thread);
    }
    neap_port_hang_up(box->core);
}

/* isolate.new(capacity) -> port */
static int l_new(lua_State *L)
{
    uint32_t capacity = (uint32_t)neap_bind_integer(L, 1, "neap.isolates: capacity", 1,
                                                    UINT32_MAX / 2);
    struct starter *starter = (struct starter *)(void *)
        neap_bind_new(L, &neap_bind_port_type, sizeof *starter, CPATH);
    neap_port *near;

    if (neap_port_pair(&near, &starter->far, capacity) != NEAP_OK)
        neap_bind_memory(L);
    starter->port.core = near;
    starter->port.release = release;
    neap_port_attach(near, neap_host_of(L)->loop);
    neap_bind_where(L);
    lua_setiuservalue(L, -2, WHERE);
    neap_bind_push_paths(L, "neap.isolates");
    lua_setiuservalue(L, -3, CPATH);
    lua_setiuservalue(L, -2, PATH);
    return 1;
}

static int served_k(lua_State *L, int status, lua_KContext ctx)
{
    struct starter *starter = (struct starter *)ctx;

    (void)status;
    pthread_join(starter->thread, NULL);        /* it has hung up: this takes no time */
    starter->joined = true;
    if (neap_task_is_cancelled(neap_host_of(L)->sched.running))
        return neap_bind_raise_cancelled(L);
    return 0;
}

/* isolate.serve(port, module): run the isolate, until it has ended. Cancelled, it
 * cancels what runs there, and still waits. */
static int l_serve(lua_State *L)
{
    neap_bind_port *port = neap_bind_arg(L, 1, &neap_bind_port_type);
    struct starter *starter = neap_container(port, struct starter, port);
    neap_task *task = neap_bind_checkpoint(L, "neap.isolates");

    assert(!starter->begun);
    neap_bind_string(L, 2, "neap.isolates: module", NULL);
    struct order_box *box = neap_bind_new(L, &ORDER, sizeof *box, 0);
    box->order = neap_mem_try_realloc(NULL, sizeof *box->order);
    if (box->order == NULL)
        return neap_bind_memory(L);
    *box->order = (struct order){ .port = starter->far };
    lua_getiuservalue(L, 1, PATH);
    lua_getiuservalue(L, 1, CPATH);
    lua_pushvalue(L, 2);
    lua_getiuservalue(L, 1, WHERE);
    neap_copy_write(L, &box->order->text, -4, 4, "");
    lua_pushliteral(L, "not enough memory");
    neap_copy_write(L, &box->order->fallback, -1, 1, "");
    for (int i = 0; i < LIMITS; i++) {
        neap_bind_push_error(L, neap_err_kind(limits[i]), neap_err_name(limits[i]),
                             "neap.isolates", ": %s", neap_err_text(limits[i]));
        neap_copy_write_error(L, &box->order->no_files[i], -1);
    }

    if (neap_thread_start(&starter->thread, run_isolate, box->order) != NEAP_OK)
        return neap_bind_error(L, "limit", NULL, "neap.isolates", ": no thread could be started");
    box->order = NULL;
    starter->begun = true;
    if (!neap_port_park_watch(port->core, task))
        return served_k(L, LUA_OK, (lua_KContext)starter);
    return neap_bind_suspend(L, (lua_KContext)starter, served_k);
}

/* isolate.failure(port) -> true and the error by which the isolate, which has ended, did so,
 * if nobody has been told; else false */
static int l_failure(lua_State *L)
{
    neap_bind_port *port = neap_bind_arg(L, 1, &neap_bind_port_type);
    const neap_buf *error = neap_port_failure(port->core);
    bool told = port->told && error == neap_port_cause(port->core);

    lua_pushboolean(L, !told && error->len > 0);
    return lua_toboolean(L, -1) ? 1 + neap_copy_read(L, error) : 1;
}

int luaopen_neap_core_isolate(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "new", l_new }, { "serve", l_serve }, { "failure", l_failure }, { NULL, NULL } };
    static const luaL_Reg order[] = { { "__gc", l_free_order }, { NULL, NULL } };

    luaL_requiref(L, "neap.core.port", luaopen_neap_core_port, 0);
    luaL_newlib(L, functions);
    neap_bind_methods(L, &ORDER, order, NULL);
    return 1;
}
