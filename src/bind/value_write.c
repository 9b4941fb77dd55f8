/* bind/value_write.c - a Lua value as JSON text, straight from the stack.
 *
 * Everything that grows is Lua's memory in a fixed slot of the stack, so an error
 * may jump out anywhere and leaves nothing behind:
 *
 *   [base]      the text's bytes, once they no longer fit `writer.first`
 *   [base + 1]  the keys being sorted, once there are more than FIRST_KEYS
 *   [base + 2]  the value; above it, for each object it is in, that object's keys
 *
 * Nothing here calls a script, but whatever allocates may run a finaliser, which
 * may change the table that is being written. So a key is kept on the stack while
 * its bytes are in use, and what was counted is not believed when it is walked.
 */
#include "bind/value.h"

#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "bind/bind.h"
#include "bind/value_place.h"

#define FIRST_BYTES 1024
#define FIRST_KEYS  32

/* Slots that one level of nesting uses besides its keys. */
#define LEVEL_SLOTS 8

struct key {
    const char *text;
    size_t      len;
    int         slot;           /* stack index of the string */
};

struct writer {
    lua_State  *L;
    const neap_value_options *options;
    int         base;
    char       *data;
    size_t      len;
    size_t      cap;
    struct key *keys;           /* a stack: each object's keys above its parent's */
    size_t      key_count;
    size_t      key_cap;
    char        first[FIRST_BYTES];
    struct key  first_keys[FIRST_KEYS];
};

static void write_value(struct writer *w, neap_place *at);

/* Raise: the place and what is wrong with the value there. */
static _Noreturn void refuse(struct writer *w, const neap_place *at, const char *fmt, ...)
{
    va_list args;
    const char *path = neap_place_push(w->L, at);
    va_start(args, fmt);
    const char *what = lua_pushvfstring(w->L, fmt, args);
    va_end(args);
    neap_bind_error(w->L, "json", NULL, w->options->op, ": %s: %s", path, what);
    abort();                    /* not reached: neap_bind_error raises */
}

/* A block of twice `cap` items of `size` bytes, at least `need`, that begins with
 * the `used` bytes at `old` and replaces the old block in `slot`. */
static void *grow(struct writer *w, int slot, const void *old, size_t used, size_t size,
    size_t need, size_t *cap)
{
    *cap = *cap * 2 < need ? need : *cap * 2;
    void *block = lua_newuserdatauv(w->L, *cap * size, 0);
    memcpy(block, old, used);
    lua_replace(w->L, slot);
    return block;
}

static void add(struct writer *w, const char *bytes, size_t n)
{
    if (n > w->options->max_bytes - w->len) {
        neap_bind_error(w->L, "json", NULL, w->options->op,
            ": the text is longer than %I bytes (raise max_bytes for more)",
            (LUAI_UACINT)w->options->max_bytes);
    }
    if (n > w->cap - w->len)
        w->data = grow(w, w->base, w->data, w->len, 1, w->len + n, &w->cap);
    memcpy(w->data + w->len, bytes, n);
    w->len += n;
}

static void add_newline(struct writer *w, int depth)
{
    static const char spaces[] = "                ";
    if (w->options->indent == 0)
        return;
    add(w, "\n", 1);
    for (size_t n = (size_t)depth * (size_t)w->options->indent; n > 0;) {
        size_t part = n < sizeof spaces - 1 ? n : sizeof spaces - 1;
        add(w, spaces, part);
        n -= part;
    }
}

static void write_integer(struct writer *w, lua_Integer value)
{
    char text[24], *first = text + sizeof text;
    lua_Unsigned rest = value < 0 ? 0 - (lua_Unsigned)value : (lua_Unsigned)value;

    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--first = '-';
    add(w, first, (size_t)(text + sizeof text - first));
}

static void write_float(struct writer *w, double value, const neap_place *at)
{
    char text[40];
    int len = 0;

    if (fabs(value) < 1e15 && value == (double)(lua_Integer)value
        && (value != 0 || !signbit(value))) {
        write_integer(w, (lua_Integer)value);   /* what %.15g gives, in a tenth of the time */
        add(w, ".0", 2);
        return;
    }
    if (isnan(value))
        refuse(w, at, "NaN has no JSON form");
    if (isinf(value))
        refuse(w, at, "%s has no JSON form", value > 0 ? "infinity" : "-infinity");
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof text - 2, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    size_t end = (size_t)len, mark = strcspn(text, "e");
    size_t point = strspn(text, "-0123456789");
    if (point < mark) {
        /* A script may have set a locale whose point is another character, or
         * several bytes. */
        size_t digit = point + strcspn(text + point, "0123456789");
        text[point] = '.';
        memmove(text + point + 1, text + digit, end - digit);
        end -= digit - point - 1;
    } else if (mark == end) {
        memcpy(text + end, ".0", 2);    /* or it would read back as an integer */
        end += 2;
    }
    add(w, text, end);
}

