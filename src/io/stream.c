#include "io/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/job.h"
#include "io/setup.h"
#include "io/uverr.h"
#include "io/uvloop.h"

/* A buffer that one long read has made larger than this is given back. */
#define KEPT ((size_t)4 * NEAP_STREAM_FILL)

/* --- waiting ------------------------------------------------------------------ */

static void on_poll(uv_poll_t *poll, int status, int events);

/* Ask the kernel for what somebody waits for, and nothing else. */
static void watch(neap_stream *stream)
{
    int events = (stream->reader != NULL ? UV_READABLE : 0) |
                 (stream->writer != NULL ? UV_WRITABLE : 0);

    if (stream->poll == NULL)
        return;
    if (events == 0)
        uv_poll_stop(stream->poll);
    else
        uv_poll_start(stream->poll, events, on_poll);
}

static void leave_read(neap_node *node, void *object)
{
    neap_stream *stream = object;

    (void)node;
    stream->reader = NULL;
    neap_loop_live(stream->loop, -1);
    watch(stream);
}

static void leave_write(neap_node *node, void *object)
{
    neap_stream *stream = object;

    (void)node;
    stream->writer = NULL;
    neap_loop_live(stream->loop, -1);
    watch(stream);
}

static const neap_wait_class READ  = { .what = "stream:read", .leave = leave_read };
static const neap_wait_class WRITE = { .what = "stream:write", .leave = leave_write };

static void wake(neap_task *task, int result)
{
    if (task != NULL)
        neap_wait_end(task, 0, result);
}

/* An error wakes both: their next read or write says what it is. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    neap_stream *stream = poll->data;

    if (status < 0 || (events & UV_READABLE) != 0)
        wake(stream->reader, NEAP_OK);
    if (status < 0 || (events & UV_WRITABLE) != 0)
        wake(stream->writer, NEAP_OK);
}

/* --- files: read by a job ----------------------------------------------------------- */

/* It belongs to the stream, not to a wait: what it brings after a cancellation is
 * there for the next reader. */
struct neap_stream_fill_job {
    neap_job     job;
    neap_stream *stream;        /* not touched once the job is dropped */
    int          fd;
    bool         closes;        /* the stream has left the descriptor to us */
    int          failed;
    bool         ended;
    size_t       size;
    char         bytes[NEAP_STREAM_FILL];
};

static neap_stream_fill_job *fill_job_of(neap_job *job)
{
    return neap_container(job, neap_stream_fill_job, job);
}

/* Until it is full: the end of a small file is met at once, and nobody who stops
 * after its first line holds it open. */
static void run_fill(neap_job *job)
{
    neap_stream_fill_job *fill = fill_job_of(job);

    while (fill->size < sizeof fill->bytes && !fill->ended && fill->failed == NEAP_OK) {
        ssize_t n = read(fill->fd, fill->bytes + fill->size, sizeof fill->bytes - fill->size);
        if (n > 0)
            fill->size += (size_t)n;
        else if (n == 0)
            fill->ended = true;
        else if (errno != EINTR)
            fill->failed = neap_uverr_errno();
    }
}

static void free_fill(neap_job *job)
{
    neap_stream_fill_job *fill = fill_job_of(job);

    if (fill->closes)
        close(fill->fd);
    neap_mem_free(fill);
}

static void release_fd(neap_stream *stream)
{
    if (stream->fd >= 0 && (stream->flags & NEAP_STREAM_SHARED) == 0)
        close(stream->fd);
    stream->fd = -1;
}

static void fill_done(neap_job *job)
{
    neap_stream_fill_job *fill = fill_job_of(job);
    neap_stream *stream = fill->stream;

    stream->filling = NULL;
    stream->failed = fill->failed;
    stream->ended = fill->ended;
    neap_buf_append(&stream->buf, fill->bytes, fill->size);
    neap_job_drop(job);
    if (stream->ended)
        release_fd(stream);     /* nobody has to close a file that was read */
    wake(stream->reader, NEAP_OK);
}

static int fill_from_file(neap_stream *stream)
{
    int failed = stream->failed;

    stream->failed = NEAP_OK;
    if (failed != NEAP_OK)
        return failed;
    if (stream->filling == NULL) {
        /* Room for what it brings: once it has been read it cannot be refused. */
        if (!neap_buf_try_reserve(&stream->buf, NEAP_STREAM_FILL))
            return NEAP_ENOMEM;
        neap_stream_fill_job *fill = neap_mem_try_realloc(NULL, sizeof *fill);
        if (fill == NULL)
            return NEAP_ENOMEM;
        memset(fill, 0, offsetof(neap_stream_fill_job, bytes));
        fill->job = (neap_job){ .run = run_fill, .done = fill_done, .free = free_fill };
        fill->stream = stream;
        fill->fd = stream->fd;
        if (neap_job_start(&fill->job, stream->loop) != NEAP_OK) {
            neap_mem_free(fill);
            return NEAP_ENOMEM;
        }
        stream->filling = fill;
    }
    return NEAP_EAGAIN;
}

/* --- pipes and terminals -------------------------------------------------------------- */

/* In the blocking mode of a shared descriptor a read waits unless poll says that
 * it does not. */
static bool may_read(const neap_stream *stream)
{
    struct pollfd ask = { .fd = stream->fd, .events = POLLIN };
    return (stream->flags & NEAP_STREAM_SHARED) == 0 || poll(&ask, 1, 0) > 0;
}

