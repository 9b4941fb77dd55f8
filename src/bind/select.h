/* bind/select.h - how a primitive offers itself as an arm of neap.select.
 *
 *   ch:on_recv(fn) ---makes---> arm (a box: whose, which values, fn)
 *   neap.select{ arm, arm } --> asks each: `now`; if none: `queue` each, park;
 *                               the one that happened: `finish`
 *
 * An arm is never changed by a select, so it may be used again, also by several
 * tasks at once. What a waiting select needs is in a box of its own.
 *
 * To offer an arm, a primitive fills a static neap_bind_arm_ops and calls
 * neap_bind_new_arm from its method on_x.
 */
#ifndef NEAP_BIND_SELECT_H
#define NEAP_BIND_SELECT_H

#include "bind/bind.h"
#include "core/select.h"

/* As many arms as one select may have. */
#define NEAP_BIND_ARMS_MAX 1000

/* What `now` returns when it cannot happen now. */
#define NEAP_BIND_ARM_WAITS (-1)

typedef struct neap_bind_arm_ops neap_bind_arm_ops;

/* User values: 1 the box that `object` is in, 2 the handler or nil, 3 the value
 * that an arm with `gives` has to give. */
typedef struct neap_bind_arm {
    const neap_bind_type    *type;
    const neap_bind_arm_ops *ops;
    void                    *object;    /* the primitive's core record */
    uint64_t                 number;    /* the primitive's: how many permits ... */
} neap_bind_arm;

struct neap_bind_arm_ops {
    /* If it can happen now, do it, push what it gives and return how many values
     * that is. May raise. */
    int (*now)(lua_State *L, int arm);
    /* NULL, or: push one value that `finish` needs and that cannot be made when
     * the wait has ended, since making it may raise: a guard's box. */
    void (*prepare)(lua_State *L, int arm);
    /* Queue the node neap_select_queue(select, index, class, object). Nothing
     * here may raise: the task waits already. */
    void (*queue)(const neap_bind_arm *arm, neap_select *select, uint32_t index);
    /* The wait was ended through this arm, with `result`. Push what the arm gives
     * and return how many values that is; the `given` ones are on top already.
     * May raise. */
    int (*finish)(lua_State *L, int arm, int prepared, int given, int result);
    /* NULL, or: an arm of these ops on the same object makes no sense. */
    const neap_bind_arm_ops *rival;
    bool gives;         /* it has a value, which neap_bind_select_take takes */
    bool takes;         /* whoever ends it has moved `count` of its node values here */
};

/* Push a new arm on `object`, which is in the box at index 1, with the handler at
 * `handler` (a function; nil or none: no handler). */
neap_bind_arm *neap_bind_new_arm(lua_State *L, const neap_bind_arm_ops *ops, void *object,
                                 int handler, const char *op);
/* Every fair select begins at its first arm again. */
void neap_bind_select_renew(lua_State *L);
/* Push the value that the waiting select to which `node` belongs has to give. */
void neap_bind_select_take(lua_State *L, neap_node *node);

#endif
