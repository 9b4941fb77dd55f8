/* io/signal.h - signals: those that end the host, and those that a script receives.
 *
 *   SIGINT, SIGTERM   the first is told, the second ends the process at once, also
 *                     while a task holds the loop: status 130, 143; at a prompt
 *                     SIGINT is told only, as an interrupt
 *   SIGPIPE           is told like them, status 141, when standard output or
 *                     standard error has lost its reader; else it is nothing
 *   SIGUSR1           is told: somebody wants to see the tasks
 *
 * What is told stands as bits in neap_signal_noted, for whoever looks from inside
 * a slice; `on_signal` is called by the loop. Signals that scripts ask for are
 * noted in their receivers.
 *
 * Order      A receiver gets each signal once, however often it came meanwhile.
 * Ownership  The caller owns a receiver, which does not move while it is open.
 * Errors     NEAP_ENOMEM; NEAP_EINVAL where signals are another loop's: the first
 *            one that opens something here has them.
 * Thread     That of this loop.
 */
#ifndef NEAP_IO_SIGNAL_H
#define NEAP_IO_SIGNAL_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/list.h"
#include "io/loop.h"

enum {
    NEAP_SIGNAL_END   = 1,      /* the host is asked to end */
    NEAP_SIGNAL_TREE  = 2,      /* somebody wants to see the tasks */
    NEAP_SIGNAL_GRACE = 4,      /* half of the time for that has passed */
    NEAP_SIGNAL_INTERRUPT = 8,  /* somebody at a prompt wants what runs to stop */
};

extern _Atomic unsigned neap_signal_noted;

typedef struct neap_receiver {
    neap_link link;
    uint64_t  wanted;           /* bit n: signal n */
    uint64_t  arrived;
    void    (*on_arrival)(struct neap_receiver *receiver);
} neap_receiver;

/* The names of the signals that a script may receive; ends with NULL. */
extern const char *const neap_signal_names[];
/* The number of one of them, or 0. */
int neap_signal_number(const char *name);
const char *neap_signal_name(int number);

/* A host that is asked to end gets `grace_ns` twice: after the first
 * NEAP_SIGNAL_GRACE is told, after the second the process ends, whatever it does.
 * NEAP_NEVER: only a second signal ends it. */
int neap_signal_open(neap_loop *loop, uint64_t grace_ns, void (*on_signal)(void *arg), void *arg);
/* There is a prompt: SIGINT is NEAP_SIGNAL_INTERRUPT from now on. */
void neap_signal_prompt(void);
/* Before the end of `loop`, whether it has the signals or not. */
void neap_signal_close(neap_loop *loop);
/* What has been noted, which is then forgotten. */
unsigned neap_signal_take(void);
/* As if a signal that stands for `status` had come. */
void neap_signal_end(int status);
/* The exit status of the end that is under way. */
int neap_signal_status(void);

/* From now on the signals of `wanted` are noted in `arrived`. */
int neap_receiver_open(neap_receiver *receiver, neap_loop *loop, uint64_t wanted,
                       void (*on_arrival)(neap_receiver *receiver));
void neap_receiver_close(neap_receiver *receiver);

#endif
