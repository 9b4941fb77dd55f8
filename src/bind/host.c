/* bind/host.c - neap.core.host: an isolate's beginning and end. */
#include "bind/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/ticks.h"
#include "bind/bind.h"
#include "bind/embed.h"
#include "bind/scope.h"
#include "bind/slice.h"
#include "bind/task.h"
#include "io/loop.h"
#include "io/signal.h"

static const char ON_DEADLOCK;      /* registry key */

/* Lua collects all garbage when a request is refused, then asks once more; meanwhile it
 * asks for nothing. With many objects that takes seconds, and a crowd of tasks each of
 * which gets or frees but little would never end: a host of which so many collections in
 * a row take longer than what it did between them is at its end. */
enum { COLLECTIONS = 5 };
static const uint64_t COLLECTIONS_NS = 2000000000;

static void note_collected(neap_host *host)
{
    uint64_t now_ns = neap_clock_now(&neap_clock_system);
    uint64_t took_ns = now_ns - host->refused_at_ns;

    if (host->refused_at_ns - host->collected_at_ns > took_ns)
        host->collections = 0, host->collections_ns = 0;
    host->refused = false;
    host->collected_at_ns = now_ns;
    host->collections_ns += took_ns;
    if (++host->collections >= COLLECTIONS && host->collections_ns > COLLECTIONS_NS)
        neap_mem_exhausted();
}

/* How far the collector goes for each KiB that is allocated: 8 * 64 of its units, about as
 * many objects swept. Lua's own 100 lets a script that makes 70 KiB a turn wait 30 ms for
 * one turn while garbage is freed; with 8 a round of the collector still ends before the
 * heap has grown by a tenth. */
enum { STEP_MULTIPLIER = 8 };

/* The memory of a box: of one that was freed lately, or new. NULL: from malloc. */
static void *new_box(neap_host *host)
{
    neap_host_block *kept = host->kept;

    if (kept == NULL)
        return neap_slab_alloc(&host->boxes);
    host->kept = kept->next;
    host->kept_count--;
    return kept;
}

static void free_block(neap_host *host, void *block, size_t size)
{
    if (block != NULL && size == host->boxes.size && host->kept_count < NEAP_HOST_KEPT) {
        neap_host_block *kept = block;
        kept->next = host->kept;
        host->kept = kept;
        host->kept_count++;
    } else if (neap_slab_owns(&host->boxes, block)) {
        neap_slab_free(&host->boxes, block);
    } else {
        neap_mem_free(block);
    }
}

static void *resize_block(neap_host *host, void *block, size_t old_size, size_t new_size)
{
    if (!neap_slab_owns(&host->boxes, block))
        return neap_mem_try_realloc(block, new_size);
    if (new_size <= old_size)
        return block;
    void *moved = neap_mem_try_realloc(NULL, new_size);
    if (moved != NULL) {
        memcpy(moved, block, old_size);
        neap_slab_free(&host->boxes, block);
    }
    return moved;
}

/* Lua's memory. Shrinking and freeing cannot fail, as Lua demands. */
static void *allocate(void *arg, void *block, size_t old_size, size_t new_size)
{
    neap_host *host = arg;

    if (new_size == 0) {
        free_block(host, block, old_size);
        return NULL;
    }
    if (block == NULL && new_size == host->boxes.size) {
        void *box = new_box(host);
        if (box != NULL)
            return box;
    }
    void *moved = resize_block(host, block, old_size, new_size);
    host->refusals += moved == NULL;
    if (host->refused) {
        note_collected(host);
    } else if (moved == NULL) {
        host->refused = true;
        host->refused_at_ns = neap_clock_now(&neap_clock_system);
    }
    return moved;
}

static int panic(lua_State *L)
{
    (void)L;
    neap_mem_exhausted();       /* all else is raised inside of protected calls */
}

static void begin_turn(neap_sched *sched)
{
    neap_host *host = neap_container(sched, neap_host, sched);

    host->tick = neap_ticks_now();
    neap_slice_wake(&host->slice);
}

static void end_slice(neap_sched *sched)
{
    neap_slice_end(&neap_container(sched, neap_host, sched)->slice);
}

neap_host *neap_host_new(void)
{
    neap_host *host = neap_mem_try_realloc(NULL, sizeof *host);

    if (host == NULL)
        return NULL;
    memset(host, 0, sizeof *host);
    neap_sched_init(&host->sched, &neap_clock_system, neap_bind_run);
    host->places = neap_places_new();
    host->loop = neap_loop_new(&host->sched);
    host->L = lua_newstate(allocate, host);
    if (host->places == NULL || host->loop == NULL || host->L == NULL ||
        neap_bind_slice_open(host) != NEAP_OK) {
        neap_host_free(host);
        return NULL;
    }
    neap_loop_on_turn(host->loop, begin_turn, end_slice);
    uint64_t seed = 0;
    neap_random_system(&seed, sizeof seed);
    neap_random_seed(&host->random, seed);
    lua_atpanic(host->L, panic);
    lua_gc(host->L, LUA_GCINC, 0, STEP_MULTIPLIER, 0);
    neap_bind_open_warn(host);
    *(neap_host **)lua_getextraspace(host->L) = host;
    lua_pushcfunction(host->L, neap_bind_open_libraries);
    if (lua_pcall(host->L, 0, 0, 0) != LUA_OK) {
        neap_host_free(host);
        return NULL;
    }
    return host;
}

