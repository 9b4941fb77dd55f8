/* base/pattern.h - Lua's string patterns, read into items.
 *
 *   text     (%w+)=".-"
 *   items    OPEN 0  CLASS w  CLASS w*  CLOSE 0  BYTES ="  ANY-  BYTE "  FINISH
 *
 * The language has no alternatives and repeats single bytes only, so an item is
 * always reached after the same items. Which capture a ')' ends and what %1 means
 * is therefore settled here, once; base/matcher.h does the rest.
 *
 * Ownership  The caller owns all memory. A pattern points into its text and its
 *            items and must not outlive them. Nothing allocates.
 * Errors     None: what is malformed becomes an item, and counts only when a
 *            match gets there, as in Lua.
 * Invariant  The last item is FINISH or BAD, and no other is.
 */
#ifndef NEAP_BASE_PATTERN_H
#define NEAP_BASE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEAP_PATTERN_CAPTURES 32    /* as Lua */

enum neap_pattern_op {
    /* One byte; these can be repeated. */
    NEAP_PATTERN_ANY,           /* . */
    NEAP_PATTERN_BYTE,          /* byte */
    NEAP_PATTERN_CLASS,         /* %byte */
    NEAP_PATTERN_SET,           /* its members are [text, end), in brackets */
    /* The others cannot. */
    NEAP_PATTERN_BYTES,         /* [text, end) as it stands; byte is the first */
    NEAP_PATTERN_OPEN,          /* capture `byte` begins */
    NEAP_PATTERN_CLOSE,         /* ... and ends */
    NEAP_PATTERN_HERE,          /* capture `byte` is this position */
    NEAP_PATTERN_SAME,          /* what capture `byte` holds, once more */
    NEAP_PATTERN_BALANCE,       /* %bxy: x is text[2], y text[3] */
    NEAP_PATTERN_FRONTIER,      /* %f with a set */
    NEAP_PATTERN_END,           /* $ */
    NEAP_PATTERN_FINISH,        /* the match is complete */
    NEAP_PATTERN_BAD            /* a mistake: the message is text, then `byte` if not 0 */
};

/*                            x                  x?                  x*                 x- */
enum neap_pattern_repeat { NEAP_PATTERN_ONCE, NEAP_PATTERN_MAYBE, NEAP_PATTERN_MOST,
                           NEAP_PATTERN_LEAST };

typedef struct neap_pattern_item {
    uint8_t        op;
    uint8_t        repeat;
    uint8_t        byte;
    bool           negated;     /* of a set: [^...] */
    const uint8_t *text;
    const uint8_t *end;
} neap_pattern_item;

typedef struct neap_pattern {
    const neap_pattern_item *items;
    unsigned                 captures;
    bool                     anchored;  /* matches where the search begins, or nowhere */
    const neap_pattern_item *lead;      /* every match begins with its first byte; or NULL */
} neap_pattern;

/* How many items a text of `len` bytes may need. */
size_t neap_pattern_room(size_t len);

/* Read `text` into `items`. With `anchors`, a '^' in front anchors the pattern;
 * else it is a byte like any other. */
void neap_pattern_read(neap_pattern *pattern, const char *text, size_t len, bool anchors,
                       neap_pattern_item *items);

/* True when a search for these bytes as they stand finds the same: nothing in
 * them has a meaning of its own. */
bool neap_pattern_is_plain(const char *text, size_t len);

#endif
