/* spec/core/pattern_test.c - patterns and their matcher, without Lua. */
#include "test.h"

#include <setjmp.h>

#include "base/matcher.h"

#define ROOM 512

static unsigned ticks;

static void count_tick(void *arg)
{
    (void)arg;
    ticks++;
}

static void jump_out(void *arg)
{
    longjmp(*(jmp_buf *)arg, 1);
}

/* A search of `subject` for `text`, and what it works on. */
struct trial {
    neap_pattern_item items[ROOM];
    neap_pattern      pattern;
    neap_matcher      m;
};

static bool find_bytes(struct trial *t, const char *subject, size_t len, const char *text,
                       size_t text_len)
{
    CHECK(neap_pattern_room(text_len) <= ROOM);
    neap_pattern_read(&t->pattern, text, text_len, true, t->items);
    neap_matcher_init(&t->m, &t->pattern, subject, len, count_tick, NULL);
    return neap_matcher_search(&t->m, t->m.subject, NULL);
}

static bool find(struct trial *t, const char *subject, const char *text)
{
    return find_bytes(t, subject, strlen(subject), text, strlen(text));
}

static bool matched(const struct trial *t, size_t start, size_t stop)
{
    return t->m.start == t->m.subject + start && t->m.stop == t->m.subject + stop;
}

static bool captured(const struct trial *t, unsigned n, const char *bytes)
{
    const neap_matcher_capture *capture = &t->m.captures[n];
    return capture->len == strlen(bytes) && memcmp(capture->start, bytes, capture->len) == 0;
}

static bool failed(const struct trial *t, const char *message, char digit)
{
    return t->m.error != NULL && strcmp(t->m.error, message) == 0 && t->m.error_digit == digit;
}

static void reads_one_item_for_bytes_that_stand_together(void)
{
    struct trial t;

    CHECK(find(&t, "abcc", "ab+c"));
    CHECK(t.items[0].op == NEAP_PATTERN_BYTE);      /* a: b is repeated */
    CHECK(find(&t, "xabcd", "abcd"));
    CHECK(t.items[0].op == NEAP_PATTERN_BYTES && t.items[1].op == NEAP_PATTERN_FINISH);
    CHECK(matched(&t, 1, 5));
    CHECK(!find(&t, "xabc", "abcd"));
}

static void finds_the_leftmost_match(void)
{
    struct trial t;

    CHECK(find(&t, "..key=value", "(%w+)=(%w+)"));
    CHECK(matched(&t, 2, 11));
    CHECK(t.pattern.captures == 2 && captured(&t, 0, "key") && captured(&t, 1, "value"));
    CHECK(!find(&t, "..key", "(%w+)=(%w+)"));
    CHECK(!find(&t, "xab", "^ab"));
    CHECK(find(&t, "abab", "ab$") && matched(&t, 2, 4));
}

static void takes_most_or_least_and_gives_back(void)
{
    struct trial t;

    CHECK(find(&t, "<a><b>", "<(.*)>") && captured(&t, 0, "a><b"));
    CHECK(find(&t, "<a><b>", "<(.-)>") && captured(&t, 0, "a"));
    CHECK(find(&t, "aaa", "^(a*)(a?)(a-)a$"));
    CHECK(captured(&t, 0, "aa") && captured(&t, 1, "") && captured(&t, 2, ""));
    CHECK(find(&t, "abab!", "(ab?)(.-)!") && captured(&t, 0, "ab") && captured(&t, 1, "ab"));
}

static void writes_captures_again_after_going_back(void)
{
    struct trial t;

    CHECK(find(&t, "x=aab=aa", "(%a-)=(a*)b=%2$"));
    CHECK(captured(&t, 0, "x") && captured(&t, 1, "aa"));
    CHECK(find(&t, "ab12", "()%a()%d") && t.m.captures[1].len == NEAP_MATCHER_HERE);
    CHECK(t.m.captures[0].start == t.m.subject + 1);
    CHECK(find(&t, "a", "(a") && t.m.captures[0].len == NEAP_MATCHER_OPEN);
}

