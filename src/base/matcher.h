/* base/matcher.h - looks for a pattern in a subject.
 *
 *   items    ANY-  BYTE ,  CLASS d*  BYTE ;       the subject is  a,b,12,7;
 *   taken    a,b   ,       12        (fails)
 *   notches  [ANY- 3]      [CLASS d* 2]           turn the last; used up, the one before
 *
 * Since an item is always reached after the same items, going back is turning
 * the last repetition by one notch, as in an odometer, and going on from there:
 * the captures behind it are simply written again. Nothing recurses.
 *
 * Order      The leftmost match; there `* + ?` take as much as the rest lets them,
 *            `-` as little.
 * Ownership  The caller owns the matcher, pattern and subject. Nothing allocates.
 * Errors     A search that gets to a mistake in the pattern, or has more than
 *            NEAP_MATCHER_DEPTH repetitions to go back to, ends with `error` set.
 * Time       At worst exponential in the length of the pattern, so `tick` is called
 *            every few thousand steps. It may leave by longjmp, and the matcher
 *            can be used again after that.
 * Thread     One at a time. What is a letter depends on the locale, as in Lua.
 */
#ifndef NEAP_BASE_MATCHER_H
#define NEAP_BASE_MATCHER_H

#include "base/pattern.h"

#define NEAP_MATCHER_DEPTH 200  /* as Lua */

/* In the place of a capture's length. */
#define NEAP_MATCHER_OPEN SIZE_MAX          /* "(" without ")" */
#define NEAP_MATCHER_HERE (SIZE_MAX - 1)    /* "()": start is the position */

typedef struct neap_matcher_capture {
    const uint8_t *start;
    size_t         len;
} neap_matcher_capture;

typedef struct neap_matcher {
    const neap_pattern  *pattern;
    const uint8_t       *subject;
    const uint8_t       *end;
    void               (*tick)(void *arg);
    void                *arg;
    size_t               steps;         /* left until the next tick */
    const uint8_t       *start;         /* the match is [start, stop) */
    const uint8_t       *stop;
    const char          *error;         /* NULL, or the message ... */
    char                 error_digit;   /* ... and what follows it, if not 0 */
    neap_matcher_capture captures[NEAP_PATTERN_CAPTURES];
} neap_matcher;

void neap_matcher_init(neap_matcher *matcher, const neap_pattern *pattern, const char *subject,
                       size_t len, void (*tick)(void *arg), void *arg);

/* Find the first match that begins at `from` or behind it and does not end at
 * `refused`. True: start, stop and the pattern's captures are set. False: there
 * is none, or error is set. To walk over all matches give the end of the last one
 * as both, so that no empty match follows right behind it; NULL refuses none. */
bool neap_matcher_search(neap_matcher *matcher, const uint8_t *from, const uint8_t *refused);

/* Where in `text` the given bytes stand first, as they are, or NULL. */
const char *neap_matcher_plain(const char *text, size_t text_len, const char *bytes,
                               size_t bytes_len, void (*tick)(void *arg), void *arg);

#endif