void neap_host_free(neap_host *host)
{
    neap_signal_close(host->loop);
    if (host->slice.on_overrun != NULL)
        neap_slice_close(&host->slice);
    if (host->L != NULL)
        lua_close(host->L);
    neap_buf_deinit(&host->warning);
    neap_bind_scope_free_all(host);
    neap_turn_deinit(&host->turn);
    for (neap_host_block *kept; (kept = host->kept) != NULL;) {
        host->kept = kept->next;
        if (!neap_slab_owns(&host->boxes, kept))
            neap_mem_free(kept);
    }
    neap_slab_deinit(&host->boxes);
    neap_loop_free(host->loop);
    neap_places_free(host->places);
    neap_sched_deinit(&host->sched);
    neap_mem_free(host);
}

void neap_host_turn(neap_host *host)
{
    begin_turn(&host->sched);
    neap_sched_turn(&host->sched);
    end_slice(&host->sched);
}

/* True if the handler of host.on_deadlock found a way on. */
static bool is_resolved(neap_host *host)
{
    lua_State *L = host->L;
    int top = lua_gettop(L);

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &ON_DEADLOCK) == LUA_TNIL)
        lua_pushboolean(L, 0);
    else if (lua_pcall(L, 0, 1, 0) != LUA_OK)
        fprintf(stderr, "neap: %s\n", lua_tostring(L, -1));
    bool resolved = lua_isboolean(L, -1) && lua_toboolean(L, -1);
    lua_settop(L, top);
    return resolved;
}

bool neap_host_run(neap_host *host)
{
    bool ended;

    while (!(ended = neap_loop_run(host->loop)) && is_resolved(host))
        ;
    return ended;
}

/* host.on_deadlock(fn): called when no task can go on; true if one can now */
static int l_on_deadlock(lua_State *L)
{
    neap_bind_function(L, 1, "host.on_deadlock");
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ON_DEADLOCK);
    return 0;
}

/* os.exit([status]): ends the process at once, without cleanup. As Lua's, but that
 * nothing of the running Lua is closed under it. */
int neap_bind_exit(lua_State *L)
{
    int status = 0;

    if (lua_isboolean(L, 1))
        status = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    else if (!lua_isnoneornil(L, 1))
        status = (int)neap_bind_integer(L, 1, "os.exit", LUA_MININTEGER, LUA_MAXINTEGER);
    fflush(NULL);
    _exit(status & 0xFF);
}

/* host.stop(status): the loop ends when the running task suspends */
static int l_stop(lua_State *L)
{
    neap_host *host = neap_host_of(L);

    if (host->apart != NULL)
        neap_bind_usage(L, "host.stop: not in a thread of %s", host->apart);
    host->exit_status = (int)neap_bind_opt_integer(L, 1, "status", 0, 0, 255);
    neap_loop_stop(host->loop);
    return 0;
}

/* host.embedded(name) -> bytes of a file of the binary, or nil */
static int l_embedded(lua_State *L)
{
    const neap_embed *file = neap_embed_find(neap_bind_string(L, 1, "name", NULL));

    if (file == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, file->bytes, file->size);
    return 1;
}

/* host.embedded_list() -> names of all files of the binary, sorted */
static int l_embedded_list(lua_State *L)
{
    lua_createtable(L, (int)neap_embed_count, 0);
    for (size_t i = 0; i < neap_embed_count; i++) {
        lua_pushstring(L, neap_embed_files[i].name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* host.is_tty(fd) -> boolean */
static int l_is_tty(lua_State *L)
{
    lua_pushboolean(L, isatty((int)neap_bind_integer(L, 1, "fd", 0, 2)));
    return 1;
}

/* host.flush() -> has all that was printed so far been written? */
static int l_flush(lua_State *L)
{
    lua_pushboolean(L, fflush(stdout) == 0 && !ferror(stdout));
    return 1;
}

/* host.traceback(error) -> where it began, or nil */
static int l_traceback(lua_State *L)
{
    neap_bind_traceback(L, 1);
    return 1;
}

/* host.call_at_once(fn, ...) -> what it returns; it cannot wait */
static int l_call_at_once(lua_State *L)
{
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

int luaopen_neap_core_host(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "exit", neap_bind_exit }, { "stop", l_stop }, { "embedded", l_embedded },
        { "embedded_list", l_embedded_list }, { "is_tty", l_is_tty }, { "flush", l_flush },
        { "on_deadlock", l_on_deadlock }, { "traceback", l_traceback },
        { "call_at_once", l_call_at_once }, { NULL, NULL } };

    luaL_newlib(L, functions);
    lua_getfield(L, LUA_REGISTRYINDEX, "neap.raw");
    lua_setfield(L, -2, "raw");
    lua_pushliteral(L, NEAP_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
