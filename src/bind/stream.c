/* bind/stream.c - neap.core.stream: pipes, terminals and files, read and written.
 *
 * Every read has one shape: what is wanted is taken from the bytes that are there;
 * if they do not suffice, more are brought, or the task waits for them. Until it is
 * taken nothing has left the buffer, so a cancelled read loses no byte.
 */
#include "bind/stream.h"

#include <string.h>
#include <unistd.h>

static const neap_bind_type STREAM = { "neap.stream" };

static const char STDIN;            /* registry key: the stream of standard input */

/* User value 1 is its name. */
struct box {
    const neap_bind_type *type;
    neap_stream          *stream;
};

/* Stack of a read. */
enum { AT_BOX = 1, AT_WANT, AT_MAX };

/* What is wanted: a number of bytes above 0, or one of these. */
enum { WANT_LINE = 0, WANT_ALL = -1, WANT_SOME = -2 };

/* Fills in a row, of at most 64 KiB, after which others run. */
enum { FILLS = 16 };

static const char *name_of(lua_State *L, int idx)
{
    lua_getiuservalue(L, idx, 1);
    return lua_tostring(L, -1);
}

static int fail(lua_State *L, int code, const char *op)
{
    return neap_bind_fail_about(L, code, op, name_of(L, AT_BOX));
}

static int limit(lua_State *L, lua_Integer max, const char *what, const char *option)
{
    return neap_bind_error(L, "limit", NULL, "stream:read", " %s: %s than %I bytes; raise the "
                           "option %s", name_of(L, AT_BOX), what, (LUAI_UACINT)max, option);
}

/* --- read --------------------------------------------------------------------- */

/* Push `size` bytes, of which `whole` are used up. */
static int push_bytes(lua_State *L, neap_stream *stream, size_t size, size_t whole)
{
    size_t there;
    const char *bytes = neap_stream_bytes(stream, &there);

    lua_pushlstring(L, bytes, size);
    neap_stream_take(stream, whole);
    return 1;
}

static int push_end(lua_State *L)
{
    lua_pushnil(L);
    lua_pushliteral(L, "eof");
    return 2;
}

/* Push what is wanted, if the bytes that are there suffice; 0 if not. */
static int take_wanted(lua_State *L, neap_stream *stream)
{
    lua_Integer want = lua_tointeger(L, AT_WANT), max = lua_tointeger(L, AT_MAX);
    size_t size, line, whole;

    neap_stream_bytes(stream, &size);
    if (want == WANT_ALL) {
        if (size > (size_t)max)
            return limit(L, max, "more", "max_bytes");
        return stream->ended ? push_bytes(L, stream, size, size) : 0;
    }
    if (want == WANT_LINE && neap_stream_find_line(stream, &line, &whole)) {
        if (line > (size_t)max)
            return limit(L, max, "a line of more", "max_line");
        return push_bytes(L, stream, line, whole);
    }
    if (want == WANT_LINE && size > (size_t)max)
        return limit(L, max, "a line of more", "max_line");
    if (want > 0 && size >= (size_t)want)
        return push_bytes(L, stream, (size_t)want, (size_t)want);
    if (size > 0 && (want == WANT_SOME || stream->ended))
        return push_bytes(L, stream, size, size);
    return stream->ended ? push_end(L) : 0;
}

static int read_k(lua_State *L, int status, lua_KContext ctx);
static int again_k(lua_State *L, int status, lua_KContext ctx);

/* As far as it goes without waiting; then suspend, or return the number of values. */
static int read_on(lua_State *L, bool waited)
{
    neap_stream *stream = ((struct box *)lua_touserdata(L, AT_BOX))->stream;
    neap_task *task = neap_host_of(L)->sched.running;

    for (int fills = 0;;) {
        int count = take_wanted(L, stream);
        if (count > 0)
            return waited ? count : neap_bind_return(L, count);
        if (++fills > FILLS) {
            neap_sched_yield(task);
            return neap_bind_suspend(L, 0, again_k);
        }
        int code = neap_stream_fill(stream);
        if (code == NEAP_EAGAIN) {
            neap_stream_park_read(stream, task);
            return neap_bind_suspend(L, 0, read_k);
        }
        if (code != NEAP_OK)
            return fail(L, code, "stream:read");
    }
}

