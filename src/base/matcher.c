/* base/matcher.c - matching as an odometer of repetitions. */
#include "base/matcher.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

/* Some 10 us: a tick costs nothing beside them and comes soon enough. */
#define STEPS_PER_TICK 4096
/* What is passed over in one go, between two looks at the steps. */
#define RUN_BYTES   ((ptrdiff_t)64 * 1024)
#define PLAIN_BYTES ((size_t)1024 * 1024)

#define LOWER 0x20      /* %W is all that %w is not */

/* The letter of a class and its test. */
#define CLASSES(X) \
    X('a', isalpha) X('c', iscntrl) X('d', isdigit) X('g', isgraph) X('l', islower) \
    X('p', ispunct) X('s', isspace) X('u', isupper) X('w', isalnum) X('x', isxdigit) \
    X('z', is_zero)

/* A repetition that can still be turned: MOST and MAYBE from `at` down to `low`,
 * LEAST from `at` upwards. */
struct notch {
    const neap_pattern_item *item;
    const uint8_t           *at;
    const uint8_t           *low;
};

static inline void spend(neap_matcher *m, size_t steps)
{
    if (steps < m->steps) {
        m->steps -= steps;
        return;
    }
    m->steps = STEPS_PER_TICK;      /* first: from the call there may be no return */
    m->tick(m->arg);
}

static bool is_zero(uint8_t c)
{
    return c == 0;
}

/* Whether %letter matches; a letter that names no class stands for itself. */
static bool in_class(uint8_t c, uint8_t letter)
{
    switch (letter | LOWER) {
#define CASE(name, test) case name: return (test(c) != 0) == ((letter & LOWER) != 0);
    CLASSES(CASE)
#undef CASE
    default:
        return letter == c;
    }
}

/* Whether one of the set's members, [text, end), matches; negation is the
 * caller's. */
static bool in_set(uint8_t c, const uint8_t *text, const uint8_t *end)
{
    while (text < end) {
        if (*text == '%') {
            /* Behind a range up to '%', text[1] may be the closing ']'. */
            if (in_class(c, text[1]))
                return true;
            text += 2;
        } else if (end - text > 2 && text[1] == '-') {
            if (text[0] <= c && c <= text[2])
                return true;
            text += 3;
        } else if (*text++ == c) {
            return true;
        }
    }
    return false;
}

static inline bool matches(const neap_pattern_item *item, uint8_t c)
{
    switch (item->op) {
    case NEAP_PATTERN_ANY:   return true;
    case NEAP_PATTERN_BYTE:  return c == item->byte;
    case NEAP_PATTERN_CLASS: return in_class(c, item->byte);
    default:                 return in_set(c, item->text, item->end) != item->negated;
    }
}

/* The first place in [s, end) where `matches` is no longer `wanted`, or `end`.
 * One loop for every class keeps the choice between them out of the loops. */
static const uint8_t *run_once(const neap_pattern_item *item, const uint8_t *s,
                               const uint8_t *end, bool wanted)
{
    switch (item->op) {
    case NEAP_PATTERN_ANY:
        return wanted ? end : s;
    case NEAP_PATTERN_BYTE:
    case NEAP_PATTERN_BYTES:            /* a lead: its first byte counts */
        if (!wanted) {
            const uint8_t *hit = memchr(s, item->byte, (size_t)(end - s));
            return hit != NULL ? hit : end;
        }
        while (s < end && *s == item->byte)
            s++;
        return s;
    case NEAP_PATTERN_CLASS:
        wanted = wanted == ((item->byte & LOWER) != 0);
        switch (item->byte | LOWER) {
#define CASE(name, test) \
        case name: \
            while (s < end && (test(*s) != 0) == wanted) \
                s++; \
            return s;
        CLASSES(CASE)
#undef CASE
        default:
            assert(false);          /* then it would be a BYTE */
        }
        return s;
    default:
        wanted = wanted != item->negated;
        while (s < end && in_set(*s, item->text, item->end) == wanted)
            s++;
        return s;
    }
}

/* The end of what may be passed over from `s` on before steps are counted. */
static const uint8_t *stretch(const neap_matcher *m, const uint8_t *s)
{
    return m->end - s > RUN_BYTES ? s + RUN_BYTES : m->end;
}

static const uint8_t *run(neap_matcher *m, const neap_pattern_item *item, const uint8_t *s,
                          bool wanted)
{
    for (;;) {
        const uint8_t *stop = stretch(m, s);
        const uint8_t *at = run_once(item, s, stop, wanted);
        spend(m, (size_t)(at - s) + 1);
        if (at < stop || stop == m->end)
            return at;
        s = at;
    }
}

/* The end of what `open` begins at `s` and `close` ends, or NULL. If they are the
 * same byte, the next one ends it. */
static const uint8_t *balance(neap_matcher *m, uint8_t open, uint8_t close, const uint8_t *s)
{
    if (s == m->end || *s++ != open)
        return NULL;
    for (size_t depth = 1; s < m->end;) {
        const uint8_t *from = s, *stop = stretch(m, s);
        for (; s < stop && depth > 0; s++) {
            if (*s == close)
                depth--;
            else if (*s == open)
                depth++;
        }
        spend(m, (size_t)(s - from));
        if (depth == 0)
            return s;
    }
    return NULL;
}

/* Both ends of the subject count as a zero byte. */
static bool frontier(const neap_matcher *m, const neap_pattern_item *item, const uint8_t *s)
{
    uint8_t before = s == m->subject ? 0 : s[-1];
    uint8_t behind = s == m->end ? 0 : *s;

    return in_set(before, item->text, item->end) == item->negated
        && in_set(behind, item->text, item->end) != item->negated;
}

