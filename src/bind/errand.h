/* bind/errand.h - a call that a task sends to a thread, and waits for.
 *
 *   script  -> check -> a slot -> copy arguments -> submit, park
 *                                   thread: run, copy results or error
 *   script <- copies, or raise what was raised <- done
 *
 * A slot bounds what has been copied and not come back: one call more waits, with
 * its arguments where they are, until another one has ended.
 *
 * Order      First come, first served.
 * Ownership  The box of the call owns the job; closing it gives the job up.
 * Thread     That of the host, but for `run`.
 */
#ifndef NEAP_BIND_ERRAND_H
#define NEAP_BIND_ERRAND_H

#include "base/buf.h"
#include "bind/bind.h"
#include "io/pool.h"

/* Calls of one host that are queued or run in one pool. */
#define NEAP_ERRAND_SLOTS 1024

typedef enum neap_errand_end {
    NEAP_ERRAND_NO_MEMORY,      /* until something else is known */
    NEAP_ERRAND_RETURNED,       /* `result`: what it returned */
    NEAP_ERRAND_RAISED,         /* `result`: what it raised */
    NEAP_ERRAND_MISUSED,        /* `result`: what the caller did wrong */
} neap_errand_end;

typedef struct neap_errand {
    neap_pool_job        job;
    lua_CFunction   function;   /* neap.blocking: what to call */
    neap_buf        call;       /* for the thread; values */
    neap_buf        result;     /* from it; values */
    neap_errand_end end;
    int             lacks;      /* the thread has no isolate: what there was too little of */
} neap_errand;

typedef struct neap_errand_class {
    const char *op;             /* "neap.work" */
    const char *variable;       /* of the environment: the number of threads */
    neap_pool  *pool;
    uint32_t  (*threads)(void); /* where it is not set */
    /* Look at the arguments, from index 1 on; raises. */
    void      (*check)(lua_State *L);
    /* The arguments stand from index `first` on: write errand->call. NULL, or,
     * pushed, what the caller did wrong. */
    const char *(*pack)(lua_State *L, neap_errand *errand, int first);
    void      (*run)(neap_pool_job *job, void *host);
} neap_errand_class;

/* Add the functions `run(...)` and `stats()` to the module on top. */
void neap_errand_open(lua_State *L, const neap_errand_class *class);

/* For `run`, on the thread: the values above `below` have been returned ... */
void neap_errand_return(lua_State *L, neap_errand *errand, int below);
/* ... or the one on top was raised. */
void neap_errand_raise(lua_State *L, neap_errand *errand);
/* ... or the call cannot be made; `fmt` as lua_pushfstring. */
void neap_errand_misuse(lua_State *L, neap_errand *errand, const char *fmt, ...);

/* A pool's threads have an isolate each, whose code cannot suspend. */
void *neap_errand_new_host(const char *op);
void  neap_errand_rest(void *host);
void  neap_errand_free_host(void *host);
/* For `run`: there is none. */
void  neap_errand_lacks_host(neap_errand *errand);

#endif
