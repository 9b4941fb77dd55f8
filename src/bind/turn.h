/* bind/turn.h - where the tasks of a turn run, and where they wait.
 *
 *   the loop's stack   timers, io --turn--+                             +--> timers, io
 *   seat 1                                +-> A runs, waits     A goes on
 *   seat 2                                        +-> B runs, waits --^
 *
 * A seat is a C stack. A task that waits may keep its seat, and with it the calls that led
 * it there; the next task runs on another one. To go on is then to change stacks, which
 * takes some ns, where lua_yield, lua_resume and the jump between them take 100. A task
 * yields, and has no seat while it waits,
 *
 *   - when all seats are taken, or the processor is one that base/stack does not know;
 *   - when the turn is over: seats are for waits that others end soon;
 *   - when the next task has not begun: to begin on another stack costs what is saved;
 *   - inside of a script's coroutine, whose resumer has to hear of it;
 *   - when many C calls are nested on its stack.
 *
 * Order      A seat changes nothing in the order in which tasks run.
 * Ownership  A field of the host.
 * Errors     None: without memory for a seat, tasks yield.
 * Thread     The host's.
 * Invariant  The loop, and all else that runs between turns, is on the loop's stack. What
 *            raises on the coroutine of a task that sits would jump to another stack: others
 *            push, move and look there, and do no more.
 */
#ifndef NEAP_BIND_TURN_H
#define NEAP_BIND_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stack.h"
#include "core/task.h"

/* Each takes two or three pages once it was used, and for some turns what deep calls took. */
#define NEAP_TURN_SEATS 64

typedef struct neap_seat {
    neap_stack *stack;
    uintptr_t   base;           /* where the calls of tasks begin */
    neap_task  *task;           /* who waits in it, or NULL */
    uint64_t    since;          /* the turn in which it sat down */
} neap_seat;

typedef struct neap_turn {
    neap_seat  seats[NEAP_TURN_SEATS + 1];      /* 0 is the loop's stack */
    neap_stack loop;
    unsigned   most;            /* seats that can be made */
    unsigned   count;           /* that have been made */
    unsigned   seat;            /* the one that is running */
    uint8_t    free[NEAP_TURN_SEATS];
    unsigned   free_count;
    uint64_t   number;
    neap_task *next;            /* was taken, but not resumed yet; or NULL */
    bool       clearing;        /* the task that goes on has to yield */
} neap_turn;

/* At the end of the host, whose Lua state is closed: who sat there is gone. */
void neap_turn_deinit(neap_turn *turn);

#endif