/* The end of `len` given bytes at `s`, or NULL. */
static const uint8_t *same(neap_matcher *m, const uint8_t *bytes, size_t len, const uint8_t *s)
{
    if ((size_t)(m->end - s) < len)
        return NULL;
    spend(m, len);
    return memcmp(s, bytes, len) == 0 ? s + len : NULL;
}

/* Take a single byte's item at `s`, as often as it repeats at first. */
static const uint8_t *take(neap_matcher *m, const neap_pattern_item *item, const uint8_t *s)
{
    switch (item->repeat) {
    case NEAP_PATTERN_ONCE:
        return s < m->end && matches(item, *s) ? s + 1 : NULL;
    case NEAP_PATTERN_MAYBE:
        return s < m->end && matches(item, *s) ? s + 1 : s;
    case NEAP_PATTERN_MOST:
        return run(m, item, s, true);
    default:
        return s;
    }
}

/* Where the subject goes on behind `item` if it stands at `s`, or NULL. */
static const uint8_t *step(neap_matcher *m, const neap_pattern_item *item, const uint8_t *s)
{
    neap_matcher_capture *capture = &m->captures[item->byte % NEAP_PATTERN_CAPTURES];

    switch (item->op) {
    case NEAP_PATTERN_BYTES:
        return same(m, item->text, (size_t)(item->end - item->text), s);
    case NEAP_PATTERN_OPEN:
        *capture = (neap_matcher_capture){ s, NEAP_MATCHER_OPEN };
        return s;
    case NEAP_PATTERN_CLOSE:
        capture->len = (size_t)(s - capture->start);
        return s;
    case NEAP_PATTERN_HERE:
        *capture = (neap_matcher_capture){ s, NEAP_MATCHER_HERE };
        return s;
    case NEAP_PATTERN_SAME:         /* a position is too long to be found again */
        return same(m, capture->start, capture->len, s);
    case NEAP_PATTERN_BALANCE:
        return balance(m, item->text[2], item->text[3], s);
    case NEAP_PATTERN_FRONTIER:
        return frontier(m, item, s) ? s : NULL;
    case NEAP_PATTERN_END:
        return s == m->end ? s : NULL;
    case NEAP_PATTERN_BAD:
        m->error = (const char *)item->text;
        m->error_digit = (char)item->byte;
        return NULL;
    default:
        return take(m, item, s);
    }
}

/* Turn the last notch that can be turned. Gives the place from which what follows
 * its item has to try again, and the item; NULL when all are used up. */
static const uint8_t *turn(neap_matcher *m, struct notch *notches, size_t *depth,
                           const neap_pattern_item **item)
{
    while (*depth > 0) {
        struct notch *last = &notches[*depth - 1];
        spend(m, 1);
        *item = last->item;
        if (last->item->repeat != NEAP_PATTERN_LEAST) {
            if (--last->at == last->low)
                --*depth;
            return last->at;
        }
        if (last->at < m->end && matches(last->item, *last->at))
            return ++last->at;
        --*depth;
    }
    return NULL;
}

/* The end of the match that begins at `s`, or NULL. */
static const uint8_t *match_at(neap_matcher *m, const uint8_t *s)
{
    struct notch notches[NEAP_MATCHER_DEPTH];
    size_t depth = 0;

    for (const neap_pattern_item *item = m->pattern->items; item->op != NEAP_PATTERN_FINISH;
         item++) {
        const uint8_t *low = s;

        s = step(m, item, s);
        if (s == NULL) {
            s = m->error == NULL ? turn(m, notches, &depth, &item) : NULL;
            if (s == NULL)
                return NULL;
        } else if (item->repeat == NEAP_PATTERN_LEAST
                   || (item->repeat != NEAP_PATTERN_ONCE && s > low)) {
            if (depth == NEAP_MATCHER_DEPTH) {
                m->error = "pattern too complex";
                return NULL;
            }
            notches[depth++] = (struct notch){ item, s, low };
        }
    }
    return s;
}

void neap_matcher_init(neap_matcher *m, const neap_pattern *pattern, const char *subject,
                       size_t len, void (*tick)(void *arg), void *arg)
{
    m->pattern = pattern;
    m->subject = (const uint8_t *)subject;
    m->end = m->subject + len;
    m->tick = tick;
    m->arg = arg;
    m->steps = STEPS_PER_TICK;
}

bool neap_matcher_search(neap_matcher *m, const uint8_t *from, const uint8_t *refused)
{
    const neap_pattern *pattern = m->pattern;
    const neap_pattern_item *lead = pattern->anchored ? NULL : pattern->lead;

    m->error = NULL;
    m->error_digit = '\0';
    for (const uint8_t *s = from;; s++) {
        spend(m, 1);
        if (lead != NULL && (s = run(m, lead, s, false)) == m->end)
            return false;
        const uint8_t *stop = match_at(m, s);
        if (m->error != NULL)
            return false;
        if (stop != NULL && stop != refused) {
            m->start = s;
            m->stop = stop;
            return true;
        }
        if (pattern->anchored || s == m->end)
            return false;
    }
}

const char *neap_matcher_plain(const char *text, size_t text_len, const char *bytes,
                               size_t bytes_len, void (*tick)(void *arg), void *arg)
{
    /* Stretches overlap by all but one of the bytes; long ones in the face of
     * many bytes, so that the overlap at most doubles the work. */
    size_t advance = bytes_len > PLAIN_BYTES ? bytes_len : PLAIN_BYTES;

    while (text_len >= bytes_len) {
        bool last = text_len - bytes_len < advance;
        size_t len = last ? text_len : advance + bytes_len - 1;
        const char *hit = memmem(text, len, bytes, bytes_len);
        if (hit != NULL || last)
            return hit;
        text += advance;
        text_len -= advance;
        tick(arg);
    }
    return NULL;
}