static int fill_from_pipe(neap_stream *stream)
{
    if (!may_read(stream))
        return NEAP_EAGAIN;
    if (!neap_buf_try_reserve(&stream->buf, NEAP_STREAM_FILL))
        return NEAP_ENOMEM;
    ssize_t n = read(stream->fd, stream->buf.data + stream->buf.len, NEAP_STREAM_FILL);
    if (n < 0)
        return errno == EINTR ? NEAP_EAGAIN : neap_uverr_errno();
    neap_buf_commit(&stream->buf, (size_t)n);
    stream->ended = n == 0;
    return NEAP_OK;
}

static void on_closed(uv_handle_t *handle)
{
    neap_mem_free(handle);
}

/* libuv's list of what it watches grows when the first wait begins, and cannot be refused
 * then: it grows here. */
static int make_room(neap_stream *stream, uv_poll_t *poll)
{
    if ((unsigned)stream->fd < stream->loop->uv.nwatchers)
        return NEAP_OK;
    int code = neap_setup_lay_by();
    if (code == NEAP_OK) {
        uv_poll_start(poll, UV_READABLE, on_poll);
        uv_poll_stop(poll);
        neap_setup_done();
    }
    return code;
}

static int open_poll(neap_stream *stream)
{
    uv_poll_t *poll = neap_mem_try_realloc(NULL, sizeof *poll);
    if (poll == NULL)
        return NEAP_ENOMEM;
    int mode = fcntl(stream->fd, F_GETFL);
    int status = uv_poll_init(&stream->loop->uv, poll, stream->fd);

    if (mode >= 0 && (stream->flags & NEAP_STREAM_SHARED) != 0)
        fcntl(stream->fd, F_SETFL, mode);       /* libuv has set O_NONBLOCK */
    if (status != 0) {
        neap_mem_free(poll);
        /* A file, or a device as /dev/null, cannot be waited for. */
        return status == UV_EPERM && (stream->flags & NEAP_STREAM_WRITES) == 0
                   ? NEAP_OK : neap_uverr(status);
    }
    poll->data = stream;
    status = make_room(stream, poll);
    if (status == NEAP_OK)
        stream->poll = poll;
    else
        uv_close((uv_handle_t *)poll, on_closed);
    return status;
}

/* --- the stream ------------------------------------------------------------------------ */

int neap_stream_open(neap_stream **opened, neap_loop *loop, int fd, unsigned flags)
{
    neap_stream *stream = neap_mem_try_realloc(NULL, sizeof *stream);

    if (stream == NULL)
        return NEAP_ENOMEM;
    *stream = (neap_stream){ .loop = loop, .fd = fd, .flags = flags };
    int code = open_poll(stream);
    if (code != NEAP_OK) {
        neap_mem_free(stream);
        return code;
    }
    *opened = stream;
    return NEAP_OK;
}

void neap_stream_close(neap_stream *stream)
{
    if (stream->closed)
        return;
    stream->closed = true;
    wake(stream->reader, NEAP_ECLOSED);
    wake(stream->writer, NEAP_ECLOSED);
    if (stream->poll != NULL)
        uv_close(stream->poll, on_closed);
    stream->poll = NULL;
    if (stream->filling != NULL) {
        stream->filling->closes = (stream->flags & NEAP_STREAM_SHARED) == 0;
        neap_job_drop(&stream->filling->job);
        stream->filling = NULL;
        stream->fd = -1;
    }
    release_fd(stream);
}

void neap_stream_free(neap_stream *stream)
{
    /* At the end of the host a task may still wait here: it is not woken. */
    if (stream->reader != NULL)
        leave_read(NULL, stream);
    if (stream->writer != NULL)
        leave_write(NULL, stream);
    neap_stream_close(stream);
    neap_buf_deinit(&stream->buf);
    neap_mem_free(stream);
}

int neap_stream_fill(neap_stream *stream)
{
    if (stream->closed)
        return NEAP_ECLOSED;
    if (stream->ended)
        return NEAP_OK;
    if (stream->start > 0)
        neap_buf_consume(&stream->buf, stream->start);
    stream->start = 0;
    return stream->poll != NULL ? fill_from_pipe(stream) : fill_from_file(stream);
}

void neap_stream_park_read(neap_stream *stream, neap_task *task)
{
    assert(stream->reader == NULL);
    neap_wait_park(task, &READ, stream);
    stream->reader = task;
    neap_loop_live(stream->loop, +1);
    watch(stream);
}

int neap_stream_write(neap_stream *stream, const char *bytes, size_t size, size_t *written)
{
    *written = 0;
    if (stream->closed)
        return NEAP_ECLOSED;
    while (*written < size) {
        ssize_t n = write(stream->fd, bytes + *written, size - *written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return neap_uverr_errno();
        *written += (size_t)n;
    }
    return NEAP_OK;
}

void neap_stream_park_write(neap_stream *stream, neap_task *task)
{
    assert(stream->writer == NULL);
    neap_wait_park(task, &WRITE, stream);
    stream->writer = task;
    neap_loop_live(stream->loop, +1);
    watch(stream);
}

void neap_stream_take(neap_stream *stream, size_t n)
{
    assert(n <= stream->buf.len - stream->start);
    stream->start += n;
    stream->searched = 0;
    if (stream->start == stream->buf.len && stream->buf.cap > KEPT) {
        neap_buf_deinit(&stream->buf);
        stream->start = 0;
    }
}

bool neap_stream_find_line(neap_stream *stream, size_t *line, size_t *whole)
{
    size_t size;
    const char *bytes = neap_stream_bytes(stream, &size);
    const char *end = memchr(bytes + stream->searched, '\n', size - stream->searched);

    if (end == NULL) {
        stream->searched = size;
        return false;
    }
    *whole = (size_t)(end - bytes) + 1;
    *line = *whole - 1;
    if (*line > 0 && bytes[*line - 1] == '\r')
        --*line;
    return true;
}
