#include "io/port.h"

#include <assert.h>
#include <time.h>

#include "base/mem.h"
#include "core/sched.h"
#include "io/uvloop.h"

/* What is on its way to one end. */
struct lane {
    neap_link parcels;
    uint32_t  count;
    bool      wanted;           /* a sender waits for a place */
};

struct neap_pair {
    pthread_mutex_t lock;
    pthread_cond_t  ended;      /* an end has hung up */
    neap_port       ports[2];
    struct lane     lanes[2];   /* of the port of the same number */
    uint32_t        capacity;
    bool            gone[2];
    bool            closed;
    int             closer;     /* the side that has given the cause */
    neap_buf        cause;
};

static int side_of(const neap_port *port)
{
    return port == &port->pair->ports[1];
}

static neap_port *other(neap_port *port)
{
    return &port->pair->ports[!side_of(port)];
}

static struct lane *lane_to(neap_port *port)
{
    return &port->pair->lanes[side_of(port)];
}

/* Behind the lock: the end looks at what has changed. */
static void notify(neap_port *port)
{
    if (port->loop != NULL)
        neap_loop_post(port->loop, &port->post);
}

/* --- waits ----------------------------------------------------------------------------- */

static void leave(neap_node *node, void *object)
{
    neap_port *port = object;

    neap_link_remove(&node->link);
    neap_loop_pending(port->loop, -1);
}

/* Until the other end is revoked it may go on for ever; then it will end. */
static void leave_watch(neap_node *node, void *object)
{
    neap_port *port = object;

    neap_link_remove(&node->link);
    if (atomic_load(&other(port)->revoked))
        neap_loop_pending(port->loop, -1);
    else
        neap_loop_live(port->loop, -1);
}

static void revoke_watched(neap_task *task)
{
    neap_port *port = task->wait.object;

    if (atomic_load(&other(port)->revoked))
        return;
    neap_loop_live(port->loop, -1);
    neap_loop_pending(port->loop, 1);
    neap_port_revoke_other(port);
}

const neap_wait_class neap_port_send_class = { .what = "port:send", .leave = leave };
const neap_wait_class neap_port_recv_class = { .what = "port:recv", .leave = leave };
static const neap_wait_class WATCH = {
    .what = "the end of an isolate", .leave = leave_watch, .cancel = revoke_watched };

void neap_port_queue_send(neap_port *port, neap_node *node)
{
    neap_link_append(&port->senders, &node->link);
    neap_loop_pending(port->loop, 1);
}

void neap_port_queue_recv(neap_port *port, neap_node *node)
{
    neap_link_append(&port->receivers, &node->link);
    neap_loop_pending(port->loop, 1);
}

void neap_port_park_send(neap_port *port, neap_task *task)
{
    neap_wait_park(task, &neap_port_send_class, port);
    neap_port_queue_send(port, &task->wait.node);
}

void neap_port_park_recv(neap_port *port, neap_task *task)
{
    neap_wait_park(task, &neap_port_recv_class, port);
    neap_port_queue_recv(port, &task->wait.node);
}

/* --- parcels ------------------------------------------------------------------------------ */

neap_parcel *neap_parcel_new(void)
{
    neap_parcel *parcel = neap_mem_try_realloc(NULL, sizeof *parcel);

    if (parcel == NULL)
        return NULL;
    neap_link_init(&parcel->link);
    neap_buf_init(&parcel->bytes);
    return parcel;
}

void neap_parcel_free(neap_parcel *parcel)
{
    neap_buf_deinit(&parcel->bytes);
    neap_mem_free(parcel);
}

/* Behind the lock: is there a place for one more at the other end? If not, it will
 * tell when there is. */
static bool has_place(neap_port *port)
{
    struct lane *lane = lane_to(other(port));

    lane->wanted = lane->count + port->reserved >= port->pair->capacity;
    return !lane->wanted;
}

/* Behind the lock; there is a place. */
static void put(neap_port *port, neap_parcel *parcel)
{
    struct lane *lane = lane_to(other(port));

    neap_link_append(&lane->parcels, &parcel->link);
    lane->count++;
    notify(other(port));
}

static neap_parcel *take_first(neap_link *parcels)
{
    neap_parcel *parcel = neap_container(parcels->next, neap_parcel, link);

    neap_link_remove(&parcel->link);
    return parcel;
}

/* Behind the lock: the next one, or NULL. */
static neap_parcel *take(neap_port *port)
{
    struct lane *lane = lane_to(port);

    if (lane->count == 0)
        return NULL;
    lane->count--;
    if (lane->wanted)
        notify(other(port));
    return take_first(&lane->parcels);
}

