/* io/port.h - the two ends of a bounded channel between two loops.
 *
 *   end A, thread 1                              end B, thread 2
 *     senders -> [parcel][parcel]............. -> handed -> receivers
 *     receivers <- handed <- .....[parcel][parcel] <- senders
 *                             behind one lock
 *
 * Each end is served on its own thread: a post tells it that something may have
 * changed. A wait ends when a parcel has been handed to it, or a place reserved;
 * so no later caller overtakes it.
 *
 * Order      First in, first out, in each direction; so are those who wait.
 * Ownership  A parcel is whose hands it is in. The pair is freed when both ends
 *            have hung up.
 * Errors     NEAP_EFULL, NEAP_EEMPTY: not without waiting. NEAP_ECLOSED: the pair
 *            is closed; what is on its way can still be received.
 * Thread     An end belongs to the thread that attached it.
 * Invariant  parcels on their way + reserved places <= capacity, in each direction.
 */
#ifndef NEAP_IO_PORT_H
#define NEAP_IO_PORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/select.h"
#include "core/task.h"
#include "io/post.h"

typedef struct neap_pair neap_pair;

typedef struct neap_parcel {
    neap_link link;
    neap_buf  bytes;
} neap_parcel;

typedef struct neap_port {
    neap_pair *pair;
    neap_loop *loop;        /* NULL: not attached, or no more; behind the lock */
    neap_post  post;
    neap_link  senders;     /* nodes of those who wait, of this end */
    neap_link  receivers;
    neap_link  watchers;    /* of those who wait for the end of the other end */
    neap_link  handed;      /* parcels of receivers whose wait has ended */
    uint32_t   reserved;    /* places of senders whose wait has ended */
    _Atomic bool revoked;   /* what runs at this end is to be cancelled */
    neap_buf   failure;     /* by which that has ended after the pair was closed */
} neap_port;

/* Of waits for a place, and for a parcel. */
extern const neap_wait_class neap_port_send_class;
extern const neap_wait_class neap_port_recv_class;

neap_parcel *neap_parcel_new(void);         /* NULL without memory */
void         neap_parcel_free(neap_parcel *parcel);

/* Two ends; `capacity` parcels in each direction. NEAP_ENOMEM. */
int  neap_port_pair(neap_port **a, neap_port **b, uint32_t capacity);
/* The end belongs to this thread, where `loop` runs. */
void neap_port_attach(neap_port *port, neap_loop *loop);
/* The loop, and those who wait there, are no more. */
void neap_port_detach(neap_port *port);
/* The end is no more: the pair is closed, what came for it is dropped. */
void neap_port_hang_up(neap_port *port);

/* NEAP_OK: the parcel is on its way. */
int  neap_port_try_send(neap_port *port, neap_parcel *parcel);
/* NEAP_OK if try_send would send. */
int  neap_port_can_send(neap_port *port);
/* After a wait for a place has ended with NEAP_OK: NEAP_OK or NEAP_ECLOSED. */
int  neap_port_send_reserved(neap_port *port, neap_parcel *parcel);
int  neap_port_try_recv(neap_port *port, neap_parcel **parcel);
/* After a wait for a parcel has ended with NEAP_OK. */
neap_parcel *neap_port_take_handed(neap_port *port);

/* `task`, which runs, waits, after try_send or try_recv has said so. */
void neap_port_park_send(neap_port *port, neap_task *task);
void neap_port_park_recv(neap_port *port, neap_task *task);
/* The same for the node of a select's arm, of the class. */
void neap_port_queue_send(neap_port *port, neap_node *node);
void neap_port_queue_recv(neap_port *port, neap_node *node);

/* Both ends refuse to send; `cause` (or NULL) is what both receive at last; its
 * bytes are taken. A second close changes nothing. */
void neap_port_close(neap_port *port, neap_buf *cause);
bool neap_port_is_closed(neap_port *port);
/* What it was closed with: values as bytes, empty for nothing. */
const neap_buf *neap_port_cause(neap_port *port);
/* Close, because what ran at this end has failed by `error`; its bytes are taken. Where the
 * pair was closed before, neap_port_failure alone tells of it. Once. */
void neap_port_fail(neap_port *port, neap_buf *error);
/* What the other end has failed by, once it has hung up, or was closed with there; empty for
 * nothing. */
const neap_buf *neap_port_failure(neap_port *port);
/* Parcels that can be received. */
uint32_t neap_port_len(neap_port *port);

/* Cancel what runs at the other end. Any thread that holds this end. */
void neap_port_revoke_other(neap_port *port);
/* `task`, the only one that does, waits until the other end has hung up; a
 * cancellation of it revokes the other end and ends nothing. False, and it does not
 * wait, if that has happened. */
bool neap_port_park_watch(neap_port *port, neap_task *task);
/* Block the thread for the same, at most so long; false if that was not enough. */
bool neap_port_await_end(neap_port *port, uint32_t seconds);

#endif
