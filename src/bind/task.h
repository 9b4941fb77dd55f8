/* bind/task.h - a coroutine as a task.
 *
 * The box of a task lies on its own coroutine's stack, which keeps it alive
 * while the task lives; a table keeps the coroutine alive. Coroutines of ended
 * tasks are used again, boxes never.
 *
 *   stack of the coroutine, from the bottom:
 *     slot        its place in the table of threads
 *     body        the C function that runs the task, and its frame:
 *       [1] box   [2] home scope's box, or nil   [3] message handler
 *       [4] fn, arguments
 */
#ifndef NEAP_BIND_TASK_H
#define NEAP_BIND_TASK_H

#include "bind/bind.h"

extern const neap_bind_type neap_bind_task_type;

/* User value 1 is its result, or its error; user value 2 its name, if named. */
typedef struct neap_bind_task {
    const neap_bind_type *type;
    lua_State            *co;       /* NULL once it has ended, or if it never runs */
    neap_task             core;
} neap_bind_task;

/* Bits of neap_task.flags. */
enum {
    NEAP_BIND_GUARD   = 1,      /* its failure belongs to whoever awaits it */
    NEAP_BIND_NAMED   = 2,
    NEAP_BIND_AWAITED = 4,
    NEAP_BIND_ONE     = 8,      /* user value 1 is its only result */
    NEAP_BIND_MANY    = 16,     /* user value 1 is a table of its results */
    NEAP_BIND_KILLED  = 32,
    NEAP_BIND_CONTEXT = 64,     /* has bindings of neap.with */
    NEAP_BIND_STANDBY = 128,    /* user value 1 is what recalls it: task.stand_by */
};

/* Checkpoints at which a task may ignore one cancellation before it is killed. */
#define NEAP_BIND_PATIENCE 1000

typedef struct neap_bind_spawn_options {
    bool guard, lazy;
    int  name;                  /* index of the name, or 0 */
    int  metatable;             /* index of the tasks' metatable */
} neap_bind_spawn_options;

static inline neap_bind_task *neap_bind_task_of(neap_task *task)
{
    return neap_container(task, neap_bind_task, core);
}

/* --- begin, run, end: bind/task_run.c ------------------------------------------------- */

/* Before the first task. */
void neap_bind_open_tasks(lua_State *L);
/* Spawn what stands from index `first` to the top (function and arguments) into
 * `home`, whose box (or nil) is at index 1. Pushes the new box. */
neap_bind_task *neap_bind_spawn(lua_State *L, neap_scope *home, int first,
                                const neap_bind_spawn_options *options);
/* The same as the root task, from any index on. `name` may be NULL. */
void neap_bind_spawn_root(lua_State *L, int first, const char *name);
/* neap_sched.run. */
void neap_bind_run(neap_sched *sched);
/* True if a coroutine of the running task yielded because the task suspends. */
static inline bool neap_bind_suspended(const neap_task *task)
{
    return task->state != NEAP_TASK_RUNNING || (task->flags & NEAP_BIND_KILLED) != 0;
}
/* If it stood by, it counts among the tasks of its home again. */
void neap_bind_task_recall(neap_bind_task *box);
/* A resumed task did not yield, or is to be killed: `status` is what lua_resume gave. */
void neap_bind_end(neap_host *host, neap_bind_task *box, int status);
/* End a task that has not begun, as cancelled. */
void neap_bind_end_unstarted(neap_host *host, neap_bind_task *box);
/* Push the box of the running task; its coroutine has space for two more values. */
void neap_bind_push_running(lua_State *L);
/* Push the boxes of `task`, which has not ended, and of its home (or nil). */
void neap_bind_push_task(lua_State *L, neap_task *task);

/* --- what others see of it: bind/task.c -------------------------------------------------- */

/* Push what the ended task gave, or raise its error; number of values. */
int neap_bind_task_result(lua_State *L, int idx);
/* task:on_await([handler]) -> arm */
int neap_bind_task_on_await(lua_State *L);
/* Push its name, or "task 12". */
void neap_bind_task_name(lua_State *L, int idx);

#endif