/* --- serving ---------------------------------------------------------------------------------- */

/* One of those who wait gets what it waits for; false if there is nothing. */
static bool serve_one(neap_port *port)
{
    neap_pair *pair = port->pair;
    neap_parcel *parcel = NULL;
    bool place = false;

    pthread_mutex_lock(&pair->lock);
    if (neap_link_linked(&port->receivers))
        parcel = take(port);
    if (parcel == NULL && !pair->closed && neap_link_linked(&port->senders))
        place = has_place(port);
    pthread_mutex_unlock(&pair->lock);
    if (parcel != NULL) {
        neap_link_append(&port->handed, &parcel->link);
        neap_node_end(neap_node_first(&port->receivers), NEAP_OK);
    } else if (place) {
        port->reserved++;
        neap_node_end(neap_node_first(&port->senders), NEAP_OK);
    }
    return parcel != NULL || place;
}

static void serve(neap_port *port)
{
    neap_pair *pair = port->pair;

    while (serve_one(port))
        ;
    pthread_mutex_lock(&pair->lock);
    bool closed = pair->closed, gone = pair->gone[!side_of(port)];
    pthread_mutex_unlock(&pair->lock);
    if (closed) {
        neap_wait_end_all(&port->senders, NEAP_ECLOSED);
        neap_wait_end_all(&port->receivers, NEAP_ECLOSED);
    }
    if (gone)
        neap_wait_end_all(&port->watchers, NEAP_OK);
    if (port->loop != NULL && atomic_load(&port->revoked))
        neap_scope_cancel(&port->loop->sched->root, NEAP_CANCEL_CANCELLED, 0);
}

static void on_change(neap_post *post)
{
    serve(neap_container(post, neap_port, post));
}

/* --- ends -------------------------------------------------------------------------------------- */

static void init(neap_pair *pair, int side)
{
    neap_port *port = &pair->ports[side];

    port->pair = pair;
    neap_post_init(&port->post, on_change);
    neap_link_init(&port->senders);
    neap_link_init(&port->receivers);
    neap_link_init(&port->watchers);
    neap_link_init(&port->handed);
    neap_link_init(&pair->lanes[side].parcels);
}

int neap_port_pair(neap_port **a, neap_port **b, uint32_t capacity)
{
    neap_pair *pair = neap_mem_try_realloc(NULL, sizeof *pair);

    if (pair == NULL)
        return NEAP_ENOMEM;
    *pair = (neap_pair){ .capacity = capacity };
    pthread_mutex_init(&pair->lock, NULL);
    pthread_cond_init(&pair->ended, NULL);
    init(pair, 0);
    init(pair, 1);
    *a = &pair->ports[0];
    *b = &pair->ports[1];
    return NEAP_OK;
}

void neap_port_attach(neap_port *port, neap_loop *loop)
{
    pthread_mutex_lock(&port->pair->lock);
    port->loop = loop;
    notify(port);               /* it may have been revoked before */
    pthread_mutex_unlock(&port->pair->lock);
}

void neap_port_detach(neap_port *port)
{
    pthread_mutex_lock(&port->pair->lock);
    neap_loop *loop = port->loop;
    port->loop = NULL;
    pthread_mutex_unlock(&port->pair->lock);
    if (loop != NULL)
        neap_loop_unpost(loop, &port->post);
    neap_link_init(&port->senders);
    neap_link_init(&port->receivers);
    neap_link_init(&port->watchers);
}

static void drop(neap_link *parcels)
{
    while (neap_link_linked(parcels))
        neap_parcel_free(take_first(parcels));
}

void neap_port_hang_up(neap_port *port)
{
    neap_pair *pair = port->pair;
    int side = side_of(port);

    assert(port->loop == NULL && "it has been detached");
    pthread_mutex_lock(&pair->lock);
    pair->closed = true;
    pair->gone[side] = true;
    drop(&pair->lanes[side].parcels);
    pair->lanes[side].count = 0;
    drop(&port->handed);
    notify(other(port));
    pthread_cond_signal(&pair->ended);
    bool last = pair->gone[!side];
    pthread_mutex_unlock(&pair->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&pair->lock);
    pthread_cond_destroy(&pair->ended);
    neap_buf_deinit(&pair->cause);
    neap_buf_deinit(&pair->ports[0].failure);
    neap_buf_deinit(&pair->ports[1].failure);
    neap_mem_free(pair);
}

/* Send if the parcel is not NULL, and there is a place for it. */
static int offer(neap_port *port, neap_parcel *parcel)
{
    int result = NEAP_OK;

    pthread_mutex_lock(&port->pair->lock);
    if (port->pair->closed)
        result = NEAP_ECLOSED;
    else if (neap_link_linked(&port->senders) || !has_place(port))
        result = NEAP_EFULL;
    else if (parcel != NULL)
        put(port, parcel);
    pthread_mutex_unlock(&port->pair->lock);
    return result;
}

