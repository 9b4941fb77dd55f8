/* bind/task_run.c - how a task begins and ends. */
#include "bind/task.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "bind/context.h"
#include "bind/scope.h"
#include "io/loop.h"
#include "io/signal.h"

static const char THREADS;              /* registry keys: the table of threads, */
static const char CLOSING_BOX, CLOSING_HOME;    /* those of the task that is being killed */

/* --- threads -------------------------------------------------------------------- */

/* The table that keeps threads alive has tables of so many slots: the collector walks through
 * one in one step, and one that grew would be copied in one. */
enum { SLOTS = 256 };

static lua_Integer table_of(lua_Integer slot)
{
    return (slot - 1) / SLOTS + 1;
}

static lua_Integer index_of(lua_Integer slot)
{
    return (slot - 1) % SLOTS + 1;
}

/* Push the table in which `slot` is; nil if it is not there yet. */
static int push_slots(lua_State *L, lua_Integer slot)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &THREADS);
    int type = lua_rawgeti(L, -1, table_of(slot));
    lua_remove(L, -2);
    return type;
}

static void add_slots(lua_State *L, lua_Integer slot)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &THREADS);
    lua_createtable(L, SLOTS, 0);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, table_of(slot));
    lua_remove(L, -2);
}

/* A coroutine whose stack holds its slot. Raises without memory. */
static lua_State *take_thread(lua_State *L, neap_host *host)
{
    if (host->idle_count > 0)
        return host->idle[--host->idle_count];

    bool free = host->free_slot != 0;
    lua_Integer slot = free ? host->free_slot : (lua_Integer)host->threads + 1;
    if (push_slots(L, slot) == LUA_TNIL) {
        lua_pop(L, 1);
        add_slots(L, slot);
    }
    lua_State *co = lua_newthread(L);
    *(uintptr_t *)lua_getextraspace(co) |= NEAP_HOST_TASK;
    if (free) {
        lua_rawgeti(L, -2, index_of(slot));
        host->free_slot = (uint32_t)lua_tointeger(L, -1);
        lua_pop(L, 1);
    } else {
        host->threads++;
    }
    lua_rawseti(L, -2, index_of(slot));
    lua_pop(L, 1);
    lua_pushinteger(co, slot);
    return co;
}

/* How much Lua asks for when it makes the box of a task. */
static size_t measure_box(lua_State *L)
{
    lua_gc(L, LUA_GCSTOP);
    int before = lua_gc(L, LUA_GCCOUNT) * 1024 + lua_gc(L, LUA_GCCOUNTB);
    lua_newuserdatauv(L, sizeof(neap_bind_task), 1);
    int after = lua_gc(L, LUA_GCCOUNT) * 1024 + lua_gc(L, LUA_GCCOUNTB);
    lua_pop(L, 1);
    lua_gc(L, LUA_GCRESTART);
    return (size_t)(after - before);
}

/* The keys stay, so that to kill needs no memory. */
static void forget_closing(lua_State *L)
{
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &CLOSING_BOX);
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &CLOSING_HOME);
}

void neap_bind_open_tasks(lua_State *L)
{
    neap_slab_init(&neap_host_of(L)->boxes, measure_box(L));
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &THREADS);
    forget_closing(L);
}

/* On its stack is nothing but its slot. Nothing here allocates: it is called outside of
 * any protected call. */
static void give_back_thread(neap_host *host, lua_State *co)
{
    lua_State *L = host->L;

    if (host->idle_count < NEAP_HOST_IDLE) {
        host->idle[host->idle_count++] = co;
        return;
    }
    lua_Integer slot = lua_tointeger(co, 1);
    push_slots(L, slot);
    lua_pushinteger(L, host->free_slot);
    lua_rawseti(L, -2, index_of(slot));
    host->free_slot = (uint32_t)slot;
    lua_pop(L, 1);
}

/* --- the end of a task ------------------------------------------------------------ */

void neap_bind_task_recall(neap_bind_task *box)
{
    if (box->core.flags & NEAP_BIND_STANDBY) {
        box->core.flags &= 0xFF & ~NEAP_BIND_STANDBY;
        neap_task_recall(&box->core);
    }
}

