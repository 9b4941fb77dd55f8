/* bind/file.c - neap.core.file: acts on the disk as Lua sees them.
 *
 * All go one way: check, checkpoint, box with its job, start, park. Options are
 * plain arguments here; lua/neap/fs.lua knows their names.
 */
#include "io/file.h"

#include <stdio.h>
#include <string.h>

#include "bind/bind.h"
#include "bind/stream.h"

static const neap_bind_type FILE_JOB = { "neap.file" };

struct box {
    const neap_bind_type *type;
    neap_file            *file;     /* NULL once it is dropped */
};

/* What one act is called, does, and gives. */
struct act {
    neap_wait_class class;
    void          (*run)(neap_job *job);
    int           (*push)(lua_State *L, neap_file *file);
    const char     *limit;          /* the option behind `max` */
};

static void drop(struct box *box)
{
    if (box->file != NULL)
        neap_job_drop(&box->file->job);
    box->file = NULL;
}

static int l_gc(lua_State *L)
{
    drop(lua_touserdata(L, 1));
    return 0;
}

/* --- arguments ---------------------------------------------------------------- */

static const char *text_argument(lua_State *L, int idx, const struct act *act, const char *name,
                                 size_t *len)
{
    if (lua_type(L, idx) != LUA_TSTRING)
        neap_bind_usage(L, "%s: %s: string expected, got %s", act->class.what, name,
                        luaL_typename(L, idx));
    return lua_tolstring(L, idx, len);
}

static const char *path_argument(lua_State *L, int idx, const struct act *act)
{
    size_t len;
    const char *path = text_argument(L, idx, act, idx == 1 ? "path" : "to", &len);

    if (strlen(path) != len)
        neap_bind_usage(L, "%s: the path has a zero byte in it, behind \"%s\"", act->class.what,
                        path);
    return path;
}

/* [1] path ... -> [1] path ..., box. `text`: what to write, an index or 0. */
static neap_file *new_file(lua_State *L, const struct act *act, int text)
{
    const char *path = path_argument(L, 1, act);
    size_t size = 0;
    const char *data = text ? text_argument(L, text, act, "data", &size) : NULL;

    neap_bind_checkpoint(L, act->class.what);
    struct box *box = neap_bind_new(L, &FILE_JOB, sizeof *box, 0);
    box->file = neap_file_new(act->run, path, data, size);
    if (box->file == NULL)
        neap_bind_memory(L);
    return box->file;
}

/* --- waiting ------------------------------------------------------------------ */

static int fail(lua_State *L, const struct act *act, const neap_file *file)
{
    int code = file->result;

    if (code == NEAP_ENOMEM)
        return neap_bind_memory(L);
    if (code == NEAP_EFULL)
        return neap_bind_error(L, "limit", NULL, act->class.what, " %s: more than %I; raise the "
                               "option %s", file->path, (LUAI_UACINT)file->max, act->limit);
    if (code == NEAP_EDEPTH)
        return neap_bind_error(L, "limit", NULL, act->class.what, " %s: more than %d directories "
                               "inside each other; begin with an inner one", file->path,
                               NEAP_FILE_DEPTH_MAX);
    return neap_bind_error(L, neap_err_kind(code), neap_err_name(code), act->class.what,
                           " %s%s%s: %s", file->path, file->to ? " to " : "",
                           file->to ? file->to : "", neap_err_text(code));
}

/* [1] box */
static int act_k(lua_State *L, int status, lua_KContext ctx)
{
    const struct act *act = (const struct act *)ctx;
    struct box *box = lua_touserdata(L, 1);
    (void)status;

    if (neap_host_of(L)->sched.running->wait.result != NEAP_OK) {
        drop(box);
        return neap_bind_raise_cancelled(L);
    }
    if (box->file->result != NEAP_OK)
        return fail(L, act, box->file);     /* the collector drops it */
    int count = act->push == NULL ? 0 : act->push(L, box->file);
    drop(box);
    return count;
}

/* The box is on top. */
static int start(lua_State *L, const struct act *act)
{
    neap_host *host = neap_host_of(L);

    lua_replace(L, 1);
    lua_settop(L, 1);
    neap_job *job = &((struct box *)lua_touserdata(L, 1))->file->job;
    if (neap_job_start(job, host->loop) != NEAP_OK)
        neap_bind_memory(L);
    neap_job_park(job, &act->class, host->sched.running);
    return neap_bind_suspend(L, (lua_KContext)act, act_k);
}

/* --- what comes of it ------------------------------------------------------------ */

static int push_data(lua_State *L, neap_file *file)
{
    lua_pushlstring(L, file->data, file->size);
    return 1;
}

static int push_stat(lua_State *L, neap_file *file)
{
    static const char *const kinds[] = { "file", "directory", "link", "pipe", "socket", "device" };
    char mode[16];

    lua_createtable(L, 0, 4);
    lua_pushstring(L, kinds[file->kind]);
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, (lua_Integer)file->size);
    lua_setfield(L, -2, "size");
    snprintf(mode, sizeof mode, "%03o", (unsigned)file->mode);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "mode");
    lua_pushnumber(L, (lua_Number)file->mtime_ns / 1e9);
    lua_setfield(L, -2, "mtime");
    return 1;
}

