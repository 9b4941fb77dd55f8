/* spec/core/stream_test.c - streams over pipes and files: nothing is lost. */
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/proc.h"
#include "io/stream.h"

static neap_sched   sched;
static test_clock   test_time;
static neap_loop   *loop;
static neap_stream *stream;
static test_task    reader, other;
static int          far_end;        /* of the pipe */
static int          result;

static void no_turn(neap_sched *unused)
{
    (void)unused;
}

static void begin(void)
{
    test_begin(&sched, &test_time);
    loop = neap_loop_new(&sched);
    neap_loop_on_turn(loop, no_turn, no_turn);
    result = 1;
}

static void end(void)
{
    neap_stream_free(stream);
    neap_loop_free(loop);
    neap_sched_deinit(&sched);
}

static void begin_reading(unsigned flags)
{
    int near_end;

    begin();
    CHECK(neap_proc_pipe(&near_end, &far_end) == NEAP_OK);
    CHECK(neap_stream_open(&stream, loop, near_end, NEAP_STREAM_READS | flags) == NEAP_OK);
}

static bool has(const char *text)
{
    size_t size;
    const char *bytes = neap_stream_bytes(stream, &size);
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static bool wait_and_fill(test_task *task)
{
    (void)task;
    if (reader.turns > 0 && reader.core.wait.result != NEAP_OK) {
        result = reader.core.wait.result;
        return false;
    }
    result = neap_stream_fill(stream);
    if (result == NEAP_EAGAIN)
        neap_stream_park_read(stream, &reader.core);
    return result == NEAP_EAGAIN;
}

static bool write_hello(test_task *task)
{
    (void)task;
    CHECK(write(far_end, "hello", 5) == 5);
    return false;
}

static bool close_stream(test_task *task)
{
    (void)task;
    neap_stream_close(stream);
    return false;
}

static void a_reader_waits_for_what_is_written(void)
{
    begin_reading(0);
    test_spawn(&sched, &reader, 'r', wait_and_fill);
    test_spawn(&sched, &other, 'w', write_hello);
    CHECK(!neap_loop_run(loop));
    CHECK(result == NEAP_OK && has("hello") && strcmp(test_trace, "rwr") == 0);
    close(far_end);
    CHECK(neap_stream_fill(stream) == NEAP_OK && stream->ended && has("hello"));
    end();
}

static void a_shared_descriptor_keeps_its_mode(void)
{
    begin_reading(NEAP_STREAM_SHARED);
    CHECK((fcntl(stream->fd, F_GETFL) & O_NONBLOCK) == 0);
    CHECK(neap_stream_fill(stream) == NEAP_EAGAIN);     /* and a read does not block */
    CHECK(write(far_end, "x", 1) == 1 && neap_stream_fill(stream) == NEAP_OK && has("x"));
    int fd = stream->fd;
    neap_stream_close(stream);
    CHECK(fcntl(fd, F_GETFD) >= 0);
    close(fd);
    close(far_end);
    end();
}

static void a_cancelled_reader_loses_no_byte(void)
{
    begin_reading(0);
    test_spawn(&sched, &reader, 'r', wait_and_fill);
    neap_sched_turn(&sched);
    CHECK(write(far_end, "hello", 5) == 5);
    neap_scope_cancel(&sched.root, NEAP_CANCEL_CANCELLED, 0);
    CHECK(!neap_loop_run(loop));
    CHECK(result == NEAP_ECANCELLED && stream->reader == NULL);
    CHECK(neap_stream_fill(stream) == NEAP_OK && has("hello"));
    close(far_end);
    end();
}

static void closing_wakes_who_reads(void)
{
    begin_reading(0);
    test_spawn(&sched, &reader, 'r', wait_and_fill);
    test_spawn(&sched, &other, 'c', close_stream);
    CHECK(!neap_loop_run(loop));
    CHECK(result == NEAP_ECLOSED && neap_stream_fill(stream) == NEAP_ECLOSED);
    close(far_end);
    end();
}

static void a_writer_that_is_ahead_waits_until_there_is_room(void)
{
    static char bytes[1 << 20];
    size_t written;
    int near_end;

    begin();
    CHECK(neap_proc_pipe(&far_end, &near_end) == NEAP_OK);
    CHECK(neap_stream_open(&stream, loop, near_end, NEAP_STREAM_WRITES) == NEAP_OK);
    CHECK(neap_stream_write(stream, bytes, sizeof bytes, &written) == NEAP_EAGAIN);
    CHECK(written > 0 && written < sizeof bytes);
    close(far_end);
    CHECK(neap_stream_write(stream, bytes, 1, &written) == NEAP_EPIPE && written == 0);
    end();
}

static void a_file_is_read_by_jobs_to_its_end(void)
{
    char name[] = "/tmp/neap-stream-test-XXXXXX";
    int fd = mkstemp(name);

    begin();
    CHECK(write(fd, "abc", 3) == 3 && lseek(fd, 0, SEEK_SET) == 0);
    unlink(name);
    CHECK(neap_stream_open(&stream, loop, fd, NEAP_STREAM_READS) == NEAP_OK);
    CHECK(neap_stream_fill(stream) == NEAP_EAGAIN);
    neap_stream_close(stream);  /* the job that runs keeps the descriptor until it is back */
    CHECK(!neap_loop_run(loop) && fcntl(fd, F_GETFD) < 0);
    end();
}

static void lines_end_with_or_without_a_return(void)
{
    size_t line, whole;

    begin_reading(0);
    CHECK(write(far_end, "one\r\n\n\rtwo", 10) == 10 && neap_stream_fill(stream) == NEAP_OK);
    CHECK(neap_stream_find_line(stream, &line, &whole) && line == 3 && whole == 5);
    neap_stream_take(stream, whole);
    CHECK(neap_stream_find_line(stream, &line, &whole) && line == 0 && whole == 1);
    neap_stream_take(stream, whole);
    CHECK(!neap_stream_find_line(stream, &line, &whole) && has("\rtwo"));
    CHECK(write(far_end, "\n", 1) == 1 && neap_stream_fill(stream) == NEAP_OK);
    CHECK(neap_stream_find_line(stream, &line, &whole) && line == 4 && whole == 5);
    close(far_end);
    end();
}

int main(void)
{
    RUN(a_reader_waits_for_what_is_written);
    RUN(a_shared_descriptor_keeps_its_mode);
    RUN(a_cancelled_reader_loses_no_byte);
    RUN(closing_wakes_who_reads);
    RUN(a_writer_that_is_ahead_waits_until_there_is_room);
    RUN(a_file_is_read_by_jobs_to_its_end);
    RUN(lines_end_with_or_without_a_return);
    return REPORT();
}
