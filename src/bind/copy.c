/* bind/copy.c - see bind/copy.h. Each value is a tag and its bytes, in the order
 * and sizes of this machine: they never leave the process.
 *
 *   'n' nil   'f' 't' false, true   '0' json.null
 *   'i' lua_Integer   'd' lua_Number   's' size_t length, bytes
 *   'T' 'A' 'E' table, marked as an array, error object: lua_Unsigned n, the values
 *       1 .. n; uint32_t count, so many keys and values
 */
#include "bind/copy.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bind/bind.h"
#include "bind/value.h"
#include "bind/value_place.h"

/* Slots that one level of nesting uses. */
#define LEVEL_SLOTS 8

struct writer {
    lua_State  *L;
    neap_buf   *to;
    const char *noun;
    int         number;         /* of the value */
    bool        lenient;        /* what cannot cross goes as text */
};

static bool write_value(struct writer *w, neap_place *at);

/* --- writing ------------------------------------------------------------------------ */

static void add(struct writer *w, const void *bytes, size_t size)
{
    if (!neap_buf_try_reserve(w->to, size))
        neap_bind_memory(w->L);
    neap_buf_append(w->to, bytes, size);
}

static void add_tag(struct writer *w, char tag)
{
    add(w, &tag, 1);
}

static void add_text(struct writer *w, const char *text, size_t len)
{
    add_tag(w, 's');
    add(w, &len, sizeof len);
    add(w, text, len);
}

/* Push "argument 2.items[3]". */
static void push_path(struct writer *w, const neap_place *at)
{
    const char *path = neap_place_push(w->L, at);       /* "$.items[3]" */

    lua_pushfstring(w->L, "%s %d%s", w->noun, w->number, path + 1);
    lua_remove(w->L, -2);
}

/* The value at `at` cannot cross: false, and the message is pushed; or, if that
 * must not be, `what` goes instead of it. */
static bool refuse(struct writer *w, const neap_place *at, const char *what)
{
    if (w->lenient) {
        lua_pushfstring(w->L, "(%s)", what);
        size_t len;
        const char *text = lua_tolstring(w->L, -1, &len);
        add_text(w, text, len);
        lua_pop(w->L, 1);
        return true;
    }
    neap_bind_checkstack(w->L, LEVEL_SLOTS, NULL);
    push_path(w, at);
    lua_pushfstring(w->L, "%s: %s cannot be copied to another thread",
                    lua_tostring(w->L, -1), what);
    return false;
}

/* The same of the value on top, by its type; it stays on top if it went as text. */
static bool refuse_type(struct writer *w, const neap_place *at)
{
    lua_State *L = w->L;
    const char *name = lua_type(L, -1) == LUA_TTHREAD ? "coroutine" : luaL_typename(L, -1);

    if (lua_type(L, -1) == LUA_TUSERDATA && luaL_getmetafield(L, -1, "__name") != LUA_TNIL)
        name = lua_tostring(L, -1);     /* "neap.channel" */
    else
        lua_pushnil(L);
    lua_pushfstring(L, "a %s", name);
    bool written = refuse(w, at, lua_tostring(L, -1));
    if (written)
        lua_pop(L, 2);
    return written;
}

/* The place of the value whose key is at `idx`; `text` is for a key that needs it. */
static neap_place place_of(lua_State *L, const neap_place *up, int idx, char text[static 32])
{
    size_t len;

    if (lua_isinteger(L, idx))
        return neap_place_item(up, lua_tointeger(L, idx));
    if (lua_type(L, idx) == LUA_TSTRING) {
        const char *key = lua_tolstring(L, idx, &len);
        return neap_place_field(up, key, len);
    }
    if (lua_type(L, idx) == LUA_TNUMBER)
        snprintf(text, 32, LUA_NUMBER_FMT, lua_tonumber(L, idx));
    else
        strcpy(text, lua_toboolean(L, idx) ? "true" : "false");
    return neap_place_field(up, text, strlen(text));
}

/* The values 1 .. n of the table on top. */
static bool write_items(struct writer *w, lua_Unsigned n, const neap_place *at)
{
    for (lua_Unsigned i = 1; i <= n; i++) {
        neap_place item = neap_place_item(at, (lua_Integer)i);
        lua_rawgeti(w->L, -1, (lua_Integer)i);
        if (!write_value(w, &item))
            return false;
        lua_pop(w->L, 1);
    }
    return true;
}

