#include "bind/errand.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bind/copy.h"

/* Threads that may be asked for. */
#define MAX_THREADS 1024
/* An isolate with more than this to do nothing with is collected. */
#define IDLE_KIB 4096

/* A host's way into a pool; lives as long as the host. */
struct door {
    const neap_bind_type    *type;
    const neap_errand_class *class;
    uint32_t                 taken;     /* slots */
    neap_link                waiters;   /* nodes of those who wait for one */
    bool                     entered;
};

struct call {
    const neap_bind_type *type;
    struct door          *door;         /* an upvalue keeps it */
    neap_errand          *errand;       /* NULL once it has been given up */
    bool                  has_slot;
};

static const neap_bind_type DOOR = { "neap.errand.door" };
static const neap_bind_type CALL = { "neap.errand.call" };

static const neap_wait_class SLOT = { .what = "a slot in the queue of the threads" };

/* --- on the thread ------------------------------------------------------------------ */

static void free_errand(neap_pool_job *job)
{
    neap_errand *errand = neap_container(job, neap_errand, job);

    neap_buf_deinit(&errand->call);
    neap_buf_deinit(&errand->result);
    neap_mem_free(errand);
}

void neap_errand_return(lua_State *L, neap_errand *errand, int below)
{
    const char *wrong = neap_copy_write(L, &errand->result, below + 1, lua_gettop(L) - below,
                                        "result");
    if (wrong != NULL)
        neap_errand_misuse(L, errand, "%s", wrong);
    else
        errand->end = NEAP_ERRAND_RETURNED;
}

void neap_errand_raise(lua_State *L, neap_errand *errand)
{
    neap_buf_clear(&errand->result);
    neap_copy_write_error(L, &errand->result, -1);
    errand->end = NEAP_ERRAND_RAISED;
}

void neap_errand_misuse(lua_State *L, neap_errand *errand, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    lua_pushvfstring(L, fmt, args);
    va_end(args);
    neap_buf_clear(&errand->result);
    neap_copy_write(L, &errand->result, -1, 1, "");
    errand->end = NEAP_ERRAND_MISUSED;
}

void *neap_errand_new_host(const char *op)
{
    neap_host *host = neap_host_new();

    if (host != NULL)
        host->apart = op;
    return host;
}

void neap_errand_lacks_host(neap_errand *errand)
{
    errand->lacks = neap_loop_lacks();
}

void neap_errand_rest(void *state)
{
    neap_host *host = state;

    if (host != NULL && lua_gc(host->L, LUA_GCCOUNT) > IDLE_KIB)
        lua_gc(host->L, LUA_GCCOLLECT);
}

void neap_errand_free_host(void *host)
{
    if (host != NULL)
        neap_host_free(host);
}

/* --- slots ----------------------------------------------------------------------------- */

static bool take_slot(struct door *door)
{
    if (door->taken == NEAP_ERRAND_SLOTS)
        return false;
    door->taken++;
    return true;
}

/* It is handed on before anybody else can take it. */
static void give_slot(struct door *door)
{
    if (neap_link_linked(&door->waiters))
        neap_node_end(neap_node_first(&door->waiters), NEAP_OK);
    else
        door->taken--;
}

/* --- in the host ------------------------------------------------------------------------- */

/* __close of the call's box, also when its task is killed */
static int l_give_up(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);

    if (call->errand != NULL)
        neap_pool_drop(&call->errand->job);
    call->errand = NULL;
    if (call->has_slot)
        give_slot(call->door);
    call->has_slot = false;
    return 0;
}

/* __gc: of a host that ends while a task waits. No task is woken. */
static int l_forget(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);

    if (call->errand != NULL)
        neap_pool_drop(&call->errand->job);
    call->errand = NULL;
    return 0;
}

/* Raise the error on top, which began on a thread: below its traceback comes the
 * one of the caller. */
static int raise(lua_State *L, const char *op)
{
    int error = lua_gettop(L);

    if (neap_bind_is_error(L, error, NULL)) {
        lua_getfield(L, error, "traceback");
        if (lua_type(L, -1) == LUA_TSTRING) {
            lua_pushfstring(L, "\nfor %s\n", op);
            neap_bind_push_stack(L, L, 1);
            lua_concat(L, 3);
            lua_setfield(L, error, "traceback");
        }
        lua_settop(L, error);
    }
    return lua_error(L);
}

/* The job is done: [1] box, arguments. */
static int done_k(lua_State *L, int status, lua_KContext ctx)
{
    struct call *call = (struct call *)ctx;
    neap_errand *errand = call->errand;
    const char *op = call->door->class->op;

    (void)status;
    if (neap_host_of(L)->sched.running->wait.result != NEAP_OK)
        return neap_bind_raise_cancelled(L);
    lua_settop(L, 1);
    switch (errand->end) {
    case NEAP_ERRAND_RETURNED:
        return neap_copy_read(L, &errand->result);
    case NEAP_ERRAND_RAISED:
        neap_copy_read(L, &errand->result);
        return raise(L, op);
    case NEAP_ERRAND_MISUSED:
        neap_copy_read(L, &errand->result);
        return neap_bind_usage(L, "%s: %s", op, lua_tostring(L, -1));
    default:
        return neap_bind_fail(L, errand->lacks != NEAP_OK ? errand->lacks : NEAP_ENOMEM, op);
    }
}

