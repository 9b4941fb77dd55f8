/* io/loop.h - scheduler turn, libuv turn, until the root task is done.
 *
 *   turn of the scheduler -> is something ready? look at the outside world, and on
 *                         -> else wait for it until the next timer is due
 *
 * Two counts tell what the loop waits for. `pending` is what ends by itself (a read
 * of a file, a job on a thread, a child process, a message of an isolate); `live` is
 * what may come (a line of a pipe, a signal, the end of an isolate). With neither,
 * and no timer, tasks that wait will wait for ever.
 *
 * In virtual time the clock jumps to the next timer when nothing is ready and
 * nothing is pending; while something is, it runs with the machine's.
 *
 * Ownership  neap_loop_new makes it, neap_loop_free ends it with its handles.
 * Thread     The scheduler's.
 */
#ifndef NEAP_IO_LOOP_H
#define NEAP_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/virtual.h"
#include "core/sched.h"

typedef struct neap_loop neap_loop;

/* NULL without memory or descriptors. */
neap_loop *neap_loop_new(neap_sched *sched);
/* What the last neap_loop_new of this thread lacked: NEAP_ENOMEM, NEAP_EMFILE, NEAP_ENFILE; or
 * NEAP_OK. */
int neap_loop_lacks(void);
void neap_loop_free(neap_loop *loop);

/* Run until neap_loop_stop; false when tasks wait and nothing will come. */
bool neap_loop_run(neap_loop *loop);
void neap_loop_stop(neap_loop *loop);

/* Called before and after each turn. */
void neap_loop_on_turn(neap_loop *loop, void (*begin)(neap_sched *sched),
                       void (*end)(neap_sched *sched));
/* From now on the scheduler's clock is `clock`, which outlives the loop; NULL:
 * that of the machine. No timer is armed. */
void neap_loop_set_virtual(neap_loop *loop, neap_virtual *clock);
/* `task`, which runs, waits until nothing is ready, due or pending. */
void neap_loop_park_idle(neap_loop *loop, neap_task *task);

void neap_loop_pending(neap_loop *loop, int change);
void neap_loop_live(neap_loop *loop, int change);

#endif
