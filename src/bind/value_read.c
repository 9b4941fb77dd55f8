/* bind/value_read.c - JSON text as a Lua value.
 *
 * Jansson reads the text into a tree, which then becomes the value. Building may
 * raise, so the tree hangs in a box before the first call that can.
 */
#include "bind/value.h"

#include <jansson.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "bind/bind.h"
#include "bind/value_place.h"

/* Strict, but for what stands alone ("1" is a text) and zero bytes in strings,
 * which Lua's can hold. */
#define READ_FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)

/* Bytes of a number that a message shows. */
#define SHOWN_NUMBER 40

/* Slots that one level of nesting uses. */
#define LEVEL_SLOTS 4

/* Its address is the registry's key to the metatable of tree boxes. */
static const char TREE = 0;

struct tree {
    json_t *root;
};

struct reader {
    lua_State   *L;
    const neap_value_options *options;
    struct tree *tree;
};

static void push_value(struct reader *r, const json_t *node, const neap_place *at);

static int tree_gc(lua_State *L)
{
    struct tree *tree = lua_touserdata(L, 1);
    json_decref(tree->root);
    tree->root = NULL;
    return 0;
}

static struct tree *push_tree(lua_State *L)
{
    struct tree *tree = lua_newuserdatauv(L, sizeof *tree, 0);
    tree->root = NULL;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &TREE) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, tree_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &TREE);
    }
    lua_setmetatable(L, -2);
    return tree;
}

static void drop_tree(struct tree *tree)
{
    json_decref(tree->root);
    tree->root = NULL;
}

/* Raise what is wrong with the text. `fmt` goes on behind "neap.json.decode: line 3",
 * or, for a text that has a name, behind "a.jsonl:3". */
static void refuse(struct reader *r, lua_Integer line, const char *fmt, ...)
{
    const neap_value_options *options = r->options;
    va_list args;

    va_start(args, fmt);
    const char *what = lua_pushvfstring(r->L, fmt, args);
    va_end(args);
    if (options->name == NULL) {
        neap_bind_push_error(r->L, "json", NULL, options->op, ": line %I%s", (LUAI_UACINT)line,
            what);
    } else {
        neap_bind_push_error(r->L, "json", NULL, NULL, "%s:%I%s", options->name,
            (LUAI_UACINT)line, what);
        lua_pushstring(r->L, options->op);
        lua_setfield(r->L, -2, "op");
    }
    lua_error(r->L);
}

/* Raise what is wrong with the text at offset `at`. */
static void refuse_byte(struct reader *r, const char *text, size_t at, const char *what)
{
    lua_Integer line = r->options->line;
    size_t begin = 0;
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            line++;
            begin = i + 1;
        }
    }
    refuse(r, line, ": %s at byte %I", what, (LUAI_UACINT)(at - begin + 1));
}

/* Refuse bytes that no text may have. Jansson would tell no offset of the one, and
 * overlooks the other between two tokens. */
static void check_bytes(struct reader *r, const char *text, size_t len)
{
    size_t valid = neap_utf8_valid(text, len);
    const char *zero = memchr(text, '\0', valid);

    if (zero != NULL)
        refuse_byte(r, text, (size_t)(zero - text), "a zero byte");
    if (valid < len)
        refuse_byte(r, text, valid, "not UTF-8");
}

/* Push the number that ends `end` bytes into the text; a long one is cut. */
static const char *push_number(lua_State *L, const char *text, size_t end)
{
    size_t begin = end;
    while (begin > 0 && memchr("+-.0123456789Ee", text[begin - 1], 15) != NULL)
        begin--;
    size_t len = end - begin;
    lua_pushlstring(L, text + begin, len < SHOWN_NUMBER ? len : SHOWN_NUMBER);
    if (len > SHOWN_NUMBER) {
        lua_pushliteral(L, "...");
        lua_concat(L, 2);
    }
    return lua_tostring(L, -1);
}

