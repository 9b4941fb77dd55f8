#include "io/setup.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/uverr.h"

#define VARIABLE "UV_THREADPOOL_SIZE"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool variable_is_ours;

static void *try_alloc(size_t size)
{
    return neap_mem_try_realloc(NULL, size);
}

static void *try_zeroed(size_t count, size_t size)
{
    void *block = neap_mem_try_realloc(NULL, count * size);
    return block == NULL ? NULL : memset(block, 0, count * size);
}

/* A loop takes a list or two when it is made, and larger ones later: of a pointer for each
 * descriptor, so that this is enough for 1,000. */
enum { SPARES = 4, SPARE_SIZE = 8192 };

static _Thread_local void *spare[SPARES];
static _Thread_local int spares;

/* libuv aborts where it cannot grow something; other requests it reports. */
static void *grow(void *block, size_t size)
{
    void *moved = neap_mem_try_realloc(block, size);

    if (moved != NULL)
        return moved;
    if (spares == 0 || size > SPARE_SIZE)
        neap_mem_exhausted();
    moved = spare[--spares];
    if (block != NULL) {
        size_t had = malloc_usable_size(block);
        memcpy(moved, block, had < size ? had : size);
        neap_mem_free(block);
    }
    return moved;
}

static void on_lost_reader(int number)
{
    (void)number;       /* the write itself says EPIPE */
}

static void set_up(void)
{
    char threads[16];

    uv_replace_allocator(try_alloc, grow, try_zeroed, neap_mem_free);
    /* A handler, since what is ignored would be ignored by child processes, too. */
    signal(SIGPIPE, on_lost_reader);
    if (getenv(VARIABLE) != NULL)
        return;
    snprintf(threads, sizeof threads, "%d", NEAP_SETUP_THREADS);
    setenv(VARIABLE, threads, 1);
    variable_is_ours = true;
}

/* With its first loop libuv opens three descriptors. */
static int afford_descriptors(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return neap_uverr_errno();
    int third = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
    int result = third >= 0 ? NEAP_OK : neap_uverr_errno();
    close(ends[0]);
    close(ends[1]);
    if (third >= 0)
        close(third);
    return result;
}

int neap_setup(void)
{
    pthread_once(&once, set_up);
    return afford_descriptors();
}

int neap_setup_lay_by(void)
{
    while (spares < SPARES) {
        void *block = neap_mem_try_realloc(NULL, SPARE_SIZE);
        if (block == NULL) {
            neap_setup_done();
            return NEAP_ENOMEM;
        }
        spare[spares++] = block;
    }
    return NEAP_OK;
}

void neap_setup_done(void)
{
    while (spares > 0)
        neap_mem_free(spare[--spares]);
}

const char *neap_setup_variable(void)
{
    return variable_is_ours ? VARIABLE : NULL;
}
