/* bind/value_place.h - where inside a value the writer or the reader stands.
 *
 *   $ <- .items <- [2] <- .price         prints as $.items[2].price
 *
 * A place lives on the C stack of the function that is at it and points to the
 * place around it: following a value costs nothing until a message wants a path.
 *
 * Errors  neap_place_push needs memory and may raise.
 * Thread  The thread of the Lua state.
 */
#ifndef NEAP_BIND_VALUE_PLACE_H
#define NEAP_BIND_VALUE_PLACE_H

#include <stddef.h>

#include <lua.h>

typedef struct neap_place {
    const struct neap_place *up;    /* NULL: the whole value, $ */
    const void *table;              /* the table that is here, for cycles, or NULL */
    const char *key;                /* its key in `up`, or NULL: then its index */
    size_t      key_len;
    lua_Integer index;
    int         depth;              /* tables around it */
} neap_place;

neap_place neap_place_field(const neap_place *up, const char *key, size_t key_len);
neap_place neap_place_item(const neap_place *up, lua_Integer index);

/* Push the path as a string. Of a long path the middle is left out, of a long key
 * the end. */
const char *neap_place_push(lua_State *L, const neap_place *at);

#endif
