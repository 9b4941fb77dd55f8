#include "io/edit.h"

#include <dlfcn.h>
#include <histedit.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* Lines that the arrow keys bring back. */
#define HISTORY 1000

#define LIBRARY "libedit.so.2"

/* X(name, result, parameters) */
#define FUNCTIONS(X)                                                       \
    X(el_init, EditLine *, (const char *, FILE *, FILE *, FILE *))         \
    X(el_end, void, (EditLine *))                                          \
    X(el_reset, void, (EditLine *))                                        \
    X(el_resize, void, (EditLine *))                                       \
    X(el_set, int, (EditLine *, int, ...))                                 \
    X(el_wset, int, (EditLine *, int, ...))                                \
    X(el_get, int, (EditLine *, int, ...))                                 \
    X(el_gets, const char *, (EditLine *, int *))                          \
    X(el_line, const LineInfo *, (EditLine *))                             \
    X(el_insertstr, int, (EditLine *, const char *))                       \
    X(history_init, History *, (void))                                     \
    X(history_end, void, (History *))                                      \
    X(history, int, (History *, HistEvent *, int, ...))

static struct {
#define POINTER(name, result, parameters) result (*name) parameters;
    FUNCTIONS(POINTER)
#undef POINTER
} lib;

struct neap_edit {
    EditLine           *editline;
    History            *history;
    neap_edit_complete *complete;
    void               *arg;
    const char         *prompt;
    neap_buf            text;
    const char         *bytes;      /* of the key that libedit has not yet asked for */
    size_t              size;
    bool                begun;
};

