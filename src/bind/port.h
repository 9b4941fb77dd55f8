/* bind/port.h - the box of an end of a channel between isolates.
 *
 * Thread  That of the host whose end it is.
 */
#ifndef NEAP_BIND_PORT_H
#define NEAP_BIND_PORT_H

#include "bind/bind.h"
#include "io/port.h"

extern const neap_bind_type neap_bind_port_type;

typedef struct neap_bind_port {
    const neap_bind_type *type;
    neap_port *core;            /* NULL: no more */
    void     (*release)(struct neap_bind_port *box);    /* before `core` is left; or NULL */
    bool       told;            /* the cause that it was closed with has been raised */
} neap_bind_port;

/* Push the box of `core`, attached to the host. */
neap_bind_port *neap_bind_port_push(lua_State *L, neap_port *core);

#endif
