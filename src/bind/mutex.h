/* bind/mutex.h - the mutex as a box, for the condition that belongs to it. */
#ifndef NEAP_BIND_MUTEX_H
#define NEAP_BIND_MUTEX_H

#include "bind/bind.h"
#include "core/mutex.h"

extern const neap_bind_type neap_bind_mutex_type;

typedef struct neap_bind_mutex {
    const neap_bind_type *type;
    neap_mutex            core;
} neap_bind_mutex;

#endif