int neap_port_can_send(neap_port *port)
{
    return offer(port, NULL);
}

int neap_port_try_send(neap_port *port, neap_parcel *parcel)
{
    return offer(port, parcel);
}

int neap_port_send_reserved(neap_port *port, neap_parcel *parcel)
{
    pthread_mutex_lock(&port->pair->lock);
    bool closed = port->pair->closed;
    port->reserved--;
    if (!closed)
        put(port, parcel);
    pthread_mutex_unlock(&port->pair->lock);
    return closed ? NEAP_ECLOSED : NEAP_OK;
}

int neap_port_try_recv(neap_port *port, neap_parcel **parcel)
{
    if (neap_link_linked(&port->receivers))
        return NEAP_EEMPTY;
    pthread_mutex_lock(&port->pair->lock);
    *parcel = take(port);
    bool closed = port->pair->closed;
    pthread_mutex_unlock(&port->pair->lock);
    if (*parcel != NULL)
        return NEAP_OK;
    return closed ? NEAP_ECLOSED : NEAP_EEMPTY;
}

neap_parcel *neap_port_take_handed(neap_port *port)
{
    return take_first(&port->handed);
}

static void give(neap_buf *to, neap_buf *from)
{
    *to = *from;
    neap_buf_init(from);
}

/* `late` takes the cause if the pair has been closed before; or NULL. */
static void close_pair(neap_port *port, neap_buf *cause, neap_buf *late)
{
    neap_pair *pair = port->pair;

    pthread_mutex_lock(&pair->lock);
    if (!pair->closed && cause != NULL) {
        give(&pair->cause, cause);
        pair->closer = side_of(port);
    } else if (pair->closed && late != NULL) {
        give(late, cause);
    }
    pair->closed = true;
    notify(other(port));
    pthread_mutex_unlock(&pair->lock);
    serve(port);
}

void neap_port_close(neap_port *port, neap_buf *cause)
{
    close_pair(port, cause, NULL);
}

void neap_port_fail(neap_port *port, neap_buf *error)
{
    close_pair(port, error, &port->failure);
}

bool neap_port_is_closed(neap_port *port)
{
    pthread_mutex_lock(&port->pair->lock);
    bool closed = port->pair->closed;
    pthread_mutex_unlock(&port->pair->lock);
    return closed;
}

/* Once it is closed nobody changes the cause. */
const neap_buf *neap_port_cause(neap_port *port)
{
    static const neap_buf none;

    return neap_port_is_closed(port) ? &port->pair->cause : &none;
}

const neap_buf *neap_port_failure(neap_port *port)
{
    static const neap_buf none;
    neap_pair *pair = port->pair;
    const neap_buf *failure = &none;

    pthread_mutex_lock(&pair->lock);
    if (pair->gone[!side_of(port)] && other(port)->failure.len > 0)
        failure = &other(port)->failure;
    else if (pair->closed && pair->closer != side_of(port))
        failure = &pair->cause;
    pthread_mutex_unlock(&pair->lock);
    return failure;
}

uint32_t neap_port_len(neap_port *port)
{
    pthread_mutex_lock(&port->pair->lock);
    uint32_t count = lane_to(port)->count;
    pthread_mutex_unlock(&port->pair->lock);
    return count;
}

void neap_port_revoke_other(neap_port *port)
{
    pthread_mutex_lock(&port->pair->lock);
    atomic_store(&other(port)->revoked, true);
    notify(other(port));
    pthread_mutex_unlock(&port->pair->lock);
}

bool neap_port_park_watch(neap_port *port, neap_task *task)
{
    pthread_mutex_lock(&port->pair->lock);
    bool gone = port->pair->gone[!side_of(port)];
    pthread_mutex_unlock(&port->pair->lock);
    if (gone)
        return false;
    neap_wait_park(task, &WATCH, port);
    neap_link_append(&port->watchers, &task->wait.node.link);
    if (atomic_load(&other(port)->revoked))
        neap_loop_pending(port->loop, 1);
    else
        neap_loop_live(port->loop, 1);
    return true;
}

bool neap_port_await_end(neap_port *port, uint32_t seconds)
{
    neap_pair *pair = port->pair;
    struct timespec until;
    bool gone;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&pair->lock);
    while (!(gone = pair->gone[!side_of(port)]) &&
           pthread_cond_timedwait(&pair->ended, &pair->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&pair->lock);
    return gone;
}