static bool load_library(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    bool whole = library != NULL;

    /* POSIX: a symbol is a void * also when it is a function. */
#define LOAD(name, result, parameters)                                     \
    whole = whole && (*(void **)(void *)&lib.name = dlsym(library, #name)) != NULL;
    FUNCTIONS(LOAD)
#undef LOAD
    return whole;
}

static neap_edit *edit_of(EditLine *editline)
{
    neap_edit *edit = NULL;

    lib.el_get(editline, EL_CLIENTDATA, &edit);
    return edit;
}

/* --- what libedit calls ------------------------------------------------------------ */

static char *get_prompt(EditLine *editline)
{
    return (char *)(uintptr_t)edit_of(editline)->prompt;    /* it is only printed */
}

/* One character of the key; 0 at its end, which ends a command that wants more. */
static int get_char(EditLine *editline, wchar_t *c)
{
    neap_edit *edit = edit_of(editline);
    int len = edit->size > 0 ? mbtowc(c, edit->bytes, edit->size) : 0;

    if (edit->size == 0)
        return 0;
    if (len <= 0) {                 /* not of this locale: a byte as it is */
        *c = (unsigned char)*edit->bytes;
        len = 1;
    }
    edit->bytes += len;
    edit->size -= (size_t)len;
    return 1;
}

static unsigned char on_tab(EditLine *editline, int c)
{
    neap_edit *edit = edit_of(editline);
    const LineInfo *line = lib.el_line(editline);
    const char *list = NULL;

    (void)c;
    const char *more = edit->complete(edit->arg, line->buffer,
                                      (size_t)(line->cursor - line->buffer), &list);
    if (list != NULL)
        printf("\n%s\n", list);
    if (more != NULL)
        lib.el_insertstr(editline, more);
    fflush(stdout);
    if (list != NULL)
        return CC_REDISPLAY;
    return more != NULL ? CC_REFRESH : CC_REFRESH_BEEP;
}

/* --- keys ---------------------------------------------------------------------------- */

/* Bytes of a UTF-8 character that begins with `first`. */
static size_t utf8_len(unsigned char first)
{
    return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
}

size_t neap_edit_key_len(const char *bytes, size_t size)
{
    enum { CTRL_X = 0x18, ESC = 0x1B };

    if (size == 0)
        return 0;
    unsigned char first = (unsigned char)bytes[0];
    if (first != ESC) {
        size_t len = first == CTRL_X ? 2 : utf8_len(first);
        return len <= size ? len : 0;
    }
    if (size < 2)
        return 0;
    if (bytes[1] == 'O')
        return size >= 3 ? 3 : 0;
    if (bytes[1] != '[')
        return 2;
    for (size_t i = 2; i < size; i++)       /* parameters, then a letter or ~ */
        if (bytes[i] >= '@' && bytes[i] <= '~')
            return i + 1;
    return 0;
}

/* --- the editor ------------------------------------------------------------------------ */

static void set_up(neap_edit *edit)
{
    EditLine *editline = edit->editline;
    HistEvent event;

    lib.el_set(editline, EL_CLIENTDATA, edit);
    lib.el_set(editline, EL_PROMPT, get_prompt);
    lib.el_set(editline, EL_GETCFN, get_char);
    lib.el_set(editline, EL_EDITOR, "emacs");
    lib.history(edit->history, &event, H_SETSIZE, HISTORY);
    lib.history(edit->history, &event, H_SETUNIQUE, 1);
    lib.el_set(editline, EL_HIST, lib.history, edit->history);
    /* Wide: of a name in bytes libedit would make a copy and lose it. */
    lib.el_wset(editline, EL_ADDFN, L"complete", L"complete a name", on_tab);
    lib.el_set(editline, EL_BIND, "\t", "complete", NULL);
    /* These would read the terminal for themselves: the arrow keys search by what
     * stands in front of the cursor instead. */
    lib.el_set(editline, EL_BIND, "^R", "ed-search-prev-history", NULL);
    lib.el_set(editline, EL_BIND, "^S", "ed-search-next-history", NULL);
    lib.el_set(editline, EL_BIND, "^V", "ed-unassigned", NULL);
    lib.el_set(editline, EL_BIND, "\033[A", "ed-search-prev-history", NULL);
    lib.el_set(editline, EL_BIND, "\033[B", "ed-search-next-history", NULL);
    lib.el_set(editline, EL_BIND, "\033OA", "ed-search-prev-history", NULL);
    lib.el_set(editline, EL_BIND, "\033OB", "ed-search-next-history", NULL);
}

neap_edit *neap_edit_open(neap_edit_complete *complete, void *arg)
{
    const char *terminal = getenv("TERM");

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || terminal == NULL ||
        strcmp(terminal, "dumb") == 0 || !load_library())
        return NULL;
    /* libedit counts in wide characters. */
    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8");
    neap_edit *edit = neap_mem_try_realloc(NULL, sizeof *edit);
    if (edit == NULL)
        return NULL;
    *edit = (neap_edit){ .complete = complete, .arg = arg, .prompt = "" };
    edit->editline = lib.el_init("neap", stdin, stdout, stderr);
    edit->history = lib.history_init();
    if (edit->editline == NULL || edit->history == NULL) {
        neap_edit_close(edit);
        return NULL;
    }
    set_up(edit);
    return edit;
}

void neap_edit_close(neap_edit *edit)
{
    neap_edit_end(edit);
    if (edit->editline != NULL)
        lib.el_end(edit->editline);
    if (edit->history != NULL)
        lib.history_end(edit->history);
    neap_buf_deinit(&edit->text);
    neap_mem_free(edit);
}

void neap_edit_begin(neap_edit *edit, const char *prompt)
{
    edit->prompt = prompt;
    edit->begun = true;
    neap_buf_clear(&edit->text);
    fflush(stdout);
    lib.el_resize(edit->editline);
    lib.el_reset(edit->editline);
    /* Key by key: the terminal hands over each at once. */
    lib.el_set(edit->editline, EL_UNBUFFERED, 1);
}

neap_edit_state neap_edit_key(neap_edit *edit, const char *bytes, size_t size)
{
    enum { CTRL_D = 0x04 };
    int count = 0;

    edit->bytes = bytes;
    edit->size = size;
    const char *line = lib.el_gets(edit->editline, &count);
    edit->size = 0;
    if (line == NULL || count <= 0)
        return NEAP_EDIT_GOES_ON;           /* an empty line, as yet */
    if (count == 1 && line[0] == CTRL_D)
        return NEAP_EDIT_END;
    if (line[count - 1] != '\n')
        return NEAP_EDIT_GOES_ON;
    neap_buf_append(&edit->text, line, (size_t)count - 1);
    return NEAP_EDIT_LINE;
}

const char *neap_edit_text(const neap_edit *edit)
{
    return edit->text.len > 0 ? edit->text.data : "";
}

void neap_edit_end(neap_edit *edit)
{
    if (edit->begun)
        lib.el_set(edit->editline, EL_UNBUFFERED, 0);
    edit->begun = false;
}

void neap_edit_remember(neap_edit *edit, const char *line)
{
    HistEvent event;
    lib.history(edit->history, &event, H_ENTER, line);
}
