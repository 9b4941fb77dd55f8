/* bind/host.h - one isolate: a Lua state, its scheduler and its loop.
 *
 * The main thread's extra space holds the pointer; Lua copies it into every
 * coroutine, so one load finds the host from any lua_State. Its lowest bits are marks.
 *
 * Ownership  neap_host_new makes it, neap_host_free ends it.
 * Thread     The one that made it.
 */
#ifndef NEAP_BIND_HOST_H
#define NEAP_BIND_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "base/buf.h"
#include "base/random.h"
#include "base/slab.h"
#include "base/virtual.h"
#include "bind/place.h"
#include "bind/turn.h"
#include "core/sched.h"
#include "io/slice.h"

typedef struct neap_loop neap_loop;

/* Threads of ended tasks that are kept: a burst of this many makes none. */
#define NEAP_HOST_IDLE 1024

/* Blocks of collected tasks' boxes that are kept. A box is never used again, since a
 * script may hold it, but its memory is, the latest first: it is in the cache. The address
 * sanitizer is to see each block freed. */
#ifdef __SANITIZE_ADDRESS__
#define NEAP_HOST_KEPT 0
#else
#define NEAP_HOST_KEPT 4096
#endif

/* The first word of a block that is kept. */
typedef struct neap_host_block {
    struct neap_host_block *next;
} neap_host_block;

typedef struct neap_host {
    neap_sched  sched;
    neap_loop  *loop;
    lua_State  *L;              /* the main thread: nothing of a script runs in it */
    lua_State  *running;        /* innermost coroutine of the running task */
    lua_State  *suspends;       /* `running`, if it can suspend the task; or NULL */
    lua_State  *closing;        /* coroutine of a killed task while it is closed, or NULL */
    uint32_t    checkpoints;    /* since the running task was resumed */
    uint64_t    tick;           /* time-stamp counter at the last switch */
    lua_State  *idle[NEAP_HOST_IDLE];   /* to be used again */
    uint32_t    idle_count;
    neap_slab   boxes;          /* memory of tasks' boxes; its size is 0 until it is known */
    neap_host_block *kept;      /* of that size, to be used again */
    int         kept_count;
    bool        refused;        /* the last request of Lua's, which it will repeat */
    uint64_t    refusals;       /* so many requests of Lua's in all */
    uint32_t    collections;    /* so many in a row because of that, the host being at its end */
    uint64_t    refused_at_ns;
    uint64_t    collected_at_ns;        /* end of the last one */
    uint64_t    collections_ns;         /* what they took */
    uint64_t    numbers;        /* of scopes and steps: the last one given */
    uint32_t    threads;        /* slots of the table that keeps threads alive */
    uint32_t    free_slot;      /* first of the free ones; 0: none */
    struct neap_bind_scope *spare_scopes;   /* records to be used again */
    struct neap_bind_scope *orphans;        /* records of scopes of killed tasks */
    neap_turn   turn;
    neap_places *places;
    char        duration[16];   /* the text that was read last as a duration, */
    size_t      duration_size;
    uint64_t    duration_ns;    /* and what it means: a loop gives one again and again */
    neap_random random;         /* neap.random, neap.uuid */
    uint64_t    last_uuid_us;   /* so that ids rise */
    neap_slice  slice;
    uint64_t    slice_limit;    /* in ticks */
    uint64_t    slice_fatal;    /* in ticks: a longer one is ended by an error; 0: none */
    uint64_t    fatal_from;     /* tick from which that is counted, if later */
    uint64_t    fatal_raised;   /* tick at which that error was raised last */
    volatile uint64_t overrun_tick;     /* when a hook was armed; 0: none is */
    uint64_t    overrun_waited_ns;      /* for a processor, by then */
    uint64_t    overrun_next;   /* not before this a hook is armed again */
    char        overrun_task[64];
    char        overrun_place[LUA_IDSIZE + 128];    /* "": nothing to report */
    volatile bool overrun;      /* the running slice is longer than its limit */
    neap_buf    warning;        /* what has come of one, */
    bool        is_warning;     /* of which more is to come */
    bool        warns;          /* as warn("@on") and "@off" say */
    int         exit_status;
    bool        root_failed;    /* the loop ends with the last of the orphans */
    bool        signals;        /* it is the one that takes the process's signals */
    bool        ending;         /* by a signal or neap.exit */
    struct neap_bind_scope_box *main;   /* what ends first, kept by the registry; or NULL */
    struct neap_bind_scope_box *app;    /* what ends after the grace */
    neap_virtual virtual;       /* the scheduler's clock in specs */
    neap_random shuffle;        /* orders the ready queue in specs, if a seed was given */
    /* Of an isolate that others direct: */
    const char *apart;          /* "neap.work": whose thread it is; there nothing suspends */
    const _Atomic bool *revoked;        /* all that runs is cancelled once it is true */
} neap_host;

/* Marks of a coroutine, in the lowest bits of its extra space: it waits inside a primitive,
 * it is a task's own. Nobody but who made it wait, or the scheduler, resumes it. */
enum { NEAP_HOST_WAITS = 1, NEAP_HOST_TASK = 2, NEAP_HOST_MARKS = 3 };

static inline neap_host *neap_host_of(lua_State *L)
{
    return (neap_host *)(*(uintptr_t *)lua_getextraspace(L) & ~(uintptr_t)NEAP_HOST_MARKS);
}

/* A host with an empty Lua state and standard libraries, the public library
 * within reach of `require`. NULL without memory. */
neap_host *neap_host_new(void);
void neap_host_free(neap_host *host);
/* Run until it is stopped, or no task can go on and nobody (host.on_deadlock)
 * knows a way out; false in that case. */
bool neap_host_run(neap_host *host);
/* One turn without the loop, for what does not wait. */
void neap_host_turn(neap_host *host);

#endif