/* The running Lua frame is `body`'s: [1] box, [2] home. */
static void keep_results(lua_State *L, neap_bind_task *box, int count)
{
    if (count == 1) {
        box->core.flags |= NEAP_BIND_ONE;
    } else if (count > 1) {
        lua_createtable(L, count, 1);
        lua_insert(L, -count - 1);
        for (int i = count; i >= 1; i--)
            lua_rawseti(L, -i - 1, i);
        lua_pushinteger(L, count);
        lua_setfield(L, -2, "n");
        box->core.flags |= NEAP_BIND_MANY;
    }
    if (count > 0)
        lua_setiuservalue(L, 1, 1);
}

/* Add to the error at `idx` whose it is, and to its traceback where its tasks were
 * spawned. */
static void sign_error(lua_State *L, int idx)
{
    neap_host *host = neap_host_of(L);

    if (!neap_bind_is_error(L, idx, NULL)) {
        neap_bind_spawn_chain(L, host->sched.running);
        neap_bind_sign_traceback(L, idx);
        return;
    }
    lua_pushliteral(L, "task");
    if (lua_rawget(L, idx) == LUA_TNIL) {
        lua_pushliteral(L, "task");
        neap_bind_task_name(L, 1);
        lua_rawset(L, idx);
        lua_pushliteral(L, "traceback");
        lua_pushliteral(L, "traceback");
        lua_rawget(L, idx);
        neap_bind_spawn_chain(L, host->sched.running);
        if (lua_isstring(L, -2))
            lua_concat(L, 2);
        else
            lua_remove(L, -2);
        lua_rawset(L, idx);
    }
    lua_pop(L, 1);
}

/* Nobody is above the root task: its error, at `error`, ends the host. Under `neap run` it does
 * so as a signal if tasks of a killed root are left, which may have something to undo. */
static void fail_root(lua_State *L, int error)
{
    neap_host *host = neap_host_of(L);

    host->exit_status = host->ending ? neap_signal_status() : 1;
    host->root_failed = true;
    fprintf(stderr, "neap: %s\n", neap_bind_tostring(L, error));
    if (host->orphans == NULL || !host->signals)
        neap_loop_stop(host->loop);
    else
        neap_signal_end(host->exit_status);
}

/* The error on top ended the task. */
static void keep_error(lua_State *L, neap_bind_task *box)
{
    int error = lua_gettop(L);

    lua_pushvalue(L, error);
    lua_setiuservalue(L, 1, 1);
    sign_error(L, error);
    if (lua_isnil(L, 2)) {
        fail_root(L, error);
        return;
    }
    if (box->core.given) {
        box->core.flags |= NEAP_BIND_AWAITED;
    } else if (box->core.flags & NEAP_BIND_GUARD) {
        if (box->core.awaiters != NULL)
            box->core.flags |= NEAP_BIND_AWAITED;
        else
            neap_bind_scope_note_guarded(L, 2, 1);
    } else {
        lua_pushvalue(L, error);
        neap_bind_scope_fail(L, 2, 1);
    }
}

/* True if something wants to hear of the tasks of `home`. */
static bool is_hooked(neap_scope *home)
{
    return home->parent != NULL && neap_bind_scope_of(home)->hooked;
}

static void take_back(lua_State *L, neap_bind_task *box)
{
    if (box->core.held == 0)
        return;
    neap_bind_task_name(L, 1);
    neap_bind_take_back(L, &box->core, lua_tostring(L, -1));
    lua_pop(L, 1);
}

static void settle(lua_State *L, neap_bind_task *box, bool ok)
{
    neap_task_state state = NEAP_TASK_DONE;

    if (box->core.flags & NEAP_BIND_STANDBY)
        neap_bind_task_recall(box);
    if (ok) {
        keep_results(L, box, lua_gettop(L) - 3);
    } else if (neap_bind_is_cancellation(L, -1)) {
        lua_setiuservalue(L, 1, 1);
        state = NEAP_TASK_CANCELLED;
    } else {
        keep_error(L, box);
        state = NEAP_TASK_FAILED;
    }
    if (box->core.awaiters != NULL)
        box->core.flags |= NEAP_BIND_AWAITED;
    take_back(L, box);          /* after the scope has failed: who is in it is cancelled */
    bool hooked = state != NEAP_TASK_CANCELLED && is_hooked(neap_task_home(&box->core));
    neap_bind_scope_end_task(L, &box->core, state);
    if (hooked) {
        neap_bind_scope_hook(L, 2, 1);
        take_back(L, box);      /* what the hook took is the task's, too */
    }
}