static int read_k(lua_State *L, int status, lua_KContext ctx)
{
    int result = neap_host_of(L)->sched.running->wait.result;
    (void)status, (void)ctx;

    return result == NEAP_OK ? read_on(L, true) : fail(L, result, "stream:read");
}

/* [1] box, [2] what is wanted, [3] limit */
static int read_begin(lua_State *L)
{
    neap_stream *stream = ((struct box *)lua_touserdata(L, AT_BOX))->stream;

    neap_bind_checkpoint(L, "stream:read");
    if ((stream->flags & NEAP_STREAM_READS) == 0)
        neap_bind_usage(L, "stream:read: %s can only be written", name_of(L, AT_BOX));
    if (stream->reader != NULL)
        neap_bind_usage(L, "stream:read: another task is reading %s; let one task read, and "
                        "hand on what it reads by a channel", name_of(L, AT_BOX));
    if (stream->closed)
        return fail(L, NEAP_ECLOSED, "stream:read");
    return read_on(L, false);
}

/* Others have run: one may have closed the stream, or read in it. */
static int again_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status, (void)ctx;
    return read_begin(L);
}

/* "line", "all", "some" or a number at `idx`, by default a line. */
static lua_Integer want_argument(lua_State *L, int idx)
{
    static const char *const names[] = { "line", "all", "some", NULL };
    static const lua_Integer wants[] = { WANT_LINE, WANT_ALL, WANT_SOME };

    if (lua_isnoneornil(L, idx))
        return WANT_LINE;
    if (lua_type(L, idx) == LUA_TSTRING)
        for (int i = 0; names[i] != NULL; i++)
            if (strcmp(lua_tostring(L, idx), names[i]) == 0)
                return wants[i];
    if (lua_type(L, idx) != LUA_TNUMBER)
        neap_bind_usage(L, "stream:read: \"line\", \"all\", \"some\" or a number of bytes "
                        "expected, got %s", neap_bind_tostring(L, idx));
    return neap_bind_integer(L, idx, "stream:read: number of bytes", 1, INT32_MAX);
}

/* The bound `name` among the options at `idx` of the method `op`, or its default. */
static lua_Integer bound(lua_State *L, int idx, const char *op, const char *name,
                         lua_Integer def)
{
    return neap_bind_option_integer(L, idx, op, name, def, 0, INT32_MAX);
}

/* stream:read([what] [, options]) -> bytes | nil, "eof" */
static int l_read(lua_State *L)
{
    static const char *const names[] = { "max_line", "max_bytes", NULL };

    neap_bind_arg(L, 1, &STREAM);
    lua_Integer want = want_argument(L, 2);
    if (!lua_isnoneornil(L, 3))
        neap_bind_options(L, 3, "stream:read", names);
    lua_Integer max = want == WANT_LINE
                    ? bound(L, 3, "stream:read", "max_line", NEAP_BIND_MAX_LINE)
                    : bound(L, 3, "stream:read", "max_bytes", NEAP_BIND_MAX_BYTES);
    lua_settop(L, 1);
    lua_pushinteger(L, want);
    lua_pushinteger(L, max);
    return read_begin(L);
}

/* --- lines ---------------------------------------------------------------------- */

/* Upvalues: box, limit. */
static int l_next_line(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushinteger(L, WANT_LINE);
    lua_pushvalue(L, lua_upvalueindex(2));
    return read_begin(L);
}

/* stream:lines([options]) -> iterator of lines, which needs no closing */
static int l_lines(lua_State *L)
{
    static const char *const names[] = { "max_line", NULL };

    neap_bind_arg(L, 1, &STREAM);
    if (!lua_isnoneornil(L, 2))
        neap_bind_options(L, 2, "stream:lines", names);
    lua_Integer max = bound(L, 2, "stream:lines", "max_line", NEAP_BIND_MAX_LINE);
    lua_settop(L, 1);
    lua_pushinteger(L, max);
    lua_pushcclosure(L, l_next_line, 2);
    return 1;
}