/* The escape of `c`: 0 for none, 'u' for one by number, else its letter. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"': case '\\': return (char)c;
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default:   return c < 0x20 ? 'u' : '\0';
    }
}

static void write_string(struct writer *w, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t done = 0;

    add(w, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char letter = escape_of(c);
        if (letter == '\0')
            continue;
        char escape[6] = { '\\', letter, '0', '0', hex[c >> 4], hex[c & 15] };
        add(w, text + done, i - done);
        add(w, escape, letter == 'u' ? 6 : 2);
        done = i + 1;
    }
    add(w, text + done, len - done);
    add(w, "\"", 1);
}

static void check_utf8(struct writer *w, const char *text, size_t len, const char *what,
    const neap_place *at)
{
    size_t valid = neap_utf8_valid(text, len);
    if (valid < len)
        refuse(w, at, "the %s is not UTF-8 at byte %I", what, (LUAI_UACINT)(valid + 1));
}

/* Raise what is wrong with the key at the top of the stack: it makes the table at
 * `table` neither an array nor an object. */
static _Noreturn void refuse_key(struct writer *w, int table, const neap_place *at)
{
    lua_State *L = w->L;

    if (lua_type(L, -1) == LUA_TSTRING) {
        neap_place field = neap_place_field(at, NULL, 0);
        field.key = lua_tolstring(L, -1, &field.key_len);
        refuse(w, &field, "a named field of an array has no JSON form");
    }
    if (lua_isinteger(L, -1) && lua_tointeger(L, -1) > 0) {
        lua_Integer missing = 1;
        for (; lua_rawgeti(L, table, missing) != LUA_TNIL; missing++)
            lua_pop(L, 1);
        refuse(w, at, "a table with a hole has no JSON form: [%I] is set, [%I] is nil",
            (LUAI_UACINT)lua_tointeger(L, -2), (LUAI_UACINT)missing);
    }
    if (lua_type(L, -1) == LUA_TNUMBER)
        refuse(w, at, "the key %s has no JSON form: keys are strings, or 1 to n",
            luaL_tolstring(L, -1, NULL));
    refuse(w, at, "a key that is a %s has no JSON form: keys are strings, or 1 to n",
        luaL_typename(L, -1));
}

/* Count the fields of the table at `table` and see that they are 1..n (`n` > 0 or
 * marked as an array) or all named. Nothing here allocates. */
static size_t count_fields(struct writer *w, int table, bool array, lua_Unsigned n,
    const neap_place *at)
{
    lua_State *L = w->L;
    size_t count = 0;

    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        bool fits = array
            ? lua_isinteger(L, -1) && (lua_Unsigned)lua_tointeger(L, -1) - 1 < n
            : lua_type(L, -1) == LUA_TSTRING;
        if (!fits)
            refuse_key(w, table, at);
        count++;
    }
    if (array && count != n) {
        lua_pushinteger(L, (lua_Integer)n);
        refuse_key(w, table, at);
    }
    return count;
}

static void write_array(struct writer *w, int table, size_t n, const neap_place *at)
{
    add(w, "[", 1);
    for (size_t i = 1; i <= n; i++) {
        neap_place item = neap_place_item(at, (lua_Integer)i);
        if (i > 1)
            add(w, ",", 1);
        add_newline(w, item.depth);
        lua_rawgeti(w->L, table, (lua_Integer)i);
        write_value(w, &item);
        lua_pop(w->L, 1);
    }
    if (n > 0)
        add_newline(w, at->depth);
    add(w, "]", 1);
}

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* Leave the `count` keys of the table at `table` on the Lua stack and, sorted, on
 * the writer's. */