/* There is a slot: [1] box, arguments. */
static int launch(lua_State *L, struct call *call)
{
    neap_host *host = neap_host_of(L);
    const neap_errand_class *class = call->door->class;
    neap_errand *errand = neap_mem_try_realloc(NULL, sizeof *errand);

    if (errand == NULL)
        return neap_bind_memory(L);
    *errand = (neap_errand){ .job = { .run = class->run, .free_job = free_errand } };
    call->errand = errand;
    const char *wrong = class->pack(L, errand, 2);
    if (wrong != NULL)
        return neap_bind_usage(L, "%s: %s", class->op, wrong);
    lua_settop(L, 1);
    if (neap_pool_submit(class->pool, host->loop, &errand->job) != NEAP_OK)
        return neap_bind_error(L, "limit", NULL, class->op, ": no thread could be started");
    neap_pool_park(&errand->job, host->sched.running);
    return neap_bind_suspend(L, (lua_KContext)call, done_k);
}

static int slot_k(lua_State *L, int status, lua_KContext ctx)
{
    struct call *call = (struct call *)ctx;
    neap_task *task = neap_host_of(L)->sched.running;

    (void)status;
    call->has_slot = task->wait.result == NEAP_OK;
    if (neap_task_is_cancelled(task))
        return neap_bind_raise_cancelled(L);
    return launch(L, call);
}

/* How many threads the environment asks for. */
static uint32_t threads_asked(lua_State *L, const neap_errand_class *class)
{
    const char *text = getenv(class->variable);
    char *end;

    if (text == NULL || *text == '\0')
        return class->threads();
    long value = strtol(text, &end, 10);
    if (*end != '\0' || value < 1 || value > MAX_THREADS)
        neap_bind_usage(L, "%s: %s=%s: whole number in 1 .. %d expected", class->op,
                        class->variable, text, MAX_THREADS);
    return (uint32_t)value;
}

/* run(...) -> what it returned. Waits for a slot, and until it is done. */
static int l_run(lua_State *L)
{
    struct door *door = lua_touserdata(L, lua_upvalueindex(1));

    door->class->check(L);
    neap_task *task = neap_bind_checkpoint(L, door->class->op);
    if (!door->entered) {
        neap_pool_enter(door->class->pool, threads_asked(L, door->class));
        door->entered = true;
    }
    struct call *call = neap_bind_new(L, &CALL, sizeof *call, 0);
    call->door = door;
    lua_insert(L, 1);
    lua_toclose(L, 1);
    /* Who came first is served first. */
    call->has_slot = take_slot(door);
    if (call->has_slot)
        return launch(L, call);
    neap_wait_park(task, &SLOT, door);
    neap_link_append(&door->waiters, &task->wait.node.link);
    return neap_bind_suspend(L, (lua_KContext)call, slot_k);
}

static void set_number(lua_State *L, const char *name, uint32_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

/* stats() -> { limit, threads, busy, kept, queued, waiting } */
static int l_stats(lua_State *L)
{
    struct door *door = lua_touserdata(L, lua_upvalueindex(1));
    neap_pool_stats stats;
    uint32_t waiting = 0;

    neap_pool_look(door->class->pool, &stats);
    for (neap_link *at = door->waiters.next; at != &door->waiters; at = at->next)
        waiting++;
    lua_createtable(L, 0, 6);
    set_number(L, "limit", stats.limit != 0 ? stats.limit : threads_asked(L, door->class));
    set_number(L, "threads", stats.threads);
    set_number(L, "busy", stats.busy);
    set_number(L, "kept", stats.kept);
    set_number(L, "queued", stats.queued);
    set_number(L, "waiting", waiting);
    return 1;
}

static int l_leave(lua_State *L)
{
    struct door *door = lua_touserdata(L, 1);

    if (door->entered)
        neap_pool_leave(door->class->pool);
    door->entered = false;
    return 0;
}

/* Both modules have the same types; the first one that is opened makes them. */
static void make_types(lua_State *L)
{
    static const luaL_Reg door[] = { { "__gc", l_leave }, { NULL, NULL } };
    static const luaL_Reg call[] = {
        { "__close", l_give_up }, { "__gc", l_forget }, { NULL, NULL } };

    neap_bind_metatable(L, &DOOR);
    if (lua_isnil(L, -1)) {
        neap_bind_methods(L, &DOOR, door, NULL);
        neap_bind_methods(L, &CALL, call, NULL);
    }
    lua_pop(L, 1);
}

void neap_errand_open(lua_State *L, const neap_errand_class *class)
{
    static const luaL_Reg functions[] = { { "run", l_run }, { "stats", l_stats }, { NULL, NULL } };

    make_types(L);
    struct door *door = neap_bind_new(L, &DOOR, sizeof *door, 0);
    door->class = class;
    neap_link_init(&door->waiters);
    luaL_setfuncs(L, functions, 1);
}