/* All other fields of the table on top. */
static bool write_fields(struct writer *w, lua_Unsigned n, neap_place *at)
{
    lua_State *L = w->L;
    size_t counted_at = w->to->len;
    uint32_t count = 0;
    char text[32];

    add(w, &count, sizeof count);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2) && (lua_Unsigned)lua_tointeger(L, -2) - 1 < n)
            continue;
        int type = lua_type(L, -2);
        if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
            if (w->lenient)
                continue;
            lua_pushfstring(L, "a key that is a %s", luaL_typename(L, -2));
            return refuse(w, at, lua_tostring(L, -1));
        }
        neap_place field = place_of(L, at, -2, text);
        lua_pushvalue(L, -2);
        if (!write_value(w, &field))
            return false;
        lua_pop(L, 1);
        if (!write_value(w, &field))
            return false;
        count++;
    }
    memcpy(w->to->data + counted_at, &count, sizeof count);
    return true;
}

/* The table on top, which stays there. */
static bool write_table(struct writer *w, neap_place *at)
{
    lua_State *L = w->L;
    char tag = 'T';

    if (lua_getmetatable(L, -1)) {
        lua_pop(L, 1);
        tag = neap_bind_is_error(L, -1, NULL) ? 'E' : 'A';
        if (tag == 'A' && !neap_value_is_marked(L, -1))
            return refuse(w, at, "a table with a metatable");
    }
    at->table = lua_topointer(L, -1);
    for (const neap_place *up = at->up; up != NULL; up = up->up) {
        if (up->table != at->table)
            continue;
        if (!w->lenient) {
            push_path(w, up);
            lua_pushfstring(L, "a cycle (it is %s again)", lua_tostring(L, -1));
            return refuse(w, at, lua_tostring(L, -1));
        }
        return refuse(w, at, "a cycle");
    }
    if (at->depth >= NEAP_COPY_MAX_DEPTH) {
        lua_pushfstring(L, "what is nested in more than %d tables", NEAP_COPY_MAX_DEPTH);
        bool written = refuse(w, at, lua_tostring(L, -1));
        if (written)
            lua_pop(L, 1);
        return written;
    }
    lua_Unsigned n = lua_rawlen(L, -1);
    add_tag(w, tag);
    add(w, &n, sizeof n);
    return write_items(w, n, at) && write_fields(w, n, at);
}

/* The value on top, which stays there; when it is refused, what is above it but
 * for the message on top does not matter. */
static bool write_value(struct writer *w, neap_place *at)
{
    lua_State *L = w->L;

    neap_bind_checkstack(L, LEVEL_SLOTS, NULL);
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
        add_tag(w, 'n');
        return true;
    case LUA_TBOOLEAN:
        add_tag(w, lua_toboolean(L, -1) ? 't' : 'f');
        return true;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1)) {
            lua_Integer value = lua_tointeger(L, -1);
            add_tag(w, 'i');
            add(w, &value, sizeof value);
        } else {
            lua_Number value = lua_tonumber(L, -1);
            add_tag(w, 'd');
            add(w, &value, sizeof value);
        }
        return true;
    case LUA_TSTRING: {
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        add_text(w, text, len);
        return true;
    }
    case LUA_TTABLE:
        return write_table(w, at);
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL) {
            add_tag(w, '0');
            return true;
        }
        return refuse_type(w, at);
    default:
        return refuse_type(w, at);
    }
}