static void knows_balance_and_frontier_at_both_ends(void)
{
    struct trial t;

    CHECK(find(&t, "f(a(b)c)d)", "%b()") && matched(&t, 1, 8));
    CHECK(!find(&t, "((a)", "^%b()"));
    CHECK(find(&t, "a'b'c", "%b''") && matched(&t, 1, 4));
    CHECK(find(&t, "THE (quick)", "%f[%a]%a+%f[%A]") && matched(&t, 0, 3));
    CHECK(find(&t, "the end", "%f[%z]") && matched(&t, 7, 7));
    CHECK(find(&t, &"the end"[1], "%f[%a]") && matched(&t, 0, 0));     /* t is outside */
}

static void takes_zero_bytes_as_any_other(void)
{
    struct trial t;

    CHECK(find_bytes(&t, "a\0b", 3, "\0b", 2) && matched(&t, 1, 3));
    CHECK(find_bytes(&t, "a\0b", 3, "[^\0]$", 5) && matched(&t, 2, 3));
    CHECK(find_bytes(&t, "\1\0\2", 3, "[\0-\1]+", 6) && matched(&t, 0, 2));
    CHECK(find_bytes(&t, "a", 1, "a\0*", 3) && matched(&t, 0, 1));
}

static void counts_a_mistake_only_when_a_match_gets_there(void)
{
    struct trial t;

    CHECK(!find(&t, "b", "a[") && t.m.error == NULL);
    CHECK(!find(&t, "a", "a[") && failed(&t, "malformed pattern (missing ']')", 0));
    CHECK(!find(&t, "a", "%") && failed(&t, "malformed pattern (ends with '%')", 0));
    CHECK(!find(&t, "a", "%b(") && failed(&t, "malformed pattern (missing arguments to '%b')", 0));
    CHECK(!find(&t, "a", "%fa") && failed(&t, "missing '[' after '%f' in pattern", 0));
    CHECK(!find(&t, "a", "a)") && failed(&t, "invalid pattern capture", 0));
    CHECK(!find(&t, "a", "(a%1)") && failed(&t, "invalid capture index %", '1'));
    CHECK(!find(&t, "a", "%0") && failed(&t, "invalid capture index %", '0'));
}

static void keeps_to_its_bounds(void)
{
    struct trial t;
    char captures[2 * (NEAP_PATTERN_CAPTURES + 1) + 1] = "";
    char maybe[2 * (NEAP_MATCHER_DEPTH + 1) + 1] = "";
    char as[NEAP_MATCHER_DEPTH + 2];

    for (size_t i = 0; i < NEAP_PATTERN_CAPTURES; i++)
        memcpy(captures + 2 * i, "()", 3);
    CHECK(find(&t, "", captures) && t.pattern.captures == NEAP_PATTERN_CAPTURES);
    memcpy(captures + 2 * (size_t)NEAP_PATTERN_CAPTURES, "()", 3);
    CHECK(!find(&t, "", captures) && failed(&t, "too many captures", 0));

    for (size_t i = 0; i <= NEAP_MATCHER_DEPTH; i++)
        memcpy(maybe + 2 * i, "a?", 3);
    memset(as, 'a', sizeof as);
    CHECK(find_bytes(&t, as, NEAP_MATCHER_DEPTH, maybe, strlen(maybe)));
    CHECK(!find_bytes(&t, as, NEAP_MATCHER_DEPTH + 1, maybe, strlen(maybe)));
    CHECK(failed(&t, "pattern too complex", 0));
}

static void refuses_an_empty_match_behind_the_last(void)
{
    struct trial t;

    CHECK(find(&t, "ab,", "%a*") && matched(&t, 0, 2));
    CHECK(neap_matcher_search(&t.m, t.m.stop, t.m.stop) && matched(&t, 3, 3));
    CHECK(!neap_matcher_search(&t.m, t.m.stop, t.m.stop) && t.m.error == NULL);
}

