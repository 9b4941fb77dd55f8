/* bind/edit.c - neap.core.edit: lines that a person edits, as Lua sees them.
 *
 * Keys come from the stream of standard input, so that what is typed ahead is in
 * one place, and other tasks run between two keys.
 */
#include "io/edit.h"

#include "bind/stream.h"

static const neap_bind_type EDIT = { "neap.edit" };

/* User values. */
enum { STREAM = 1, COMPLETE, VALUES = COMPLETE };

struct box {
    const neap_bind_type *type;
    neap_edit            *edit;
    lua_State            *L;        /* in which a key is handled */
};

/* Stack of l_line. */
enum { AT_BOX = 1, AT_PROMPT, AT_STREAM, LINE_TOP = AT_STREAM };

/* Called by a key. What it returns stays on the stack until the key is done. */
static const char *complete(void *arg, const char *text, size_t len, const char **list)
{
    struct box *box = arg;
    lua_State *L = box->L;

    if (!lua_checkstack(L, 8))
        return NULL;
    lua_getiuservalue(L, AT_BOX, COMPLETE);
    lua_pushlstring(L, text, len);
    if (lua_pcall(L, 1, 2, 0) != LUA_OK)
        return NULL;                /* no names then */
    *list = lua_tostring(L, -1);
    return lua_tostring(L, -2);
}

static int line_k(lua_State *L, int status, lua_KContext ctx);

/* The keys that are there, then wait for more. */
static int edit_on(lua_State *L)
{
    struct box *box = lua_touserdata(L, AT_BOX);
    neap_stream *stream = neap_bind_stream_test(L, AT_STREAM);
    neap_edit_state state = NEAP_EDIT_GOES_ON;
    size_t size, len;

    for (;;) {
        const char *bytes = stream != NULL ? neap_stream_bytes(stream, &size) : NULL;
        if (bytes == NULL || (stream->ended && size == 0)) {
            state = NEAP_EDIT_END;
        } else if ((len = neap_edit_key_len(bytes, size)) > 0) {
            box->L = L;
            state = neap_edit_key(box->edit, bytes, len);
            lua_settop(L, LINE_TOP);
            neap_stream_take(stream, len);
        } else {
            int code = neap_stream_fill(stream);
            if (code == NEAP_EAGAIN) {
                neap_stream_park_read(stream, neap_host_of(L)->sched.running);
                return neap_bind_suspend(L, 0, line_k);
            }
            if (code != NEAP_OK)
                state = NEAP_EDIT_END;
        }
        if (state != NEAP_EDIT_GOES_ON)
            break;
    }
    neap_edit_end(box->edit);
    if (state == NEAP_EDIT_END)
        lua_pushnil(L);
    else
        lua_pushstring(L, neap_edit_text(box->edit));
    return 1;
}

static int line_k(lua_State *L, int status, lua_KContext ctx)
{
    struct box *box = lua_touserdata(L, AT_BOX);
    int result = neap_host_of(L)->sched.running->wait.result;
    (void)status, (void)ctx;

    if (result == NEAP_OK)
        return edit_on(L);
    neap_edit_end(box->edit);
    return neap_bind_fail(L, result, "edit:line");
}

/* edit:line(prompt) -> what was typed, or nil at the end of input */
static int l_line(lua_State *L)
{
    struct box *box = neap_bind_arg(L, AT_BOX, &EDIT);
    const char *prompt = neap_bind_string(L, AT_PROMPT, "edit:line: prompt", NULL);

    neap_bind_checkpoint(L, "edit:line");
    lua_settop(L, AT_PROMPT);
    lua_getiuservalue(L, AT_BOX, STREAM);
    neap_stream *stream = neap_bind_stream_test(L, AT_STREAM);
    if (box->edit == NULL)
        return neap_bind_usage(L, "edit:line: the editor has been closed");
    if (stream != NULL && stream->reader != NULL)
        return neap_bind_usage(L, "edit:line: another task is reading standard input");
    neap_edit_begin(box->edit, prompt);
    return edit_on(L);
}

/* edit:remember(line) */
static int l_remember(lua_State *L)
{
    struct box *box = neap_bind_arg(L, 1, &EDIT);
    const char *line = neap_bind_string(L, 2, "edit:remember: line", NULL);

    if (box->edit != NULL)
        neap_edit_remember(box->edit, line);
    return 0;
}

/* __close, __gc: any number of times */
static int l_close(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);

    if (box->edit != NULL)
        neap_edit_close(box->edit);
    box->edit = NULL;
    return 0;
}

/* edit.open(stdin, complete) -> editor, or nil where there is none. complete(text)
 * returns what to insert and what to show. */
static int l_open(lua_State *L)
{
    neap_bind_function(L, 2, "edit.open: complete");
    lua_settop(L, 2);
    struct box *box = neap_bind_new(L, &EDIT, sizeof *box, VALUES);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 3, STREAM);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, 3, COMPLETE);
    box->edit = neap_edit_open(complete, box);
    if (box->edit == NULL)
        lua_pushnil(L);
    return 1;
}

int luaopen_neap_core_edit(lua_State *L)
{
    static const luaL_Reg functions[] = { { "open", l_open }, { NULL, NULL } };
    static const luaL_Reg edit[] = {
        { "line", l_line }, { "remember", l_remember },
        { "__close", l_close }, { "__gc", l_close }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &EDIT, edit, "methods");
    return 1;
}