/* How a body ended: by a return, an error, a cancellation of its task or of a scope of its own. */
typedef enum body_end { BODY_DONE = 1, BODY_FAILED, BODY_CUT } body_end;

static body_end end_of(lua_State *L, int status)
{
    if (status == LUA_OK || status == LUA_YIELD)
        return BODY_DONE;
    return neap_bind_is_cancellation(L, -1) ? BODY_CUT : BODY_FAILED;
}

/* The body has left scopes open, in one of which, `*inside`, something failed, if it is not
 * NULL. An error of its own wins, and a cancellation from outside that hides no failure. */
static body_end end_in_disorder(lua_State *L, body_end end, neap_bind_scope_box **inside)
{
    bool is_cancelled = end == BODY_CUT && neap_bind_is_cancellation(L, -1);

    if (*inside == NULL && (end == BODY_FAILED || is_cancelled))
        return end;
    if (end == BODY_DONE)
        lua_settop(L, 3);
    neap_bind_scope_push_disorder(L, inside, "a task ended with an open scope");
    if (end == BODY_CUT)
        lua_remove(L, -2);
    else if (end == BODY_FAILED)
        neap_bind_scope_add_other(L);
    return BODY_FAILED;
}

/* `ctx` is 0 when the body has just ended, else how it had. */
static int body_k(lua_State *L, int status, lua_KContext ctx)
{
    neap_bind_task *box = neap_bind_task_of(neap_host_of(L)->sched.running);
    body_end end = ctx == 0 ? end_of(L, status) : (body_end)ctx;
    neap_bind_scope_box *inside = NULL;
    bool disorder = ctx != 0;
    neap_scope *scope;

    while ((scope = box->core.scope)->owner == &box->core && !scope->of_task) {
        neap_bind_scope *forgotten = neap_bind_scope_of(scope);
        if (inside != NULL)
            forgotten->ending.inside = inside;
        if (neap_bind_scope_wind_down(L, forgotten))
            return neap_bind_suspend(L, end, body_k);
        inside = neap_bind_scope_take_failed(forgotten);
        neap_bind_scope_close(L, forgotten);
        disorder = true;
    }
    if (disorder)
        end = end_in_disorder(L, end, &inside);
    settle(L, box, end == BODY_DONE);
    return 0;
}

/* What every task runs: [1] box, [2] home, [3] handler, [4] fn, arguments. */
static int body(lua_State *L)
{
    int status = lua_pcallk(L, lua_gettop(L) - 4, LUA_MULTRET, 3, 0, body_k);
    return body_k(L, status, 0);
}

/* --- spawn, resume, kill ------------------------------------------------------------ */

/* So many arguments have room on any stack, of which LUA_MINSTACK slots are free. */
enum { FEW = 8 };

/* A thread on which `body` waits to be resumed, with its frame: the new box, which is
 * on top, home, handler, then the function and its arguments from index `first` on.
 * NULL without stack space. */
static lua_State *prepare(lua_State *L, int first)
{
    neap_host *host = neap_host_of(L);
    int box = lua_gettop(L), count = box - first;
    lua_State *co = take_thread(L, host);
    if (count > FEW && !(lua_checkstack(L, count + 4) && lua_checkstack(co, count + 4))) {
        give_back_thread(host, co);
        return NULL;
    }
    lua_pushcfunction(L, body);
    lua_pushvalue(L, box);
    lua_pushvalue(L, 1);
    lua_pushcfunction(L, neap_bind_handler);
    for (int i = first; i < box; i++)
        lua_pushvalue(L, i);
    lua_xmove(L, co, count + 4);
    return co;
}

