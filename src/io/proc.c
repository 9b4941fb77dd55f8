#include "io/proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/setup.h"
#include "io/uverr.h"
#include "io/uvloop.h"

enum { NS_PER_MS = 1000000 };

struct child {
    neap_proc     proc;
    uv_process_t  process;
    uv_timer_t    timer;        /* the end of its grace */
    neap_loop_end end;
    int           open;         /* handles that have not been closed */
    bool          freed;
};

static struct child *child_of(neap_proc *proc)
{
    return neap_container(proc, struct child, proc);
}

/* --- its end ------------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;

    if (--child->open == 0 && child->freed)
        neap_mem_free(child);
}

static void close_handles(struct child *child)
{
    neap_link_remove(&child->end.link);
    uv_close((uv_handle_t *)&child->process, on_closed);
    uv_close((uv_handle_t *)&child->timer, on_closed);
}

static void note_end(struct child *child, int status, int number)
{
    neap_proc *proc = &child->proc;

    proc->ended = true;
    proc->status = number == 0 ? status : -1;
    proc->signal = number;
    neap_loop_pending(proc->loop, -1);
    close_handles(child);
    neap_wait_end_all(&proc->waiters, NEAP_OK);
}

static void on_exited(uv_process_t *process, int64_t status, int number)
{
    note_end(process->data, (int)status, number);
}

static void send_signal(const neap_proc *proc, int number)
{
    kill(proc->group ? -proc->pid : proc->pid, number);
}

static void on_grace_over(uv_timer_t *timer)
{
    struct child *child = timer->data;
    send_signal(&child->proc, SIGKILL);
}

/* The loop ends before the child: nobody will be told by libuv. */
static void end_with_loop(neap_loop_end *end)
{
    struct child *child = neap_container(end, struct child, end);

    send_signal(&child->proc, SIGKILL);
    while (waitpid(child->proc.pid, NULL, 0) < 0 && errno == EINTR)
        ;
    note_end(child, 0, SIGKILL);
}

/* --- its surroundings ------------------------------------------------------------ */

static bool is_named(const char *variable, const char *name, size_t len)
{
    return strncmp(variable, name, len) == 0 && (variable[len] == '=' || variable[len] == '\0');
}

/* True if the child does not get `variable` of ours. */
static bool is_left_out(const char *variable, char **changes)
{
    const char *ours = neap_setup_variable();

    if (ours != NULL && is_named(variable, ours, strlen(ours)))
        return true;
    for (; changes != NULL && *changes != NULL; changes++)
        if (is_named(variable, *changes, strcspn(*changes, "=")))
            return true;
    return false;
}

static size_t count_of(char **list)
{
    size_t count = 0;

    while (list != NULL && list[count] != NULL)
        count++;
    return count;
}

/* Our environment after `changes`; to be freed, its strings not. NULL without memory. */
static char **environment(char **changes)
{
    size_t count = count_of(environ) + count_of(changes) + 1;
    char **env = neap_mem_try_realloc(NULL, count * sizeof *env);
    char **at = env;

    if (env == NULL)
        return NULL;
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
        if (!is_left_out(*variable, changes))
            *at++ = *variable;
    for (; changes != NULL && *changes != NULL; changes++)
        if (strchr(*changes, '=') != NULL)
            *at++ = *changes;
    *at = NULL;
    return env;
}

static void set_stdio(uv_stdio_container_t *stdio, const int *fds)
{
    for (int i = 0; i < 3; i++) {
        stdio[i].flags = fds[i] < 0 ? UV_IGNORE : UV_INHERIT_FD;
        stdio[i].data.fd = fds[i];
    }
}

/* --- waiting --------------------------------------------------------------------- */

static const neap_wait_class WAIT  = { .what = "process:wait" };
static const neap_wait_class CLOSE = { .what = "process:close", .cancel = neap_wait_keep };

/* --- the child --------------------------------------------------------------------- */

int neap_proc_open(neap_proc **opened, neap_loop *loop, const neap_proc_options *options)
{
    struct child *child = neap_mem_try_realloc(NULL, sizeof *child);
    uv_stdio_container_t stdio[3];
    char **env = child != NULL ? environment(options->env) : NULL;
    uv_process_options_t how = {
        .exit_cb = on_exited, .file = options->args[0], .args = options->args, .env = env,
        .cwd = options->cwd, .flags = options->group ? UV_PROCESS_DETACHED : 0,
        .stdio_count = 3, .stdio = stdio };

    if (env == NULL) {
        neap_mem_free(child);
        return NEAP_ENOMEM;
    }
    memset(child, 0, sizeof *child);
    set_stdio(stdio, options->fds);
    child->proc.loop = loop;
    child->proc.group = options->group;
    child->process.data = child->timer.data = child;
    child->open = 2;
    child->end.end = end_with_loop;
    neap_link_init(&child->end.link);
    neap_link_init(&child->proc.waiters);
    uv_timer_init(&loop->uv, &child->timer);
    neap_loop_pending(loop, +1);    /* virtual time runs before the child does */
    int status = uv_spawn(&loop->uv, &child->process, &how);
    neap_mem_free(env);
    if (status != 0) {
        neap_loop_pending(loop, -1);
        child->freed = true;
        close_handles(child);
        return neap_uverr(status);
    }
    neap_link_append(&loop->ends, &child->end.link);
    child->proc.pid = child->process.pid;
    *opened = &child->proc;
    return NEAP_OK;
}

int neap_proc_kill(neap_proc *proc, int number)
{
    if (proc->ended)
        return NEAP_ESRCH;
    send_signal(proc, number);
    return NEAP_OK;
}

void neap_proc_stop(neap_proc *proc, uint64_t grace_ns)
{
    uv_timer_t *timer = &child_of(proc)->timer;

    if (proc->ended)
        return;
    send_signal(proc, grace_ns > 0 ? SIGTERM : SIGKILL);
    if (grace_ns == NEAP_NEVER)
        return;
    uv_update_time(&proc->loop->uv);
    uv_timer_start(timer, on_grace_over, grace_ns / NS_PER_MS + 1, 0);
}

void neap_proc_park(neap_proc *proc, neap_task *task, bool cancellable)
{
    assert(!proc->ended);
    neap_wait_park(task, cancellable ? &WAIT : &CLOSE, proc);
    neap_link_append(&proc->waiters, &task->wait.node.link);
}

void neap_proc_free(neap_proc *proc)
{
    struct child *child = child_of(proc);

    neap_link_init(&proc->waiters);     /* at the end of the host some may wait */
    child->freed = true;
    if (!proc->ended)
        neap_proc_stop(proc, NEAP_PROC_GRACE_NS);
    else if (child->open == 0)
        neap_mem_free(child);
}

int neap_proc_pipe(int *read_end, int *write_end)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return neap_uverr_errno();
    *read_end = ends[0];
    *write_end = ends[1];
    return NEAP_OK;
}