static int push_names(lua_State *L, neap_file *file)
{
    lua_createtable(L, (int)file->count, 0);
    for (size_t i = 0; i < file->count; i++) {
        lua_pushstring(L, file->names[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int push_path(lua_State *L, neap_file *file)
{
    lua_pushstring(L, file->path);
    file->made = false;
    return 1;
}

static int push_stream(lua_State *L, neap_file *file)
{
    return neap_bind_stream(L, &file->fd, NEAP_STREAM_READS, "neap.fs.open", file->path);
}

#define ACT(name, call, gives, option)                                        \
    { .class = { .what = "neap.fs." name, .cancel = neap_job_cancel },        \
      .run = neap_file_##call, .push = gives, .limit = option }

static const struct act READ    = ACT("read", read, push_data, "max_bytes");
static const struct act WRITE   = ACT("write", write, NULL, NULL);
static const struct act REPLACE = ACT("replace", replace, NULL, NULL);
static const struct act STAT    = ACT("stat", stat, push_stat, NULL);
static const struct act RENAME  = ACT("rename", rename, NULL, NULL);
static const struct act OPEN    = ACT("open", open, push_stream, NULL);
static const struct act LIST    = ACT("list", list, push_names, "max_names");
static const struct act MKDIR   = ACT("mkdir", mkdir, NULL, NULL);
static const struct act REMOVE  = ACT("remove", remove, NULL, NULL);
static const struct act MKDTEMP = ACT("temp_dir", mkdtemp, push_path, NULL);

/* --- the functions --------------------------------------------------------------- */

/* file.read(path, max_bytes) -> string */
static int l_read(lua_State *L)
{
    lua_Integer max = neap_bind_integer(L, 2, "neap.fs.read: max_bytes", 0, LUA_MAXINTEGER);

    new_file(L, &READ, 0)->max = (uint64_t)max;
    return start(L, &READ);
}

/* Permissions at `idx`, or nil. */
static int mode_argument(lua_State *L, int idx, const char *name)
{
    return (int)neap_bind_opt_integer(L, idx, name, NEAP_FILE_MODE_DEFAULT, 0, 07777);
}

/* file.write(path, data, append, mode) */
static int l_write(lua_State *L)
{
    int mode = mode_argument(L, 4, "neap.fs.write: mode");
    neap_file *file = new_file(L, &WRITE, 2);

    file->flag = lua_toboolean(L, 3);
    file->mode = mode;
    return start(L, &WRITE);
}

/* file.replace(path, data, mode) */
static int l_replace(lua_State *L)
{
    int mode = mode_argument(L, 3, "neap.fs.replace: mode");

    new_file(L, &REPLACE, 2)->mode = mode;
    return start(L, &REPLACE);
}

/* file.stat(path, link) -> { type, size, mode, mtime } */
static int l_stat(lua_State *L)
{
    new_file(L, &STAT, 0)->flag = lua_toboolean(L, 2);
    return start(L, &STAT);
}

/* file.rename(from, to) */
static int l_rename(lua_State *L)
{
    const char *to = path_argument(L, 2, &RENAME);
    neap_file *file = new_file(L, &RENAME, 0);

    if (!neap_file_set_to(file, to))
        neap_bind_memory(L);
    return start(L, &RENAME);
}

/* file.open(path) -> stream */
static int l_open(lua_State *L)
{
    new_file(L, &OPEN, 0);
    return start(L, &OPEN);
}

/* file.list(path, recursive, max_names) -> names */
static int l_list(lua_State *L)
{
    lua_Integer max = neap_bind_integer(L, 3, "neap.fs.list: max_names", 0, INT32_MAX);
    neap_file *file = new_file(L, &LIST, 0);

    file->flag = lua_toboolean(L, 2);
    file->max = (uint64_t)max;
    return start(L, &LIST);
}

/* file.mkdir(path, mode) */
static int l_mkdir(lua_State *L)
{
    int mode = mode_argument(L, 2, "neap.fs.mkdir: mode");

    new_file(L, &MKDIR, 0)->mode = mode;
    return start(L, &MKDIR);
}

/* file.remove(path, recursive) */
static int l_remove(lua_State *L)
{
    new_file(L, &REMOVE, 0)->flag = lua_toboolean(L, 2);
    return start(L, &REMOVE);
}

/* file.mkdtemp(template) -> path; the template ends with XXXXXX */
static int l_mkdtemp(lua_State *L)
{
    new_file(L, &MKDTEMP, 0);
    return start(L, &MKDTEMP);
}

int luaopen_neap_core_file(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "read", l_read }, { "write", l_write }, { "replace", l_replace }, { "stat", l_stat },
        { "rename", l_rename }, { "open", l_open }, { "list", l_list }, { "mkdir", l_mkdir },
        { "remove", l_remove }, { "mkdtemp", l_mkdtemp }, { NULL, NULL } };
    static const luaL_Reg file[] = { { "__gc", l_gc }, { NULL, NULL } };

    luaL_requiref(L, "neap.core.stream", luaopen_neap_core_stream, 0);
    luaL_newlib(L, functions);
    neap_bind_methods(L, &FILE_JOB, file, NULL);
    return 1;
}