neap_bind_task *neap_bind_spawn(lua_State *L, neap_scope *home, int first,
                                const neap_bind_spawn_options *options)
{
    neap_host *host = neap_host_of(L);

    if (host->apart != NULL && host->sched.running != NULL)
        neap_bind_usage(L, "scope:spawn: no task can be started in %s", host->apart);
    neap_bind_task *box = lua_newuserdatauv(L, sizeof *box, options->name ? 2 : 1);
    box->type = &neap_bind_task_type;
    box->co = NULL;                     /* neap_task_adopt sets the rest */
    lua_pushvalue(L, options->metatable);
    lua_setmetatable(L, -2);
    if (options->name) {
        lua_pushvalue(L, options->name);
        lua_setiuservalue(L, -2, 2);
    }
    unsigned flags = (options->name ? NEAP_BIND_NAMED : 0) | (options->guard ? NEAP_BIND_GUARD : 0);
    if (home->source != NULL) {         /* it will never run */
        neap_task_adopt(&box->core, home, true);
        neap_task_end(&box->core, NEAP_TASK_CANCELLED);
    } else {
        bool bound = neap_bind_context_inherit(L, &box->core);
        if ((box->co = prepare(L, first)) == NULL) {
            if (bound)
                neap_bind_context_drop(L, &box->core);
            neap_bind_memory(L);
        }
        if (bound)
            flags |= NEAP_BIND_CONTEXT;
        neap_task_adopt(&box->core, home, options->lazy);
    }
    box->core.place = neap_places_here(host->places, L) & NEAP_PLACE_MAX;
    box->core.flags = (uint8_t)flags;
    return box;
}

void neap_bind_spawn_root(lua_State *L, int first, const char *name)
{
    enum { HOME = 1, METATABLE, NAME };

    luaL_requiref(L, "neap.core.task", luaopen_neap_core_task, 0);
    lua_pop(L, 1);
    lua_pushnil(L);                     /* nobody's home */
    neap_bind_metatable(L, &neap_bind_task_type);
    lua_pushstring(L, name);
    lua_rotate(L, 1, NAME);
    neap_bind_spawn(L, &neap_host_of(L)->sched.root, first + NAME,
                    &(neap_bind_spawn_options){ .metatable = METATABLE, .name = name ? NAME : 0 });
}

void neap_bind_end_unstarted(neap_host *host, neap_bind_task *box)
{
    lua_State *co = box->co, *L = host->L;

    neap_bind_task_recall(box);
    int top = lua_gettop(L);
    neap_bind_push_task(L, &box->core);
    if (lua_getiuservalue(L, top + 1, 1) == LUA_TFUNCTION) {    /* it stood by, or had to */
        lua_pushboolean(L, 1);
        lua_pcall(L, 1, 0, 0);
    }
    lua_settop(L, top);
    box->co = NULL;
    if (box->core.flags & NEAP_BIND_CONTEXT)
        neap_bind_context_drop(L, &box->core);
    neap_bind_scope_end_task(L, &box->core, NEAP_TASK_CANCELLED);
    lua_settop(co, 1);              /* last: its stack may hold the only reference */
    give_back_thread(host, co);
}

/* Of a thread whose stack is gone. O(threads), for what hardly ever happens. */
static void find_slot(neap_host *host, lua_State *co)
{
    lua_State *L = host->L;
    lua_Integer slot = 1;

    for (bool found = false; slot <= host->threads; slot++) {
        push_slots(L, slot);
        lua_rawgeti(L, -1, index_of(slot));
        found = lua_tothread(L, -1) == co;
        lua_pop(L, 2);
        if (found)
            break;
    }
    lua_settop(co, 0);
    lua_pushinteger(co, slot);
}

/* [1] box, [2] home, [3] where it was killed */
static int killed(lua_State *L)
{
    neap_bind_task *box = lua_touserdata(L, 1);
    neap_scope *home = neap_task_home(&box->core), *scope;

    box->core.state = NEAP_TASK_RUNNING;
    if (!lua_isnil(L, 2))
        neap_bind_scope_hold(L, 2);     /* what fails in those scopes is its failure */
    while ((scope = box->core.scope) != home && !scope->of_task)
        neap_bind_scope_orphan(L, neap_bind_scope_of(scope), home);
    neap_bind_task_name(L, 1);
    neap_bind_push_error(L, "killed", NULL, NULL,
                         "%s%s ignored its cancellation at %d checkpoints and was killed",
                         lua_tostring(L, 3), lua_tostring(L, -1), NEAP_BIND_PATIENCE);
    settle(L, box, false);
    return 0;
}

