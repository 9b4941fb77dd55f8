/* bind/work.c - neap.core.work: Lua on other threads.
 *
 * Each thread of the pool has an isolate, a host whose loop is never turned. A
 * job is its only task, which makes pcall, timeouts and interruption what they
 * are elsewhere; it cannot suspend. Isolates are used again: a job's function
 * gets globals of its own, while modules stay loaded.
 *
 *   errand->call   package.path, package.cpath, code, is it a function's bytes,
 *                  bindings of neap.with or nil, arguments
 */
#include <string.h>

#include "bind/context.h"
#include "bind/copy.h"
#include "bind/errand.h"
#include "bind/scope.h"
#include "bind/slice.h"

static void *open_thread(void)
{
    neap_host *host = neap_errand_new_host("neap.work");

    if (host != NULL)
        host->slice_limit = UINT64_MAX;     /* long slices are what it is for */
    return host;
}

static neap_pool POOL = NEAP_POOL(POOL, "neap.work", open_thread, neap_errand_rest,
                                  neap_errand_free_host);

/* --- on the thread -------------------------------------------------------------------- */

/* Set package.path and package.cpath to what stands at 1 and 2. */
static void set_paths(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "path");
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
}

/* Give the function on top globals of its own, which read through to all others. */
static void set_environment(lua_State *L)
{
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    lua_createtable(L, 0, 1);
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    if (lua_setupvalue(L, -2, 1) == NULL)       /* it uses no globals */
        lua_pop(L, 1);
}

/* Push the function that `code`, "module.function", names; false if it is none. */
static bool push_named(lua_State *L, neap_errand *errand, const char *code)
{
    const char *dot = strrchr(code, '.');

    lua_getglobal(L, "require");
    lua_pushlstring(L, code, (size_t)(dot - code));
    lua_call(L, 1, 1);
    if (!lua_istable(L, -1)) {
        lua_pushlstring(L, code, (size_t)(dot - code));
        neap_errand_misuse(L, errand, "module %s returned a %s, not a table",
                           lua_tostring(L, -1), luaL_typename(L, -2));
        return false;
    }
    lua_getfield(L, -1, dot + 1);
    lua_remove(L, -2);
    if (lua_isfunction(L, -1))
        return true;
    neap_errand_misuse(L, errand, "%s is a %s value, not a function", code, luaL_typename(L, -1));
    return false;
}

/* [5] bindings or nil, [6] function, arguments: turn this into a call of
 * context.with, if there is something to bind. */
static void bind_context(lua_State *L)
{
    if (!lua_istable(L, 5))
        return;
    luaL_requiref(L, "neap.core.context", luaopen_neap_core_context, 0);
    lua_getfield(L, -1, "with");
    lua_replace(L, -2);
    lua_insert(L, 6);
    lua_pushvalue(L, 5);
    lua_insert(L, 7);
}

static int returned_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    neap_errand_return(L, (neap_errand *)ctx, 5);
    return 0;
}

/* Unpack and call; what it returned is copied in here, so that running out of memory
 * is an error of the job's. */
static int perform(lua_State *L)
{
    neap_errand *errand = lua_touserdata(L, 1);
    size_t size;

    lua_settop(L, 0);
    neap_copy_read(L, &errand->call);
    neap_buf_deinit(&errand->call);
    set_paths(L);
    const char *code = lua_tolstring(L, 3, &size);
    if (lua_toboolean(L, 4)) {
        if (luaL_loadbufferx(L, code, size, code, "b") != LUA_OK)
            return lua_error(L);
        set_environment(L);
    } else if (!push_named(L, errand, code)) {
        return 0;
    }
    lua_insert(L, 6);
    bind_context(L);
    lua_callk(L, lua_gettop(L) - 6, LUA_MULTRET, (lua_KContext)errand, returned_k);
    return returned_k(L, LUA_OK, (lua_KContext)errand);
}

static int performed_k(lua_State *L, int status, lua_KContext ctx)
{
    if (status != LUA_OK && status != LUA_YIELD && !neap_bind_is_cancellation(L, -1))
        neap_errand_raise(L, (neap_errand *)ctx);
    return 0;
}

