/* bind/value.h - Lua values to JSON text and back, exactly.
 *
 *   Lua                               JSON
 *   integer                           number without point or exponent, 64 bits
 *   float                             shortest number that reads back equal,
 *                                     always with point or exponent; -0.0
 *   string                            string, must be UTF-8
 *   json.null (light userdata NULL)   null
 *   table with keys 1..n, n > 0       array
 *   any other with string keys        object, keys in bytewise order
 *   {}, json.array{}                  {}, []
 *
 * Nothing else has a text: nil, NaN, infinities, holes, keys that are no strings
 * or contain a zero byte, functions, userdata, coroutines, cycles, metatables
 * other than json.array's. Reading gives back what was written, and equal values
 * have equal texts. No metamethod is called.
 *
 * Ownership  Values and texts are on the Lua stack.
 * Errors     Raised with kind "json"; the message begins with `op` and names the
 *            place: `$.items[2].price` of a value, line and column of a text. With
 *            a `name` it begins with that and the line: "orders.jsonl:12: ".
 * Thread     The thread of the Lua state.
 */
#ifndef NEAP_BIND_VALUE_H
#define NEAP_BIND_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* Limits where nobody sets others. */
#define NEAP_VALUE_MAX_DEPTH 64
#define NEAP_VALUE_MAX_BYTES ((size_t)8 << 20)
/* Nesting that may be asked for: writing and reading recurse on the C stack,
 * with less than 256 bytes a level. */
#define NEAP_VALUE_DEPTH_CEILING 1000

/* JSON allows one; jansson keeps keys as C strings. */
#define NEAP_VALUE_ZERO_IN_KEY "a key with a zero byte is not supported"

typedef struct neap_value_options {
    const char *op;             /* who asks: "neap.json.encode" */
    size_t      max_bytes;      /* of the text */
    int         max_depth;      /* tables inside one another */
    int         indent;         /* writing: spaces a level; 0 for one line */
    lua_Integer line;           /* reading: number of the text's first line */
    const char *name;           /* reading: of the file it is from, or NULL */
} neap_value_options;

neap_value_options neap_value_defaults(const char *op);

/* Push the text of the value at `idx`. */
void neap_value_encode(lua_State *L, int idx, const neap_value_options *options);
/* Push the value that `text` means. The text must not move: its caller keeps it
 * on the stack. */
void neap_value_decode(lua_State *L, const char *text, size_t len,
    const neap_value_options *options);

void neap_value_push_null(lua_State *L);

/* Mark the table at `idx` as an array, so that it is one also while empty. It
 * must have no metatable, or already this one. */
void neap_value_mark_array(lua_State *L, int idx);
/* True for a table with the mark. */
bool neap_value_is_marked(lua_State *L, int idx);

#endif
