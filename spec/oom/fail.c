/* spec/oom/fail.c - neap, one of its requests for memory refused, again and again.
 *
 *   neap-oom FROM POINTS ARGS...       at POINTS of the requests of `neap ARGS`, evenly spread, at
 *                                      `all`, or at each of its `kinds`; FROM `start`, or where
 *                                      the first `spec` begins
 *
 *   original  ---+---+---+--- ... end  it runs once; at each point a copy of the process is
 *   copies       x-- x-- x--           refused the request, and goes on alone
 *
 * Once a process has asked something of its loop, started a thread or read the machine's clock,
 * copies would share what is outside of it: each later point is one of a run from the start.
 * So is each while a file is being written.
 *
 * Requests are of one kind if the same calls have led to them, and they are for as many bytes:
 * of each kind the 1st, 8th, 64th ... is refused.
 *
 * The repetition of a request is refused, too: Lua collects garbage and asks once more. With
 * NEAP_FAIL_FOR=8 that many in a row are refused, repeated or not.
 *
 * A run ends well when it exits by itself: with 0, or with 1 and a reason, such as a spec that
 * has failed. The reason names memory, or the script has had "not enough memory" raised and
 * caught it. A signal, another status, silence, books that do not balance, or "neap: out of
 * memory" once something has been printed is a failure.
 * The last line is "N passed, N failed".
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/slab.h"
#include "base/virtual.h"
#include "bind/bind.h"
#include "bind/select.h"
#include "cli/run.h"
#include "io/loop.h"
#include "io/slice.h"
#include "io/thread.h"

enum { MOST_REQUESTS = 1 << 26, MOST_KINDS = 1 << 20, CALLS = 24, FIRST_CALL = 2 };
enum { RUN_LIMIT_S = 120, SHOWN = 2000, FIRST_ARGUMENT = 3, ABOVE_THEIRS = 100 };

#define FAILED "\nFAILED "       /* what `neap test` prints before the name of a spec */

static struct shared {          /* by the original and its copies */
    atomic_ulong  requests;
    atomic_bool   refused, raised;
    unsigned long spec;         /* the request before the first spec */
    unsigned long rest;         /* the first point of a run from the start; 0: none */
    unsigned long passed, failed;
    struct kind {               /* where it hashes to; `id` 0: free */
        uint64_t id;
        uint64_t count;
    } kinds[MOST_KINDS];
    uint8_t picked[MOST_REQUESTS / 8];      /* bits */
    uint8_t put_off[MOST_REQUESTS / 8];     /* bits: points at which a file was being written */
} *shared;

static struct timespec copied_at;       /* when this copy was made */
static bool by_kind;            /* points are those that are picked */
static bool picks;              /* this run does that */
static unsigned writes;         /* files that are open for writing */

static bool splits;             /* at each point; its copies do not */
static unsigned long point;     /* the next one; 0: none */
static unsigned long step, row = 1;
static FILE *report;
static neap_slice *unwatched;   /* the slice of a process that can be copied */
static void (*on_overrun_of)(neap_slice *slice);
static _Thread_local size_t refused;    /* by the last request of this thread */

static _Noreturn void give_up(const char *why)
{
    fprintf(report, "neap-oom: %s\n0 passed, 1 failed\n", why);
    fflush(report);
    _exit(2);
}

/* --- what a run has printed ------------------------------------------------------------- */

/* All that `fd` holds, to be freed. */
static char *read_all(int fd)
{
    struct stat about;

    fstat(fd, &about);
    char *text = malloc((size_t)about.st_size + 1);
    ssize_t size = text == NULL ? -1 : pread(fd, text, (size_t)about.st_size, 0);
    if (size < 0)
        give_up("the output cannot be read");
    text[size] = '\0';
    return text;
}

static bool names_memory(const char *text)
{
    return strstr(text, "not enough memory") != NULL || strstr(text, "out of memory") != NULL;
}

static bool ended_well(int status, const char *out, const char *err)
{
    const char *spec = strstr(out, FAILED);

    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return false;
    if (WEXITSTATUS(status) == 0)
        return spec == NULL;
    if (strstr(err, "the books do not balance") != NULL)
        return false;
    if (out[0] != '\0' && strstr(err, "neap: out of memory") != NULL)
        return false;
    if (spec == NULL && err[0] == '\0')
        return false;
    return shared->raised || names_memory(spec != NULL ? spec : err);
}

