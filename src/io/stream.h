/* io/stream.h - bytes in order, in or out of a descriptor: pipes, terminals, files.
 *
 *   descriptor -- fill --> [....bytes....] -- take --> reader
 *                           ^ start
 *
 * Nothing is read before somebody asks, and what is written goes to the kernel at
 * once or waits with its writer: a slow peer slows its task, never fills memory.
 *
 * A descriptor that others share, as standard input, stays as they gave it: it is
 * read when poll says that a read does not wait, and is never set to non-blocking
 * mode, which their processes would find, too. A file is read by jobs on threads.
 *
 * Order      Bytes stay in order. One task reads, one writes, at a time.
 * Ownership  neap_stream_open takes the descriptor if it succeeds;
 *            neap_stream_free ends the stream, its memory stays until the kernel
 *            is done.
 * Errors     NEAP_EAGAIN: park, then try again. NEAP_ECLOSED: closed by us. Others
 *            are the system's.
 * Thread     Scheduler thread.
 * Invariant  Bytes leave the buffer by neap_stream_take alone: a read that is
 *            cancelled, or fails by a limit, loses none.
 */
#ifndef NEAP_IO_STREAM_H
#define NEAP_IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "core/wait.h"
#include "io/loop.h"

/* What one fill asks for: a pipe of Linux holds as much. */
#define NEAP_STREAM_FILL 65536

enum {
    NEAP_STREAM_READS  = 1,
    NEAP_STREAM_WRITES = 2,
    NEAP_STREAM_SHARED = 4,     /* not ours: not changed, not closed */
};

typedef struct neap_stream_fill_job neap_stream_fill_job;

typedef struct neap_stream {
    neap_loop *loop;
    void      *poll;            /* libuv's handle; NULL: a file */
    int        fd;              /* -1: closed */
    unsigned   flags;
    bool       closed;
    bool       ended;           /* nothing will come any more */
    int        failed;          /* what the last job met, until it is told */
    neap_stream_fill_job *filling;
    neap_buf   buf;
    size_t     start;           /* first byte that was not taken */
    size_t     searched;        /* bytes from there in which no line ends */
    neap_task *reader;
    neap_task *writer;
} neap_stream;

/* NEAP_OK, or why `fd` cannot be read or written as `flags` say. */
int neap_stream_open(neap_stream **opened, neap_loop *loop, int fd, unsigned flags);
/* Let go of the descriptor; who waits gets NEAP_ECLOSED. Harmless if repeated. */
void neap_stream_close(neap_stream *stream);
/* Close it; `stream` is gone. */
void neap_stream_free(neap_stream *stream);

/* Bring more bytes without waiting. NEAP_OK: there are more, or `ended`. */
int neap_stream_fill(neap_stream *stream);
/* `task`, which runs, waits until a fill has something; nobody else reads. */
void neap_stream_park_read(neap_stream *stream, neap_task *task);
/* Write without waiting; *written are the bytes that the kernel has taken. */
int neap_stream_write(neap_stream *stream, const char *bytes, size_t size, size_t *written);
/* `task`, which runs, waits until a write can go on; nobody else writes. */
void neap_stream_park_write(neap_stream *stream, neap_task *task);

/* The bytes that were read and not taken. */
static inline const char *neap_stream_bytes(const neap_stream *stream, size_t *size)
{
    *size = stream->buf.len - stream->start;
    return *size > 0 ? stream->buf.data + stream->start : "";
}

/* The first `n` of them have been used. */
void neap_stream_take(neap_stream *stream, size_t n);
/* Find the end of the first line: its length without "\n" or "\r\n" in *line, with
 * it in *whole. False: there is no end of a line yet. */
bool neap_stream_find_line(neap_stream *stream, size_t *line, size_t *whole);

#endif
