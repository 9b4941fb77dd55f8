/* base/buf.h - growable bytes.
 *
 *   data  [h][e][l][l][o][0][ ][ ]     len 5, cap 8
 *
 * Ownership  The caller owns the struct, the buffer its bytes. `data` moves
 *            whenever something is added: keep offsets, not pointers.
 * Errors     None: without memory the host stops (base/mem.h). Code that must
 *            raise in Lua instead asks for room by neap_buf_try_reserve first.
 * Thread     The caller's; a buffer has no lock.
 * Invariant  data is NULL while nothing was ever added; from then on len < cap
 *            and data[len] is 0, so `data` is also a C string.
 */
#ifndef NEAP_BASE_BUF_H
#define NEAP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

typedef struct neap_buf {
    char  *data;
    size_t len;
    size_t cap;
} neap_buf;

void neap_buf_init(neap_buf *buf);
/* Free the bytes; the buffer is empty and may be used again. */
void neap_buf_deinit(neap_buf *buf);
/* Forget the bytes and keep the memory. */
void neap_buf_clear(neap_buf *buf);

/* Room for `n` more bytes, behind the last one: write there, then say with
 * neap_buf_commit how many they became. */
char *neap_buf_reserve(neap_buf *buf, size_t n);
void neap_buf_commit(neap_buf *buf, size_t n);
/* The same; false without memory, and the buffer is as it was. */
bool neap_buf_try_reserve(neap_buf *buf, size_t n);

void neap_buf_append(neap_buf *buf, const void *bytes, size_t n);
void neap_buf_text(neap_buf *buf, const char *text);
void neap_buf_char(neap_buf *buf, char c);

/* Drop the first `n` bytes, at most all; the rest moves to the front. */
void neap_buf_consume(neap_buf *buf, size_t n);

#endif
