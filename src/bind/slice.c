/* bind/slice.c - a slice that runs too long is reported, and obeys deadlines,
 * cancellations and signals.
 *
 * There is no permanent hook, which would halve the speed of every script: the
 * watcher's signal arms one for the next instruction, or for the return of the
 * C function that runs.
 */
#include "bind/slice.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/ticks.h"
#include "base/virtual.h"
#include "bind/place.h"
#include "bind/signal.h"
#include "bind/task.h"
#include "io/signal.h"

enum { FATAL_GRACE_NS = 100000000 };

/* A C function that returns later than this after the signal is what ran long. */
enum { CALL_NS = 1000000 };

/* Arming the hook may take one part in so many and one of the time. */
enum { ARMING_SHARE = 4 };

static const char REPORTED;         /* registry key: places that have been reported */

/* The scope whose deadline has passed first, of those that hold in `scope`. Scopes may be
 * nested so deep that the walk takes as long as the slice goes on until the next look. */
static neap_scope *overdue(neap_scope *scope, uint64_t now_ns)
{
    neap_scope *first = NULL;

    if (neap_timers_next(&scope->sched->deadlines) > now_ns)
        return NULL;
    for (; scope != NULL; scope = scope->parent) {
        uint64_t at_ns = scope->deadline.at_ns;
        if (at_ns != 0 && at_ns <= now_ns && (first == NULL || at_ns < first->deadline.at_ns))
            first = scope;
        if (scope->shield)
            break;
    }
    return first;
}

/* Raise if the slice is longer than a spec may be. After that the hook leaves time
 * to report it; whoever catches it and goes on meets it at the next protected call. */
static void end_fatal(lua_State *L, neap_host *host, bool hooked)
{
    uint64_t now = neap_ticks_now();
    uint64_t from = host->tick > host->fatal_from ? host->tick : host->fatal_from;
    char text[NEAP_DURATION_SIZE];

    if (host->slice_fatal == 0 || now - from <= host->slice_fatal ||
        (hooked && now - host->fatal_raised < neap_ticks_from_ns(FATAL_GRACE_NS)))
        return;
    host->fatal_raised = now;
    uint64_t limit_ms = (neap_ticks_to_ns(host->slice_fatal) + 500000) / 1000000;
    neap_duration_format(limit_ms * 1000000, text);
    neap_bind_error(L, "limit", NULL, NULL, "held the loop for longer than %s (--slice-limit)",
                    text);
}

static void interrupt(lua_State *L, bool hooked)
{
    neap_host *host = neap_host_of(L);
    neap_task *task = host->sched.running;

    if (task == NULL)
        return;
    bool signalled = host->signals && neap_signal_noted != 0;
    if (signalled)
        neap_bind_signalled(host);
    if (host->revoked != NULL && atomic_load(host->revoked))
        neap_scope_cancel(&host->sched.root, NEAP_CANCEL_CANCELLED, 0);
    /* In virtual time runs repeat exactly: how fast the machine is must not show. */
    bool real = neap_virtual_is_real(host->sched.clock);
    neap_scope *late = real ? overdue(task->scope, neap_clock_now(host->sched.clock)) : NULL;
    if (late != NULL)
        neap_scope_cancel(late, NEAP_CANCEL_DEADLINE, 0);
    if (neap_task_is_cancelled(task) && (real || signalled)) {
        /* What closes on the way out runs until the watcher's next look. */
        host->overrun = false;
        lua_sethook(L, NULL, 0, 0);
        neap_bind_raise_cancelled(L);
        return;                     /* it is killed once the hook has returned */
    }
    end_fatal(L, host, hooked);
}

void neap_bind_interrupted(lua_State *L)
{
    interrupt(L, false);
}

/* Functions of Lua's that wait for the operating system, and what to use instead. */
static const char *advice(const char *function)
{
    static const char *const files[] = { "read", "lines", "write", "open", "close", "flush",
                                         "seek", NULL };
    for (int i = 0; function != NULL && files[i] != NULL; i++)
        if (strcmp(function, files[i]) == 0)
            return "; neap.fs does not block";
    if (function != NULL && (strcmp(function, "execute") == 0 || strcmp(function, "popen") == 0))
        return "; neap.process does not block";
    return "; call neap.yield() in a long loop, or use neap.work";
}

/* A function that a loop calls returns at once; one that holds the loop went on after
 * the signal. */
