/* cli/run.c - a host whose root task is lua/cli/main.lua. */
#include "cli/run.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/ticks.h"
#include "bind/bind.h"
#include "bind/embed.h"
#include "bind/host.h"
#include "bind/task.h"
#include "io/loop.h"

enum { STATUS_FAILED = 1 };

/* Spawn the root task: the command line's module, called with the arguments. */
static int spawn_root(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    const neap_embed *file = neap_embed_find("cli/main.lua");

    lua_settop(L, 0);
    if (luaL_loadbufferx(L, file->bytes, file->size, "=cli/main.lua", "t") != LUA_OK)
        return lua_error(L);
    luaL_checkstack(L, argc, "too many arguments");
    for (int i = 1; i < argc; i++)
        lua_pushstring(L, argv[i]);
    neap_bind_spawn_root(L, 1, "main");
    return 0;
}

/* What the caller closed of the standard streams stays closed for a script: reading ends at
 * once, writing fails. But their numbers are taken, lest a file or the loop gets them. */
static void occupy_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int neap_cli_run(int argc, char **argv)
{
    occupy_standard_streams();
    neap_ticks_calibrate();
    neap_host *host = neap_host_new();
    if (host == NULL && (neap_loop_lacks() == NEAP_EMFILE || neap_loop_lacks() == NEAP_ENFILE)) {
        fprintf(stderr, "neap: %s\n", neap_err_text(neap_loop_lacks()));
        return STATUS_FAILED;
    }
    if (host == NULL)
        neap_mem_exhausted();

    lua_pushcfunction(host->L, spawn_root);
    lua_pushinteger(host->L, argc);
    lua_pushlightuserdata(host->L, argv);
    int status = STATUS_FAILED;
    if (lua_pcall(host->L, 2, 0, 0) != LUA_OK) {
        fprintf(stderr, "neap: %s\n", lua_tostring(host->L, -1));
    } else if (neap_host_run(host)) {
        status = host->exit_status;
    }
    neap_host_free(host);
    return status;
}
