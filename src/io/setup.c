#include "io/setup.h"

#include <fcntl.h>
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

static void on_lost_reader(int number)
{
    (void)number;       /* the write itself says EPIPE */
}

static void set_up(void)
{
    char threads[16];

    /* libuv aborts where it cannot grow something; a first request it reports. */
    uv_replace_allocator(try_alloc, neap_mem_realloc, try_zeroed, neap_mem_free);
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

const char *neap_setup_variable(void)
{
    return variable_is_ours ? VARIABLE : NULL;
}
