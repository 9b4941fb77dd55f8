/* base/pattern.c - from the text of a pattern to its items. */
#include "base/pattern.h"

struct reader {
    const uint8_t     *at;
    const uint8_t     *end;
    neap_pattern_item *items;
    size_t             count;
    unsigned           captures;
    uint32_t           open;        /* bit n: capture n has no ')' yet */
};

static bool is_class(uint8_t letter)
{
    switch (letter | ('a' - 'A')) {
    case 'a': case 'c': case 'd': case 'g': case 'l': case 'p':
    case 's': case 'u': case 'w': case 'x':
    case 'z':                   /* the zero byte: has left Lua's manual, not Lua */
        return true;
    default:
        return false;
    }
}

/* The byte `ahead` of the next, or 0, which has no meaning in a pattern. */
static inline uint8_t peek(const struct reader *r, ptrdiff_t ahead)
{
    return r->end - r->at > ahead ? r->at[ahead] : 0;
}

static inline neap_pattern_item *put(struct reader *r, enum neap_pattern_op op, unsigned byte,
                                     const uint8_t *text, const uint8_t *end)
{
    neap_pattern_item *item = &r->items[r->count++];

    *item = (neap_pattern_item){
        .op = (uint8_t)op, .repeat = NEAP_PATTERN_ONCE, .byte = (uint8_t)byte,
        .text = text, .end = end
    };
    return item;
}

/* Put an item that is `len` bytes of the pattern. */
static void put_next(struct reader *r, enum neap_pattern_op op, unsigned byte, ptrdiff_t len)
{
    put(r, op, byte, r->at, r->at + len);
    r->at += len;
}

/* Nothing behind a mistake is ever reached, so reading ends with it. */
static void put_bad(struct reader *r, const char *message, uint8_t digit)
{
    put(r, NEAP_PATTERN_BAD, digit, (const uint8_t *)message, NULL);
    r->at = r->end;
}

/* The ']' of the set whose members begin at `at`, or NULL. A ']' that comes
 * first is a member. */
static const uint8_t *set_end(const uint8_t *at, const uint8_t *end)
{
    for (const uint8_t *p = at; p < end; p += *p == '%' && end - p > 1 ? 2 : 1)
        if (*p == ']' && p > at)
            return p;
    return NULL;
}

static void read_set(struct reader *r, enum neap_pattern_op op)
{
    bool negated = peek(r, 1) == '^';
    const uint8_t *text = r->at + 1 + negated;
    const uint8_t *end = set_end(text, r->end);

    if (end == NULL) {
        put_bad(r, "malformed pattern (missing ']')", 0);
        return;
    }
    put(r, op, 0, text, end)->negated = negated;
    r->at = end + 1;
}

/* Read what matches one byte. */
static void read_single(struct reader *r)
{
    uint8_t c = *r->at;

    if (c == '[') {
        read_set(r, NEAP_PATTERN_SET);
    } else if (c == '.') {
        put_next(r, NEAP_PATTERN_ANY, 0, 1);
    } else if (c != '%') {
        put_next(r, NEAP_PATTERN_BYTE, c, 1);
    } else if (++r->at == r->end) {
        put_bad(r, "malformed pattern (ends with '%')", 0);
    } else {
        c = *r->at;
        put_next(r, is_class(c) ? NEAP_PATTERN_CLASS : NEAP_PATTERN_BYTE, c, 1);
    }
}

/* Make one item of the last two if they are bytes and neighbours in the text. */
static void join_bytes(struct reader *r)
{
    neap_pattern_item *last = &r->items[r->count - 1], *before = last - 1;

    if (last->op == NEAP_PATTERN_BYTE && r->count > 1
        && (before->op == NEAP_PATTERN_BYTE || before->op == NEAP_PATTERN_BYTES)
        && before->end == last->text) {         /* so it is not repeated */
        before->op = NEAP_PATTERN_BYTES;
        before->end = last->end;
        r->count--;
    }
}

/* Read what matches one byte, and how often. */
static void read_repeated(struct reader *r)
{
    read_single(r);
    neap_pattern_item *item = &r->items[r->count - 1];

    switch (peek(r, 0)) {
    case '?': item->repeat = NEAP_PATTERN_MAYBE; break;
    case '*': item->repeat = NEAP_PATTERN_MOST; break;
    case '-': item->repeat = NEAP_PATTERN_LEAST; break;
    case '+':                                   /* x+ is x x* */
        item[1] = item[0];
        item[1].repeat = NEAP_PATTERN_MOST;
        r->count++;
        break;
    default:
        join_bytes(r);
        return;
    }
    r->at++;
}