/* Raise what jansson says about the text, with line and column. */
static void refuse_text(struct reader *r, const char *text, json_error_t *error)
{
    lua_State *L = r->L;
    const char *what = error->text;

    neap_bind_checkstack(L, LUA_MINSTACK, "no room for a message");
    switch (json_error_code(error)) {
    case json_error_numeric_overflow:
        what = lua_pushfstring(L, "the number %s does not fit in 64 bits",
            push_number(L, text, (size_t)error->position));
        break;
    case json_error_stack_overflow:
        what = lua_pushfstring(L, "nested deeper than %d", r->options->max_depth);
        break;
    case json_error_null_byte_in_key:
        what = NEAP_VALUE_ZERO_IN_KEY;
        break;
    default:
        for (char *c = error->text; *c != '\0'; c++) {
            if ((unsigned char)*c < 0x20)
                *c = ' ';       /* it quotes the text; a message is one line */
        }
        if (what[0] == '\0')
            neap_bind_memory(L);        /* the only failure without words */
        break;
    }
    refuse(r, r->options->line + error->line - 1, "%s column %d: %s",
        r->options->name != NULL ? ":" : ",", error->column, what);
}

static void check_depth(struct reader *r, const neap_place *at)
{
    if (at->depth < r->options->max_depth)
        return;
    const char *path = neap_place_push(r->L, at);
    drop_tree(r->tree);         /* now: the collector does not know how much it holds */
    refuse(r, r->options->line, ": %s: nested deeper than %d (raise max_depth for more)", path,
        r->options->max_depth);
}

static void push_array(struct reader *r, const json_t *node, const neap_place *at)
{
    size_t n = json_array_size(node);

    check_depth(r, at);
    lua_createtable(r->L, n < INT_MAX ? (int)n : INT_MAX, 0);
    if (n == 0)
        neap_value_mark_array(r->L, -1);
    for (size_t i = 0; i < n; i++) {
        neap_place item = neap_place_item(at, (lua_Integer)i + 1);
        push_value(r, json_array_get(node, i), &item);
        lua_rawseti(r->L, -2, (lua_Integer)i + 1);
    }
}

static void push_object(struct reader *r, const json_t *node, const neap_place *at)
{
    /* Jansson does not change what it iterates over; it only takes no const. */
    json_t *object = (json_t *)(uintptr_t)node;
    size_t n = json_object_size(node);

    check_depth(r, at);
    lua_createtable(r->L, 0, n < INT_MAX ? (int)n : INT_MAX);
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        const char *key = json_object_iter_key(i);
        size_t len = json_object_iter_key_len(i);
        neap_place field = neap_place_field(at, key, len);
        lua_pushlstring(r->L, key, len);
        push_value(r, json_object_iter_value(i), &field);
        lua_rawset(r->L, -3);
    }
}

static void push_value(struct reader *r, const json_t *node, const neap_place *at)
{
    lua_State *L = r->L;

    neap_bind_checkstack(L, LEVEL_SLOTS, "nested too deep");
    switch (json_typeof(node)) {
    case JSON_OBJECT:  push_object(r, node, at); break;
    case JSON_ARRAY:   push_array(r, node, at); break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(node), json_string_length(node));
        break;
    case JSON_INTEGER: lua_pushinteger(L, json_integer_value(node)); break;
    case JSON_REAL:    lua_pushnumber(L, json_real_value(node)); break;
    case JSON_TRUE:    lua_pushboolean(L, 1); break;
    case JSON_FALSE:   lua_pushboolean(L, 0); break;
    case JSON_NULL:    neap_value_push_null(L); break;
    }
}

void neap_value_decode(lua_State *L, const char *text, size_t len,
    const neap_value_options *options)
{
    struct reader r = { .L = L, .options = options };
    neap_place whole = { 0 };
    json_error_t error;

    if (len > options->max_bytes) {
        refuse(&r, options->line,
            ": the text has %I bytes, more than %I (raise max_bytes for more)",
            (LUAI_UACINT)len, (LUAI_UACINT)options->max_bytes);
    }
    check_bytes(&r, text, len);
    neap_bind_checkstack(L, LEVEL_SLOTS, "no room for a value");
    r.tree = push_tree(L);
    r.tree->root = json_loadb(text, len, READ_FLAGS, &error);
    if (r.tree->root == NULL)
        refuse_text(&r, text, &error);
    push_value(&r, r.tree->root, &whole);
    drop_tree(r.tree);
    lua_remove(L, -2);
}
