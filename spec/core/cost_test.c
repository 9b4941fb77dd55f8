/* cost_test.c - what a switch, a call of a channel and a scope do without: a clock, a look
 * into Lua's registry, a check of a box by the name of its type; and a wait that another task
 * soon ends without a yield.
 *
 * The linker leads calls of these functions here (Makefile). A script runs in the host twice,
 * with few rounds and with many; the turns of the loop look at the clock, the rounds do not.
 */
#include "test.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/stack.h"
#include "bind/host.h"
#include "cli/run.h"

enum { FEW = 1000, MANY = 21000, ROUNDS = MANY - FEW };

/* A turn has up to 128 switches, and the watcher of slices looks now and then. */
enum { SELDOM = ROUNDS / 20 };

struct cost { long clocks, lookups, checks, resumes; };

static struct cost cost;

bool __real_neap_host_run(neap_host *host);
bool __wrap_neap_host_run(neap_host *host);
int __real_clock_gettime(clockid_t id, struct timespec *time);
int __wrap_clock_gettime(clockid_t id, struct timespec *time);
int __real_lua_rawgetp(lua_State *L, int idx, const void *key);
int __wrap_lua_rawgetp(lua_State *L, int idx, const void *key);
int __real_lua_rawgeti(lua_State *L, int idx, lua_Integer n);
int __wrap_lua_rawgeti(lua_State *L, int idx, lua_Integer n);
int __real_lua_getfield(lua_State *L, int idx, const char *name);
int __wrap_lua_getfield(lua_State *L, int idx, const char *name);
void *__real_luaL_checkudata(lua_State *L, int idx, const char *name);
void *__wrap_luaL_checkudata(lua_State *L, int idx, const char *name);
int __real_lua_resume(lua_State *L, lua_State *from, int args, int *results);
int __wrap_lua_resume(lua_State *L, lua_State *from, int args, int *results);

/* From here on: before, the time-stamp counter is calibrated against the clock. */
bool __wrap_neap_host_run(neap_host *host)
{
    cost = (struct cost){ 0 };
    return __real_neap_host_run(host);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *time)
{
    cost.clocks++;
    return __real_clock_gettime(id, time);
}

int __wrap_lua_rawgetp(lua_State *L, int idx, const void *key)
{
    cost.lookups += idx == LUA_REGISTRYINDEX;
    return __real_lua_rawgetp(L, idx, key);
}

int __wrap_lua_rawgeti(lua_State *L, int idx, lua_Integer n)
{
    cost.lookups += idx == LUA_REGISTRYINDEX;
    return __real_lua_rawgeti(L, idx, n);
}

int __wrap_lua_getfield(lua_State *L, int idx, const char *name)
{
    cost.lookups += idx == LUA_REGISTRYINDEX;
    return __real_lua_getfield(L, idx, name);
}

void *__wrap_luaL_checkudata(lua_State *L, int idx, const char *name)
{
    cost.checks++;
    return __real_luaL_checkudata(L, idx, name);
}

int __wrap_lua_resume(lua_State *L, lua_State *from, int args, int *results)
{
    cost.resumes++;
    return __real_lua_resume(L, from, args, results);
}

/* What it costs to run `body`, whose first value is how many rounds, in a process of its own. */
static struct cost run(const char *body, int rounds)
{
    char path[] = "/tmp/neap-cost-XXXXXX", number[16], neap[] = "neap", command[] = "run";
    char *argv[] = { neap, command, path, number, NULL };
    struct cost taken = { 0 };
    int ends[2], status = -1;

    FILE *file = fdopen(mkstemp(path), "w");
    fprintf(file, "local neap = require('neap')\nlocal rounds = ...\n%s", body);
    fclose(file);
    snprintf(number, sizeof number, "%d", rounds);
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        status = neap_cli_run(4, argv);
        _exit(write(ends[1], &cost, sizeof cost) == sizeof cost ? status : 1);
    }
    CHECK(read(ends[0], &taken, sizeof taken) == sizeof taken);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(ends[0]);
    close(ends[1]);
    unlink(path);
    return taken;
}

static bool has_seats(void)
{
    neap_stack *stack = neap_stack_new(NULL, NULL);
    neap_stack_free(stack);
    return stack != NULL;
}

static void costs_nothing_but_itself(const char *body)
{
    struct cost few = run(body, FEW), many = run(body, MANY);

    CHECK(many.clocks - few.clocks < SELDOM);
    CHECK(many.lookups - few.lookups < SELDOM);
    CHECK(many.checks - few.checks < SELDOM);
    CHECK(!has_seats() || many.resumes - few.resumes < SELDOM);
}

static void a_switch(void)
{
    costs_nothing_but_itself(
        "neap.scope(function(s)\n"
        "  for _ = 1, 10 do s:spawn(function() for _ = 1, rounds / 10 do neap.yield() end end) end\n"
        "end)\n");
}

static void a_call_of_a_channel(void)
{
    costs_nothing_but_itself(
        "local meet, buffered = neap.channel(), neap.channel(100)\n"
        "neap.scope(function(s)\n"
        "  s:spawn(function() for i = 1, rounds do meet:send(i) end end)\n"
        "  s:spawn(function() for i = 1, rounds do buffered:send(meet:recv()) end end)\n"
        "  for _ = 1, rounds do buffered:recv() end\n"
        "end)\n");
}

static void a_scope(void)
{
    costs_nothing_but_itself(
        "for _ = 1, rounds do\n"
        "  neap.scope(function() end)\n"
        "  local s <close> = neap.scope()\n"
        "end\n");
}

/* As many tasks as there are seats, and more, sit down and then wait for good. */
static void who_waits_for_long_gives_its_seat_up(void)
{
    struct cost taken = run(
        "local never, s <close> = neap.event(), neap.scope()\n"
        "for _ = 1, 200 do\n"
        "  s:spawn(function()\n"
        "    for _ = 1, 3 do neap.yield() end\n"
        "    never:wait()\n"
        "  end)\n"
        "end\n"
        "for _ = 1, 5 do neap.yield() end\n"
        "neap.scope(function(t)\n"
        "  for _ = 1, 2 do t:spawn(function() for _ = 1, rounds do neap.yield() end end) end\n"
        "end)\n"
        "s:cancel()\n", MANY);

    CHECK(!has_seats() || taken.resumes < MANY);        /* of 2 * MANY switches */
}

int main(void)
{
    RUN(a_switch);
    RUN(a_call_of_a_channel);
    RUN(a_scope);
    RUN(who_waits_for_long_gives_its_seat_up);
    return REPORT();
}
