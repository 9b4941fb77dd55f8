/* bind/signal.c - neap.core.signal: how a host ends, and signals as Lua sees them.
 *
 *   signal, exit --> main scope is cancelled --grace--> app is cancelled --grace--> the end
 *                       |                                  |
 *                       +--------- has been left -> has been left -> the end
 *
 * The root task leaves the two scopes and ends the host; what is here also works
 * while a task holds the loop.
 */
#include "bind/signal.h"

#include <stdio.h>

#include "bind/scope.h"
#include "io/loop.h"
#include "io/signal.h"

static const char MAIN, APP, SHOW;      /* registry keys: boxes of the scopes; a function */

static const neap_bind_type RECEIVER = { "neap.signals" };

struct receiver {
    const neap_bind_type *type;
    neap_receiver         core;
    neap_loop            *loop;
    neap_link             waiters;
};

/* --- the end ----------------------------------------------------------------------- */

static void cancel_if_open(const neap_bind_scope_box *box, neap_cancel_kind kind)
{
    neap_bind_scope *scope = box == NULL ? NULL : neap_bind_scope_record(box);

    if (scope != NULL && scope->core.open)
        neap_scope_cancel(&scope->core, kind, 0);
}

static void show_tree(lua_State *L)
{
    int top = lua_gettop(L);

    if (lua_checkstack(L, 8) && lua_rawgetp(L, LUA_REGISTRYINDEX, &SHOW) == LUA_TFUNCTION &&
        lua_pcall(L, 0, 0, 0) != LUA_OK)
        fprintf(stderr, "neap: %s\n", lua_tostring(L, -1));
    lua_settop(L, top);
}

void neap_bind_signalled(neap_host *host)
{
    unsigned noted = neap_signal_take();

    if (noted & NEAP_SIGNAL_TREE)
        show_tree(host->running != NULL && host->sched.running != NULL ? host->running : host->L);
    if (noted & NEAP_SIGNAL_END) {
        host->ending = true;
        cancel_if_open(host->main, NEAP_CANCEL_SHUTDOWN);
    }
    if (noted & NEAP_SIGNAL_INTERRUPT)
        cancel_if_open(host->main, NEAP_CANCEL_CANCELLED);
    if (noted & NEAP_SIGNAL_GRACE)
        cancel_if_open(host->app, NEAP_CANCEL_SHUTDOWN);
}

static void on_signal(void *arg)
{
    neap_bind_signalled(arg);
}

/* signal.open(app, grace, show): this host takes the signals of the process; it ends
 * by them, at last with scope `app`. show() prints the tree of tasks. */
static int l_open(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    neap_bind_scope_box *app = neap_bind_arg(L, 1, &neap_bind_scope_type);

    uint64_t grace_ns = neap_bind_duration(L, 2, "grace");
    neap_bind_function(L, 3, "show");
    lua_settop(L, 3);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &SHOW);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &APP);
    host->app = app;
    int status = neap_signal_open(host->loop, grace_ns, on_signal, host);
    if (status != NEAP_OK)
        return neap_bind_fail(L, status, "signal.open");
    host->signals = true;
    return 0;
}

/* signal.prompt(): SIGINT cancels what signal.main named, and nothing else */
static int l_prompt(lua_State *L)
{
    (void)L;
    neap_signal_prompt();
    return 0;
}

/* signal.main(scope): the scope that the first signal cancels */
static int l_main(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    neap_bind_scope_box *main = neap_bind_arg(L, 1, &neap_bind_scope_type);

    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &MAIN);
    host->main = main;
    if (host->ending)
        cancel_if_open(host->main, NEAP_CANCEL_SHUTDOWN);
    return 0;
}

/* signal.exit(status): the host ends as by a signal. The first one counts. */
static int l_exit(lua_State *L)
{
    int status = 0;

    if (lua_isboolean(L, 1))
        status = !lua_toboolean(L, 1);
    else
        status = (int)neap_bind_opt_integer(L, 1, "neap.exit: status", 0, 0, 255);
    neap_host *host = neap_host_of(L);
    if (host->app == NULL)
        return neap_bind_usage(L, "neap.exit: only under neap run");
    neap_signal_end(status);
    neap_bind_signalled(host);
    return 0;
}

/* signal.status() -> the exit status of a host that ends by a signal or neap.exit */
static int l_status(lua_State *L)
{
    neap_host *host = neap_host_of(L);

    if (host->ending)
        lua_pushinteger(L, neap_signal_status());
    else
        lua_pushnil(L);
    return 1;
}

