/* bind/permit.h - what is given out by semaphores and read-write locks: so many
 * slots of a neap_sem, held by a task.
 *
 * A permit is boxed before its task parks. From then until it is released its
 * task keeps it alive and in a list: what a task still holds at its end is
 * reported and taken back there, never by the collector.
 */
#ifndef NEAP_BIND_PERMIT_H
#define NEAP_BIND_PERMIT_H

#include "bind/select.h"
#include "core/sem.h"

/* How a permit is asked for. */
typedef struct neap_bind_way {
    const char *op;                 /* "semaphore:acquire" */
    /* For people, and whose `take_back` is neap_bind_permit_take_back. */
    neap_held_class held;
    void (*park)(neap_sem *sem, neap_task *task, uint32_t n);
    bool        single;             /* a task may have one permit of a neap_sem */
} neap_bind_way;

/* `n` slots of `sem`, a field of the box at index 1: returns a permit. Parks
 * while they are not free. */
int neap_bind_permit_acquire(lua_State *L, neap_sem *sem, uint32_t n, const neap_bind_way *way);
/* The same without waiting: returns a permit, or nil and "locked". */
int neap_bind_permit_try(lua_State *L, neap_sem *sem, uint32_t n, const neap_bind_way *way);
/* For the arms of a select whose `object` is a neap_sem and whose `number` is how
 * many slots: neap_bind_arm_ops. */
int neap_bind_permit_now(lua_State *L, int arm, const neap_bind_way *way);
void neap_bind_permit_prepare(lua_State *L, int arm, const neap_bind_way *way);
int neap_bind_permit_finish(lua_State *L, int prepared);
void neap_bind_permit_take_back(neap_held *held);
/* For luaopen_...: make the metatable of permits. */
void neap_bind_permit_open(lua_State *L);

#endif