const char *neap_copy_write(lua_State *L, neap_buf *to, int first, int count, const char *noun)
{
    struct writer w = { .L = L, .to = to, .noun = noun };

    first = lua_absindex(L, first);
    for (w.number = 1; w.number <= count; w.number++) {
        neap_place whole = { 0 };
        neap_bind_checkstack(L, 1, NULL);
        lua_pushvalue(L, first + w.number - 1);
        if (!write_value(&w, &whole))
            return lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return NULL;
}

void neap_copy_write_some(lua_State *L, neap_buf *to, int idx)
{
    struct writer w = { .L = L, .to = to, .noun = "field" };
    lua_Unsigned items = 0;
    uint32_t count = 0;
    int table = lua_absindex(L, idx);

    neap_bind_checkstack(L, LEVEL_SLOTS, NULL);
    add_tag(&w, 'T');
    add(&w, &items, sizeof items);
    size_t counted_at = to->len;
    add(&w, &count, sizeof count);
    for (lua_pushnil(L); lua_next(L, table); lua_settop(L, table + 1)) {
        size_t before = to->len;
        if (neap_copy_write(L, to, table + 1, 2, "field") == NULL)
            count++;
        else
            to->len = before;
    }
    memcpy(to->data + counted_at, &count, sizeof count);
}

static int add_code(lua_State *L, const void *bytes, size_t size, void *writer)
{
    (void)L;
    add(writer, bytes, size);
    return 0;
}

void neap_copy_write_code(lua_State *L, neap_buf *to, int idx)
{
    struct writer w = { .L = L, .to = to };
    size_t len = 0;

    add_text(&w, "", 0);
    size_t begin = to->len;
    lua_pushvalue(L, idx);
    lua_dump(L, add_code, &w, 0);
    lua_pop(L, 1);
    len = to->len - begin;
    memcpy(to->data + begin - sizeof len, &len, sizeof len);
}

/* [1] value -> its text */
static int to_text(lua_State *L)
{
    neap_bind_tostring(L, 1);
    return 1;
}

void neap_copy_write_error(lua_State *L, neap_buf *to, int idx)
{
    struct writer w = { .L = L, .to = to, .lenient = true };
    neap_place whole = { 0 };
    int top = lua_gettop(L);

    neap_bind_checkstack(L, LEVEL_SLOTS, NULL);
    lua_pushvalue(L, idx);
    int type = lua_type(L, -1);
    bool object = type == LUA_TTABLE && !neap_bind_is_error(L, -1, NULL) &&
                  luaL_getmetafield(L, -1, "__tostring") != LUA_TNIL;
    lua_settop(L, top + 1);
    if (object || type == LUA_TFUNCTION || type == LUA_TUSERDATA || type == LUA_TTHREAD) {
        lua_pushcfunction(L, to_text);      /* may call a script */
        lua_insert(L, -2);
        if (lua_pcall(L, 1, 1, 0) != LUA_OK || !lua_isstring(L, -1))
            lua_pushliteral(L, "an error whose text could not be made");
        neap_bind_push_error(L, "error", NULL, NULL, "%s", lua_tostring(L, -1));
    }
    write_value(&w, &whole);
    lua_settop(L, top);
}

/* --- reading --------------------------------------------------------------------------- */

static const char *take(void *value, const char *at, size_t size)
{
    memcpy(value, at, size);
    return at + size;
}

static int clamp(lua_Unsigned n)
{
    return n < INT_MAX ? (int)n : INT_MAX;
}

static const char *read_value(lua_State *L, const char *at);

static const char *read_table(lua_State *L, const char *at, char tag)
{
    lua_Unsigned n;
    uint32_t count;

    at = take(&n, at, sizeof n);
    if (tag == 'E')
        neap_bind_push_error(L, "error", NULL, NULL, "");
    else
        lua_createtable(L, clamp(n), 0);
    for (lua_Unsigned i = 1; i <= n; i++) {
        at = read_value(L, at);
        lua_rawseti(L, -2, (lua_Integer)i);
    }
    for (at = take(&count, at, sizeof count); count > 0; count--) {
        at = read_value(L, at);
        at = read_value(L, at);
        lua_rawset(L, -3);
    }
    if (tag == 'A')
        neap_value_mark_array(L, -1);
    return at;
}

/* Push the value at `at`; what follows it. */
static const char *read_value(lua_State *L, const char *at)
{
    lua_Integer integer;
    lua_Number number;
    size_t len;
    char tag = *at++;

    neap_bind_checkstack(L, LEVEL_SLOTS, "too many values");
    switch (tag) {
    case 'n': lua_pushnil(L); return at;
    case 'f': lua_pushboolean(L, 0); return at;
    case 't': lua_pushboolean(L, 1); return at;
    case '0': neap_value_push_null(L); return at;
    case 'i':
        at = take(&integer, at, sizeof integer);
        lua_pushinteger(L, integer);
        return at;
    case 'd':
        at = take(&number, at, sizeof number);
        lua_pushnumber(L, number);
        return at;
    case 's':
        at = take(&len, at, sizeof len);
        lua_pushlstring(L, at, len);
        return at + len;
    default:
        return read_table(L, at, tag);
    }
}

int neap_copy_read(lua_State *L, const neap_buf *from)
{
    size_t at = 0;
    int count = 0;

    for (; at < from->len; count++)
        at = (size_t)(read_value(L, from->data + at) - from->data);
    return count;
}
