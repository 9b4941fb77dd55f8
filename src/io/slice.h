/* io/slice.h - notices a task that holds the loop.
 *
 *   scheduler thread   begin  begin  begin ------------------------ end
 *   watcher thread       .      .      .      .  over!  over!  over!
 *
 * One thread of the process looks at all slices every 10 ms. While the number
 * of a slice stands still for longer than the limit, it interrupts the slice's
 * thread by a signal, again every 10 ms: `on_overrun` runs in the handler.
 *
 * On a busy machine a thread that is ready waits for a processor, and a virtual
 * machine's processor waits for one of the host's. That is no doing of the slice,
 * and held_ns leaves it out as far as is known: the system counts the first; of a
 * thread that has not slept both are what its processor time lacks.
 *
 * A begin costs one store. An idle process is not woken: after a second without
 * work the watcher sleeps until the next turn.
 *
 * Errors  neap_slice_open: NEAP_ENOMEM, when there is no thread to be had.
 * Thread  A slice belongs to the thread that opened it.
 */
#ifndef NEAP_IO_SLICE_H
#define NEAP_IO_SLICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* The longest slice that is nobody's concern. */
#define NEAP_SLICE_LIMIT_NS 50000000u

typedef struct neap_slice {
    neap_link        link;          /* the watcher's list */
    pthread_t        thread;
    _Atomic uint64_t number;        /* of the slice; 0 while the loop waits */
    uint64_t         begun;         /* numbers handed out; its thread's */
    uint64_t         seen;          /* the watcher's: number at the last look */
    _Atomic uint64_t since_ns;      /* when the watcher saw it first, */
    _Atomic uint64_t waited_ns;     /* how long the thread had waited by then, */
    _Atomic uint64_t computed_ns;   /* its processor time, */
    _Atomic uint64_t sleeps;        /* and how often it had slept */
    int              statistics;    /* schedstat of the thread, or -1 */
    int              status;        /* its status, or -1 */
    void           (*on_overrun)(struct neap_slice *slice);
} neap_slice;

/* `on_overrun` is called in a signal handler of this thread. Close it in any case. */
int neap_slice_open(neap_slice *slice, void (*on_overrun)(neap_slice *slice));
void neap_slice_close(neap_slice *slice);
/* How long the thread has been ready without a processor since the running slice was
 * first seen; 0 if the system does not tell. May be called in `on_overrun`. */
uint64_t neap_slice_waited_ns(neap_slice *slice);
/* How long the running slice has held the loop since it was first seen: computing, or
 * blocked in the system. */
uint64_t neap_slice_held_ns(neap_slice *slice);
/* The loop has work again. */
void neap_slice_wake(neap_slice *slice);

/* A task is resumed. */
static inline void neap_slice_begin(neap_slice *slice)
{
    atomic_store_explicit(&slice->number, ++slice->begun, memory_order_relaxed);
}

/* No task runs: the loop waits. */
static inline void neap_slice_end(neap_slice *slice)
{
    atomic_store_explicit(&slice->number, 0, memory_order_relaxed);
}

#endif
