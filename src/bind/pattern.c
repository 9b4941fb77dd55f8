/* bind/pattern.c - neap.core.pattern: find, match, gmatch and gsub for `string`.
 *
 * Lua's own cannot be stopped: a hook does not reach into a C function, and a
 * pattern of thirty bytes can keep one busy for years. These ask every few
 * thousand steps whether the running task is still to go on. In all else they
 * are Lua's, to the text of the errors: strings and not error objects, since it
 * is Lua's library that a script sees in them.
 *
 * An interrupt jumps out of the middle of a match. So a match owns nothing: it
 * lives on the C stack, or in userdata where its size is the script's choice.
 */
#include "bind/bind.h"

#include <string.h>

#include "base/matcher.h"

/* Patterns of up to this many bytes are read into the C stack: few are longer. */
#define LOCAL_ROOM 128

static void on_tick(void *L)
{
    neap_bind_interrupt(L);
}

/* ---- what the four have in common ---- */

/* Memory for the items of a pattern: `local`, or pushed. */
static neap_pattern_item *items_for(lua_State *L, size_t len, neap_pattern_item *local)
{
    size_t room = neap_pattern_room(len);

    if (room <= LOCAL_ROOM)
        return local;
    return lua_newuserdatauv(L, room * sizeof(neap_pattern_item), 0);
}

static bool search(lua_State *L, neap_matcher *m, const uint8_t *from, const uint8_t *refused)
{
    if (neap_matcher_search(m, from, refused))
        return true;
    if (m->error != NULL && m->error_digit != '\0')
        luaL_error(L, "%s%c", m->error, m->error_digit);
    if (m->error != NULL)
        luaL_error(L, "%s", m->error);
    return false;
}

/* Push capture `n`, from 0. Where there are none, the first is the match. */
static void push_capture(lua_State *L, const neap_matcher *m, unsigned n)
{
    if (n == 0 && m->pattern->captures == 0) {
        lua_pushlstring(L, (const char *)m->start, (size_t)(m->stop - m->start));
        return;
    }
    if (n >= m->pattern->captures)
        luaL_error(L, "invalid capture index %%%d", (int)n + 1);

    const neap_matcher_capture *capture = &m->captures[n];
    if (capture->len == NEAP_MATCHER_OPEN)
        luaL_error(L, "unfinished capture");
    if (capture->len == NEAP_MATCHER_HERE)
        lua_pushinteger(L, capture->start - m->subject + 1);
    else
        lua_pushlstring(L, (const char *)capture->start, capture->len);
}

static int push_captures(lua_State *L, const neap_matcher *m, unsigned count)
{
    neap_bind_checkstack(L, (int)count, "too many captures");
    for (unsigned n = 0; n < count; n++)
        push_capture(L, m, n);
    return (int)count;
}

/* All captures, or the match if there are none. */
static int push_match(lua_State *L, const neap_matcher *m)
{
    return push_captures(L, m, m->pattern->captures > 0 ? m->pattern->captures : 1);
}

/* Argument `idx`, a position from 1 on or from the end, as an offset that may be
 * beyond the end. */
static size_t opt_offset(lua_State *L, int idx, size_t len)
{
    lua_Integer init = luaL_optinteger(L, idx, 1);

    if (init > 0)
        return (size_t)init - 1;
    if (init == 0 || init < -(lua_Integer)len)
        return 0;
    return len - (size_t)-init;
}

/* ---- find, match ---- */

static int find_plain(lua_State *L, const char *text, size_t len, size_t offset,
                      const char *bytes, size_t bytes_len)
{
    const char *hit = neap_matcher_plain(text + offset, len - offset, bytes, bytes_len,
                                         on_tick, L);

    if (hit == NULL) {
        luaL_pushfail(L);
        return 1;
    }
    lua_pushinteger(L, hit - text + 1);
    lua_pushinteger(L, hit - text + (lua_Integer)bytes_len);
    return 2;
}

static int find_or_match(lua_State *L, bool find)
{
    size_t len, pattern_len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *pattern_text = luaL_checklstring(L, 2, &pattern_len);
    size_t offset = opt_offset(L, 3, len);

    if (offset > len) {
        luaL_pushfail(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || neap_pattern_is_plain(pattern_text, pattern_len)))
        return find_plain(L, text, len, offset, pattern_text, pattern_len);

    neap_pattern_item local[LOCAL_ROOM];
    neap_pattern pattern;
    neap_matcher m;
    neap_pattern_read(&pattern, pattern_text, pattern_len, true,
                      items_for(L, pattern_len, local));
    neap_matcher_init(&m, &pattern, text, len, on_tick, L);
    if (!search(L, &m, m.subject + offset, NULL)) {
        luaL_pushfail(L);
        return 1;
    }
    if (!find)
        return push_match(L, &m);
    lua_pushinteger(L, m.start - m.subject + 1);
    lua_pushinteger(L, m.stop - m.subject);
    return push_captures(L, &m, pattern.captures) + 2;
}

/* find(s, pattern [, init [, plain]]) -> first, last, captures... or nil */
static int l_find(lua_State *L)
{
    return find_or_match(L, true);
}

/* match(s, pattern [, init]) -> captures... or nil */
static int l_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* ---- gmatch ---- */

/* A walk over all matches: upvalue 3 of l_next. Upvalues 1 and 2 keep the subject
 * and the pattern, into which it points. */
