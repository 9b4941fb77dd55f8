#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

void *(*neap_mem_source)(void *block, size_t size) = realloc;

_Noreturn void neap_mem_exhausted(void)
{
    static const char text[] = "neap: out of memory\n";
    /* The status says it where nobody reads standard error. */
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(1);
}

void *neap_mem_try_realloc(void *block, size_t size)
{
    return neap_mem_source(block, size ? size : 1);
}

void neap_mem_free(void *block)
{
    free(block);
}