/* What the job's task runs: (errand). */
static int job(lua_State *L)
{
    neap_errand *errand = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_pushcfunction(L, neap_bind_handler);
    lua_pushcfunction(L, perform);
    lua_pushlightuserdata(L, errand);
    return performed_k(L, lua_pcallk(L, 1, 0, 1, (lua_KContext)errand, performed_k),
                       (lua_KContext)errand);
}

/* Spawn the job's task: (errand). */
static int spawn(lua_State *L)
{
    lua_pushcfunction(L, job);
    lua_insert(L, 1);
    neap_bind_spawn_root(L, 1, NULL);
    return 0;
}

/* The root scope is ready for the next job, whatever this one has left in it. */
static void renew_root(neap_host *host)
{
    neap_scope *root = &host->sched.root;

    if (root->source == NULL)
        return;
    neap_bind_drop_cancellation(host, root);
    neap_scope_init_root(root, &host->sched);
}

static void run(neap_pool_job *base, void *state)
{
    neap_errand *errand = neap_container(base, neap_errand, job);
    neap_host *host = state;

    if (host == NULL) {
        neap_errand_lacks_host(errand);
        return;
    }
    host->revoked = &base->revoked;
    lua_pushcfunction(host->L, spawn);
    lua_pushlightuserdata(host->L, errand);
    if (lua_pcall(host->L, 1, 0, 0) != LUA_OK)
        lua_pop(host->L, 1);
    while (neap_link_linked(&host->sched.root.tasks))
        neap_host_turn(host);
    renew_root(host);
    neap_bind_slice_forget(host);
    host->revoked = NULL;
}

/* --- in the host ------------------------------------------------------------------------- */

/* Raise if the function at 1 sees variables of the code around it. */
static void refuse_upvalues(lua_State *L)
{
    luaL_Buffer names;
    const char *name;
    int found = 0;

    luaL_buffinit(L, &names);
    for (int i = 1; (name = lua_getupvalue(L, 1, i)) != NULL; i++) {
        lua_pop(L, 1);
        if (strcmp(name, "_ENV") == 0)
            continue;
        luaL_addstring(&names, found++ > 0 ? ", " : "");
        luaL_addstring(&names, name);
    }
    luaL_pushresult(&names);
    if (found > 0)
        neap_bind_usage(L, "neap.work: the function uses %s of the code around it, which stays "
                        "on this thread; pass what it needs as arguments, and require modules "
                        "inside of it", lua_tostring(L, -1));
    lua_pop(L, 1);
}

static void check(lua_State *L)
{
    if (lua_iscfunction(L, 1))
        neap_bind_usage(L, "neap.work: a C function; neap.blocking runs those");
    if (lua_isfunction(L, 1)) {
        refuse_upvalues(L);
        return;
    }
    if (lua_type(L, 1) != LUA_TSTRING)
        neap_bind_usage(L, "neap.work: function or \"module.function\" expected, got %s",
                        luaL_typename(L, 1));
    const char *name = lua_tostring(L, 1), *dot = strrchr(name, '.');
    if (dot == NULL || dot == name || dot[1] == '\0')
        neap_bind_usage(L, "neap.work: \"%s\": \"module.function\" expected", name);
}

static const char *pack(lua_State *L, neap_errand *errand, int first)
{
    int top = lua_gettop(L);
    bool bytes = lua_isfunction(L, first);

    neap_bind_checkstack(L, LUA_MINSTACK, NULL);
    neap_bind_push_paths(L, "neap.work");
    neap_copy_write(L, &errand->call, top + 1, 2, "");
    if (bytes)
        neap_copy_write_code(L, &errand->call, first);
    else
        neap_copy_write(L, &errand->call, first, 1, "");
    lua_pushboolean(L, bytes);
    neap_copy_write(L, &errand->call, -1, 1, "");
    neap_bind_context_push(L);
    if (lua_istable(L, -1))
        neap_copy_write_some(L, &errand->call, -1);
    else
        neap_copy_write(L, &errand->call, -1, 1, "");
    return neap_copy_write(L, &errand->call, first + 1, top - first, "argument");
}

int luaopen_neap_core_work(lua_State *L)
{
    static const neap_errand_class work = {
        .op = "neap.work", .variable = "NEAP_WORK_THREADS", .pool = &POOL,
        .threads = neap_pool_cores, .check = check, .pack = pack, .run = run };

    lua_newtable(L);
    neap_errand_open(L, &work);
    return 1;
}
