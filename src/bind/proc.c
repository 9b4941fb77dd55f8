/* bind/proc.c - neap.core.proc: child processes as Lua sees them.
 *
 * A child is held by the task that started it: what is still running when that
 * task ends is reported and stopped there.
 */
#include "io/proc.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "bind/stream.h"

static const neap_bind_type PROC = { "neap.process" };

/* User values. */
enum { STDIN = 1, STDOUT, STDERR, NAME, VALUES = NAME };

struct box {
    const neap_bind_type *type;
    neap_proc            *proc;         /* NULL: not started */
    neap_held             held;         /* by its task, until its end has been seen */
    uint64_t              grace_ns;
    int                   ours[3];      /* our ends of its streams, until they are boxed; -1 */
    int                   theirs[3];    /* its ends, until it has them; -1 */
};

/* What a standard stream of a child is; the numbers are lua/neap/process.lua's. */
enum { PIPE, INHERIT, NOTHING, AS_STDOUT };

static const struct { const char *name; int number; } SIGNALS[] = {
    { "SIGHUP", SIGHUP }, { "SIGINT", SIGINT }, { "SIGQUIT", SIGQUIT }, { "SIGKILL", SIGKILL },
    { "SIGUSR1", SIGUSR1 }, { "SIGUSR2", SIGUSR2 }, { "SIGPIPE", SIGPIPE }, { "SIGALRM", SIGALRM },
    { "SIGTERM", SIGTERM }, { "SIGCONT", SIGCONT }, { "SIGSTOP", SIGSTOP }, { "SIGTSTP", SIGTSTP },
    { "SIGWINCH", SIGWINCH }, { "SIGABRT", SIGABRT }, { "SIGSEGV", SIGSEGV }, { "SIGBUS", SIGBUS },
    { "SIGFPE", SIGFPE }, { "SIGILL", SIGILL }, { "SIGTRAP", SIGTRAP }, { "SIGSYS", SIGSYS },
    { "SIGXCPU", SIGXCPU }, { "SIGXFSZ", SIGXFSZ } };

enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof SIGNALS[0] };