static void collect_keys(struct writer *w, int table, size_t count, const neap_place *at)
{
    lua_State *L = w->L;

    if (count > INT_MAX - LEVEL_SLOTS || !lua_checkstack(L, (int)count + LEVEL_SLOTS))
        refuse(w, at, "an object of %I keys is too large", (LUAI_UACINT)count);
    if (count > w->key_cap - w->key_count)
        w->keys = grow(w, w->base + 1, w->keys, w->key_count * sizeof *w->keys,
            sizeof *w->keys, w->key_count + count, &w->key_cap);

    struct key *keys = w->keys + w->key_count;
    size_t n = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (n == count || lua_type(L, -1) != LUA_TSTRING)
            break;              /* a finaliser has added it */
        keys[n].slot = lua_gettop(L);
        keys[n].text = lua_tolstring(L, -1, &keys[n].len);
        n++;
        lua_pushvalue(L, -1);
    }
    if (n != count || lua_gettop(L) != table + (int)count)
        refuse(w, at, "the table was changed while it was written");
    qsort(keys, n, sizeof *keys, compare_keys);
    w->key_count += n;
}

static void write_object(struct writer *w, int table, size_t count, const neap_place *at)
{
    lua_State *L = w->L;
    size_t first = w->key_count;

    collect_keys(w, table, count, at);
    add(w, "{", 1);
    for (size_t i = first; i < first + count; i++) {
        struct key key = w->keys[i];    /* the array may move below */
        neap_place field = neap_place_field(at, key.text, key.len);
        if (memchr(key.text, '\0', key.len) != NULL)
            refuse(w, &field, NEAP_VALUE_ZERO_IN_KEY);
        check_utf8(w, key.text, key.len, "key", &field);
        if (i > first)
            add(w, ",", 1);
        add_newline(w, field.depth);
        write_string(w, key.text, key.len);
        add(w, ": ", w->options->indent > 0 ? 2 : 1);
        lua_pushvalue(L, key.slot);
        lua_rawget(L, table);
        write_value(w, &field);
        lua_pop(L, 1);
    }
    if (count > 0)
        add_newline(w, at->depth);
    add(w, "}", 1);
    lua_settop(L, table);
    w->key_count = first;
}

static void write_table(struct writer *w, neap_place *at)
{
    lua_State *L = w->L;
    int table = lua_gettop(L);
    bool marked = neap_value_is_marked(L, table);

    if (!marked && lua_getmetatable(L, table))
        refuse(w, at, "a table with a metatable has no JSON form");
    at->table = lua_topointer(L, table);
    for (const neap_place *up = at->up; up != NULL; up = up->up) {
        if (up->table == at->table)
            refuse(w, at, "a cycle: this is %s again", neap_place_push(L, up));
    }
    if (at->depth >= w->options->max_depth)
        refuse(w, at, "nested deeper than %d (raise max_depth for more)",
            w->options->max_depth);
    neap_bind_checkstack(L, LEVEL_SLOTS, "nested too deep");

    lua_Unsigned n = lua_rawlen(L, table);
    bool array = marked || n > 0;
    size_t count = count_fields(w, table, array, n, at);
    if (array)
        write_array(w, table, count, at);
    else
        write_object(w, table, count, at);
}

/* Write the value at the top of the stack, which stays there. */
static void write_value(struct writer *w, neap_place *at)
{
    lua_State *L = w->L;
    size_t len;
    const char *text;

    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, -1))
            add(w, "true", 4);
        else
            add(w, "false", 5);
        return;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1))
            write_integer(w, lua_tointeger(L, -1));
        else
            write_float(w, lua_tonumber(L, -1), at);
        return;
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &len);
        check_utf8(w, text, len, "string", at);
        write_string(w, text, len);
        return;
    case LUA_TTABLE:
        write_table(w, at);
        return;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL) {
            add(w, "null", 4);
            return;
        }
        break;
    default:
        break;
    }
    refuse(w, at, "a value of type %s has no JSON form", luaL_typename(L, -1));
}

void neap_value_encode(lua_State *L, int idx, const neap_value_options *options)
{
    struct writer w;
    neap_place whole = { 0 };

    idx = lua_absindex(L, idx);
    neap_bind_checkstack(L, LEVEL_SLOTS, "no room for a value");
    w.L = L;
    w.options = options;
    w.base = lua_gettop(L) + 1;
    w.data = w.first;
    w.len = 0;
    w.cap = FIRST_BYTES;
    w.keys = w.first_keys;
    w.key_count = 0;
    w.key_cap = FIRST_KEYS;
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushvalue(L, idx);

    write_value(&w, &whole);
    lua_pushlstring(L, w.data, w.len);
    lua_replace(L, w.base);
    lua_settop(L, w.base);
}
