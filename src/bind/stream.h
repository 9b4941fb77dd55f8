/* bind/stream.h - streams for the bindings that open descriptors. */
#ifndef NEAP_BIND_STREAM_H
#define NEAP_BIND_STREAM_H

#include "bind/bind.h"
#include "io/stream.h"

/* The longest line, and the most that is read as a whole, unless options say
 * otherwise: what a script that meets wrong input may take. */
#define NEAP_BIND_MAX_LINE  (1 << 20)
#define NEAP_BIND_MAX_BYTES (1 << 26)

/* Push a stream of the descriptor `*fd`, which is the stream's from then on: *fd
 * becomes -1. `name` stands in its errors; `op` is what opens it, for the error that is
 * raised if that fails: kind `io`. */
int neap_bind_stream(lua_State *L, int *fd, unsigned flags, const char *op, const char *name);
/* The stream at `idx` if it is open, or NULL. */
neap_stream *neap_bind_stream_test(lua_State *L, int idx);

#endif
