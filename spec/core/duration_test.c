/* Durations: text and seconds to nanoseconds, and text again. */
#include "test.h"

#include <math.h>

#include "base/duration.h"

#define DAY_NS UINT64_C(86400000000000)

static uint64_t parsed(const char *text)
{
    uint64_t ns = 77;
    const char *why = neap_duration_parse(text, strlen(text), &ns);
    if (why != NULL)
        printf("%s: %s\n", text, why);
    return why == NULL ? ns : 77;
}

/* True when `text` is refused with these words in the reason. */
static bool refused(const char *text, size_t len, const char *words)
{
    uint64_t ns = 77;
    const char *why = neap_duration_parse(text, len, &ns);
    return why != NULL && strstr(why, words) != NULL && ns == 77;
}

#define REFUSED(text, words) CHECK(refused(text, sizeof text - 1, words))

static uint64_t converted(double seconds)
{
    uint64_t ns = 77;
    CHECK(neap_duration_from_seconds(seconds, &ns) == NULL);
    return ns;
}

static void every_unit_has_its_size(void)
{
    CHECK(parsed("1ns") == 1);
    CHECK(parsed("1us") == 1000);
    CHECK(parsed("1ms") == 1000000);
    CHECK(parsed("1s") == 1000000000);
    CHECK(parsed("1m") == UINT64_C(60000000000));
    CHECK(parsed("1h") == UINT64_C(3600000000000));
    CHECK(parsed("1d") == DAY_NS);
}

static void units_add_up(void)
{
    CHECK(parsed("1m30s") == UINT64_C(90000000000));
    CHECK(parsed("250ms") == 250000000);
    CHECK(parsed("1d1h1m1s1ms1us1ns") == UINT64_C(90061001001001));
    CHECK(parsed("90s") == UINT64_C(90000000000));
    CHECK(parsed("0s") == 0);
    CHECK(parsed("0d0ns") == 0);
    CHECK(parsed("007s") == UINT64_C(7000000000));
    CHECK(parsed("1m1ms") == UINT64_C(60001000000));
}

static void what_is_no_duration_is_refused_with_its_reason(void)
{
    REFUSED("", "empty");
    REFUSED("5", "unit is missing");
    REFUSED("1m30", "unit is missing");
    REFUSED("s", "number is missing");
    REFUSED(" 1s", "number is missing");
    REFUSED("1s ", "unknown unit");
    REFUSED("1 s", "unknown unit");
    REFUSED("-1s", "no sign");
    REFUSED("1m-1s", "unknown unit");
    REFUSED("+1s", "no sign");
    REFUSED("1.5m", "whole");
    REFUSED("1e3s", "unknown unit");
    REFUSED("1S", "unknown unit");
    REFUSED("1min", "unknown unit");
    REFUSED("1w", "unknown unit");
    REFUSED("1s1s", "twice");
    REFUSED("1s1m", "must fall");
    REFUSED("1ms1s", "must fall");
    REFUSED("1s1m1s", "must fall");
    REFUSED("1s\0", "unknown unit");
    REFUSED("1\0s", "unknown unit");
}

static void the_longest_duration_is_one_below_none(void)
{
    CHECK(parsed("18446744073709551614ns") == UINT64_MAX - 1);
    CHECK(parsed("213503d23h34m33s709ms551us614ns") == UINT64_MAX - 1);
    REFUSED("18446744073709551615ns", "longer than");
    REFUSED("18446744073709551616ns", "longer than");
    REFUSED("99999999999999999999999999ns", "longer than");
    REFUSED("213504d", "longer than");
    REFUSED("213503d24h", "longer than");
    REFUSED("18446744073709551614d", "longer than");
}

static void seconds_become_the_nanosecond_they_name(void)
{
    CHECK(converted(0) == 0);
    CHECK(converted(0.25) == 250000000);
    CHECK(converted(0.07) == 70000000);     /* 0.07 * 1e9 is a little more */
    CHECK(converted(1e-9) == 1);
    CHECK(converted(86400) == DAY_NS);
    int inexact = 0;
    for (uint64_t ms = 0; ms < 100000; ms++)
        inexact += converted((double)ms / 1000) != ms * 1000000;
    CHECK(inexact == 0);
}

static void a_timer_never_fires_early(void)
{
    CHECK(converted(1e-300) == 1);
    CHECK(converted(1.4e-9) == 2);
    CHECK(converted(nextafter(1.0, 2.0)) == 1000000001);
    int early = 0;
    for (double s = 1e-9; s < 1.8e10; s *= 1.000371)
        early += (double)converted(s) / 1e9 < s;
    CHECK(early == 0);
}

static void the_ends_of_the_number_line_have_meanings(void)
{
    uint64_t ns = 77;
    CHECK(converted(-1) == 0);
    CHECK(converted(-0.0) == 0);
    CHECK(converted(INFINITY) == NEAP_DURATION_NONE);
    CHECK(strstr(neap_duration_from_seconds(NAN, &ns), "NaN") != NULL);
    CHECK(strstr(neap_duration_from_seconds(-INFINITY, &ns), "minus infinity") != NULL);
    CHECK(strstr(neap_duration_from_seconds(1e300, &ns), "longer than") != NULL);
    CHECK(strstr(neap_duration_from_seconds(0x1p64 / 1e9, &ns), "longer than") != NULL);
    CHECK(ns == 77);
    CHECK(converted(1.8e10) == UINT64_C(18000000000000000000));
}

static void texts_are_short_and_read_back(void)
{
    static const struct { uint64_t ns; const char *text; } rows[] = {
        { 0, "0s" }, { 1, "1ns" }, { 1500, "1us500ns" }, { 250000000, "250ms" },
        { UINT64_C(60000000000), "1m" }, { UINT64_C(90000000000), "1m30s" },
        { DAY_NS, "1d" }, { 3 * DAY_NS + 1, "3d1ns" },
        { UINT64_MAX - 1, "213503d23h34m33s709ms551us614ns" },
    };
    char text[NEAP_DURATION_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(neap_duration_format(rows[i].ns, text) == strlen(rows[i].text));
        CHECK(strcmp(text, rows[i].text) == 0);
        CHECK(parsed(text) == rows[i].ns);
    }
    CHECK(neap_duration_format(NEAP_DURATION_NONE, text) == 4 && strcmp(text, "none") == 0);
    REFUSED("none", "number is missing");
}

int main(void)
{
    RUN(every_unit_has_its_size);
    RUN(units_add_up);
    RUN(what_is_no_duration_is_refused_with_its_reason);
    RUN(the_longest_duration_is_one_below_none);
    RUN(seconds_become_the_nanosecond_they_name);
    RUN(a_timer_never_fires_early);
    RUN(the_ends_of_the_number_line_have_meanings);
    RUN(texts_are_short_and_read_back);
    return REPORT();
}