static void close_all(int *fds)
{
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

static void take_back(neap_held *held)
{
    struct box *box = neap_container(held, struct box, held);

    neap_held_remove(held);
    neap_proc_stop(box->proc, box->grace_ns);
}

static const neap_held_class HELD = { "child process", take_back };

/* --- spawn ---------------------------------------------------------------------- */

/* The strings of the list at `idx` as C's, in a userdata on top, or NULL for nil. */
static char **strings(lua_State *L, int idx, const char *op)
{
    size_t count = lua_istable(L, idx) ? (size_t)lua_rawlen(L, idx) : 0;

    if (lua_isnoneornil(L, idx))
        return NULL;
    char **list = lua_newuserdatauv(L, (count + 1) * sizeof *list, 0);
    for (size_t i = 0; i < count; i++) {
        size_t len;
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        const char *text = neap_bind_string(L, -1, op, &len);
        if (strlen(text) != len)
            neap_bind_usage(L, "%s: a zero byte in \"%s\"", op, text);
        list[i] = (char *)(uintptr_t)text;      /* the table keeps it; nobody writes */
        lua_pop(L, 1);
    }
    list[count] = NULL;
    return list;
}

static int fail(lua_State *L, int code, const char *op, const char *program, const char *cwd)
{
    /* The system does not say which of the two it has not found. */
    if (code != NEAP_ENOMEM && cwd != NULL && access(cwd, X_OK) != 0)
        return neap_bind_error(L, "io", neap_err_name(code), op, " %s: directory %s: %s",
                               program, cwd, neap_err_text(code));
    return neap_bind_fail_about(L, code, op, program);
}

/* Set fds[i] for standard stream `i`, after those before it: NEAP_OK or a code. */
static int prepare(struct box *box, int *fds, int i, int what)
{
    int code = NEAP_OK;

    fds[i] = what == INHERIT ? i : what == AS_STDOUT ? fds[STDOUT_FILENO] : -1;
    if (what != PIPE)
        return NEAP_OK;
    if (i == STDIN_FILENO)
        code = neap_proc_pipe(&box->theirs[i], &box->ours[i]);
    else
        code = neap_proc_pipe(&box->ours[i], &box->theirs[i]);
    fds[i] = box->theirs[i];
    return code;
}

/* Box our ends as streams, user values of the box at `idx`. */
static void make_streams(lua_State *L, int idx, struct box *box, const char *op,
                         const char *program)
{
    static const char *const names[] = { "standard input", "standard output", "standard error" };

    for (int i = 0; i < 3; i++) {
        if (box->ours[i] < 0)
            continue;
        lua_pushfstring(L, "%s of %s", names[i], program);
        neap_bind_stream(L, &box->ours[i], i == 0 ? NEAP_STREAM_WRITES : NEAP_STREAM_READS, op,
                         lua_tostring(L, -1));
        lua_setiuservalue(L, idx, i + 1);
        lua_pop(L, 1);
    }
}

/* proc.spawn(args, cwd, env, stdin, stdout, stderr, group, grace, op) -> process; `op` is
 * the function that the script has called */
static int l_spawn(lua_State *L)
{
    neap_proc_options options = { .group = lua_toboolean(L, 7) };

    lua_settop(L, 9);
    const char *op = neap_bind_string(L, 9, "op", NULL);
    uint64_t grace_ns = neap_bind_duration(L, 8, lua_pushfstring(L, "%s: grace", op));
    if (!lua_isnil(L, 2))
        options.cwd = neap_bind_string(L, 2, lua_pushfstring(L, "%s: cwd", op), NULL);
    options.args = strings(L, 1, op);
    options.env = strings(L, 3, op);
    neap_task *task = neap_bind_checkpoint(L, op);

    struct box *box = neap_bind_new(L, &PROC, sizeof *box, VALUES);
    int at = lua_gettop(L);
    neap_held_init(&box->held, &HELD);
    box->grace_ns = grace_ns;
    memset(box->ours, -1, sizeof box->ours);
    memset(box->theirs, -1, sizeof box->theirs);
    lua_rawgeti(L, 1, 1);
    lua_setiuservalue(L, at, NAME);
    int code = NEAP_OK;
    for (int i = 0; i < 3 && code == NEAP_OK; i++)
        code = prepare(box, options.fds, i, (int)lua_tointeger(L, 4 + i));
    if (code != NEAP_OK)
        return fail(L, code, op, options.args[0], NULL);
    make_streams(L, at, box, op, options.args[0]);
    neap_bind_hold(L, at, task, &box->held);        /* the last line that can raise */
    code = neap_proc_open(&box->proc, neap_host_of(L)->loop, &options);
    close_all(box->theirs);
    if (code != NEAP_OK) {
        neap_bind_drop(L, &box->held);
        return fail(L, code, op, options.args[0], options.cwd);
    }
    return 1;
}

/* --- its end ---------------------------------------------------------------------- */

/* Its end has been seen: nobody has to answer for it. */
static void let_go(lua_State *L, struct box *box)
{
    if (box->held.task != NULL)
        neap_bind_drop(L, &box->held);
}

/* Push its exit status, or nil and the name of the signal that ended it. */
static int push_end(lua_State *L, const neap_proc *proc)
{
    if (proc->signal == 0) {
        lua_pushinteger(L, proc->status);
        return 1;
    }
    lua_pushnil(L);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        if (SIGNALS[i].number == proc->signal) {
            lua_pushstring(L, SIGNALS[i].name);
            return 2;
        }
    }
    lua_pushfstring(L, "SIG%d", proc->signal);
    return 2;
}

/* [1] box */
static int wait_k(lua_State *L, int status, lua_KContext ctx)
{
    struct box *box = lua_touserdata(L, 1);
    (void)status, (void)ctx;

    if (neap_host_of(L)->sched.running->wait.result != NEAP_OK)
        return neap_bind_raise_cancelled(L);
    let_go(L, box);
    return push_end(L, box->proc);
}

