/* spec/oom/fail.c - neap with an allocator that fails.
 *
 * The host as it is, but the NEAP_FAIL_AT-th request for memory is refused, and
 * so is its repetition: Lua collects garbage and asks once more. At the end the
 * number of requests is written to the file NEAP_REQUESTS: when it is less than
 * NEAP_FAIL_AT, everything has been tried.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/run.h"

static unsigned long requests, fail_at;
static size_t refused;

static void *fail(void *block, size_t size)
{
    if (++requests == fail_at || (refused != 0 && size == refused)) {
        refused = requests == fail_at ? size : 0;
        return NULL;
    }
    return realloc(block, size);
}

static void write_requests(void)
{
    FILE *file = fopen(getenv("NEAP_REQUESTS"), "w");

    if (file != NULL) {
        fprintf(file, "%lu\n", requests);
        fclose(file);
    }
}

int main(int argc, char **argv)
{
    const char *at = getenv("NEAP_FAIL_AT");

    fail_at = at ? strtoul(at, NULL, 10) : 0;
    if (getenv("NEAP_REQUESTS") != NULL)
        atexit(write_requests);
    neap_mem_source = fail;
    return neap_cli_run(argc, argv);
}
