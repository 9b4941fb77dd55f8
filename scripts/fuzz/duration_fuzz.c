/* What a duration means survives being written: any text that is read, and any
 * number of seconds, comes back equal from its text. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* `ns` was read or converted; its own text must mean the same. */
static void check_text(uint64_t ns)
{
    char text[NEAP_DURATION_SIZE], again_text[NEAP_DURATION_SIZE];
    uint64_t again = 0;

    size_t len = neap_duration_format(ns, text);
    assert(len < sizeof text && text[len] == '\0' && strlen(text) == len);
    const char *why = neap_duration_parse(text, len, &again);
    if (ns == NEAP_DURATION_NONE) {
        assert(why != NULL);
        return;
    }
    assert(why == NULL && again == ns);
    neap_duration_format(again, again_text);
    assert(strcmp(text, again_text) == 0);
}

static void check_seconds(double seconds)
{
    uint64_t ns = 0;
    if (neap_duration_from_seconds(seconds, &ns) != NULL) {
        assert(isnan(seconds) || seconds == -INFINITY || seconds > 1.8e10);
        return;
    }
    assert(!(seconds <= 0) || ns == 0);
    assert(!(seconds > 0) || (double)ns / 1e9 >= seconds);  /* never early */
    check_text(ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint64_t ns = 0;
    double seconds;

    const char *why = neap_duration_parse((const char *)bytes, size, &ns);
    if (why == NULL) {
        assert(size > 0 && ns != NEAP_DURATION_NONE);
        check_text(ns);
    } else {
        assert(ns == 0 && strlen(why) > 0);
    }
    if (size >= sizeof seconds) {
        memcpy(&seconds, bytes, sizeof seconds);
        check_seconds(seconds);
        memcpy(&ns, bytes, sizeof ns);
        check_text(ns);
    }
    return 0;
}