static bool went_on(neap_host *host)
{
    uint64_t then_ns = host->overrun_waited_ns, waited_ns = neap_slice_waited_ns(&host->slice);

    /* What is known of a thread that has slept since may be less. */
    return host->overrun_tick != 0 &&
           neap_ticks_to_ns(neap_ticks_now() - host->overrun_tick) >
           CALL_NS + (waited_ns > then_ns ? waited_ns - then_ns : 0);
}

static void note_place(neap_host *host, lua_State *L, lua_Debug *ar)
{
    const char *function = NULL;
    lua_Debug at;

    neap_bind_push_running(L);
    neap_bind_task_name(L, lua_gettop(L));
    snprintf(host->overrun_task, sizeof host->overrun_task, "%s", lua_tostring(L, -1));
    lua_pop(L, 2);
    if (went_on(host) && ar->event == LUA_HOOKRET && lua_getinfo(L, "Sn", ar) && *ar->what == 'C')
        function = ar->name;
    neap_place_find(L, 0, &at);
    snprintf(host->overrun_place, sizeof host->overrun_place, "%s:%d%s%s%s",
             at.short_src, at.currentline, function ? " in " : "", function ? function : "",
             advice(function));
}

/* Runs in Lua, on overrun only. A C function that returns is seen, but nothing is
 * raised there: C that called it does not expect that. */
static void on_hook(lua_State *L, lua_Debug *ar)
{
    neap_host *host = neap_host_of(L);
    bool is_lua = ar->event == LUA_HOOKCOUNT;

    lua_sethook(L, is_lua ? NULL : on_hook, is_lua ? 0 : LUA_MASKCOUNT, is_lua ? 0 : 1);
    if (!host->overrun)         /* armed for a slice that was over before an instruction */
        return;
    if (host->overrun_place[0] == '\0' && neap_slice_held_ns(&host->slice) > NEAP_SLICE_LIMIT_NS)
        note_place(host, L, ar);
    if (!is_lua)
        return;
    host->overrun_tick = 0;
    interrupt(L, true);
}

/* Runs in a signal handler: lua_sethook may be called there. It visits every frame,
 * so a stack of very many would have time for nothing else: for each look of the
 * watcher that takes so long, some are left out. */
static void on_overrun(neap_slice *slice)
{
    neap_host *host = neap_container(slice, neap_host, slice);
    uint64_t now = neap_ticks_now();

    host->overrun = true;
    if (host->running == NULL || now < host->overrun_next)
        return;
    lua_sethook(host->running, on_hook, LUA_MASKCOUNT | LUA_MASKRET, 1);
    uint64_t done = neap_ticks_now();
    host->overrun_next = done + ARMING_SHARE * (done - now);
    if (host->overrun_tick == 0) {
        host->overrun_waited_ns = neap_slice_waited_ns(slice);
        host->overrun_tick = done;
    }
}

static int report(lua_State *L)
{
    neap_host *host = neap_host_of(L);

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &REPORTED) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &REPORTED);
    }
    if (lua_getfield(L, -1, host->overrun_place) == LUA_TNIL) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -3, host->overrun_place);
        fprintf(stderr, "neap: %s held the loop for %d ms at %s\n",
                host->overrun_task, (int)lua_tointeger(L, 1), host->overrun_place);
    }
    return 0;
}

void neap_bind_slice_forget(neap_host *host)
{
    host->overrun = false;
    host->overrun_tick = 0;
    host->overrun_place[0] = '\0';
}

void neap_bind_slice_over(neap_host *host, uint64_t ticks)
{
    lua_State *L = host->L;

    /* Without a place nobody saw where; with a limit for specs that speaks. */
    if (host->overrun_place[0] != '\0' && host->slice_fatal == 0) {
        uint64_t ns = neap_ticks_to_ns(ticks), waited_ns = neap_slice_waited_ns(&host->slice);
        lua_pushcfunction(L, report);
        lua_pushinteger(L, (lua_Integer)((ns > waited_ns ? ns - waited_ns : 0) / 1000000));
        if (lua_pcall(L, 1, 0, 0) != LUA_OK)
            lua_pop(L, 1);
    }
    neap_bind_slice_forget(host);
}

int neap_bind_slice_open(neap_host *host)
{
    host->slice_limit = neap_ticks_from_ns(NEAP_SLICE_LIMIT_NS);
    return neap_slice_open(&host->slice, on_overrun);
}