/* Push on `L` box and home out of the frame of `body` in `co`. */
static void push_frame(lua_State *L, lua_State *co)
{
    neap_host *host = neap_host_of(L);
    lua_Debug ar;

    if (co == host->closing) {          /* that frame is gone */
        lua_rawgetp(L, LUA_REGISTRYINDEX, &CLOSING_BOX);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &CLOSING_HOME);
        return;
    }

    if (!lua_getstack(co, 0, &ar)) {    /* not begun: slot, body, box, home */
        lua_pushvalue(co, 3);
        lua_pushvalue(co, 4);
        lua_xmove(co, L, 2);
        return;
    }
    lua_getstack(co, neap_bind_depth(co) - 1, &ar);
    lua_getlocal(co, &ar, 1);
    lua_getlocal(co, &ar, 2);
    if (co != L)
        lua_xmove(co, L, 2);
}

void neap_bind_push_running(lua_State *L)
{
    neap_task *task = neap_host_of(L)->sched.running;

    neap_bind_checkstack(L, 4, NULL);
    push_frame(L, neap_bind_task_of(task)->co);
    lua_pop(L, 1);
}

void neap_bind_push_task(lua_State *L, neap_task *task)
{
    lua_State *co = neap_bind_task_of(task)->co;

    neap_bind_checkstack(L, 4, NULL);
    if (!lua_checkstack(co, 4))
        neap_bind_memory(L);
    push_frame(L, co);
}

/* A task that ignores its cancellation (the place is on the host's stack): its
 * coroutine is closed without suspending; what it had open passes to its home. */
static int kill(neap_host *host, lua_State *co)
{
    lua_State *L = host->L;
    int yielded;

    push_frame(L, co);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &CLOSING_BOX);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &CLOSING_HOME);
    lua_rotate(L, -3, -1);
    host->closing = co;
    lua_resetthread(co);
    host->closing = NULL;
    forget_closing(L);
    find_slot(host, co);
    lua_pushcfunction(co, killed);
    lua_xmove(L, co, 3);
    return lua_resume(co, L, 3, &yielded);
}

/* `body` failed outside of its protected call: there was no memory to note how the task
 * ended. Its scope still learns that it failed; whoever waits for a thread's only task
 * finds no result, which means the same. */
static void fail_without_memory(neap_bind_task *box)
{
    lua_State *L = neap_host_of(box->co)->L;
    neap_scope *home = neap_task_home(&box->core), *scope;
    bool open = !neap_task_ended(&box->core), is_root = home->parent == NULL;

    if (is_root && neap_host_of(box->co)->apart == NULL)
        neap_mem_exhausted();
    neap_bind_task_recall(box);
    if (open && (box->core.flags & NEAP_BIND_GUARD) && box->core.awaiters != NULL) {
        box->core.flags |= NEAP_BIND_AWAITED;
    } else if (!is_root) {
        neap_bind_scope_lack_memory(home, box->core.id);
    }
    if (open) {
        push_frame(L, box->co);
        lua_pushliteral(L, "not enough memory");
        lua_setiuservalue(L, -3, 1);
        lua_pop(L, 2);
        while ((scope = box->core.scope) != home && !scope->of_task)
            neap_bind_scope_orphan(L, neap_bind_scope_of(scope), home);
        neap_bind_take_back(L, &box->core, NULL);
        neap_bind_scope_end_task(L, &box->core, NEAP_TASK_FAILED);
    }
}

void neap_bind_end(neap_host *host, neap_bind_task *box, int status)
{
    lua_State *co = box->co;

    assert(box->core.seat == 0);
    if (status == LUA_YIELD)
        status = kill(host, co);
    if (status != LUA_OK) {
        fail_without_memory(box);
        lua_resetthread(co);
        find_slot(host, co);
    }
    if (box->core.flags & NEAP_BIND_CONTEXT)
        neap_bind_context_drop(host->L, &box->core);
    box->co = NULL;
    give_back_thread(host, co);
}
