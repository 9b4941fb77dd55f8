/* bind/copy.h - values from one Lua state to another, as trees.
 *
 *   state A  --write-->  [i 42][s 3 abc][T ... ]  --read-->  state B
 *
 * What crosses is nil, booleans, integers (as integers), floats (bit by bit),
 * strings, json.null, error objects, the mark of json.array, and tables of these.
 * A table that is reached twice arrives as two. Functions, userdata, coroutines,
 * other metatables, keys that are tables, and cycles do not cross.
 *
 * Ownership  The buffer is the caller's, also when something is raised.
 * Errors     neap_copy_write returns what is wrong; only memory is raised.
 * Thread     That of the Lua state; a written buffer may change threads.
 */
#ifndef NEAP_BIND_COPY_H
#define NEAP_BIND_COPY_H

#include <lua.h>

#include "base/buf.h"

/* Tables inside one another. */
#define NEAP_COPY_MAX_DEPTH 200

/* Append the `count` values from index `first` on. NULL, or, pushed, what cannot
 * cross: "argument 2.items[3].price: a function cannot be copied ..."; `noun` is
 * "argument", and the value at `first` is number 1. */
const char *neap_copy_write(lua_State *L, neap_buf *to, int first, int count, const char *noun);
/* Append the value at `idx`, which was raised. What cannot cross goes as text. */
void neap_copy_write_error(lua_State *L, neap_buf *to, int idx);
/* Append the table at `idx`, without the fields that cannot cross. */
void neap_copy_write_some(lua_State *L, neap_buf *to, int idx);
/* Append the bytes of the Lua function at `idx`, with what debuggers need, as a string. */
void neap_copy_write_code(lua_State *L, neap_buf *to, int idx);
/* Push all values that were written to `from`; how many. */
int neap_copy_read(lua_State *L, const neap_buf *from);

#endif