/* --- signals that a script receives -------------------------------------------------- */

static void leave_receiver(neap_node *node, void *object)
{
    struct receiver *receiver = object;

    neap_link_remove(&node->link);
    neap_loop_live(receiver->loop, -1);
}

static const neap_wait_class RECEIVE = { .what = "signals", .leave = leave_receiver };

/* The lowest of the signals that have arrived, which is then forgotten. */
static int take_arrived(neap_receiver *receiver)
{
    int number = __builtin_ctzll(receiver->arrived);

    receiver->arrived &= receiver->arrived - 1;
    return number;
}

static void on_arrival(neap_receiver *core)
{
    struct receiver *receiver = neap_container(core, struct receiver, core);

    while (core->arrived != 0 && neap_link_linked(&receiver->waiters))
        neap_wait_end(neap_node_task(neap_node_first(&receiver->waiters)),
                      (uint32_t)take_arrived(core), NEAP_OK);
}

static int refuse_name(lua_State *L, int idx)
{
    luaL_Buffer names;

    luaL_buffinit(L, &names);
    for (int i = 0; neap_signal_names[i] != NULL; i++) {
        luaL_addchar(&names, ' ');
        luaL_addstring(&names, neap_signal_names[i]);
    }
    luaL_pushresult(&names);
    return neap_bind_usage(L, "neap.signals: %s cannot be received; these can:%s",
                           lua_tostring(L, idx), lua_tostring(L, -1));
}

/* signal.receive(name, ...) -> receiver, for `for` */
static int l_receive(lua_State *L)
{
    int count = lua_gettop(L);
    uint64_t wanted = 0;

    if (count == 0)
        return neap_bind_usage(L, "neap.signals: a name expected, as in \"SIGHUP\"");
    for (int i = 1; i <= count; i++) {
        int number = neap_signal_number(neap_bind_string(L, i, "neap.signals", NULL));
        if (number == 0)
            return refuse_name(L, i);
        wanted |= UINT64_C(1) << number;
    }
    neap_host *host = neap_host_of(L);
    struct receiver *receiver = neap_bind_new(L, &RECEIVER, sizeof *receiver, 0);
    neap_link_init(&receiver->waiters);
    int status = neap_receiver_open(&receiver->core, host->loop, wanted, on_arrival);
    if (status == NEAP_EINVAL)
        return neap_bind_usage(L, "neap.signals: not in an isolate: signals come to the script "
                               "that started it; hand them on by its channel");
    if (status != NEAP_OK)
        return neap_bind_fail(L, status, "neap.signals");
    receiver->loop = host->loop;
    return 1;
}

static int next_k(lua_State *L, int status, lua_KContext ctx)
{
    neap_wait *wait = &neap_host_of(L)->sched.running->wait;

    (void)status, (void)ctx;
    if (wait->result != NEAP_OK)
        return neap_bind_raise_cancelled(L);
    lua_pushstring(L, neap_signal_name((int)wait->arm));
    return neap_bind_return(L, 1);
}

/* receiver() -> the name of the next signal */
static int l_next(lua_State *L)
{
    struct receiver *receiver = neap_bind_arg(L, 1, &RECEIVER);
    neap_task *task = neap_bind_checkpoint(L, "neap.signals");

    lua_settop(L, 1);
    if (receiver->core.arrived != 0) {
        lua_pushstring(L, neap_signal_name(take_arrived(&receiver->core)));
        return neap_bind_return(L, 1);
    }
    neap_wait_park(task, &RECEIVE, receiver);
    neap_link_append(&receiver->waiters, &task->wait.node.link);
    neap_loop_live(receiver->loop, 1);
    return neap_bind_suspend(L, 0, next_k);
}

static int l_gc(lua_State *L)
{
    struct receiver *receiver = lua_touserdata(L, 1);

    if (receiver->loop != NULL)
        neap_receiver_close(&receiver->core);
    return 0;
}

int luaopen_neap_core_signal(lua_State *L)
{
    static const luaL_Reg receiver[] = { { "__call", l_next }, { "__gc", l_gc },
        { NULL, NULL } };
    static const luaL_Reg functions[] = {
        { "open", l_open }, { "main", l_main }, { "prompt", l_prompt },
        { "exit", l_exit }, { "status", l_status },
        { "receive", l_receive }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &RECEIVER, receiver, NULL);
    return 1;
}
