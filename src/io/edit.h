/* io/edit.h - a line editor for a terminal, key by key: libedit, if it is there.
 *
 * libedit is loaded when an editor is opened, so that the binary runs where it is
 * not installed. It never reads the terminal: whoever has read a key hands it over,
 * and nothing here waits.
 *
 *   open --> begin --> key, key, ... --LINE, END--> end --> begin ...
 *
 * Ownership  neap_edit_open makes it, neap_edit_close ends it; one for a process.
 * Errors     NULL from neap_edit_open, when there is no libedit, or no terminal.
 * Thread     One.
 * Invariant  The terminal is in its usual mode outside of begin .. end.
 */
#ifndef NEAP_IO_EDIT_H
#define NEAP_IO_EDIT_H

#include <stddef.h>

typedef struct neap_edit neap_edit;

typedef enum neap_edit_state {
    NEAP_EDIT_GOES_ON,
    NEAP_EDIT_LINE,         /* neap_edit_text is the line */
    NEAP_EDIT_END,          /* Ctrl-D on an empty line */
} neap_edit_state;

/* Asked when the user presses Tab: what to insert behind `text`, the first `len`
 * bytes of the line, and in *list what to show, each NULL for nothing. */
typedef const char *neap_edit_complete(void *arg, const char *text, size_t len,
                                       const char **list);

neap_edit *neap_edit_open(neap_edit_complete *complete, void *arg);
void neap_edit_close(neap_edit *edit);

/* Show `prompt`, a static string or one that lives until the end, and edit. */
void neap_edit_begin(neap_edit *edit, const char *prompt);
/* The length of the first key in `bytes`, which may be several of them (ESC [ A);
 * 0: its end is still to come. */
size_t neap_edit_key_len(const char *bytes, size_t size);
/* The user has pressed a key. */
neap_edit_state neap_edit_key(neap_edit *edit, const char *bytes, size_t size);
/* The line, without its end; until the next begin. */
const char *neap_edit_text(const neap_edit *edit);
/* Leave the line, finished or not. */
void neap_edit_end(neap_edit *edit);
/* Add a line to what the arrow keys bring back. */
void neap_edit_remember(neap_edit *edit, const char *line);

#endif
