/* spec/oom/fail.c - neap with an allocator that fails.
 *
 * The host as it is, but the NEAP_FAIL_AT-th request for memory is refused, and
 * so is its repetition: Lua collects garbage and asks once more. With NEAP_FAIL_FOR
 * so many requests in a row are refused, repeated or not. At the end the number of
 * requests is written to the file NEAP_REQUESTS, unless the process ended for lack of
 * memory: when it is less than NEAP_FAIL_AT, everything has been tried.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/run.h"

static atomic_ulong requests;
static unsigned long fail_at, fail_for;
static _Thread_local size_t refused;    /* by the last request of this thread */

static void *fail(void *block, size_t size)
{
    unsigned long number = atomic_fetch_add(&requests, 1) + 1;
    bool again = refused != 0 && refused == size;

    refused = 0;
    if (fail_at != 0 && number >= fail_at && number - fail_at < fail_for) {
        refused = size;
        return NULL;
    }
    return again ? NULL : realloc(block, size);
}

static unsigned long number_of(const char *variable, unsigned long otherwise)
{
    const char *text = getenv(variable);

    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
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
    fail_at = number_of("NEAP_FAIL_AT", 0);
    fail_for = number_of("NEAP_FAIL_FOR", 1);
    if (getenv("NEAP_REQUESTS") != NULL)
        atexit(write_requests);
    neap_mem_source = fail;
    return neap_cli_run(argc, argv);
}