/* 30 optional bytes are 2^30 ways to fail: without ticks this spec does not end. */
static void can_be_left_in_the_middle_and_used_again(void)
{
    static const char as[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static char text[3 * sizeof as];
    static struct trial t;      /* no locals: their values are needed behind the jump */
    static bool jumped;
    jmp_buf out;
    size_t len = 0;

    for (size_t i = 0; i < sizeof as - 1; i++, len += 2)
        memcpy(text + len, "a?", 2);
    memcpy(text + len, as, sizeof as);
    neap_pattern_read(&t.pattern, text, len + sizeof as - 1, true, t.items);
    neap_matcher_init(&t.m, &t.pattern, as, sizeof as - 1, jump_out, &out);
    if (setjmp(out) == 0)
        neap_matcher_search(&t.m, t.m.subject, NULL);
    else
        jumped = true;
    CHECK(jumped);
    CHECK(!neap_matcher_search(&t.m, t.m.end, NULL) && t.m.error == NULL);
}

static unsigned ticks_of(const char *subject, size_t len, const char *text)
{
    struct trial t;

    ticks = 0;
    CHECK(!find_bytes(&t, subject, len, text, strlen(text)));
    return ticks;
}

static void ticks_whatever_takes_long(void)
{
    static char subject[5000];

    memset(subject, 'a', sizeof subject);
    CHECK(ticks_of(subject, sizeof subject, "^.-.-b") > 3000);
    CHECK(ticks_of(subject, sizeof subject, "^a*a*b") > 3000);
    CHECK(ticks_of(subject, sizeof subject, "%f[b]") >= 1);
    CHECK(ticks_of(subject, sizeof subject, "%bab") > 1500);
    CHECK(ticks_of(subject, sizeof subject, "^(a*)%1%1.-b") > 500);
}

static void passes_over_long_runs_whole(void)
{
    size_t len = 300000;        /* several times what is passed over in one go */
    char *subject = calloc(1, len);
    struct trial t;

    memset(subject, 'a', len - 1);
    CHECK(find_bytes(&t, subject, len, "a+", 2) && matched(&t, 0, len - 1));
    CHECK(find_bytes(&t, subject, len, "^a*%z", 5) && matched(&t, 0, len));
    CHECK(find_bytes(&t, subject, len, "^%ba\0", 5) == false);
    CHECK(find_bytes(&t, subject, len, "[^a]", 4) && matched(&t, len - 1, len));
    subject[0] = '(';
    subject[len - 1] = ')';
    CHECK(find_bytes(&t, subject, len, "%b()", 4) && matched(&t, 0, len));
    free(subject);
}

static const char *plain(const char *text, size_t len, const char *bytes, size_t bytes_len)
{
    return neap_matcher_plain(text, len, bytes, bytes_len, count_tick, NULL);
}

static void finds_plain_bytes_across_stretches(void)
{
    size_t len = (size_t)3 * 1024 * 1024;
    char *text = calloc(1, len);

    ticks = 0;
    for (size_t at = 1024 * 1024 - 3; at < 1024 * 1024 + 3; at++) {
        memcpy(text + at, "abc", 3);
        CHECK(plain(text, len, "abc", 3) == text + at);
        memset(text + at, 0, 3);
    }
    memcpy(text + len - 3, "abc", 3);
    CHECK(plain(text, len, "abc", 3) == text + len - 3);
    CHECK(plain(text, len - 1, "abc", 3) == NULL);
    CHECK(ticks > 0);
    CHECK(plain(text, 5, "", 0) == text);
    CHECK(plain(text, 0, "", 0) == text);
    CHECK(plain(text, 2, "abc", 3) == NULL);
    CHECK(plain(text, len, text, len) == text);
    free(text);
}

static void knows_which_patterns_are_plain(void)
{
    CHECK(neap_pattern_is_plain("a]b)c\0{", 7));
    CHECK(!neap_pattern_is_plain("a\0.", 3));
    for (const char *special = "^$*+?.([%-"; *special != '\0'; special++)
        CHECK(!neap_pattern_is_plain(special, 1));
}

int main(void)
{
    RUN(reads_one_item_for_bytes_that_stand_together);
    RUN(finds_the_leftmost_match);
    RUN(takes_most_or_least_and_gives_back);
    RUN(writes_captures_again_after_going_back);
    RUN(knows_balance_and_frontier_at_both_ends);
    RUN(takes_zero_bytes_as_any_other);
    RUN(counts_a_mistake_only_when_a_match_gets_there);
    RUN(keeps_to_its_bounds);
    RUN(refuses_an_empty_match_behind_the_last);
    RUN(can_be_left_in_the_middle_and_used_again);
    RUN(ticks_whatever_takes_long);
    RUN(passes_over_long_runs_whole);
    RUN(finds_plain_bytes_across_stretches);
    RUN(knows_which_patterns_are_plain);
    return REPORT();
}