/* process:wait() -> status | nil, signal */
static int l_wait(lua_State *L)
{
    struct box *box = neap_bind_arg(L, 1, &PROC);
    neap_task *task = neap_bind_checkpoint(L, "process:wait");

    lua_settop(L, 1);
    if (box->proc->ended) {
        let_go(L, box);
        return neap_bind_return(L, push_end(L, box->proc));
    }
    neap_proc_park(box->proc, task, true);
    return neap_bind_suspend(L, 0, wait_k);
}

/* process:kill([signal]) -> true if it had not ended */
static int l_kill(lua_State *L)
{
    struct box *box = neap_bind_arg(L, 1, &PROC);
    const char *name = lua_isnoneornil(L, 2) ? "SIGTERM"
                                             : neap_bind_string(L, 2, "process:kill: signal", NULL);

    for (int i = 0; i < SIGNAL_COUNT; i++) {
        if (strcmp(SIGNALS[i].name, name) == 0) {
            lua_pushboolean(L, neap_proc_kill(box->proc, SIGNALS[i].number) == NEAP_OK);
            return 1;
        }
    }
    return neap_bind_usage(L, "process:kill: no signal is called \"%s\"; one is called \"SIGTERM\"",
                           name);
}

static void close_streams(lua_State *L)
{
    for (int i = STDIN; i <= STDERR; i++) {
        lua_getiuservalue(L, 1, i);
        neap_stream *stream = neap_bind_stream_test(L, -1);
        if (stream != NULL)
            neap_stream_close(stream);
        lua_pop(L, 1);
    }
}

static int close_k(lua_State *L, int status, lua_KContext ctx)
{
    struct box *box = lua_touserdata(L, 1);
    (void)status, (void)ctx;

    let_go(L, box);
    close_streams(L);
    return 0;
}

/* process:close() and __close: stop it, wait for its end, close its streams. Also in
 * a cancelled task: it lasts no longer than the grace. */
static int l_close(lua_State *L)
{
    struct box *box = neap_bind_arg(L, 1, &PROC);
    neap_task *task = neap_host_of(L)->sched.running;

    lua_settop(L, 1);
    if (!box->proc->ended && task != NULL && lua_isyieldable(L)) {
        neap_proc_stop(box->proc, box->grace_ns);
        neap_proc_park(box->proc, task, false);
        return neap_bind_suspend(L, 0, close_k);
    }
    neap_proc_stop(box->proc, 0);
    return close_k(L, LUA_OK, 0);
}

static int l_gc(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);

    neap_held_forget(&box->held);
    close_all(box->ours);
    close_all(box->theirs);
    if (box->proc != NULL)
        neap_proc_free(box->proc);
    box->proc = NULL;
    return 0;
}

/* process.pid, .stdin, .stdout, .stderr, or a method */
static int l_index(lua_State *L)
{
    static const char *const fields[] = { "stdin", "stdout", "stderr", "name" };
    struct box *box = neap_bind_arg(L, 1, &PROC);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

    lua_settop(L, 2);
    if (strcmp(name, "pid") == 0) {
        lua_pushinteger(L, box->proc->pid);
        return 1;
    }
    for (int i = 0; i < VALUES; i++) {
        if (strcmp(name, fields[i]) == 0) {
            lua_getiuservalue(L, 1, i + 1);
            return 1;
        }
    }
    lua_rawget(L, lua_upvalueindex(1));
    return 1;
}

int luaopen_neap_core_proc(lua_State *L)
{
    static const luaL_Reg functions[] = { { "spawn", l_spawn }, { NULL, NULL } };
    static const luaL_Reg proc[] = {
        { "wait", l_wait }, { "kill", l_kill }, { "close", l_close }, { "__close", l_close },
        { "__gc", l_gc }, { "__index", l_index }, { NULL, NULL } };

    luaL_requiref(L, "neap.core.stream", luaopen_neap_core_stream, 0);
    luaL_newlib(L, functions);
    neap_bind_methods(L, &PROC, proc, "methods");
    return 1;
}