/* What a failing run has printed, from its first failing spec on. */
static void show(const char *out, const char *err)
{
    const char *spec = strstr(out, FAILED);

    fprintf(report, "%.*s%.*s\n", SHOWN, spec != NULL ? spec + 1 : "", SHOWN, err);
    fflush(report);
}

static void judge(int status)
{
    char *out = read_all(STDOUT_FILENO), *err = read_all(STDERR_FILENO);

    if (ended_well(status, out, err)) {
        shared->passed++;
    } else {
        shared->failed++;
        fprintf(report, "request %lu: %s %d\n", point, WIFEXITED(status) ? "status" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        show(out, err);
    }
    free(out);
    free(err);
}

/* A run with nothing refused. */
static void expect_success(int status)
{
    if (status != 0) {
        show(read_all(STDOUT_FILENO), read_all(STDERR_FILENO));
        give_up("it fails by itself");
    }
}

/* What is printed from here on goes to a file that has no name. */
static void capture(int fd)
{
    FILE *file = tmpfile();

    if (file == NULL || dup2(fileno(file), fd) < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
        give_up("there is no place for output");
    fclose(file);
}

/* Take back what has been printed since there was so much of it. */
static void shorten(off_t out, off_t err)
{
    if (ftruncate(STDOUT_FILENO, out) != 0 || ftruncate(STDERR_FILENO, err) != 0)
        give_up("the output cannot be taken back");
}

/* --- kinds of requests ------------------------------------------------------------------ */

static uint64_t mixed(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* Count request `number`, of `size` bytes, as one of its kind, and pick it if it is to be refused. */
static void pick(unsigned long number, size_t size)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    void *calls[CALLS];
    int depth = backtrace(calls, CALLS);
    uint64_t id = mixed(1, size);

    if (number >= MOST_REQUESTS)
        give_up("there are too many requests");
    for (int i = FIRST_CALL; i < depth; i++)
        id = mixed(id, (uintptr_t)calls[i]);
    pthread_mutex_lock(&lock);
    struct kind *kind = &shared->kinds[id % MOST_KINDS];
    while (kind->id != 0 && kind->id != id)
        kind = kind + 1 < shared->kinds + MOST_KINDS ? kind + 1 : shared->kinds;
    kind->id = id;
    uint64_t count = ++kind->count;
    while (count % 8 == 0)
        count /= 8;
    if (count == 1)
        shared->picked[number / 8] |= (uint8_t)(1 << number % 8);
    pthread_mutex_unlock(&lock);
}

/* The first of `bits` after `number`, or 0. */
static unsigned long next_bit(const uint8_t *bits, unsigned long number)
{
    while (++number < MOST_REQUESTS)
        if (bits[number / 8] & 1 << number % 8)
            return number;
    return 0;
}

/* The point after `number`; 0: none. */
static unsigned long next_point(unsigned long number)
{
    return by_kind ? next_bit(shared->picked, number) : number + step;
}

/* --- runs ------------------------------------------------------------------------------- */

/* True in a copy of this process; the original waits for its end, which goes to `status`. */
static bool in_copy(int *status)
{
    pid_t copy = fork();

    if (copy < 0)
        give_up("fork failed");
    if (copy > 0)
        while (waitpid(copy, status, 0) < 0 && errno == EINTR)
            ;
    return copy == 0;
}

/* True in the copy, whose request is refused; to the original nothing happens. */
static bool split(void)
{
    unsigned long requests = shared->requests;
    struct stat out, err;
    int status;

    fstat(STDOUT_FILENO, &out);
    fstat(STDERR_FILENO, &err);
    shared->refused = shared->raised = false;
    if (writes > 0) {
        shared->put_off[point / 8] |= (uint8_t)(1 << point % 8);
        point = next_point(point);
        return false;
    }
    alarm(0);
    bool copy = in_copy(&status);
    alarm(RUN_LIMIT_S);     /* for the copy, and from one point to the next */
    if (copy) {
        splits = false;
        clock_gettime(CLOCK_REALTIME, &copied_at);      /* no file has a later time yet */
        return true;
    }
    judge(status);
    shorten(out.st_size, err.st_size);
    shared->requests = requests;
    point = next_point(point);
    return false;
}

static void *fail(void *block, size_t size)
{
    unsigned long number = atomic_fetch_add(&shared->requests, 1) + 1;
    bool again = refused != 0 && refused == size;

    if (picks)
        pick(number, size);
    refused = 0;
    if (again)
        shared->raised = true;      /* by Lua, now */
    if (point == 0 || number < point || number - point >= row || (splits && !split()))
        return again ? NULL : realloc(block, size);
    shared->refused = true;
    refused = size;
    return NULL;
}

/* Run `neap ARGS` in a process of its own, and return how that ended. */
static int run(int argc, char **argv)
{
    int status = 0;

    shared->requests = 0;
    shared->refused = shared->raised = false;
    if (in_copy(&status)) {
        alarm(RUN_LIMIT_S);
        exit(neap_cli_run(argc, argv));
    }
    return status;
}

/* --- what is known of the process ------------------------------------------------------- */

int __real_neap_bind_memory(lua_State *L);
int __wrap_neap_bind_memory(lua_State *L);
int __real_neap_bind_fail_about(lua_State *L, int code, const char *op, const char *what);
int __wrap_neap_bind_fail_about(lua_State *L, int code, const char *op, const char *what);
void __real_neap_bind_select_renew(lua_State *L);
void __wrap_neap_bind_select_renew(lua_State *L);
void __real_neap_loop_pending(neap_loop *loop, int change);
void __wrap_neap_loop_pending(neap_loop *loop, int change);
int __real_neap_thread_start(pthread_t *thread, void *(*body)(void *arg), void *arg);
int __wrap_neap_thread_start(pthread_t *thread, void *(*body)(void *arg), void *arg);
void __real_neap_virtual_run(neap_virtual *clock, unsigned reason, bool holds);
void __wrap_neap_virtual_run(neap_virtual *clock, unsigned reason, bool holds);
int __real_neap_slice_open(neap_slice *slice, void (*on_overrun)(neap_slice *slice));
int __wrap_neap_slice_open(neap_slice *slice, void (*on_overrun)(neap_slice *slice));

int __wrap_neap_bind_memory(lua_State *L)
{
    shared->raised = true;
    return __real_neap_bind_memory(L);
}

int __wrap_neap_bind_fail_about(lua_State *L, int code, const char *op, const char *what)
{
    shared->raised |= code == NEAP_ENOMEM;
    return __real_neap_bind_fail_about(L, code, op, what);
}

static bool for_writing(const char *mode)
{
    return strpbrk(mode, "wa+") != NULL;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    FILE *file = __real_fopen(path, mode);
    writes += file != NULL && for_writing(mode);
    return file;
}

int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
int __wrap_fclose(FILE *file)
{
    writes -= (fcntl(fileno(file), F_GETFL) & O_ACCMODE) != O_RDONLY && writes > 0;
    return __real_fclose(file);
}

/* A copy does not take away the files of the original. */
int __real_remove(const char *path);
int __wrap_remove(const char *path);
int __wrap_remove(const char *path)
{
    struct stat about;

    if (copied_at.tv_sec != 0 && stat(path, &about) == 0 &&
        (about.st_mtim.tv_sec < copied_at.tv_sec ||
         (about.st_mtim.tv_sec == copied_at.tv_sec && about.st_mtim.tv_nsec <= copied_at.tv_nsec)))
        return 0;
    return __real_remove(path);
}

/* Each box of a task is a request. */
void *__wrap_neap_slab_alloc(neap_slab *slab);
void *__wrap_neap_slab_alloc(neap_slab *slab)
{
    (void)slab;
    return NULL;
}

/* What a select draws is as new for each spec. */
void __wrap_neap_bind_select_renew(lua_State *L)
{
    if (shared->spec == 0) {
        shared->spec = shared->requests;
        if (picks)
            memset(shared->kinds, 0, sizeof shared->kinds);
    }
    __real_neap_bind_select_renew(L);
}

/* Watching slices takes a thread: there is none as long as the process is to be copied. */
int __wrap_neap_slice_open(neap_slice *slice, void (*on_overrun)(neap_slice *slice))
{
    if (!splits)
        return __real_neap_slice_open(slice, on_overrun);
    *slice = (neap_slice){ .statistics = -1 };
    neap_link_init(&slice->link);
    unwatched = slice;
    on_overrun_of = on_overrun;
    return NEAP_OK;
}

static void go_outside(void)
{
    neap_slice *slice = unwatched;

    if (slice == NULL)
        return;
    unwatched = NULL;           /* a watcher is a thread that is started */
    __real_neap_slice_open(slice, on_overrun_of);
    neap_slice_begin(slice);
    if (splits) {
        shared->rest = point;
        point = 0;
        splits = false;
    }
}

void __wrap_neap_loop_pending(neap_loop *loop, int change)
{
    go_outside();
    __real_neap_loop_pending(loop, change);
}

int __wrap_neap_thread_start(pthread_t *thread, void *(*body)(void *arg), void *arg)
{
    go_outside();
    return __real_neap_thread_start(thread, body, arg);
}

void __wrap_neap_virtual_run(neap_virtual *clock, unsigned reason, bool holds)
{
    if (reason == NEAP_VIRTUAL_REAL && holds)
        go_outside();
    __real_neap_virtual_run(clock, reason, holds);
}

static void refuse_from_start(int argc, char **argv)
{
    shorten(0, 0);
    int status = run(argc, argv);
    if (shared->refused || status != 0)     /* it can have taken fewer requests */
        judge(status);
}

/* Refuse each point in turn, up to the last of `total` requests. */
static void refuse(int argc, char **argv, unsigned long first, unsigned long total)
{
    shorten(0, 0);
    point = by_kind ? next_point(first - 1) : first;
    splits = true;
    expect_success(run(argc, argv));
    splits = false;
    for (point = shared->rest; point != 0 && point <= total; point = next_point(point))
        refuse_from_start(argc, argv);
    for (point = next_bit(shared->put_off, 0); point != 0; point = next_bit(shared->put_off, point))
        refuse_from_start(argc, argv);
}

int main(int argc, char **argv)
{
    const char *in_a_row = getenv("NEAP_FAIL_FOR");
    bool from_spec = argc > 1 && strcmp(argv[1], "spec") == 0;

    /* Descriptors of the run are what they would be without us: libuv's list of those that it
     * watches grows at 14, 30 ... and ends the process with "neap: out of memory" if it cannot. */
    report = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, ABOVE_THEIRS), "w");
    if (report == NULL)
        return perror("neap-oom"), 2;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shared == MAP_FAILED)
        give_up("there is no memory to share");
    if (argc < FIRST_ARGUMENT || (!from_spec && strcmp(argv[1], "start") != 0))
        return neap_cli_run(argc, argv);    /* a spec runs the binary that it is in */
    unsigned long points = strtoul(argv[2], NULL, 10);
    by_kind = strcmp(argv[2], "kinds") == 0;
    argc -= FIRST_ARGUMENT - 1;
    argv += FIRST_ARGUMENT - 1;
    neap_mem_source = fail;
    capture(STDOUT_FILENO);
    capture(STDERR_FILENO);

    picks = by_kind;
    expect_success(run(argc, argv));
    picks = false;
    unsigned long total = shared->requests, first = from_spec ? shared->spec + 1 : 1;
    step = points == 0 || total <= first ? 1 : (total - first) / points + 1;
    row = in_a_row != NULL ? strtoul(in_a_row, NULL, 10) : 1;
    if (by_kind)
        fprintf(report, "from %lu, each kind of %lu requests: neap", first, total);
    else
        fprintf(report, "from %lu, every %lu of %lu requests: neap", first, step, total);
    for (int i = 1; i < argc; i++)
        fprintf(report, " %s", argv[i]);
    fprintf(report, "\n");
    fflush(report);
    refuse(argc, argv, first, total);
    fprintf(report, "%lu passed, %lu failed\n", shared->passed, shared->failed);
    return shared->failed == 0 ? 0 : 1;
}
