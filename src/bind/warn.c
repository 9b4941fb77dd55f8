/* bind/warn.c - what Lua warns of: errors in finalisers, and what scripts give to warn().
 *
 * Lua hands a warning over in pieces. They are gathered, so that it is one line on
 * standard error, whatever other threads write there.
 */
#include <stdio.h>
#include <string.h>

#include "bind/bind.h"

/* As Lua documents them: a whole message that begins with @ is for whoever prints them. */
static void control(neap_host *host, const char *command)
{
    if (strcmp(command, "@off") == 0)
        host->warns = false;
    else if (strcmp(command, "@on") == 0)
        host->warns = true;
}

/* A lua_WarnFunction: it must not raise. Without memory the piece is left out. */
static void warn(void *ud, const char *piece, int to_be_continued)
{
    neap_host *host = ud;
    neap_buf *line = &host->warning;

    if (!host->is_warning && !to_be_continued && *piece == '@') {
        control(host, piece);
        return;
    }
    host->is_warning = to_be_continued;
    if (host->warns && neap_buf_try_reserve(line, strlen(piece)))
        neap_buf_text(line, piece);
    if (to_be_continued)
        return;
    if (host->warns)
        fprintf(stderr, "neap: warning: %s\n", line->len > 0 ? line->data : "");
    neap_buf_clear(line);
}

void neap_bind_open_warn(neap_host *host)
{
    neap_buf_init(&host->warning);
    host->warns = true;
    lua_setwarnf(host->L, warn, host);
}