struct walk {
    neap_matcher      m;
    neap_pattern      pattern;
    const uint8_t    *from;
    const uint8_t    *refused;      /* the end of the last match, if any */
    neap_pattern_item items[];
};

static int l_next(lua_State *L)
{
    struct walk *walk = lua_touserdata(L, lua_upvalueindex(3));

    walk->m.arg = L;                /* each call may come from another coroutine */
    if (walk->from > walk->m.end || !search(L, &walk->m, walk->from, walk->refused))
        return 0;
    walk->from = walk->refused = walk->m.stop;
    return push_match(L, &walk->m);
}

/* gmatch(s, pattern [, init]) -> iterator. A '^' in front is no anchor. */
static int l_gmatch(lua_State *L)
{
    size_t len, pattern_len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *pattern_text = luaL_checklstring(L, 2, &pattern_len);
    size_t offset = opt_offset(L, 3, len);

    lua_settop(L, 2);
    struct walk *walk = lua_newuserdatauv(L,
        sizeof *walk + neap_pattern_room(pattern_len) * sizeof(neap_pattern_item), 0);
    neap_pattern_read(&walk->pattern, pattern_text, pattern_len, false, walk->items);
    neap_matcher_init(&walk->m, &walk->pattern, text, len, on_tick, L);
    walk->from = walk->m.subject + (offset > len ? len + 1 : offset);   /* past it: no match */
    walk->refused = NULL;
    lua_pushcclosure(L, l_next, 3);
    return 1;
}

/* ---- gsub ---- */

/* Argument 3 of gsub; the text is set if it is a string. */
struct replacement {
    int         type;
    const char *text;
    size_t      len;
};

/* Add the replacement string, with its %0 to %9 and %%. */
static void add_text(lua_State *L, luaL_Buffer *b, const neap_matcher *m,
                     const struct replacement *by)
{
    const char *at = by->text, *end = at + by->len;

    for (;;) {
        const char *percent = memchr(at, '%', (size_t)(end - at));
        if (percent == NULL)
            break;
        luaL_addlstring(b, at, (size_t)(percent - at));
        char c = percent + 1 < end ? percent[1] : '\0';
        at = percent + 2;
        if (c == '%') {
            luaL_addchar(b, '%');
        } else if (c == '0') {
            luaL_addlstring(b, (const char *)m->start, (size_t)(m->stop - m->start));
        } else if (c >= '1' && c <= '9') {
            push_capture(L, m, (unsigned)(c - '1'));
            luaL_addvalue(b);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
    luaL_addlstring(b, at, (size_t)(end - at));
}

/* Add what a function or table says for the match; false if it keeps it. */
static bool add_result(lua_State *L, luaL_Buffer *b, const neap_matcher *m,
                       const struct replacement *by)
{
    if (by->type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, push_match(L, m), 1);
    } else {
        push_capture(L, m, 0);
        lua_gettable(L, 3);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(b, (const char *)m->start, (size_t)(m->stop - m->start));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(b);
    return true;
}

static struct replacement check_replacement(lua_State *L)
{
    struct replacement by = { .type = lua_type(L, 3) };

    switch (by.type) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
        by.type = LUA_TSTRING;
        by.text = lua_tolstring(L, 3, &by.len);
        break;
    case LUA_TFUNCTION:
    case LUA_TTABLE:
        break;
    default:
        luaL_typeerror(L, 3, "string/function/table");
    }
    return by;
}

/* gsub(s, pattern, by [, n]) -> s with matches replaced, their number */
static int l_gsub(lua_State *L)
{
    size_t len, pattern_len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *pattern_text = luaL_checklstring(L, 2, &pattern_len);
    struct replacement by = check_replacement(L);
    lua_Integer limit = luaL_optinteger(L, 4, LUA_MAXINTEGER);

    neap_pattern_item local[LOCAL_ROOM];
    neap_pattern pattern;
    neap_matcher m;
    neap_pattern_read(&pattern, pattern_text, pattern_len, true,
                      items_for(L, pattern_len, local));
    neap_matcher_init(&m, &pattern, text, len, on_tick, L);

    luaL_Buffer b;
    luaL_buffinit(L, &b);
    const uint8_t *from = m.subject, *refused = NULL;
    lua_Integer count = 0;
    bool changed = false;
    while (count < limit && search(L, &m, from, refused)) {
        count++;
        luaL_addlstring(&b, (const char *)from, (size_t)(m.start - from));
        if (by.type == LUA_TSTRING) {
            add_text(L, &b, &m, &by);
            changed = true;
        } else if (add_result(L, &b, &m, &by)) {
            changed = true;
        }
        from = refused = m.stop;
        if (pattern.anchored)
            break;
    }
    if (changed) {
        luaL_addlstring(&b, (const char *)from, (size_t)(m.end - from));
        luaL_pushresult(&b);
    } else {
        lua_pushvalue(L, 1);        /* the very same string */
    }
    lua_pushinteger(L, count);
    return 2;
}

/* The host calls this at its start, moves the functions into `string` and drops
 * the table: in package.loaded it would give them a second name, and a traceback
 * might say that one instead of string.gsub. */
int luaopen_neap_core_pattern(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "find", l_find }, { "match", l_match }, { "gmatch", l_gmatch }, { "gsub", l_gsub },
        { NULL, NULL }
    };

    luaL_newlib(L, functions);
    return 1;
}
