#include "base/duration.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static const char TOO_LONG[] = "longer than 584 years";

static const struct unit {
    char     name[3];
    uint8_t  size;
    uint64_t ns;
} UNITS[] = {
    { "d", 1, UINT64_C(86400000000000) },
    { "h", 1, UINT64_C(3600000000000) },
    { "m", 1, UINT64_C(60000000000) },
    { "s", 1, UINT64_C(1000000000) },
    { "ms", 2, UINT64_C(1000000) },
    { "us", 2, UINT64_C(1000) },
    { "ns", 2, UINT64_C(1) },
};
#define UNIT_COUNT (sizeof UNITS / sizeof UNITS[0])

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The unit that `text` begins with, UNIT_COUNT if none. The letters run to the
 * next digit, so "ms" is never taken for "m". */
static size_t find_unit(const char *text, size_t len, size_t *size)
{
    size_t n = 0, unit = 0;
    while (n < len && !is_digit(text[n]))
        n++;
    *size = n;
    if (n != 1 && n != 2)
        return UNIT_COUNT;
    while (unit < UNIT_COUNT
        && (UNITS[unit].size != n || UNITS[unit].name[0] != text[0]
            || (n == 2 && UNITS[unit].name[1] != text[1])))
        unit++;
    return unit;
}

const char *neap_duration_parse(const char *text, size_t len, uint64_t *ns)
{
    uint64_t total = 0;
    size_t at = 0, next_unit = 0;

    if (len == 0)
        return "empty";
    while (at < len) {
        uint64_t number = 0;
        if (text[at] == '-' || text[at] == '+')
            return "a duration has no sign";
        if (!is_digit(text[at]))
            return "a number is missing";
        for (; at < len && is_digit(text[at]); at++) {
            if (__builtin_mul_overflow(number, 10, &number)
                || __builtin_add_overflow(number, (uint64_t)(text[at] - '0'), &number))
                return TOO_LONG;
        }
        if (at == len)
            return "a unit is missing (ns us ms s m h d)";
        if (text[at] == '.')
            return "numbers are whole (write 1m30s, not 1.5m)";

        size_t size;
        size_t unit = find_unit(text + at, len - at, &size);
        if (unit == UNIT_COUNT)
            return "unknown unit (ns us ms s m h d are known)";
        if (unit + 1 == next_unit)
            return "a unit stands twice";
        if (unit < next_unit)
            return "units must fall (d h m s ms us ns)";
        next_unit = unit + 1;
        at += size;

        if (__builtin_mul_overflow(number, UNITS[unit].ns, &number)
            || __builtin_add_overflow(total, number, &total))
            return TOO_LONG;
    }
    if (total == NEAP_DURATION_NONE)
        return TOO_LONG;
    *ns = total;
    return NULL;
}

const char *neap_duration_from_seconds(double seconds, uint64_t *ns)
{
    if (isnan(seconds))
        return "NaN is no duration";
    if (isinf(seconds) && seconds < 0)
        return "minus infinity is no duration";
    if (seconds <= 0) {
        *ns = 0;
        return NULL;
    }
    if (isinf(seconds)) {
        *ns = NEAP_DURATION_NONE;
        return NULL;
    }
    /* 2^64 ns, a double: every result below it fits and is not "none". */
    double nearest = round(seconds * 1e9);
    if (nearest >= 0x1p64)
        return TOO_LONG;
    if (nearest / 1e9 < seconds) {
        /* From 2^53 ns (104 days) on a double steps over whole nanoseconds. */
        nearest = nearest < 0x1p53 ? nearest + 1 : nextafter(nearest, INFINITY);
        if (nearest >= 0x1p64)
            return TOO_LONG;
    }
    *ns = (uint64_t)nearest;
    return NULL;
}

size_t neap_duration_format(uint64_t ns, char text[NEAP_DURATION_SIZE])
{
    size_t len = 0;

    if (ns == NEAP_DURATION_NONE)
        return (size_t)snprintf(text, NEAP_DURATION_SIZE, "none");
    if (ns == 0)
        return (size_t)snprintf(text, NEAP_DURATION_SIZE, "0s");
    for (const struct unit *unit = UNITS; ns > 0; unit++) {
        if (ns >= unit->ns) {
            len += (size_t)snprintf(text + len, NEAP_DURATION_SIZE - len, "%" PRIu64 "%s",
                ns / unit->ns, unit->name);
            ns %= unit->ns;
        }
    }
    return len;
}