/* --- write ---------------------------------------------------------------------- */

static int write_k(lua_State *L, int status, lua_KContext ctx);

/* [1] box, [2] data, [3] how much of it the kernel has */
static int write_on(lua_State *L, bool waited)
{
    neap_stream *stream = ((struct box *)lua_touserdata(L, AT_BOX))->stream;
    size_t done = (size_t)lua_tointeger(L, 3), size, written;
    const char *data = lua_tolstring(L, 2, &size);

    int code = neap_stream_write(stream, data + done, size - done, &written);
    if (code == NEAP_OK)
        return waited ? 0 : neap_bind_return(L, 0);
    if (code != NEAP_EAGAIN)
        return fail(L, code, "stream:write");
    lua_pushinteger(L, (lua_Integer)(done + written));
    lua_replace(L, 3);
    neap_stream_park_write(stream, neap_host_of(L)->sched.running);
    return neap_bind_suspend(L, 0, write_k);
}

static int write_k(lua_State *L, int status, lua_KContext ctx)
{
    int result = neap_host_of(L)->sched.running->wait.result;
    (void)status, (void)ctx;

    return result == NEAP_OK ? write_on(L, true) : fail(L, result, "stream:write");
}

/* stream:write(data): waits until the kernel has all of it */
static int l_write(lua_State *L)
{
    neap_stream *stream = ((struct box *)neap_bind_arg(L, 1, &STREAM))->stream;

    neap_bind_string(L, 2, "stream:write: data", NULL);
    neap_bind_checkpoint(L, "stream:write");
    if ((stream->flags & NEAP_STREAM_WRITES) == 0)
        neap_bind_usage(L, "stream:write: %s can only be read", name_of(L, AT_BOX));
    if (stream->writer != NULL)
        neap_bind_usage(L, "stream:write: another task is writing to %s; guard it by a mutex",
                        name_of(L, AT_BOX));
    lua_settop(L, 2);
    lua_pushinteger(L, 0);
    return write_on(L, false);
}

/* --- life ----------------------------------------------------------------------- */

/* stream:close() and __close: any number of times */
static int l_close(lua_State *L)
{
    neap_stream_close(((struct box *)neap_bind_arg(L, 1, &STREAM))->stream);
    return 0;
}

static int l_gc(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);

    if (box->stream != NULL)
        neap_stream_free(box->stream);
    box->stream = NULL;
    return 0;
}

int neap_bind_stream(lua_State *L, int *fd, unsigned flags, const char *op, const char *name)
{
    struct box *box = neap_bind_new(L, &STREAM, sizeof *box, 1);

    lua_pushstring(L, name);
    lua_setiuservalue(L, -2, 1);
    int code = neap_stream_open(&box->stream, neap_host_of(L)->loop, *fd, flags);
    if (code != NEAP_OK)
        return neap_bind_fail_about(L, code, op, name);
    *fd = -1;
    return 1;
}

neap_stream *neap_bind_stream_test(lua_State *L, int idx)
{
    struct box *box = neap_bind_test(L, idx, &STREAM);
    return box == NULL || box->stream->closed ? NULL : box->stream;
}

/* stream.stdin() -> the stream of standard input, always the same */
static int l_stdin(lua_State *L)
{
    int fd = STDIN_FILENO;

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &STDIN) == LUA_TNIL) {
        neap_bind_stream(L, &fd, NEAP_STREAM_READS | NEAP_STREAM_SHARED, "neap.stdin",
                         "standard input");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &STDIN);
    }
    return 1;
}

int luaopen_neap_core_stream(lua_State *L)
{
    static const luaL_Reg functions[] = { { "stdin", l_stdin }, { NULL, NULL } };
    static const luaL_Reg stream[] = {
        { "read", l_read }, { "lines", l_lines }, { "write", l_write }, { "close", l_close },
        { "__close", l_close }, { "__gc", l_gc }, { NULL, NULL } };

    luaL_newlib(L, functions);
    neap_bind_methods(L, &STREAM, stream, "methods");
    return 1;
}