static void read_open(struct reader *r)
{
    if (r->captures == NEAP_PATTERN_CAPTURES) {
        put_bad(r, "too many captures", 0);
    } else if (peek(r, 1) == ')') {
        put_next(r, NEAP_PATTERN_HERE, r->captures++, 2);
    } else {
        r->open |= UINT32_C(1) << r->captures;
        put_next(r, NEAP_PATTERN_OPEN, r->captures++, 1);
    }
}

/* A ')' ends the innermost open capture, which is the newest of them. */
static void read_close(struct reader *r)
{
    unsigned n = r->captures;

    while (n > 0 && !(r->open >> (n - 1) & 1))
        n--;
    if (n == 0) {
        put_bad(r, "invalid pattern capture", 0);
        return;
    }
    r->open &= ~(UINT32_C(1) << (n - 1));
    put_next(r, NEAP_PATTERN_CLOSE, n - 1, 1);
}

static void read_same(struct reader *r)
{
    uint8_t digit = r->at[1];
    unsigned n = (unsigned)digit - '1';     /* of %0 it is beyond all captures */

    if (n >= r->captures || (r->open >> n & 1))
        put_bad(r, "invalid capture index %", digit);
    else
        put_next(r, NEAP_PATTERN_SAME, n, 2);
}

static void read_frontier(struct reader *r)
{
    if (peek(r, 2) != '[') {
        put_bad(r, "missing '[' after '%f' in pattern", 0);
        return;
    }
    r->at += 2;
    read_set(r, NEAP_PATTERN_FRONTIER);
}

/* Read an item that is no single byte; false if the next one is. */
static bool read_other(struct reader *r)
{
    switch (*r->at) {
    case '(':
        read_open(r);
        return true;
    case ')':
        read_close(r);
        return true;
    case '$':
        if (r->end - r->at > 1)
            return false;
        put_next(r, NEAP_PATTERN_END, 0, 1);
        return true;
    case '%':
        break;
    default:
        return false;
    }
    switch (peek(r, 1)) {
    case 'b':
        if (r->end - r->at < 4)
            put_bad(r, "malformed pattern (missing arguments to '%b')", 0);
        else
            put_next(r, NEAP_PATTERN_BALANCE, 0, 4);
        return true;
    case 'f':
        read_frontier(r);
        return true;
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        read_same(r);
        return true;
    default:
        return false;
    }
}

size_t neap_pattern_room(size_t len)
{
    return len + 1;             /* no item without a byte of its own, but FINISH */
}

void neap_pattern_read(neap_pattern *pattern, const char *text, size_t len, bool anchors,
                       neap_pattern_item *items)
{
    const uint8_t *at = (const uint8_t *)text;
    struct reader r = { .at = at, .end = at + len, .items = items };

    pattern->anchored = anchors && peek(&r, 0) == '^';
    if (pattern->anchored)
        r.at++;
    while (r.at < r.end)
        if (!read_other(&r))
            read_repeated(&r);
    if (r.count == 0 || items[r.count - 1].op != NEAP_PATTERN_BAD)
        put(&r, NEAP_PATTERN_FINISH, 0, r.at, r.at);
    pattern->items = items;
    pattern->captures = r.captures;

    /* What takes no byte cannot fail, so the lead may stand behind it. */
    const neap_pattern_item *item = items;
    while (item->op == NEAP_PATTERN_OPEN || item->op == NEAP_PATTERN_HERE)
        item++;
    bool once = item->op <= NEAP_PATTERN_BYTES && item->repeat == NEAP_PATTERN_ONCE;
    pattern->lead = once ? item : NULL;
}

bool neap_pattern_is_plain(const char *text, size_t len)
{
    static const bool special[UINT8_MAX + 1] = {    /* ) and ] mean nothing alone */
        ['^'] = true, ['$'] = true, ['*'] = true, ['+'] = true, ['?'] = true,
        ['.'] = true, ['('] = true, ['['] = true, ['%'] = true, ['-'] = true,
    };

    for (size_t i = 0; i < len; i++)
        if (special[(uint8_t)text[i]])
            return false;
    return true;
}
