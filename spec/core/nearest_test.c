/* nearest_test.c - which known name a misspelt one is taken for. */
#include <string.h>

#include "base/nearest.h"
#include "test.h"

static const char *const NAMES[] = { "name", "deadline", "deadline_at", "policy", "limit", "fn", "on" };

static const char *nearest(const char *name)
{
    int index = neap_nearest(name, NAMES, (int)(sizeof NAMES / sizeof *NAMES));
    return index < 0 ? "" : NAMES[index];
}

static size_t distance(const char *a, const char *b)
{
    return neap_nearest_distance(a, strlen(a), b, strlen(b));
}

static void counts_each_kind_of_slip_once(void)
{
    CHECK(distance("limit", "limit") == 0);
    CHECK(distance("limt", "limit") == 1);         /* left out */
    CHECK(distance("limiit", "limit") == 1);       /* doubled */
    CHECK(distance("lemit", "limit") == 1);        /* replaced */
    CHECK(distance("ilmit", "limit") == 1);        /* swapped at the start */
    CHECK(distance("limti", "limit") == 1);        /* swapped at the end */
    CHECK(distance("LIMIT", "limit") == 0);        /* upper case */
    CHECK(distance("dedlnie", "deadline") == 2);
}

static void is_the_same_in_both_directions(void)
{
    CHECK(distance("dedline", "deadline") == distance("deadline", "dedline"));
    CHECK(distance("nmae", "name") == distance("name", "nmae"));
}

static void takes_the_nearest_and_the_first_of_equals(void)
{
    static const char *const equal[] = { "send", "bend", "sent" };

    CHECK(strcmp(nearest("nmae"), "name") == 0);
    CHECK(strcmp(nearest("dedline"), "deadline") == 0);
    CHECK(strcmp(nearest("deadline_a"), "deadline_at") == 0);
    CHECK(neap_nearest("mend", equal, 3) == 0);
}

static void finds_nothing_beyond_a_third_of_the_letters(void)
{
    CHECK(strcmp(nearest("lmt"), "limit") == 0);   /* two of five, the bound */
    CHECK(distance("lt", "limit") == NEAP_NEAREST_FAR);
    CHECK(distance("abcdef", "abcxyz") == NEAP_NEAREST_FAR);
    CHECK(distance("abcdef", "abcdyz") == 2);
    CHECK(strcmp(nearest("banana"), "") == 0);
    CHECK(neap_nearest("name", NAMES, 0) == -1);
}

static void demands_that_short_names_are_right(void)
{
    CHECK(strcmp(nearest("fm"), "") == 0);
    CHECK(strcmp(nearest("FN"), "fn") == 0);
    CHECK(strcmp(nearest(""), "") == 0);
}

static void does_not_compare_what_is_too_long_for_a_name(void)
{
    char a[NEAP_NEAREST_MAX + 2];
    memset(a, 'a', sizeof a);

    CHECK(neap_nearest_distance(a, NEAP_NEAREST_MAX, a, NEAP_NEAREST_MAX) == 0);
    CHECK(neap_nearest_distance(a, NEAP_NEAREST_MAX + 1, a, NEAP_NEAREST_MAX) == NEAP_NEAREST_FAR);
    CHECK(neap_nearest_distance(a, NEAP_NEAREST_MAX, a, NEAP_NEAREST_MAX + 1) == NEAP_NEAREST_FAR);
}

/* The rule itself, without a table: what is the distance of the first `i` letters
 * of `a` and the first `j` of `b`? */
static size_t by_the_rule(const char *a, size_t i, const char *b, size_t j)
{
    if (i == 0 || j == 0)
        return i + j;
    size_t best = by_the_rule(a, i - 1, b, j - 1) + (a[i - 1] != b[j - 1]);
    size_t deleted = by_the_rule(a, i - 1, b, j) + 1, inserted = by_the_rule(a, i, b, j - 1) + 1;
    best = deleted < best ? deleted : best;
    best = inserted < best ? inserted : best;
    if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        size_t swapped = by_the_rule(a, i - 2, b, j - 2) + 1;
        best = swapped < best ? swapped : best;
    }
    return best;
}

/* The word of `len` letters, each 'a' or 'b', with the number `n`. */
static void spell(char *word, unsigned n, size_t len)
{
    for (size_t i = 0; i < len; i++)
        word[i] = (n >> i & 1) ? 'b' : 'a';
    word[len] = 0;
}

/* Every pair of words of five and of four or five letters, where two may differ. */
static void agrees_with_the_rule_on_every_short_word(void)
{
    char a[6], b[6];

    for (unsigned m = 0; m < 32; m++) {
        for (unsigned n = 0; n < 48; n++) {
            spell(a, m, 5);
            spell(b, n, n < 32 ? 5 : 4);
            size_t expected = by_the_rule(a, 5, b, strlen(b));
            CHECK(distance(a, b) == (expected <= 2 ? expected : NEAP_NEAREST_FAR));
        }
    }
}

int main(void)
{
    RUN(counts_each_kind_of_slip_once);
    RUN(is_the_same_in_both_directions);
    RUN(takes_the_nearest_and_the_first_of_equals);
    RUN(finds_nothing_beyond_a_third_of_the_letters);
    RUN(demands_that_short_names_are_right);
    RUN(does_not_compare_what_is_too_long_for_a_name);
    RUN(agrees_with_the_rule_on_every_short_word);
    return REPORT();
}
